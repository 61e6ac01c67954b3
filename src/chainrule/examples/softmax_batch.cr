# softmax regression, many examples
X : (n, m)   # features, one column per example
Y : (k, m)   # labels, one-hot columns
W : (k, n)   # weights, one row per class
b : (k, 1)   # biases

Z = W X + b
J = sum(log(sum(exp(Z), axis=0)) - sum(Y .* Z, axis=0))
