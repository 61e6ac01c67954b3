"""Matches of gradients with the values of a program, up to a factor."""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from chainrule.teaching.marking.code_as_program.measuring import Measured
from chainrule.teaching.marking.code_as_program.opened import PARAMETERS
from chainrule.teaching.marking.code_as_program.places import Places
from chainrule.teaching.marking.code_as_program.program import Program
from chainrule.teaching.marking.code_as_program.runs import Run
from chainrule.teaching.marking.code_as_program.trace import Event
from chainrule.teaching.marking.code_by_value.naming import OUTPUTS, SHORT, is_label

MOST_CLAIMS = 60
"""The most gradients that are judged."""

MOST_NEAR = 14


@dataclass
class Group:
    """The events that make one gradient together.

    Parameters
    ----------
    events : list of Event
        In order; the last one has the gradient.
    verdict, why : str
        The judgement.
    """

    events: list[Event]
    verdict: str = "unproven"
    why: str = ""
    numbers: tuple[float, float] | None = None
    factor: float = 1.0
    parameter: bool = False
    claims: bool = True  # whether its name says that it is a gradient
    fault: int | None = None  # the row at fault, where several rows make the gradient

    @property
    def last(self) -> Event:
        """The event with the gradient."""
        return self.events[-1]


def groups_of(program: Program, claims: Sequence[Event]) -> list[Group]:
    """Return the gradients, each with the rows that make it."""
    found: list[Group] = []
    open_: dict[tuple[int, str], Group] = {}
    for event in claims:
        key = (event.frame, event.name)
        if event.kind == "changed" and key in open_:
            open_[key].events.append(event)
            continue
        group = Group([event])
        stepping = program.outline.stepping
        group.parameter = (
            event.kind == "step"
            or event.name in stepping
            or any(
                one in program.outline.stepped or PARAMETERS.fullmatch(one)
                for one in targets_of(program, event)
            )
        )
        group.claims = event.kind == "step" or program.outline.names.is_named_gradient(
            event.name.partition("[")[0])  # fmt: skip
        found.append(group)
        open_[key] = group
    for group in found:
        first = group.events[0]
        if len(group.events) > 1 and not first.value.any():
            group.events.pop(0)  # it only starts at zero
    found = [one for one in found if one.last.value.any() or len(one.events) > 1]
    return sorted(found, key=lambda one: one.last.index)[:MOST_CLAIMS]


def targets_of(program: Program, event: Event) -> list[str]:
    """Return the names of the values that the name of a gradient stands for."""
    plain = event.name.partition("[")[0]
    return [plain] if event.kind == "step" else program.outline.targets(plain)


@dataclass
class Matching:
    """Verdicts under one loss."""

    program: Program
    measured: Measured
    loss: int
    groups: list[Group]
    places: Places
    counts: list[int]
    is_turned: bool | None = None
    found: dict[int, tuple[list[int], bool]] = field(default_factory=dict)

    def candidates(self, event: Event) -> tuple[list[int], bool]:
        """Return the values that a gradient may be of, and whether its name says so."""
        if event.index not in self.found:
            self.found[event.index] = self._candidates(event)
        return self.found[event.index]

    def _candidates(self, event: Event) -> tuple[list[int], bool]:
        places = self.places
        names = targets_of(self.program, event)
        found = [one for one in self._moving(list(places.named(names)))
                 if one not in places.losses]  # d_loss = p - y is not of the loss  # fmt: skip
        stem = self.program.outline.names.stem(event.name.partition("[")[0]) or ""
        if not found and stem.lower() in SHORT:  # db, where another class has a b
            fits = SHORT[stem.lower()].fullmatch
            found = self._moving(list(places.named([n for n in places.by_name if fits(n)])))
        if found and "delta" not in event.name.lower():  # layer2_delta may be of what enters it
            return found, True
        near = [one for one in places.by_size.get(event.value.size, ())
                if one < event.index or event.kind == "step"]  # fmt: skip
        return self._moving(near[-MOST_NEAR:]), False

    def _moving(self, places: Sequence[int]) -> list[int]:
        return [one for one in dict.fromkeys(places) if self.measured.moves(one, self.loss)]

    def is_transposed(self, event: Event) -> bool:
        """Whether a step takes the transpose of a gradient: ``w -= rate * dw.T``."""
        return event.name in self.program.outline.turned and event.value.ndim == 2

    def ratios(self, event: Event, value: np.ndarray) -> list[tuple[float, int]]:
        """Return of which values a gradient is a multiple, and how many times."""
        found = []
        if self.is_transposed(event):
            value = value.T
        for origin in self.candidates(event)[0]:
            shape = self.measured.run.trace.events[origin].value.shape
            if squeezed(shape) != squeezed(value.shape):
                continue
            ratio = self.measured.ratio(value, origin, self.loss)
            if ratio is not None:
                found.append((ratio, origin))
        return found

    def begins(self) -> bool:
        """Whether one of the first gradients is a multiple of one of the loss."""
        return any(self.ratios(group.last, group.last.value) for group in self.groups[:3]
                   if group.last.value.size > 1)  # fmt: skip

    def factors(self) -> tuple[float, float]:
        """Return the factors that the gradients of parameters, and the others, share."""
        votes: dict[bool, Counter[float]] = {True: Counter(), False: Counter()}
        for group in self.groups:
            if not self.candidates(group.last)[1]:
                continue
            ratios = self.ratios(group.last, group.last.value)
            large = [r for r, _ in ratios] if group.last.value.size > 1 else [
                r for r, _ in ratios if self.allowed(r)]  # fmt: skip
            if large:
                best = min(large, key=lambda r: abs(math.log(abs(r))) + (r < 0))
                votes[group.parameter][float(f"{best:.6g}")] += 1
        reaches = self.descends and bool(votes[True]) and max(votes[True]) < 0
        others = self._likeliest(
            votes[False], positive=reaches or bool(self.measured.run.incoming)
        )  # the other sign is no convention where it reaches the parameters
        positive = self.descends or (
            others is not None and others > 0 and self.program.outline.descends is not False
        )
        parameters = self._likeliest(votes[True], positive=positive)
        if parameters is None:
            parameters = self._shared_by_unnamed(parameter=True) or 1.0
        if others is None:
            others = self._shared_by_unnamed(parameter=False) or parameters
        return parameters, others

    def _likeliest(self, votes: Counter[float], *, positive: bool) -> float | None:
        """Return the factor that most gradients have, of those that conventions bring."""
        allowed = {r: count for r, count in votes.items() if self.allowed(r)}
        allowed = {r: n for r, n in allowed.items() if r > 0} or allowed
        if positive:
            allowed = {abs(r): n for r, n in allowed.items()}
        most = max(allowed.values(), default=0)
        likely = [r for r, count in allowed.items() if 2 * count >= most]
        return min(likely, key=lambda r: abs(math.log(abs(r))), default=None)

    def _shared_by_unnamed(self, *, parameter: bool) -> float | None:
        """Return the size of the factor of rows such as ``delta3 = a3 - y``, of no named value."""
        votes: Counter[float] = Counter()
        for group in self.groups:
            if group.parameter != parameter or self.candidates(group.last)[1]:
                continue
            if group.last.value.size > 1:
                ratios = self.ratios(group.last, group.last.value)
                votes.update({float(f"{abs(r):.6g}") for r, _ in ratios if self.allowed(r)})
        most = max(votes.values(), default=0)
        return min((r for r, count in votes.items() if count == most),
                   key=lambda r: abs(math.log(r)), default=None)  # fmt: skip

    @property
    def descends(self) -> bool:
        """Whether gradients have the sign of the loss: steps subtract them, or layers add up."""
        if self.measured.run.incoming:
            return True
        return self.program.outline.descends is True and not re.search(
            r"(?i)likelihood", list(self.measured.losses)[self.loss])  # fmt: skip

    def wanted(self, group: Group, factors: tuple[float, float]) -> Sequence[float]:
        """Return the factors that a gradient may have."""
        if group.last.kind == "step" and self.descends:
            return (abs(factors[0]),)
        if group.parameter:
            return (factors[0],)
        if not self.candidates(group.last)[1] and self.turned(factors):
            return [-one for one in factors]
        if self.program.outline.descends is not False and factors[0] * factors[1] < 0:
            return (factors[1],)  # the sign may not change on the way
        return factors

    @property
    def is_squared(self) -> bool:
        """Whether the loss may be a sum of squares."""
        loss = list(self.measured.losses)[self.loss]
        if self.measured.run.incoming:
            return False
        return "squared" in loss if " of " in loss else not self.program.outline.has_logarithms

    def turned(self, factors: tuple[float, float]) -> bool:
        """Whether the rows that do not name their value have the other sign: ``y - a``."""
        if self.is_turned is None:
            count = 0
            for group in self.groups:
                if group.parameter and self.descends:
                    ratios = [r for r, _ in self.ratios(group.last, group.last.value)]
                    if any(abs(r / factors[0] + 1) < 1e-3 for r in ratios):
                        self.is_turned = False  # the other sign reaches the steps
                        return False
                if group.last.value.size > 1 and not self.candidates(group.last)[1]:
                    ratios = [r for r, _ in self.ratios(group.last, group.last.value)]
                    count += any(abs(r / f - 1) < 1e-3 for r in ratios for f in factors)
                    count -= any(abs(r / f + 1) < 1e-3 for r in ratios for f in factors)
            self.is_turned = count < 0
        return self.is_turned

    def allowed(self, ratio: float) -> bool:
        """Whether a factor is one that conventions bring."""
        sizes = [1.0, *(1 / n for n in self.counts)]
        if not self.measured.run.incoming:
            sizes += [float(n) for n in self.counts]
        if self.is_squared:  # the 2 of a square may be left out
            sizes += [size / 2 for size in sizes]
        return any(abs(abs(ratio) / one - 1) < 1e-3 for one in sizes)


def squeezed(shape: tuple[int, ...]) -> tuple[int, ...]:
    """Return a shape without the axes of length 1."""
    return tuple(one for one in shape if one != 1)


def matching_of(
    program: Program, run: Run, measured: Measured, loss: str, places: Places | None = None
) -> Matching:
    """Return the gradients of a run beside the values that they may be of.

    Parameters
    ----------
    program, run : Program, Run
        The program and a run of it.
    measured : Measured
        The slopes of its losses.
    loss : str
        One of them.
    places : Places, optional
        The values of the run, where they are found already.
    """
    claims = program.claims(run)
    places = places or Places(measured, claims)
    counts = sorted(_counts(program, run))
    at = list(measured.losses).index(loss)
    return Matching(program, measured, at, groups_of(program, claims), places, counts)


def _counts(program: Program, run: Run) -> set[int]:
    """Return the numbers that may be that of the examples: conventions leave them out."""
    known = set(run.counts)
    if program.inputs.asked:
        known.add(program.inputs.examples)
    labels = [event for event in run.trace.events if is_label(event.name)]
    lengths = {n for event in labels or run.trace.events for n in event.value.shape if n > 1}
    if run.incoming:  # a layer by itself, whose examples may be any of its axes
        return known | {n for event in run.trace.events for n in event.value.shape if n > 1}
    return known if known and not labels else known | lengths


def accepted(
    judge: Matching, event: Event, value: np.ndarray, factors: tuple[float, float], group: Group
) -> bool:
    """Whether a gradient is that of a value, up to the factors that the rows share."""
    named = judge.candidates(event)[1]
    wanted = judge.wanted(group, factors)
    events = judge.measured.run.trace.events
    for ratio, origin in judge.ratios(event, value):
        if value.size == 1 and not named and not OUTPUTS.fullmatch(events[origin].name):
            continue  # every number is a multiple of every other one
        for factor in wanted:
            if abs(ratio / factor - 1) < 2e-4:
                group.factor = factor
                return True
    return False


__all__ = ["Group", "Matching", "accepted", "matching_of", "squeezed"]
