"""Thresholds of the probability of two classes: their errors, their cost, and the choice of one."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from chainrule.errors import DataError
from chainrule.tables.cells import is_number

Floats = NDArray[np.float64]

_TABLE: Final = (0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95)


@dataclass(frozen=True)
class Costs:
    """The cost of each kind of error.

    Attributes
    ----------
    false_positive, false_negative : float
    """

    false_positive: float = 1.0
    false_negative: float = 1.0

    def check(self) -> None:
        """Raise a `DataError` for a cost that is not positive and finite."""
        for option, cost in (
            ("--cost-fp", self.false_positive),
            ("--cost-fn", self.false_negative),
        ):
            if not 0 < cost < math.inf:
                raise DataError(f"{option} is the cost of an error, above 0, not {cost:g}.")


@dataclass(frozen=True)
class ThresholdRow:
    """A threshold, and what rows at or above it are: their probability counts as positive.

    Attributes
    ----------
    threshold : float
    true_positive, false_positive, false_negative, true_negative : float
        Weights of rows.
    cost : float
        Mean cost per row.
    is_chosen : bool
    """

    threshold: float
    true_positive: float
    false_positive: float
    false_negative: float
    true_negative: float
    cost: float
    is_chosen: bool = False

    @property
    def sensitivity(self) -> float:
        """The share of positives found (TPR, recall)."""
        return _ratio(self.true_positive, self.true_positive + self.false_negative)

    @property
    def specificity(self) -> float:
        """The share of negatives left alone (1 - FPR)."""
        return _ratio(self.true_negative, self.true_negative + self.false_positive)

    @property
    def precision(self) -> float:
        """The share of positives among rows at or above the threshold; NaN without any."""
        return _ratio(self.true_positive, self.true_positive + self.false_positive)

    @property
    def accuracy(self) -> float:
        """The share of right decisions."""
        right = self.true_positive + self.true_negative
        return _ratio(right, right + self.false_positive + self.false_negative)

    @property
    def youden(self) -> float:
        """Sensitivity + specificity - 1."""
        return self.sensitivity + self.specificity - 1


def check_threshold(choice: str) -> None:
    """Raise a `DataError` if this is not a way to choose a threshold."""
    if choice in ("best", "cost"):
        return
    if not is_number(choice) or not 0 < float(choice) < 1:
        raise DataError(
            f"--threshold is 'best', 'cost' or a probability between 0 and 1, not {choice!r}."
        )


def threshold_source(chosen_on: str, measured_on: str) -> str:
    """Return in words where a threshold comes from, and whether that flatters its measures.

    Parameters
    ----------
    chosen_on : str
        The rows it was chosen on; '' for a threshold that was given.
    measured_on : str
        The rows it was measured on.
    """
    if not chosen_on:
        return "given"
    if measured_on.endswith(chosen_on):
        return (
            f"chosen on {chosen_on} and measured on these same rows, which flatters its accuracy, "
            "sensitivity and specificity (--cv chooses it on other rows)"
        )
    return f"chosen on {chosen_on}"


def choose_threshold(
    choice: str, positive: NDArray[np.bool_], score: Floats, weights: Floats, costs: Costs
) -> float:
    """Return a threshold.

    Parameters
    ----------
    choice : str
        'best' (the largest sensitivity + specificity), 'cost' (the least cost), or a number.
    positive : ndarray of bool
    score, weights : ndarray
    costs : Costs

    Returns
    -------
    float
        Halfway between two neighbouring probabilities, so that new rows close to either fall on
        its side. On a tie, the one closest to 1/2.
    """
    if choice not in ("best", "cost"):
        return float(choice)
    known, hits, misses = _counts_down(positive, score, weights)
    if choice == "best":
        merit = hits / hits[-1] - misses / misses[-1]
    else:
        lost = hits[-1] - hits
        merit = -(costs.false_positive * misses + costs.false_negative * lost)
    cuts = np.concatenate([[1.0], (known[:-1] + known[1:]) / 2, [0.0]])
    cuts[0], cuts[-1] = (1 + known[0]) / 2, known[-1] / 2
    near = np.flatnonzero(merit >= merit.max() - 1e-12 * (np.abs(merit).max() + 1))
    return float(cuts[near[np.argmin(np.abs(cuts[near] - 0.5))]])


def threshold_rows(
    chosen: float | None,
    positive: NDArray[np.bool_],
    score: Floats,
    weights: Floats,
    costs: Costs,
) -> tuple[ThresholdRow, ...]:
    """Return a table of thresholds, the chosen one among them."""
    at = np.array(sorted({*_TABLE, *([] if chosen is None else [chosen])}))
    # One pass over the rows: each falls between two thresholds, and sums from above are the rest.
    between = np.searchsorted(at, score, side="right")
    totals = (
        np.bincount(between, weights * side, minlength=len(at) + 1)
        for side in (positive, ~positive)
    )
    hits, misses = (np.cumsum(total[::-1])[::-1] for total in totals)
    whole = float(weights.sum())
    rows = []
    for place, threshold in enumerate(at.tolist(), start=1):
        true, false = float(hits[place]), float(misses[place])
        lost, left = float(hits[0]) - true, float(misses[0]) - false
        cost = costs.false_positive * false + costs.false_negative * lost
        rows.append(
            ThresholdRow(threshold, true, false, lost, left, cost / whole, threshold == chosen)
        )
    return tuple(rows)


def _counts_down(
    positive: NDArray[np.bool_], score: Floats, weights: Floats
) -> tuple[Floats, Floats, Floats]:
    """Return the distinct scores, falling, and positives and negatives at or above each cut."""
    known, codes = np.unique(-score, return_inverse=True)
    hits = np.cumsum(np.bincount(codes, weights * positive, minlength=len(known)))
    misses = np.cumsum(np.bincount(codes, weights * ~positive, minlength=len(known)))
    return -known, np.append(0.0, hits), np.append(0.0, misses)


def _ratio(part: float, whole: float) -> float:
    return part / whole if whole else math.nan
