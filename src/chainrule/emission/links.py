"""Links: from the score to the mean, and back; one entry per link."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

from chainrule.calculus.graph.node import Expr
from chainrule.calculus.ops import exp, expm1, log, log1p, log_normal_cdf, sigmoid
from chainrule.emission.formula import SCORE, TARGET
from chainrule.errors import ModelError


@dataclass(frozen=True)
class Link:
    """One entry.

    Attributes
    ----------
    name : str
    mean : Expr
        The mean, in `SCORE`.
    score : Expr or None
        The score of a mean, in `TARGET`; None where there is none.
    """

    name: str
    mean: Expr
    score: Expr | None


_ROWS = (
    Link("identity", SCORE, TARGET),
    Link("log", exp(SCORE), log(TARGET)),
    Link("logit", sigmoid(SCORE), log(TARGET) - log1p(-TARGET)),
    Link("cloglog", -expm1(-exp(SCORE)), log(-log1p(-TARGET))),
    Link("probit", exp(log_normal_cdf(SCORE)), None),
)

LINKS: Final[Mapping[str, Link]] = MappingProxyType({row.name: row for row in _ROWS})
"""Every link by name."""


def find_link(name: str) -> Link:
    """Return a link by its name.

    Raises
    ------
    ModelError
        When there is none; the message lists the names.
    """
    if name not in LINKS:
        raise ModelError(f"unknown link {name}; known are {', '.join(LINKS)}")
    return LINKS[name]
