"""The tables of the translation: words of JavaScript, and operators and methods of Python."""

from __future__ import annotations

import ast
from collections.abc import Mapping

from chainrule.language.codegen.javascript.functions import functions

LIBRARY = "np"

_WORDS = """
    arguments async await break case catch class const continue debugger default delete do else
    enum eval export extends false finally for function if implements import in instanceof
    interface let new null of package private protected public return static super switch this
    throw true try typeof undefined var void while with yield constructor toString valueOf
    hasOwnProperty isPrototypeOf propertyIsEnumerable toLocaleString __proto__ NaN Infinity Math
    Number Object Array Float64Array Uint32Array Error RangeError TypeError console process
    globalThis
"""
RESERVED = frozenset(_WORDS.split())
"""Words of the language, globals that modules use, and properties that every object has."""

CALL, POWER, UNARY, TIMES, PLUS, COMPARISON, AND, OR, CHOICE = 18, 15, 14, 12, 11, 9, 4, 3, 2
"""How tightly operators bind."""

OPERATORS: Mapping[type[ast.operator], str] = {
    ast.Add: "add",
    ast.Sub: "sub",
    ast.Mult: "mul",
    ast.Div: "div",
    ast.Pow: "pow",
    ast.MatMult: "matmul",
    ast.FloorDiv: "floorDiv",
    ast.Mod: "mod",
    ast.BitAnd: "logicalAnd",
    ast.BitOr: "logicalOr",
    ast.BitXor: "logicalXor",
}
SIGNS: Mapping[type[ast.operator], tuple[str, int]] = {
    ast.Add: ("+", PLUS),
    ast.Sub: ("-", PLUS),
    ast.Mult: ("*", TIMES),
    ast.Div: ("/", TIMES),
}
COMPARISONS: Mapping[type[ast.cmpop], tuple[str, str]] = {
    ast.Lt: ("<", "less"),
    ast.LtE: ("<=", "lessEqual"),
    ast.Gt: (">", "greater"),
    ast.GtE: (">=", "greaterEqual"),
    ast.Eq: ("===", "equal"),
    ast.NotEq: ("!==", "notEqual"),
}
CONSTANTS: Mapping[str, str] = {
    "pi": "Math.PI",
    "e": "Math.E",
    "inf": "Infinity",
    "nan": "NaN",
    "newaxis": "null",
}
BUILTINS = frozenset(
    {"range", "len", "min", "max", "abs", "float", "int", "list", "tuple", "reversed"}
)
METHODS = frozenset(
    {"all", "any", "clip", "cumprod", "cumsum", "diagonal", "dot", "max", "mean", "min", "prod"}
    | {"ravel", "reshape", "squeeze", "sum", "swapaxes", "take", "trace", "transpose"}
)
"""Methods of arrays that are functions of NumPy with the array as their first argument."""


def local(name: str) -> str:
    """Return a variable or function of an entry's code by its name in JavaScript."""
    return f"{name}_" if name in RESERVED or name in functions() else name
