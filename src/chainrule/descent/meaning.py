"""The meaning of the data in a forward pass: labels of a class, of a margin, numbers of places.

The meaning of an input is found from how the forward pass uses it.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum

import numpy as np

from chainrule.calculus.evaluation.forward import assignments, forward, sample
from chainrule.calculus.graph.model import Model
from chainrule.calculus.graph.node import Apply, Expr, Number, Symbol, symbols, walk
from chainrule.calculus.ops import TABLE
from chainrule.errors import ModelError
from chainrule.lecture import Array, InputRoles

_COMPETING = tuple(TABLE[name] for name in ("softmax", "logsumexp", "max", "argmax"))
_LABEL_LETTERS = "yYtT"
_NEAR = 1e-9
_FAR = 25.0


class Meaning(Enum):
    """The meaning of an input that holds data."""

    NUMBERS = "numbers"
    CLASSES = "one row per class"
    BINARY = "0 and 1"
    MARGIN = "-1 and 1"
    PLACES = "whole numbers from 0"


def meaning(roles: InputRoles, symbol: Symbol) -> Meaning:
    """Return the meaning of an input in a forward pass.

    Parameters
    ----------
    roles : InputRoles
        The forward pass, and what holds data in it.
    symbol : Symbol
        One of its inputs.
    """
    model, examples = roles.model, roles.examples
    if symbol in model.numbered:
        return Meaning.PLACES
    if any(declared.symbol is symbol for declared in model.onehot):
        return Meaning.CLASSES
    class_axis = 1 if symbol.shape[0] in (examples, 1) and symbol.shape[1] != 1 else 0
    for node in nodes_of(model):
        if (
            isinstance(node, Apply)
            and node.op in _COMPETING
            and node.attrs[0] in (class_axis, None)
        ):
            same = node.args[0].shape == symbol.shape
            if same and symbol.shape[class_axis] != 1:
                return Meaning.CLASSES
    if symbol.shape[class_axis] != 1 and _picks_a_score(roles, symbol, class_axis):
        return Meaning.CLASSES
    if any(_is_complement(node, symbol) for node in nodes_of(model)) or _is_share(model, symbol):
        return Meaning.BINARY
    return Meaning.MARGIN if _is_margin(roles, symbol) else Meaning.NUMBERS


def enters_a_product(model: Model, symbol: Symbol) -> bool:
    """Whether an input is multiplied as a matrix, as features are and labels are not."""
    return any(
        isinstance(node, Apply) and node.op is TABLE["matmul"] and symbol in node.args
        for node in nodes_of(model)
    )


def nodes_of(model: Model) -> list[Expr]:
    """Return every node of every line."""
    return [node for definition in model.definitions for node in walk(definition.value)]


def _is_complement(node: Expr, symbol: Symbol) -> bool:
    """Whether this is ``1 - Y``."""
    if not (isinstance(node, Apply) and node.op is TABLE["add"] and len(node.args) == 2):
        return False
    one, other = (_plain(arg) for arg in node.args)
    if isinstance(other, Number):
        one, other = other, one
    negated = isinstance(other, Apply) and other.op is TABLE["neg"]
    return (
        negated and _plain(other.args[0]) is symbol and isinstance(one, Number) and one.value == 1
    )


def _is_share(model: Model, symbol: Symbol) -> bool:
    """Whether a label is held to a probability, or multiplies a score beside its softplus."""
    if enters_a_product(model, symbol):
        return False
    scores = {score for node in nodes_of(model) for score in _score_below(node)}
    for node in nodes_of(model):
        if not isinstance(node, Apply):
            continue
        if node.op is TABLE["mul"] and symbol in node.args and scores & set(node.args):
            return True
        if node.op is TABLE["add"] and len(node.args) == 2:
            terms = [
                arg.args[0] if isinstance(arg, Apply) and arg.op is TABLE["neg"] else arg
                for arg in node.args
            ]
            others = [term for term in terms if term is not symbol]
            if len(others) == 1 and _is_probability(model, others[0]):
                return True
    return False


def _is_probability(model: Model, node: Expr) -> bool:
    value = model.values.get(node, node) if isinstance(node, Symbol) else node
    return isinstance(value, Apply) and value.op in (TABLE["sigmoid"], TABLE["normal_cdf"])


def _score_below(node: Expr) -> tuple[Expr, ...]:
    """Return z of ``softplus(z)``, also where it is written out."""
    if not isinstance(node, Apply):
        return ()
    if node.op is TABLE["softplus"]:
        return node.args
    inner: Expr | None = None
    if node.op is TABLE["log1p"]:
        inner = node.args[0]
    elif node.op is TABLE["log"] and isinstance(node.args[0], Apply):
        terms = node.args[0].args if node.args[0].op is TABLE["add"] else ()
        rest = [term for term in terms if not _is_one(_plain(term))]
        if len(terms) == 2 and len(rest) == 1:
            inner = rest[0]
    if isinstance(inner, Apply) and inner.op is TABLE["exp"]:
        return inner.args
    return ()


def _is_one(node: Expr) -> bool:
    return isinstance(node, Number) and node.value == 1


def _plain(node: Expr) -> Expr:
    while isinstance(node, Apply) and node.op is TABLE["broadcast"]:
        node = node.args[0]
    return node


def _picks_a_score(roles: InputRoles, symbol: Symbol, axis: int) -> bool:
    """Whether an input picks one of several scores: ``sum(Y .* S, axis=0)``."""
    model = roles.model
    below = inputs_below(model)
    for node in nodes_of(model):
        if not (isinstance(node, Apply) and node.op is TABLE["sum"] and node.attrs[0] == axis):
            continue
        (inner,) = node.args
        if isinstance(inner, Apply) and inner.op is TABLE["mul"] and symbol in inner.args:
            rest = [arg for arg in inner.args if arg is not symbol]
            met = frozenset[Symbol]().union(*(below[s] for arg in rest for s in symbols(arg)))
            if met & set(roles.learned) and met & set(roles.data) - {symbol}:
                return True
    return False


def inputs_below(model: Model) -> dict[Symbol, frozenset[Symbol]]:
    """Return the inputs that every name is computed from."""
    below: dict[Symbol, frozenset[Symbol]] = {s: frozenset([s]) for s in model.inputs}
    for definition in model.definitions:
        below[definition.target] = frozenset[Symbol]().union(
            *(below[s] for s in symbols(definition.value))
        )
    return below


def _is_margin(roles: InputRoles, symbol: Symbol) -> bool:
    """Whether the label multiplies a score inside a loss, so that only its sign means something.

    At zero such a label leaves nothing of the other data. A weight does so too, and is left out
    because the objective is linear in it; a mask, because its sign means nothing.
    """
    model = roles.model
    others = [s for s in model.inputs if s is not symbol]
    data = [s for s in roles.data if s is not symbol]
    if not _scales_a_score(roles, symbol):
        return False
    rivals = [s for s in data if _scales_a_score(roles, s)]
    if rivals and symbol.name[:1] not in _LABEL_LETTERS:
        return False
    try:
        sizes = assignments(model, 1)[0]
        first, second = (sample(model, sizes, np.random.default_rng(k)) for k in (5, 6))
    except ModelError:
        return False

    def cost(at: Mapping[Symbol, Array], scale: float) -> float:
        inputs = {s: at[s] for s in others} | {symbol: scale * at[symbol]}
        return float(forward(model, inputs, sizes)[model.objective][0, 0])

    moved = {**first, **{s: second[s] for s in data}}
    with np.errstate(all="ignore"):
        gone, same = cost(first, 0.0), cost(moved, 0.0)
        if not (np.isfinite(gone) and abs(gone - same) <= _NEAR * max(1.0, abs(gone))):
            return False
        more, less = cost(first, _FAR) - gone, cost(first, -_FAR) - gone
    if not (np.isfinite(more) and np.isfinite(less)):
        return True
    large = _NEAR * max(abs(more), abs(less), 1.0)
    return abs(more + less) > large and abs(more - less) > large


def _scales_a_score(roles: InputRoles, symbol: Symbol) -> bool:
    """Whether an input is used only as a factor, entry by entry, of something with other data."""
    model = roles.model
    below = inputs_below(model)
    used = False
    for node in nodes_of(model):
        if not isinstance(node, Apply) or node.op is TABLE["broadcast"]:
            continue
        if symbol not in [_plain(arg) for arg in node.args]:
            continue
        used = True
        rest = [arg for arg in node.args if _plain(arg) is not symbol]
        met = frozenset[Symbol]().union(*(below[s] for arg in rest for s in symbols(arg)))
        if node.op is not TABLE["mul"] or not met & set(roles.data):
            return False
    return used
