"""Search for the mistakes that reproduce an answer: one or two, compared at several sizes.

Where several explain the answer, all are named; where none does, none is named.
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
from chainrule.teaching.diagnosis.catalogue import errors_between
from chainrule.teaching.diagnosis.edit_pairs import EditPairs
from chainrule.teaching.diagnosis.effects import Effects
from chainrule.teaching.diagnosis.injection import InjectedError, route_between, with_errors
from chainrule.teaching.diagnosis.line_errors import STEP
from chainrule.teaching.diagnosis.sample_points import (
    Array,
    SamplePoints,
    alike,
    ratio,
    ratios,
    same,
)
from chainrule.teaching.marking.verdicts import NOTHING, Diagnosis, NamedMistake

Values = tuple[Array, ...]

MOST_TIED = 3
"""The most explanations that are shown; the others are counted."""

OF_ONE_PATH = frozenset({"sign of one path", "a path counted twice"})
"""Mistakes that need several paths."""

SINGLE_SECONDS, PAIR_SECONDS = 0.5, 0.3
"""CPU seconds for single mistakes, and for checking pairs at every point.

A search that is cut reports that it is not complete.
"""

MOST_PLACES = 3
"""The most places at which the same two mistakes are reported."""

LOOSE = 1e-7


@dataclass(frozen=True)
class Candidate:
    """An error and the gradient with it at the first point."""

    error: InjectedError
    value: Array


class MistakeSearch:
    """Search for the mistakes that explain a wrong derivative.

    Parameters
    ----------
    model : Model
        The forward pass.
    of, wrt : Symbol
        The value that is differentiated, and the variable.
    finished : Expr or None
        The right final line in short form, if there is one.
    """

    def __init__(self, model: Model, of: Symbol, wrt: Symbol, finished: Expr | None) -> None:
        self.model, self.of, self.wrt, self.finished = model, of, wrt, finished
        self.samples = SamplePoints(model)
        self._cut = False  # not every single mistake was tried
        self._late = False  # nor, for this answer, every pair

    @cached_property
    def truth(self) -> Values | None:
        """The right derivative at every point."""
        return self.samples.matrices(with_errors(self.model, self.of, self.wrt, (), self.finished))

    @cached_property
    def effects(self) -> Effects | None:
        """The effects of errors in the sweep; None where its matrices are too large."""
        route = route_between(self.model, self.of, self.wrt)
        try:
            with np.errstate(all="ignore"):
                return Effects(self.of, self.wrt, route, self.samples.points[0])
        except (ChainruleError, ValueError):
            return None

    @cached_property
    def singles(self) -> list[Candidate]:
        """Every single error that changes the answer, with its value at the first point."""
        found: list[Candidate] = []
        if self.truth is None:
            return found
        begun = process_time()
        for error in errors_between(self.model, self.of, self.wrt, self.finished):
            if process_time() - begun > SINGLE_SECONDS:
                self._cut = True
                break
            value = self._single(error)
            if value is None or alike(value, self.truth[0]):
                continue
            if error.name in OF_ONE_PATH and ratios((value,), self.truth[:1]) is not None:
                continue  # all paths go through this place: it is a mistake of the whole
            known = next((k for k, one in enumerate(found) if _is_same(one, error, value)), None)
            if known is None:
                found.append(Candidate(error, value))
            else:
                found[known] = Candidate(_with_name(found[known].error, error.name), value)
        return found

    def _single(self, error: InjectedError) -> Array | None:
        """Return the gradient with one error at the first point."""
        if error.in_sweep and self.effects is not None:
            with np.errstate(all="ignore"), suppress(ChainruleError, ValueError):
                return self.effects.add(error)
        expr = self._made((error,))
        return None if expr is None else self.samples.at_first_point(expr)

    @cached_property
    def edit_pairs(self) -> EditPairs | None:
        """The final line with pairs of edits; None without a final line."""
        errors = [candidate.error for candidate in self.singles if candidate.error.edit is not None]
        if self.finished is None or not errors:
            return None
        return EditPairs(self.finished, errors, self.samples.points[0])

    def outcomes(self) -> Iterator[tuple[InjectedError, Values]]:
        """Yield every error that changes the answer, with its values at every point."""
        for candidate in self.singles:
            values = self._values((candidate.error,))
            if values is not None:
                yield candidate.error, values

    def diagnose(self, answer: Values, *, pairs: bool = True) -> Diagnosis:
        """Return the explanations of an answer by as few mistakes as possible."""
        if self.truth is None:
            return NOTHING
        self._late = False
        found = list(chain(self._alone(answer), self._transposed(answer), self._unsummed(answer)))
        if not any(self._count(explanation) == 1 for explanation in found):
            found += self._scaled(answer)
            if pairs:
                found += self._pairs(answer)
        fewest = min(map(self._count, found), default=0)
        distinct = _distinct(each for each in found if self._count(each) == fewest)
        unseen = self.effects is None or (self.edit_pairs is not None and self.edit_pairs.cut)
        cut = self._cut or self._late or (unseen and fewest != 1)
        return Diagnosis(tuple(distinct[:MOST_TIED]), max(0, len(distinct) - MOST_TIED), not cut)

    def entry(self, answer: Values) -> str | None:
        """Return which entry of the right gradient an answer is, if it is one."""
        if self.truth is None or any(value.shape != (1, 1) for value in answer):
            return None
        rows, columns = (min(value.shape[axis] for value in self.truth) for axis in (0, 1))
        for place in np.ndindex(rows, columns):
            cells = tuple(value[place].reshape(1, 1) for value in self.truth)
            if rows * columns > 1 and same(answer, cells):
                vector = 1 in (rows, columns)
                return str(max(place) + 1) if vector else str(tuple(k + 1 for k in place))
        return None

    def _count(self, explanation: tuple[NamedMistake, ...]) -> int:
        """Return the number of mistakes; a factor such as 4 or m/n counts as two."""
        simple = {name for name, _ in self._numbers[: 2 * len(self._sizes) + 3]}
        factors = [m.name.removeprefix(_FACTOR) for m in explanation if m.name.startswith(_FACTOR)]
        return len(explanation) + sum(factor not in simple for factor in factors)

    # ---- one mistake, or one and something done to the whole ---------------------------------

    def _alone(self, answer: Values) -> Iterator[tuple[NamedMistake, ...]]:
        assert self.truth is not None
        factor = self._factor(answer, self.truth)
        if factor:
            yield factor
        for candidate in self.singles:
            if alike(answer[0], candidate.value) and self._gives((candidate.error,), answer):
                yield (_named(candidate.error),)

    def _transposed(self, answer: Values) -> Iterator[tuple[NamedMistake, ...]]:
        assert self.truth is not None
        transposed = tuple(value.T for value in self.truth)
        if any(value.shape[0] != value.shape[1] for value in transposed):
            factor = self._factor(answer, transposed)
            if factor:
                yield (_TRANSPOSED, *factor)
        elif same(answer, transposed) and not same(self.truth, transposed):
            yield (_TRANSPOSED,)  # a symmetric truth is no evidence of a transpose

    def _unsummed(self, answer: Values) -> Iterator[tuple[NamedMistake, ...]]:
        """Yield explanations by a missing sum over an axis."""
        assert self.truth is not None
        for axis, take, mistake in _REDUCED:
            pairs = zip(answer, self.truth, strict=True)
            if all(one.shape[axis] == other.shape[axis] for one, other in pairs):
                continue
            reduced = tuple(take(value, axis) for value in answer)
            transposed = tuple(value.T for value in reduced)  # the other layout is no mistake
            if same(reduced, self.truth) or same(transposed, self.truth):
                yield (mistake,)
                return
            for candidate in self.singles:
                if alike(reduced[0], candidate.value) and self._gives((candidate.error,), reduced):
                    yield (mistake, _named(candidate.error))

    def _scaled(self, answer: Values) -> Iterator[tuple[NamedMistake, ...]]:
        """Yield explanations by one mistake and a factor or a transpose."""
        transposed = tuple(value.T for value in answer)
        for candidate in self.singles:
            if ratio(answer[0], candidate.value) is not None:
                values = self._values((candidate.error,))
                factor = () if values is None else self._factor(answer, values)
                if factor:
                    yield (_named(candidate.error), *factor)
            if alike(transposed[0], candidate.value) and self._gives(
                (candidate.error,), transposed
            ):
                yield (_named(candidate.error), _TRANSPOSED)

    # ---- two mistakes ------------------------------------------------------------------------

    def _pairs(self, answer: Values) -> Iterator[tuple[NamedMistake, ...]]:
        """Yield explanations by two mistakes: in the sweep, in the final line, or combined."""
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

    def _candidates(self, answer: Array) -> Iterator[tuple[InjectedError, InjectedError]]:
        with np.errstate(all="ignore"):
            if self.effects is not None:
                yield from self.effects.pairs(answer)
            if self.edit_pairs is not None:
                yield from self.edit_pairs.pairs(answer)
            yield from self._composed(answer)

    def _composed(self, answer: Array) -> Iterator[tuple[InjectedError, InjectedError]]:
        """Yield the pairs whose effects, added or multiplied entry by entry, give the answer."""
        assert self.truth is not None
        truth = self.truth[0]
        alike_shape = [
            candidate for candidate in self.singles if candidate.value.shape == answer.shape
        ]
        if answer.shape != truth.shape or not alike_shape:
            return
        values = np.stack([candidate.value for candidate in alike_shape])
        size = max(np.abs(answer).max(), np.abs(truth).max())
        for place, candidate in enumerate(alike_shape):
            for wanted in (answer - candidate.value + truth, answer * truth / candidate.value):
                if not np.isfinite(wanted).all():
                    continue
                gaps = np.abs(values[place + 1 :] - wanted).max(axis=(1, 2), initial=0.0)
                for other in np.flatnonzero(gaps <= LOOSE * size):
                    two = alike_shape[place + 1 + int(other)]
                    if candidate.error.in_sweep == two.error.in_sweep:
                        yield candidate.error, two.error

    # ---- parts -------------------------------------------------------------------------------

    def _made(self, errors: tuple[InjectedError, ...]) -> Expr | None:
        try:
            return with_errors(self.model, self.of, self.wrt, errors, self.finished)
        except (ChainruleError, ValueError):
            return None  # shapes do not meet: nobody gets an answer this way

    def _values(self, errors: tuple[InjectedError, ...]) -> Values | None:
        expr = self._made(errors)
        return None if expr is None else self.samples.matrices(expr)

    def _gives(self, errors: tuple[InjectedError, ...], answer: Values) -> bool:
        """Whether these mistakes reproduce a wrong answer at every point."""
        values = self._values(errors)
        assert self.truth is not None
        return values is not None and same(answer, values) and not same(values, self.truth)

    def _factor(self, answer: Values, values: Values) -> tuple[NamedMistake, ...]:
        """Return the constant factor of an answer as mistakes: a sign, a number, sizes."""
        points = zip(answer, values, self.samples.sizes, strict=True)
        told = [point for point in points if point[0].any() or point[1].any()]  # 0/0 tells nothing
        found = ratios(tuple(a for a, _, _ in told), tuple(b for _, b, _ in told))
        if not found:
            return ()
        sign = -1.0 if found[0] < 0 else 1.0
        for name, number in self._numbers:
            wanted = zip(found, told, strict=True)
            if all(abs(sign * r - number(at)) <= 1e-8 * abs(r) for r, (_, _, at) in wanted):
                signs = (_SIGN,) if sign < 0 else ()
                return signs if name == "1" else (*signs, _off_by(name))
        return ()

    @cached_property
    def _sizes(self) -> list[str]:
        """The names of the sizes."""
        dims = {dim for symbol in self.model.symbols for dim in symbol.shape}
        return sorted(dim for dim in dims if isinstance(dim, str))

    @cached_property
    def _numbers(self) -> list[tuple[str, Callable[[Mapping[str, int]], float]]]:
        """The factors that are tried: constants, sizes, products and quotients of two."""
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


def _distinct(found: Iterable[tuple[NamedMistake, ...]]) -> list[tuple[NamedMistake, ...]]:
    """Merge explanations that differ only in the step of their mistakes."""
    groups: dict[tuple[str, ...], list[tuple[NamedMistake, ...]]] = {}
    for explanation in found:
        ordered = tuple(sorted(explanation, key=lambda mistake: mistake.name))
        groups.setdefault(tuple(mistake.name for mistake in ordered), []).append(ordered)
    return [tuple(map(_joined, zip(*group, strict=True))) for group in groups.values()]


def _joined(mistakes: Iterable[NamedMistake]) -> NamedMistake:
    """Merge equal mistakes at several steps into one.

    A mistake of the final line needs no step on the way.
    """
    made = list(mistakes)
    first = next((mistake for mistake in made if mistake.step == STEP), made[0])
    steps = list(dict.fromkeys(mistake.step for mistake in made))
    if first.step == STEP or len(steps) == 1:
        return first
    step = " or ".join(steps) if len(steps) == 2 else f"{first.step}, or at another place"
    return replace(first, step=step)


_FACTOR = "a constant factor: "
_SIGN = NamedMistake("sign", STEP, "the overall sign is wrong")
_TRANSPOSED = NamedMistake("operands swapped, answer transposed", STEP, "the answer is transposed")
_REDUCED: tuple[tuple[int, Callable[[Array, int], Array], NamedMistake], ...] = tuple(
    (
        axis,
        lambda a, axis: np.sum(a, axis=axis, keepdims=True),
        NamedMistake(
            "sum over examples missing" if axis == 1 else "a sum is missing",
            STEP,
            "the answer has one entry per term of a sum that is missing: "
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
    """Return a quotient of products as a function of the sizes."""

    def number(sizes: Mapping[str, int]) -> float:
        top, bottom = (
            prod(float(sizes[part]) if part in sizes else float(part) for part in side.split())
            for side in (above, below)
        )
        return top / bottom

    return number


def _is_same(known: Candidate, error: InjectedError, value: Array) -> bool:
    """Whether an error is the same wrong rule at the same operation, under another name."""
    there = known.error.rules.keys() == error.rules.keys() and bool(error.rules)
    return there and known.error.name not in OF_ONE_PATH and alike(known.value, value)


def _with_name(error: InjectedError, name: str) -> InjectedError:
    if name in error.name or "; " in error.name or name in OF_ONE_PATH:
        return error
    return replace(error, name=f"{error.name}; {name}")


def _named(error: InjectedError) -> NamedMistake:
    return NamedMistake(error.name, error.step, error.message)


def _off_by(factor: str) -> NamedMistake:
    return NamedMistake(
        f"{_FACTOR}{factor}",
        STEP,
        f"the answer is {factor} times the right one at every size that was tried",
    )
