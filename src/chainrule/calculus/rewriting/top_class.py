"""Every digit of a softmax, for confident rows too: the top class apart from the others.

A shift by the largest score keeps exponentials from overflowing; it does not keep digits. Where one
class has nearly all the probability, `log Σ` and `p - y` are differences of numbers that agree in
almost every digit. Taken apart, the top class's exponential is exactly 1, the others are small, and
only small numbers are added. The rules hold for any mask that marks one class an example and the
score of that class as the shift; with the largest, nothing overflows and nothing cancels.
"""

from __future__ import annotations

from chainrule.calculus.graph.dims import Index
from chainrule.calculus.graph.node import Entry, Expr, Symbol, Total, entry, walk
from chainrule.calculus.ops import add, apply, div, log, mul, replace
from chainrule.calculus.ops.functions import LOG1P
from chainrule.calculus.rewriting.rule import Rule, identity, is_op

_R = Symbol("?r")

LOG_OF_MORE = identity(
    "log of one and a little",
    log(1 + _R),
    apply(LOG1P, _R),
    "1 + r forgets a small r; log1p(r) does not",
)


def top_class_rules(shift: Symbol, top_class: Symbol, labels: Symbol) -> tuple[Rule, ...]:
    """Return the rules that take the top class class of each example apart.

    Parameters
    ----------
    shift : Symbol
        The score of the top class, one number an example.
    top_class : Symbol
        1 at the top class of each example and 0 elsewhere, of the shape of the scores.
    labels : Symbol
        The labels, which add to one in each example.
    """

    def mark(cell: Entry) -> Expr:
        return entry(top_class, cell.row, cell.col)

    def share(expr: Expr) -> Entry | None:
        """Return the score in ``exp(z - shift)``."""
        if not is_op(expr, "exp") or not any(_is_of(node, shift) for node in walk(expr)):
            return None
        cells = [node for node in walk(expr) if isinstance(node, Entry)]
        scores = [cell for cell in cells if cell.matrix is not shift]
        return scores[0] if len(scores) == 1 else None

    def apart(expr: Expr) -> Expr | None:
        if not isinstance(expr, Total):
            return None
        score = share(expr.body)
        return None if score is None else 1 + Total(expr.index, (1 - mark(score)) * expr.body)

    def to_labels(expr: Expr) -> Expr | None:
        if not is_op(expr, "add"):
            return None
        for part in expr.args:
            picked = part.args[0] if is_op(part, "neg") else None
            if not isinstance(picked, Total) or not is_op(picked.body, "mul"):
                continue
            pair = picked.body.args
            label = next((cell for cell in pair if _is_of(cell, labels)), None)
            level = next((other for other in expr.args if _is_of(other, shift)), None)
            if label is None or level is None or len(pair) != 2:
                continue
            (score,) = (cell for cell in pair if cell is not label)
            rest = [other for other in expr.args if other is not part and other is not level]
            return add(Total(picked.index, label * (level - score)), *rest)
        return None

    def residual(expr: Expr) -> Expr | None:
        if not (is_op(expr, "add") and len(expr.args) == 2):
            return None
        above = next((part for part in expr.args if is_op(part, "div")), None)
        label = next(
            (p.args[0] for p in expr.args if is_op(p, "neg") and _is_of(p.args[0], labels)), None
        )
        if above is None or label is None:
            return None
        part, whole = above.args
        return div((1 - label) * part - label * (whole - part), whole)

    def others(expr: Expr) -> Expr | None:
        if not (is_op(expr, "mul") and any(_is_of(part, labels) for part in expr.args)):
            return None
        for rest in expr.args:
            if not (is_op(rest, "add") and len(rest.args) == 3):
                continue
            total = next((node for node in rest.args if isinstance(node, Total)), None)
            taken = [share(node.args[0]) for node in rest.args if is_op(node, "neg")]
            if total is None or not taken or taken[0] is None:
                continue
            chosen = mark(taken[0])
            return replace(expr, {rest: chosen * total + (1 - chosen) * rest})
        return None

    return (
        Rule(
            "the top class apart",
            "the top class's shifted exponential is e^0 = 1, so the sum is 1 and what the others "
            "add",
            apart,
        ),
        LOG_OF_MORE,
        Rule(
            "the shift among the labels",
            "labels add to one, so a number may go inside their sum; for the top class's label "
            "the difference is exactly 0",
            to_labels,
        ),
        Rule(
            "residual by labels of a share",
            "p - 1 cancels where p is close to 1; -(the others' share) keeps every digit",
            residual,
        ),
        Rule(
            "the others of the top class",
            "1 + r - e^(z - c) cancels for the top class, where it is r itself",
            others,
        ),
    )


def level_direction(top_class: Symbol, direction: Symbol, index: Index) -> Rule:
    """Return the rule that measures a direction from its entry at the top class.

    Parameters
    ----------
    top_class : Symbol
    direction : Symbol
    index : Index
        A letter for the class that is not in use.
    """

    def becomes(expr: Expr) -> Expr | None:
        nodes = list(walk(expr))
        cells = [node for node in nodes if isinstance(node, Entry) and node.matrix is direction]
        levels = [n for n in nodes if isinstance(n, Total) and n.index == index]
        if not cells or levels or not any(is_op(node, "exp") for node in nodes):
            return None
        mapping: dict[Expr, Expr] = {}
        for cell in cells:
            pair = entry(top_class, index, cell.col), entry(direction, index, cell.col)
            mapping[cell] = cell - Total(index, mul(*pair))
        return replace(expr, mapping)

    return Rule(
        "a direction from the top class's",
        "adding one number to all scores changes no probability, so a direction may be measured "
        "from its entry at the top class; what is left is small where the others are",
        becomes,
    )


def _is_of(node: Expr, matrix: Symbol) -> bool:
    return isinstance(node, Entry) and node.matrix is matrix
