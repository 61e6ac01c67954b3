"""Gradients in code, held to differences of the loss of the same code.

A gradient is right where a reading of the shapes makes it the derivative of the loss along random
directions. It is wrong where no reading does, and everything it depends on was read.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np

from chainrule.teaching.marking.code_by_value.algebra import Event, Misfit, Mismatch
from chainrule.teaching.marking.code_by_value.blame import blame_own_names
from chainrule.teaching.marking.code_by_value.comparing import (
    INDEPENDENT,
    compare,
    inside,
    spare_foreign,
)
from chainrule.teaching.marking.code_by_value.factors import FOLLOWS, Line, example_counts, settle
from chainrule.teaching.marking.code_by_value.gradients import Backward, Slopes, places_of
from chainrule.teaching.marking.code_by_value.likeliest import readings
from chainrule.teaching.marking.code_by_value.local_slopes import compare_local
from chainrule.teaching.marking.code_by_value.mends import is_mended
from chainrule.teaching.marking.code_by_value.naming import Names, derive, names_of
from chainrule.teaching.marking.code_by_value.numeric import Array
from chainrule.teaching.marking.code_by_value.own_names import helpers_of
from chainrule.teaching.marking.code_by_value.readings import (
    FAULTS,
    Budget,
    Reading,
    find_upstream,
)
from chainrule.teaching.marking.code_by_value.rows import fault_of
from chainrule.teaching.marking.code_by_value.source import Source, source
from chainrule.teaching.marking.code_by_value.units import Unit, units
from chainrule.teaching.marking.code_by_value.updates import stepped_names
from chainrule.teaching.marking.code_by_value.usual_losses import USUAL, penalties_in
from chainrule.teaching.marking.code_by_value.walk import Walk, is_start
from chainrule.teaching.marking.code_by_value.words import short_functions, word_of

MOST_READINGS = 12
OTHER_READING = "right in one reading of the shapes and wrong in another; declare them"
NO_LOSS = "the code has no loss, and under none of the usual ones does its first gradient hold; " \
          "add the line that computes the loss"  # fmt: skip
UNSETTLED = "a row before it, from which it starts, is not settled"
INFERRED = "the shapes are inferred, and no small change makes the row right; declare them"
NOT_REACHED = "the value that this is the gradient of is not computed in this code, as far as it " \
              "is read; add the rows that compute it and the loss"  # fmt: skip
ROUNDS = "right in one round of the loop and wrong in another"


@dataclass(frozen=True)
class CodeJudged:
    """The judgement of one row of code.

    Parameters
    ----------
    line : int
        Its row.
    text : str
        The statement.
    verdict : str
        ``proven``, ``wrong``, ``follows`` or ``unproven``.
    why : str
        The evidence or the reason.
    numbers : tuple of float or None
        Two numbers that differ.
    sure : bool
        Whether the code defines its loss, and every row of it was read.
    """

    line: int
    text: str
    verdict: str
    why: str
    numbers: tuple[float, float] | None = None
    sure: bool = False


def judged(text: str) -> list[CodeJudged]:
    """Judge the gradients in the code of a text; empty where it has none."""
    code = source(text)
    if code is None:
        return []
    rows = text.split("\n")
    found: list[CodeJudged] = []
    for unit in units(code.statements):
        found.extend(_of_unit(unit, code, rows))
    found.extend(_unread(code, rows, {one.line for one in found}))
    seen: dict[int, CodeJudged] = {}
    for one in found:  # a row of a loop is right where it is right in every round
        old = seen.get(one.line)
        if old is not None and {old.verdict, one.verdict} == {"proven", "wrong"}:
            seen[one.line] = replace(one, verdict="unproven", why=ROUNDS, numbers=None)
        elif old is None or _weight(one) > _weight(old):
            seen[one.line] = one
    return [seen[line] for line in sorted(seen)]


def _unread(code: Source, rows: list[str], judged: set[int]) -> Iterator[CodeJudged]:
    """Yield the rows that give a gradient by its name, and were not judged."""
    names = names_of(code.statements)
    for node in (sub for whole in code.statements for sub in ast.walk(whole)):
        target = node.targets[0] if isinstance(node, ast.Assign) else getattr(node, "target", None)
        value = getattr(node, "value", None)
        if not isinstance(node, ast.Assign | ast.AugAssign) or node.lineno in judged:
            continue
        while isinstance(target, ast.Subscript) and not isinstance(target.slice, ast.Constant):
            target = target.value
        name = word_of(target) if isinstance(target, ast.expr) else ""
        if not names.is_named_gradient(name) or not isinstance(value, ast.BinOp | ast.Call):
            continue
        begins_list = isinstance(value, ast.BinOp) and isinstance(value.left, ast.List)
        if begins_list or (isinstance(value, ast.Call) and not value.args):
            continue
        event = Event(node.lineno, name, "=", value, None, ())
        if not is_start(event) and 0 < node.lineno <= len(rows):
            why = names.failures.get(node.lineno, NOT_REACHED)
            yield CodeJudged(node.lineno, rows[node.lineno - 1].strip(), "unproven", why)


def _weight(judged: CodeJudged) -> int:
    """Return which of the judgements of one row counts; the largest."""
    if judged.verdict == "unproven":
        return 0 if judged.why == INDEPENDENT else 4
    return {"wrong": 3, "follows": 2, "proven": 1}[judged.verdict]


def _of_unit(unit: Unit, code: Source, rows: list[str]) -> Iterator[CodeJudged]:
    """Yield the judgements of one part of the code, and the rows of it that were not read."""
    names = names_of(unit.statements)
    names.helpers = short_functions(unit.statements)
    names.stepped = stepped_names(unit.statements)
    names.incoming.update(unit.incoming)
    names.derived |= unit.incoming.keys() | helpers_of(names, unit.statements)
    derive(names, unit.statements)
    try:
        lines = _best(Source(unit.statements, code.left_out), names)
    except FAULTS:
        return
    if lines and not any(line.verdict == "wrong" for line in lines):
        for line in lines:  # from a line that is not settled
            if line.verdict == "follows":
                line.verdict, line.why = "unproven", UNSETTLED
    for line in lines or ():
        yield from _of_line(line, rows)
    undecided = any(line.verdict == "unproven" for line in lines or ())
    for row, why in names.failures.items() if undecided else ():
        if 0 < row <= len(rows) and "whose definition was not read" not in why:
            yield CodeJudged(row, rows[row - 1].strip(), "unproven",
                             f"{why}; write this row in another way")  # fmt: skip


def _of_line(line: Line, rows: list[str]) -> Iterator[CodeJudged]:
    """Yield the judgements of the rows that make one gradient."""
    for at, event in enumerate(line.events):
        if is_start(event):
            continue
        verdict, why = line.verdict, line.why
        if verdict == "wrong" and line.fault is not None:
            if at < line.fault:
                verdict, why = "proven", "right as far as it goes: the rows after it start from it"
            elif at > line.fault:
                verdict, why = "follows", FOLLOWS
        elif verdict == "wrong":
            if at < line.good:
                verdict, why = "proven", "right as far as it goes: a part of the loss"
            elif len({e.line for e in line.events[line.good :] if not is_start(e)}) > 1:
                verdict = "unproven"
                why = f"the steps that make {event.target} come to another value; " \
                      "write them as one"  # fmt: skip
        yield CodeJudged(event.line, rows[event.line - 1].strip(), verdict, why,
                         line.numbers if verdict == "wrong" else None, line.sure)  # fmt: skip


def _best(code: Source, names: Names) -> list[Line] | None:
    """Return the lines under the reading that makes most of them right."""
    budget = Budget()
    tried: list[tuple[int, list[Line]]] = []
    for reading in readings(code, names, budget, MOST_READINGS):
        try:
            lines = _under(reading)
        except FAULTS:
            continue
        if lines is None:
            continue
        proven = sum(len(line.events) for line in lines if line.verdict == "proven")
        tried.append((proven + sum(line.fault is not None for line in lines), lines))
        if all(line.verdict == "proven" for line in lines):
            return lines
    if not tried:
        return None
    most = max(right for right, _ in tried)
    equal = [lines for right, lines in tried if right == most]
    best = equal[0]
    count = sum(line.verdict == "proven" for line in best)
    settled = count >= max(4, 3 * sum(line.verdict == "wrong" for line in best))
    for line in best if names.truncated and not settled else ():
        if line.verdict == "wrong" and line.ratio is None:
            line.verdict = "unproven"
            line.why = "more readings of its shapes than are tried; declare them"
    alone = sum(line.verdict == "proven" for line in best) < 2
    for line in (
        best if alone and (names.truncated or not best[0].sure) else ()
    ):  # the shapes of a single row are a guess
        if line.verdict == "wrong" and line.ratio is None and line.numbers is None:
            line.verdict, line.why = "unproven", f"{line.why}; declare the shapes"
    for line in best:  # readings that make as many lines right settle what they agree on
        other = {one.verdict for lines in equal for one in lines if _same(one, line)}
        if line.sure and line.numbers is not None:  # a reading that says nothing is no other one
            other -= {"unproven"}
        if (line.verdict == "wrong" and other != {"wrong"}) or (
            line.verdict == "proven" and "wrong" in other
        ):
            line.verdict, line.numbers = "unproven", None
            line.why = OTHER_READING
    return best


def _same(one: Line, other: Line) -> bool:
    return bool(one.events and other.events) and (
        one.events[0].line,
        one.events[0].scope,
    ) == (other.events[0].line, other.events[0].scope)


def _under(reading: Reading) -> list[Line] | None:
    """Judge all gradients under one reading."""
    first = reading.walk(1)
    events = list(first.events)
    if not events:
        return None
    find_upstream(reading, first, events)
    if reading.terms(first) and not reading.open_output:
        return _judge_all(reading, first, events)
    best: list[Line] | None = None
    for kind in _usual_kinds(reading, first, events):
        try:
            lines = _judge_all(reading, first, events)
        except Misfit:
            continue
        claims = reading.names.is_named_gradient
        named = [line for line in lines if claims(line.events[0].target)] or lines
        right = sum(line.verdict == "proven" for line in named)
        opening = min(named, key=_first_claim)
        rest = {line.verdict for line in named if line is not opening}
        coherent = len(named) < 4 or "proven" in rest
        most = right >= max(3, len(named) / 2)
        start = (
            most
            or (opening.verdict == "proven" and coherent)
            or (opening.ratio is not None and bool(rest) and rest <= {"proven", "follows"})
        )  # a factor in the first row alone
        if most and not start:  # its own loss is not one of these: the steps after it may be right
            opening.verdict, opening.why, opening.numbers = "unproven", NO_LOSS, None
            start = True
        kind = f"{kind} with the penalty" if reading.penalties else kind
        if start and (best is None or right > sum(one.verdict == "proven" for one in best)):
            best = [
                replace(one, why=f"{one.why}; taken: {kind} as the loss")
                if one.verdict in ("proven", "wrong") else one for one in lines
            ]  # fmt: skip
        if start and right == len(lines):
            break
    if best is None and reading.open_output:
        reading.taken, reading.penalties, reading.divisor = "", (), 1.0
        return _judge_all(reading, first, events)
    if best is None:
        return [
            Line([event], why=NO_LOSS)
            for event in events
            if not is_start(event) and reading.names.is_named_gradient(event.target)
        ]
    return best


def _usual_kinds(reading: Reading, walk: Walk[Array], events: list[Event]) -> Iterator[str]:
    """Yield the usual losses, each taken by the reading; as means too beside a penalty."""
    reading.penalties = penalties_in(events, walk, reading.names)
    divisors = [1.0, *example_counts(reading, walk)] if reading.penalties else [1.0]
    for kind in USUAL:
        for divisor in divisors:
            reading.taken, reading.divisor = kind, divisor
            yield kind


def _first_claim(line: Line) -> int:
    return next((event.line for event in line.events if not is_start(event)), 10**6)


def _judge_all(reading: Reading, walk: Walk[Array], events: list[Event]) -> list[Line]:
    reading.names.failures.clear()
    reading.names.failures.update(walk.failed)
    slopes = Slopes(reading, walk, 1)
    backward = Backward(reading.walk(1), reading)
    terms = reading.terms(walk)
    loss = _whole_loss(terms, walk)
    lines: list[Line] = []
    groups = _groups(events)
    counts = example_counts(reading, walk)
    for at, event in enumerate(events):
        group = groups[at]
        line = next(
            (one for one in lines if one.events and one.events[0] is events[group[0]]), None
        )
        if line is None:
            line = Line([events[k] for k in group])
            lines.append(line)
        _begin(event, backward, slopes)
        try:
            value = backward.apply(event)
        except Misfit as error:
            line.why = line.why or str(error)
            place = places_of(slopes, event, reading.names, walk)
            if isinstance(error, Mismatch) and place:
                line.verdict = "wrong"
                line.fault = group.index(at) if len(group) > 1 else None
                line.misfit = not is_mended(event, place, backward, slopes, loss)
            if place:
                backward.walk.known[event.target] = slopes.whole(place[0], loss)
                line.replaced = True
            else:
                backward.walk.known.pop(event.target, None)
                backward.walk.names.unread.add(event.target)
            continue
        backward.walk.known[event.target] = value
        if line.why or isinstance(value, tuple) or (len(group) == 1 and is_start(event)):
            continue
        last = at == group[-1]
        array = np.asarray(backward.walk.lifted(value), dtype=float)
        line.states.append(array)
        if (local := reading.names.local(event.target)) is not None:
            if last:
                compare_local(line, slopes, array, *local)
            continue
        compare(line, slopes, array, event, terms, loss, last=last, counts=counts)
        if last and line.verdict == "wrong":
            place = places_of(slopes, event, reading.names, walk)
            if line.numbers is None and line.ratio is None:
                line.misfit = not is_mended(event, place, backward, slopes, loss)
            if place:
                backward.walk.known[event.target] = slopes.whole(place[0], loss)
                line.replaced = True
            if place and len(group) > 1:
                _find_row(line, slopes, backward, [*place, *inside(slopes, place)], loss)
    if slopes.still and len(slopes.still) >= len(slopes.moving):
        raise Misfit("a reading in which the loss hardly depends on anything")
    for line in lines:
        line.sure = not (walk.failed or reading.taken or reading.code.left_out)
    lines = [line for line in lines if not _is_start(line)]
    settle(lines, reading, walk)
    blame_own_names(lines, slopes, backward, loss, counts)
    for line in lines:
        if line.verdict == "wrong" and len(line.events) > 1 and line.fault is None:
            place = places_of(slopes, line.events[-1], reading.names, walk)
            _find_row(line, slopes, backward, place, loss)
    spare_foreign(lines, slopes, loss)
    for line in lines:
        if line.verdict == "wrong" and line.misfit:
            line.verdict, line.why = "unproven", f"{line.why}; {INFERRED}"
    return lines


def _begin(event: Event, backward: Backward, slopes: Slopes) -> None:
    """Let a gradient that rows add to start at zero, where the code does not begin it."""
    known = backward.walk.known
    used = {word_of(node) for node in ast.walk(event.value)
            if isinstance(node, ast.Name | ast.Attribute)}  # fmt: skip
    if event.target in known or (event.operation == "=" and event.target not in used):
        return
    if event.target in slopes.reading.upstream:
        return
    places = places_of(slopes, event, slopes.reading.names, slopes.walk)
    shape = slopes.numbers.seen[places[0]][1].shape if places else ()
    known[event.target] = np.zeros(shape)


def _find_row(line: Line, slopes: Slopes, backward: Backward, places: list[int], loss: str) -> None:
    """Find the row at fault, and go on with the gradient that it misses."""
    shape = line.states[-1].shape if line.states else None
    for place in places:
        if slopes.numbers.seen[place][1].shape != shape:
            continue
        true = slopes.whole(place, loss)
        line.fault = fault_of(line, backward, true)
        if line.fault is None and line.leaf and line.part is not None and not line.good:
            line.fault = 0
        if line.fault is not None:
            backward.walk.known[line.events[-1].target] = true
            last = len(line.events) - 1  # right before its last row: that of another value after it
            line.replaced = line.good != last
            return


def _is_start(line: Line) -> bool:
    """Whether a name only starts at zero."""
    return all(is_start(event) for event in line.events)


def _whole_loss(terms: dict[str, float], walk: Walk[Array]) -> str:
    if "the loss" in terms:
        return "the loss"
    if "the objective" in terms:
        return "the objective"
    return list(terms)[-1]


def _groups(events: list[Event]) -> list[list[int]]:
    """Return, per event, the events that make one gradient together."""
    found: list[list[int]] = []
    of: dict[tuple[str, tuple[tuple[str, int], ...]], list[int]] = {}
    for at, event in enumerate(events):
        key = (event.target, event.scope)
        accumulates = event.operation != "=" or event.places is not None
        uses_itself = event.operation == "=" and any(
            isinstance(node, ast.Name) and node.id == event.target for node in ast.walk(event.value)
        )
        if (
            (accumulates or uses_itself)
            and event.scope
            and ((event.target, ()) in of or key not in of)
        ):
            key = (event.target, ())
        if (accumulates or uses_itself) and key in of:
            of[key].append(at)
        else:
            of[key] = [at]
        found.append(of[key])
    return found


__all__ = ["NO_LOSS", "OTHER_READING", "CodeJudged", "judged"]
