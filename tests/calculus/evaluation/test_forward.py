"""Sizes and points at which a forward pass has a value."""

from __future__ import annotations

import numpy as np
import pytest

from chainrule import read_model
from chainrule.calculus.evaluation.forward import assignments, sample
from chainrule.errors import ModelError


@pytest.mark.parametrize(
    "text",
    [
        "W : (d, k)\nA : (d, d)\nB : (d, d)\nJ = tr((W^T A W)^-1 W^T B W)",
        "X : (p, m)\ny : (p, 1)\nJ = y^T X (X^T X)^-1 X^T y",
        "X : (a, z)\nJ = logdet(X^T X)",
    ],
)
def test_a_product_that_is_inverted_gets_sizes_at_which_it_can_be(text: str) -> None:
    model = read_model(text)
    for sizes in assignments(model, 3):
        assert len(set(sizes.values())) == len(sizes)
        point = sample(model, sizes, np.random.default_rng(1))
        assert np.isfinite(point[model.objective]).all()


def test_a_matrix_that_never_has_an_inverse_is_said() -> None:
    model = read_model("W : (2, 5)\nJ = sum((W^T W)^-1)")
    with pytest.raises(ModelError, match="inverts a matrix that has no inverse, whatever the"):
        assignments(model, 2)
