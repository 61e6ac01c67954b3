# logistic regression, one example
x : (n, 1)   # features
y : (1, 1)   # label, 0 or 1
w : (1, n)   # weights
b : (1, 1)   # bias

z = w x + b
a = σ(z)
L = -(y log a + (1 - y) log(1 - a))

wrt: w, b
