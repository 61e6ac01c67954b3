"""The first three derivatives of a loss with respect to its score, from certified derivations."""

from __future__ import annotations

from dataclasses import dataclass

from chainrule.calculus.derivation.derive import derivation_of
from chainrule.calculus.derivation.steps import Derivation
from chainrule.calculus.derivation.sweep import pullback
from chainrule.calculus.graph.model import ModelBuilder
from chainrule.calculus.graph.node import Expr, Number, Symbol
from chainrule.calculus.ops import replace
from chainrule.calculus.proof.certify import certify
from chainrule.calculus.rewriting.pointwise import RECOGNISED
from chainrule.calculus.rewriting.rule import Fired
from chainrule.calculus.rewriting.stabilisation import stabilise
from chainrule.emission.formula import SCORE, TARGET
from chainrule.emission.opening import opened
from chainrule.errors import ChainruleError


@dataclass(frozen=True)
class Derivatives:
    """A loss l and its derivatives.

    Attributes
    ----------
    forms : tuple of Expr
        l, l', l'' and l''' in score and target, as they were derived.
    plain : tuple of Expr
        The same by the rules of differentiation alone, without simplification.
    derivations : tuple of Derivation
        Of l', l'' and, where it could be simplified, l''', each certified.
    recognised : tuple of Fired
        The rewritings that named known functions in l before it was differentiated.
    """

    forms: tuple[Expr, Expr, Expr, Expr]
    plain: tuple[Expr, Expr, Expr, Expr]
    derivations: tuple[Derivation, ...]
    recognised: tuple[Fired, ...]


def differentiate(loss: Expr) -> Derivatives:
    """Derive l', l'' and l'''.

    Parameters
    ----------
    loss : Expr
        l, in `SCORE` and `TARGET`.
    """
    first, recognised = stabilise(loss, RECOGNISED)
    forms, plain = [first], [loss]
    derivations: list[Derivation] = []
    for _ in range(3):
        plain.append(_slope(forms[-1]))
        derived = _derived(forms[-1])
        if derived is not None:
            derivations.append(derived)
        form = plain[-1] if derived is None else _answer(derived)
        forms.append(stabilise(form, RECOGNISED)[0])
    return Derivatives(
        (forms[0], forms[1], forms[2], forms[3]),
        (plain[0], plain[1], plain[2], plain[3]),
        tuple(derivations),
        tuple(recognised),
    )


def _slope(value: Expr) -> Expr:
    out = Symbol("l of z")
    return replace(pullback(value, SCORE, out, Number(1))[0], {out: value})


def _derived(value: Expr) -> Derivation | None:
    """Return the certified derivation of a slope; nothing where it has no form to go on with."""
    builder = ModelBuilder("a loss of one score")
    builder.input(SCORE.name)
    builder.input(TARGET.name)
    builder.define("l", value)
    try:
        return certify(derivation_of(builder.model(), [SCORE.name], named=False))
    except ChainruleError:
        return None


def _answer(derivation: Derivation) -> Expr:
    matrix = derivation[SCORE.name].matrix
    assert matrix is not None  # scalars always have one
    return opened(derivation, matrix)
