# least squares
X : (n, m)   # features, one column per example
Y : (1, m)   # targets
w : (1, n)   # weights
b : (1, 1)   # bias

Z = w X + b
J = 1/2 sum((Z - Y)^2)
