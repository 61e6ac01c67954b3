# a line, examples as columns
X : (n, m)
Y : (1, m)
w : (1, n)
b : (1, 1)
Z = w X + b
J = norm(Z - Y)^2
