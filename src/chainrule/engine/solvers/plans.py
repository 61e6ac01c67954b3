"""Which method for which problem, and why: what each is expected to cost.

The choice counts in reads of X and in operations, at a fixed exchange rate, so that it depends on
the problem alone: the same data get the same method, and the same bits, on any machine. The seconds
that are announced follow from the machine's constants (`runtime.constants`).
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Final, Literal, Protocol

from chainrule.engine.runtime.constants import MachineConstants, machine_constants
from chainrule.engine.solvers.limits import (
    FRACTIONS,
    ROWS_LIMIT,
    ROWS_PER_PARAMETER,
    blocks_fit,
    n_drawn,
    sample_fraction,
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
"""Parameters from which one unknown per row is tried, where there are fewer rows."""

UNPENALISED_LIMIT: Final[int] = 2000
"""Parameters up to which a Hessian is formed; without a penalty, the proof needs it."""

OPERATIONS_PER_BYTE: Final[float] = 4.0
"""Operations of a product of matrices in the time of reading a byte, in round numbers."""

_NEWTON_STEPS: Final[float] = 6.0
_PATIENCE: Final[float] = 2.0
"""How many times the expected reads a method may take before another takes over."""

_WORTH: Final[float] = 0.85
"""What larger samples of dense rows may take at most, in the time of Hessians of all rows."""

_SCATTERED: Final[float] = 12.0
"""Operations of dense rows in the time of one of sparse rows: entry by entry, not in products."""

_WRITTEN_OUT: Final[float] = 2.0
"""How many times as long a read takes that writes codes out as sparse rows."""

_FACTORED: Final[float] = 3.0
"""Operations of a Hessian in the time of one of its factor."""

_CLEARED: Final[float] = 6.0
"""Scattered operations in the time that one entry of a block's own Hessian takes: it is cleared
first, and added to those of the other blocks in the end."""

_CONDENSED: Final[tuple[float, float, float]] = (30.0, 3.0, 90.0)
"""Reads of rewritten sparse rows: at least, more per entry of a row, and at most."""

_SHARED: Final[float] = 8.0
"""Entries of sparse X for each column that several rows share, about, where columns are many."""

_NUMBER: Final[float] = 4.0
"""Time of a number of a long vector in an iteration, in those of an entry of sparse X."""


@dataclass(frozen=True)
class Cost:
    """Expected cost of a method.

    Attributes
    ----------
    passes : float
        Reads of X, check and proof included.
    hessian, factor : float
        Operations of Hessians and of their factors, beside what a read does anyway.
    megabytes : float
        Memory beside X.
    numbers : float
        Those of a vector over the columns, as long as it is in a pass over sparse rows.
    """

    passes: float
    hessian: float
    factor: float
    megabytes: float
    numbers: float = 0.0

    def in_passes(self, source: Measured) -> float:
        """Return everything in reads of X, at the fixed exchange rate."""
        operations = self.hessian * (1.0 if source.is_dense else _SCATTERED)
        operations += _FACTORED * self.factor
        read = OPERATIONS_PER_BYTE * source.n_bytes * (_WRITTEN_OUT if source.is_coded else 1.0)
        return self.passes + operations / read

    def seconds(self, source: Measured, constants: MachineConstants) -> float:
        """Return the time that a machine takes."""
        c, compiled = constants, source.is_fused
        n_outputs = 1 if source.n_classes == 2 else source.n_classes
        if source.is_dense:
            entry = c.compiled_entry if compiled else c.entry
            operation = c.compiled_operation if compiled else c.operation
        else:
            entry = c.compiled_sparse_entry if compiled else c.sparse_entry
            entry *= _WRITTEN_OUT if source.is_coded else 1.0
            operation = c.scattered_operation
        one = c.call + c.block * source.n_blocks + source.n_entries * entry * n_outputs
        one += _NUMBER * self.numbers * entry
        one += source.n_samples * n_outputs * c.example * (0.25 if compiled else 1.0)
        return self.passes * one + self.hessian * operation + self.factor * c.factor

    def in_one_call(self, source: Measured, constants: MachineConstants) -> float:
        """Return the time of a small fit in one compiled call, on one thread."""
        c = constants
        one = source.n_entries * c.entry + source.n_samples * 0.25 * c.example
        # on one thread, but it forms half as many Hessians
        work = self.hessian * c.compiled_operation + self.factor * c.factor
        return c.small + self.passes * one + work


class Measured(Protocol):
    """The sizes of a source."""

    @property
    def n_samples(self) -> int: ...  # noqa: D102
    @property
    def n_classes(self) -> int: ...  # noqa: D102
    @property
    def n_entries(self) -> float: ...  # noqa: D102
    @property
    def n_bytes(self) -> float: ...  # noqa: D102
    @property
    def n_blocks(self) -> int: ...  # noqa: D102
    @property
    def is_dense(self) -> bool: ...  # noqa: D102
    @property
    def is_stored(self) -> bool: ...  # noqa: D102
    @property
    def is_coded(self) -> bool: ...  # noqa: D102
    @property
    def is_fused(self) -> bool: ...  # noqa: D102
    @property
    def has_codes(self) -> bool: ...  # noqa: D102


@dataclass(frozen=True)
class Alternative:
    """A method that the problem admits, and what it is expected to take."""

    method: str
    passes: float
    seconds: float


@dataclass(frozen=True)
class Plan:
    """A method, the reason for it in words, and what it is expected to take.

    Attributes
    ----------
    method, reason : str
    passes, seconds, megabytes : float
    alternatives : tuple of Alternative
        The methods that the problem admits, the chosen one among them.
    fallback : str
        The method that takes over where the chosen one takes far longer than expected, or nothing.
    patience : float
        The reads of X after which it does.
    """

    method: str
    reason: str
    passes: float
    seconds: float
    megabytes: float
    alternatives: tuple[Alternative, ...] = ()
    fallback: str = ""
    patience: float = math.inf

    def __str__(self) -> str:
        return f"{self.method}: {self.reason}"

    def after(self, seconds: float) -> Plan:
        """Return the plan with the time that has been spent before it was made."""
        shifted = tuple(replace(one, seconds=one.seconds + seconds) for one in self.alternatives)
        return replace(self, seconds=self.seconds + seconds, alternatives=shifted)

    def table(self) -> str:
        """Return the methods that the problem admits, one per line, the chosen one marked."""
        lines = [f"{'method':<18}{'reads of X':>10}{'seconds':>10}"]
        for one in sorted(self.alternatives, key=lambda other: other.seconds):
            mark = "  chosen" if one.method == self.method else ""
            lines.append(f"{one.method:<18}{one.passes:>10.0f}{one.seconds:>10.2g}{mark}")
        return "\n".join(lines)


def choose_plan(
    method: Method,
    source: Measured,
    n_parameters: int,
    *,
    penalised: bool,
    convex: bool = True,
    constants: MachineConstants | None = None,
    in_one_call: bool = False,
) -> Plan:
    """Return the method for a problem, with its reason.

    Parameters
    ----------
    method : Method
        What the user asked for. What a problem does not admit gives way: sampling, where rows are
        too few for it, to the full Hessian; one unknown per row, without a penalty or with more
        classes, to Hessian products.
    source : Measured
    n_parameters : int
    penalised : bool
    convex : bool
        Whether the loss is: of one that is not, a sample may lead to another local minimum.
    constants : MachineConstants, optional
        By default those of this machine.
    in_one_call : bool
        Whether Newton's method is one compiled call.
    """
    costs = expected_costs(source, n_parameters)
    known = machine_constants() if constants is None else constants
    plan = _chosen(method, source, n_parameters, penalised=penalised, convex=convex)
    if in_one_call and plan.method != "newton-cholesky":
        of_classes = f" of {source.n_classes} classes" if source.n_classes > 2 else ""
        why = f"{n_parameters} parameters{of_classes}: the Hessian is cheap"
        plan = _plan("newton-cholesky", why, source, costs)
    admitted = [
        name
        for name in costs
        if name == plan.method
        or _admits(name, source, n_parameters, penalised=penalised, convex=convex)
    ]
    seconds = {name: costs[name].seconds(source, known) for name in admitted}
    if in_one_call:
        seconds["newton-cholesky"] = costs["newton-cholesky"].in_one_call(source, known)
    plan = replace(
        plan,
        seconds=seconds[plan.method],
        alternatives=tuple(Alternative(m, costs[m].passes, seconds[m]) for m in admitted),
    )
    if method != "auto" or plan.method != "newton-cg" or "newton-cholesky" not in admitted:
        return plan
    # reads for as long as the other method takes: whatever the data, about twice the better at most
    forming = costs["newton-cholesky"].in_passes(source)
    patience = max(forming, _PATIENCE * plan.passes)
    return replace(plan, fallback="newton-cholesky", patience=patience)


def _admits(
    method: str, source: Measured, n_parameters: int, *, penalised: bool, convex: bool
) -> bool:
    """Tell whether a problem admits a method."""
    if method == "newton-cholesky":
        return n_parameters <= UNPENALISED_LIMIT
    if method == "newton-classes":
        return source.n_classes > 2 and source.is_dense and n_parameters <= UNPENALISED_LIMIT
    if method == "newton-blocks":
        return penalised and _has_blocks(source, n_parameters)
    if method == "newton-sampled":
        return convex and sampling_pays(source, n_parameters)
    if method == "newton-rows":
        return penalised and source.n_classes == 2 and source.n_samples <= ROWS_LIMIT
    return penalised or n_parameters > UNPENALISED_LIMIT


def _chosen(
    method: Method, source: Measured, n_parameters: int, *, penalised: bool, convex: bool
) -> Plan:
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
        why = "one unknown per row needs a penalty, two classes and few rows"
        return _plan("newton-cg", why, source, costs)
    if method != "auto":
        return _plan(method, "asked for", source, costs)
    if on_rows and source.is_dense and n_parameters > max(source.n_samples, ROWS_FROM):
        why = (
            f"{source.n_samples} rows for {n_parameters} parameters: one unknown per row is enough"
        )
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
    fraction = sample_fraction(source, n_parameters) if convex else 0
    is_enough = source.is_dense and fraction == FRACTIONS[-1]
    worth = _WORTH if source.is_dense else 1.0
    if fraction and (is_enough or costs["newton-sampled"].in_passes(source) < worth * forming):
        part = source.n_samples // fraction
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


def _has_blocks(source: Measured, n_parameters: int) -> bool:
    """Tell whether the parts of the Hessian that belong to one class each can be formed."""
    if source.n_classes == 2 or not (source.is_dense and source.is_fused and source.has_codes):
        return False
    return blocks_fit(source.n_classes, n_parameters // source.n_classes)


def hessian_operations(source: Measured, n_parameters: int) -> float:
    """Return the operations of a Hessian; of sparse rows, they are scattered over it.

    What sparse rows have no entry for costs nothing but its place, once per block of rows.
    """
    n_outputs = 1 if source.n_classes == 2 else source.n_classes
    of_pair = source.n_entries**2 / source.n_samples
    if not source.is_dense:
        of_pair += _CLEARED * source.n_blocks * (n_parameters / n_outputs) ** 2
    return of_pair * n_outputs * (n_outputs + 1) / 2


def expected_costs(source: Measured, n_parameters: int) -> Mapping[str, Cost]:
    """Return what each method would take, by counting what it does."""
    m, n_outputs = source.n_samples, 1 if source.n_classes == 2 else source.n_classes
    per_row = source.n_entries / m
    hessian = hessian_operations(source, n_parameters)
    factor = n_parameters**3 / 3
    part = 1 / (sample_fraction(source, n_parameters) or FRACTIONS[-1])
    is_enough = part * m >= ROWS_PER_PARAMETER * n_parameters
    of_class = n_parameters // n_outputs
    vectors = 5 * 8e-6 * m * n_outputs
    square = 4 * 8e-6 * n_parameters**2
    return {
        "newton-cholesky": Cost(
            8.0, _NEWTON_STEPS * hessian, _NEWTON_STEPS * factor, vectors + square
        ),
        "newton-classes": Cost(25.0, 2 * hessian, 2 * factor, vectors + 2 * square),
        "newton-sampled": Cost(
            # a column that is hardly ever non-zero is missing from the sample, and steps go wrong
            (10.0 if is_enough else 20.0) if source.is_dense else 27.0,
            _NEWTON_STEPS * part * hessian,
            _NEWTON_STEPS * factor,
            vectors + square + part * source.n_bytes * 1e-6,
        ),
        "newton-blocks": Cost(
            50.0,
            n_outputs * n_drawn(m, of_class) * per_row**2,
            2 * n_outputs * of_class**3,
            vectors + 8e-6 * n_outputs * of_class**2,
        ),
        "newton-rows": Cost(8.0, m**2 * per_row / 2, 2 * m**3, vectors + 4 * 8e-6 * m**2),
        "newton-cg": _of_products(source, n_parameters, per_row, vectors),
    }


def _of_products(source: Measured, n_parameters: int, per_row: float, vectors: float) -> Cost:
    """Return what conjugate gradients take: of sparse rows, on rewritten ones."""
    own = 8 * 8e-6 * n_parameters
    if source.is_dense or not source.is_fused:
        return Cost(90.0, 0.0, 0.0, vectors + own)
    least, more, most = _CONDENSED
    passes = min(least + more * per_row, most)
    numbers = min(float(n_parameters), source.n_entries / _SHARED)
    rewritten = 24e-6 * source.n_entries
    return Cost(passes, 0.0, 0.0, vectors + own + rewritten, numbers)


def _plan(method: str, reason: str, source: Measured, costs: Mapping[str, Cost]) -> Plan:
    cost = costs[method]
    return Plan(method, reason, cost.passes, 0.0, cost.megabytes)
