"""Functions of NumPy and PyTorch, as operations of an algebra."""

from __future__ import annotations

import ast
import re
from typing import TypeVar

from chainrule.teaching.marking.code_by_value.algebra import Misfit, NewAxis, Part, Size
from chainrule.teaching.marking.code_by_value.library_losses import LOSSES, library_loss
from chainrule.teaching.marking.code_by_value.reader import Arguments, Keywords, Reader
from chainrule.teaching.marking.code_by_value.words import is_scalar_name

V = TypeVar("V")

_FUNCTIONS = {
    "exp": "exp", "log": "log", "log1p": "log1p", "tanh": "tanh", "sqrt": "sqrt", "abs": "abs",
    "sin": "sin", "cos": "cos", "square": "square", "sigmoid": "sigmoid", "relu": "relu",
    "absolute": "abs", "negative": "negative", "sign": "sign", "softplus": "softplus",
    "expit": "sigmoid", "logistic": "sigmoid", "sigm": "sigmoid", "leaky_relu": "leaky",
    "logical_not": "logical_not", "reciprocal": "reciprocal", "rsqrt": "rsqrt", "expm1": "expm1",
    "gelu": "gelu", "logsigmoid": "log_sigmoid", "log_sigmoid": "log_sigmoid",
    "silu": "silu", "swish": "silu",
}  # fmt: skip


_OF_TWO = {
    "maximum": "maximum", "minimum": "minimum", "multiply": "multiply", "divide": "divide",
    "true_divide": "divide", "add": "add", "subtract": "subtract", "power": "power",
    "pow": "power", "mul": "multiply", "sub": "subtract", "div": "divide", "greater": "greater",
    "less": "less", "equal": "equal", "not_equal": "not_equal", "heaviside": "greater",
    "logaddexp": "logaddexp",
}  # fmt: skip


_SAME = frozenset({
    "copy", "array", "asarray", "astype", "int64", "float", "float32", "float64", "int", "clone",
    "detach", "float_", "double", "deepcopy", "asmatrix", "matrix", "clip", "tensor",
    "requires_grad_", "to", "item", "nan_to_num", "int32", "uint8", "long", "type", "as_tensor",
    "numpy", "ascontiguousarray", "print", "contiguous", "cpu", "int_", "bool", "atleast_2d",
    "broadcast_to", "asfarray", "real", "constant", "convert_to_tensor", "cast", "stop_gradient",
    "expand", "expand_as",
})  # fmt: skip


_REDUCES = {"sum": "sum", "mean": "mean", "max": "max", "amax": "max", "average": "mean",
            "min": "min", "prod": "prod"}  # fmt: skip


_JOINS = {"concatenate": 0, "cat": 0, "concat": 0, "hstack": -1, "vstack": 0, "stack": 0,
          "column_stack": -1, "row_stack": 0}  # fmt: skip


SLOPES = re.compile(
    r"(?i)d_?(?P<a>sigmoid|tanh|relu)|(?P<b>sigmoid|tanh|relu)_?(?:deriv\w*|prime|grad\w*|der|d)"
    r"|(?:deriv\w*|der|grad)_?(?:of_?)?(?P<c>sigmoid|tanh|relu)"
)


def known_function(ev: Reader[V], word: str, args: Arguments, keywords: Keywords) -> object:
    """Return the value of a call of a function that NumPy or PyTorch has.

    Parameters
    ----------
    ev : Reader
        The evaluation of the arguments.
    word : str
        The name of the function.
    args : sequence of ast.expr
        Its arguments; of a method, its object first.
    keywords : mapping
        Its arguments by keyword.

    Raises
    ------
    Misfit
        When the function is not read.
    """
    algebra = ev.algebra
    if word == "len" and args:
        return ev.length(args[0])
    if word in ("size", "numel") and len(args) == 1:
        return algebra.total(ev.array(args[0]))
    if not args:
        raise Misfit(f"{word}() is not read")
    first = args[0]
    if word == "mtimes" and len(args) == 2:
        return _matrix_product(ev, *args)
    if word in ("octave_sum", "octave_mean"):
        return _octave_sum(ev, word.removeprefix("octave_"), ev.array(first))
    if word == "insert" and len(args) + len(keywords) == 4 and ast.unparse(args[1]) == "0":
        return _bound(ev, [args[2], first], axis=1)
    if word in ("tile", "repeat") and len(args) > 1:
        return ev.value(first)
    if word == "inner" and len(args) == 2:
        return algebra.dot(ev.array(first), ev.array(args[1]))
    if word in ("bind_rows", "bind_columns"):
        return _bound(ev, args, axis=int(word == "bind_columns"))
    if word in ("dot", "matmul", "mm", "mv", "bmm") and len(args) == 2:
        return algebra.dot(ev.array(first), ev.array(args[1]))
    if word == "outer" and len(args) == 2:
        return algebra.outer(ev.array(first), ev.array(args[1]))
    if word == "einsum":
        return _einsum(ev, args)
    if word in ("transpose", "t", "permute", "swapaxes"):
        return _transposed(ev, word, args)
    if word in ("var", "std"):
        return _variance(ev, word, args, keywords)
    if word in _REDUCES:
        if len(args) == 2 and word in ("max", "min") and _is_number(args[1], first):
            pair = (ev.array(first), ev.array(args[1]))
            return algebra.elementwise(f"{word}imum", *pair)
        return _reduced(ev, _REDUCES[word], args, keywords)
    if word in _FUNCTIONS:
        return algebra.elementwise(_FUNCTIONS[word], ev.argued(first))
    if word in _OF_TWO and len(args) == 2:
        return _of_two(ev, word, args)
    if (
        word in ("clamp", "clamp_min", "relu_")
        and (low := keywords.get("min", args[-1])) is not first
    ):
        return algebra.elementwise("maximum", algebra.argument(ev.array(first)), ev.array(low))
    if word in ("cost_derivative", "loss_derivative") and len(args) == 2:
        return algebra.elementwise("subtract", ev.array(first), ev.array(args[1]))
    if word in ("rand", "randn", "random", "uniform", "normal", "rand_like", "randn_like",
                "binomial", "bernoulli"):  # fmt: skip
        return _noise(ev, args, keywords)
    if word == "norm" and len(args) == 1:
        squares = algebra.elementwise("square", ev.array(first))
        axes = _axes(ev, args, keywords)
        total = algebra.reduced("sum", squares, axes, keeps=_keeps(keywords, args))
        return algebra.elementwise("sqrt", total)
    if word == "where" and len(args) == 3:
        return algebra.elementwise("where", *(ev.array(one) for one in args))
    if word in ("softmax", "log_softmax"):
        return _softmax(ev, word, args, keywords)
    if word in LOSSES:
        return library_loss(ev, word, args, keywords)
    if word in _SAME:
        return ev.value(first)
    if word in _JOINS:
        return _joined(ev, word, args, keywords)
    if word in ("zeros_like", "ones_like", "empty_like"):
        value = algebra.elementwise("nothing", ev.array(first))
        if word != "ones_like":
            return value
        return algebra.elementwise("add", value, algebra.number(1.0))
    if word in ("zeros", "ones"):
        listed = first.elts if isinstance(first, ast.Tuple | ast.List) else args
        if isinstance(first, ast.Attribute) and first.attr == "shape":
            like = algebra.elementwise("nothing", ev.array(first.value))
            return like if word == "zeros" else algebra.elementwise(
                "add", like, algebra.number(1.0))  # fmt: skip
        return algebra.filled(float(word == "ones"), tuple(map(ev.size_of, listed)))
    if word in ("eye", "identity"):
        return algebra.identity(ev.size_of(first))
    if word == "one_hot":
        return _one_hot(ev, args)
    if word in ("tril", "triu"):
        return algebra.elementwise(word, ev.array(first))
    if word == "masked_fill" and len(args) == 3:
        return algebra.elementwise("where", *(ev.array(a) for a in (args[1], args[2], first)))
    if word in ("reshape", "view"):
        return _reshaped(ev, args)
    if word in ("ravel", "flatten"):
        return algebra.reshaped(ev.array(first), (-1,))
    if word in ("squeeze",):
        return ev.value(first)
    if word in ("expand_dims", "unsqueeze") and len(args) + len(keywords) == 2:
        return _widened(ev, args, keywords)
    if (slope := SLOPES.fullmatch(word)) is not None:
        kind = slope["a"] or slope["b"] or slope["c"]
        of = " by output" if ev.names.of_outputs else ""
        return algebra.elementwise(f"slope of {kind.lower()}{of}", ev.array(first))
    raise Misfit(f"the function {word} is not read")


def _matrix_product(ev: Reader[V], one: ast.expr, other: ast.expr) -> object:
    """Return a product as Octave has it: of matrices, or with a number."""
    left, right = ev.value(one), ev.value(other)
    if isinstance(left, int | float | Size) or isinstance(right, int | float | Size):
        return ev.times(left, right)
    named = [node.id if isinstance(node, ast.Name) else "" for node in (one, other)]
    if any(is_scalar_name(name) for name in named):
        return ev.times(left, right)
    return ev.algebra.dot(ev.lifted(left), ev.lifted(right))


def _octave_sum(ev: Reader[V], kind: str, value: V) -> object:
    """Return the sum of every column, which of a vector is that of all its entries."""
    if ev.rank(value, 2) < 2 or ev.algebra.is_vector(value):
        return ev.algebra.reduced(kind, value, None, keeps=False)
    return ev.algebra.reduced(kind, value, (0,), keeps=True)


def _bound(ev: Reader[V], args: Arguments, *, axis: int) -> object:
    """Return values side by side or one below the other; a number fills its part."""
    algebra = ev.algebra
    values = [ev.array(one) for one in args]
    ranks = [ev.rank(one, 2) for one in values]
    along = min(axis, max(max(ranks) - 1, 0))
    model = values[ranks.index(max(ranks))]
    if not max(ranks):
        return algebra.joined(tuple(algebra.reshaped(one, (1,)) for one in values), 0, new=False)
    ones = algebra.elementwise("add", algebra.elementwise("nothing", algebra.reduced(
        "sum", model, (along,), keeps=True)), algebra.number(1.0))  # fmt: skip
    full = [one if rank else algebra.elementwise("multiply", ones, one)
            for one, rank in zip(values, ranks, strict=True)]  # fmt: skip
    return algebra.joined(tuple(full), along, new=False)


def _noise(ev: Reader[V], args: Arguments, keywords: Keywords) -> object:
    """Return an array of random numbers, the same ones in every walk."""
    listed = list(args)
    if "size" in keywords:
        listed = [keywords["size"]]
    key = " ".join(ast.unparse(one) for one in listed)
    last = listed[-1]
    if isinstance(last, ast.Starred):
        last = last.value
    if isinstance(last, ast.Attribute) and last.attr == "shape":
        return ev.algebra.noise(ev.array(last.value), key)
    if isinstance(last, ast.Tuple | ast.List):
        listed = last.elts
    if len(listed) == 1 and not isinstance(listed[0], ast.Constant):
        value = ev.value(listed[0])
        if not isinstance(value, int | float | tuple) and hasattr(value, "shape"):
            return ev.algebra.noise(ev.lifted(value), key)
    return ev.algebra.noise(ev.algebra.filled(0.0, tuple(map(ev.size_of, listed))), key)


def _is_number(node: ast.expr, first: ast.expr) -> bool:
    """Whether a call such as ``max(0, x)`` compares two values, one of them a number."""
    return isinstance(first, ast.Constant) and not isinstance(node, ast.Constant)


def _of_two(ev: Reader[V], word: str, args: Arguments) -> object:
    pair = [ev.array(one) for one in args]
    if word in ("maximum", "minimum"):
        pair = [one if isinstance(node, ast.Constant) else ev.algebra.argument(one)
                for one, node in zip(pair, args, strict=True)]  # fmt: skip
    return ev.algebra.elementwise(_OF_TWO[word], *pair)


def _einsum(ev: Reader[V], args: Arguments) -> object:
    signature, *values = args
    if not (isinstance(signature, ast.Constant) and isinstance(signature.value, str)):
        raise Misfit("an einsum whose signature is not given")
    if "->" not in signature.value:
        raise Misfit("an einsum without an arrow; write -> and the indices of the result")
    written = signature.value
    if " " in written.replace(", ", ",").replace(" ->", "->").replace("-> ", "->"):
        raise Misfit("an einsum with names of several letters")
    return ev.algebra.einsum(written.replace(" ", ""), tuple(ev.array(one) for one in values))


def _transposed(ev: Reader[V], word: str, args: Arguments) -> object:
    value = ev.array(args[0])
    listed = args[1:]
    if len(listed) == 1 and isinstance(listed[0], ast.Tuple | ast.List):
        listed = listed[0].elts
    if not listed:
        return ev.algebra.turned(value)
    axes = tuple(_whole(ev.value(one)) for one in listed)
    if len(axes) > 2 or (len(axes) == 2 and word == "permute") or sorted(axes) == [0, 1]:
        return ev.algebra.permuted(value, axes)
    if len(axes) != 2:
        raise Misfit("axes that are not read")
    rank = ev.rank(value, 1 + max(axes) if min(axes) >= 0 else max(2, *(-axis for axis in axes)))
    order = list(range(rank))
    one, two = (axis % rank for axis in axes)
    order[one], order[two] = order[two], order[one]
    return ev.algebra.permuted(value, tuple(order))


def _axes(ev: Reader[V], args: Arguments, keywords: Keywords) -> tuple[int, ...] | None:
    given = keywords.get("axis", keywords.get("dim"))
    if given is None and len(args) > 1:
        given = args[1]
    if given is None:
        return None
    axis = ev.value(given)
    if axis is None:
        return None
    found = axis if isinstance(axis, tuple) else (axis,)
    return tuple(_whole(one) for one in found)


def _keeps(keywords: Keywords, args: Arguments) -> bool:
    keeps = keywords.get("keepdims", keywords.get("keepdim"))
    if keeps is None and len(args) > 2:
        keeps = args[2]
    return isinstance(keeps, ast.Constant) and keeps.value is True


def _reduced(ev: Reader[V], kind: str, args: Arguments, keywords: Keywords) -> object:
    return ev.algebra.reduced(kind, ev.array(args[0]), _axes(ev, args, keywords),
                              keeps=_keeps(keywords, args))  # fmt: skip


def _variance(ev: Reader[V], word: str, args: Arguments, keywords: Keywords) -> object:
    """Return a variance; that of PyTorch divides by one less, unless the call says otherwise."""
    algebra = ev.algebra
    value, axes = ev.array(args[0]), _axes(ev, args, keywords)
    keeps = _keeps(keywords, args)
    found = algebra.reduced("var", value, axes, keeps=keeps)
    less = keywords.get("ddof", keywords.get("correction"))
    biased = keywords.get("unbiased")
    one_less = (isinstance(less, ast.Constant) and less.value == 1) or (
        isinstance(biased, ast.Constant) and biased.value is True
    ) or (ev.names.torch and less is None and biased is None)  # fmt: skip
    if one_less:
        ones = algebra.elementwise("add", algebra.elementwise("nothing", value),
                                   algebra.number(1.0))  # fmt: skip
        count = algebra.reduced("sum", ones, axes, keeps=keeps)
        fewer = algebra.elementwise("subtract", count, algebra.number(1.0))
        found = algebra.elementwise("multiply", found, algebra.elementwise("divide", count, fewer))
    return algebra.elementwise("sqrt", found) if word == "std" else found


def _softmax(ev: Reader[V], word: str, args: Arguments, keywords: Keywords) -> object:
    algebra = ev.algebra
    value = algebra.argument(ev.array(args[0]))
    given = _axes(ev, args, keywords)
    axes = given if given is not None else (ev.class_axis(value),)
    power = algebra.elementwise("exp", value)
    total = algebra.reduced("sum", power, axes, keeps=True)
    found = algebra.elementwise("divide", power, total)
    return algebra.elementwise("log", found) if word == "log_softmax" else found


def _joined(ev: Reader[V], word: str, args: Arguments, keywords: Keywords) -> object:
    first = args[0]
    if not isinstance(first, ast.Tuple | ast.List):
        raise Misfit(f"{word} of a list that is not written out")
    axis = _JOINS[word]
    given = _axes(ev, args, keywords)
    if given is not None:
        axis = given[0]
    return ev.algebra.joined(tuple(map(ev.array, first.elts)), axis, new=word == "stack")


def _one_hot(ev: Reader[V], args: Arguments) -> object:
    if len(args) != 2:
        raise Misfit("one_hot without the number of classes")
    unit = ev.algebra.identity(ev.size_of(args[1]))
    return ev.algebra.entry(unit, (ev.chosen(ev.array(args[0])),))


def _reshaped(ev: Reader[V], args: Arguments) -> object:
    sizes = args[1:]
    if len(sizes) == 1 and isinstance(sizes[0], ast.Tuple | ast.List):
        sizes = sizes[0].elts
    value = ev.array(args[0])
    if len(sizes) == 1 and isinstance(sizes[0], ast.Attribute) and sizes[0].attr == "shape":
        return ev.algebra.reshaped_as(value, ev.array(sizes[0].value))
    return ev.algebra.reshaped(value, tuple(map(ev.size_of, sizes)))


def _widened(ev: Reader[V], args: Arguments, keywords: Keywords) -> object:
    value = ev.array(args[0])
    axes = _axes(ev, args, keywords)
    axis = axes[0] if axes else 0
    rank = ev.rank(value, max(1, axis))
    at = axis % (rank + 1)
    return ev.algebra.entry(value, (*(Part() for _ in range(at)), NewAxis()))


def _whole(value: object) -> int:
    if not isinstance(value, int):
        raise Misfit("an axis that is not a number")
    return value


__all__ = ["SLOPES", "known_function"]
