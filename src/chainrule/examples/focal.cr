# focal loss: easy examples count less, by a free exponent
X : (n, m)      # features, one column per example
Y : (1, m)      # labels, 0 or 1
w : (1, n)      # weights
b : (1, 1)      # bias
gamma : (1, 1)  # how much less

Z = w X + b
A = sigmoid(Z)
J = -sum(Y .* (1 - A)^gamma .* log(A) + (1 - Y) .* A^gamma .* log(1 - A))
wrt: w, b, gamma
