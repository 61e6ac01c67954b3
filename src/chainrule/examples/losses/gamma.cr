# gamma regression, log link
X : (n, m)   # features, one column per example
Y : (1, m)   # amounts > 0
w : (1, n)   # weights
b : (1, 1)   # bias

Z = w X + b
J = sum(Y .* exp(-Z) + Z)
