# diffusion: the noise that was added is predicted
X : (n, m)       # clean examples, one column each
N : (n, m)       # standard normal noise
a : (1, m)       # share of the example that is left, between 0 and 1
C : (k, m)       # embedding of that time
W_1 : (h, n)     # first layer
V_1 : (h, k)     # embedding of the time into it
b_1 : (h, 1)     # its bias
W_2 : (n, h)     # predicted noise
b_2 : (n, 1)     # its bias

Z = sqrt(a) .* X + sqrt(1 - a) .* N
H = silu(W_1 Z + V_1 C + b_1)
E = W_2 H + b_2
J = ||E - N||^2 / m
wrt: W_1, V_1, b_1, W_2, b_2
