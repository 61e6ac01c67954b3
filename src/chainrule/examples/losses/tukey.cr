# regression with Tukey's biweight loss, which is not convex
X : (n, m)   # features, one column per example
Y : (1, m)   # targets
w : (1, n)   # weights
b : (1, 1)   # bias
c : (1, 1)   # residuals beyond it count alike

Z = w X + b
U = max(1 - ((Z - Y)/c)^2, 0)
J = c^2/6 sum(1 - U^3)
