"""The lines of a forward pass: what each one is, its names and its shape."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TypeAlias
from unicodedata import normalize

from chainrule.calculus.graph.dims import (
    MOST_DIMENSIONS,
    SCALAR,
    Dim,
    Shape,
    minus,
    plus,
    possible,
    times,
)
from chainrule.errors import LimitError, ParseError
from chainrule.language.reading.complaints import quoted
from chainrule.language.reading.names import canonical, scan, target_name
from chainrule.language.reading.tokens import Line

MAX_TEXT = 200_000
MAX_LINE = 20_000
MAX_STATEMENTS = 2000
MAX_NAME = 64
DIRECTIVES = ("objective", "wrt", "onehot")
MASK = "mask"

Place: TypeAlias = tuple[str, int]
"""A part of a line as written, and where it stands."""

_SIGN = re.compile(r":=|=|:")
_SHAPE = re.compile(r"\s*\(([^()]*)\)\s*")
_BETWEEN = re.compile(r"[,×]|\s+x\s+")
_CALL = re.compile(r"([^()]*)\(([^()]*)\)\s*")
_SIZE = re.compile("[0-9]{1,9}(?![0-9])")
_SIGNS = re.compile("[-+−]")
_MASK = re.compile(r"\s*mask(\s)\s*\S+\s+with\s")


@dataclass(frozen=True)
class Statement:
    """A line that says something: a declaration, a definition or a directive.

    Parameters
    ----------
    line : Line
        As written.
    sign : str
        ``:``, ``=`` or ``:=``.
    at : int
        Where the sign stands.
    stop : int
        Where the statement ends and a comment may begin.
    note : str
        The comment.
    indices : tuple of str
        The indices that its left side had: ``z^{(i)} = ...``.
    bare : frozenset of str
        Names on the right that stand for one example, as x in ``h(x) = w^T x``.
    """

    line: Line
    sign: str
    at: int
    stop: int
    note: str
    indices: tuple[str, ...] = ()
    bare: frozenset[str] = frozenset()

    @property
    def target(self) -> str:
        """The left side of the sign."""
        return self.line.text[: self.at]

    @property
    def body(self) -> int:
        """Where what follows the sign begins."""
        return self.at + len(self.sign)

    @property
    def directive(self) -> str:
        """The directive's word, or nothing."""
        word = self.target.strip().lower()
        if word == MASK and " with " in self.line.text[self.body : self.stop]:
            return MASK
        return word if self.sign == ":" and word in DIRECTIVES else ""

    @property
    def call(self) -> re.Match[str] | None:
        """Head of a definition of a function: its name and its arguments, as in ``f(z) = ...``."""
        if self.sign == ":" or _is_name(self.target):
            return None
        return _CALL.fullmatch(self.target)

    def names(self) -> list[Place]:
        """Return the names that the line introduces, as written, and where each stands."""
        if self.directive:
            return []
        if self.call is not None:
            return [(self.call[1], 0)]
        return parts(self.target, 0)


def _is_name(text: str) -> bool:
    try:
        canonical(text)
    except ValueError:
        return False
    return True


def parts(text: str, at: int) -> list[Place]:
    """Split at commas outside brackets, keeping where each part stands."""
    found, depth, start = [], 0, 0
    for place, character in enumerate(text):
        depth += (character in "([{") - (character in ")]}")
        if character == "," and depth <= 0:
            found.append((text[start:place], at + start))
            start = place + 1
    return [*found, (text[start:], at + start)]


def lines(text: str) -> list[Line]:
    """Split a text into lines.

    Raises
    ------
    ParseError
        When the text or a line is past its limit.
    """
    if len(text) > MAX_TEXT:
        raise too_long(1, len(text), MAX_TEXT)
    text = normalize("NFC", text.removeprefix("\ufeff"))
    found = []
    for number, line in enumerate(text.replace("\r\n", "\n").replace("\r", "\n").split("\n"), 1):
        if len(line) > MAX_LINE:
            raise too_long(number, len(line), MAX_LINE)
        found.append(Line(line.rstrip(), number))
    return found


def too_long(line: int, length: int, limit: int) -> ParseError:
    """Return the error of a text past its limit."""
    return LimitError(
        f"{length} characters are past the limit of {limit}; shorten the text", line=line
    )


def statement(line: Line) -> Statement | None:
    """Find what a line says; nothing when it is empty or a comment."""
    content, _, comment = line.text.partition("#")
    if not content.strip():
        return None
    match = _SIGN.search(content)
    mask = _MASK.match(content)
    if mask is not None and (match is None or match.start() >= mask.end()):
        return Statement(line, ":", mask.start(1), len(content.rstrip()), comment.strip())
    if match is None:
        raise line.error(
            "this line is neither a declaration such as X : (n, m) nor a definition such as "
            "Z = w X + b",
            len(content) - len(content.lstrip()),
        )
    return Statement(line, match[0], match.start(), len(content.rstrip()), comment.strip())


def name(line: Line, text: str, at: int) -> str:
    """Return the canonical form of a name that stands at `at` in a line."""
    shown = text.strip()
    at += len(text) - len(text.lstrip())
    try:
        if len(shown) > MAX_NAME:
            raise ValueError
        return target_name(shown)
    except ValueError:
        advice = "a name is a letter or a word, with an index if needed: w, yhat, a^[1], z_1"
        said = f"{quoted(shown)} is not a name" if shown else "a name is missing here"
        raise line.error(f"{said}; {advice}", at) from None


def shape(said: Statement) -> Shape:
    """Read the shape of a declaration."""
    line, text = said.line, said.line.text[said.body : max(said.body, said.stop)]
    at = said.body + len(text) - len(text.lstrip())
    match = _SHAPE.fullmatch(text)
    if match is None:
        raise line.error(
            "after the colon comes a shape such as (n, m) or (1, 1); "
            "the directives are objective: J, wrt: w, b, onehot: Y and mask D with 4/5",
            at if text.strip() else said.at,
        )
    return shape_of(line, match[1], at)


def shape_of(line: Line, inner: str, at: int, between: re.Pattern[str] = _BETWEEN) -> Shape:
    """Read the sizes of a shape, ``n, m``, which stand at `at` in a line."""
    inner = inner.strip()
    dims = [size(line, part, at) for part in between.split(inner)] if inner else []
    if dims in ([], [1]):
        return SCALAR
    if len(dims) == 1:
        raise line.error(
            f"a shape has rows and columns: write ({dims[0]}, 1) for a column or "
            f"(1, {dims[0]}) for a row",
            at,
        )
    if len(dims) > MOST_DIMENSIONS:
        raise line.error(
            f"a shape has rows and columns, or up to {MOST_DIMENSIONS} dimensions in a tensor, "
            f"not {len(dims)} sizes",
            at,
        )
    return tuple(dims)


def size(line: Line, text: str, at: int) -> Dim:
    """Read one size: a name, a number, or terms joined by + and -."""
    found: Dim = 0
    try:
        return canonical(text.strip()[:MAX_NAME])
    except ValueError:
        pass
    try:
        if len(text) > MAX_NAME:
            raise ValueError
        signs = ["+", *_SIGNS.findall(text)]
        terms = [part.strip() for part in _SIGNS.split(text)]
        if len(terms) > 1 and not terms[0]:
            signs, terms = signs[1:], terms[1:]
        for sign, term in zip(signs, terms, strict=True):
            found = (plus if sign == "+" else minus)(found, _product(term))
    except ValueError:
        raise line.error(
            f"{quoted(text.strip()) or 'nothing'} is not a size; write a name such as n, a whole "
            "number, or a size computed from these, such as 2h or m - k + 1",
            at,
        ) from None
    if found == 0 or not possible(found):
        raise line.error("a size is at least 1", at)
    return found


def _product(text: str) -> Dim:
    """Read one term of a size: ``2h``, ``2 h``, ``h k``.

    Raises
    ------
    ValueError
        When it is not made of names and whole numbers.
    """
    found: Dim = 1
    at = 0
    while at < len(text) or not text:
        number = _SIZE.match(text, at)
        name = None if number else scan(text, at)
        if number is not None:
            found, at = times(found, int(number[0])), number.end()
        elif name is not None and not name.transposed:
            found, at = times(found, name.canonical), name.end
        else:
            raise ValueError(text)
        at += len(text[at:]) - len(text[at:].lstrip(" *·"))
    return found
