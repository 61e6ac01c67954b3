"""From the formula that is taught to the formula that is run.

Stability is a stage of its own: the plain formula is derived and taught, the stable one runs, and
the rewrite between them is a recorded trace that can be shown. Every row is an identity of real
numbers; what changes is what rounding does to it.
"""

from __future__ import annotations

from collections.abc import Sequence

from chainrule.calculus.graph.node import Apply, Expr, Symbol, Total, entry, walk
from chainrule.calculus.ops import (
    add,
    apply,
    broadcast,
    div,
    exp,
    log,
    log_normal_cdf,
    logsumexp,
    mul,
    normal_cdf,
    relu,
    replace,
    sigmoid,
    softmax,
    softplus,
)
from chainrule.calculus.ops.functions import ABS, LOG1P, STEP
from chainrule.calculus.rewriting.rule import Fired, Rule, identity, is_op
from chainrule.calculus.rewriting.shortening import COLLECT, EXPAND, factors

_Z = Symbol("?z")
_Y = Symbol("?y")


LOG_OF_SIGMOID = identity(
    "log of a sigmoid",
    log(sigmoid(_Z)),
    -softplus(-_Z),
    "σ(z) rounds to 0 or 1 long before its logarithm is negligible; -softplus(-z) never does",
)
COMPLEMENT = identity(
    "one minus a sigmoid",
    1 - sigmoid(_Z),
    sigmoid(-_Z),
    "1 - σ(z) cancels where σ(z) is close to 1; σ(-z) is the same number, computed directly",
)
SOFTPLUS_OF_MINUS = identity(
    "softplus of a negative",
    softplus(-_Z),
    softplus(_Z) - _Z,
    "log(1 + e^(-z)) = log(1 + e^z) - z, so one softplus serves both labels",
)
CROSS_ENTROPY = identity(
    "opposite parts meet first",
    softplus(_Z) - _Y * _Z,
    add(relu(_Z), -(_Y * _Z), apply(LOG1P, exp(-apply(ABS, _Z)))),
    "softplus(z) = max(z, 0) + log1p(e^(-|z|)); max(z, 0) - y z is exact for a label, and only "
    "then the small part is added",
)
RESIDUAL = identity(
    "residual by labels",
    sigmoid(_Z) - _Y,
    (1 - _Y) * sigmoid(_Z) - _Y * sigmoid(-_Z),
    "σ(z) - 1 cancels for a confident positive; -σ(-z) keeps every digit",
)
SIGMOID_SPLIT = identity(
    "sigmoid without overflow",
    sigmoid(_Z),
    exp(-relu(-_Z)) / (1 + exp(-apply(ABS, _Z))),
    "multiply above and below by e^(min(z, 0)): no exponent is ever positive",
)
ONE_EXPONENTIAL = identity(
    "one exponential for both signs",
    exp(-relu(_Z)),
    (1 - apply(STEP, _Z)) + apply(STEP, _Z) * exp(-apply(ABS, _Z)),
    "e^(-max(z, 0)) is 1 or e^(-|z|), and [z > 0] says which, exactly: the exponential of the "
    "denominator serves the numerators too",
)
NORMAL_COMPLEMENT = identity(
    "one minus a normal distribution function",
    1 - normal_cdf(_Z),
    normal_cdf(-_Z),
    "1 - Φ(z) cancels where Φ(z) is close to 1; Φ(-z) is the same number, computed directly",
)
LOG_OF_NORMAL = identity(
    "log of a normal distribution function",
    log(normal_cdf(_Z)),
    log_normal_cdf(_Z),
    "Φ(z) rounds to 0 at z = -38, long before its logarithm is large",
)
EVEN = identity(
    "absolute value of a negative",
    apply(ABS, -_Z),
    apply(ABS, _Z),
    "|-z| = |z|, so one exponential serves both signs",
)


def shift_rules(shift: Symbol) -> tuple[Rule, Rule]:
    """Return the two rules that take a shift out of a softmax.

    Parameters
    ----------
    shift : Symbol
        One number an example, of shape (1, examples). Any value is right; the largest score keeps
        every exponent from overflowing.
    """

    def out_of_sum(total: Expr) -> tuple[Expr, Expr] | None:
        """Return the shift of an example and the sum of shifted exponentials."""
        if not (isinstance(total, Total) and is_op(total.body, "exp")):
            return None
        scores = total.body.args[0]
        example = _example(scores, shift)
        if example is None or example in set(walk(scores)):
            return None
        return example, Total(total.index, exp(scores - example))

    def log_sum_exp(expr: Expr) -> Expr | None:
        parts = expr.args if is_op(expr, "add") else (expr,)
        for part in parts:
            found = out_of_sum(part.args[0]) if is_op(part, "log") else None
            if found is not None:
                example, shifted = found
                rest = [other for other in parts if other is not part]
                return add(example, *rest, log(shifted))
        return None

    def exponentials(expr: Expr) -> Expr | None:
        if _degree(expr) != 0:
            return None
        mapping: dict[Expr, Expr] = {}
        for node in walk(expr):
            example = _example(node.args[0], shift) if is_op(node, "exp") else None
            if example is not None and example not in set(walk(node)):
                mapping[node] = exp(node.args[0] - example)
        return replace(expr, mapping) if mapping else None

    return (
        Rule(
            "shift out of a log-sum-exp",
            "log Σ e^z = c + log Σ e^(z - c) for every c; with the largest score nothing overflows",
            log_sum_exp,
        ),
        Rule(
            "shift every exponential",
            "above and below, equally many exponentials: multiplying each by e^(-c) changes "
            "nothing, and with the largest score nothing overflows",
            exponentials,
        ),
    )


def _log_of_sum(expr: Expr) -> Expr | None:
    """Rewrite ``log(sum(exp(z)))``."""
    if not (is_op(expr, "log") and is_op(expr.args[0], "sum")):
        return None
    total = expr.args[0]
    assert isinstance(total, Apply)
    (powers,) = total.args
    return logsumexp(powers.args[0], total.attrs[0]) if is_op(powers, "exp") else None


def _share(expr: Expr) -> Expr | None:
    """Rewrite ``exp(z)/sum(exp(z))``, whatever else stands above and below."""
    if not is_op(expr, "div"):
        return None
    bottom = expr.args[1]
    bottom = bottom.args[0] if is_op(bottom, "broadcast") else bottom
    above, below = list(factors(expr.args[0])), list(factors(bottom))
    for total in below:
        inner = total.args[0] if is_op(total, "broadcast") else total
        if not (is_op(inner, "sum") and inner.args[0] in above):
            continue
        assert isinstance(inner, Apply)
        (powers,) = inner.args
        if not is_op(powers, "exp"):
            continue
        above[above.index(powers)] = softmax(powers.args[0], inner.attrs[0])
        below.remove(total)
        share = div(mul(1, *above), mul(1, *below))
        negative = is_op(expr.args[0], "neg") != is_op(bottom, "neg")
        return broadcast(-share if negative else share, expr.shape)
    return None


def _log_of_share(expr: Expr) -> Expr | None:
    """Rewrite ``log(softmax(z))``."""
    if not (is_op(expr, "log") and is_op(expr.args[0], "softmax")):
        return None
    share = expr.args[0]
    assert isinstance(share, Apply)
    return share.args[0] - logsumexp(share.args[0], share.attrs[0])


LOG_OF_SUM = Rule(
    "log of a sum of exponentials",
    "e^z overflows at z = 710; with the largest score taken out nothing does",
    _log_of_sum,
)
SHARE = Rule(
    "share of a sum of exponentials",
    "e^z overflows at z = 710; a share does not change when the largest score is taken out",
    _share,
)
LOG_OF_SHARE = Rule(
    "log of a softmax",
    "a share rounds to 0 long before its logarithm is negligible; z - logsumexp(z) never does",
    _log_of_share,
)

SCORES = (LOG_OF_SUM, SHARE, LOG_OF_SHARE)
"""From exponentials of scores to forms that never overflow; for matrix forms."""

LOGARITHMS = (COMPLEMENT, LOG_OF_SIGMOID, NORMAL_COMPLEMENT, LOG_OF_NORMAL, *SCORES)
"""From logarithms of probabilities to forms that are finite where the probability rounds to 0."""

LESSON = (COMPLEMENT, LOG_OF_SIGMOID, SOFTPLUS_OF_MINUS, EXPAND, COLLECT)
"""From the cross-entropy as taught to ``softplus(z) - y z``."""

MACHINE = (CROSS_ENTROPY, RESIDUAL, COMPLEMENT, SIGMOID_SPLIT, ONE_EXPONENTIAL, EVEN)
"""From there to what a machine computes without overflow or cancellation."""


def stabilise(expr: Expr, rules: Sequence[Rule]) -> tuple[Expr, list[Fired]]:
    """Apply rules in order, each wherever it fits until it fits nowhere.

    Returns
    -------
    stable : Expr
        The rewritten expression.
    fired : list of Fired
        The steps, each with the whole expression before and after.
    """
    fired: list[Fired] = []
    for rule in rules:
        while (after := _once(rule, expr)) is not None and after is not expr:
            fired.append(Fired(rule, expr, after))
            expr = after
            if rule in (EXPAND, COLLECT):
                break
    return expr, fired


def _once(rule: Rule, expr: Expr) -> Expr | None:
    """Rewrite the outermost place where a rule fits."""
    for node in reversed(list(walk(expr))):
        after = rule.becomes(node)
        if after is not None and after is not node:
            return replace(expr, {node: after})
    return None


def _example(scores: Expr, shift: Symbol) -> Expr | None:
    """Return the entry of the shift that belongs to the example the scores speak of."""
    for node in walk(scores):
        col = getattr(node, "col", None)
        if col is not None and getattr(node, "matrix", None) is not shift:
            return entry(shift, None, col)
    return None


def _degree(expr: Expr) -> int | None:
    """Return how often an expression scales with its exponentials; nothing if not evenly."""
    if is_op(expr, "exp"):
        return 1
    if isinstance(expr, Total):
        return _degree(expr.body)
    if not isinstance(expr, Apply):
        return 0
    degrees = [_degree(arg) for arg in expr.args]
    known = [d for d in degrees if d is not None]
    if len(known) < len(degrees):
        return None
    if is_op(expr, "mul"):
        return sum(known)
    if is_op(expr, "div"):
        return known[0] - known[1]
    if is_op(expr, "power"):
        return known[0] * int(expr.attrs[0]) if expr.attrs[0].denominator == 1 else None
    if is_op(expr, "add") or is_op(expr, "neg"):
        return known[0] if len(set(known)) == 1 else None
    return 0 if not any(known) else None


__all__ = ["LESSON", "LOGARITHMS", "MACHINE", "SCORES", "shift_rules", "stabilise"]
