"""Which mistake gives exactly this answer: slips and pairs of slips, compared at several sizes.

Where several explain the answer, all are named; where none does, nothing is said.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from itertools import combinations
from time import monotonic

import numpy as np

from chainrule.errors import ChainruleError
from chainrule.graph.model import Model
from chainrule.graph.node import Expr, Symbol
from chainrule.marking.bench import Array, Bench, ratios, same
from chainrule.marking.slips import Slip, slips_between, with_slips

Values = tuple[Array, ...]

MOST_TIED = 3
PAIR_SECONDS = 0.5
"""How long pairs of mistakes are tried; what is not reached is not named."""


@dataclass(frozen=True)
class Mistake:
    """A mistake that explains an answer.

    Parameters
    ----------
    name : str
        What it is called.
    step : str
        Where it happened.
    message : str
        What is wrong, in a sentence.
    """

    name: str
    step: str
    message: str


@dataclass(frozen=True)
class Diagnosis:
    """What explains a wrong answer.

    Parameters
    ----------
    explanations : tuple of tuple of Mistake
        Each explains the answer by itself; a pair is two mistakes made together.
    """

    explanations: tuple[tuple[Mistake, ...], ...] = ()

    @property
    def mistakes(self) -> tuple[Mistake, ...]:
        """Every mistake of every explanation, once."""
        return tuple(dict.fromkeys(m for found in self.explanations for m in found))

    def __str__(self) -> str:
        said = [
            " and ".join(f"{mistake.name} ({mistake.step})" for mistake in found)
            for found in self.explanations
        ]
        return "; or ".join(said)


class Clinic:
    """Finds mistakes in what somebody claims a derivative to be.

    Parameters
    ----------
    model : Model
        The forward pass.
    of, wrt : Symbol
        Of what, by what.
    finished : Expr or None
        The right line in short form, if there is one.
    """

    def __init__(self, model: Model, of: Symbol, wrt: Symbol, finished: Expr | None) -> None:
        self.model, self.of, self.wrt, self.finished = model, of, wrt, finished
        self.bench = Bench(model)

    @cached_property
    def truth(self) -> Values | None:
        """The right values."""
        return self.bench.matrices(with_slips(self.model, self.of, self.wrt, (), self.finished))

    @cached_property
    def singles(self) -> list[tuple[Slip, Values]]:
        """Every slip that changes the answer, with its values."""
        found = []
        for slip in slips_between(self.model, self.of, self.wrt, self.finished):
            values = self._values((slip,))
            if values is not None and self.truth is not None and not same(values, self.truth):
                found.append((slip, values))
        return found

    def diagnose(self, answer: Values) -> Diagnosis:
        """Explain an answer, as simply as possible."""
        if self.truth is None:
            return Diagnosis()
        for stage in (self._alone, self._scaled_truth, self._unsummed, self._scaled, self._pairs):
            found = self._distinct(stage(answer))
            if found:
                return Diagnosis(tuple(found))
        return Diagnosis()

    # ---- stages, the simplest first ----------------------------------------------------------

    def _alone(self, answer: Values) -> Iterator[tuple[Mistake, ...]]:
        for slip, values in self.singles:
            if same(answer, values):
                yield (_named(slip),)

    def _scaled_truth(self, answer: Values) -> Iterator[tuple[Mistake, ...]]:
        assert self.truth is not None
        factor = self._factor(answer, self.truth)
        if factor is not None:
            yield (factor,)
        turned = tuple(value.T for value in self.truth)
        if any(value.shape[0] != value.shape[1] for value in turned):
            factor = self._factor(answer, turned)
            if factor is not None:
                yield (_TRANSPOSED, factor)

    def _unsummed(self, answer: Values) -> Iterator[tuple[Mistake, ...]]:
        """Sum over the axes along which the answer is longer."""
        candidates = [((), self.truth), *(((_named(s),), v) for s, v in self.singles)]
        for made, values in candidates:
            assert values is not None
            for axis, take, mistake in _REDUCED:
                reduced = tuple(
                    take(a, axis) if a.shape[axis] != v.shape[axis] else a
                    for a, v in zip(answer, values, strict=True)
                )
                shapes = [(r.shape, a.shape) for r, a in zip(reduced, answer, strict=True)]
                if all(r != a for r, a in shapes) and same(reduced, values):
                    yield (mistake, *made)
                    return

    def _scaled(self, answer: Values) -> Iterator[tuple[Mistake, ...]]:
        for slip, values in self.singles:
            factor = self._factor(answer, values)
            if factor is not None:
                yield (_named(slip), factor)
            turned = tuple(value.T for value in values)
            if same(answer, turned) and not same(answer, values):
                yield (_named(slip), _TRANSPOSED)

    def _pairs(self, answer: Values) -> Iterator[tuple[Mistake, ...]]:
        shapes = [a.shape for a in answer]
        begun = monotonic()
        sweeps = [slip for slip, _ in self.singles if slip.in_sweep]
        others = [slip for slip, _ in self.singles if not slip.in_sweep]
        for one, two in (
            *combinations(sweeps, 2),
            *((s, o) for s in sweeps for o in others),
            *combinations(others, 2),
        ):
            if monotonic() - begun > PAIR_SECONDS:
                return
            if set(one.rules) & set(two.rules):
                continue
            values = self._values((one, two))
            if values is None or [v.shape for v in values] != shapes:
                continue
            if same(answer, values):
                yield (_named(one), _named(two))

    # ---- parts -------------------------------------------------------------------------------

    def _values(self, slips: tuple[Slip, ...]) -> Values | None:
        try:
            expr = with_slips(self.model, self.of, self.wrt, slips, self.finished)
        except ChainruleError:
            return None
        return self.bench.matrices(expr)

    def _factor(self, answer: Values, values: Values) -> Mistake | None:
        """Name the one number that the answer is off by."""
        found = ratios(answer, values)
        if found is None:
            return None
        for name, number in self._numbers():
            if all(
                abs(ratio - number(sizes)) <= 1e-8 * abs(ratio)
                for ratio, sizes in zip(found, self.bench.sizes, strict=True)
            ):
                return _off_by(name)
        return None

    def _numbers(self) -> Iterator[tuple[str, Callable[[Mapping[str, int]], float]]]:
        for text, number in _CONSTANTS:
            yield text, _constant(number)
        dims = {dim for symbol in self.model.symbols for dim in symbol.shape}
        for dim in sorted(str(d) for d in dims if isinstance(d, str)):
            yield f"1/{dim}", _sized(dim, 1, -1)
            yield f"{dim}", _sized(dim, 1, 1)
            yield f"-1/{dim}", _sized(dim, -1, -1)
            yield f"-{dim}", _sized(dim, -1, 1)
            yield f"2/{dim}", _sized(dim, 2, -1)
            yield f"1/(2 {dim})", _sized(dim, 0.5, -1)
            yield f"{dim}^2", _sized(dim, 1, 2)

    def _distinct(self, found: Iterator[tuple[Mistake, ...]]) -> list[tuple[Mistake, ...]]:
        """Keep a few explanations that differ in name."""
        kept: dict[tuple[str, ...], tuple[Mistake, ...]] = {}
        for explanation in found:
            key = tuple(sorted(mistake.name for mistake in explanation))
            kept.setdefault(key, explanation)
            if len(kept) == MOST_TIED:
                break
        return list(kept.values())


_CONSTANTS = (("-1", -1.0), ("2", 2.0), ("1/2", 0.5), ("-2", -2.0), ("-1/2", -0.5), ("4", 4.0))
_TRANSPOSED = Mistake(
    "operands swapped, answer transposed", "the last line", "the answer stands transposed"
)
_REDUCED: tuple[tuple[int, Callable[[Array, int], Array], Mistake], ...] = tuple(
    (
        axis,
        lambda a, axis: np.sum(a, axis=axis, keepdims=True),
        Mistake(
            "sum over examples missing" if axis == 1 else "a sum is missing",
            "the last line",
            "the answer still has an entry for every one of what must be added up: "
            "a value that is used many times gets the sum of the gradients of its uses",
        ),
    )
    for axis in (1, 0)
)


def _constant(number: float) -> Callable[[Mapping[str, int]], float]:
    return lambda sizes: number


def _sized(dim: str, times: float, exponent: int) -> Callable[[Mapping[str, int]], float]:
    return lambda sizes: times * float(sizes[dim]) ** exponent


def _named(slip: Slip) -> Mistake:
    return Mistake(slip.name, slip.step, slip.message)


def _off_by(factor: str) -> Mistake:
    if factor == "-1":
        return Mistake("sign", "the last line", "the sign of the whole is turned")
    return Mistake(
        f"a constant factor: {factor}",
        "the last line",
        f"the answer is {factor} times the right one at every size that was tried",
    )
