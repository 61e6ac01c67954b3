# B3: a rectified unit under a logarithm
x : (n, 1)   # features
y : (1, 1)   # target
w : (n, 1)   # weights
b : (1, 1)   # bias

yhat = ReLU(w^T x + b)
L = -y log(yhat)

wrt: w
