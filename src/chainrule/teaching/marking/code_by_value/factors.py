"""Factors that the gradients of a text have in common, and lines that break them."""

from __future__ import annotations

import ast
import re
from dataclasses import dataclass, field

import numpy as np

from chainrule.teaching.marking.code_by_value.algebra import Event
from chainrule.teaching.marking.code_by_value.gradients import is_close
from chainrule.teaching.marking.code_by_value.numeric import Array, Numbers
from chainrule.teaching.marking.code_by_value.readings import COUNTS, HALF_SQUARES, Reading
from chainrule.teaching.marking.code_by_value.source import Source
from chainrule.teaching.marking.code_by_value.walk import Walk
from chainrule.teaching.marking.code_by_value.words import word_of


@dataclass
class Line:
    """Judgement of the events of one name under one reading."""

    events: list[Event]
    verdict: str = "unproven"
    why: str = ""
    ratio: float | None = None
    leaf: bool = False
    exact: bool = True  # whether its name says of which value it is the gradient
    numbers: tuple[float, float] | None = None
    sure: bool = False  # whether the code defines its loss and all of it was read
    replaced: bool = False  # whether the lines after it were given the right value
    states: list[Array] = field(default_factory=list)  # the value after each event
    fault: int | None = None  # the event that is wrong, where several make the gradient
    part: float | None = None  # by what its first value exceeds the gradient of a part
    misfit: bool = False  # whether its shapes do not meet, and no small change mends it
    good: int = 0  # how many events come to the gradient of a part of the loss


def settle(lines: list[Line], reading: Reading, walk: Walk[Array]) -> None:
    """Decide which factors are conventions."""
    counts = example_counts(reading, walk)
    upward = bool(walk.updates) and not any(walk.updates.values())
    free = bool(reading.taken)
    signed = upward or (
        not any(walk.updates.values())
        and not any(
            not _is_delta(line) and reading.names.is_named_gradient(line.events[0].target)
            for line in lines
        )
    )  # a code without gradients by name may carry the error with either sign
    for line in lines:  # a name of the author's own may be any multiple of a gradient
        own = not line.exact and not reading.names.is_named_gradient(line.events[0].target)
        if own and line.ratio is not None and not is_close(abs(line.ratio), 1.0):
            line.ratio, line.why = None, ""
    read = [line for line in lines if line.ratio is not None]
    leaves = [line for line in read if line.leaf]
    squares = _has_squares(reading.code)
    alike = read if _step_divides(reading) else leaves
    base = _base(alike or read, counts, upward=upward, squares=squares)
    if free and read and read[0].ratio is not None:
        base = _base_of_usual(read[0].ratio, reading.taken, counts, signed=signed)
    parameters = [line for line in leaves if not _INPUTS.match(line.events[0].target)]
    common = _common_share(parameters, base) if free or reading.names.incoming else None
    one_share = len({round((line.ratio or 0.0) / base, 6) for line in leaves}) == 1
    carried: float | None = None
    for line in read:
        assert line.ratio is not None
        share = line.ratio / base
        inner = not line.leaf or is_close(share, 1.0) or (free and one_share)
        if common is not None and line in parameters:
            if is_close(share, common):  # a course's layer divides by m where it sums
                inner = True
            elif common == TIED:
                line.why = "the gradients of the parameters have different factors, and the " \
                           "code does not say whether its loss is a mean"  # fmt: skip
                continue
            else:
                share, inner = share / common, False
        by_count = next(
            (c for c in counts if is_close(abs(share), c) or is_close(abs(share), 1 / c)), None
        )
        if is_close(share, 1.0):
            line.verdict, note = "proven", _note(base, counts)
        elif inner and by_count is not None and share > 0:
            line.verdict, note = "proven", "read without the mean over the examples"
        elif inner and is_close(abs(share), 1.0) and not line.leaf and signed:
            line.verdict, note = "proven", "read with the other sign, as the code uses it"
        else:
            follows = carried is not None and any(
                is_close(share / carried, c) for c in (1.0, *counts, *(1 / c for c in counts))
            )
            line.verdict = "follows" if follows else "wrong"
            if free and (not line.exact or _is_delta(line)) and not follows:
                line.verdict = "unproven"
                line.why = f"{share:.6g} times the gradient of {reading.taken}; the code does " \
                           "not give its loss: add the line that computes it"  # fmt: skip
                carried = carried if line.leaf else share
                continue
            line.why = f"the gradient times {share:.6g}"
            if follows:
                line.why = FOLLOWS
            else:
                line.numbers = (share, 1.0)
                carried = carried if line.leaf else share
            continue
        agrees = "agrees with differences of the loss along random directions"
        line.why = "; ".join(part for part in (agrees, note, line.why) if part)
    for line in read:
        if line.verdict == "wrong" and _is_rescaled(line):
            line.verdict, line.why, line.exact, line.ratio = "unproven", "", False, None
    _find_break([line for line in read if line.ratio is not None], counts, base)
    _follow(lines)
    named = [line for line in lines if line.ratio is None and line.verdict == "unproven"]
    for line in reversed(named):
        if not line.why:
            _blame(line, lines)


_INPUTS = re.compile(r"(?i)d_?(?:a|x|h|input|prev)(?:_?prev|\d|s|_\w+)?$|\w*grad_?input\w*")
"""Names of gradients of the data that come into a layer."""

TIED = -1.0


def _common_share(lines: list[Line], base: float) -> float | None:
    """Return the factor that most gradients of parameters have; TIED where two are as frequent."""
    shares = [line.ratio / base for line in lines if line.ratio is not None]
    if len(shares) < 2:
        return None
    often = [sum(is_close(other, share) for other in shares) for share in shares]
    best = [share for share, count in zip(shares, often, strict=True) if count == max(often)]
    if all(is_close(share, best[0]) for share in best):
        return best[0]
    return TIED


FOLLOWS = "follows from a line before it that is wrong; this step itself is right"


def _is_rescaled(line: Line) -> bool:
    """Whether a right gradient is scaled in place, to be that of a value without a name."""
    last = line.events[-1]
    if (line.ratio or 0) <= 0 or not 0 < line.good == len(line.events) - 1:
        return False
    return last.operation in ("*=", "/=") and last.places is None


def _has_squares(code: Source) -> bool:
    """Whether something is squared in the code."""
    for statement in code.statements:
        for node in ast.walk(statement):
            if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Pow):
                return True
            word = node.attr if isinstance(node, ast.Attribute) else ""
            if word in ("square", "power", "pow"):
                return True
    return False


def _step_divides(reading: Reading) -> bool:
    """Whether a step has a factor of 1 over the number of examples: ``W -= rate / m * dW``."""
    names = reading.names
    for statement in reading.code.statements:
        for node in ast.walk(statement):
            if not isinstance(node, ast.Assign | ast.AugAssign):
                continue
            target = node.targets[0] if isinstance(node, ast.Assign) else node.target
            if names.uses_gradients(target) or not names.uses_gradients(node.value):
                continue
            for part in ast.walk(node.value):
                divisor = part.right if isinstance(part, ast.BinOp) else None
                if isinstance(part, ast.BinOp) and isinstance(part.op, ast.Div) and (
                    isinstance(divisor, ast.Call)
                    or (isinstance(divisor, ast.Name) and divisor.id in COUNTS)
                ):  # fmt: skip
                    return True
    return False


def _blame(line: Line, lines: list[Line]) -> None:
    """Find whether a name of the author's own is right, by what is computed with it."""
    target, scope = line.events[0].target, line.events[0].scope
    users = [
        one
        for one in lines
        if one is not line
        and any(
            isinstance(node, ast.Name | ast.Attribute) and word_of(node) == target
            for event in one.events
            if event.scope[: len(scope)] == scope  # of the same round of a loop
            for node in ast.walk(event.value)
        )
    ]
    settled = [one for one in users if one.verdict != "unproven"]
    wrong = [one for one in settled if one.verdict == "wrong"]
    own = not line.replaced and line.fault is None  # the lines after it used this very value
    right = all(one.verdict == "proven" for one in settled)
    if own and settled and right and len(settled) == len(users):
        line.verdict = "proven"
        line.why = "a name of the author's own: every gradient computed with it is right"
        return
    line.why = line.why or "it is not clear of which value this is the gradient"
    if len({one.events[0].target for one in wrong}) >= 2 and len(wrong) == len(settled):
        line.verdict = "wrong"
        line.why = "a name of the author's own: every gradient computed with it is wrong"
    for one in wrong:
        one.verdict = "follows" if line.verdict == "wrong" else "unproven"
        one.why = FOLLOWS if line.verdict == "wrong" else f"it depends on {target}"


def _follow(lines: list[Line]) -> None:
    """Spare lines that use a wrong gradient for which no right one was put."""
    wrong: set[str] = set()
    for line in lines:
        target = line.events[0].target
        used = {node.id for event in line.events for node in ast.walk(event.value)
                if isinstance(node, ast.Name)}  # fmt: skip
        if line.verdict == "wrong" and used & (wrong - {target}):
            line.verdict, line.why, line.numbers = "follows", FOLLOWS, None
        if line.verdict in ("wrong", "follows") and not line.replaced:
            wrong.add(target)
        else:
            wrong.discard(target)


def _find_break(lines: list[Line], counts: list[float], base: float) -> None:
    """Blame the line where gradients stop to be those of the sum, not the lines after it."""
    inner = [line for line in lines if not line.leaf and line.ratio is not None]
    wrong = [line for line in lines if line.leaf and line.verdict == "wrong"]
    if not wrong or not inner or any(line.verdict == "wrong" for line in inner):
        return
    first = inner[0].ratio
    assert first is not None
    if not any(is_close(first / base, c) for c in counts):
        return
    for line in inner[1:]:
        assert line.ratio is not None
        share = line.ratio / first
        if is_close(share, 1.0) or not all(
            one.ratio is not None and is_close(one.ratio / base, share) for one in wrong
        ):
            continue
        line.verdict, line.numbers = "wrong", (share, 1.0)
        line.why = f"the gradients above are those of the sum, and this is {share:.6g} times that"
        for one in wrong:
            one.verdict = "follows"
            one.why = FOLLOWS
        return


def _is_delta(line: Line) -> bool:
    return "delta" in line.events[0].target.lower() or "err" in line.events[0].target.lower()


def _base(lines: list[Line], counts: list[float], *, upward: bool, squares: bool) -> float:
    """Return the factor that the gradients of a text have in common."""
    ratios = [line.ratio for line in lines if line.ratio is not None]
    if not ratios or any(is_close(ratio, 1.0) for ratio in ratios):
        return 1.0
    usual = [*counts, *(1 / c for c in counts)]
    if squares:
        usual += [0.5, *(c / 2 for c in counts)]
    first = max(ratios, key=lambda one: sum(is_close(one, other) for other in ratios))
    alike = sum(is_close(first, ratio) for ratio in ratios)
    if alike < 2 or 2 * alike <= len(ratios):
        return 1.0
    if upward:
        return first if any(is_close(abs(first), u) for u in (1.0, *usual)) else 1.0
    return first if any(is_close(first, u) for u in usual) else 1.0


def _base_of_usual(first: float, taken: str, counts: list[float], *, signed: bool) -> float:
    """Return the factor that a usual loss may have where the code does not give its own.

    A loss is a sum or a mean over the examples, and a squared error may be without its half.
    """
    usual = [1.0, *counts, *(1 / c for c in counts)]
    if taken == HALF_SQUARES:
        usual += [2 * one for one in usual]
    size = next((one for one in usual if is_close(abs(first), one)), 1.0)
    return -size if first < 0 and signed else size


def _note(base: float, counts: list[float]) -> str:
    if is_close(base, 1.0):
        return ""
    if any(is_close(base, c) for c in counts):
        return "read as the gradient of the sum, not the mean"
    if is_close(base, -1.0):
        return "read as the direction of the step, which the code adds"
    return f"read as {base:.6g} times the gradient of the loss"


def example_counts(reading: Reading, walk: Walk[Array]) -> list[float]:
    """Return the numbers that may be that of the examples."""
    found: set[float] = set()
    for name, value in walk.known.items():
        size = value.dim if hasattr(value, "dim") else value
        if name in COUNTS and isinstance(size, int | float):
            found.add(float(size))
    assert isinstance(walk.algebra, Numbers)
    for name, shaped in reading.shapes.inputs.items():
        if name in COUNTS and shaped.dims == ():
            found.add(float(walk.algebra.unknown(name)))
    for name in (*reading.names.labels, "X", "x", "inputs"):
        value = walk.algebra.inputs.get(name)
        if value is not None and value.ndim:
            found |= {float(n) for n in value.shape if n > 1}
            if value.ndim == 2:
                found.add(float(value.size))
    for name in ("A2", "A", "a2"):
        value = walk.known.get(name)
        if isinstance(value, np.ndarray) and value.ndim == 2:
            found |= {float(n) for n in value.shape if n > 1}
    return sorted(found)


__all__ = ["FOLLOWS", "Line", "example_counts", "settle"]
