# B2: a chain of scalars
x : (1, 1)   # input
y : (1, 1)   # target
w : (1, 1)   # weight
b : (1, 1)   # bias

yhat = tanh(sigmoid(w x^2 + b))
L = (yhat - y)^2

wrt: w
