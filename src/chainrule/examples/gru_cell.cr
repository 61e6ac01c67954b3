# gated recurrent unit, one step of time
X : (n, m)    # what comes in now, one column per sequence
H : (h, m)    # the state before
T : (h, m)    # the state that is wanted
W_r : (h, n)  # reset gate
U_r : (h, h)
b_r : (h, 1)
W_z : (h, n)  # update gate
U_z : (h, h)
b_z : (h, 1)
W_g : (h, n)  # candidate state
U_g : (h, h)
b_g : (h, 1)

R = sigmoid(W_r X + U_r H + b_r)
Z = sigmoid(W_z X + U_z H + b_z)
G = tanh(W_g X + R .* (U_g H) + b_g)
S = (1 - Z) .* G + Z .* H
J = 1/2 ||S - T||^2
wrt: W_r, U_r, b_r, W_z, U_z, b_z, W_g, U_g, b_g, H
