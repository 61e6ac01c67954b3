"""Formulas as trees of Python's own grammar: read, evaluated with NumPy, and written as people do.

Nothing of chainrule is used here. `value` walks a tree over arrays, `written` writes it in one of
four hands: plain text, Unicode, LaTeX, code. ``S(i, body)`` is a sum over an index, ``X[p, i]``
an entry.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float64]
Values = Mapping[str, Any]

HANDS = ("plain", "unicode", "latex", "code")


def tree(text: str) -> ast.expr:
    """Read a formula."""
    return ast.parse(text, mode="eval").body


def _softmax(x: Array, axis: int = 0) -> Array:
    powers = np.exp(x - x.max(axis=axis, keepdims=True))
    return np.asarray(powers / powers.sum(axis=axis, keepdims=True))


def _sum(x: Array, axis: int | None = None) -> Array:
    return np.asarray(x.sum(axis=axis, keepdims=True))


FUNCTIONS: dict[str, Callable[..., Any]] = {
    "sigmoid": lambda x: 1 / (1 + np.exp(-x)),
    "tanh": np.tanh,
    "exp": np.exp,
    "log": np.log,
    "sqrt": np.sqrt,
    "relu": lambda x: np.maximum(x, 0),
    "softmax": _softmax,
    "sum": _sum,
}
_OPERATIONS: dict[type[ast.operator], Callable[[Any, Any], Any]] = {
    ast.Add: lambda a, b: a + b,
    ast.Sub: lambda a, b: a - b,
    ast.Mult: lambda a, b: a * b,
    ast.Div: lambda a, b: a / b,
    ast.Pow: lambda a, b: a**b,
    ast.MatMult: lambda a, b: a @ b,
}


def value(node: ast.expr, values: Values) -> Any:  # noqa: ANN401
    """Evaluate a formula; sizes, arrays and running indices come by name.

    Raises
    ------
    ValueError, KeyError, IndexError
        When shapes do not meet, or an index belongs to nothing.
    """
    match node:
        case ast.Constant():
            return float(node.value)  # type: ignore[arg-type]
        case ast.Name():
            return values[node.id]
        case ast.UnaryOp():
            return -value(node.operand, values)
        case ast.BinOp():
            left, right = value(node.left, values), value(node.right, values)
            return _OPERATIONS[type(node.op)](left, right)
        case ast.Attribute():
            return value(node.value, values).T
        case ast.Compare():
            return (value(node.left, values) > value(node.comparators[0], values)) * 1.0
        case ast.Subscript():
            places = node.slice.elts if isinstance(node.slice, ast.Tuple) else [node.slice]
            where = [values[place.id] for place in places if isinstance(place, ast.Name)]
            whole = value(node.value, values)
            return whole[tuple(where)] if len(where) == 2 else whole.reshape(-1)[where[0]]
        case ast.Call(func=ast.Name(id="S"), args=[ast.Name(id=index), body]):
            size = int(values[f"size of {index}"])
            return sum(value(body, {**values, index: k}) for k in range(size))
        case ast.Call(func=ast.Name(id=function)):
            options = {str(k.arg): k.value.value for k in node.keywords}  # type: ignore[attr-defined]
            arguments = [value(part, values) for part in node.args]
            return FUNCTIONS[function](*arguments, **options)
    raise TypeError(ast.dump(node))


# ---- writing -----------------------------------------------------------------------------------

_TIMES = {"plain": ".*", "unicode": "⊙", "latex": r"\odot", "code": "*"}
_NAMES = {"latex": {"sigmoid": r"\sigma", "tanh": r"\tanh", "exp": r"\exp", "log": r"\log"}}
_GREEK = ("gamma", "beta", "mu", "eps", "lam")


def written(node: ast.expr, hand: str, shapes: Mapping[str, tuple[int, ...]]) -> str:
    """Write a formula as somebody does who writes in this hand."""
    return _written(node, hand, shapes, 0)


def _written(node: ast.expr, hand: str, shapes: Mapping[str, tuple[int, ...]], within: int) -> str:
    def part(child: ast.expr, level: int) -> str:
        return _written(child, hand, shapes, level)

    match node:
        case ast.Constant():
            return str(node.value)
        case ast.Name():
            return _name(node.id, hand)
        case ast.UnaryOp():
            return _closed(f"-{part(node.operand, 2)}", within, 1)
        case ast.BinOp(op=ast.Add() | ast.Sub() as sign):
            mark = "+" if isinstance(sign, ast.Add) else "-"
            right = part(node.right, 2 if mark == "-" else 1)
            return _closed(f"{part(node.left, 0)} {mark} {right}", within, 1)
        case ast.BinOp(op=ast.Div()) if hand == "latex":
            return rf"\frac{{{part(node.left, 0)}}}{{{part(node.right, 0)}}}"
        case ast.BinOp(op=ast.Div()):
            return _closed(f"{part(node.left, 2)} / {part(node.right, 4)}", within, 2)
        case ast.BinOp(op=ast.Pow()):
            mark = "**" if hand == "code" else "^"
            return f"{part(node.left, 5)}{mark}{part(node.right, 5)}"
        case ast.BinOp(op=ast.MatMult()) if hand == "code":
            return _closed(f"{part(node.left, 3)} @ {part(node.right, 4)}", within, 2)
        case ast.BinOp(op=ast.MatMult()):
            return _closed(f"{part(node.left, 3)} {part(node.right, 4)}", within, 3)
        case ast.BinOp():
            scalar = _scalar(node.left, shapes) or _scalar(node.right, shapes)
            mark = f" {_TIMES[hand]} " if hand == "code" or not scalar else " "
            level = 3 if mark == " " else 2
            return _closed(
                f"{part(node.left, level)}{mark}{part(node.right, level + 1)}", within, level
            )
        case ast.Attribute():
            mark = {"code": ".T", "latex": r"^\top", "unicode": "ᵀ", "plain": "^T"}[hand]
            return f"{part(node.value, 5)}{mark}"
        case ast.Compare():
            inner = f"{part(node.left, 0)} > {part(node.comparators[0], 0)}"
            return f"({inner})" if hand == "code" else f"[{inner}]"
        case ast.Subscript():
            places = node.slice.elts if isinstance(node.slice, ast.Tuple) else [node.slice]
            letters = "".join(place.id for place in places if isinstance(place, ast.Name))
            return f"{part(node.value, 5)}_{{{letters}}}"
        case ast.Call(func=ast.Name(id="S"), args=[ast.Name(id=index), body]):
            mark = {"latex": r"\sum", "unicode": "∑"}.get(hand, "sum")
            return _closed(f"{mark}_{index} {part(body, 3)}", within, 2)
        case ast.Call(func=ast.Name(id=function)):
            name = _NAMES.get(hand, {}).get(function, function)
            name = f"np.{name}" if hand == "code" and function in ("sum", "tanh", "exp") else name
            inside = [part(child, 0) for child in node.args]
            inside += [f"{k.arg}={k.value.value}" for k in node.keywords]  # type: ignore[attr-defined]
            return f"{name}({', '.join(inside)})"
    raise TypeError(ast.dump(node))


def _closed(text: str, within: int, level: int) -> str:
    return f"({text})" if level < within or (within and text.startswith("-")) else text


def _name(name: str, hand: str) -> str:
    if hand == "latex" and name[-1].isdigit():
        return f"{name[:-1]}_{{{name[-1]}}}"
    if hand == "latex" and name in _GREEK:
        return rf"\{name.replace('lam', 'lambda').replace('eps', 'epsilon')}"
    if hand == "unicode" and name in _GREEK:
        return dict(zip(_GREEK, "γβμελ", strict=True))[name]
    return name


def _scalar(node: ast.expr, shapes: Mapping[str, tuple[int, ...]]) -> bool:
    """Whether a factor is one number, by the shapes of its names; sizes are numbers."""
    match node:
        case ast.Constant() | ast.Subscript():
            return True
        case ast.Name():
            return shapes.get(node.id, (1, 1)) == (1, 1)
        case ast.Call(func=ast.Name(id="S")):
            return True
        case ast.Call(func=ast.Name(id="sum")):
            return not node.keywords
        case ast.BinOp(op=ast.MatMult()):
            try:
                dummy = {name: np.ones(shape) for name, shape in shapes.items()}
                return bool(np.shape(value(node, dummy)) == (1, 1))
            except ValueError:
                return False
        case _:
            return all(
                _scalar(child, shapes)
                for child in ast.iter_child_nodes(node)
                if isinstance(child, ast.expr)
            )
