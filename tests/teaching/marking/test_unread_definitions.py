r"""Definitions that cannot be read: their lines alone are not judged, and accuse no other line.

The marks before the lines: ✓ is judged right, ✗ is called wrong, ? is judged neither way.
"""

from __future__ import annotations

import re

import pytest

from chainrule.teaching.grading.audit import audit

_MARK = re.compile(r"^([✓✗?]) ?", re.MULTILINE)
_RIGHT = {"proven", "follows"}

TEXTS: list[tuple[str, str]] = [
    (
        "a mean that is given by its logarithm, below its use",
        r"""
$$\ell = \sum_{i} [ c_i \ln \mu_i - \mu_i ]$$
where $$\ln \mu_i = x_i^T \beta$$
✓ $$\frac{\partial \ell}{\partial \beta} = \sum_{i} (c_i - \mu_i) x_i$$
✗ $$\frac{\partial \ell}{\partial \beta} = \sum_{i} (c_i + \mu_i) x_i$$
""",
    ),
    (
        "a probability that is given by its log-odds",
        r"""
$$\ell = \sum_{i} [ y_i \ln p_i + (1 - y_i) \ln (1 - p_i) ]$$
$$\log \frac{p_i}{1 - p_i} = w^T x_i$$
✓ $$\frac{\partial \ell}{\partial w} = \sum_{i} (y_i - p_i) x_i$$
✗ $$\frac{\partial \ell}{\partial w} = \sum_{i} (p_i - y_i) x_i$$
""",
    ),
    (
        "a link that is never named",
        r"""
$$\ell = \sum_{i} [ y_i \ln p_i + (1 - y_i) \ln (1 - p_i) ]$$
$$G(p_i) = w^T x_i$$
? $$\frac{\partial \ell}{\partial w} = \sum_{i} (y_i - p_i) x_i$$
✓ $$\frac{\partial \ell}{\partial p_i} = \frac{y_i}{p_i} - \frac{1 - y_i}{1 - p_i}$$
""",
    ),
    (
        "shapes that do not meet in the equation of a rate",
        r"""
$$\ln L=\sum_{i=1}^{n}\left[-\rho_{i}+y_{i}x_{i}^{T}\beta\right]$$
$$\ln\rho_{i}=x_{i}\beta$$
? $$\frac{\partial\ln L}{\partial\beta}=\sum_{i=1}^{n}\left(y_{i}-\rho_{i}\right)x_{i}$$
""",
    ),
    (
        "a definition that others use",
        r"""
$z = w^T x + b$
$q = \text{clamp}_{0}^{1}(z, 3)$
$L = (q - y)^2$
✓ $\frac{\partial L}{\partial q} = 2 (q - y)$
? $\frac{\partial L}{\partial w} = 2 (q - y) x$
✓ $\frac{\partial z}{\partial w} = x$
✗ $\frac{\partial z}{\partial w} = -x$
""",
    ),
]


@pytest.mark.parametrize(("name", "marked"), TEXTS, ids=[name for name, _ in TEXTS])
def test_a_definition_that_is_not_read_ends_no_text(name: str, marked: str) -> None:
    found = {line.line: line for line in audit(_MARK.sub("", marked)).lines}
    for number, row in enumerate(marked.splitlines(), 1):
        line = found.get(number)
        if row.startswith("✓"):
            assert line is not None
            assert line.verdict in _RIGHT, (name, line)
        elif row.startswith("✗"):
            assert line is not None
            assert line.accused, (name, line)
        else:
            assert line is None or not line.accused, (name, line)
            assert line is None or not row.startswith("?") or line.verdict not in _RIGHT, line
