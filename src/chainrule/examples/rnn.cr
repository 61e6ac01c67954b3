# recurrent network, backpropagation through time
# Without the line T = 3 the gradients are stated for any number of rounds.
h_0 : (h, m)     # the state at the start, one column per sequence
W : (h, h)       # weights of the state before
U : (h, n)       # weights of what comes in
b : (h, 1)       # bias
V : (k, h)       # weights of the output
T = 3
for t = 1..T
  X_t : (n, m)   # what comes in
  Y_t : (k, m)   # what is wanted
  Z_t = W h_{t-1} + U X_t + b
  h_t = tanh(Z_t)
  E_t = V h_t - Y_t
J = 1/(2 m) sum_{t=1}^{T} ||E_t||^2
wrt: W, U, b, V
