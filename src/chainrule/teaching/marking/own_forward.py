r"""Lines that bring their own forward pass: ``\nabla_X \operatorname{tr}(A X B) = A^T B^T``.

Such a line differentiates an expression, and no name that stands above. The expression is the
forward pass, with inferred shapes, and the line is judged by it alone.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace

from chainrule.calculus.graph.dims import SCALAR
from chainrule.calculus.graph.model import Model
from chainrule.errors import ChainruleError
from chainrule.language.answers import spelled
from chainrule.language.reading.applied_values import Application
from chainrule.language.reading.models import read_lines
from chainrule.language.reading.tokens import Line
from chainrule.language.reading.words import function_word
from chainrule.teaching.marking.softmax_labels import with_softmax_labels
from chainrule.teaching.marking.transcript import TranscriptStatement, equals_signs

VALUE = "ownvalue"
"""The name of the expression that is differentiated."""

TOTAL = "ownobjective"
"""The name of the sum of its entries, where it is not a number."""

LONGEST = 600
_SIGN = r"(?:\\partial|∂|\\mathrm\s*\{\s*d\s*\}|d|\\delta)"
_FRACTION = re.compile(rf"\s*\\[dt]?frac\s*\{{\s*{_SIGN}(?![A-Za-z])\s*")
_GLUED = re.compile(r"\s*\\[dt]?frac\s*\{\s*(?:\\partial|∂|d)(?=\\)")
_VARIABLE = r"\\(?:mathbf|boldsymbol|bm|vec|textbf)\s*\{[^{}]*\}|\\?[A-Za-z]\w*(?:_\{[^{}]*\})?"
_BELOW = re.compile(
    rf"\s*\{{\s*{_SIGN}\s*(?:\{{\s*(?P<braced>{_VARIABLE})\s*\}}|(?P<of>{_VARIABLE}))\s*\}}"
)
_NABLA = re.compile(
    r"\s*(?:\\nabla|∇)\s*_\s*(?:\{\s*(?P<braced>[^{}]*)\}|(?P<one>\\?[A-Za-z]+))\s*"
)
_PRIMED = re.compile(
    r"\s*(?P<name>\\?[A-Za-z]+)\s*(?:'|’|′|\^\s*\\prime|\^\{\s*\\prime\s*\})\s*\((?P<of>[^()]*)\)\s*$"
)
_APPLIED = re.compile(r"\s*&?\s*(?P<name>\\?[A-Za-z]+)\s*\(\s*(?P<of>\\?[A-Za-z]+)\s*\)[\s&]*")
_MATRICES = re.compile(r"[A-Z]|\\top|\\(?:mathbf|boldsymbol|bm|Sigma|Lambda|Omega)|\|\||\\\|")
_COMMANDS = re.compile(r"\\[A-Za-z]+|\b(?:log|ln|exp|tanh|sin|cos|max|softplus|relu|sqrt)\b")
_LETTERS = re.compile(r"[a-z]")
_SQUARE_NAME = re.compile(
    r"\\(?:mathbf|boldsymbol|bm)\s*\{\s*(?:[A-SU-WYZ]|\\Sigma|\\Lambda|\\Omega)\s*\}"
    r"|\\(?:Sigma|Lambda|Omega)(?![A-Za-z])|(?<![A-Za-z\\{^])[A-SU-WYZ](?![A-Za-z}])"
)
"""Names of square matrices: X is data, and T a transpose."""

_ONE_LETTER = re.compile(r"[a-z]|\\[a-z]+")


@dataclass(frozen=True)
class OwnForward:
    """The forward pass of one line, and the line about it."""

    model: Model
    said: TranscriptStatement


def own_forward(
    said: TranscriptStatement, declared: Sequence[Line] = (), *, symmetric: bool = False
) -> OwnForward | None:
    """Read the forward pass that a line brings; None where it brings none.

    Parameters
    ----------
    said : TranscriptStatement
        The line.
    declared : sequence of Line, optional
        Declarations of shapes in its text.
    symmetric : bool
        Whether the text is about symmetric matrices, such as covariances.
    """
    cuts = equals_signs(said.text)
    if not cuts or said.continues or said.code or len(said.text) > LONGEST:
        return None
    found = _differentiated(said.text[: cuts[0]])
    if found is None:
        return _in_words(said, cuts[0])
    value, variable = found
    with suppress(ValueError):
        spelled(value)
        return None  # a name, which stands above or nowhere
    facts = _facts(value, said.line) if symmetric else []
    for lines in _forms(value, variable, said.line):
        for given in ([*declared, *facts], list(declared), []):
            model = _read([*given, *lines])
            if model is not None and _has(model, variable):
                text = rf"\frac{{\partial {VALUE}}}{{\partial {variable}}} {said.text[cuts[0] :]}"
                return OwnForward(with_softmax_labels(model), replace(said, text=text))
    return None


def _in_words(said: TranscriptStatement, cut: int) -> OwnForward | None:
    r"""Read a function in words of its own: ``\sigma(u) = 1/(1 + e^{-u})``."""
    called = _APPLIED.fullmatch(said.text[:cut])
    if called is None or function_word(called["name"].lstrip("\\")) is None:
        return None
    model = _read([Line(f"{VALUE} = {said.text[:cut]}", said.line)])
    if model is None or not _has(model, called["of"]):
        return None
    return OwnForward(model, replace(said, text=f"{VALUE} {said.text[cut:]}"))


def _forms(value: str, variable: str, number: int) -> Iterator[list[Line]]:
    """Yield the expression as a number, and as a matrix whose entries are summed."""
    plain = _ONE_LETTER.fullmatch(variable) is not None and not _MATRICES.search(value)
    if plain:
        letters = dict.fromkeys(_LETTERS.findall(_COMMANDS.sub(" ", value)))
        numbers = [Line(f"{letter} : (1, 1)", number) for letter in letters if letter != "e"]
        yield [*numbers, Line(f"{VALUE} = {value}", number)]
    whole = [Line(f"{VALUE} = {value}", number)]
    summed = [*whole, Line(f"{TOTAL} = sum({VALUE})", number)]
    yield from (whole, summed) if plain else (summed, whole)


def _facts(value: str, number: int) -> list[Line]:
    """Say that the matrices that stand between their transposes and inverses are symmetric."""
    names = dict.fromkeys(_SQUARE_NAME.findall(value))
    return [Line(f"{name} is a symmetric matrix", number) for name in names]


def _read(lines: list[Line]) -> Model | None:
    values: dict[str, Application] = {}
    with suppress(ChainruleError, ValueError):
        model = read_lines(lines, values)
        if model.objective.name == TOTAL and model.values[model.objective].shape == SCALAR:
            first = next(d.target for d in model.definitions if d.target.name == VALUE)
            if first.shape == SCALAR:  # the number itself, and no sum of it
                kept = tuple(d for d in model.definitions if d.target.name != TOTAL)
                return replace(model, definitions=kept, objective=first)
        return model
    return None


def _has(model: Model, variable: str) -> bool:
    try:
        name = spelled(variable)
    except ValueError:
        return False
    return any(spelled(symbol.name) == name for symbol in model.inputs)


def _differentiated(text: str) -> tuple[str, str] | None:
    """Return the expression and the variable of a derivative; None for another text."""
    text = text.strip().strip("&").strip()
    if (match := _FRACTION.match(text) or _GLUED.match(text)) is not None:
        opened = text.index("{", match.start())
        close = _closing(text, opened, "{}")
        above = text[match.end() : close].strip()
        below = _BELOW.match(text, close + 1)
        if below is None:
            return None
        behind = text[below.end() :].strip()
        if bool(above) == bool(behind):
            return None
        return _without_brackets(above or behind), below["braced"] or below["of"]
    if (match := _NABLA.match(text)) is not None:
        behind = text[match.end() :].strip()
        return (_without_brackets(behind), match["braced"] or match["one"]) if behind else None
    if (match := _PRIMED.match(text)) is not None:
        name = match["name"].lstrip("\\")
        if function_word(name) is not None:
            return f"{match['name']}({match['of']})", match["of"].strip()
    return None


def _without_brackets(text: str) -> str:
    """Remove brackets around the whole."""
    for opened, closed in ("()", "[]"):
        if text.startswith(opened) and _closing(text, 0, opened + closed) == len(text) - 1:
            return text[1:-1].strip()
    return text


def _closing(text: str, start: int, marks: str) -> int:
    depth = 0
    for at in range(start, len(text)):
        depth += (text[at] == marks[0]) - (text[at] == marks[1])
        if depth == 0:
            return at
    return len(text)


__all__ = ["OwnForward", "own_forward"]
