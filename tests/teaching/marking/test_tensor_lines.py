"""Audited lines about whole tensors: batched products and einsum."""

from __future__ import annotations

import pytest

from chainrule.teaching.grading.audit import audit

ATTENTION = """
Q : (b, h, t, d)
K : (b, h, s, d)
G : (b, h, t, s)
S = Q K^T / sqrt(d)
J = sum(G .* S)

dS = G
"""

LAYER = """
X : (b, t, d)
W : (d, e)
Y : (b, t, e)
Z = X W
J = 1/2 sum((Z - Y)^2)

dZ = Z - Y
"""


@pytest.mark.parametrize(
    ("text", "verdict"),
    [
        (f"{ATTENTION}dQ = dS K / sqrt(d)", "proven"),
        (f"{ATTENTION}dK = dS^T Q / sqrt(d)", "proven"),
        (f"{ATTENTION}dQ = dS K", "wrong"),
        (f'{LAYER}dW = einsum("btd,bte->de", X, dZ)', "proven"),
        (f"{LAYER}dX = dZ W^T", "proven"),
        (f"{LAYER}dX = dZ W", "shape"),
        (f"{LAYER}dW = X^T dZ", "shape"),
    ],
)
def test_a_line_about_a_whole_tensor_is_judged(text: str, verdict: str) -> None:
    assert [line.verdict for line in audit(text).lines] == ["proven", verdict]
