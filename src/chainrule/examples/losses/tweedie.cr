# Tweedie regression with 1 < p < 2, log link
X : (n, m)   # features, one column per example
Y : (1, m)   # amounts >= 0, many of them 0
w : (1, n)   # weights
b : (1, 1)   # bias
p : (1, 1)   # power of the mean in the variance

Z = w X + b
J = sum(Y .* exp((1 - p) Z)/(p - 1) + exp((2 - p) Z)/(2 - p))
