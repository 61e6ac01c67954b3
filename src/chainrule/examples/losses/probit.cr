# probit regression
X : (n, m)   # features, one column per example
Y : (1, m)   # labels, 0 or 1, or proportions
w : (1, n)   # weights
b : (1, 1)   # bias

Z = w X + b
A = Phi(Z)
J = -sum(Y .* log(A) + (1 - Y) .* log(1 - A))
