r"""Text into tokens, and the errors that point into it.

Notation that differs only in spelling meets here: ``\odot``, ``⊙``, ``∘`` and ``.*`` are one mark,
``−`` is ``-``, ``X.T`` and ``X^\top`` end in the same mark.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from fractions import Fraction
from typing import Literal

from chainrule.errors import ParseError
from chainrule.language.reading.names import PRIMES, SUPERSCRIPTS, is_letter, scan

MAX_DIGITS = 40
MAX_SCALE = 30
SHOWN = 300
"""A longer line is not repeated under its error: the caret would be lost in it."""

Kind = Literal["number", "name", "mark", "text", "end"]

_NUMBER = re.compile(r"(?:[0-9]+(?:\.(?![*/A-Za-z])[0-9]*)?|\.[0-9]+)(?:[eE]([+-]?[0-9]+))?")
_COMMAND = re.compile(r"\\(?:[A-Za-z]+|.)?")
_TRANSPOSED = re.compile(r"\.T(?![A-Za-z0-9_])")
_ONES = re.compile(r"\\(?:mathbf|mathbb|boldsymbol|bm|vec)\s*\{\s*1\s*\}|\\mathbf\s*1|𝟏|𝟙")
_QUOTED = re.compile(r"(['\"])([^'\"]{0,60})\1")
_BELOW = re.compile(r"_\{\s*\\(?:text|mathrm|textrm)\s*\{([^{}]{1,60})\}\s*\}")
_COLON = re.compile(r"\{\s*:\s*\}")
_GRID = re.compile(r"\\(begin|end)\s*\{[bp]?matrix\}")
_BOX = re.compile(
    r"\\placeholder\s*(?:\[[^\]]*\])?\s*\{[^{}]*\}|\\(?:square|Box)(?![A-Za-z])|[□▢⬚]"
)
_CASES = re.compile(r"\\(begin|end)\s*\{[dr]?cases\*?\}")
_EVALUATED = re.compile(
    r"\\(?:right|Big|big|bigg|Bigr|bigr)\s*(?:\||\\vert|\\rvert)\s*(?:_\{[^{}]*\}|_\w)?"
)
_NAMESPACE = re.compile(r"(?:np|numpy|jnp|torch|math)(?:\.linalg)?\.(?=[A-Za-z])")

_SKIPPED = frozenset(
    {r"\left", r"\right", r"\big", r"\Big", r"\bigg", r"\Bigg", r"\bigl", r"\bigr", r"\Bigl"}
    | {r"\Bigr", r"\,", r"\;", r"\:", r"\!", "\\ ", r"\quad", r"\qquad", r"\limits"}
    | {r"\displaystyle", r"\textstyle", r"\scriptstyle", r"\nolimits", r"\middle", r"\>"}
    | {r"\biggl", r"\biggr", r"\Biggl", r"\Biggr", r"\thinspace", r"\enspace", r"\mathopen"}
    | {r"\mathclose", r"\mathstrut", r"\bigm"}
)
_COMMANDS = {
    r"\cdot": "·",
    r"\times": "·",
    r"\odot": ".*",
    r"\circ": ".*",
    r"\ast": "*",
    r"\div": "/",
    r"\top": "⊤",
    r"\intercal": "⊤",
    r"\|": "‖",
    "\\\\": ";",
    r"\lVert": "‖",
    r"\rVert": "‖",
    r"\Vert": "‖",
    r"\lvert": "|",
    r"\rvert": "|",
    r"\vert": "|",
    r"\lbrace": "{",
    r"\rbrace": "}",
    r"\{": "{",
    r"\}": "}",
    r"\frac": "frac",
    r"\dfrac": "frac",
    r"\tfrac": "frac",
    r"\cfrac": "frac",
    r"\nicefrac": "frac",
    r"\sfrac": "frac",
    r"\oslash": "./",
    r"\lbrack": "[",
    r"\rbrack": "]",
    r"\lparen": "(",
    r"\rparen": ")",
    r"\mid": "|",
    r"\differentialD": "∂",
    r"\gt": ">",
    r"\lt": "<",
    r"\ge": ">=",
    r"\geq": ">=",
    r"\le": "<=",
    r"\leq": "<=",
    r"\geqslant": ">=",
    r"\leqslant": "<=",
    r"\ne": "!=",
    r"\neq": "!=",
    r"\prime": "'",
    r"\partial": "∂",
    r"\nabla": "∇",
}
_MARKS = {
    "**": ".^",
    ".*": ".*",
    "./": "./",
    ".^": ".^",
    "@^": "@^",
    "||": "‖",
    ">=": ">=",
    "<=": "<=",
    "==": "==",
    "!=": "!=",
    ".+": ".+",
    ".-": ".-",
    "−": "-",
    "–": "-",
    "⊙": ".*",
    "∘": ".*",
    "⊘": "./",
    "⊗": ".*",
    "×": "·",
    "·": "·",
    "⋅": "·",
    "∙": "·",
    "÷": "/",
    "∕": "/",
    "∗": "*",
    "ᵀ": "⊤",
    "⊤": "⊤",
    "‖": "‖",
    "∥": "‖",
    "∣": "|",
    "≥": ">=",
    "≤": "<=",
    "≠": "!=",
    "∂": "∂",
    "∇": "∇",
    **{mark: mark for mark in "+-*/@^(){}[]|,;=<>_:"},
    "&": ",",
    **dict.fromkeys(PRIMES, "'"),
}
_FRACTIONS = {"½": (1, 2), "⅓": (1, 3), "⅔": (2, 3), "¼": (1, 4), "¾": (3, 4), "⅛": (1, 8)}
_WORDS = {"∑": "sum", "√": "sqrt"}


@dataclass(frozen=True, slots=True)
class Line:
    """A line as written, with its number from 1; `shown` where `text` is blank around a part."""

    text: str
    number: int = 1
    shown: str = ""

    def error(self, message: str, at: int, kind: type[ParseError] = ParseError) -> ParseError:
        """Return the error that points at the character with index `at`."""
        text = self.shown or self.text
        shown = text if len(text) <= SHOWN else ""
        # One column a character, so that the caret stands under it.
        source = "".join(c if c.isprintable() else " " for c in shown)
        return kind(message, line=self.number, column=at + 1, source=source)


@dataclass(frozen=True, slots=True)
class Token:
    """A token: `text` is canonical, `start` and `end` say where it was written."""

    kind: Kind
    text: str
    start: int
    end: int
    value: Fraction = Fraction(0)


def tokenize(
    line: Line, start: int = 0, stop: int | None = None, *, answer: bool = False
) -> list[Token]:
    """Split part of a line into tokens, the last of which is the end.

    A call may hold a text in quotes. In an answer a name may carry its example, ``x^{(i)}``.

    Raises
    ------
    ParseError
        At a character that has no meaning here, or a number past the limit.
    """
    stop = len(line.text) if stop is None else stop
    text = line.text[:stop]
    found: list[Token] = []
    at = start
    while at < stop:
        character = text[at]
        if character.isspace() or character in "$~":
            at += 1
        elif match := _NUMBER.match(text, at):
            found.append(Token("number", match[0], at, match.end(), _number(line, match)))
            at = match.end()
        elif character == "_" and (match := _BELOW.match(text, at)):
            # What stands below a function: its options.
            found.append(Token("mark", "⟨", at, match.start(1)))
            found += tokenize(line, match.start(1), match.end(1), answer=answer)[:-1]
            found.append(Token("mark", "⟩", match.end(1), match.end()))
            at = match.end()
        elif character == "{" and (match := _COLON.match(text, at)):
            found.append(Token("mark", ":", at, match.end()))
            at = match.end()
        elif match := _BOX.match(text, at):
            raise line.error("this box is empty; fill it in, or delete it", at)
        elif character == "\\" and (match := _CASES.match(text, at)):
            found.append(
                Token("mark", "cases" if match[1] == "begin" else "endcases", at, match.end())
            )
            at = match.end()
        elif text.startswith(r"\right", at) and (match := _evaluated(text, at)):
            at = match.end()
        elif character == "\\" and (match := _GRID.match(text, at)):
            found.append(Token("mark", "[" if match[1] == "begin" else "]", at, match.end()))
            at = match.end()
        elif match := _ONES.match(text, at):
            found.append(Token("mark", "𝟏", at, match.end()))
            at = match.end()
        elif (match := _NAMESPACE.match(text, at)) and not (at and text[at - 1] == "."):
            at = match.end()
        elif text.startswith(r"\left[", at):
            found.append(Token("mark", "[", at, at + len(r"\left[")))
            at += len(r"\left[")
        elif character == "\\" and (match := _COMMAND.match(text, at)) and _structural(match[0]):
            if match[0] in _COMMANDS:
                found.append(Token("mark", _COMMANDS[match[0]], at, match.end()))
            at = match.end()
            if match[0] in (r"\left", r"\right") and text[at : at + 1] == ".":
                at += 1
        elif character in "'\"" and (match := _QUOTED.match(text, at)) and _opens(found):
            found.append(Token("text", match[2], at, match.end()))
            at = match.end()
        elif answer and character == "." and found and text[at + 1 : at + 2].isspace():
            found.append(Token("mark", "·", at, at + 1))
            at += 1
        elif character == "T" and _raises(found) and is_letter(text[at + 1 : at + 2] or " "):
            found.append(Token("name", "T", at, at + 1))  # w^Tx is w^T x
            at += 1
        elif name := scan(text, at, examples=answer):
            found.append(Token("name", name.canonical, at, name.end))
            if name.transposed:
                found.append(Token("mark", "⊤", name.end, name.end))
            at = name.end
        else:
            token = _mark(line, text, at)
            found.append(token)
            at = token.end
    found.append(Token("end", "", stop, stop))
    return found


def _evaluated(text: str, at: int) -> re.Match[str] | None:
    r"""Return the bar that ends ``\left. ... \right|_{x=0}``: where a value is taken, no value."""
    match = _EVALUATED.match(text, at)
    return match if match and re.search(r"\\left\s*\.", text[:at]) else None


def _raises(found: list[Token]) -> bool:
    """Whether an exponent without braces begins here."""
    return bool(found) and found[-1].kind == "mark" and found[-1].text == "^"


def _opens(found: list[Token]) -> bool:
    """Whether an argument begins here, so that a quote is not a prime."""
    return bool(found) and found[-1].kind == "mark" and found[-1].text in ("(", ",")


def _structural(command: str) -> bool:
    return command in _COMMANDS or command in _SKIPPED


def _mark(line: Line, text: str, at: int) -> Token:
    if match := _TRANSPOSED.match(text, at):
        return Token("mark", "⊤", at, match.end())
    for width in (2, 1):
        mark = _MARKS.get(text[at : at + width])
        if mark is not None:
            return Token("mark", mark, at, at + width)
    character = text[at]
    if character in _FRACTIONS:
        return Token("number", character, at, at + 1, Fraction(*_FRACTIONS[character]))
    if character in _WORDS:
        return Token("name", _WORDS[character], at, at + 1)
    if character in SUPERSCRIPTS:
        return _raised(line, text, at)
    if character == "." and is_letter(text[at + 1 : at + 2] or " "):
        return Token("mark", ".", at, at + 1)
    if character == "\\" and (match := _COMMAND.match(text, at)) and len(match[0]) > 2:
        raise line.error(f"{match[0][:20]} takes a name in braces, as in \\hat{{y}}", at)
    shown = character if character.isprintable() else f"U+{ord(character):04X}"
    raise line.error(f"the character {shown} has no meaning here; leave it out", at)


def _raised(line: Line, text: str, at: int) -> Token:
    """Read a raised number such as ``²`` or ``⁻¹``; the sign of ``⁻ᵀ`` is an inverse."""
    if text.startswith("⁻ᵀ", at):
        return Token("mark", "raised", at, at + 1, Fraction(-1))
    end = at
    while end < len(text) and text[end] in SUPERSCRIPTS:
        end += 1
    digits = "".join(SUPERSCRIPTS[c] for c in text[at:end])
    if not re.fullmatch(r"[+-]?[0-9]{1,9}", digits):
        raise line.error(f"{text[at:end][:20]} is not a power; write ^{{...}}", at)
    return Token("mark", "raised", at, end, Fraction(int(digits)))


def _number(line: Line, match: re.Match[str]) -> Fraction:
    digits, scale = match[0], match[1] or "0"
    if len(digits) > MAX_DIGITS or abs(int(scale[:MAX_DIGITS])) > MAX_SCALE:
        raise line.error(
            f"this number is past the limit of {MAX_DIGITS} digits and 10^{MAX_SCALE}; "
            "round it, or give it a name",
            match.start(),
        )
    return Fraction(digits)
