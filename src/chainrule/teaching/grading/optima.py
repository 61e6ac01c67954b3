"""Verdicts on solutions of first-order conditions, by the condition that they solve."""

from __future__ import annotations

from collections.abc import Sequence

from chainrule.errors import ChainruleError
from chainrule.teaching.grading.line_verdicts import Verdict
from chainrule.teaching.marking.by_value.claims import REFUTED, by_value
from chainrule.teaching.marking.optima import solutions
from chainrule.teaching.marking.posted_notation import in_plain_notation
from chainrule.teaching.marking.transcript import statements

MOST_SOLUTIONS = 6
"""The most solutions of a text that are put into their conditions."""


def with_optima(lines: Sequence[Verdict], text: str) -> tuple[Verdict, ...]:
    """Judge what solves a condition by putting it in.

    A solution is called wrong only where the gradient that it makes zero is proven, in names that
    the gradient has.

    Parameters
    ----------
    lines : sequence of Verdict
        The verdicts on the other lines.
    text : str
        The text, without layout.
    """
    kept = list(lines)
    plain = in_plain_notation(text)
    judged = {(line.line, _left(line.text)) for line in lines}
    accused = {line.line for line in lines if line.accused}
    proven = {line.line for line in lines if line.verdict == "proven"} - accused
    for solution in list(solutions(statements(plain), plain))[:MOST_SOLUTIONS]:
        if (solution.line, _left(solution.text)) in judged or solution.condition in accused:
            continue
        whole = f"{text}\n\n$$ {solution.equation} $$\n"
        at = whole.count("\n")
        try:
            found = [one for one in by_value(whole, {at}) if one.line == at]
        except ChainruleError:
            continue
        for one in found[:1]:
            refuted = one.verdict == "wrong" or one.why == REFUTED
            if one.verdict == "proven":
                why = f"with it, the condition of line {solution.condition} holds; {one.why}"
            elif refuted and solution.condition in proven:
                why = f"with it, the gradient of line {solution.condition} is not zero"
            else:
                continue
            verdict = "proven" if one.verdict == "proven" else "wrong"
            kept.append(Verdict(solution.line, solution.text, verdict, why,
                                sign=int(verdict == "wrong"), numbers=one.numbers))  # fmt: skip
    return tuple(sorted(kept, key=lambda line: line.line))


def _left(text: str) -> str:
    """Return the left side of an equation without spaces."""
    return "".join(text.partition("=")[0].split())


__all__ = ["with_optima"]
