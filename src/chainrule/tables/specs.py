"""Encodings of columns as plain data: fitted, stored in the model file, and applied.

A number becomes ``(value - mean) / scale``: its coefficient is the change per standard deviation,
and the penalty acts on that. A text column becomes one indicator for each category except the most
frequent one, the *base*: an odds ratio of a category compares it with the base.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

Missing = Literal["refuse", "drop", "mean", "indicator"]
MISSING_CHOICES: tuple[Missing, ...] = get_args(Missing)

Unknown = Literal["error", "base", "rare"]
UNKNOWN_CHOICES: tuple[Unknown, ...] = get_args(Unknown)

Groups = Literal["levels"]
"""The groups of features that there are: the levels of each categorical column."""

NO_VALUE = "(missing)"
"""The category of a missing string under ``indicator``."""

RARE = "(rare)"
"""The category of all strings that occur in too few training rows."""


@dataclass(frozen=True)
class NumberSpec:
    """The encoding of a numeric column.

    Parameters
    ----------
    name : str
        The column.
    mean, scale : float
        Mean and standard deviation over the training rows (over those that have a value).
    fills : bool
        Whether a missing value becomes the mean.
    indicator : bool
        Whether a second feature says that the value was missing.
    """

    name: str
    mean: float
    scale: float
    fills: bool = False
    indicator: bool = False


@dataclass(frozen=True)
class CategorySpec:
    """The encoding of a text column.

    Parameters
    ----------
    name : str
        The column.
    base : str
        The category without an indicator, which the others are compared with.
    others : tuple of str
        The categories with an indicator each.
    fill : str or None
        The category that a missing text becomes; None refuses it.
    from_numbers : bool
        Whether the file holds numbers, which are taken as words.
    rare : tuple of str
        The strings that the category `RARE` stands for.
    unknown : {"error", "base", "rare"}
        The treatment of a string that no training row has.
    """

    name: str
    base: str
    others: tuple[str, ...]
    fill: str | None = None
    from_numbers: bool = False
    rare: tuple[str, ...] = ()
    unknown: Unknown = "error"


Spec = NumberSpec | CategorySpec


@dataclass(frozen=True)
class Feature:
    """One column of the encoded matrix.

    Parameters
    ----------
    name : str
        What the tables print: ``age``, ``colour = red``, ``age is missing``.
    column : str
        The column it comes from.
    mean, scale : float
        EncodedRows = (raw - mean) / scale; 0 and 1 for an indicator.
    base : str or None
        For a category, what it is compared with.
    """

    name: str
    column: str
    mean: float = 0.0
    scale: float = 1.0
    base: str | None = None


def features(specs: tuple[Spec, ...]) -> tuple[Feature, ...]:
    """Return the columns of the encoded matrix, in order."""
    named: list[Feature] = []
    for spec in specs:
        if isinstance(spec, NumberSpec):
            named.append(Feature(spec.name, spec.name, spec.mean, spec.scale))
            if spec.indicator:
                named.append(Feature(f"{spec.name} is missing", spec.name, base="present"))
        else:
            named.extend(
                Feature(f"{spec.name} = {word}", spec.name, base=spec.base) for word in spec.others
            )
    return tuple(named)
