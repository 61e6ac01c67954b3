# smoothed quantile regression
X : (n, m)   # features, one column per example
Y : (1, m)   # targets
w : (1, n)   # weights
b : (1, 1)   # bias
tau : (1, 1)   # the quantile, between 0 and 1
width : (1, 1)   # scale of the smoothing; 0 would be the check loss

Z = w X + b
J = sum(tau (Y - Z) + width softplus((Z - Y)/width))

wrt: w, b
