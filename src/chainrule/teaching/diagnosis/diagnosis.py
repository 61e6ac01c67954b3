"""Which mistake gives exactly this answer: slips and pairs of slips, compared at several sizes.

Where several explain the answer, all are named; where none does, nothing is said.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import chain
from math import prod
from time import process_time

import numpy as np

from chainrule.calculus.graph.model import Model
from chainrule.calculus.graph.node import Expr, Symbol
from chainrule.errors import ChainruleError
from chainrule.teaching.diagnosis.bench import Array, Bench, alike, ratio, ratios, same
from chainrule.teaching.diagnosis.catalogue import slips_between
from chainrule.teaching.diagnosis.drafts import Drafts
from chainrule.teaching.diagnosis.effects import Effects
from chainrule.teaching.diagnosis.oversights import STEP
from chainrule.teaching.diagnosis.slips import Slip, route_between, with_slips
from chainrule.teaching.marking.verdicts import NOTHING, Diagnosis, Mistake

Values = tuple[Array, ...]

MOST_TIED = 3
"""How many explanations are shown; the others are counted."""

OF_ONE_PATH = frozenset({"sign of one path", "a path counted twice"})
"""Mistakes that can be made only where there are several paths."""

SINGLE_SECONDS, PAIR_SECONDS = 0.5, 0.3
"""How long mistakes are worked out, and how long pairs are checked at every point. What is not
reached is not named, and the diagnosis says that it is not complete."""

MOST_PLACES = 3
"""At how many places the same two mistakes are looked for."""

LOOSE = 1e-7


@dataclass(frozen=True)
class Looked:
    """What a slip comes to at the first point."""

    slip: Slip
    value: Array


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
        self._cut = False  # not every single mistake was tried
        self._late = False  # nor, for this answer, every pair

    @cached_property
    def truth(self) -> Values | None:
        """The right values."""
        return self.bench.matrices(with_slips(self.model, self.of, self.wrt, (), self.finished))

    @cached_property
    def effects(self) -> Effects | None:
        """The reverse sweep as small matrices, where it can be laid out so."""
        route = route_between(self.model, self.of, self.wrt)
        try:
            with np.errstate(all="ignore"):
                return Effects(self.of, self.wrt, route, self.bench.points[0])
        except (ChainruleError, ValueError):
            return None

    @cached_property
    def singles(self) -> list[Looked]:
        """Every slip that changes the answer, with its value at the first point."""
        found: list[Looked] = []
        if self.truth is None:
            return found
        begun = process_time()
        for slip in slips_between(self.model, self.of, self.wrt, self.finished):
            if process_time() - begun > SINGLE_SECONDS:
                self._cut = True
                break
            value = self._single(slip)
            if value is None or alike(value, self.truth[0]):
                continue
            if slip.name in OF_ONE_PATH and ratios((value,), self.truth[:1]) is not None:
                continue  # all paths go through this place: it is a mistake of the whole
            known = next((k for k, one in enumerate(found) if _is_same(one, slip, value)), None)
            if known is None:
                found.append(Looked(slip, value))
            else:
                found[known] = Looked(_with_name(found[known].slip, slip.name), value)
        return found

    def _single(self, slip: Slip) -> Array | None:
        """Return what a slip comes to at the first point."""
        if slip.in_sweep and self.effects is not None:
            with np.errstate(all="ignore"), suppress(ChainruleError, ValueError):
                return self.effects.add(slip)
        expr = self._made((slip,))
        return None if expr is None else self.bench.glance(expr)

    @cached_property
    def drafts(self) -> Drafts | None:
        """The finished line with two oversights."""
        slips = [looked.slip for looked in self.singles if looked.slip.edit is not None]
        if self.finished is None or not slips:
            return None
        return Drafts(self.finished, slips, self.bench.points[0])

    def outcomes(self) -> Iterator[tuple[Slip, Values]]:
        """Yield every slip that changes the answer, with its values at every point."""
        for looked in self.singles:
            values = self._values((looked.slip,))
            if values is not None:
                yield looked.slip, values

    def diagnose(self, answer: Values, *, pairs: bool = True) -> Diagnosis:
        """Explain an answer by as few mistakes as possible; two made together take the longest."""
        if self.truth is None:
            return NOTHING
        self._late = False
        found = list(chain(self._alone(answer), self._turned(answer), self._unsummed(answer)))
        if not any(self._count(explanation) == 1 for explanation in found):
            found += self._scaled(answer)
            if pairs:
                found += self._pairs(answer)
        fewest = min(map(self._count, found), default=0)
        distinct = _distinct(each for each in found if self._count(each) == fewest)
        unseen = self.effects is None or (self.drafts is not None and self.drafts.cut)
        cut = self._cut or self._late or (unseen and fewest != 1)
        return Diagnosis(tuple(distinct[:MOST_TIED]), max(0, len(distinct) - MOST_TIED), not cut)

    def entry(self, answer: Values) -> str | None:
        """Say which entry of the right gradient a number is, at every point, if it is one."""
        if self.truth is None or any(value.shape != (1, 1) for value in answer):
            return None
        rows, columns = (min(value.shape[axis] for value in self.truth) for axis in (0, 1))
        for place in np.ndindex(rows, columns):
            cells = tuple(value[place].reshape(1, 1) for value in self.truth)
            if rows * columns > 1 and same(answer, cells):
                vector = 1 in (rows, columns)
                return str(max(place) + 1) if vector else str(tuple(k + 1 for k in place))
        return None

    def _count(self, explanation: tuple[Mistake, ...]) -> int:
        """Count mistakes; a factor such as 4 or m/n is two."""
        simple = {name for name, _ in self._numbers[: 2 * len(self._sizes) + 3]}
        factors = [m.name.removeprefix(_FACTOR) for m in explanation if m.name.startswith(_FACTOR)]
        return len(explanation) + sum(factor not in simple for factor in factors)

    # ---- one mistake, or one and something done to the whole ---------------------------------

    def _alone(self, answer: Values) -> Iterator[tuple[Mistake, ...]]:
        assert self.truth is not None
        factor = self._factor(answer, self.truth)
        if factor:
            yield factor
        for looked in self.singles:
            if alike(answer[0], looked.value) and self._gives((looked.slip,), answer):
                yield (_named(looked.slip),)

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
            turned = tuple(value.T for value in reduced)  # the other layout is no mistake
            if same(reduced, self.truth) or same(turned, self.truth):
                yield (mistake,)
                return
            for looked in self.singles:
                if alike(reduced[0], looked.value) and self._gives((looked.slip,), reduced):
                    yield (mistake, _named(looked.slip))

    def _scaled(self, answer: Values) -> Iterator[tuple[Mistake, ...]]:
        """One mistake, and a factor or a transpose more."""
        turned = tuple(value.T for value in answer)
        for looked in self.singles:
            if ratio(answer[0], looked.value) is not None:
                values = self._values((looked.slip,))
                factor = () if values is None else self._factor(answer, values)
                if factor:
                    yield (_named(looked.slip), *factor)
            if alike(turned[0], looked.value) and self._gives((looked.slip,), turned):
                yield (_named(looked.slip), _TRANSPOSED)

    # ---- two mistakes ------------------------------------------------------------------------

    def _pairs(self, answer: Values) -> Iterator[tuple[Mistake, ...]]:
        """Two mistakes: on the way, in the finished line, or with effects that add or multiply."""
        seen: Counter[tuple[str, ...]] = Counter()
        begun = process_time()
        for one, two in self._candidates(answer[0]):
            key = tuple(sorted((one.name, two.name)))
            if seen[key] == MOST_PLACES:
                continue
            if process_time() - begun > PAIR_SECONDS:
                self._late = True
                return
            if self._gives((one, two), answer):
                seen[key] += 1
                yield _named(one), _named(two)

    def _candidates(self, answer: Array) -> Iterator[tuple[Slip, Slip]]:
        with np.errstate(all="ignore"):
            if self.effects is not None:
                yield from self.effects.pairs(answer)
            if self.drafts is not None:
                yield from self.drafts.pairs(answer)
            yield from self._composed(answer)

    def _composed(self, answer: Array) -> Iterator[tuple[Slip, Slip]]:
        """Yield the pairs whose effects, added or multiplied entry by entry, give the answer."""
        assert self.truth is not None
        truth = self.truth[0]
        alike_shape = [looked for looked in self.singles if looked.value.shape == answer.shape]
        if answer.shape != truth.shape or not alike_shape:
            return
        values = np.stack([looked.value for looked in alike_shape])
        size = max(np.abs(answer).max(), np.abs(truth).max())
        for place, looked in enumerate(alike_shape):
            for wanted in (answer - looked.value + truth, answer * truth / looked.value):
                if not np.isfinite(wanted).all():
                    continue
                gaps = np.abs(values[place + 1 :] - wanted).max(axis=(1, 2), initial=0.0)
                for other in np.flatnonzero(gaps <= LOOSE * size):
                    two = alike_shape[place + 1 + int(other)]
                    if looked.slip.in_sweep == two.slip.in_sweep:
                        yield looked.slip, two.slip

    # ---- parts -------------------------------------------------------------------------------

    def _made(self, slips: tuple[Slip, ...]) -> Expr | None:
        try:
            return with_slips(self.model, self.of, self.wrt, slips, self.finished)
        except (ChainruleError, ValueError):
            return None  # shapes do not meet: nobody gets an answer this way

    def _values(self, slips: tuple[Slip, ...]) -> Values | None:
        expr = self._made(slips)
        return None if expr is None else self.bench.matrices(expr)

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
    def _sizes(self) -> list[str]:
        """The names of the sizes."""
        dims = {dim for symbol in self.model.symbols for dim in symbol.shape}
        return sorted(dim for dim in dims if isinstance(dim, str))

    @cached_property
    def _numbers(self) -> list[tuple[str, Callable[[Mapping[str, int]], float]]]:
        """Constants, sizes, and what two of them come to."""
        parts = ["2", *self._sizes]
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


def _distinct(found: Iterable[tuple[Mistake, ...]]) -> list[tuple[Mistake, ...]]:
    """Join the explanations that differ only in where the mistakes were made."""
    groups: dict[tuple[str, ...], list[tuple[Mistake, ...]]] = {}
    for explanation in found:
        ordered = tuple(sorted(explanation, key=lambda mistake: mistake.name))
        groups.setdefault(tuple(mistake.name for mistake in ordered), []).append(ordered)
    return [tuple(map(_joined, zip(*group, strict=True))) for group in groups.values()]


def _joined(mistakes: Iterable[Mistake]) -> Mistake:
    """Say that one mistake may have been made at several places.

    What can be said of the finished line is true wherever it comes from.
    """
    made = list(mistakes)
    first = next((mistake for mistake in made if mistake.step == STEP), made[0])
    steps = list(dict.fromkeys(mistake.step for mistake in made))
    if first.step == STEP or len(steps) == 1:
        return first
    step = " or ".join(steps) if len(steps) == 2 else f"{first.step}, or at another place"
    return replace(first, step=step)


_FACTOR = "a constant factor: "
_SIGN = Mistake("sign", STEP, "the sign of the whole is turned")
_TRANSPOSED = Mistake("operands swapped, answer transposed", STEP, "the answer stands transposed")
_REDUCED: tuple[tuple[int, Callable[[Array, int], Array], Mistake], ...] = tuple(
    (
        axis,
        lambda a, axis: np.sum(a, axis=axis, keepdims=True),
        Mistake(
            "sum over examples missing" if axis == 1 else "a sum is missing",
            STEP,
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


def _is_same(known: Looked, slip: Slip, value: Array) -> bool:
    """Whether a slip is the same wrong rule at the same operation, under another name."""
    there = known.slip.rules.keys() == slip.rules.keys() and bool(slip.rules)
    return there and known.slip.name not in OF_ONE_PATH and alike(known.value, value)


def _with_name(slip: Slip, name: str) -> Slip:
    if name in slip.name or "; " in slip.name or name in OF_ONE_PATH:
        return slip
    return replace(slip, name=f"{slip.name}; {name}")


def _named(slip: Slip) -> Mistake:
    return Mistake(slip.name, slip.step, slip.message)


def _off_by(factor: str) -> Mistake:
    return Mistake(
        f"{_FACTOR}{factor}",
        STEP,
        f"the answer is {factor} times the right one at every size that was tried",
    )
