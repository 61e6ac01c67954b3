# contrastive loss (InfoNCE): every column finds its partner among all columns
X : (n, m)     # one view of every example
Y : (n, m)     # another view
W : (k, n)     # encoder of both
tau : (1, 1)   # temperature

A = W X / norm(W X, axis=0)
B = W Y / norm(W Y, axis=0)
J = info_nce(A, B, tau)
wrt: W, tau
