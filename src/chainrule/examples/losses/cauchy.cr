# regression with Cauchy's loss, which is not convex
X : (n, m)   # features, one column per example
Y : (1, m)   # targets
w : (1, n)   # weights
b : (1, 1)   # bias
c : (1, 1)   # scale of the residuals

Z = w X + b
J = c^2/2 sum(log(1 + ((Z - Y)/c)^2))
