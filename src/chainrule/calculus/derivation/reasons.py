"""Reasons of factors: why a slope is what it is, in a sentence that is true for this use of a rule.

The sentence of an operation (`Op.because`) describes the gradient that comes back through it. A
factor such as ∂z/∂w has no gradient behind it: it is the derivative of one value with respect to
another, and the right sentence depends on what varies: both factors of a product, one of them, or
the denominator.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import TypeAlias

from chainrule.calculus.graph.node import Apply, Number

Sentence: TypeAlias = Callable[[Apply, Sequence[bool]], str]
"""From a use of an operation, and which of its arguments move, to the reason."""


def factor_reason(node: Apply, moving: Sequence[bool]) -> str:
    """Return why the slope of an operation is what it is.

    Parameters
    ----------
    node : Apply
        The use of the operation.
    moving : sequence of bool
        Which arguments depend on the variable.
    """
    found = SENTENCES.get(node.op.name)
    if found is not None:
        return found(node, moving)
    if node.op.moves:
        return "entries are moved without being changed, so each keeps slope 1, in its new place"
    return node.op.because


def _always(sentence: str) -> Sentence:
    return lambda node, moving: sentence


def _product(node: Apply, moving: Sequence[bool]) -> str:
    if sum(moving) > 1:
        return "each factor in turn is differentiated with the others held fixed, and the parts add"
    still = [arg for arg, moves in zip(node.args, moving, strict=True) if not moves]
    if all(isinstance(arg, Number) for arg in still):
        return "a number in front stays in front"
    return "the other factors are held constant"


def _matrix_product(node: Apply, moving: Sequence[bool]) -> str:
    left, right = moving
    if left and right:
        return (
            "an entry of the product adds up products; in each, one factor in turn is held fixed, "
            "and the parts add"
        )
    held = "right" if left else "left"
    return (
        "an entry of the product adds up products, so the derivative with respect to an entry of "
        f"the {'left' if left else 'right'} factor is the entry of the {held} one that it meets"
    )


def _quotient(node: Apply, moving: Sequence[bool]) -> str:
    above, below = moving
    if not below:
        return "the denominator is constant, so it divides the derivative too"
    if not above:
        return "the numerator is constant: d(u/v) = -u dv/v^2"
    return "d(u/v) = du/v - u dv/v^2"


SENTENCES: Mapping[str, Sentence] = MappingProxyType(
    {
        "add": _always("the derivative of a sum is the sum of the derivatives"),
        "mul": _product,
        "matmul": _matrix_product,
        "div": _quotient,
        "sum": _always("every entry enters the sum once, with slope 1"),
        "broadcast": _always("a value that is repeated moves all its copies, each with slope 1"),
        "transpose": _always("transposing moves entries without changing them, so the slope is 1"),
        "max": _always(
            "only the largest entry moves the value, with slope 1; entries that tie share it "
            "equally"
        ),
        "min": _always(
            "only the smallest entry moves the value, with slope 1; entries that tie share it "
            "equally"
        ),
        "maximum": _always("the larger argument is the value, so it has slope 1 and the other 0"),
        "minimum": _always("the smaller argument is the value, so it has slope 1 and the other 0"),
        "permute": _always("reordering dimensions moves entries unchanged, so the slope is 1"),
        "expand_dims": _always("a dimension of size 1 changes no entry, so the slope is 1"),
        "squeeze": _always("a dimension of size 1 changes no entry, so the slope is 1"),
        "trim": _always("a dimension of size 1 changes no entry, so the slope is 1"),
        "einsum": _always(
            "every entry of the result is a sum of products, so the derivative with respect to an "
            "entry of one factor is the product of the entries of the others that it meets"
        ),
        "stack": _always("every block of a stack is used as it is, so its entries have slope 1"),
        "part": _always("the entries that a part takes have slope 1, and those outside it 0"),
        "reshape": _always("reshaping moves entries without changing them, so the slope is 1"),
        "take": _always("an entry has slope 1 wherever it is looked up, and 0 everywhere else"),
        "scatter_add": _always("every line is added at one place, with slope 1"),
        "windows": _always("an entry has slope 1 in every window that it lies in"),
        "fold": _always("an entry of a window is added at one place, with slope 1"),
        "diag": _always("the vector lies on the diagonal, so its entries have slope 1 there"),
        "diagonal": _always("only the entries on the diagonal are read, each with slope 1"),
        "inverse": _always("from X X^-1 = I: dX^-1 = -X^-1 dX X^-1"),
    }
)
"""The reasons by the name of the operation; the others have one sentence for every use."""

__all__ = ["SENTENCES", "factor_reason"]
