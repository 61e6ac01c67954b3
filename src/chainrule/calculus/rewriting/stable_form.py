"""The forward pass as it is run: the same numbers, without overflow or the logarithm of zero.

The lecture's ``log(A)`` with ``A = sigmoid(Z)`` is minus infinity once A rounds to 0, long before
the cost is large, and ``exp(Z)`` overflows while its share of a sum is harmless. The rules of
`stabilisation` turn them into ``-softplus(-Z)`` and ``softmax(Z)``, and `normal_ratio` what a
normal distribution function divides; the formula that is derived and shown stays the plain one.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace as with_changes

from chainrule.calculus.graph.model import Definition, Model
from chainrule.calculus.graph.node import Apply, Expr, Symbol, symbols, walk
from chainrule.calculus.ops import replace
from chainrule.calculus.rewriting.normal_ratio import NORMAL_RATIO
from chainrule.calculus.rewriting.rule import is_op
from chainrule.calculus.rewriting.stabilisation import LOGARITHMS, SCORES, stabilise

SHARES = ("sigmoid", "softmax", "normal_cdf")
"""Ops whose value rounds to 0 where its logarithm does not."""


def stable_form(model: Model, given: Iterable[Symbol] = ()) -> tuple[Model, tuple[Definition, ...]]:
    """Rewrite every logarithm of a sigmoid or a softmax, and every exponential of a score.

    Parameters
    ----------
    model : Model
        The forward pass as it was written.
    given : iterable of Symbol, optional
        Definitions that may be handed a value of their own; they are not looked through.

    Returns
    -------
    model : Model
        The forward pass to run.
    changed : tuple of Definition
        The lines that are run in another form than they were written in.
    """
    kept = set(given)
    shares: dict[Expr, Expr] = {}
    definitions: list[Definition] = []
    for definition in model.definitions:
        stable = with_changes(definition, value=stable_value(definition.value, shares))
        definitions.append(stable)
        shares |= _share(stable, kept)
    changed = tuple(
        new
        for new, old in zip(definitions, model.definitions, strict=True)
        if new.value is not old.value
    )
    return with_changes(model, definitions=tuple(definitions)), changed


def stable_value(value: Expr, shares: Mapping[Expr, Expr]) -> Expr:
    """Rewrite one value.

    Parameters
    ----------
    value : Expr
        A matrix form.
    shares : mapping of Expr to Expr
        The names in it that stand for a sigmoid or a softmax, with what they stand for.
    """
    value, _ = stabilise(value, SCORES)
    mapping: dict[Expr, Expr] = {}
    for node in walk(value):
        if not (is_op(node, "log") or is_op(node, "div")):
            continue
        opened = replace(node, {s: shares[s] for s in symbols(node) if s in shares})
        if is_op(node, "div"):
            stable, fired = stabilise(opened, (NORMAL_RATIO,))
        else:
            stable, fired = stabilise(opened, LOGARITHMS)
            fired = [] if any(is_op(inner, "log") for inner in walk(stable)) else fired
        if fired:
            mapping[node] = stable
    return replace(value, mapping) if mapping else value


def shares_of(model: Model, given: Iterable[Symbol] = ()) -> dict[Expr, Expr]:
    """Return the names of a stable forward pass that stand for a sigmoid or a softmax."""
    kept = set(given)
    found: dict[Expr, Expr] = {}
    for definition in model.definitions:
        found |= _share(definition, kept)
    return found


def _share(definition: Definition, kept: set[Symbol]) -> dict[Expr, Expr]:
    """Return a definition by its name, if it may be looked through."""
    value, target = definition.value, definition.target
    share = isinstance(value, Apply) and value.op.name in SHARES and target not in kept
    return {target: value} if share else {}
