"""The steps of a shortening as they are told: none undoes another, and each has its own reason."""

from __future__ import annotations

from collections.abc import Iterable

from chainrule.calculus.graph.node import Expr, walk
from chainrule.calculus.graph.replacement import Replacement
from chainrule.calculus.ops import replace
from chainrule.calculus.rewriting.rule import Fired
from chainrule.calculus.rewriting.simplification import FACTOR, JOIN
from chainrule.calculus.rewriting.step_labels import labelled
from chainrule.calculus.rewriting.sums import POSITIVE


def told(fired: Iterable[Fired]) -> list[Fired]:
    """Leave out the steps between a line and the same line again, and name each step that is left.

    Parameters
    ----------
    fired : iterable of Fired
        The steps, each from the line after the one before.
    """
    kept: list[Fired] = []
    for step in fired:
        seen = next((k for k, earlier in enumerate(kept) if earlier.before is step.after), None)
        if seen is not None:
            del kept[seen:]
        elif step.before is not step.after:
            kept.append(step)
    return [labelled(step) for step in _without_turns(kept)]


def _without_turns(steps: list[Fired]) -> list[Fired]:
    """Leave out the turning of a sum, positive term first, that the next step writes anew."""
    kept: list[Fired] = []
    for step in steps:
        if kept and kept[-1].rule is POSITIVE and step.rule in (JOIN, FACTOR):
            step = Fired(step.rule, kept.pop().before, step.after)
        kept.append(step)
    return kept


def with_sums_as_written(
    form: Expr, fired: list[Fired], mapping: dict[Expr, Expr]
) -> tuple[Expr, list[Fired]]:
    """Write sums as the forward pass has them, on all lines but where the first has them so.

    Parameters
    ----------
    form : Expr
        The last line.
    fired : list of Fired
        The steps to it.
    mapping : dict of Expr to Expr
        Sums of the last line, each with an equal expression.

    Returns
    -------
    form : Expr
        The last line, rewritten; as it was where a sum stands on the first line too.
    fired : list of Fired
        The steps to it.
    """
    if not fired or any(node in mapping for node in walk(fired[0].before)):
        return form, fired
    return replace(form, mapping), [_rewritten(step, mapping) for step in fired]


def _rewritten(step: Fired, mapping: dict[Expr, Expr]) -> Fired:
    before, after = replace(step.before, mapping), replace(step.after, mapping)
    made = step.replacement
    if made is None:
        return Fired(step.rule, before, after)
    old, new, around = made.before, made.after, made.around
    changed = Replacement(
        replace(old, mapping), replace(new, mapping), lambda part: replace(around(part), mapping)
    )
    whole = changed.around(changed.before) is before and changed.around(changed.after) is after
    return Fired(step.rule, before, after, changed if whole else None)


__all__ = ["told", "with_sums_as_written"]
