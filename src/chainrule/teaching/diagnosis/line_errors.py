"""Errors in the final line: a sign, a term, a factor, a name, a transpose, an exponent."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from fractions import Fraction

from chainrule.calculus.graph.dims import SCALAR
from chainrule.calculus.graph.model import Model
from chainrule.calculus.graph.node import Apply, Expr, Number, Symbol, symbols, walk
from chainrule.calculus.ops import TABLE, matmul, mul, neg, power, size, transpose
from chainrule.teaching.diagnosis.injection import Edit, InjectedError

STEP = "the last line"


def line_errors(finished: Expr) -> Iterator[InjectedError]:
    """Yield the single edits of a final line that people make."""
    for node in dict.fromkeys(walk(finished)):
        if not isinstance(node, Apply):
            continue
        if node.op is TABLE["add"]:
            for place in range(len(node.args)):
                yield from _term_errors(node, place)
        if node.op is TABLE["transpose"] and isinstance(node.args[0], Symbol):
            yield _exchanged(
                "transpose missing", "a transpose is missing in the product", node, node.args[0]
            )
        if node.op in (TABLE["sum"], TABLE["mean"]):
            other = TABLE["mean" if node.op is TABLE["sum"] else "sum"]
            yield _exchanged(
                "mean and sum confused",
                "a sum and a mean are taken for one another",
                node,
                Apply(other, node.args, node.attrs),
            )
        if node.op is TABLE["div"] and not isinstance(node.args[0], Number):
            yield _exchanged(
                "a denominator dropped", "a denominator is missing", node, node.args[0]
            )
        if node.op is TABLE["power"]:
            for exponent in (node.attrs[0] - 1, node.attrs[0] + 1):
                yield _exchanged(
                    "wrong exponent",
                    "an exponent is off by one",
                    node,
                    power(node.args[0], exponent),
                )
        if node.op is TABLE["matmul"]:
            yield from _product_errors(node)
        if node.op is TABLE["mul"]:
            yield from _factor_errors(node)


def overall_errors() -> Iterator[InjectedError]:
    """Yield the errors of a final line as a whole: its sign, a constant factor."""
    yield InjectedError("sign", "the overall sign is wrong", STEP, change=neg)
    yield InjectedError(
        "a constant factor: 2", "there is a factor 2 too many", STEP, change=lambda line: 2 * line
    )


def wrong_name_errors(model: Model, finished: Expr) -> Iterator[InjectedError]:
    """Yield the final line with one name in place of another of the same shape."""
    for symbol in sorted(symbols(finished), key=lambda s: s.name):
        for other in model.symbols:
            if other is symbol or other.shape != symbol.shape or other is model.objective:
                continue
            yield _exchanged(
                "wrong letter", f"{other.name} stands where another value belongs", symbol, other
            )


def _term_errors(node: Apply, place: int) -> Iterator[InjectedError]:
    yield _edited("an additive term dropped", "a term of a sum got lost", node, place, _dropped)
    yield _edited("sign of one term", "the sign of one term is wrong", node, place, neg)
    dims = sorted({str(d) for part in walk(node) for d in part.shape if isinstance(d, str)})
    scales: list[tuple[str, Expr]] = [("2", Number(2)), ("1/2", Number(Fraction(1, 2)))]
    for dim in dims:
        scales += [(f"1/{dim}", Number(1) / size(dim)), (dim, size(dim))]
    for times, scale in scales:

        def scaled(term: Expr, scale: Expr = scale) -> Expr:
            return mul(scale, term)

        message = f"a term stands {times} times"
        yield _edited("a term with a wrong factor", message, node, place, scaled)


def _factor_errors(node: Apply) -> Iterator[InjectedError]:
    left, right = node.args[0], node.args[-1]
    if len(node.args) == 2 and left.shape == right.shape and left.shape[0] == left.shape[1]:
        yield _exchanged(
            "matrix product where elementwise belongs",
            "these two factors are multiplied entry by entry, not as matrices",
            node,
            matmul(left, right),
        )
    for place, factor in enumerate(node.args):
        yield _edited("a factor dropped", "a factor got lost", node, place, _dropped)
        if not isinstance(factor, Number):
            yield _edited("a factor counted twice", "a factor stands twice", node, place, _squared)


def _product_errors(node: Apply) -> Iterator[InjectedError]:
    left, right = node.args[0], node.args[-1]
    if len(node.args) == 2 and left.shape == right.shape:
        yield _exchanged(
            "elementwise where a matrix product belongs",
            "these two factors are multiplied as matrices, not entry by entry",
            node,
            mul(left, right),
        )
    if len(node.args) == 2 and left.shape == right.shape[::-1]:
        yield _exchanged(
            "operands swapped",
            "the factors of a product stand in the wrong order",
            node,
            matmul(right, left),
        )
    for place, factor in enumerate(node.args):
        if factor.shape[0] == factor.shape[1] and factor.shape != SCALAR:
            transposed = [transpose(a) if k == place else a for k, a in enumerate(node.args)]
            yield _exchanged(
                "a transpose too many or too few",
                "a transpose is missing, or one is too many",
                node,
                matmul(*transposed) if len(transposed) == 2 else node.rebuilt(tuple(transposed)),
            )


def _dropped(part: Expr) -> None:
    """Return None: the term or factor is removed."""


def _squared(factor: Expr) -> Expr:
    return mul(factor, factor)


def _exchanged(name: str, message: str, old: Expr, new: Expr) -> InjectedError:
    return InjectedError(name, message, STEP, edit=Edit(old, None, lambda _: new))


def _edited(
    name: str, message: str, node: Expr, place: int, change: Callable[[Expr], Expr | None]
) -> InjectedError:
    return InjectedError(name, message, STEP, edit=Edit(node, place, change))
