# logistic regression with an L2 penalty
X : (n, m)   # features, one column per example
Y : (1, m)   # labels, 0 or 1
w : (1, n)   # weights
b : (1, 1)   # bias, not penalised

Z = w X + b
A = sigmoid(Z)
J = -sum(Y .* log(A) + (1 - Y) .* log(1 - A)) + norm(w)^2 / 2

wrt: w, b
