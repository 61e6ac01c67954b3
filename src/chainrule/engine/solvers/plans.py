"""Which method for which problem, and why: what each is expected to cost.

The choice counts in reads of X and in operations, at a fixed exchange rate, so that it depends on
the problem alone: the same data get the same method, and the same bits, on a busy machine too. The
seconds that are announced follow from one measurement: the time of the first read of X, which
every source makes to check its numbers.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Literal

from chainrule.engine.data.sources import InMemorySource
from chainrule.engine.solvers.limits import (
    FRACTIONS,
    ROWS_LIMIT,
    blocks_fit,
    n_drawn,
    sampling_pays,
)

Method = Literal[
    "auto",
    "newton-cholesky",
    "newton-classes",
    "newton-blocks",
    "newton-sampled",
    "newton-rows",
    "newton-cg",
]

ROWS_FROM: Final[int] = 300
"""Parameters from which one unknown a row is tried, where there are fewer rows."""

UNPENALISED_LIMIT: Final[int] = 2000
"""Parameters up to which a Hessian is formed; without a penalty, the proof needs it."""

OPERATIONS_PER_BYTE: Final[float] = 4.0
"""Operations of a product of matrices in the time of reading a byte, in round numbers."""

_NEWTON_STEPS: Final[float] = 7.0
_SCATTERED: Final[float] = 24.0


@dataclass(frozen=True)
class Cost:
    """What a method is expected to take.

    Attributes
    ----------
    passes : float
        Reads of X, check and proof included.
    operations : float
        Of Hessians and their factors, beside what a read does anyway.
    megabytes : float
        Memory beside X.
    """

    passes: float
    operations: float
    megabytes: float

    def in_passes(self, source: InMemorySource) -> float:
        """Return everything in reads of X, at the fixed exchange rate."""
        return self.passes + self.operations / (OPERATIONS_PER_BYTE * source.n_bytes)


@dataclass(frozen=True)
class Plan:
    """A method, the reason for it in words, and what it is expected to take."""

    method: str
    reason: str
    passes: float
    seconds: float
    megabytes: float

    def __str__(self) -> str:
        return f"{self.method}: {self.reason}"


def choose_plan(
    method: Method,
    source: InMemorySource,
    n_parameters: int,
    *,
    penalised: bool,
    convex: bool = True,
) -> Plan:
    """Return the method for a problem, with its reason.

    Parameters
    ----------
    method : Method
        What the user asked for. What a problem does not admit gives way: sampling, where rows are
        too few for it, to the full Hessian; one unknown a row, without a penalty or with more
        classes, to Hessian products.
    source : InMemorySource
    n_parameters : int
    penalised : bool
    convex : bool
        Whether the loss is: of one that is not, a sample may lead to another local minimum.
    """
    costs = expected_costs(source, n_parameters)
    from_samples = convex and sampling_pays(source, n_parameters)
    on_rows = penalised and source.n_classes == 2 and source.n_samples <= ROWS_LIMIT
    if method == "newton-sampled" and not from_samples:
        return _plan(
            "newton-cholesky",
            "there are too few rows to sample from, or the loss is not convex",
            source,
            costs,
        )
    if method == "newton-classes" and (source.n_classes == 2 or not source.is_dense):
        why = "few Hessians are for dense data of more than two classes"
        return _plan("newton-cholesky", why, source, costs)
    in_blocks = _has_blocks(source, n_parameters)
    if method == "newton-blocks" and not in_blocks:
        why = "blocks are for dense data of more than two classes, with compiled passes"
        return _plan("newton-cg", why, source, costs)
    if method == "newton-rows" and not on_rows:
        why = "one unknown a row needs a penalty, two classes and few rows"
        return _plan("newton-cg", why, source, costs)
    if method != "auto":
        return _plan(method, "asked for", source, costs)
    if on_rows and source.is_dense and n_parameters > max(source.n_samples, ROWS_FROM):
        why = f"{source.n_samples} rows for {n_parameters} parameters: one unknown a row is enough"
        return _plan("newton-rows", why, source, costs)
    blocks, few = (costs[m].in_passes(source) for m in ("newton-blocks", "newton-classes"))
    if in_blocks and penalised and not from_samples and blocks < few:
        why = (
            f"{n_parameters} parameters of {source.n_classes} classes: products with the Hessian, "
            "which converge fast when each class's own part of it is inverted"
        )
        return _plan("newton-blocks", why, source, costs)
    if n_parameters > UNPENALISED_LIMIT:
        why = f"{n_parameters} parameters: the Hessian is too large to form"
        return _plan("newton-cg", why, source, costs)
    forming, products = (costs[m].in_passes(source) for m in ("newton-cholesky", "newton-cg"))
    if from_samples and (source.is_dense or costs["newton-sampled"].in_passes(source) < forming):
        part = source.n_samples // FRACTIONS[-1]
        return _plan(
            "newton-sampled",
            f"{source.n_samples} rows for {n_parameters} parameters: {part} rows drawn at random "
            "know the curvature well enough, and all rows are read for gradients only",
            source,
            costs,
        )
    if source.n_classes > 2 and source.is_dense:
        why = (
            f"{n_parameters} parameters of {source.n_classes} classes: gradients lead near the "
            "optimum, and one Hessian, or a few, from there"
        )
        return _plan("newton-classes", why, source, costs)
    if penalised and products < forming:
        why = (
            f"{n_parameters} parameters: forming Hessians would take as long as {forming:.0f} "
            f"reads of X, products with them {products:.0f}"
        )
        return _plan("newton-cg", why, source, costs)
    why = f"{n_parameters} parameters: the Hessian is small enough to form"
    return _plan("newton-cholesky", why, source, costs)


def _has_blocks(source: InMemorySource, n_parameters: int) -> bool:
    """Tell whether the parts of the Hessian that belong to one class each can be formed."""
    if source.n_classes == 2 or not (source.is_dense and source.is_fused and source.has_codes):
        return False
    return blocks_fit(source.n_classes, n_parameters // source.n_classes)


def expected_costs(source: InMemorySource, n_parameters: int) -> Mapping[str, Cost]:
    """Return what each method would take, by counting what it does."""
    m, n_outputs = source.n_samples, 1 if source.n_classes == 2 else source.n_classes
    per_row = source.n_entries / m
    hessian = m * per_row**2 * n_outputs * (n_outputs + 1) / 2
    if not source.is_dense:  # entry by entry, all over the Hessian, not in products of matrices
        hessian *= _SCATTERED
    factor = n_parameters**3 / 3
    part = 1 / FRACTIONS[-1]
    of_class = n_parameters // n_outputs
    vectors = 5 * 8e-6 * m * n_outputs
    square = 4 * 8e-6 * n_parameters**2
    return {
        "newton-cholesky": Cost(9.0, _NEWTON_STEPS * (hessian + factor), vectors + square),
        "newton-classes": Cost(25.0, 2 * (hessian + factor), vectors + 2 * square),
        "newton-sampled": Cost(
            # a column that is hardly ever non-zero is missing from the sample, and steps go wrong
            10.0 if source.is_dense else 25.0,
            _NEWTON_STEPS * (part * hessian + factor),
            vectors + square + part * source.n_bytes * 1e-6,
        ),
        "newton-blocks": Cost(
            50.0,
            2 * n_outputs * (n_drawn(m, of_class) * per_row**2 / 2 + of_class**3),
            vectors + 8e-6 * n_outputs * of_class**2,
        ),
        "newton-rows": Cost(8.0, m**2 * per_row + 6 * m**3, vectors + 4 * 8e-6 * m**2),
        "newton-cg": Cost(90.0, 0.0, vectors + 8 * 8e-6 * n_parameters),
    }


def _plan(method: str, reason: str, source: InMemorySource, costs: Mapping[str, Cost]) -> Plan:
    cost = costs[method]
    seconds = cost.in_passes(source) * source.read_seconds
    return Plan(method, reason, cost.passes, seconds, cost.megabytes)
