"""Verdicts on the gradients of a program, each held to differences of its loss."""

from __future__ import annotations

import ast
import math
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from chainrule.teaching.marking.code_as_program.inputs import (
    EXAMPLES,
    READINGS,
    Inputs,
    Reading,
    Relearned,
)
from chainrule.teaching.marking.code_as_program.measuring import (
    Loss,
    Measured,
    losses_in,
    usual_losses,
)
from chainrule.teaching.marking.code_as_program.opened import PARAMETERS
from chainrule.teaching.marking.code_as_program.outline import Outline, name_of, outline_of
from chainrule.teaching.marking.code_as_program.program import Budget, Program, Run, entries
from chainrule.teaching.marking.code_as_program.trace import Event
from chainrule.teaching.marking.code_as_program.values import CannotRun
from chainrule.teaching.marking.code_by_value.given_lengths import with_small_lengths
from chainrule.teaching.marking.code_by_value.naming import SHORT, is_label

MOST_CLAIMS = 60
MOST_LAYOUTS = 4
MOST_NEAR = 14
OTHER = "right in one reading of the shapes and wrong in another; declare them"
UNCLEAR = "it is not clear of which value this is the gradient"
FEW = "fewer rows are right than wrong as the program is read; add the call that trains it"
PENALTY = "without the penalty, which the loss leaves out"
FOLLOWS = "right, once the wrong row above is taken for granted"


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


@dataclass(frozen=True)
class RowJudged:
    """The judgement of one row.

    Parameters
    ----------
    line : int
        The row.
    verdict, why : str
        ``proven``, ``wrong``, ``follows`` or ``unproven``, and the evidence.
    numbers : tuple of float or None
        Two numbers that differ.
    sure : bool
        Whether the loss is that of the program.
    """

    line: int
    verdict: str
    why: str
    numbers: tuple[float, float] | None = None
    sure: bool = False


def rows_of_program(statements: Sequence[ast.stmt]) -> dict[int, RowJudged]:
    """Judge the gradients of a program that its functions lead to, per row.

    Parameters
    ----------
    statements : sequence of ast.stmt
        The program; it is not changed.
    """
    with_small_lengths(statements)
    outline = outline_of(statements)
    found: dict[int, RowJudged] = {}
    budget = Budget()
    for entry in (None, *entries(statements, outline)):
        if entry is not None and found and _is_covered(entry, statements, found):
            continue
        best = _best(statements, outline, entry, set(found), budget)
        for line, row in best.items():
            old = found.get(line)
            if old is None or _weight(row) > _weight(old):
                found[line] = row
    return found


def _is_covered(entry: str, statements: Sequence[ast.stmt], found: Mapping[int, RowJudged]) -> bool:
    """Whether the rows of a function with gradients are judged, and those it leads to."""
    owner, _, name = entry.rpartition(".")
    for one in statements:
        if isinstance(one, ast.ClassDef) and one.name == owner:
            held: Sequence[ast.stmt] = one.body
        elif isinstance(one, ast.FunctionDef) and not owner:
            held = [one]
        else:
            continue
        own = [f for f in held if isinstance(f, ast.FunctionDef) and f.name == name]
        rows = claimed_rows(statements) & set(range(own[0].lineno, (own[0].end_lineno or 0) + 1)) \
            if own else set()  # fmt: skip
        if own and rows:
            return rows <= set(found)
    return False


def claimed_rows(statements: Sequence[ast.stmt]) -> set[int]:
    """Return the rows that give a gradient by its name."""
    outline = outline_of(statements)
    found = set()
    for node in (sub for one in statements for sub in ast.walk(one)):
        if isinstance(node, ast.Assign | ast.AugAssign):
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            idle = isinstance(node.value, ast.Constant | ast.List | ast.Dict | ast.Name) or (
                isinstance(node.value, ast.Call) and not node.value.args)  # fmt: skip
            if any(outline.is_claim(name_of(one)) for one in targets) and not idle:
                found.add(node.lineno)
    return found


def _weight(row: RowJudged) -> int:
    return {"unproven": 0, "follows": 2, "proven": 3, "wrong": 4}[row.verdict]


@dataclass
class _Tried:
    """A layout of the data and a loss, with the rows that they make right."""

    program: Program
    run: Run
    measured: Measured
    loss: str
    right: set[int]
    claimed: set[int]

    @property
    def score(self) -> float:
        """How well it explains the program."""
        usual = 0.3 if " of " in self.loss else 0.0
        return len(self.right) - 0.1 * len(self.run.trace.misshapen) - usual


def _best(
    statements: Sequence[ast.stmt],
    outline: Outline,
    entry: str | None,
    known: set[int],
    budget: Budget,
) -> dict[int, RowJudged]:
    """Return the rows under the layout of the data that makes most of them right."""
    runs: list[tuple[float, Program, Run]] = []
    for reading in _readings(outline):
        program = Program(statements, outline, reading, entry, budget=budget)
        try:
            run = program.learned()
        except (CannotRun, RecursionError):
            continue
        lines = {event.line for event in program.claims(run)}
        if lines - known:
            runs.append((len(lines) - 1.5 * len(run.trace.misshapen), program, run))
        if not program.inputs.asked:
            break
    tried: list[_Tried] = []
    for _, program, run in sorted(runs, key=lambda one: -one[0])[:MOST_LAYOUTS]:
        tried.extend(_tried(program, run))
        if any(one.right and one.right == one.claimed for one in tried):
            break
    if not tried:
        return {}
    best = max(tried, key=lambda one: one.score)
    if best.right != best.claimed:
        best = _without_penalty(best)
    rows = _under(best)
    for one in tried:  # a layout that makes as many rows right clears a row
        if one.score >= best.score - 0.5 and one.program.inputs is not best.program.inputs:
            for line in one.right:
                if line in rows and rows[line].verdict == "wrong":
                    rows[line] = RowJudged(line, "unproven", OTHER)
    return rows


def _without_penalty(best: _Tried) -> _Tried:
    """Return the program without a penalty that its gradients have and its loss leaves out."""
    program = replace(best.program, inputs=replace(best.program.inputs, penalty=0.0))
    try:
        run = program.run()
    except (CannotRun, RecursionError, Relearned):
        return best
    loss = best.measured.losses[best.loss]
    if (
        len(run.trace.events) != len(best.run.trace.events)
        or abs(loss(run) - loss(best.run)) > 1e-9
    ):
        return best
    found = [one for one in _tried(program, run) if len(one.right) > len(best.right)]
    return max(found, key=lambda one: one.score, default=best)


def _tried(program: Program, run: Run) -> Iterator[_Tried]:
    """Yield the losses of a run with the rows that each makes right."""
    claims = program.claims(run)[:MOST_CLAIMS]
    if not claims:
        return
    before = [event for event in run.trace.events if event.index < claims[0].index]
    outputs = [event for event in before[::-1] if event.kind != "given"][:12]
    labels = [event.value for event in before
              if is_label(event.name) or event.name[:1] in ("y", "Y")]  # fmt: skip
    differences = [event.value for event in (*outputs[:4], *claims[:2])]
    lines = {event.line for event in claims}
    losses = losses_in(run, labels[-3:], outputs, differences)
    found = list(_under_each(program, run, losses, lines))
    if not any(one.right for one in found) and run.upstream is None:
        losses = usual_losses(labels[-3:], outputs, differences)
        found = list(_under_each(program, run, losses, lines))
    yield from found


def _under_each(
    program: Program, run: Run, losses: Mapping[str, Loss], lines: set[int]
) -> Iterator[_Tried]:
    measured = Measured(program, run, losses)
    for loss in losses:
        judge = _judge(program, run, measured, loss)
        if " of " in loss and not judge.begins():
            continue
        factors = judge.factors()
        right = {
            event.line for group in judge.groups
            if _accepted(judge, group.last, group.last.value, factors, group)
            for event in group.events
        }  # fmt: skip
        if " of " in loss and len(right) < 2:
            continue
        yield _Tried(program, run, measured, loss, right, lines)
        if right == lines:
            return


def _judge(program: Program, run: Run, measured: Measured, loss: str) -> _Judge:
    claims = program.claims(run)[:MOST_CLAIMS]
    claimed = {event.index for event in claims}
    counts = sorted({n for event in run.trace.events for n in event.value.shape if n > 1})
    return _Judge(program, measured, list(measured.losses).index(loss), _groups(program, claims),
                  claimed, counts)  # fmt: skip


def _readings(outline: Outline) -> Iterator[Inputs]:
    for reading in READINGS:
        yield Inputs(reading, rates=outline.rates)
    yield Inputs(Reading(labels="flat"), rates=outline.rates, regression=True)


def _groups(program: Program, claims: Sequence[Event]) -> list[Group]:
    found: list[Group] = []
    open_: dict[tuple[int, str], Group] = {}
    for event in claims:
        key = (event.frame, event.name)
        if event.kind == "changed" and key in open_:
            open_[key].events.append(event)
            continue
        group = Group([event])
        group.parameter = event.kind == "step" or any(
            one in program.outline.stepped or PARAMETERS.fullmatch(one)
            for one in _targets(program, event)
        )
        group.claims = event.kind == "step" or program.outline.names.is_named_gradient(
            event.name.partition("[")[0])  # fmt: skip
        found.append(group)
        open_[key] = group
    for group in found:
        first = group.events[0]
        if len(group.events) > 1 and not first.value.any():
            group.events.pop(0)  # it only starts at zero
    return [one for one in found if one.last.value.any() or len(one.events) > 1]


def _targets(program: Program, event: Event) -> list[str]:
    if event.kind == "step":
        return [event.name.partition("[")[0]]
    plain = event.name.partition("[")[0]
    names = program.outline.names
    stem = names.stem(plain)
    if stem is None:
        carried = names.carried(plain)
        return names.values_of(carried) if carried else []
    return names.values_of(stem) or [stem]


@dataclass
class _Judge:
    """Verdicts under one loss."""

    program: Program
    measured: Measured
    loss: int
    groups: list[Group]
    claimed: set[int]
    counts: list[int]
    origins: dict[str, list[int]] = field(default_factory=dict)
    by_size: dict[int, list[int]] = field(default_factory=dict)
    is_turned: bool | None = None

    def __post_init__(self) -> None:
        for event in self.measured.run.trace.events:
            if event.index in self.claimed:
                continue
            origin = self.measured.first(event)
            if origin in self.claimed:
                continue
            name = event.name.partition("[")[0]
            if origin not in self.origins.setdefault(name, []):
                self.origins[name].append(origin)
            here = self.by_size.setdefault(event.value.size, [])
            if origin not in here:
                here.append(origin)

    def candidates(self, event: Event) -> tuple[list[int], bool]:
        """Return the values that a gradient may be of, and whether its name says so."""
        found = [origin for name in _targets(self.program, event)
                 for origin in self.origins.get(name, ())]  # fmt: skip
        found = self._moving(found)
        stem = self.program.outline.names.stem(event.name.partition("[")[0]) or ""
        if not found and stem.lower() in SHORT:  # db, where another class has a b
            found = self._moving([origin for name, here in self.origins.items()
                                  if SHORT[stem.lower()].fullmatch(name) for origin in here])  # fmt: skip
        if found:
            return found, True
        near = [one for one in self.by_size.get(event.value.size, ())
                if one < event.index or event.kind == "step"]  # fmt: skip
        return self._moving(near[-MOST_NEAR:]), False

    def _moving(self, places: Sequence[int]) -> list[int]:
        return [one for one in dict.fromkeys(places) if self.measured.moves(one, self.loss)]

    def ratios(self, event: Event, value: np.ndarray) -> list[tuple[float, int]]:
        """Return of which values a gradient is a multiple, and how many times."""
        found = []
        for origin in self.candidates(event)[0]:
            shape = self.measured.run.trace.events[origin].value.shape
            if _squeezed(shape) != _squeezed(value.shape):
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
        total = {True: 0, False: 0}
        for group in self.groups:
            if not self.candidates(group.last)[1]:
                continue
            ratios = self.ratios(group.last, group.last.value)
            large = [r for r, _ in ratios] if group.last.value.size > 1 else [
                r for r, _ in ratios if self.allowed(r)]  # fmt: skip
            total[group.parameter] += 1
            if large:
                best = min(large, key=lambda r: abs(math.log(abs(r))) + (r < 0))
                votes[group.parameter][float(f"{best:.4g}")] += 1
        found = []
        for kind in (True, False):
            allowed = {r: count for r, count in votes[kind].items() if self.allowed(r)}
            allowed = {r: n for r, n in allowed.items() if r > 0} or allowed
            most = max(allowed.values(), default=0)
            likely = [r for r, count in allowed.items() if 2 * count >= most]
            found.append(min(likely, key=lambda r: abs(math.log(abs(r))), default=None))
        parameters = found[0] if found[0] is not None else 1.0
        return parameters, found[1] if found[1] is not None else parameters

    def turned(self, factors: tuple[float, float]) -> bool:
        """Whether the rows that do not name their value have the other sign: ``y - a``."""
        if self.is_turned is None:
            count = 0
            for group in self.groups:
                if group.last.value.size > 1 and not self.candidates(group.last)[1]:
                    ratios = [r for r, _ in self.ratios(group.last, group.last.value)]
                    count += any(abs(r / f - 1) < 1e-3 for r in ratios for f in factors)
                    count -= any(abs(r / f + 1) < 1e-3 for r in ratios for f in factors)
            self.is_turned = count < 0
        return self.is_turned

    def allowed(self, ratio: float) -> bool:
        """Whether a factor is one that conventions bring."""
        sizes = [1.0, 0.5, *(float(n) for n in self.counts), *(1 / n for n in self.counts),
                 *(n / 2 for n in self.counts), *(0.5 / n for n in self.counts)]  # fmt: skip
        return any(abs(abs(ratio) / one - 1) < 1e-3 for one in sizes)


def _squeezed(shape: tuple[int, ...]) -> tuple[int, ...]:
    return tuple(one for one in shape if one != 1)


def _under(best: _Tried) -> dict[int, RowJudged]:
    """Judge the gradients of a run under one loss."""
    program = replace(best.program, changed={})
    run, loss = best.run, best.loss
    judge = _judge(program, run, best.measured, loss)
    factors = judge.factors()
    usual = " of " in loss
    now = run
    broken = False
    unclear: list[Group] = []
    for group in judge.groups:
        factor = factors[0] if group.parameter else factors[1]
        original = group.last
        value = now.trace.events[original.index].value
        named = judge.candidates(original)[1]
        if _accepted(judge, original, original.value, factors, group):
            group.verdict = "proven"
            group.why = _convention(group.factor, judge.counts, group.parameter)
        elif broken and _accepted(judge, original, value, factors, group):
            group.verdict, group.why = "follows", FOLLOWS
        elif named:
            if (mended := _explained(judge, group, unclear, factors, loss)) is not None:
                unclear.remove(mended)
                group.verdict, group.why = "follows", FOLLOWS
                broken = True
            else:
                broken = _accuse(judge, group, value, loss, factor) or broken
            now = program.run()
            if len(now.trace.events) != len(run.trace.events):
                program.changed.pop(original.index, None)
                now = program.run()
        else:
            group.why = UNCLEAR
            unclear.append(group)
    misfits = best.run.trace.misshapen & claimed_rows(program.statements)
    accused = misfits | {
        event.line for one in judge.groups if one.verdict == "wrong" for event in one.events
    }
    if len(best.right) < max(1, len(accused)):
        for group in judge.groups:
            if group.verdict in ("wrong", "follows"):
                group.verdict, group.numbers = "unproven", None
                group.why = f"{group.why}; {FEW}".lstrip("; ")
    rows = _rows(judge.groups, not usual)
    for line in misfits:
        few = len(best.right) < max(1, len(accused))
        why = run.trace.failed.get(line, "") or "shapes that do not meet"
        rows[line] = RowJudged(line, "unproven" if few else "wrong", why, None, not usual)
    if program.inputs.penalty == 0:
        rows = {line: replace(row, why=f"{row.why}; {PENALTY}".lstrip("; ")) for line, row in
                rows.items()}  # fmt: skip
    if usual:
        rows = {line: replace(row, why=f"{row.why}; taken: {loss} as the loss".lstrip("; "))
                for line, row in rows.items()}  # fmt: skip
    return rows


def _accepted(
    judge: _Judge, event: Event, value: np.ndarray, factors: tuple[float, float], group: Group
) -> bool:
    named = judge.candidates(event)[1]
    wanted: Sequence[float] = (factors[0],) if group.parameter else factors
    if not named and judge.turned(factors):
        wanted = [-one for one in factors]
    if value.size == 1 and not named:
        return False  # every number is a multiple of every other one
    for ratio, _ in judge.ratios(event, value):
        for factor in wanted:
            if abs(ratio / factor - 1) < 2e-4:
                group.factor = factor
                return True
    return False


def _explained(
    judge: _Judge, group: Group, unclear: Sequence[Group], factors: tuple[float, float], loss: str
) -> Group | None:
    """Return the row above whose mistake makes a gradient wrong; None where there is none."""
    changed = judge.program.changed
    for above in unclear[::-1][:4]:
        event = above.last
        for origin in judge.candidates(event)[0]:
            shape = judge.measured.run.trace.events[origin].value.shape
            if _squeezed(shape) != _squeezed(event.value.shape):
                continue
            for factor in dict.fromkeys(factors[::-1]):
                true = judge.measured.whole(origin, loss).reshape(event.value.shape) * factor
                changed[event.index] = lambda _, true=true: true.copy()  # type: ignore[misc]
                now = judge.program.run().trace.events
                if len(now) > group.last.index and _accepted(
                    judge, group.last, now[group.last.index].value, factors, group
                ):  # fmt: skip
                    above.verdict, above.why = "wrong", ""
                    place = int(np.argmax(np.abs(true.ravel() - event.value.ravel())))
                    above.numbers = (float(event.value.ravel()[place]), float(true.ravel()[place]))
                    return above
                del changed[event.index]
    return None


def _accuse(judge: _Judge, group: Group, value: np.ndarray, loss: str, factor: float) -> bool:
    """Call a gradient wrong, and go on with the one that it misses."""
    event = group.last
    found, _ = judge.candidates(event)
    shapes = {one: judge.measured.run.trace.events[one].value.shape for one in found}
    same = [one for one in found if _squeezed(shapes[one]) == _squeezed(value.shape)]
    group.verdict = "wrong"
    if not same:
        group.why = f"the shape is {value.shape}, and the value that it is the gradient of has " \
                    f"{shapes[found[0]]}"  # fmt: skip
        return False
    ratios = judge.ratios(event, value)
    origin = ratios[0][1] if ratios else same[-1]
    true = judge.measured.whole(origin, loss) * factor
    if not np.isfinite(true).all():
        group.verdict, group.why = "unproven", "the program takes too long to be judged"
        return False
    place = np.unravel_index(int(np.argmax(np.abs(true.ravel() - value.ravel()))), true.shape)
    group.numbers = (float(value.ravel()[np.ravel_multi_index(place, true.shape)]),
                     float(true[place]))  # fmt: skip
    group.why = f"the gradient times {ratios[0][0] / factor:.3g}" if ratios else ""
    shape = event.value.shape
    judge.program.changed[event.index] = lambda _: true.reshape(shape)
    return True


def _convention(factor: float, counts: Sequence[int], parameter: bool) -> str:
    if abs(factor - 1) < 1e-3:
        return ""
    sign = "with the other sign, " if factor < 0 else ""
    size = abs(factor)
    if abs(size - 1) < 1e-3:
        return "right with the other sign, as the direction of the step"
    if abs(size - 0.5) < 1e-3:
        return f"right {sign}as the gradient of J/2 (half the squared error)"
    for n in counts:
        if abs(size / n - 1) < 1e-3:
            what = "right as the gradient of m J (the sum, not the mean)" if parameter else \
                "right as m times the derivative (the course's convention)"  # fmt: skip
            return f"{what}{', with the other sign' if sign else ''}"
    return f"right {sign}up to the factor {factor:.3g} that the rows share"


def _rows(groups: Sequence[Group], sure: bool) -> dict[int, RowJudged]:
    found: dict[int, RowJudged] = {}
    for group in groups:
        lines = list(dict.fromkeys(event.line for event in group.events))
        verdict, why = group.verdict, group.why
        fault = group.fault if verdict == "wrong" and len(lines) > 1 else None
        if verdict == "wrong" and len(lines) > 1 and fault is None:
            verdict = "unproven"
            why = f"the steps that make {group.last.name} come to another value; write them as one"
        if why == UNCLEAR and not group.claims:
            continue
        for line in lines:
            said = (
                (verdict, why)
                if fault is None or line == fault
                else (
                    ("proven", "right as far as it goes") if line < fault else ("follows", FOLLOWS)
                )
            )
            row = RowJudged(line, *said, group.numbers if said[0] == "wrong" else None, sure)
            old = found.get(line)
            if old is None or _order(row) > _order(old):
                found[line] = row
    return found


def _order(row: RowJudged) -> int:
    return {"unproven": 1, "proven": 2, "follows": 3, "wrong": 4}[row.verdict]


__all__ = ["EXAMPLES", "RowJudged", "claimed_rows", "rows_of_program"]
