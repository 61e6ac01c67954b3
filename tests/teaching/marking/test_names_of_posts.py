"""Names as posts write them: arguments as places, nested indices, primes, words, densities."""

# ruff: noqa: E501

from __future__ import annotations

import pytest

from chainrule.teaching.grading.audit import audit

TEXTS = {
    "a space before the brace of an index": (
        r"""With $\delta v = \frac{\partial Loss}{\partial v}$ for every $v$, and
$r_ {t}=q_{t} * \tanh(s_ {t})$
✓ $\delta q_ {t} = \delta r_ {t} * \tanh(s_ {t})$"""
    ),
    "an argument is a place": (
        r"""The chance of the move $m$ is $\rho(m) = \frac{e^{g(m)}}{\sum_{b=1}^k e^{g(b)}}$.
✓ $$\frac{\partial \rho(m)}{\partial g(c)} = \rho(m) (\mathbb{1}_{m=c} - \rho(c))$$
✗ $$\frac{\partial \rho(m)}{\partial g(c)} = \rho(m) (\mathbb{1}_{m=c} + \rho(c))$$
✓ $$\frac{\partial}{\partial g(c)} \sum_m \rho(m) r(m) = \sum_m r(m) \frac{\partial \rho(m)}{\partial g(c)}$$"""
    ),
    "a softmax by its argument": (
        r"""$$\sigma(B_r) = \frac{e^{B_r}}{\sum_{q} e^{B_q}}, \qquad G = -\sum_r T_r \log \sigma(B_r)$$
The $T_r$ are one-hot.
✓ $$\frac{\partial G}{\partial B_i} = \sigma(B_i) - T_i$$
✗ $$\frac{\partial G}{\partial B_i} = T_i - \sigma(B_i)$$"""
    ),
    "a name with a prime": (
        r"""$$u_j = {v'_{w_j}}^T v_{w_I}, \qquad p_j = \frac{\exp(u_j)}{\sum_k \exp(u_k)}$$
✓ $$\frac{\partial u_j}{\partial v'_{w_j}} = v_{w_I}$$
✗ $$\frac{\partial u_j}{\partial v'_{w_j}} = -v_{w_I}$$"""
    ),
    "the class of an example": (
        r"""$$E_i = \sum_{j \neq c_i} \max(0, u_j x_i - u_{c_i} x_i + 1)$$
✓ $$\frac{\partial E_i}{\partial u_{c_i}} = - \left( \sum_{j \neq c_i} \mathbb{1}(u_j x_i - u_{c_i} x_i + 1 > 0) \right) x_i$$"""
    ),
    "gradients with a delta before the name": (
        r"""With $\delta v = \frac{\partial Loss}{\partial v}$ for every $v$, and
$r_{t}=q_{t} * \tanh(s_{t})$,
$s_{t} = g_{t} * s_{t-1} + k_{t} * n_t$:

✓ $\delta q_t = \delta r_t * \tanh(s_t)$
✓ $\delta k_t = \delta s_t * n_t$
✓ $\delta g_t = \delta s_t * s_{t-1}$"""
    ),
    "the square of an error": (
        r"""$$h_{ij} = a_i^T b_j = \sum_{k=1}^K a_{ik} b_{kj}$$
$$\epsilon_{ij}^2 = (s_{ij} - h_{ij})^2$$
✓ $$\frac{\partial}{\partial a_{ik}} \epsilon_{ij}^2 = -2 \epsilon_{ij} b_{kj}$$
✗ $$\frac{\partial}{\partial a_{ik}} \epsilon_{ij}^2 = 2 \epsilon_{ij} b_{kj}$$"""
    ),
    "a density with parameters": (
        r"""$$\mathcal{L} = \sum_n \log \sum_k \pi_k \mathcal{N}(x_n; m_k, \Sigma_k)$$
Every $\Sigma_k$ is a covariance.
✓ $$\frac{\partial \mathcal{L}}{\partial m_k} = \sum_n \frac{\pi_k \mathcal{N}(x_n; m_k, \Sigma_k)}{\sum_j \pi_j \mathcal{N}(x_n; m_j, \Sigma_j)} \Sigma_k^{-1} (x_n - m_k)$$
✗ $$\frac{\partial \mathcal{L}}{\partial m_k} = \sum_n \frac{\pi_k \mathcal{N}(x_n; m_k, \Sigma_k)}{\sum_j \pi_j \mathcal{N}(x_n; m_j, \Sigma_j)} \Sigma_k^{-1} (m_k - x_n)$$"""
    ),
    "two objectives with one letter": (
        r"""$$\mathcal{L}_{prior} = \frac{1}{2} \sum_j (m_j^2 + s_j^2 - \log s_j^2)$$
$$z_j = m_j + s_j r_j$$
✓ $$\frac{\partial \mathcal{L}_{prior}}{\partial s_j} = s_j - \frac{1}{s_j}$$
✓ $$\frac{\partial \mathcal{L}_{data}}{\partial s_j} = \frac{\partial \mathcal{L}_{data}}{\partial z_j} r_j$$
✗ $$\frac{\partial \mathcal{L}_{data}}{\partial s_j} = -\frac{\partial \mathcal{L}_{data}}{\partial z_j} r_j$$"""
    ),
    "arrows under accents": (
        r"""$$\tilde{\vec{p}}_n = \sum_{j=1}^M c_{jn} \vec{d}_j$$
$$E = \frac{1}{N} \sum_{n=1}^N \Vert \vec{p}_n - \tilde{\vec{p}}_n \Vert^2$$
✓ $$\frac{\partial E}{\partial \tilde{\vec{p}}_n} = -\frac{2}{N} (\vec{p}_n - \tilde{\vec{p}}_n)^\top$$
✓ $$\frac{\partial E}{\partial c_{in}} = -\frac{2}{N} (\vec{p}_n - \tilde{\vec{p}}_n)^\top \vec{d}_i$$
✗ $$\frac{\partial E}{\partial c_{in}} = \frac{2}{N} (\vec{p}_n - \tilde{\vec{p}}_n)^\top \vec{d}_i$$"""
    ),
    "the differential of a determinant in bars": (
        r"""✓ $$d|\mathbf{S}^T \mathbf{S}| = 2 |\mathbf{S}^T \mathbf{S}| \operatorname{tr}((\mathbf{S}^T \mathbf{S})^{-1} \mathbf{S}^T d\mathbf{S})$$
✗ $$d|\mathbf{S}^T \mathbf{S}| = |\mathbf{S}^T \mathbf{S}| \operatorname{tr}((\mathbf{S}^T \mathbf{S})^{-1} \mathbf{S}^T d\mathbf{S})$$"""
    ),
    "layers beside the last layer": (
        r"""$$z^l_j = \sum_k w^l_{jk} a^{l-1}_k, \qquad a^l_j = \sigma(z^l_j)$$
$$C = \frac{1}{2} \sum_j (y_j - a^L_j)^2$$
✓ $$\frac{\partial C}{\partial a^L_j} = a^L_j - y_j$$
✗ $$\frac{\partial C}{\partial a^L_j} = y_j - a^L_j$$"""
    ),
    "a policy over moves": (
        r"""$\pi_\theta(a|s) = \frac{\exp(\theta^\top g(s,a))}{\sum_b \exp(\theta^\top g(s,b))}$
✓ $$\nabla_\theta \log \pi_\theta(a|s) = g(s,a) - \sum_b \pi_\theta(b|s) g(s,b)$$
✗ $$\nabla_\theta \log \pi_\theta(a|s) = g(s,a) + \sum_b \pi_\theta(b|s) g(s,b)$$"""
    ),
    "a count with its factorial": (
        r"""$$\eta_i = \mathbf{u}_i^\top \boldsymbol{\beta}, \qquad \ell(\boldsymbol{\beta}) = \sum_i (c_i \eta_i - e^{\eta_i} - \log c_i!)$$
✓ $$\frac{\partial \ell}{\partial \boldsymbol{\beta}} = \sum_i (c_i - e^{\eta_i}) \mathbf{u}_i$$
✗ $$\frac{\partial \ell}{\partial \boldsymbol{\beta}} = \sum_i (e^{\eta_i} - c_i) \mathbf{u}_i$$"""
    ),
    "a residual by another name, solved later": (
        r"""$$RSS = r^T r = (t - A\beta)^T (t - A\beta)$$
✓ $$\frac{\partial RSS}{\partial \beta} = -2A^T t + 2A^T A\beta$$
✗ $$\frac{\partial RSS}{\partial \beta} = -2A^T t - 2A^T A\beta$$
$$\beta = (A^T A)^{-1} A^T t$$"""
    ),
    "braces around single letters": (
        r"""${ z }={ w }_{ 1 }{ x }_{ 1 }+{ w }_{ 2 }{ x }_{ 2 }+{ b }$, $p = \sigma({ z })$, $L = -y \log p - (1 - y) \log(1 - p)$
✓ $$\frac{dL}{{dw}_{1}} = (p - y) \cdot x_1$$
✗ $$\frac{dL}{{dw}_{1}} = (y - p) \cdot x_1$$"""
    ),
}  # fmt: skip


def marked(text: str) -> tuple[str, dict[int, str]]:
    """Return a text without marks, and the mark of each line that has one."""
    rows = text.split("\n")
    marks = {n: row[0] for n, row in enumerate(rows, 1) if row[:1] in ("✓", "✗")}
    return "\n".join(row.removeprefix("✓ ").removeprefix("✗ ") for row in rows), marks


@pytest.mark.slow
@pytest.mark.parametrize("kind", TEXTS)
def test_names_are_read_as_their_authors_mean_them(kind: str) -> None:
    text, marks = marked(TEXTS[kind])
    found = {line.line: line for line in audit(text).lines}
    verdicts = {number: found[number].verdict for number in marks}
    assert {n for n, mark in marks.items() if mark == "✓"} == {
        n for n, verdict in verdicts.items() if verdict == "proven"
    }
    assert all(found[number].accused for number, mark in marks.items() if mark == "✗")


DOUBTFUL = {
    "the index of a time beside a place": r"""$$h_t = \tanh(U x_t + W h_{t-1}), \quad o_t = V h_t, \quad L = \sum_t \|o_t - y_t\|^2$$
$$\frac{\partial L}{\partial V_{ij}} = \sum_t 2 (o_t - y_t)_i h_j$$""",
    "a transpose by a prime": r"""$y_i = x_i'\beta + u_i$, $S(\beta) = \sum_i (y_i - x_i'\beta)^2$
$$\frac{\partial S}{\partial \beta} = -2 \sum_i x_i (y_i - x_i'\beta)$$""",
    "an expectation and its estimate": r"""$\sigma^2 = E[x^2] - E[x]^2 = \frac{1}{n} \sum_i (x_i - \mu)^2$, $\mu = \frac1n \sum_i x_i$
$\frac{\partial \sigma^2}{\partial x_i} = \frac{2}{n} (x_i - \mu)$""",
    "a network of numbers": r"""z₁ = W₁·x + b₁
h₁ = tanh(z₁)
z₂ = W₂·h₁ + b₂
L = (z₂ - y)²
∂L/∂W₁ = 2(z₂ - y) · W₂ · (1 - h₁²) · x""",
    "places of a list of places": r"""$E = -\log \sigma(u_{j^*}) - \sum_{k=1}^K \log \sigma(-u_{j_k})$
$\sigma'(x) = \sigma(x)(1 - \sigma(x))$
$$\frac{\partial E}{\partial u_{j_k}} = 1 - \sigma(-u_{j_k}) = \sigma(u_{j_k})$$""",
}


@pytest.mark.parametrize("kind", DOUBTFUL)
def test_lines_that_may_be_right_are_not_accused(kind: str) -> None:
    lines = audit(DOUBTFUL[kind]).lines
    assert not any(line.accused for line in lines if "∂" in line.text or "partial" in line.text)
