"""Expressions of a derivation in the inputs of its model alone."""

from __future__ import annotations

from chainrule.calculus.derivation.steps import Derivation
from chainrule.calculus.graph.node import Expr, Symbol
from chainrule.calculus.ops import replace


def opened(derivation: Derivation, form: Expr, keep: Symbol | None = None) -> Expr:
    """Replace every name that a derivation has, or has introduced, by what it stands for there.

    A name means something only in its own derivation: two derivations may call different things
    ``s``. So each derivation is opened with its own forward pass and its own layers.

    Parameters
    ----------
    derivation : Derivation
        Whose names the form is written in.
    form : Expr
        A matrix form.
    keep : Symbol, optional
        A name that stays, such as that of the scores.
    """
    for layer, gradient in reversed(list(derivation.layers.items())):
        if gradient.matrix is not None:
            form = replace(form, {layer: gradient.matrix})
    for definition in reversed(derivation.model.definitions):
        if definition.target is not keep:
            form = replace(form, {definition.target: definition.value})
    return form
