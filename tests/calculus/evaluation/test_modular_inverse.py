"""Inverses of residues: of few by Euclid, of many by Fermat, each against Python's integers."""

from __future__ import annotations

import numpy as np
import pytest

from chainrule.calculus.evaluation.modular import FEW, MODULAR, PRIME, random_residues


@pytest.mark.parametrize("shape", [(1, 1), (2, 3, 4), (8, 8), (1, FEW + 1), (20, 30)])
def test_a_quotient_times_its_divisor_is_the_dividend(shape: tuple[int, ...]) -> None:
    below = random_residues(np.random.default_rng(len(shape)), shape)
    quotient = (1 / below).words.ravel().tolist()
    products = [int(q) * int(d) % PRIME for q, d in zip(quotient, below.words.flat, strict=True)]
    assert products == [1] * len(products)
    assert (1 / below).words.shape == shape


@pytest.mark.parametrize("size", [1, FEW, FEW + 1])
def test_zero_has_no_inverse(size: int) -> None:
    with pytest.raises(ZeroDivisionError):
        1 / MODULAR.full((1, size), 0)
