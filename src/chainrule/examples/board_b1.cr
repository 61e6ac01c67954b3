# B1: the gradient at the first unit of a 4-3-1 network
x : (n, 1)       # features of one example
y : (1, 1)       # label, 0 or 1
W^[1] : (4, n)   # weights of the first hidden layer
b^[1] : (4, 1)   # its biases
W^[2] : (3, 4)   # weights of the second hidden layer
b^[2] : (3, 1)   # its biases
W^[3] : (1, 3)   # weights of the output
b^[3] : (1, 1)   # its bias

z^[1] = W^[1] x + b^[1]
a^[1] = σ(z^[1])
z^[2] = W^[2] a^[1] + b^[2]
a^[2] = σ(z^[2])
z^[3] = W^[3] a^[2] + b^[3]
a^[3] = σ(z^[3])
L = -(y log a^[3] + (1 - y) log(1 - a^[3]))

wrt: a^[1]_1
