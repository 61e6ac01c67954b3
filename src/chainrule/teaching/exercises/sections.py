"""Sections of a derivation that a question can be about: one gradient each."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from chainrule.calculus.derivation.steps import Derivation, Gradient, Phase, Step
from chainrule.calculus.graph.node import Entry, Expr, Partial, Symbol, partials

OWN = (
    Phase.CHAIN,
    Phase.ENTRY,
    Phase.SUBSTITUTE,
    Phase.SIMPLIFY,
    Phase.COLLAPSE,
    Phase.SHAPE,
    Phase.RESULT,
)


@dataclass(frozen=True)
class GradientSection:
    """The derivation of one gradient: of a variable, or of a layer.

    Parameters
    ----------
    variable : Symbol
        The variable of differentiation.
    gradient : Gradient
        The result.
    lines : tuple of Step
        From the chain rule to the result, each following from the one before; a line that repeats
        the one before it is left out.
    factors : tuple of Step
        The answers to what the chain rule asks, in order.
    name : Symbol or None
        The name of a layer's gradient.
    """

    variable: Symbol
    gradient: Gradient
    lines: tuple[Step, ...]
    factors: tuple[Step, ...]
    name: Symbol | None = None

    @property
    def answer(self) -> Expr:
        """The result: the matrix form where there is one."""
        found = self.gradient.matrix
        return self.gradient.index if found is None else found

    @property
    def rules(self) -> tuple[str, ...]:
        """The derivative rules behind the factors, in the order of use."""
        found = [reason.rule for step in self.factors for reason in step.reasons]
        return tuple(dict.fromkeys(found))


def sections(derivation: Derivation) -> Iterator[GradientSection]:
    """Yield the sections of a derivation, one per gradient, in order."""
    for name, gradient in derivation.layers.items():
        yield _section(derivation, gradient, name)
    for gradient in derivation.gradients.values():
        yield _section(derivation, gradient, None)


def section_of(derivation: Derivation, variable: str) -> GradientSection:
    """Return the section of one of the asked gradients."""
    return _section(derivation, derivation[variable], None)


def differentiated(step: Step) -> Symbol | None:
    """Return the variable of the objective's derivative on a line; None for a factor's answer."""
    left = step.left
    own = step.phase in OWN or step.concludes
    if not own or not isinstance(left, Partial):
        return None
    side = left.wrt.matrix if isinstance(left.wrt, Entry) else left.wrt
    return side if isinstance(side, Symbol) else None


def _section(derivation: Derivation, gradient: Gradient, name: Symbol | None) -> GradientSection:
    lines: list[Step] = []
    for step in derivation.steps:
        if differentiated(step) is not gradient.variable:
            continue
        if lines and step.after is lines[-1].after and step.left is lines[-1].left:
            continue
        lines.append(step)
    asked = list(dict.fromkeys(p for step in lines for p in partials(step.after)))
    answered = {s.question: s for s in derivation.steps if s.question is not None}
    if lines and not asked:  # one factor and no chain: the factor is the whole question
        asked = [p for p in answered if isinstance(p, Partial) and _same_side(p, gradient)]
    factors = tuple(answered[p] for p in asked if p in answered)
    return GradientSection(gradient.variable, gradient, tuple(lines), factors, name)


def _same_side(partial: Partial, gradient: Gradient) -> bool:
    side = partial.wrt.matrix if isinstance(partial.wrt, Entry) else partial.wrt
    return side is gradient.variable
