"""The matrix form of a gradient: its index form collapsed, or the rules for whole matrices."""

from __future__ import annotations

from collections.abc import Mapping

from chainrule.calculus.derivation.chain import ChainRule, Paths, whole_gradient
from chainrule.calculus.derivation.lines import fixed
from chainrule.calculus.derivation.record import StepRecord
from chainrule.calculus.derivation.sentences import bound_indices, shape_sentence
from chainrule.calculus.derivation.steps import Gradient, Phase
from chainrule.calculus.graph.node import Entry, Expr, Number, Partial, Symbol, Total, entry, walk
from chainrule.calculus.indexing.collapse import CollapseStep
from chainrule.calculus.indexing.tensors import collapse_entry
from chainrule.calculus.rewriting.layout import laid_out
from chainrule.errors import DerivationError

AS_A_WHOLE = (
    "matrices as a whole",
    "the entries are summed over more than two places at once; the rules for whole matrices, from "
    "the objective down, give the same gradient as products of matrices",
)
"""The step to a matrix form where the entries of a gradient do not collapse to one."""


def matrix_form(
    chain: ChainRule,
    form: Expr,
    record: StepRecord,
    paths: Paths,
    layers: Mapping[Symbol, Expr],
    place: int | None,
) -> Gradient:
    """Return a gradient with its matrix form, if it has one, and record the steps to it.

    Parameters
    ----------
    chain : ChainRule
        The chain rule of the variable.
    form : Expr
        The index form, shortened.
    record : StepRecord
        Takes the steps.
    paths : Paths
        The paths of the forward pass.
    layers : mapping of Symbol to Expr
        The gradients at the layers above.
    place : int or None
        The number of the entry that was asked for.
    """
    variable, places, objective = chain.variable, chain.places, paths.model.objective
    whole = Partial(objective, variable)
    asked = None if place is None else fixed(form, chain.long_index, place)
    named = frozenset(symbol for symbol in layers.values() if isinstance(symbol, Symbol))
    try:
        matrix, firings = collapse_entry(form, variable.shape, places, named)
    except DerivationError as reason:
        swept = laid_out(whole_gradient(paths, variable, layers))
        if any(isinstance(node, Entry | Total | Partial) for node in walk(swept)):
            return Gradient(variable, form, None, places, place, str(reason), asked)
        rule, why = AS_A_WHOLE
        record.add(Phase.SHAPE, rule, whole, form, swept, why)
        return Gradient(variable, form, swept, places, place, asked=asked)
    matrix = laid_out(matrix)
    before = _collapse_steps(
        chain, form, firings, record, Partial(objective, entry(variable, *places))
    )
    if matrix is not before and not isinstance(chain.form, Number):
        rule, why = shape_sentence(variable, before, matrix)
        record.add(Phase.SHAPE, rule, whole, before, matrix, why)
    return Gradient(variable, form, matrix, places, place, asked=asked)


def _collapse_steps(
    chain: ChainRule, form: Expr, firings: list[CollapseStep], record: StepRecord, left: Expr
) -> Expr:
    """Record the steps of a collapse; return the line after the last one."""
    repeated = {i for link in chain.links if link.repeats for i in link.bound}
    before = form
    for firing in firings:
        rule, why = firing.rule, firing.because
        gone = bound_indices(before) - bound_indices(firing.after)
        if gone & repeated:
            rule = "un-broadcast: " + rule.split(": ")[-1]
            along = min(gone & repeated, key=lambda index: index.name).dim
            why = (
                f"{chain.variable.name} was repeated along {along} and used that many times, so "
                f"its gradients add; {why}"
            )
        if firing.after is not before:
            record.add(
                Phase.COLLAPSE,
                rule,
                left,
                before,
                firing.after,
                why,
                replacement=firing.replacement,
            )
        before = firing.after
    return before
