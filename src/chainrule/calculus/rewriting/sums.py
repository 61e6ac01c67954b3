"""Rules for sums inside an index form: what a person does with a Σ that is not needed.

A Kronecker delta picks one term of its sum; factors that do not run leave the sum; a sum that a
side relation knows (the probabilities of a softmax, one-hot labels) is one. Sums at the front of
a form are the paths of the chain rule and become matrix products later: they are only touched
where a delta waits to be picked. Sums inside are opened, and closed again unless that reads
shorter.
"""

from __future__ import annotations

from collections.abc import Sequence

from chainrule.calculus.graph.dims import Index
from chainrule.calculus.graph.node import (
    Apply,
    Entry,
    Expr,
    Number,
    Total,
    running,
    transform,
    walk,
)
from chainrule.calculus.graph.replacement import Around
from chainrule.calculus.ops import add, div, mul, rebuild, renamed, replace, size
from chainrule.calculus.rewriting.cost import display_cost
from chainrule.calculus.rewriting.normal import normal_form
from chainrule.calculus.rewriting.rule import Rule, is_op
from chainrule.calculus.rewriting.shortening import (
    CANCEL,
    COLLECT,
    DISTRIBUTE,
    Record,
    cancelled,
    terms,
)

ONE = Number(1)
NESTED = 6
"""Sums inside sums are met one level at a time, and nobody reads more levels than this."""


def is_delta(expr: Expr) -> bool:
    """Tell whether an expression is a Kronecker delta."""
    return isinstance(expr, Entry) and is_op(expr.matrix, "eye")


def split_factors(expr: Expr) -> tuple[bool, tuple[Expr, ...]]:
    """Return the sign and the factors, what stands below a line as factors of their own."""
    if is_op(expr, "neg"):
        negative, found = split_factors(expr.args[0])
        return not negative, found
    if is_op(expr, "div"):
        negative, above = split_factors(expr.args[0])
        under = expr.args[1].args if is_op(expr.args[1], "mul") else (expr.args[1],)
        return negative, (*above, *(div(ONE, part) for part in under))
    if not is_op(expr, "mul"):
        return False, (expr,)
    parts = [split_factors(arg) for arg in expr.args]
    return sum(n for n, _ in parts) % 2 == 1, tuple(f for _, fs in parts for f in fs)


def _leave(expr: Expr) -> Expr | None:
    """Take the factors that do not run out of a sum; a sign only where nothing else is left."""
    if not isinstance(expr, Total):
        return None
    negative, parts = split_factors(expr.body)
    outside = [f for f in parts if expr.index not in running(f) and f is not ONE]
    inside = [f for f in parts if expr.index in running(f)]
    if not inside or not (outside or negative):
        return None
    result = mul(*outside, Total(expr.index, mul(*inside)))
    return -result if negative else result


def _split(expr: Expr) -> Expr | None:
    """Make a sum of sums out of the sum of a sum."""
    if isinstance(expr, Total) and is_op(expr.body, "add"):
        return add(*(Total(expr.index, term) for term in expr.body.args))
    return None


def _spread(expr: Expr) -> Expr | None:
    """Multiply the bracket that holds a delta out, and nothing else."""
    if not isinstance(expr, Total):
        return None
    negative, parts = split_factors(expr.body)
    for k, part in enumerate(parts):
        if is_op(part, "add") and any(_waits(node, expr.index) for node in walk(part)):
            rest = [*parts[:k], *parts[k + 1 :]]
            spread = [mul(*rest, -term if negative else term) for term in part.args]
            return Total(expr.index, add(*spread)) if rest else None
    return None


def _waits(node: Expr, index: Index) -> bool:
    return isinstance(node, Entry) and is_delta(node) and index in (node.row, node.col)


def _pick(expr: Expr) -> Expr | None:
    """Let a delta pick its term."""
    if not isinstance(expr, Total):
        return None
    negative, parts = split_factors(expr.body)
    for part in parts:
        if isinstance(part, Entry) and _waits(part, expr.index):
            other = part.col if part.row == expr.index else part.row
            rest = mul(Number(1), *(f for f in parts if f is not part))
            picked = renamed(rest, expr.index, other)
            return -picked if negative else picked
    return None


def _repeated(expr: Expr) -> Expr | None:
    """Add the same number as often as the index runs."""
    if isinstance(expr, Total) and expr.index not in running(expr.body):
        return size(expr.index.dim) * expr.body
    return None


def _common(expr: Expr) -> Expr | None:
    """Take the factors that all terms share out of a bracket."""
    if not is_op(expr, "add"):
        return None
    each = [split_factors(term) for term in expr.args]
    shared = [
        f
        for f in dict.fromkeys(each[0][1])
        if not isinstance(f, Number) and all(f in parts for _, parts in each)
    ]
    if not shared:
        return None
    rest: list[Expr] = []
    for negative, parts in each:
        left = list(parts)
        for f in shared:
            left.remove(f)
        term = mul(Number(1), *left)
        rest.append(-term if negative else term)
    return mul(*shared, add(*rest))


def _tidy(expr: Expr) -> Expr | None:
    """Cancel inside every fraction."""
    done = transform(expr, lambda e: (is_op(e, "div") and CANCEL.becomes(e)) or e)
    return None if done is expr else done


def _positive(expr: Expr) -> Expr | None:
    """Write a positive term first."""
    if not is_op(expr, "add"):
        return None
    ordered = sorted(expr.args, key=lambda term: is_op(term, "neg"))
    return None if tuple(ordered) == expr.args else add(*ordered)


LEAVE = Rule(
    "factors leave the sum",
    "a factor that does not run over the index is the same in every term of the sum",
    _leave,
)
SPLIT = Rule("split the sum", "the sum of a sum is the sum of the sums", _split)
SPREAD = Rule(
    "multiply out",
    "every term of the bracket with δ is multiplied by the other factors",
    _spread,
)
PICK = Rule(
    "δ picks one term",
    "δ is one where its indices agree and zero elsewhere, so one term of the sum is left",
    _pick,
)
REPEATED = Rule(
    "the same again and again",
    "what does not run over the index is added as often as there are places",
    _repeated,
)
TIDY = Rule(CANCEL.name, CANCEL.because, _tidy)
COMMON = Rule("common factor", "a factor that all terms share is taken out of the bracket", _common)

POSITIVE = Rule("positive first", "a positive term is written first", _positive)

SUM_RULES = (LEAVE, SPREAD, SPLIT, PICK, REPEATED, COMMON, POSITIVE)
"""The rows of this file."""


def settle(
    expr: Expr, around: Around, record: Record, relations: Sequence[Rule], *, front: bool = True
) -> Expr:
    """Settle the sums of an index form; every step is recorded in its surroundings.

    `front` says that nothing but sums and signs stand before the expression.
    """
    if isinstance(expr, Total):
        index = expr.index
        body = settle(expr.body, lambda e: around(Total(index, e)), record, relations, front=front)
        return _settled(Total(index, body), around, record, relations)
    if not isinstance(expr, Apply) or not _sums(expr):
        return expr
    args = list(expr.args)
    front = front and (is_op(expr, "add") or is_op(expr, "neg"))
    for k, arg in enumerate(expr.args):
        if not _sums(arg):
            continue

        def placed(e: Expr, k: int = k, args: tuple[Expr, ...] = tuple(args)) -> Expr:
            return around(rebuild(expr, (*args[:k], e, *args[k + 1 :])))

        args[k] = settle(arg, placed, record, relations, front=front)
        if not front and _sums(args[k]):
            args[k] = _opened(args[k], placed, record, relations)
    return expr if tuple(args) == expr.args else rebuild(expr, tuple(args))


def _sums(expr: Expr) -> bool:
    return any(isinstance(node, Total) for node in walk(expr))


def _settled(expr: Total, around: Around, record: Record, relations: Sequence[Rule]) -> Expr:
    """Pick every delta that waits for this sum, and use the relations on what is left."""
    trail = _Trail(expr, around)
    if any(_waits(node, expr.index) for node in walk(expr.body)):
        trail.run(relations)
    else:
        for rule in relations:
            trail.fire(rule)
    trail.write(record)
    return trail.now


def _opened(expr: Expr, around: Around, record: Record, relations: Sequence[Rule]) -> Expr:
    """Open an inner sum, and keep that only when it ends shorter."""
    if not isinstance(expr, Total):
        return expr
    trail = _Trail(expr, around)
    trail.run(relations)
    if display_cost(trail.now) >= display_cost(expr):
        return expr
    trail.write(record)
    return trail.now


def opened_together(expr: Expr, record: Record, relations: Sequence[Rule]) -> Expr:
    """Use the relations on a sum over an index where the terms beside it then cancel."""
    for node in walk(expr):
        if not is_op(node, "add"):
            continue
        for total in (part for term in node.args for part in split_factors(term)[1]):
            if not isinstance(total, Total):
                continue
            for relation in relations:
                after = relation.becomes(total)
                if after is None:
                    continue
                opened = replace(node, {total: after})
                short = normal_form(opened)
                if display_cost(short) < display_cost(node):
                    around = _replacing(expr, node)
                    record(relation, node, opened, around)
                    record(COLLECT, opened, short, around)
                    return around(short)
    return expr


def _replacing(expr: Expr, part: Expr) -> Around:
    return lambda e: replace(expr, {part: e})


class _Trail:
    """Steps that are tried first and recorded when they are kept.

    The steps speak of a part of the whole: the sum itself once its constant factors have left.
    """

    def __init__(self, start: Expr, around: Around) -> None:
        self.around = around
        self.outside: Around = lambda e: e
        self.part = start
        self.steps: list[tuple[Rule, Expr, Expr]] = []

    @property
    def now(self) -> Expr:
        return self.outside(self.part)

    def step(self, rule: Rule, after: Expr | None) -> None:
        if after is not None and after is not self.part:
            before, self.part = self.now, after
            self.steps.append((rule, before, self.now))

    def fire(self, rule: Rule) -> None:
        """Apply a rule to the part as a whole."""
        self.step(rule, cancelled(self.part) if rule is CANCEL else rule.becomes(self.part))

    def leave(self) -> None:
        """Let constant factors leave, and from here on speak of the sum that stays."""
        if not isinstance(self.part, Total):
            return
        negative, parts = split_factors(self.part.body)
        index = self.part.index
        front = [f for f in parts if index not in running(f) and f is not ONE]
        inner = [f for f in parts if index in running(f)]
        # Where a delta is to be picked the sign stays inside, so that P - Y keeps its order.
        waits = any(_waits(node, index) for node in walk(self.part.body))
        if negative and not waits:
            front, negative = [Number(-1), *front], False
        if front and inner:
            body = mul(*inner)
            stays = Total(index, -body if negative else body)
            self.step(LEAVE, mul(*front, stays))
            self.part, outside = stays, self.outside
            self.outside = lambda e: outside(mul(*front, e))

    def each(self, rule: Rule) -> None:
        """Apply a rule to every sum, term by term and factor by factor, as one step."""
        mapping: dict[Expr, Expr] = {}
        for term in terms(self.part):
            for part in split_factors(term)[1]:
                if isinstance(part, Total) and (after := rule.becomes(part)) is not None:
                    mapping[part] = after
        if mapping:
            self.step(rule, replace(self.part, mapping))

    def inside(self, rule: Rule) -> None:
        """Apply a rule to the body of a sum."""
        if isinstance(self.part, Total):
            body = self.part.body
            after = cancelled(body) if rule is CANCEL else rule.becomes(body)
            if after is not None and after is not body:
                self.step(rule, Total(self.part.index, after))

    def run(self, relations: Sequence[Rule]) -> None:
        """Go through the rules in the order in which a person would."""
        self.inside(LEAVE)
        self.leave()
        self.inside(TIDY)
        self.inside(DISTRIBUTE)
        self.inside(CANCEL)
        self.fire(SPREAD)
        self.inside(CANCEL)
        self.fire(SPLIT)
        self.each(PICK)
        self.each(LEAVE)
        for relation in relations:
            self.each(relation)
        self.each(REPEATED)
        if is_op(self.part, "add"):
            self.fire(CANCEL)
            self.shorter(COMMON, self.part)
            self.shorter(COLLECT, one_letter(self.part))
            if is_op(self.part, "add") and is_op(self.part.args[0], "neg"):
                self.fire(POSITIVE)

    def shorter(self, rule: Rule, of: Expr) -> None:
        """Apply a rule where the outcome reads shorter."""
        after = rule.becomes(of)
        if after is not None and display_cost(after) < display_cost(self.part):
            self.step(rule, after)

    def write(self, record: Record) -> None:
        """Record the steps, each in its surroundings."""
        for rule, before, after in self.steps:
            record(rule, before, after, self.around)


def one_letter(expr: Expr) -> Expr:
    """Let sums that differ in their letter alone share it, so that they are seen to be equal."""
    for _ in range(NESTED):
        sums = list(dict.fromkeys(node for node in walk(expr) if isinstance(node, Total)))
        mapping: dict[Expr, Expr] = {}
        for k, later in enumerate(sums):
            taken = {t.index for t in sums if t is not later and later in set(walk(t.body))}
            same = (first for first in sums[:k] if first.index not in taken)
            first = next((first for first in same if _alike(first, later)), None)
            if first is not None:
                mapping[later] = first
        if not mapping:
            return expr
        expr = replace(expr, mapping)
    return expr


def _alike(first: Total, later: Total) -> bool:
    if first.index.dim != later.index.dim or first.index in running(later.body):
        return False
    return renamed(later.body, later.index, first.index) is first.body


__all__ = [
    "COMMON",
    "POSITIVE",
    "SUM_RULES",
    "is_delta",
    "one_letter",
    "settle",
    "split_factors",
]
