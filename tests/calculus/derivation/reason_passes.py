"""Forward passes whose derivations use the rules in as many situations as there are."""

from __future__ import annotations

from collections.abc import Mapping

V = "x : (n, 1)\ny : (n, 1)\ng : (n, 1)\n"
M = "X : (n, m)\nG : (n, m)\nw : (1, n)\nW : (h, n)\n"
S = "A : (n, n)\nB : (n, n)\nx : (n, 1)\n"

PASSES: Mapping[str, str] = {
    "a sum": "a : (1, 1)\nb : (1, 1)\nL = a + b",
    "a difference": "a : (1, 1)\nb : (1, 1)\nL = a - b",
    "a product": "a : (1, 1)\nb : (1, 1)\nL = a b",
    "a number in front": "a : (1, 1)\nL = 3 a",
    "a product of itself": "a : (1, 1)\nL = (a + 1) (a + 2)",
    "a quotient, above": "a : (1, 1)\nb : (1, 1)\nL = a/b\nwrt: a",
    "a quotient, below": "a : (1, 1)\nb : (1, 1)\nL = a/b\nwrt: b",
    "a quotient, both": "a : (1, 1)\nL = (a + 1)/(a + 2)",
    "a power": "a : (1, 1)\nL = a^3",
    "a root": "a : (1, 1)\nL = sqrt(a)",
    "a chain": "a : (1, 1)\nb : (1, 1)\nz = a b\ns = sigmoid(z)\nL = s^2\nwrt: a",
    "paths that add": "a : (1, 1)\nu = a^2\nv = exp(a)\nL = u v\nwrt: a",
    "functions": V + "L = sum(exp(x) + log(x) + tanh(x) + relu(x) + softplus(x) + abs(x))\nwrt: x",
    "trigonometry": V + "L = sum(sin(x) + cos(x) + sinh(x) + cosh(x))\nwrt: x",
    "a mean": V + "L = mean(x)\nwrt: x",
    "a variance": "x : (n, 1)\nu = mean(x)\nv = mean((x - u)^2)\nL = v",
    "a norm": V + "L = norm(x)^2 + norm(y)\nwrt: x, y",
    "an inner product": V + "L = x^T y\nwrt: x, y",
    "a row times a matrix": M + "Z = w X\nL = sum(Z^2)\nwrt: w, X",
    "a bias": M + "b : (1, 1)\nZ = w X + b\nL = sum(Z^2)\nwrt: b",
    "a bias column": M + "b : (h, 1)\nZ = W X + b\nL = sum(tanh(Z))\nwrt: b, W",
    "a scaling": M + "s : (n, 1)\nY = s .* X\nL = sum(G .* Y)\nwrt: s, X",
    "a quadratic form": S + "L = x^T A x\nwrt: x, A",
    "an inverse": S + "L = x^T A^-1 x\nwrt: A",
    "a determinant": S + "L = logdet(A)\nwrt: A",
    "a trace": S + "L = trace(A B)\nwrt: A, B",
    "a transpose": S + "C = A^T\nL = sum(B .* C)\nwrt: A",
    "a diagonal": S + "L = sum(diag(A) .* x)\nwrt: A",
    "a softmax": "z : (k, 1)\nt : (k, 1)\np = softmax(z)\nL = t^T p\nwrt: z",
    "a softmax by hand": "z : (k, 1)\nt : (k, 1)\np = exp(z)/sum(exp(z))\nL = t^T p\nwrt: z",
    "cross-entropy": "Z : (k, m)\nY : (k, m)\nP = softmax(Z, axis=0)\nJ = -sum(Y .* log(P))\n"
    "onehot: Y\nwrt: Z",
    "log-sum-exp": "z : (k, 1)\nL = logsumexp(z)",
    "a sigmoid by hand": "x : (n, 1)\nL = sum(1/(1 + exp(-x)))",
    "a tanh by hand": "x : (n, 1)\nL = sum((exp(x) - exp(-x))/(exp(x) + exp(-x)))",
    "an extreme": V + "L = max(x) + min(y)\nwrt: x, y",
    "two extremes": V + "L = sum(max(x, y)) + sum(min(x, g))\nwrt: x, y, g",
    "a part": V + "L = sum(x[0:2]^2)\nwrt: x",
    "a part of a layer": "x : (6, 1)\nu = x^2\nv = u[0:2]\nL = sum(v^3) + sum(u)\nwrt: x",
    "a stack": V + "s = [x; y]\nL = sum(s^2)\nwrt: x, y",
    "a shape": "x : (6, 1)\nG : (2, 3)\nX = reshape(x, 2, 3)\nL = sum(G .* X^2)\nwrt: x",
    "logistic": "X : (n, m)\nY : (1, m)\nw : (1, n)\nb : (1, 1)\nA = sigmoid(w X + b)\n"
    "J = -1/m sum(Y .* log(A) + (1 - Y) .* log(1 - A)) + 1/2 w w^T\nwrt: w, b",
    "a network": "X : (n, m)\nY : (k, m)\nW : (h, n)\nV : (k, h)\nA = tanh(W X)\n"
    "P = softmax(V A, axis=0)\nJ = -1/m sum(Y .* log(P))\nonehot: Y\nwrt: W, V",
    "attention": "Q : (n, d)\nK : (m, d)\nV : (m, h)\nG : (n, h)\nS = Q K^T/sqrt(d)\n"
    "P = softmax(S, axis=1)\nO = P V\nJ = sum(G .* O)\nwrt: Q, K, V",
    "batch normalisation": M + "u = mean(X, axis=1)\nv = mean((X - u)^2, axis=1)\n"
    "H = (X - u)/sqrt(v + 0.1)\nJ = sum(G .* H)\nwrt: X",
    "centres": "X : (n, m)\nM : (n, k)\nR : (k, m)\n"
    "E = sum(M^2, axis=0)^T - 2 M^T X + sum(X^2, axis=0)\nL = sum(R .* E)/2\nwrt: M, X",
    "not reached": V + "L = sum(y)\nwrt: x",
    "an outer product": S + "y : (n, 1)\nL = x^T A y\nwrt: A",
    "a repeat": M + "r = mean(X, axis=1)\nL = sum(r^2)\nwrt: X",
    "a shift of scores": "z : (k, 1)\nt : (k, 1)\nb : (1, 1)\np = softmax(z + b)\nL = t^T p\n"
    "wrt: b",
    "deviations": "x : (n, 1)\nL = sum(x - mean(x))",
    "a mask": V + "L = sum([x > 0] .* x .* y)\nwrt: x",
    "a gate": V + "z : (n, 1)\nL = sum(g .* ((1 - z) .* x + z .* y))\nwrt: z",
    "Gaussian": "x : (n, 1)\nu : (n, 1)\nS : (n, n)\nd = x - u\nL = d^T S^-1 d/2 + logdet(S)/2\n"
    "wrt: x, u, S",
    "a loop": "h_0 : (k, 1)\nW : (k, k)\nh_1 = tanh(W h_0)\nh_2 = tanh(W h_1)\nL = sum(h_2)\n"
    "wrt: W",
    "look-up": "E : (d, v)\nids : (1, m)\nG : (d, m)\nX = lookup(E, ids)\nL = sum(G .* X)\nwrt: E",
    "windows": "x : (n, 1)\nw : (3, 1)\nS = windows(x, 3, 1)\ny = w^T S\nL = sum(y^2)\nwrt: x, w",
}  # fmt: skip
