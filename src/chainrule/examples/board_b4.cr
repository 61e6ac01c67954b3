# B4: the gradient at the input of a layer
x : (1, n)   # input, a row
y : (1, m)   # target
W : (n, m)   # weights

yhat = sigmoid(x) W
L = norm(yhat - y)^2

wrt: x
