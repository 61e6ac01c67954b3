"""Forward passes as people post them, in forums, slides, notes and papers, with their shapes."""

# ruff: noqa: E501 (posts have long lines)

from __future__ import annotations

from chainrule.calculus.graph.dims import Shape

POSTED: list[tuple[str, str, dict[str, Shape]]] = [
    (
        "forum: logistic",
        r"""
I'm trying to derive the gradient for logistic regression.

We have $X \in \mathbb{R}^{m \times n}$, $y \in \{0,1\}^m$ and $\theta \in \mathbb{R}^n$.

$$h = \sigma(X\theta)$$

$$J(\theta) = -\frac{1}{m}\left[ y^T \log(h) + (1-y)^T \log(1-h) \right]$$
""",
        {"X": ("m", "n"), "y": ("m", 1), "\\theta": ("n", 1)},
    ),
    (
        "slide: two-layer net",
        r"""
Two-layer network
* $\mathbf{z}_1 = \mathbf{W}_1 \mathbf{x} + \mathbf{b}_1$
* $\mathbf{h} = \mathrm{ReLU}(\mathbf{z}_1)$
* $\mathbf{z}_2 = \mathbf{W}_2 \mathbf{h} + \mathbf{b}_2$
* $\hat{\mathbf{y}} = \mathrm{softmax}(\mathbf{z}_2)$
* $L = -\sum_k y_k \log \hat{y}_k$
""",
        {
            "\\mathbf{W}_1": ("k", "n"),
            "\\mathbf{x}": ("n", 1),
            "\\mathbf{b}_1": ("k", 1),
            "\\mathbf{W}_2": ("c", "k"),
            "\\mathbf{b}_2": ("c", 1),
            "y": ("c", 1),
        },
    ),
    (
        "paper appendix: VAE",
        r"""
\begin{align}
\mu &= W_\mu h + b_\mu, \\
s &= W_s h + b_s, \\
z &= \mu + \exp(s/2) \odot \epsilon, \\
\hat{x} &= W_d z + b_d, \\
\mathcal{L} &= \tfrac12 \|x - \hat{x}\|_2^2 - \tfrac12 \sum (1 + s - \mu^{\circ 2} - \exp(s)),
\end{align}
where $x, \hat{x} \in \mathbb{R}^{n}$, $h \in \mathbb{R}^{d}$ and $\mu, s, z, \epsilon \in \mathbb{R}^{k}$.
""",
        {
            "x": ("n", 1),
            "h": ("d", 1),
            "\\epsilon": ("k", 1),
            "W_\\mu": ("k", "d"),
            "b_\\mu": ("k", 1),
            "W_s": ("k", "d"),
            "b_s": ("k", 1),
            "W_d": ("n", "k"),
            "b_d": ("n", 1),
        },
    ),
    (
        "course notes: shapes list",
        r"""
Forward propagation
- X: (n_x, m)
- Y: (1, m)
- W1: (n_h, n_x), b1: (n_h, 1)
- W2: (1, n_h), b2: (1, 1)

Z1 = W1 X + b1
A1 = tanh(Z1)
Z2 = W2 A1 + b2
A2 = sigmoid(Z2)
cost = -1/m * sum(Y * log(A2) + (1-Y) * log(1-A2))
""",
        {
            "X": ("n_x", "m"),
            "Y": (1, "m"),
            "W1": ("n_h", "n_x"),
            "b1": ("n_h", 1),
            "W2": (1, "n_h"),
            "b2": (1, 1),
        },
    ),
    (
        "numpy",
        r"""
```python
# X.shape == (n, m), Y.shape == (1, m), w.shape == (n, 1)
Z = np.dot(w.T, X) + b
A = 1 / (1 + np.exp(-Z))
cost = -np.sum(Y * np.log(A) + (1 - Y) * np.log(1 - A)) / m
```
""",
        {"w": ("n", 1), "X": ("n", "m"), "b": (1, 1), "Y": (1, "m")},
    ),
    (
        "ridge, nothing declared",
        r"""
J = \frac{1}{2n} \lVert y - X\beta \rVert_2^2 + \frac{\lambda}{2}\lVert \beta \rVert_2^2
""",
        {"y": ("n", 1), "X": ("n", "d"), "\\beta": ("d", 1), "\\lambda": (1, 1)},
    ),
    (
        "svm hinge",
        r"""
x_i is not used; let $w \in \mathbb{R}^d$, $b \in \mathbb{R}$, $X \in \mathbb{R}^{d \times n}$ and $y \in \{-1,1\}^{1\times n}$.
s = w^T X + b
L = 1/2 ||w||^2 + C sum(max(0, 1 - y .* s))
""",
        {"w": ("d", 1), "b": (1, 1), "X": ("d", "n"), "y": (1, "n"), "C": (1, 1)},
    ),
    (
        "GMM/gaussian nll",
        r"""
x is a vector in R^d, mu is a vector in R^d, S is a d x d matrix
L = \frac12 (x - \mu)^T S^{-1} (x - \mu) + \frac12 \log\det S
""",
        {"x": ("d", 1), "mu": ("d", 1), "S": ("d", "d")},
    ),
    (
        "attention",
        r"""
$Q = XW_Q,\; K = XW_K,\; V = XW_V$ with $X \in \mathbb{R}^{T\times d}$ and $W_Q, W_K, W_V \in \mathbb{R}^{d \times d}$
$S = \frac{QK^\top}{\sqrt{d}}$
$A = \operatorname{softmax}(S, axis=1)$
$O = A V$
$L = \frac12 \| O - Y \|_F^2$
""",
        {"X": ("T", "d"), "W_Q": ("d", "d"), "W_K": ("d", "d"), "W_V": ("d", "d"), "Y": ("T", "d")},
    ),
    (
        "lecture's single example",
        r"""
x = (n, 1), w = (1, n), b = (1, 1)
z = wx + b
a = σ(z)
L = -(y log a + (1-y) log(1-a))
""",
        {"x": ("n", 1), "w": (1, "n"), "b": (1, 1), "y": (1, 1)},
    ),
    (
        "index form cost",
        r"""
Let Z = w X + b and A = sigmoid(Z), X (n, m), w (1, n), b (1, 1), Y (1, m).
J = -\frac{1}{m}\sum_{i=1}^{m} \left( y_i \log a_i + (1-y_i)\log(1-a_i) \right)
""",
        {"X": ("n", "m"), "w": (1, "n"), "b": (1, 1), "Y": (1, "m")},
    ),
    (
        "layers with superscripts",
        r"""
$$
\begin{aligned}
Z^{[1]} &= W^{[1]} X + b^{[1]} \\
A^{[1]} &= g(Z^{[1]}) \\
Z^{[2]} &= W^{[2]} A^{[1]} + b^{[2]} \\
A^{[2]} &= \sigma(Z^{[2]})
\end{aligned}
$$
g(z) = max(0, z)
$$ J = -\frac1m \sum \left( Y \odot \log A^{[2]} + (1 - Y) \odot \log (1 - A^{[2]}) \right) $$
""",
        {
            "W^{[1]}": ("h", "n"),
            "X": ("n", "m"),
            "b^{[1]}": ("h", 1),
            "W^{[2]}": ("k", "h"),
            "b^{[2]}": ("k", 1),
            "Y": ("k", "m"),
        },
    ),
    (
        "RNN",
        r"""
$h_t$ is the state at time $t$.
h_1 = \tanh(W h_0 + U x_1 + b)
h_2 = \tanh(W h_1 + U x_2 + b)
o = V h_2 + c
L = \frac{1}{2} \|o - y\|^2
""",
        {
            "W": ("h", "h"),
            "h_0": ("h", 1),
            "U": ("h", "n"),
            "x_1": ("n", 1),
            "b": ("h", 1),
            "x_2": ("n", 1),
            "V": ("k", "h"),
            "c": ("k", 1),
            "y": ("k", 1),
        },
    ),
    (
        "matrix factorisation",
        r"""
R ∈ ℝ^{n×m}, U ∈ ℝ^{n×k}, V ∈ ℝ^{m×k}
E = R - U Vᵀ
L = ½‖E‖_F² + λ/2 (‖U‖_F² + ‖V‖_F²)
""",
        {"R": ("n", "m"), "U": ("n", "k"), "V": ("m", "k"), "λ": (1, 1)},
    ),
    (
        "quadratic form slide",
        r"""
$f(x) = \tfrac{1}{2} x^\top A x - b^\top x + c$, $A \in \mathbb{R}^{n\times n}$, $x, b \in \mathbb{R}^n$, $c \in \mathbb{R}$
""",
        {"A": ("n", "n"), "x": ("n", 1), "b": ("n", 1), "c": (1, 1)},
    ),
    (
        "batch norm",
        r"""
x ∈ ℝᴺ
μ = mean(x)
σ² = mean((x - μ)²)
x̂ = (x - μ)/√(σ² + ε)
y = γ x̂ + β
L = sum(y ⊙ t)
""",
        {"x": ("N", 1), "ε": (1, 1), "γ": (1, 1), "β": (1, 1), "t": ("N", 1)},
    ),
    (
        "visual editor",
        r"""
\displaylines{}
z=\mathbf{w}^{\mathsf{T}}\mathbf{x}+b
a=\frac{1}{1+\exponentialE^{-z}}
L=-\left\lbrack y\ln\left(a\right)+\left(1-y\right)\ln\left(1-a\right)\right\rbrack
""",
        {"\\mathbf{w}": ("n", 1), "\\mathbf{x}": ("n", 1), "b": (1, 1), "y": (1, 1)},
    ),
    (
        "huber with cases",
        r"""
$r = y - w^T x$
$$
L = \begin{cases}
\frac12 r^2 & |r| \le \delta \\
\delta (|r| - \frac12 \delta) & \text{otherwise}
\end{cases}
$$
with scalars $y, \delta$ and $w, x \in \mathbb{R}^n$
""",
        {"y": (1, 1), "\\delta": (1, 1), "w": ("n", 1), "x": ("n", 1)},
    ),
    (
        "word2vec",
        r"""
u_o, v_c ∈ ℝ^d, U ∈ ℝ^{|V|×d}
L = - u_o^T v_c + logsumexp(U v_c)
""",
        {"u_o": ("d", 1), "v_c": ("d", 1), "U": ("V", "d")},
    ),
    (
        "pytorch",
        r"""
X: (m, n); Y: (m, k); W: (n, k); b: (1, k)
logits = X @ W + b
p = torch.softmax(logits, dim=1)
loss = -(Y * torch.log(p)).sum() / m
""",
        {"X": ("m", "n"), "Y": ("m", "k"), "W": ("n", "k"), "b": (1, "k")},
    ),
    (
        "textbook exercise",
        r"""
1. Let x be an n-vector, W a k × n matrix, and b, y k-vectors.
2. Define z = W x + b.
3. Define a = tanh(z).
4. The loss is L = ½ ||a − y||².
""",
        {"x": ("n", 1), "W": ("k", "n"), "b": ("k", 1), "y": ("k", 1)},
    ),
    (
        "poisson regression",
        r"""
Poisson regression (log link)
η = Xβ, with X an n × p matrix, β a p-vector, y an n-vector
μ = exp(η)
ℓ = -sum(y ⊙ η - μ)
""",
        {"X": ("n", "p"), "β": ("p", 1), "y": ("n", 1)},
    ),
    (
        "LDA/trace",
        r"""
$W \in \mathbb{R}^{d\times k}$; $S_b, S_w \in \mathbb{R}^{d \times d}$
$J = \operatorname{tr}\left( (W^T S_w W)^{-1} W^T S_b W \right)$
""",
        {"W": ("d", "k"), "S_b": ("d", "d"), "S_w": ("d", "d")},
    ),
    (
        "autoencoder",
        r"""
Encoder: h = sigmoid(W x + b), Decoder: x̂ = sigmoid(W^T h + c)
x: n × 1; W: k × n; b: k × 1; c: n × 1
Loss: L = ||x̂ - x||^2
""",
        {"x": ("n", 1), "W": ("k", "n"), "b": ("k", 1), "c": ("n", 1)},
    ),
    (
        "mse slide",
        r"""
Linear regression, vectorised
$\hat y = X w + b\mathbf{1}$
$J(w, b) = \frac{1}{2m}\|\hat y - y\|^2$
where $X\in\mathbb{R}^{m\times n}$, $y \in \mathbb{R}^m$.
""",
        {"X": ("m", "n"), "y": ("m", 1), "w": ("n", 1), "b": (1, 1)},
    ),
    (
        "stack exchange softmax CE",
        r"""
Let $o = Wx + b$, $p = \text{softmax}(o)$ and the loss is $L = -\sum_i y_i \log(p_i)$ where $y$ is a one-hot vector. How do I get $\partial L/\partial W$?
""",
        {"W": ("k", "n"), "x": ("n", 1), "b": ("k", 1), "y": ("k", 1)},
    ),
    (
        "course code",
        r"""
def forward(X, Y, params):
    Z1 = W1 @ X + b1
    A1 = np.maximum(0, Z1)
    Z2 = W2 @ A1 + b2
    A2 = 1 / (1 + np.exp(-Z2))
    m = X.shape[1]
    cost = -1/m * np.sum(Y*np.log(A2) + (1-Y)*np.log(1-A2))
    return cost
""",
        {
            "W1": ("h", "n"),
            "X": ("n", "m"),
            "b1": ("h", 1),
            "W2": ("k", "h"),
            "b2": ("k", 1),
            "Y": ("k", "m"),
        },
    ),
    (
        "notes: layers",
        r"""
a^[0] = x
z^[1] = W^[1] a^[0] + b^[1]
a^[1] = tanh(z^[1])
z^[2] = W^[2] a^[1] + b^[2]
a^[2] = σ(z^[2])
L(a^[2], y) = -(y log a^[2] + (1 - y) log(1 - a^[2]))

x: (n, 1)
W^[1]: (4, n), b^[1]: (4, 1)
W^[2]: (1, 4), b^[2]: (1, 1)
y: scalar
""",
        {
            "x": ("n", 1),
            "W^[1]": (4, "n"),
            "b^[1]": (4, 1),
            "W^[2]": (1, 4),
            "b^[2]": (1, 1),
            "y": (1, 1),
        },
    ),
    (
        "exam: scalars",
        r"""
All quantities are scalars.
u = w1*x + b1
h = tanh(u)
yhat = w2*h + b2
L = 0.5*(yhat - y)**2
""",
        {"w1": (1, 1), "x": (1, 1), "b1": (1, 1), "w2": (1, 1), "b2": (1, 1), "y": (1, 1)},
    ),
    (
        "exam: elementwise",
        r"""
x, y ∈ R^n
f = sum( exp(-x .* x) .* y )
""",
        {"x": ("n", 1), "y": ("n", 1)},
    ),
    (
        "PCA",
        r"""
X: n × d, W: d × k
R = X - X W Wᵀ
J = tr(Rᵀ R)
""",
        {"X": ("n", "d"), "W": ("d", "k")},
    ),
    (
        "LSTM cell",
        r"""
i = sigmoid(W_i x + U_i h + b_i)
f = sigmoid(W_f x + U_f h + b_f)
o = sigmoid(W_o x + U_o h + b_o)
g = tanh(W_g x + U_g h + b_g)
c_1 = f ∘ c_0 + i ∘ g
h_1 = o ∘ tanh(c_1)
L = ½‖h_1 − t‖²
""",
        {
            "W_i": ("k", "n"),
            "x": ("n", 1),
            "U_i": ("k", "p"),
            "h": ("p", 1),
            "b_i": ("k", 1),
            "W_f": ("k", "n"),
            "U_f": ("k", "p"),
            "b_f": ("k", 1),
            "W_o": ("k", "n"),
            "U_o": ("k", "p"),
            "b_o": ("k", 1),
            "W_g": ("k", "n"),
            "U_g": ("k", "p"),
            "b_g": ("k", 1),
            "c_0": ("k", 1),
            "t": ("k", 1),
        },
    ),
    (
        "logsumexp multi",
        r"""
**Setup.** `X` is (n, m), `W` is (k, n), `Y` is (k, m).

1. `Z = W X`
2. `J = sum(logsumexp(Z, axis=0)) - sum(Y .* Z)`
""",
        {"X": ("n", "m"), "W": ("k", "n"), "Y": ("k", "m")},
    ),
    (
        "GLM appendix",
        r"""
\begin{gather*}
\eta = X\beta, \qquad \mu = e^{\eta}, \\
\ell(\beta) = \sum_{i=1}^n \left( y_i \eta_i - \mu_i \right)
\end{gather*}
""",
        {"X": ("n", "d"), "\\beta": ("d", 1), "y": ("n", 1)},
    ),
    (
        "torch module",
        r"""
x: (b, d_in); W: (d_out, d_in); bias: (1, d_out); target: (b, d_out)
out = x @ W.T + bias
loss = ((out - target)**2).mean()
""",
        {
            "x": ("b", "d_in"),
            "W": ("d_out", "d_in"),
            "bias": (1, "d_out"),
            "target": ("b", "d_out"),
        },
    ),
    (
        "elastic penalty",
        r"""
J = ||Xw - y||_2^2 / (2n) + \alpha ||w||_1 + \frac{\beta}{2} ||w||_2^2
""",
        {"X": ("n", "d"), "w": ("d", 1), "y": ("n", 1), "\\alpha": (1, 1), "\\beta": (1, 1)},
    ),
    (
        "hinge in cases",
        r"""
m = y (w^T x + b), y ∈ {-1, 1}, x, w ∈ ℝ^d, b ∈ ℝ
L = \begin{cases} 0 & \text{if } m \geq 1 \\ 1 - m & \text{otherwise} \end{cases}
""",
        {"y": (1, 1), "x": ("d", 1), "w": ("d", 1), "b": (1, 1)},
    ),
    (
        "contrastive",
        r"""
u = W a; v = W b  (a, b ∈ ℝ^n, W ∈ ℝ^{k×n})
s = u^T v / (||u|| ||v||)
L = (s - t)^2
""",
        {"a": ("n", 1), "b": ("n", 1), "W": ("k", "n"), "t": (1, 1)},
    ),
    (
        "german style",
        r"""
gegeben: x ∈ ℝⁿ, W ∈ ℝ^{m×n}, y ∈ ℝᵐ
e = W·x − y
E = 1/2 · eᵀ·e
""",
        {"x": ("n", 1), "W": ("m", "n"), "y": ("m", 1)},
    ),
    (
        "handwritten unicode",
        r"""
z⁽¹⁾ = W₁x + b₁
h = max(0, z⁽¹⁾)
ŷ = w₂ᵀh + b₂
ℓ = (ŷ − y)²
""",
        {
            "W₁": ("k", "n"),
            "x": ("n", 1),
            "b₁": ("k", 1),
            "w₂": ("k", 1),
            "b₂": (1, 1),
            "y": (1, 1),
        },
    ),
    (
        "wiki dense",
        r"""
Input: <math>x \in \mathbb{R}^{n}</math>
Output: $o = \sigma(W x)$ ($W$ is $k \times n$)
Error: $E = \frac{1}{2}\sum_j (t_j - o_j)^2$
""",
        {"x": ("n", 1), "W": ("k", "n"), "t": ("k", 1)},
    ),
    (
        "embedding",
        r"""
E : (d, V)   # embeddings
ids : (1, m)
W : (V, d)
X = lookup(E, ids)
J = sum(logsumexp(W X, axis=0))
""",
        {"E": ("d", "V"), "ids": (1, "m"), "W": ("V", "d")},
    ),
    (
        "whitespace tables",
        r"""
| symbol | shape |
|---|---|
| X | (n, m) |
| w | (1, n) |
Z = w X
J = sum(sigmoid(Z))
""",
        {"X": ("n", "m"), "w": (1, "n")},
    ),
    (
        "gaussian scalar MLE",
        r"""
x ∈ ℝⁿ, μ ∈ ℝ, σ ∈ ℝ
ℓ = -n log σ - \frac{1}{2σ^2} \sum_{i=1}^n (x_i - μ)^2
""",
        {"x": ("n", 1), "μ": (1, 1), "σ": (1, 1)},
    ),
]
