"""Meaning of a coefficient, by the link of the loss: the words of tables and reports."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final


@dataclass(frozen=True)
class Effect:
    """The meaning of the coefficients of one link.

    Parameters
    ----------
    ratio : str
        Name of exp(coefficient); empty where it has no meaning.
    changes : str
        The quantity that a coefficient changes.
    sentence : str
        How to read a coefficient.
    """

    ratio: str
    changes: str
    sentence: str


EFFECTS: Final[Mapping[str, Effect]] = MappingProxyType(
    {
        "identity": Effect(
            "",
            "prediction",
            "The prediction changes by the coefficient for each step, in the units of the target.",
        ),
        "log": Effect(
            "rate ratio",
            "mean",
            "The mean is multiplied by the rate ratio, exp(coefficient), for each step.",
        ),
        "logit": Effect(
            "odds ratio",
            "odds",
            "The odds are multiplied by the odds ratio, exp(coefficient), for each step.",
        ),
        "probit": Effect(
            "",
            "normal quantile of the mean",
            "The normal quantile of the mean changes by the coefficient for each step.",
        ),
        "cloglog": Effect(
            "hazard ratio",
            "hazard",
            "The hazard, -log(1 - mean), is multiplied by the hazard ratio, exp(coefficient), for "
            "each step.",
        ),
    }
)
"""The effect of each link."""
