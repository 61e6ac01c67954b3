"""The reverse sweep through one definition, by the vjp of each operation."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import replace
from typing import TypeAlias

from chainrule.calculus.derivation.reasons import factor_reason
from chainrule.calculus.derivation.steps import Reason
from chainrule.calculus.graph.node import Apply, Expr, Number, Symbol, walk
from chainrule.calculus.graph.op import VJP
from chainrule.calculus.ops import add

Contributions: TypeAlias = dict[tuple[Expr, Expr, Expr], tuple[Expr, ...]]
"""For a node, its upstream gradient and its name: the gradients of its arguments."""


def pullback(
    value: Expr,
    wrt: Symbol,
    out: Symbol,
    cotangent: Expr,
    rules: Mapping[Expr, VJP] | None = None,
    known: Contributions | None = None,
) -> tuple[Expr, tuple[Reason, ...]]:
    """Pull an upstream gradient back through a definition to one of its symbols.

    Parameters
    ----------
    value : Expr
        The right side of the definition.
    wrt : Symbol
        The symbol to differentiate with respect to.
    out : Symbol
        The left side: a rule that contains its own value may use this name.
    cotangent : Expr
        The upstream gradient, of the shape of `out`.
    rules : mapping of Expr to VJP, optional
        What is used at a node in place of the rule of its row: a wrong one, to see its effect.
    known : dict, optional
        What the rules of the rows gave so far, which symbols of one definition share.

    Returns
    -------
    gradient : Expr
        Of the shape of `wrt`; a zero when `value` does not depend on it.
    reasons : tuple of Reason
        The rules that were used, from the outside in.
    """
    order = list(walk(value))
    depends: set[Expr] = {wrt}
    for node in order:
        if any(arg in depends for arg in node.args):
            depends.add(node)
    upstream: dict[Expr, list[Expr]] = {value: [cotangent]}
    reasons: dict[str, Reason] = {}
    slopes: dict[str, dict[str, None]] = {}
    for node in reversed(order):
        if node not in depends or node not in upstream or not isinstance(node, Apply):
            continue
        rule = node.op.vjp if rules is None else rules.get(node, node.op.vjp)
        arrived, name = _total(upstream[node]), out if node is value else node
        contributions = None if known is None else known.get((node, arrived, name))
        if contributions is None:
            contributions = rule(arrived, name, node.args, node.attrs)
        if known is not None:
            known[node, arrived, name] = contributions
        for arg, contribution in zip(node.args, contributions, strict=True):
            if arg in depends:
                upstream.setdefault(arg, []).append(contribution)
        reasons.setdefault(node.op.rule, Reason(node.op.rule, node.op.because))
        moving = [arg in depends for arg in node.args]
        slopes.setdefault(node.op.rule, {})[factor_reason(node, moving)] = None
    found = upstream.get(wrt)
    gradient = _total(found) if found else Number(0, wrt.shape)
    used = (replace(r, slope="; ".join(slopes[rule])) for rule, r in reasons.items())
    return gradient, tuple(used)


def _total(contributions: list[Expr]) -> Expr:
    """Return the sum of contributions, equal ones as a multiple.

    The sweep meets later uses first; a person writes them in reading order.
    """
    counts = Counter(reversed(contributions))
    return add(*(count * contribution for contribution, count in counts.items()))
