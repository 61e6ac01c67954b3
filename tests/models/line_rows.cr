# a line, examples as rows
X : (m, n)
Y : (m, 1)
w : (n, 1)
b : (1, 1)
Z = X w + b
J = norm(Z - Y)^2
