"""Functions of several matrices and sizes: what each takes, and its builder."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import Enum
from types import MappingProxyType

from chainrule.calculus.graph.dims import Dim, divided, times
from chainrule.calculus.graph.node import Expr, Number
from chainrule.calculus.ops import (
    cross_entropy,
    expand_dims,
    look_up,
    onehot,
    outer,
    permute,
    reshape,
    scatter_add,
    squeeze,
    stack,
    transpose,
    vec,
    where,
)
from chainrule.calculus.ops.activations import (
    LEAK,
    clip,
    elu,
    gelu_tanh,
    hinge,
    leaky_relu,
    mish,
    scaled_softplus,
    selu,
    swish,
)
from chainrule.calculus.ops.composites import outer_sum
from chainrule.calculus.ops.costs import (
    info_nce,
    kl_gaussian,
    multiclass_hinge,
    negative_sampling,
    reparametrise,
    triplet,
)
from chainrule.calculus.ops.elementary import ceil, raised
from chainrule.calculus.ops.normalising import (
    batch_norm,
    cosine,
    dropout,
    group_norm,
    layer_norm,
    norm,
    rms_norm,
    squares,
)
from chainrule.calculus.ops.order import sort, sort_by, top, top_mask, unsort_by
from chainrule.calculus.ops.products import interleave, kron, matrix_power
from chainrule.calculus.ops.reduction import COLUMNS, ROWS
from chainrule.calculus.ops.special import polygamma
from chainrule.calculus.ops.triangles import (
    causal_softmax,
    cumsum,
    lower,
    masked_softmax,
    tril,
    triu,
    upper,
)
from chainrule.calculus.ops.windows import avgpool, conv1d, conv2d, convolve, fold, maxpool, windows
from chainrule.errors import ShapeError


class Kind(Enum):
    """Kind of an argument; the value is its name in errors."""

    MATRIX = "matrix"
    SIZE = "size"
    LENGTH = "size or -1"
    AXIS = "axis"
    PADDING = "padding"
    ORDER = "order of a norm"
    COUNT = "whole number"
    OFFSET = "whole number, which may be negative"
    FLAG = "True or False"


@dataclass(frozen=True)
class Signature:
    """How a function is called.

    Parameters
    ----------
    takes : tuple of Kind
        Its arguments in order.
    example : str
        A call that is right.
    build : callable
        From the arguments, and the options by name, to the expression.
    needs : int, optional
        How many of the arguments cannot be left out; all of them by default.
    more : bool
        Whether the last kind of argument may come any number of times.
    options : mapping of str to Kind
        What may be given by name.
    stated : mapping of str to str
        What code may state by name that holds here anyway, such as an axis.
    """

    takes: tuple[Kind, ...]
    example: str
    build: Callable[..., Expr]
    needs: int | None = None
    more: bool = False
    options: Mapping[str, Kind] = field(default_factory=dict)
    stated: Mapping[str, str] = field(default_factory=dict)

    @property
    def least(self) -> int:
        """The least number of arguments."""
        return len(self.takes) if self.needs is None else self.needs

    def kinds(self, given: int) -> tuple[Kind, ...] | None:
        """Return the kinds of this many arguments; nothing when they are too few or too many."""
        if given < self.least or (given > len(self.takes) and not self.more):
            return None
        return (*self.takes, *self.takes[-1:] * (given - len(self.takes)))[:given]


M, S, L, A = Kind.MATRIX, Kind.SIZE, Kind.LENGTH, Kind.AXIS
C, D = Kind.COUNT, Kind.OFFSET
ALONG = {"axis": A, "eps": M}
STRIDE = {"stride": S}
SLIDING = {"stride": S, "padding": Kind.PADDING}


def _concatenated(*parts: Expr, axis: int = ROWS) -> Expr:
    return stack(parts, axis)


def _below(*parts: Expr) -> Expr:
    return stack(parts, ROWS)


def _beside(*parts: Expr) -> Expr:
    return stack(parts, COLUMNS)


def _reshaped(x: Expr, rows: Dim, columns: Dim) -> Expr:
    """Reshape; -1 is as many as it must be."""
    whole = times(*x.shape)
    if rows == -1:
        rows = divided(whole, columns) or rows
    elif columns == -1:
        columns = divided(whole, rows) or columns
    return reshape(x, (rows, columns))


def _norm(x: Expr, order: int = 2, **named: int | None) -> Expr:
    """Take NumPy's word for the order."""
    given = named.pop("ord", order)
    return norm(x, 2 if given is None else given, named.get("axis"))


def _permuted(x: Expr, *order: int) -> Expr:
    """Put dimensions in another order; of the last two alone, it is the transpose."""
    swapped = (*range(len(x.shape) - 2), len(x.shape) - 1, len(x.shape) - 2)
    return transpose(x) if order == swapped else permute(x, order)


def _swapped(x: Expr, first: int, second: int) -> Expr:
    order = list(range(len(x.shape)))
    order[first], order[second] = second, first
    return _permuted(x, *order)


_SWAP = Signature((M, A, A), "swap(X, 1, 2)", _swapped)
_EXPAND = Signature((M, C), "expand_dims(X, 1)", expand_dims, options={"axis": C})


def _constant(value: int) -> Callable[[Dim, Dim], Expr]:
    return lambda rows, columns: Number(value, (rows, columns))


LEAKS = {"slope": M, "alpha": M, "negative_slope": M}


def _leaky_relu(x: Expr, slope: Expr | None = None, **named: Expr) -> Expr:
    """Take any library's word for the slope."""
    given = [slope, *named.values()]
    return leaky_relu(x, next((a for a in given if a is not None), LEAK))


def _softplus(x: Expr, beta: Expr | None = None, **named: Expr) -> Expr:
    given = [beta, *named.values()]
    return scaled_softplus(x, next((a for a in given if a is not None), 1))


def _polygamma(a: Expr, b: Expr) -> Expr:
    """Take the order on either side: first as in SciPy, or behind as it is printed."""
    order, x = (a, b) if isinstance(a, Number) else (b, a)
    if not (isinstance(order, Number) and order.value.denominator == 1 and order.value >= 0):
        raise ShapeError("the order is a whole number, as in polygamma(1, x)")
    return polygamma(x, int(order.value))


def _clipped(low: int, high: int) -> Callable[[Expr], Expr]:
    return lambda x: clip(x, low, high)


_CLIP = Signature((M, M, M), "clip(z, 0, 1)", clip)
_OUTER = Signature((M, M), "outer(a, b)", outer)
_CROSS = Signature((M, M), "cross_entropy(Y, P)", cross_entropy)
_ONEHOT = Signature((M, S), "onehot(ids, v)", onehot, stated={"axis": "0", "dtype": "float"})
_LOOKUP = Signature((M, M), "lookup(E, ids)", look_up)
_DRAWN = Signature((M, M, M), "reparametrise(mu, logvar, noise)", reparametrise)
_WINDOWS = Signature((M, S, S, S, S), "windows(X, 3, 3)", windows, needs=3, options=STRIDE)
_FOLD = Signature((M, S, S, S, S, S, S), "fold(G, 3, 3, n, m)", fold, needs=5, options=STRIDE)
_CONCAT = Signature((M, M), "concat(A, B, axis=1)", _concatenated, more=True, options={"axis": A})

SIGNATURES: Mapping[str, Signature] = MappingProxyType(
    {
        "outer": _OUTER,
        "where": Signature((M, M, M), "where([z > 0], a, b)", where),
        "cross_entropy": _CROSS,
        "crossentropy": _CROSS,
        "ones": Signature((S, S), "ones(m, 1)", _constant(1)),
        "zeros": Signature((S, S), "zeros(m, 1)", _constant(0)),
        "concat": _CONCAT,
        "concatenate": _CONCAT,
        "vstack": Signature((M, M), "vstack(A, B)", _below, more=True),
        "hstack": Signature((M, M), "hstack(A, B)", _beside, more=True),
        "onehot": Signature(
            (M, S), "onehot(ids, v)", onehot, stated={"axis": "0", "dtype": "float"}
        ),
        "one_hot": Signature(
            (M, S), "onehot(ids, v)", onehot, stated={"axis": "0", "dtype": "float"}
        ),
        "lookup": _LOOKUP,
        "embedding": _LOOKUP,
        "gather": _LOOKUP,
        "scatter_add": Signature((M, M, S), "scatter_add(G, ids, v)", scatter_add),
        "norm": Signature(
            (M, Kind.ORDER), "norm(x)", _norm, needs=1, options={"axis": A, "ord": Kind.ORDER}
        ),
        "squared_norm": Signature((M,), "squared_norm(x)", squares, options={"axis": A}),
        "layer_norm": Signature((M,), "layer_norm(Z, axis=0)", layer_norm, options=ALONG),
        "batch_norm": Signature((M,), "batch_norm(Z, axis=1)", batch_norm, options=ALONG),
        "rms_norm": Signature((M,), "rms_norm(Z, axis=0)", rms_norm, options=ALONG),
        "group_norm": Signature((M, S), "group_norm(Z, 4)", group_norm, options={"eps": M}),
        "cosine": Signature((M, M), "cosine(a, b)", cosine, options={"axis": A}),
        "dropout": Signature((M, M), "dropout(A, D, keep=4/5)", dropout, options={"keep": M}),
        "reparametrise": _DRAWN,
        "reparametrize": _DRAWN,
        "reparameterize": _DRAWN,
        "kl_gaussian": Signature((M, M), "kl_gaussian(mu, logvar)", kl_gaussian),
        "info_nce": Signature((M, M, M), "info_nce(A, B, tau)", info_nce, needs=2),
        "triplet": Signature((M, M, M), "triplet(A, P, N)", triplet, options={"margin": M}),
        "multiclass_hinge": Signature(
            (M, M), "multiclass_hinge(Y, S)", multiclass_hinge, options={"margin": M}
        ),
        "negative_sampling": Signature((M, M, M), "negative_sampling(v, u, U)", negative_sampling),
        "windows": _WINDOWS,
        "im2col": _WINDOWS,
        "fold": _FOLD,
        "col2im": _FOLD,
        "conv1d": Signature((M, M), "conv1d(x, w, padding=same)", conv1d, options=SLIDING),
        "convolve": Signature((M, M), "convolve(dy, w)", convolve),
        "conv2d": Signature((M, M), "conv2d(X, K, stride=2)", conv2d, options=SLIDING),
        "maxpool": Signature((M, S, S), "maxpool(X, 2)", maxpool, needs=2, options=STRIDE),
        "avgpool": Signature((M, S, S), "avgpool(X, 2)", avgpool, needs=2, options=STRIDE),
        "leaky_relu": Signature((M, M), "leaky_relu(z, 1/10)", _leaky_relu, needs=1, options=LEAKS),
        "leakyrelu": Signature((M, M), "leaky_relu(z, 1/10)", _leaky_relu, needs=1, options=LEAKS),
        "prelu": Signature((M, M), "prelu(z, a)", leaky_relu),
        "elu": Signature((M, M), "elu(z, alpha=1)", elu, needs=1, options={"alpha": M}),
        "selu": Signature((M,), "selu(z)", selu),
        "gelu_tanh": Signature((M,), "gelu_tanh(z)", gelu_tanh),
        "mish": Signature((M,), "mish(z)", mish),
        "swish": Signature((M, M), "swish(z, beta)", swish, needs=1),
        "softplus": Signature(
            (M, M), "softplus(z, beta=2)", _softplus, needs=1, options={"beta": M, "scale": M}
        ),
        "clip": _CLIP,
        "clamp": _CLIP,
        "relu6": Signature((M,), "relu6(z)", _clipped(0, 6)),
        "hardtanh": Signature((M,), "hardtanh(z)", _clipped(-1, 1)),
        "hinge": Signature((M, M), "hinge(Y, S)", hinge, needs=1),
        "ceil": Signature((M,), "ceil(z)", ceil),
        "pow": Signature((M, M), "pow(x, a)", raised),
        "power": Signature((M, M), "power(x, a)", raised),
        "polygamma": Signature((M, M), "polygamma(1, x)", _polygamma),
        "outer_sum": Signature((M, M), "outer_sum(a, b)", outer_sum),
        "lower": Signature((S, S, D), "lower(n, n)", lower, needs=1),
        "upper": Signature((S, S, D), "upper(n, n)", upper, needs=1),
        "tril": Signature((M, D), "tril(A)", tril, needs=1),
        "triu": Signature((M, D), "triu(A)", triu, needs=1),
        "cumsum": Signature((M, A), "cumsum(X, axis=1)", cumsum, needs=1, options={"axis": A}),
        "masked_softmax": Signature(
            (M, M), "masked_softmax(S, K, axis=0)", masked_softmax, options={"axis": A}
        ),
        "causal_softmax": Signature(
            (M,), "causal_softmax(S, axis=0)", causal_softmax, options={"axis": A}
        ),
        "sort": Signature(
            (M, A), "sort(X, axis=1)", sort, needs=1, options={"axis": A, "descending": Kind.FLAG}
        ),
        "sort_by": Signature((M, M), "sort_by(X, K, axis=1)", sort_by, options={"axis": A}),
        "unsort_by": Signature((M, M), "unsort_by(X, K, axis=1)", unsort_by, options={"axis": A}),
        "top_mask": Signature((M, C), "top_mask(X, 2, axis=0)", top_mask, options={"axis": A}),
        "topk": Signature((M, C), "topk(X, 2, axis=0)", top, options={"axis": A}),
        "permute": Signature((M, C), "permute(X, 0, 2, 1)", _permuted, more=True),
        "swap": _SWAP,
        "swapaxes": _SWAP,
        "expand_dims": _EXPAND,
        "unsqueeze": _EXPAND,
        "squeeze": Signature((M, A), "squeeze(X, 1)", squeeze, options={"axis": A}),
        "matrix_power": Signature((M, D), "matrix_power(A, 3)", matrix_power),
        "kron": Signature((M, M), "kron(A, B)", kron),
        "interleave": Signature((M, S, S, S, S), "interleave(X, a, b, c, d)", interleave),
        "reshape": Signature((M, L, L), "reshape(X, n, m)", _reshaped),
        "vec": Signature((M,), "vec(X)", vec),
    }
)
"""The functions, by every word for them."""

ENTRYWISE_MACROS = frozenset(
    {"ceil", "clamp", "clip", "elu", "gelu_tanh", "hardtanh", "hinge", "leaky_relu", "leakyrelu"}
    | {"mish", "pow", "power", "prelu", "relu6", "selu", "softplus", "swish", "where"}
)
"""The functions among these that act on each entry by itself."""
