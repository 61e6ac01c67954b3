"""Verdicts on the gradients of a program, each held to differences of its loss."""

from __future__ import annotations

import ast
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from chainrule.teaching.marking.code_as_program.layouts import Tried, likeliest
from chainrule.teaching.marking.code_as_program.matching import (
    Group,
    Matching,
    accepted,
    matching_of,
    squeezed,
)
from chainrule.teaching.marking.code_as_program.outline import FILLED, name_of, outline_of
from chainrule.teaching.marking.code_as_program.program import Budget, Program, entries
from chainrule.teaching.marking.code_by_value.given_lengths import with_small_lengths
from chainrule.teaching.marking.code_by_value.words import word_of

PENALTY = "without the penalty, which the loss leaves out"
UNCLEAR = "it is not clear of which value this is the gradient"
FEW = "fewer rows are right than wrong as the program is read; add the call that trains it"
OTHER = "right in one reading of the shapes and wrong in another; declare them"
TOO_LONG = "the program takes too long to be judged"
ALONG = "not the derivative of the loss along a random direction"
AFTER = "a row above it was not judged"
NEAR = 0.005
FOLLOWS = "right, once the wrong row above is taken for granted"
UNDONE = "not the gradient by itself, and a row below makes up for it"
UNDOES = "right only because it makes up for the row above"


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
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # such as that of the mean of nothing
        return _rows_of_program(statements)


def _rows_of_program(statements: Sequence[ast.stmt]) -> dict[int, RowJudged]:
    with_small_lengths(statements)
    outline = outline_of(statements)
    found: dict[int, RowJudged] = {}
    budget = Budget()
    for entry in (None, *entries(statements, outline)):
        if entry is not None and found and _is_covered(entry, statements, found):
            continue
        best = likeliest(statements, outline, entry, set(found), budget)
        for line, row in _cleared(best).items():
            old = found.get(line)
            if old is None or _weight(row) > _weight(old):
                found[line] = row
    handed_on = _handed_on(statements)
    return {k: row for k, row in found.items() if k not in handed_on or row.verdict == "wrong"}


def _handed_on(statements: Sequence[ast.stmt]) -> set[int]:
    """Return the rows of dictionaries of names: ``grads = {"dw": dw, "db": db}``."""
    return {
        line
        for node in (sub for one in statements for sub in ast.walk(one))
        if isinstance(node, ast.Assign)
        and isinstance(node.value, ast.Dict)
        and all(isinstance(value, ast.Name) for value in node.value.values)
        for line in range(node.lineno, (node.end_lineno or node.lineno) + 1)
    }


def _cleared(best: tuple[Tried, set[int]] | None) -> dict[int, RowJudged]:
    if best is None:
        return {}
    rows = verdicts_under(best[0])
    return {
        line: RowJudged(line, "unproven", OTHER) if row.verdict == "wrong" and line in best[1]
        else row for line, row in rows.items()
    }  # fmt: skip


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
                isinstance(node.value, ast.Call)
                and (not node.value.args or word_of(node.value.func) in FILLED)
            )
            if any(outline.is_claim(name_of(one)) for one in targets) and not idle:
                found.add(node.lineno)
    return found


def _weight(row: RowJudged) -> int:
    return {"unproven": 0, "follows": 2, "proven": 3, "wrong": 4}[row.verdict]


def verdicts_under(best: Tried) -> dict[int, RowJudged]:
    """Judge the gradients of a run under one loss."""
    program = replace(best.program, changed={})
    run, loss = best.run, best.loss
    judge = matching_of(program, run, best.measured, loss)
    factors = judge.factors()
    usual = " of " in loss
    now = run
    broken = lost = False  # whether a row above is wrong, or may be
    unclear: list[Group] = []
    accused: list[Group] = []
    for group in judge.groups:
        factor = factors[0] if group.parameter else factors[1]
        original = group.last
        value = now.trace.events[original.index].value
        named = judge.candidates(original)[1]
        if accepted(judge, original, original.value, factors, group):
            if accused and not accepted(judge, original, value, factors, group):
                if not any(one.parameter and one.verdict == "follows" for one in judge.groups):
                    _undo(program, accused.pop())
                group.why = UNDOES
                now = program.run()
                continue
            group.verdict = "proven"
            group.why = _convention(group.factor, judge.counts, group.parameter)
        elif broken and accepted(judge, original, value, factors, group):
            group.verdict, group.why = "follows", FOLLOWS
        elif named:
            if (mended := _explained(judge, group, unclear, factors, loss)) is not None:
                unclear.remove(mended)
                group.verdict, group.why = "follows", FOLLOWS
                broken = True
            elif lost:
                group.why = AFTER
            else:
                broken = _accuse(judge, group, value, loss, factor) or broken
                lost = group.why in (TOO_LONG, ALONG) or _is_open(judge, group, value)
                if group.last.index in program.changed:
                    accused.append(group)
            now = program.run()
            if len(now.trace.events) != len(run.trace.events):
                program.changed.pop(original.index, None)
                now = program.run()
        else:
            group.why = UNCLEAR
            unclear.append(group)
    misfits = best.run.trace.misshapen & claimed_rows(program.statements)
    blamed = misfits | {
        event.line for one in judge.groups if one.verdict == "wrong" for event in one.events
    }
    if len(best.right) < max(1, len(blamed)):
        for group in judge.groups:
            if group.verdict in ("wrong", "follows"):
                group.verdict, group.numbers = "unproven", None
                group.why = f"{group.why}; {FEW}".lstrip("; ")
    rows = _rows(judge.groups, not usual)
    for line in misfits:
        few = len(best.right) < max(1, len(blamed))
        why = run.trace.failed.get(line, "") or "shapes that do not meet"
        rows[line] = RowJudged(line, "unproven" if few else "wrong", why, None, not usual)
    if program.inputs.penalty == 0:
        rows = {line: replace(row, why=f"{row.why}; {PENALTY}".lstrip("; ")) for line, row in
                rows.items()}  # fmt: skip
    for taken in sorted(best.run.trace.taken):
        rows = {line: replace(row, why=f"{row.why}; taken: {taken}".lstrip("; "))
                for line, row in rows.items()}  # fmt: skip
    if usual:
        rows = {line: replace(row, why=f"{row.why}; taken: {loss} as the loss".lstrip("; "))
                for line, row in rows.items()}  # fmt: skip
    return rows


def _undo(program: Program, group: Group) -> None:
    """Take back an accusation: what is computed with the row is right as it stands."""
    group.verdict, group.why, group.numbers = "unproven", UNDONE, None
    program.changed.pop(group.last.index, None)


def _explained(
    judge: Matching, group: Group, unclear: Sequence[Group], factors: tuple[float, float], loss: str
) -> Group | None:
    """Return the row above whose mistake makes a gradient wrong; None where there is none."""
    changed = judge.program.changed
    for above in unclear[::-1][:4]:
        event = above.last
        for origin in judge.candidates(event)[0]:
            shape = judge.measured.run.trace.events[origin].value.shape
            if squeezed(shape) != squeezed(event.value.shape):
                continue
            for factor in dict.fromkeys(factors[::-1]):
                true = judge.measured.whole(origin, loss).reshape(event.value.shape) * factor
                changed[event.index] = lambda _, true=true: true.copy()  # type: ignore[misc]
                now = judge.program.run().trace.events
                if len(now) > group.last.index and accepted(
                    judge, group.last, now[group.last.index].value, factors, group
                ):  # fmt: skip
                    above.verdict, above.why = "wrong", ""
                    place = int(np.argmax(np.abs(true.ravel() - event.value.ravel())))
                    above.numbers = (float(event.value.ravel()[place]), float(true.ravel()[place]))
                    return above
                del changed[event.index]
    return None


def _accuse(judge: Matching, group: Group, value: np.ndarray, loss: str, factor: float) -> bool:
    """Call a gradient wrong, and go on with the one that it misses."""
    event = group.last
    if turned := judge.is_transposed(event):
        value = value.T
    found, _ = judge.candidates(event)
    shapes = {one: judge.measured.run.trace.events[one].value.shape for one in found}
    same = [one for one in found if squeezed(shapes[one]) == squeezed(value.shape)]
    group.verdict = "wrong"
    events = judge.measured.run.trace.events
    if not same and any(events[one].line == 0 for one in found):
        group.verdict = "unproven"
        group.why = f"the shape of {events[found[0]].name} is open; add a call that gives it"
        return False
    if not same:
        group.why = f"the shape is {value.shape}, and the value that it is the gradient of has " \
                    f"{shapes[found[0]]}"  # fmt: skip
        return False
    ratios = judge.ratios(event, value)
    origin = ratios[0][1] if ratios else same[-1]
    if not judge.measured.is_affordable(origin):
        return _accuse_along(judge, group, value, origin, factor)
    true = judge.measured.whole(origin, loss) * factor
    if not np.isfinite(true).all():
        group.verdict, group.why = "unproven", TOO_LONG
        return False
    place = np.unravel_index(int(np.argmax(np.abs(true.ravel() - value.ravel()))), true.shape)
    group.numbers = (float(value.ravel()[np.ravel_multi_index(place, true.shape)]),
                     float(true[place]))  # fmt: skip
    if ratios and abs(ratios[0][0] / factor - 1) < NEAR:
        group.verdict, group.why = "unproven", "right up to a small number that it leaves out"
        return False
    group.why = f"the gradient times {ratios[0][0] / factor:.3g}" if ratios else ""
    if turned:
        return False
    shape = event.value.shape
    judge.program.changed[event.index] = lambda _: true.reshape(shape)
    return True


def _accuse_along(
    judge: Matching, group: Group, value: np.ndarray, origin: int, factor: float
) -> bool:
    """Call a gradient wrong by its slope along a direction, where all entries take too long."""
    given, slope = judge.measured.along(value, origin, judge.loss)
    if not np.isfinite(slope):
        group.verdict, group.why = "unproven", TOO_LONG
        return False
    group.numbers, group.why = (given, factor * slope), ALONG
    return True


def _is_open(judge: Matching, group: Group, value: np.ndarray) -> bool:
    """Whether a wrong gradient may be of several values, as of the states of a recurrence."""
    events = judge.measured.run.trace.events
    same = [one for one in judge.candidates(group.last)[0]
            if squeezed(events[one].value.shape) == squeezed(value.shape)]  # fmt: skip
    if len(same) < 2 or judge.ratios(group.last, value):
        return False
    judge.program.changed.pop(group.last.index, None)
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
        if parameter and abs(size * n - 1) < 1e-3:
            return f"right {sign}as the gradient of J/m (the mean, not the sum)"
        if parameter and abs(size * 2 * n - 1) < 1e-3:
            return f"right {sign}as the gradient of J/(2 m)"
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


__all__ = ["FEW", "RowJudged", "claimed_rows", "rows_of_program"]
