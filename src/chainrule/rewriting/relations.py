"""Side relations: what a forward pass knows of its own values, as rules for sums.

The probabilities of a softmax add to one along its axis. Labels add to one in every column where
the author says that they are one-hot, and nowhere else.
"""

from __future__ import annotations

from chainrule.graph.model import Model
from chainrule.graph.node import Apply, Entry, Expr, Number, Symbol, Total
from chainrule.ops import TABLE
from chainrule.rewriting.rule import Rule

ROWS, COLUMNS = 0, 1


def side_relations(model: Model) -> tuple[Rule, ...]:
    """Return the rules that hold in a forward pass, one for each kind of relation."""
    one_hot = {known.symbol: known.axis for known in model.onehot}
    known = adding_to_one(model)

    def labels(matrix: Expr) -> tuple[int | None, ...]:
        return (one_hot[matrix],) if matrix in one_hot else ()

    def probabilities(matrix: Expr) -> tuple[int | None, ...]:
        if isinstance(matrix, Apply) and matrix.op in SUM_TO_ONE:
            return (matrix.attrs[0],)
        return (known[matrix],) if matrix in known else ()

    def becomes(expr: Expr, axes_of: object) -> Expr | None:
        if not (isinstance(expr, Total) and isinstance(expr.body, Entry)):
            return None
        cell = expr.body
        assert callable(axes_of)
        for axis in axes_of(cell.matrix):
            along = (ROWS, COLUMNS) if axis is None else (axis,)
            runs = [a for a, dim in enumerate(cell.matrix.shape) if a in along and dim != 1]
            if len(runs) == 1 and (cell.row, cell.col)[runs[0]] == expr.index:
                return Number(1)
        return None

    return (
        Rule(
            "one-hot labels add to one",
            "one label of every example is 1 and the others are 0, as the forward pass declares",
            lambda expr: becomes(expr, labels),
            lambda expr: 0,
        ),
        Rule(
            "probabilities add to one",
            "a softmax divides by the sum of its exponentials, so its values add to one",
            lambda expr: becomes(expr, probabilities),
            lambda expr: 0,
        ),
    )


def adding_to_one(model: Model) -> dict[Symbol, int | None]:
    """Return the definitions whose values add to one, each with its axis."""
    return {
        target: value.attrs[0]
        for target, value in model.values.items()
        if isinstance(value, Apply) and value.op in SUM_TO_ONE
    }


SUM_TO_ONE = frozenset(TABLE[name] for name in ("softmax", "argmax", "argmin", "onehot"))
"""Rows whose values add to one along their axis."""
