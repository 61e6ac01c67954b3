"""Which mistake gives exactly this answer: slips and pairs of slips, compared at several sizes.

Where several explain the answer, all are named; where none does, nothing is said.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from itertools import chain, combinations, product
from math import prod
from time import process_time

import numpy as np

from chainrule.errors import ChainruleError
from chainrule.graph.model import Model
from chainrule.graph.node import Expr, Symbol
from chainrule.marking.bench import Array, Bench, alike, ratio, ratios, same
from chainrule.marking.slips import Slip, slips_between, with_slips

Values = tuple[Array, ...]

MOST_TIED = 3
SINGLE_SECONDS = 0.5
OF_ONE_PATH = frozenset({"sign of one path", "a factor too many on one path"})
"""Mistakes that can be made only where there are several paths."""

PAIR_SECONDS = 0.3
"""How long mistakes and pairs of them are tried; what is not reached is not named."""

MOST_KEPT = 5000
LOOSE = 1e-7


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


@dataclass(frozen=True)
class Looked:
    """What some slips come to at the first point."""

    slips: tuple[Slip, ...]
    value: Array

    @property
    def mistakes(self) -> tuple[Mistake, ...]:
        """The slips, as they are told."""
        return tuple(_named(slip) for slip in self.slips)


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
        self._tried: list[Looked] = []

    @cached_property
    def truth(self) -> Values | None:
        """The right values."""
        return self.bench.matrices(with_slips(self.model, self.of, self.wrt, (), self.finished))

    @cached_property
    def singles(self) -> list[Looked]:
        """Every slip that changes the answer, with its value at the first point."""
        found: list[Looked] = []
        if self.truth is None:
            return found
        begun = process_time()
        for slip in slips_between(self.model, self.of, self.wrt, self.finished):
            if process_time() - begun > SINGLE_SECONDS:
                break
            value = self._glance((slip,))
            if value is None or alike(value, self.truth[0]):
                continue
            if slip.name in OF_ONE_PATH and ratios((value,), self.truth[:1]) is not None:
                continue  # all paths go through this place: it is a mistake of the whole
            found.append(Looked((slip,), value))
        return found

    def outcomes(self) -> Iterator[tuple[Slip, Values]]:
        """Yield every slip that changes the answer, with its values at every point."""
        for looked in self.singles:
            values = self._values(looked.slips)
            if values is not None:
                yield looked.slips[0], values

    def diagnose(self, answer: Values, *, pairs: bool = True) -> Diagnosis:
        """Explain an answer, as simply as possible; pairs of mistakes take the longest."""
        if self.truth is None:
            return Diagnosis()
        stages = (self._alone, self._turned, self._unsummed, self._scaled, self._pairs)
        for stage in stages if pairs else stages[:-1]:
            found = self._distinct(stage(answer))
            if found:
                return Diagnosis(tuple(found))
        return Diagnosis()

    # ---- stages, the simplest first ----------------------------------------------------------

    def _alone(self, answer: Values) -> Iterator[tuple[Mistake, ...]]:
        assert self.truth is not None
        factor = self._factor(answer, self.truth)
        if factor:
            yield factor
        for looked in self.singles:
            if alike(answer[0], looked.value) and self._gives(looked.slips, answer):
                yield looked.mistakes

    def _turned(self, answer: Values) -> Iterator[tuple[Mistake, ...]]:
        assert self.truth is not None
        turned = tuple(value.T for value in self.truth)
        if any(value.shape[0] != value.shape[1] for value in turned):
            factor = self._factor(answer, turned)
            if factor:
                yield (_TRANSPOSED, *factor)
        elif same(answer, turned):
            yield (_TRANSPOSED,)

    def _unsummed(self, answer: Values) -> Iterator[tuple[Mistake, ...]]:
        """Sum over the axes along which the answer is longer."""
        assert self.truth is not None
        for axis, take, mistake in _REDUCED:
            pairs = zip(answer, self.truth, strict=True)
            if all(one.shape[axis] == other.shape[axis] for one, other in pairs):
                continue
            reduced = tuple(take(value, axis) for value in answer)
            if same(reduced, self.truth):
                yield (mistake,)
                return
            for looked in self.singles:
                if alike(reduced[0], looked.value) and self._gives(looked.slips, reduced):
                    yield (mistake, *looked.mistakes)
                    return

    def _scaled(self, answer: Values) -> Iterator[tuple[Mistake, ...]]:
        """One mistake, and a factor or a transpose more."""
        turned = tuple(value.T for value in answer)
        for looked in self.singles:
            if ratio(answer[0], looked.value) is not None:
                values = self._values(looked.slips)
                factor = () if values is None else self._factor(answer, values)
                if factor:
                    yield (*looked.mistakes, *factor)
            if alike(turned[0], looked.value) and self._gives(looked.slips, turned):
                yield (*looked.mistakes, _TRANSPOSED)

    def _pairs(self, answer: Values) -> Iterator[tuple[Mistake, ...]]:
        """Two mistakes: first those whose effects add or multiply, then whatever time allows."""
        begun = process_time()
        for one, two in self._composed(answer[0]):
            if self._gives((one, two), answer):
                yield _named(one), _named(two)
            if process_time() - begun > PAIR_SECONDS:
                return
        for looked in self._doubles(answer[0].shape, begun + PAIR_SECONDS):
            if alike(answer[0], looked.value) and self._gives(looked.slips, answer):
                yield looked.mistakes

    def _composed(self, answer: Array) -> Iterator[tuple[Slip, Slip]]:
        """Yield the pairs whose effects, added or multiplied entry by entry, give the answer."""
        assert self.truth is not None
        truth = self.truth[0]
        alike_shape = [looked for looked in self.singles if looked.value.shape == answer.shape]
        if answer.shape != truth.shape or not alike_shape:
            return
        values = np.stack([looked.value for looked in alike_shape])
        size = max(np.abs(answer).max(), np.abs(truth).max())
        with np.errstate(all="ignore"):
            for place, looked in enumerate(alike_shape):
                for wanted in (answer - looked.value + truth, answer * truth / looked.value):
                    if not np.isfinite(wanted).all():
                        continue
                    gaps = np.abs(values[place + 1 :] - wanted).max(axis=(1, 2), initial=0.0)
                    for other in np.flatnonzero(gaps <= LOOSE * size):
                        two = alike_shape[place + 1 + int(other)]
                        yield looked.slips[0], two.slips[0]

    def _doubles(self, shape: tuple[int, ...], until: float) -> Iterator[Looked]:
        """Yield pairs with their values; those tried for one answer are kept for the next."""
        yield from (looked for looked in self._tried if looked.value.shape == shape)
        for one, two in self._untried:
            if process_time() > until:
                return
            if set(one.rules) & set(two.rules):
                continue
            value = self._glance((one, two))
            if value is None:
                continue
            looked = Looked((one, two), value)
            if len(self._tried) < MOST_KEPT:
                self._tried.append(looked)
            if value.shape == shape:
                yield looked

    @cached_property
    def _untried(self) -> Iterator[tuple[Slip, Slip]]:
        sweeps = [looked.slips[0] for looked in self.singles if looked.slips[0].in_sweep]
        others = [looked.slips[0] for looked in self.singles if not looked.slips[0].in_sweep]
        return iter(
            chain(combinations(sweeps, 2), combinations(others, 2), product(sweeps, others))
        )

    # ---- parts -------------------------------------------------------------------------------

    def _made(self, slips: tuple[Slip, ...]) -> Expr | None:
        try:
            return with_slips(self.model, self.of, self.wrt, slips, self.finished)
        except (ChainruleError, ValueError):
            return None  # shapes do not meet: nobody gets an answer this way

    def _values(self, slips: tuple[Slip, ...]) -> Values | None:
        expr = self._made(slips)
        return None if expr is None else self.bench.matrices(expr)

    def _glance(self, slips: tuple[Slip, ...]) -> Array | None:
        expr = self._made(slips)
        return None if expr is None else self.bench.glance(expr)

    def _gives(self, slips: tuple[Slip, ...], answer: Values) -> bool:
        """Whether these mistakes give exactly this answer at every point, and not the right one."""
        values = self._values(slips)
        assert self.truth is not None
        return values is not None and same(answer, values) and not same(values, self.truth)

    def _factor(self, answer: Values, values: Values) -> tuple[Mistake, ...]:
        """Name the one number that the answer is off by: a sign, a constant, sizes."""
        found = ratios(answer, values)
        if found is None:
            return ()
        sign = -1.0 if found[0] < 0 else 1.0
        for name, number in self._numbers:
            wanted = zip(found, self.bench.sizes, strict=True)
            if all(abs(sign * r - number(sizes)) <= 1e-8 * abs(r) for r, sizes in wanted):
                turned = (_SIGN,) if sign < 0 else ()
                return turned if name == "1" else (*turned, _off_by(name))
        return ()

    @cached_property
    def _numbers(self) -> list[tuple[str, Callable[[Mapping[str, int]], float]]]:
        """Constants, sizes, and what two of them come to."""
        dims = {dim for symbol in self.model.symbols for dim in symbol.shape}
        names = sorted(str(dim) for dim in dims if isinstance(dim, str))
        parts = ["2", *names]
        found = [("1", _sized("1", "1"))]
        for one in parts:
            found += [(one, _sized(one, "1")), (f"1/{one}", _sized("1", one))]
        for place, one in enumerate(parts):
            for other in parts[place:]:
                found.append((_product(one, other), _sized(f"{one} {other}", "1")))
                found.append((f"1/({_product(one, other)})", _sized("1", f"{one} {other}")))
            for other in parts:
                if other != one:
                    found.append((f"{one}/{other}", _sized(one, other)))
        return found

    def _distinct(self, found: Iterator[tuple[Mistake, ...]]) -> list[tuple[Mistake, ...]]:
        """Keep a few explanations that differ in name."""
        kept: dict[tuple[str, ...], tuple[Mistake, ...]] = {}
        for explanation in found:
            key = tuple(sorted(mistake.name for mistake in explanation))
            kept.setdefault(key, explanation)
            if len(kept) == MOST_TIED:
                break
        return list(kept.values())


_SIGN = Mistake("sign", "the last line", "the sign of the whole is turned")
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


def _product(one: str, other: str) -> str:
    if one == other:
        return "4" if one == "2" else f"{one}^2"
    return f"{one} {other}"


def _sized(above: str, below: str) -> Callable[[Mapping[str, int]], float]:
    """Return a fraction of products, each given by its factors: numbers and names of sizes."""

    def number(sizes: Mapping[str, int]) -> float:
        top, bottom = (
            prod(float(sizes[part]) if part in sizes else float(part) for part in side.split())
            for side in (above, below)
        )
        return top / bottom

    return number


def _named(slip: Slip) -> Mistake:
    return Mistake(slip.name, slip.step, slip.message)


def _off_by(factor: str) -> Mistake:
    return Mistake(
        f"a constant factor: {factor}",
        "the last line",
        f"the answer is {factor} times the right one at every size that was tried",
    )
