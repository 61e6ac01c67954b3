# gated recurrent unit, one step of time
X : (n, m)       # what comes in now, one column per sequence
H : (h, m)       # the state before
T : (h, m)       # the state that is wanted
W_r : (h, n)     # reset gate, from what comes in
U_r : (h, h)     # reset gate, from the state
b_r : (h, 1)     # its bias
W_z : (h, n)     # update gate, from what comes in
U_z : (h, h)     # update gate, from the state
b_z : (h, 1)     # its bias
W_g : (h, n)     # candidate, from what comes in
U_g : (h, h)     # candidate, from the state
b_g : (h, 1)     # its bias

R = sigmoid(W_r X + U_r H + b_r)
Z = sigmoid(W_z X + U_z H + b_z)
G = tanh(W_g X + R .* (U_g H) + b_g)
S = (1 - Z) .* G + Z .* H
J = 1/2 ||S - T||^2
wrt: W_r, U_r, b_r, W_z, U_z, b_z, W_g, U_g, b_g, H
