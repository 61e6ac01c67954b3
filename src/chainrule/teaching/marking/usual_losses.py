"""Usual losses of a forward pass whose objective is open, with labels that stand in one line.

Posts often begin their backward pass with ``dZ2 = A2 - y_true`` and define neither the loss nor the
labels. Its loss is one of a few, by the last activation.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace

from chainrule.calculus.graph.dims import Dim
from chainrule.calculus.graph.model import Definition, Model
from chainrule.calculus.graph.node import Apply, Expr, Symbol, symbols
from chainrule.calculus.ops import TABLE, add, div, log, mul, neg, power, reduce_sum, sub
from chainrule.calculus.ops.reduction import size
from chainrule.language.answers import Lexicon, spelled
from chainrule.language.reading.words import function_word
from chainrule.teaching.marking.open_objective import WEIGHTS, is_open
from chainrule.teaching.marking.softmax_labels import with_softmax_labels
from chainrule.teaching.marking.transcript import equals_signs

_NAME = re.compile(r"(?<![\w.\\])(?P<name>[A-Za-z]\w*)(?P<called>\s*\()?")
_LIBRARIES = frozenset({"np", "numpy", "torch", "math", "tf", "jnp", "axis", "keepdims", "True"})


def label_in(text: str, model: Model) -> str:
    """Return the one name on the right of a line of code that a forward pass does not have."""
    lexicon = Lexicon(model)
    found: set[str] = set()
    cuts = equals_signs(text)
    for match in _NAME.finditer(text, cuts[0] + 1 if cuts else 0):
        name = match["name"]
        if match["called"] or name in _LIBRARIES or function_word(name) is not None:
            continue
        try:
            known = lexicon.find(spelled(name)) is not None
        except ValueError:
            return ""
        if not known and name not in {dim for symbol in model.symbols for dim in symbol.shape}:
            found.add(name)
    return found.pop() if len(found) == 1 else ""


def label_in_formula(text: str, model: Model) -> str:
    """Return the usual name of a label on the right of a formula, unknown to a forward pass."""
    lexicon = Lexicon(model)
    cuts = equals_signs(text)
    right = text[cuts[0] + 1 :] if cuts else ""
    for name in _LABELS:
        stands = re.search(rf"(?<![A-Za-z\\{{]){re.escape(name)}(?![A-Za-z_^])", right)
        if stands is not None and lexicon.find(spelled(name)) is None:
            return name
    return ""


_LABELS = ("y", "Y", "t", "T")


def usual_losses(model: Model, label: str) -> Iterator[tuple[str, Model]]:
    """Yield the names of usual losses, each with the forward pass that ends in it.

    Parameters
    ----------
    model : Model
        A forward pass with an open objective.
    label : str
        The name of the labels, of the shape of the last value.
    """
    if not is_open(model):
        return
    total = model.values[model.objective]
    ends = [symbol for symbol in symbols(total) if not symbol.name.startswith(WEIGHTS)]
    if len(ends) != 1:
        return
    (end,) = ends
    labels = Symbol(label, end.shape)
    inputs = tuple(one for one in model.inputs if not one.name.startswith(WEIGHTS))
    for name, value in _losses(model.values[end], end, labels):
        for scale, count in _scales(end):
            scaled = value if count is None else div(value, size(count))
            definitions = tuple(
                Definition(model.objective, scaled, d.line) if d.target is model.objective else d
                for d in model.definitions
            )
            ended = replace(model, inputs=(*inputs, labels), definitions=definitions)
            yield f"{scale}{name}", with_softmax_labels(ended)


def _losses(value: Expr, end: Symbol, labels: Symbol) -> Iterator[tuple[str, Expr]]:
    """Yield the losses that go with a last activation, then the squares."""
    activation = value.op if isinstance(value, Apply) else None
    if activation is TABLE["softmax"]:
        yield "the cross-entropy", neg(reduce_sum(mul(labels, log(end))))
    if activation is TABLE["sigmoid"]:
        both = add(mul(labels, log(end)), mul(sub(1, labels), log(sub(1, end))))
        yield "the binary cross-entropy", neg(reduce_sum(both))
    squares = reduce_sum(power(sub(end, labels), 2))
    yield "half the squared error", div(squares, 2)
    yield "the squared error", squares


def _scales(end: Symbol) -> Iterator[tuple[str, Dim | None]]:
    """Yield the sum over the examples, and the means along the dimensions of the last value."""
    yield "", None
    for dim in dict.fromkeys(end.shape):
        if dim != 1:
            yield f"1/{dim} times ", dim


__all__ = ["label_in", "label_in_formula", "usual_losses"]
