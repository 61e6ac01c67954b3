"""Shortening a gradient the way a person does it: distribute, cancel, expand, collect.

The five rules are applied one after another to a product, and kept only when the outcome is
shorter to read than the start; so ``(-y/a + (1-y)/(1-a)) a(1-a)`` becomes ``a - y``, and a
product that is already short stays as it is.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from chainrule.calculus.graph.node import (
    Apply,
    Entry,
    Expr,
    Number,
    Total,
    running,
    symbols,
    transform,
    walk,
)
from chainrule.calculus.graph.replacement import Around, whole
from chainrule.calculus.ops import add, div, mul, rebuild
from chainrule.calculus.rewriting.cost import display_cost
from chainrule.calculus.rewriting.normal import normal_form
from chainrule.calculus.rewriting.rule import Fired, Label, Rule, is_op
from chainrule.calculus.rewriting.shortening import (
    CANCEL,
    COLLECT,
    RULES,
    Record,
    base,
    cancelled,
    denominators,
    terms,
)
from chainrule.calculus.rewriting.sums import (
    LEAVE,
    POSITIVE,
    REPEATED,
    one_letter,
    opened_together,
    settle,
    split_factors,
)


def _normal(expr: Expr) -> Expr | None:
    if any(isinstance(node, Entry) and is_op(node.matrix, "eye") for node in walk(expr)):
        return None  # a bracket around δ is for the sum that it waits for, or a diagonal
    after = normal_form(expr)
    return None if after is expr else after


JOIN = Rule(
    "common denominator",
    "fractions are written over one line, and what stands above and below cancels",
    _normal,
)

FACTOR = Rule(
    "common factor",
    "what all terms share is taken out of the bracket",
    _normal,
)

AS_BEFORE = Label("as before", "this product was shortened above")

MOST_ROUNDS = 12
"""Each round but the last reads shorter than the one before; nobody has seen more than three."""


def simplify(
    expr: Expr,
    known: dict[Expr, Expr] | None = None,
    relations: Sequence[Rule] = (),
    rules: Sequence[Rule] = RULES,
) -> tuple[Expr, list[Fired]]:
    """Shorten an index form or a matrix form of elementwise parts.

    Parameters
    ----------
    expr : Expr
        What to shorten.
    known : dict of Expr to Expr, optional
        Products that were shortened before, which then take one step; new ones are added.
    relations : sequence of Rule, optional
        What the forward pass knows of its values, as rules for sums.
    rules : sequence of Rule, optional
        The rows, in the order in which they are tried; where it ends does not depend on the order.

    Returns
    -------
    short : Expr
        The shortest form found; the expression itself when nothing helps.
    fired : list of Fired
        Every step, each with the whole expression before and after.
    """
    current, fired = expr, list[Fired]()

    def record(rule: Label, before: Expr, after: Expr, around: Around) -> None:
        fired.append(Fired.inside(rule, before, after, around))

    for _ in range(MOST_ROUNDS):  # until nothing changes
        short, steps = shorten(current, known, relations, rules)
        fired += steps
        opened = opened_together(short, record, relations)
        final = _numbers_out(_in_normal_form(opened, whole, record), record)
        inside = transform(final, lambda e: _body_short(e) if _has_fractions(e) else e)
        if display_cost(inside) < display_cost(final):
            record(JOIN, final, inside, whole)
            final = inside
        if (compared := transform(final, _compared)) is not final:
            record(COLLECT, final, compared, whole)
            final = compared
        if final is current:
            break
        current = final
    return current, fired


def shorten(
    expr: Expr,
    known: dict[Expr, Expr] | None = None,
    relations: Sequence[Rule] = (),
    rules: Sequence[Rule] = RULES,
) -> tuple[Expr, list[Fired]]:
    """Go through the rules once, as at the board, and leave sums of fractions as they come.

    Takes and returns what `simplify` does.
    """
    fired: list[Fired] = []
    memory = {} if known is None else known

    def record(rule: Label, before: Expr, after: Expr, around: Around) -> None:
        fired.append(Fired.inside(rule, before, after, around))

    settled = _without_opposites(settle(expr, whole, record, relations), record)
    short = _inside(settled, whole, record, memory, rules)
    ordered = transform(short, lambda e: (_starts_below(e) and POSITIVE.becomes(e)) or e)
    if ordered is not short:
        record(POSITIVE, short, ordered, whole)
    return ordered, fired


def _without_opposites(expr: Expr, record: Record) -> Expr:
    """Add up sums over indices that differ in their letter alone, or in what does not run."""
    sums = [node for node in walk(expr) if isinstance(node, Total)]
    if not is_op(expr, "add") or not sums:
        return expr
    alike = one_letter(expr) if len(sums) > 1 else expr
    inside = [part for term in terms(alike) for part in split_factors(term)[1]]
    after = normal_form(alike) if len(set(inside)) < len(inside) else alike
    if _count_sums(after) < _count_sums(expr) and display_cost(after) < display_cost(expr):
        record(COLLECT, expr, after, whole)
        return after
    if all(node.index in running(node.body) for node in sums):
        return expr
    counted = transform(expr, lambda e: LEAVE.becomes(e) or REPEATED.becomes(e) or e)
    counted = normal_form(one_letter(counted))
    if isinstance(counted, Number):
        record(COLLECT, expr, counted, whole)
        return counted
    return expr


def _numbers_out(expr: Expr, record: Record) -> Expr:
    """Take whole numbers out of all sums, where that makes the whole shorter to read."""
    outside = transform(expr, _number_out)
    if outside is expr:
        return expr
    after = normal_form(outside)
    if display_cost(after) >= display_cost(expr):
        return expr
    record(LEAVE, expr, outside, whole)
    if after is not outside:
        record(JOIN if _has_fractions(outside) else FACTOR, outside, after, whole)
    return after


def _number_out(expr: Expr) -> Expr:
    """Take the whole number in front of the terms of a sum out of it."""
    if not isinstance(expr, Total):
        return expr
    top, *below = expr.body.args if is_op(expr.body, "div") else (expr.body,)
    front = top.args[0] if is_op(top, "mul") else None
    if not isinstance(front, Number) or front.value.denominator != 1:
        return expr
    rest = mul(*top.args[1:])
    return mul(front, Total(expr.index, div(rest, *below) if below else rest))


def bodies_short(expr: Expr) -> Expr:
    """Write what stands below a sum, wherever the sum stands, in its normal form."""
    return transform(expr, _body_short)


def _body_short(node: Expr) -> Expr:
    if isinstance(node, Total) and not any(isinstance(n, Total) for n in walk(node.body)):
        return Total(node.index, normal_form(node.body))
    return node


def _compared(node: Expr) -> Expr:
    """Shorten what a mask compares: ``[a u > (a - 1) u]`` is ``[u > 0]``."""
    if not (isinstance(node, Apply) and is_op(node, "step")):
        return node
    short = normal_form(node.args[0])
    single = not any(is_op(part, "add") for part in walk(short))
    return rebuild(node, (short,)) if single and short is not node.args[0] else node


def _count_sums(expr: Expr) -> int:
    return sum(isinstance(node, Total) for node in walk(expr))


def _in_normal_form(expr: Expr, around: Callable[[Expr], Expr], record: Record) -> Expr:
    """Write what stands below sums, and what holds no sum, in its normal form."""
    if isinstance(expr, Total):
        index = expr.index
        body = _in_normal_form(expr.body, lambda e: around(Total(index, e)), record)
        return Total(index, body)
    sums = any(isinstance(term, Total) for term in map(_unsigned, terms(_unsigned(expr))))
    if is_op(expr, "neg") and sums:
        return -_in_normal_form(expr.args[0], lambda e: around(-e), record)
    if is_op(expr, "add") and sums:
        done = list(expr.args)
        for k, term in enumerate(expr.args):
            front, back = tuple(done[:k]), tuple(done[k + 1 :])

            def placed(
                e: Expr, front: tuple[Expr, ...] = front, back: tuple[Expr, ...] = back
            ) -> Expr:
                return around(add(*front, e, *back))

            done[k] = _in_normal_form(term, placed, record)
        return add(*done)
    rule = JOIN if _has_fractions(expr) else FACTOR
    after = rule.becomes(expr)
    if after is None:
        return expr
    record(rule, expr, after, around)
    return after


def _unsigned(term: Expr) -> Expr:
    return term.args[0] if is_op(term, "neg") else term


def _has_fractions(expr: Expr) -> bool:
    """Whether several fractions, or one inside another, are to be joined."""
    return sum(is_op(node, "div") for node in walk(expr)) > 1


def _starts_below(expr: Expr) -> bool:
    """Whether a sum starts with a minus sign though it need not."""
    if not (is_op(expr, "add") and is_op(expr.args[0], "neg")):
        return False
    return not any(isinstance(node, Total) for node in walk(expr))


def _inside(
    expr: Expr,
    around: Callable[[Expr], Expr],
    record: Record,
    known: dict[Expr, Expr],
    rules: Sequence[Rule],
) -> Expr:
    """Find the products, below sums over indices and term by term, and shorten each."""
    if isinstance(expr, Total):
        index = expr.index
        return Total(
            index, _inside(expr.body, lambda e: around(Total(index, e)), record, known, rules)
        )
    if is_op(expr, "div") and not symbols(expr.args[1]):
        if (shorter := CANCEL.becomes(expr)) is not None:  # 2 e/(2 m): a number above and below
            record(CANCEL, expr, shorter, around)
            return _inside(shorter, around, record, known, rules)
        below = expr.args[1]
        return _inside(expr.args[0], lambda e: around(e / below), record, known, rules) / below
    if is_op(expr, "neg"):
        return -_inside(expr.args[0], lambda e: around(-e), record, known, rules)
    if is_op(expr, "add"):
        done = list(expr.args)
        for k, term in enumerate(expr.args):
            front, back = tuple(done[:k]), tuple(done[k + 1 :])

            def placed(
                e: Expr, front: tuple[Expr, ...] = front, back: tuple[Expr, ...] = back
            ) -> Expr:
                return around(add(*front, e, *back))

            done[k] = _inside(term, placed, record, known, rules)
        expr = add(*done)
        if not isinstance(expr, Apply) or any(isinstance(n, Total) for n in walk(expr)):
            return expr
    return _shortened(expr, around, record, known, rules)


def _shortened(
    start: Expr,
    around: Callable[[Expr], Expr],
    record: Record,
    known: dict[Expr, Expr],
    rules: Sequence[Rule],
) -> Expr:
    """Run the rules once through, and keep the run only when it reads shorter."""
    trail: list[tuple[Rule, Expr, Expr]] = []
    focus, outside = _focus(start)
    if focus in known:
        record(AS_BEFORE, start, outside(known[focus]), around)
        return outside(known[focus])
    current = focus
    for rule in rules:
        changed = cancelled(current) if rule is CANCEL else rule.becomes(current)
        if changed is not None and changed is not current:
            trail.append((rule, current, changed))
            current = changed
    kept = _best_prefix(trail, focus)
    current = start
    for rule, _, after in kept:
        record(rule, current, outside(after), around)
        current = outside(after)
    if not kept:
        return start
    known[focus] = kept[-1][2]
    return outside(kept[-1][2])


def _focus(expr: Expr) -> tuple[Expr, Callable[[Expr], Expr]]:
    """Split off the factors of a product that share nothing with its denominators."""
    if not is_op(expr, "mul"):
        return expr, lambda e: e
    fractions = [f for f in expr.args if denominators(f)]
    below = {part for f in fractions for part in denominators(f)}
    near = [f for f in expr.args if f in fractions or base(f) in below]
    rest = [f for f in expr.args if f not in near]
    if len(near) < 2 or not rest:
        return expr, lambda e: e
    front = [f for f in rest if isinstance(f, Number)]
    back = [f for f in rest if not isinstance(f, Number)]
    return mul(*near), lambda e: mul(*front, e, *back)


def _best_prefix(
    trail: list[tuple[Rule, Expr, Expr]], start: Expr
) -> list[tuple[Rule, Expr, Expr]]:
    costs = [display_cost(after) for _, _, after in trail]
    if not costs or min(costs) >= display_cost(start):
        return []
    return trail[: costs.index(min(costs)) + 1]


__all__ = ["FACTOR", "JOIN", "bodies_short", "shorten", "simplify"]
