# low-rank adaptation: a frozen layer and two thin factors that learn
X : (n, m)      # features, one column per example
Y : (k, m)      # targets
W_0 : (k, n)    # frozen weights
A : (r, n)      # down
B : (k, r)      # up
alpha : (1, 1)  # scale of the update

Z = W_0 X + alpha/r B A X
J = 1/2 ||Z - Y||^2
wrt: A, B
