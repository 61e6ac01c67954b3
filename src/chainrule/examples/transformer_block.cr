# transformer block for one head: causal attention, MLP
X : (d, t)       # one column per token
Y : (d, t)       # what is wanted in its place
W_Q : (k, d)     # queries
W_K : (k, d)     # keys
W_V : (k, d)     # values
W_O : (d, k)     # output of the head
W_1 : (h, d)     # MLP
b_1 : (h, 1)     # its bias
W_2 : (d, h)     # back to the width of a token
b_2 : (d, 1)     # its bias

N = layer_norm(X, eps=1/1000)
Q = W_Q N
K = W_K N
V = W_V N
S = K^T Q / sqrt(k)
P = causal_softmax(S, axis=0)
A = X + W_O V P
M = layer_norm(A, eps=1/1000)
U = W_1 M + b_1
G = gelu(U)
O = A + W_2 G + b_2
J = 1/2 ||O - Y||^2
wrt: W_Q, W_K, W_V, W_O, W_1, b_1, W_2, b_2
