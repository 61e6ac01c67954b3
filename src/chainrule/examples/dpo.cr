# direct preference optimisation (DPO)
X : (n, m)     # prompts, one column each
P : (v, m)     # one-hot columns of the wanted answers
Q : (v, m)     # one-hot columns of the other answers
r : (1, m)     # log-odds of wanted over other under the reference
W : (v, n)     # the policy
beta : (1, 1)  # how far the policy may go from the reference

L = log_softmax(W X, axis=0)
d = sum((P - Q) .* L, axis=0)
z = beta (d - r)
J = mean(softplus(-z))
wrt: W, beta
