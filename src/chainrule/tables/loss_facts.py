"""The facts of a loss as sentences with their proofs, for tables, pages and lectures."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final

from chainrule.engine.losses.facts import Facts, LossRow


@dataclass(frozen=True)
class FactLine:
    """One fact of a loss.

    Parameters
    ----------
    name : str
        As in the table: "convexity".
    says : str
        The fact, or that it is not proven and what then is not offered.
    because : str
        The proof; empty where there is none.
    proven : bool
    """

    name: str
    says: str
    because: str
    proven: bool


NO_MINIMUM: Final = "targets without a minimum"


def fact_lines(row: LossRow) -> tuple[FactLine, ...]:
    """Return the facts of a loss in the order in which a proof uses them."""
    facts = row.facts
    proofs = proofs_of(facts)
    return (
        _line("convexity", _convexity(facts), facts.convex, proofs, "convex"),
        _line("curvature", _curvature(facts), _is_bounded(facts), proofs, "curvature"),
        _line(
            "self-concordance",
            _self_concordance(facts),
            facts.self_concordance is not None,
            proofs,
            "self_concordance",
        ),
        _line("least value", _least(facts), facts.has_least, proofs, "least"),
        _line(
            NO_MINIMUM if facts.has_targets_without_minimum else "existence of an optimum",
            _existence(facts),
            not facts.optimum_may_be_missing or facts.has_targets_without_minimum,
            proofs,
            "no minimum" if facts.has_targets_without_minimum else "optimum",
        ),
    )


def proofs_of(facts: Facts) -> dict[str, str]:
    """Return the proof of each fact by its name; a fact of two sides has both."""
    proofs: dict[str, str] = {}
    for name, sentence in facts.because:
        proofs[name] = f"{proofs[name]} {sentence}" if name in proofs else sentence
    return proofs


def _line(name: str, says: str, proven: bool, proofs: dict[str, str], key: str) -> FactLine:
    return FactLine(name, says, proofs.get(key, "") if proven else "", proven)


def _convexity(facts: Facts) -> str:
    if facts.convex:
        return "The loss is convex in the score: a local minimum is the global one."
    return "Not proven to be convex: nothing is proven about a global optimum."


def _is_bounded(facts: Facts) -> bool:
    low, high = facts.curvature
    return math.isfinite(low) and (math.isfinite(high) or low > 0)


def _curvature(facts: Facts) -> str:
    low, high = facts.curvature
    if math.isfinite(low) and math.isfinite(high):
        if low == high:
            return f"The second derivative is {low:g} everywhere."
        return f"The second derivative lies between {low:g} and {high:g}."
    if math.isfinite(high):
        return f"The second derivative is at most {high:g}."
    if math.isfinite(low) and low > 0:
        return f"The second derivative is at least {low:g}."
    return "No bound of the second derivative is proven for all scores."


def _self_concordance(facts: Facts) -> str:
    constant = facts.self_concordance
    if constant is None:
        return (
            "No constant M with |l'''| <= M l'' is proven: the certificate encloses the curvature "
            "by interval arithmetic."
        )
    return f"|l'''| <= M l'' with M = {constant:g}: the curvature changes at a bounded rate."


def _least(facts: Facts) -> str:
    if facts.has_least:
        return "The loss is bounded below, target by target; the deviance counts from this bound."
    return "No lower bound is proven: no deviance, and no bound relative to it."


def _existence(facts: Facts) -> str:
    if facts.has_targets_without_minimum:
        ends = [f"y = {y:g}, as the score decreases" for y in facts.falls_down]
        ends += [f"y = {y:g}, as the score increases" for y in facts.falls_up]
        return (
            f"The loss falls without end at {', and at '.join(ends)}: without a penalty, a finite "
            "optimum may be missing, and the fit names the columns."
        )
    if facts.optimum_may_be_missing:
        return "Not proven for every target: without a penalty, a finite optimum may be missing."
    return "The loss grows on both sides of its minimum, for every target."
