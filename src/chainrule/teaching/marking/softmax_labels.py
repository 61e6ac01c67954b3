"""One-hot labels that are not declared: the factor of the logarithm of a softmax."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from chainrule.calculus.graph.dims import SCALAR
from chainrule.calculus.graph.model import Model, OneHot
from chainrule.calculus.graph.node import Apply, Expr, Symbol, symbols, walk
from chainrule.calculus.ops import TABLE
from chainrule.calculus.rewriting.relations import SUM_TO_ONE, adding_to_one

_LOG, _LOGSUMEXP = TABLE["log"], TABLE["logsumexp"]


def with_softmax_labels(model: Model) -> Model:
    """Return a forward pass whose labels beside the logarithm of a softmax are one-hot."""
    declared = {known.symbol for known in model.onehot}
    found = tuple(label for label in softmax_labels(model) if label.symbol not in declared)
    return replace(model, onehot=(*model.onehot, *found)) if found else model


def softmax_labels(model: Model) -> Iterator[OneHot]:
    """Yield the labels of a cross-entropy, with the axis along which they add to one."""
    known = adding_to_one(model)
    inputs = set(model.inputs)
    for definition in model.definitions:
        used = symbols(definition.value) & inputs
        for node in walk(definition.value):
            found = _probabilities(node, known)
            if found is None:
                continue
            probabilities, axis = found
            for labels in used:
                if labels.shape == probabilities.shape != SCALAR:
                    yield OneHot(labels, axis)


def _probabilities(node: Expr, known: dict[Symbol, int | None]) -> tuple[Expr, int] | None:
    """Return the argument of a logarithm that adds to one, and along which axis."""
    if not isinstance(node, Apply) or not node.args:
        return None
    inner = node.args[0]
    axis: int | None
    if node.op is _LOGSUMEXP:
        axis = node.attrs[0]
    elif node.op is not _LOG:
        return None
    elif isinstance(inner, Symbol) and inner in known:
        axis = known[inner]
    elif isinstance(inner, Apply) and inner.op in SUM_TO_ONE:
        axis = inner.attrs[0]
    else:
        return None
    if axis is None:
        axis = 0 if inner.shape[1] == 1 else 1
    return inner, axis
