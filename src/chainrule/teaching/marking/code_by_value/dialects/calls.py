"""Functions of Octave, R and Julia as those of NumPy."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping

Arguments = list[str]
Words = Mapping[str, str]

_SAME = {
    "exp": "np.exp", "log": "np.log", "sqrt": "np.sqrt", "tanh": "np.tanh", "abs": "np.abs",
    "sin": "np.sin", "cos": "np.cos", "log1p": "np.log1p", "sign": "np.sign", "power": "np.power",
    "ifelse": "np.where", "sigmoid": "sigmoid", "norm": "np.linalg.norm", "outer": "np.outer",
    "times": "np.multiply", "rdivide": "np.divide", "plus": "np.add", "minus": "np.subtract",
    "mtimes": "mtimes", "transpose": "np.transpose", "eye": "np.eye", "exp_": "np.exp",
}  # fmt: skip

_PASSED_ON = frozenset({
    "as_matrix", "as_numeric", "as_vector", "drop", "double", "logical", "full", "single", "round",
    "copy", "deepcopy", "float", "Float64", "vec", "invisible", "array", "squeeze", "gpuArray",
})  # fmt: skip
"""Functions that return their first argument."""


def octave_call(name: str, args: Arguments, words: Words) -> str | None:
    """Return a call of a function of Octave or Julia as Python; None for an unknown one.

    Parameters
    ----------
    name : str
    args : list of str
        Its arguments in Python.
    words : mapping
        Its arguments by keyword.
    """
    axis = words.get("dims")
    if name in ("sum", "mean", "prod"):
        return _reduced(name, args, axis)
    if name in ("max", "min", "maximum", "minimum"):
        word = name[:3]
        if len(args) == 3 and args[1] == "[]":
            return _along(word, args[0], args[2])
        if axis is not None:
            return _along(word, args[0], axis)
        if len(args) == 2:
            return f"np.{word}imum({', '.join(args)})"
        return f"np.max({args[0]})" if word == "max" else f"np.min({args[0]})"
    if name == "size":
        return _size(args)
    if name in ("length", "numel", "rows") and args:
        return f"len({args[0]})" if name != "numel" else f"{args[0]}.size"
    if name == "columns":
        return f"{args[0]}.shape[1]"
    if name in ("zeros", "ones", "rand", "randn"):
        return _filled(name, args)
    if name == "repmat" and len(args) >= 2 and "1" in args[1:]:
        return args[0]
    if name == "repeat" and args:
        return args[0]
    if name == "bsxfun" and len(args) == 3:
        return octave_call(args[0], args[1:], {})
    if name == "dot" and len(args) == 2:
        return f"np.sum({args[0]} * {args[1]})"
    if name in ("hcat", "horzcat"):
        return f"bind_columns({', '.join(args)})"
    if name in ("vcat", "vertcat"):
        return f"bind_rows({', '.join(args)})"
    return _shared(name, args)


def julia_call(name: str, args: Arguments, words: Words) -> str | None:
    """Return a call of a function of Julia as Python; None for an unknown one.

    Parameters
    ----------
    name : str
    args : list of str
        Its arguments in Python.
    words : mapping
        Its arguments by keyword.
    """
    if name in ("sum", "mean", "prod") and "dims" not in words and len(args) == 1:
        return f"np.{name}({args[0]})"
    return octave_call(name, args, words)


def _shared(name: str, args: Arguments) -> str | None:
    if name in _PASSED_ON and args:
        return args[0]
    if name == "log_" and args:
        return f"np.log({args[0]})"
    found = _SAME.get(name)
    return None if found is None else f"{found}({', '.join(args)})"


def _reduced(name: str, args: Arguments, axis: str | None) -> str:
    value = args[0]
    if axis is not None or len(args) == 2:
        return _along(name, value, axis or args[1])
    inner = re.fullmatch(r"octave_sum\((.*)\)", value)
    if inner is not None and name == "sum":
        return f"np.sum({inner[1]})"
    if value.endswith(".ravel()"):
        return f"np.{name}({value})"
    return f"octave_{name}({value})" if name in ("sum", "mean") else f"np.{name}({value})"


def _along(name: str, value: str, axis: str) -> str:
    place = str(int(axis) - 1) if axis.isdigit() else f"{axis} - 1"
    return f"np.{name}({value}, axis={place}, keepdims=True)"


def _size(args: Arguments) -> str:
    if len(args) == 1:
        return f"{args[0]}.shape"
    place = int(args[1]) - 1 if args[1].isdigit() else args[1]
    return f"{args[0]}.shape[{place}]"


def _filled(name: str, args: Arguments) -> str:
    function = {"rand": "np.random.rand", "randn": "np.random.randn"}.get(name, f"np.{name}")
    if len(args) == 1 and args[0].endswith(".shape"):
        like = args[0].removesuffix(".shape")
        return f"np.{name}_like({like})" if name in ("zeros", "ones") else f"{function}({args[0]})"
    sizes = args * 2 if len(args) == 1 else args
    inner = ", ".join(sizes)
    return f"{function}(({inner}))" if name in ("zeros", "ones") else f"{function}({inner})"


def r_call(name: str, args: Arguments, words: Words) -> str | None:
    """Return a call of a function of R as Python; None for an unknown one.

    Parameters
    ----------
    name : str
    args : list of str
        Its arguments in Python.
    words : mapping
        Its arguments by name.
    """
    first = args[0] if args else next(iter(words.values()), "")
    found = _OF_R.get(name)
    if found is not None and (args or words):
        return found(first, args, words)
    if name in ("list", "c") and words:
        parts = [f"{key!r}: {value}" for key, value in words.items()]
        return "{" + ", ".join(parts) + "}" if not args else None
    if name == "c":
        return f"bind_rows({', '.join(args)})" if len(args) > 1 else first
    if name == "list":
        return f"({', '.join(args)},)"
    if name in ("matrix", "array"):
        return _matrix_of_r(first, args, words)
    if name == "sweep" and len(args) >= 3:
        sign = {"'+'": "+", "'-'": "-", "'*'": "*", "'/'": "/"}.get(
            args[3] if len(args) > 3 else words.get("FUN", "'-'"), "-")  # fmt: skip
        by = args[2] if args[1] == "2" else f"{args[2]}[:, None]"
        return f"({first} {sign} {by})"
    if name in ("numeric", "rep") and args:
        return f"np.zeros({args[-1]})" if name == "numeric" or first == "0" else None
    return _shared(name, args)


def _pair(sign: str) -> Callable[[str, Arguments, Words], str]:
    return lambda first, args, words: f"np.{sign}({', '.join([*args, *words.values()])})"


_OF_R: dict[str, Callable[[str, Arguments, Words], str]] = {
    "t": lambda first, args, words: f"{first}.T",
    "nrow": lambda first, args, words: f"{first}.shape[0]",
    "NROW": lambda first, args, words: f"{first}.shape[0]",
    "ncol": lambda first, args, words: f"{first}.shape[1]",
    "NCOL": lambda first, args, words: f"{first}.shape[1]",
    "dim": lambda first, args, words: f"{first}.shape",
    "length": lambda first, args, words: f"len({first})",
    "rowSums": lambda first, args, words: f"np.sum({first}, axis=1)",
    "colSums": lambda first, args, words: f"np.sum({first}, axis=0)",
    "rowMeans": lambda first, args, words: f"np.mean({first}, axis=1)",
    "colMeans": lambda first, args, words: f"np.mean({first}, axis=0)",
    "sum": lambda first, args, words: f"np.sum({first})",
    "mean": lambda first, args, words: f"np.mean({first})",
    "max": lambda first, args, words: f"np.max({first})",
    "crossprod": lambda first, args, words: f"({first}.T @ {args[-1]})",
    "tcrossprod": lambda first, args, words: f"({first} @ {args[-1]}.T)",
    "pmax": _pair("maximum"),
    "pmin": _pair("minimum"),
    "cbind": lambda first, args, words: f"bind_columns({', '.join([*args, *words.values()])})",
    "rbind": lambda first, args, words: f"bind_rows({', '.join([*args, *words.values()])})",
    "plogis": lambda first, args, words: f"sigmoid({first})",
}


def _matrix_of_r(first: str, args: Arguments, words: Words) -> str | None:
    rows = words.get("nrow", args[1] if len(args) > 1 else "")
    columns = words.get("ncol", args[2] if len(args) > 2 else "")
    if not rows or not columns:
        return first if not re.search(r"\b(?:rnorm|runif)\(", first) else None
    if first in ("0", "1"):
        return f"np.{'zeros' if first == '0' else 'ones'}(({rows}, {columns}))"
    if re.search(r"\b(?:rnorm|runif|sample)\(", first):
        return f"np.random.randn({rows}, {columns})"
    return first


__all__ = ["julia_call", "octave_call", "r_call"]
