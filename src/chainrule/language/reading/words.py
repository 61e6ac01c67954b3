"""The words that mean functions: each row's own name and glyphs, and what people type for them."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from chainrule.calculus.graph.node import Expr
from chainrule.calculus.graph.op import Layout, Op, axis_option
from chainrule.calculus.ops import (
    TABLE,
    apply,
    argmax,
    argmin,
    det,
    diag,
    inverse,
    log_softmax,
    logdet,
    logsumexp,
    maximum,
    minimum,
    reduce_max,
    reduce_mean,
    reduce_min,
    reduce_sum,
    softmax,
    trace,
    transpose,
    variance,
)
from chainrule.calculus.ops.normalising import deviation
from chainrule.calculus.ops.products import reduce_prod
from chainrule.language.reading.names import scan
from chainrule.language.reading.signatures import ENTRYWISE_MACROS, SIGNATURES

ALIASES = {
    "ln": "log",
    "logistic": "sigmoid",
    "sigm": "sigmoid",
    "rectifier": "relu",
    "absolute": "abs",
    "fabs": "abs",
    "sgn": "sign",
    "atan": "arctan",
    "arctg": "arctan",
    "tg": "tan",
    "log_2": "log2",
    "log_10": "log10",
    "gammaln": "lgamma",
    "loggamma": "lgamma",
}
"""What people type for a function whose row has another name."""


def _spellings(row: Op) -> Iterator[str]:
    notation = row.notation
    for glyph in (row.name, notation.plain, notation.unicode, notation.latex):
        found = scan(glyph)
        if found and found.end == len(glyph):
            yield found.canonical


def _entrywise() -> dict[str, Op]:
    rows = [
        row
        for row in TABLE.values()
        if row.elementwise
        and len(row.domain) == 1
        and row.notation.options is axis_option  # no attributes to be given
        and row.notation.layout in (Layout.FUNCTION, Layout.FENCE)
    ]
    words = {spelling: row for row in rows for spelling in _spellings(row)}
    return words | {alias: words[name] for alias, name in ALIASES.items() if name in words}


ENTRYWISE = _entrywise()
"""Functions that act on each entry: the row by every spelling."""

CONSTANTS = {
    spelling: row
    for row in TABLE.values()
    if row.notation.layout is Layout.CONSTANT
    for spelling in _spellings(row)
}
"""Names that stand for numbers, such as π, unless the forward pass declares them."""

FENCES = {row.notation.unicode: row for row in TABLE.values() if row.notation.unicode}
"""Rows by the glyph that surrounds their argument, for bars and masks."""

REDUCTIONS: dict[str, Callable[..., Expr]] = {
    "sum": reduce_sum,
    "mean": reduce_mean,
    "average": reduce_mean,
    "avg": reduce_mean,
    "max": reduce_max,
    "min": reduce_min,
    "prod": reduce_prod,
    "argmax": argmax,
    "argmin": argmin,
    "softmax": softmax,
    "log_softmax": log_softmax,
    "logsoftmax": log_softmax,
    "logsumexp": logsumexp,
    "lse": logsumexp,
    "variance": variance,
    "var": variance,
    "std": deviation,
}
"""Functions that take an axis."""

NEEDS_AXIS = frozenset({"softmax", "log_softmax", "logsoftmax"})
"""Functions along an axis that nobody means over a whole matrix."""

COUNTED = frozenset({"variance", "var", "std"})
"""Functions that take ``ddof``, the number that is taken off the count."""

WHOLE: dict[str, Callable[[Expr], Expr]] = {
    "transpose": transpose,
    "trace": trace,
    "tr": trace,
    "Tr": trace,
    "diag": diag,
    "inverse": inverse,
    "inv": inverse,
    "det": det,
    "logdet": logdet,
}
"""Functions of a matrix as a whole."""

PAIRS = {
    "dot": "@",
    "matmul": "@",
    "bmm": "@",
    "multiply": ".*",
    "add": "+",
    "subtract": "-",
    "divide": "/",
}
"""Functions that spell an operator."""

LARGER: dict[str, Callable[[Expr, Expr], Expr]] = {
    "max": maximum,
    "maximum": maximum,
    "min": minimum,
    "minimum": minimum,
}
"""Functions of two matrices entry by entry; of one, some of them go along an axis."""

EYE, SPLIT, EINSUM = "eye", "split", "einsum"
TRANSPOSE, SWAP = "transpose", "swap"

OF_TENSORS = (
    frozenset({"layer_norm", "batch_norm", "rms_norm", "dropout", "transpose", "masked_softmax"})
    | {"causal_softmax", "tril", "triu"}
    | {
        "permute",
        "swap",
        "swapaxes",
        "expand_dims",
        "unsqueeze",
        "squeeze",
        "cross_entropy",
        "norm",
    }
    | ENTRYWISE_MACROS
)
"""Functions among the signatures, and of a whole, that take tensors as well as matrices."""

_CAPITAL = frozenset({"Diag", "Trace", "Det"})
"""Functions of a whole matrix that papers begin with a capital."""

_CASELESS = frozenset(word for word in ENTRYWISE if len(word) > 2 and word != "sigma")


def function_word(name: str) -> str | None:
    """Return the word of a function as the tables above have it, or nothing.

    >>> function_word("Tanh"), function_word("w")
    ('tanh', None)
    """
    if name in ENTRYWISE or name in REDUCTIONS:
        return name
    if name in WHOLE or name in PAIRS or name in LARGER or name in SIGNATURES:
        return name
    if name in (EYE, SPLIT, EINSUM):
        return name
    if name in _CAPITAL:
        return name.lower()
    return name.lower() if name.lower() in _CASELESS else None


def entrywise(word: str, argument: Expr) -> Expr:
    """Apply the function that a word means to every entry."""
    return apply(ENTRYWISE[word], argument)


def function_words() -> tuple[str, ...]:
    """Every word that means a function, for the nearest one to a misspelling."""
    return (*ENTRYWISE, *REDUCTIONS, *WHOLE, *PAIRS, *LARGER, *SIGNATURES, EYE, SPLIT, EINSUM)
