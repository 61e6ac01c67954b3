"""The step of a column in a sentence: one unit, a round number of units, or a level."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from typing import Final

from chainrule.tables.specs import Feature

_SMALL: Final = 0.01
_LARGE: Final = 3.0
_UNIT: Final = re.compile(r"^(?P<name>.+?)\s*[(\[](?P<unit>[^()\[\]]+)[)\]]$")


@dataclass(frozen=True)
class Step:
    """A change of one column, in words.

    Parameters
    ----------
    size : float
        In the units of the file.
    words : str
        ``each year of age``, ``race = asian (against white)``.
    """

    size: float
    words: str


def is_indicator(feature: Feature) -> bool:
    """Whether a column of numbers holds zeros and ones alone: its spread follows from its mean."""
    spread = feature.mean * (1 - feature.mean)
    return (
        feature.base is None and spread > 0 and math.isclose(feature.scale**2, spread, rel_tol=1e-9)
    )


def step_of(feature: Feature, coefficient: float) -> Step:
    """Return the step that makes a coefficient readable.

    Parameters
    ----------
    feature : Feature
    coefficient : float
        Per unit of the file.

    Examples
    --------
    >>> step_of(Feature("age (years)", "age (years)", 50.0, 12.0), 0.02)
    Step(size=1.0, words='each year of age')
    >>> step_of(Feature("income", "income", 3e4, 12000.0), 1e-5).words
    'each 10,000 units of income'
    >>> step_of(Feature("race = asian", "race", base="white"), -1.0).words
    'race = asian (against white)'
    """
    if feature.base is not None:
        against = "" if feature.name.endswith(" is missing") else f" (against {feature.base})"
        return Step(1.0, f"{feature.name}{against}")
    if is_indicator(feature):
        return Step(1.0, f"{feature.name} = 1 (against 0)")
    named = _UNIT.match(feature.name)
    name, unit = (named["name"], named["unit"]) if named else (feature.name, "units")
    size = 1.0
    if math.isfinite(coefficient) and not _SMALL <= abs(coefficient) <= _LARGE:
        size = 10.0 ** math.floor(math.log10(feature.scale))
    if size == 1.0:
        return Step(1.0, f"each {_singular(unit)} of {name}")
    return Step(size, f"each {size:,.15g} {unit} of {name}")


def _singular(unit: str) -> str:
    return unit[:-1] if unit.endswith("s") and not unit.endswith("ss") and len(unit) > 3 else unit
