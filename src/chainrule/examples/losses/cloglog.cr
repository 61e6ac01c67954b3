# complementary log-log regression
X : (n, m)   # features, one column per example
Y : (1, m)   # labels, 0 or 1, or proportions
w : (1, n)   # weights
b : (1, 1)   # bias

Z = w X + b
J = sum((1 - Y) .* exp(Z) - Y .* log(1 - exp(-exp(Z))))
