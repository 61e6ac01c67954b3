"""Numbers as students type them: arithmetic, thousands separators, labelled lists, array shapes."""

from __future__ import annotations

import ast
import math
import operator
import re
from collections.abc import Callable, Mapping, Sequence

LONGEST = 200
LARGEST_EXPONENT = 400

_OPERATIONS: Mapping[type[ast.operator], Callable[[float, float], float]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
    ast.Pow: operator.pow,
}
_THOUSANDS = re.compile(r"(?<![\d.,])(\d{1,3}(?:[, ']\d{3})+)(?![\d,])")
_LABEL = re.compile(r"^\s*(?P<name>[^=:]+?)\s*[=:]\s*(?P<value>[^=:]+?)\s*$")
_REJECTS = re.compile(r"\b(error|fails?|not|no|cannot|does ?n[o']t|incompatible|invalid)\b")


def number_of(text: str) -> float | None:
    """Return the value of typed arithmetic; None where it is not a finite number.

    Examples
    --------
    >>> number_of("784*100 + 100"), number_of("79,510"), number_of("(1/4)^9") == 4.0**-9
    (78500.0, 79510.0, True)
    >>> number_of("2 apples") is None
    True
    """
    if len(text) > LONGEST:
        return None
    cleaned = text.replace("−", "-").replace("·", "*").replace("×", "*").replace("^", "**")
    cleaned = _THOUSANDS.sub(lambda found: re.sub(r"[, ']", "", found[1]), cleaned)
    try:
        found = _value(ast.parse(cleaned.strip(), mode="eval").body)
    except (SyntaxError, ValueError, ArithmeticError, RecursionError, MemoryError):
        return None
    return found if math.isfinite(found) else None


def _value(node: ast.expr) -> float:
    match node:
        case ast.Constant(value=int() | float() as number) if not isinstance(number, bool):
            return float(number)
        case ast.UnaryOp(op=ast.USub(), operand=operand):
            return -_value(operand)
        case ast.UnaryOp(op=ast.UAdd(), operand=operand):
            return _value(operand)
        case ast.BinOp(left=left, op=op, right=right) if type(op) in _OPERATIONS:
            one, two = _value(left), _value(right)
            if isinstance(op, ast.Pow) and (abs(two) > LARGEST_EXPONENT or one < 0 != two % 1):
                raise ValueError
            found = _OPERATIONS[type(op)](one, two)
            return found if isinstance(found, float) else math.nan
        case ast.Call(func=ast.Name(id="exp" | "log" | "sqrt" as name), args=[inside]):
            return float(getattr(math, name)(_value(inside)))
        case _:
            raise ValueError


def close(found: float, wanted: float, tolerance: float) -> bool:
    """Whether two numbers agree to a relative tolerance, or to it in size where one is 0."""
    return abs(found - wanted) <= tolerance * (abs(wanted) or 1.0) + 1e-12 * abs(wanted)


def labelled(text: str, names: Sequence[str]) -> dict[str, float] | str:
    """Return values by name; the reason in a sentence where they cannot be read.

    Parameters
    ----------
    text : str
        ``q = 3, f = -12``, or all values in the order of the names.
    names : sequence of str
        The names of the values, in order.

    Examples
    --------
    >>> labelled("q = 3; f: -12", ["q", "f"])
    {'q': 3.0, 'f': -12.0}
    >>> labelled("3, -12", ["q", "f"])
    {'q': 3.0, 'f': -12.0}
    >>> labelled("3", ["q", "f"])
    '2 values are asked for, and 1 was typed: q, f'
    """
    parts = [part for part in re.split(r"[;,\n]|\s{2,}", text) if part.strip()]
    if len(parts) == 1 and len(names) > 1 and not _LABEL.match(parts[0]):
        parts = text.split()
    known = {plain_name(name): name for name in names}
    found: dict[str, float] = {}
    for place, part in enumerate(parts):
        label = _LABEL.match(part)
        if label is None and place >= len(names):
            break
        name = names[place] if label is None else known.get(plain_name(label["name"]), "")
        if not name:
            assert label is not None
            return f"{label['name']} is not asked for; the values are {', '.join(names)}"
        number = number_of(part if label is None else label["value"])
        if number is None:
            return f"{part.strip()} is not a number; write it like 0.25 or -1/4"
        found[name] = number
    if len(parts) != len(names) or len(found) != len(names):
        were = "was" if len(parts) == 1 else "were"
        return (
            f"{len(names)} values are asked for, and {len(parts)} {were} typed: {', '.join(names)}"
        )
    return {name: found[name] for name in names}


def plain_name(name: str) -> str:
    """Return a name without spaces, partial signs and case of ``d``: ``∂f/∂x`` is ``df/dx``."""
    return name.strip().replace("∂", "d").replace(" ", "")


def array_shape_of(text: str) -> tuple[int, ...] | str | None:
    """Return a shape of an array; None for "does not fit", a reason where it cannot be read.

    Examples
    --------
    >>> array_shape_of("(3, 4)"), array_shape_of("3x4"), array_shape_of("(3,)")
    ((3, 4), (3, 4), (3,))
    >>> array_shape_of("error") is None
    True
    """
    bare = text.strip().lower()
    if _REJECTS.search(bare):
        return None
    if bare in ("()", "scalar"):
        return ()
    sizes = re.findall(r"\d+", bare)
    if not sizes or re.sub(r"[\d\s,x×()\[\]]", "", bare) or len(sizes) > 8:
        return "write the shape like (3, 4) or (3,), or error where the arrays do not fit"
    return tuple(int(size[:9]) for size in sizes)


def written_shape(shape: tuple[int, ...] | None) -> str:
    """Return the text of the shape of an array; ``error`` where there is none."""
    return "error" if shape is None else str(shape)
