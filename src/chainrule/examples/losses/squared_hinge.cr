# support vector machine with the squared hinge loss
X : (n, m)   # features, one column per example
Y : (1, m)   # labels, -1 or 1
w : (1, n)   # weights
b : (1, 1)   # bias

Z = w X + b
J = sum(max(1 - Y .* Z, 0)^2)
