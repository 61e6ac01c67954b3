# negative binomial regression with known dispersion, log link
X : (n, m)   # features, one column per example
Y : (1, m)   # counts, or rates >= 0
w : (1, n)   # weights
b : (1, 1)   # bias
alpha : (1, 1)   # dispersion: the variance is mu + alpha mu^2

Z = w X + b
S = softplus(Z + log(alpha))
J = sum((Y + 1/alpha) .* S - Y .* Z)
