# regression with Huber's loss
X : (n, m)   # features, one column per example
Y : (1, m)   # targets
w : (1, n)   # weights
b : (1, 1)   # bias
delta : (1, 1)   # residuals beyond it count linearly

Z = w X + b
M = max(min(Z - Y, delta), -delta)
J = sum(M .* (Z - Y - M/2))
