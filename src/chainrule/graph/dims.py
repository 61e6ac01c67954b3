"""Dimensions have names, so that a transposed X is an error even when it happens to be square."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TypeAlias

Dim: TypeAlias = int | str
"""A size: a name such as ``"n"``, or a number when the model fixes it."""

Shape: TypeAlias = tuple[Dim, Dim]
"""Rows and columns. Everything on the board is a matrix; a scalar is (1, 1)."""

SCALAR: Shape = (1, 1)

LITERAL = 12
"""Sizes up to this number mean themselves in a proof; larger ones are tried at smaller sizes."""


def written(shape: Iterable[Dim]) -> str:
    """Write a shape as the lecture does.

    >>> written((1, "n"))
    '(1, n)'
    """
    return f"({', '.join(str(dim) for dim in shape)})"


@dataclass(frozen=True)
class Index:
    """A running index: ``i`` from 1 to ``m``."""

    name: str
    dim: Dim

    def __str__(self) -> str:
        return self.name
