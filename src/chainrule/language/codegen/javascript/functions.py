"""The JavaScript functions that emitted modules call: the files of `runtime/`.

A module contains the functions that it calls, with those that they call in turn, each as it stands
in its file, with its comment.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from types import MappingProxyType

RUNTIME = Path(__file__).with_name("runtime")
FILES = ("positions", "entries", "lines", "products", "arrangement", "square")

_HEAD = re.compile(r"^function (\w+)\((.*)\) \{$", re.MULTILINE)
_OPTIONS = re.compile(r"\{(.*)\} = \{\}")
_MATH = re.compile(r"return (?:map|zip)Entries\([xy, ]+, (Math\.\w+)\);")
_CALL = re.compile(r"(?<![\w.])\w+(?=\()")
_COMMENT = re.compile(r"^ ?/?\*.*$|//.*$", re.MULTILINE)

NUMPY: Mapping[str, str] = MappingProxyType(
    {
        **{
            name: name
            for name in (
                *("abs", "all", "any", "arange", "arccos", "arccosh", "arcsin", "arcsinh"),
                *("arctan", "arctan2", "arctanh", "argsort", "ceil", "clip", "concatenate"),
                *("cos", "cosh", "cumprod", "cumsum", "diag", "diagonal", "einsum", "equal"),
                *("exp", "exp2", "expm1", "eye", "flip", "floor", "full", "greater", "isfinite"),
                *("isnan", "kron", "less", "log", "log10", "log1p", "log2", "logaddexp"),
                *("matmul", "max", "maximum", "mean", "min", "minimum", "mod", "ones", "outer"),
                *("prod", "ravel", "reshape", "round", "sign", "sin", "sinh", "sort", "sqrt"),
                *("square", "squeeze", "stack", "sum", "swapaxes", "take", "tan", "tanh"),
                *("tile", "trace", "transpose", "tril", "triu", "trunc", "where", "zeros"),
            )
        },
        "absolute": "abs",
        "add": "add",
        "amax": "max",
        "amin": "min",
        "asarray": "asArray",
        "broadcast_to": "broadcastTo",
        "divide": "div",
        "dot": "matmul",
        "expand_dims": "expandDims",
        "float_power": "pow",
        "floor_divide": "floorDiv",
        "full_like": "fullLike",
        "greater_equal": "greaterEqual",
        "less_equal": "lessEqual",
        "linalg.det": "det",
        "linalg.inv": "inv",
        "linalg.matrix_power": "matrixPower",
        "linalg.slogdet": "slogdet",
        "linalg.solve": "solve",
        "logical_and": "logicalAnd",
        "logical_not": "logicalNot",
        "logical_or": "logicalOr",
        "logical_xor": "logicalXor",
        "multiply": "mul",
        "negative": "neg",
        "not_equal": "notEqual",
        "ones_like": "onesLike",
        "power": "pow",
        "remainder": "mod",
        "rint": "round",
        "subtract": "sub",
        "take_along_axis": "takeAlongAxis",
        "true_divide": "div",
        "zeros_like": "zerosLike",
    }
)
"""The functions of NumPy that have a counterpart, by the path behind ``np.``."""


@dataclass(frozen=True)
class RuntimeFunction:
    """One function of the runtime.

    Parameters
    ----------
    name : str
        Its name.
    parameters, options : tuple of str
        The parameters by position, and those in the object behind them.
    text : str
        The definition, with its comment.
    math : str
        The function of JavaScript's ``Math`` that computes it for one number, where it has one.
    """

    name: str
    parameters: tuple[str, ...]
    options: tuple[str, ...]
    text: str
    math: str = ""


@cache
def functions() -> Mapping[str, RuntimeFunction]:
    """Return the functions of the runtime by name, in the order of the files."""
    found: dict[str, RuntimeFunction] = {}
    sources = (RUNTIME.joinpath(f"{name}.js").read_text(encoding="utf-8") for name in FILES)
    for text in (text for source in sources for text in source.split("\n\n/** ")[1:]):
        text = f"/** {text}".strip() + "\n"
        head = _HEAD.search(text)
        assert head is not None, text
        name, signature = head.groups()
        options = _OPTIONS.search(signature)
        ahead = signature[: options.start()] if options else signature
        math = _MATH.search(text)
        found[name] = RuntimeFunction(
            name,
            _names(ahead),
            _names(options[1]) if options else (),
            text,
            math[1] if math else "",
        )
    return MappingProxyType(found)


def _names(parameters: str) -> tuple[str, ...]:
    parts = (part.partition("=")[0].strip() for part in parameters.split(","))
    return tuple(part for part in parts if part)


def called(texts: Iterable[str]) -> list[RuntimeFunction]:
    """Return the functions that pieces of code call, directly or through others, in order."""
    rows = functions()
    found: set[str] = set()
    waiting = list(texts)
    while waiting:
        code = _COMMENT.sub("", waiting.pop())
        new = {name for name in _CALL.findall(code) if name in rows} - found
        found |= new
        waiting += [rows[name].text for name in new]
    return [row for name, row in rows.items() if name in found]
