"""Functions that a forward pass defines: their operations, and the steps of their derivatives.

Each derivative is asked once, ``f'(z) = ?``, and answered by the rules of the body. The operation
of the derivative has the last line as its body, so the derivation uses what these lines show.
"""

from __future__ import annotations

from collections.abc import Iterable

from chainrule.calculus.derivation.steps import Claim, Phase, Reason, Step
from chainrule.calculus.derivation.sweep import pullback
from chainrule.calculus.graph.model import Definition, Model
from chainrule.calculus.graph.node import Apply, Expr, Number, Symbol, walk
from chainrule.calculus.ops.own import Own, own
from chainrule.calculus.rewriting.rule import Fired
from chainrule.calculus.rewriting.simplification import simplify
from chainrule.calculus.rewriting.stable_form import stable_value


def own_function(name: str, parameter: Symbol, body: Expr) -> Own:
    """Return the operation of an entrywise function; its derivative is derived on demand.

    >>> z = Symbol("z")
    >>> row = own_function("f", z, z**3)
    >>> row.slope.body is 3 * z**2
    True
    """
    return own(name, parameter, body, _derived, _stable)


def function_steps(row: Own, number: int) -> list[Step]:
    """Return the steps that derive the derivative of a function, numbered from `number`."""
    raw, reasons, fired = _slope(row.body, row.parameter)
    left = Apply(row.slope, (row.parameter,))
    why = "; ".join(reason.because for reason in reasons)
    rule = ", ".join(dict.fromkeys(reason.rule for reason in reasons)) or "constant rule"
    steps = [
        Step(
            number,
            Phase.FUNCTION,
            rule,
            left,
            left,
            raw,
            why or f"{row.name} does not depend on {row.parameter.name}",
            question=left,
            reasons=reasons,
            claim=Claim.SLOPE,
        )
    ]
    for k, firing in enumerate(fired, number + 1):
        steps.append(
            Step(
                k,
                Phase.FUNCTION,
                firing.rule.name,
                left,
                firing.before,
                firing.after,
                firing.rule.because,
                replacement=firing.replacement,
            )
        )
    return steps


def function_model(row: Own) -> Model:
    """Return the forward pass of a function alone."""
    value = Symbol(f"{row.name} of it")
    return Model((row.parameter,), (Definition(value, row.body),), value)


def own_rows(values: Iterable[Expr]) -> list[Own]:
    """Return the operations of user-defined functions in expressions, in order."""
    found = dict[Own, None]()
    for value in values:
        for node in walk(value):
            if isinstance(node, Apply) and isinstance(node.op, Own):
                for inner in own_rows((node.op.body,)):
                    found.setdefault(inner)
                found.setdefault(node.op)
    return list(found)


def _slope(body: Expr, parameter: Symbol) -> tuple[Expr, tuple[Reason, ...], list[Fired]]:
    value = Symbol("value", body.shape)
    raw, reasons = pullback(body, parameter, value, Number(1))
    # A rule may speak of the value by its name; inside a function there is none.
    from chainrule.calculus.ops import replace

    raw = replace(raw, {value: body})
    return raw, reasons, simplify(raw)[1]


def _derived(body: Expr, parameter: Symbol) -> Expr:
    raw, _, fired = _slope(body, parameter)
    return fired[-1].after if fired else raw


def _stable(body: Expr) -> Expr:
    return stable_value(body, {})
