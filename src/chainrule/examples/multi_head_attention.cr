# multi-head attention over a batch: causal, one stack of matrix products per step
X : (b, t, d)       # tokens: batch, time, features
Y : (b, t, d)       # what is wanted in their place
W_Q : (h, d, k)     # queries of every head
W_K : (h, d, k)     # keys
W_V : (h, d, k)     # values
W_O : (h, k, d)     # output of the heads
b_O : (1, d)        # its bias

Q = einsum("btd,hdk->bhtk", X, W_Q)
K = einsum("btd,hdk->bhtk", X, W_K)
V = einsum("btd,hdk->bhtk", X, W_V)
S = Q K^T / sqrt(k)
P = causal_softmax(S, axis=3)
H = P V
O = einsum("bhtk,hkd->btd", H, W_O) + b_O
J = 1/2 sum((O - Y)^2)
wrt: W_Q, W_K, W_V, W_O, b_O
