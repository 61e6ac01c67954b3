"""Which entries, rows or columns a factor says that it depends on."""

from __future__ import annotations

import pytest

from chainrule import plain
from chainrule.calculus.derivation.derive import derivation_of
from chainrule.language.reading import read_model

NETWORK = """
X : (n, m)
Y : (k, m)
W : (h, n)
U : (k, h)
s : (1, m)
Z = W X
A = tanh(Z) ./ s
O = U A
J = ||O - Y||^2
wrt: W, s
"""


@pytest.mark.parametrize(
    ("factor", "said"),
    [
        ("dO_ci/dA_li", "column i depends on column i alone"),
        ("dS_li/dZ_li", "entry li depends on entry li alone"),
        ("dZ_li/dW_lp", "row l depends on row l alone"),
        ("dA_ji/ds_i", "column i depends on entry i alone"),
    ],
)
def test_a_factor_says_what_it_depends_on(factor: str, said: str) -> None:
    steps = {plain(step.left): step.why for step in derivation_of(read_model(NETWORK))}
    assert said in steps[factor], (sorted(steps), steps.get(factor))
