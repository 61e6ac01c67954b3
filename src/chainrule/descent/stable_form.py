"""The forward pass as it is run: the same numbers, without the logarithm of a rounded zero.

The lecture's ``log(A)`` with ``A = sigmoid(Z)`` is minus infinity once A rounds to 0, long before
the cost is large. The rewriting rules that the engine's kernels are made with turn it into
``-softplus(-Z)``; the formula that is derived and shown stays the plain one.
"""

from __future__ import annotations

from dataclasses import replace as with_changes

from chainrule.graph.model import Definition, Model
from chainrule.graph.node import Apply, Expr, symbols, walk
from chainrule.ops import TABLE, replace
from chainrule.rewriting.stabilisation import COMPLEMENT, LOG_OF_SIGMOID, stabilise


def stable_form(model: Model) -> tuple[Model, tuple[Definition, ...]]:
    """Rewrite every logarithm of a sigmoid.

    Returns
    -------
    model : Model
        The forward pass to run.
    changed : tuple of Definition
        The lines that are run in another form than they were written in.
    """
    sigmoids: dict[Expr, Expr] = {
        target: value
        for target, value in model.values.items()
        if isinstance(value, Apply) and value.op is TABLE["sigmoid"]
    }
    definitions = tuple(
        with_changes(d, value=_without_logarithms(d.value, sigmoids)) for d in model.definitions
    )
    changed = tuple(
        new
        for new, old in zip(definitions, model.definitions, strict=True)
        if new.value is not old.value
    )
    return with_changes(model, definitions=definitions), changed


def _without_logarithms(value: Expr, sigmoids: dict[Expr, Expr]) -> Expr:
    mapping: dict[Expr, Expr] = {}
    for node in walk(value):
        if not (isinstance(node, Apply) and node.op is TABLE["log"]):
            continue
        opened = replace(node, {s: sigmoids[s] for s in symbols(node) if s in sigmoids})
        stable, fired = stabilise(opened, (COMPLEMENT, LOG_OF_SIGMOID))
        if fired and not any(isinstance(n, Apply) and n.op is TABLE["log"] for n in walk(stable)):
            mapping[node] = stable
    return replace(value, mapping) if mapping else value
