"""Notation of lecture notes and books, judged by values: marked lines, right and wrong."""

from __future__ import annotations

import re

import pytest
from benchmarks.audit.transcripts import STYLES, figures, transcripts

from chainrule.teaching.grading.audit import audit

# ruff: noqa: E501

_MARK = re.compile(r"^([✓✗]) ?", re.MULTILINE)

TEXTS = {
    "an indicator for the class, and two formulas side by side": r"""
$$ q_k = \frac{e^{s_k}}{\sum_j e^{s_j}} \hspace{2em} L_i = -\log(q_{y_i}) $$
✓ $$\frac{\partial L_i}{\partial s_k} = q_k - \mathbb{1}(y_i = k)$$
✗ $$\frac{\partial L_i}{\partial s_k} = q_k + \mathbb{1}(y_i = k)$$
""",
    "entries of the identity": r"""
$$u_k = \frac{\exp(a_k)}{\sum_j \exp(a_j)}$$
✓ $$\frac{\partial u_k}{\partial a_j} = u_k (I_{kj} - u_j)$$
✗ $$\frac{\partial u_k}{\partial a_j} = u_k (I_{kj} + u_j)$$
""",
    "a matrix that is called symmetric": r"""
✓ $$\nabla_{\mathbf{x}} (\mathbf{x} - \mathbf{c})^T \mathbf{W} (\mathbf{x} - \mathbf{c}) = 2 \mathbf{W} (\mathbf{x} - \mathbf{c})$$
where $\mathbf{W}$ is symmetric.
""",
    "the transposed inverse": r"""
✓ $$\frac{\partial \mathbf{u}^T \mathbf{Z}^{-1} \mathbf{v}}{\partial \mathbf{Z}} = -\mathbf{Z}^{-T}\mathbf{u}\mathbf{v}^T\mathbf{Z}^{-T}$$
✗ $$\frac{\partial \mathbf{u}^T \mathbf{Z}^{-1} \mathbf{v}}{\partial \mathbf{Z}} = \mathbf{Z}^{-T}\mathbf{u}\mathbf{v}^T\mathbf{Z}^{-T}$$
""",
    "gradients written dX beside a scalar d": r"""
$U = \frac{A B^T}{\sqrt{d}}$, $H = UC$, with a scalar loss $L$.
✓ $dC = U^T dH$
✓ $dU = dH\, C^T$
✓ $dA = \frac{1}{\sqrt{d}} dU\, B$
✓ $dB = \frac{1}{\sqrt{d}} dU^T A$
""",
    "arguments that are squares": r"""
$$\ell(\mu, \sigma^2) = -\frac{n}{2}\log(\sigma^2) - \frac{1}{2\sigma^2} \sum_{i=1}^n (x_i - \mu)^2$$
✓ $$\frac{\partial \ell}{\partial \mu} = \frac{1}{\sigma^2} \sum_{i=1}^n (x_i - \mu)$$
✗ $$\frac{\partial \ell}{\partial \mu} = \frac{2}{\sigma^2} \sum_{i=1}^n (x_i - \mu)$$
""",
}


@pytest.mark.parametrize("kind", TEXTS)
def test_each_line_gets_what_it_deserves(kind: str) -> None:
    rows = TEXTS[kind].splitlines()
    found = audit(_MARK.sub("", TEXTS[kind])).lines
    for number, row in enumerate(rows, 1):
        verdicts = [line.verdict for line in found if line.line == number]
        if row.startswith("✓"):
            assert set(verdicts) <= {"proven", "follows"}, (row, verdicts)
            assert verdicts, row
        elif row.startswith("✗"):
            assert {"wrong", "shape", "scope"} & set(verdicts), (row, verdicts)


@pytest.mark.slow
def test_no_right_line_in_the_notation_of_well_known_notes_is_accused() -> None:
    texts = [one for one in transcripts(STYLES) if "```python" not in one.text][::10]
    counts = figures(texts)
    assert counts.transcripts >= 3
    assert counts.accused == [], counts
    assert counts.share_read >= 0.8, counts
