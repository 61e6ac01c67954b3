# variational autoencoder: reconstruction and Kullback-Leibler divergence
X : (n, m)       # pixels between 0 and 1, one column per image
N : (k, m)       # standard normal noise
W_1 : (h, n)     # encoder
b_1 : (h, 1)     # its bias
W_mu : (k, h)    # means of the code
b_mu : (k, 1)    # their bias
W_s : (k, h)     # logarithms of the variances of the code
b_s : (k, 1)     # their bias
V_1 : (h, k)     # decoder
c_1 : (h, 1)     # its bias
V_2 : (n, h)     # scores of the pixels
c_2 : (n, 1)     # their bias

E = tanh(W_1 X + b_1)
M = W_mu E + b_mu
S = W_s E + b_s
L = reparametrise(M, S, N)
D = tanh(V_1 L + c_1)
O = V_2 D + c_2
J = (sum(softplus(O) - X .* O) + kl_gaussian(M, S)) / m
wrt: W_1, b_1, W_mu, b_mu, W_s, b_s, V_1, c_1, V_2, c_2
