r"""A transcript into statements: prose and layout fall away, each equation keeps its line.

Plain text, Markdown with ``$...$`` and code fences, and LaTeX displays are read. A display line
that begins with ``=`` goes on with the line before it. What stands behind an equation as its
reason, ``# so``, ``(chain rule)``, ``\text{...}``, is left out.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from chainrule.interpreters.reading.statements import MAX_TEXT, too_long

_FENCE = re.compile(r"^\s*(```|~~~)")
_INLINE = re.compile(r"(?<![\\$])\$(?!\$)([^$]+)\$(?!\$)|\\\((.+?)\\\)")
_LAYOUT = re.compile(
    r"\\(?:begin|end)\s*\{[a-zA-Z*]+\}|\\(?:tag|label|ref|eqref)\s*\{[^{}]*\}|\\nonumber|\\notag"
    r"|\\(?:qquad|quad)\b|&|\$\$|\\\[|\\\]"
)
_OPENS = re.compile(r"\\\[(?!\d)|\\begin\s*\{(?:align|equation|gather|split|aligned|eqnarray)\*?\}")
_CLOSES = re.compile(r"\\\]|\\end\s*\{(?:align|equation|gather|split|aligned|eqnarray)\*?\}")
_WORDS = re.compile(r"\\(?:text|mbox|textit|textrm)\s*\{([^{}]*)\}")
_COMMENT = re.compile(r"(?<!\\)(?:#|//|%).*$")
_LEADING = re.compile(
    r"^\s*(?:[-*•]\s+|\d{1,2}[.)]\s+|\([a-z0-9]{1,2}\)\s+|[a-z]\)\s+|"
    r"(?:step|line|eq\.?)\s*\d*\s*[:.)]?\s+|"
    r"(?:so|then|thus|hence|therefore|finally|and|but|now|also|next|first|second|since|because|"
    r"with|where|we (?:get|have|find|obtain|know|see)(?: that)?|this gives|that is|i\.e\.|"
    r"it follows(?: that)?|which gives|let|by the chain rule|recall(?: that)?|putting together|"
    r"gradient|answer|result)\b[,:]?\s+|(?:⇒|=>|∴|→|\\Rightarrow|\\implies|\\therefore)\s*)",
    re.IGNORECASE,
)
_REASON = re.compile(
    r"(?:\s{2,}|\t|\s+[—–]\s+|\s+--\s+|,\s+)"
    r"(?:\([^()]*[A-Za-z]{3,}[^()]*\)|(?:by|since|because|using|where|as|via|from|for|with)\b.*|"
    r"\[[^\[\]]*[a-z]{3,}\s[^\[\]]*\])\s*$"
)
_BEHIND = re.compile(r"\s+\(\s*(?:[a-z-]{2,}\s+)+[a-z-]{2,}\s*\)\s*$", re.IGNORECASE)
_SIGNS = {"(": 1, "{": 1, "[": 1, ")": -1, "}": -1, "]": -1}


@dataclass(frozen=True)
class Statement:
    """A statement of a transcript.

    Parameters
    ----------
    text : str
        Without layout and reasons.
    line : int
        Where it was written, from 1.
    shown : str
        The line as written.
    """

    text: str
    line: int
    shown: str

    @property
    def continues(self) -> bool:
        """Whether it goes on with the equation before it."""
        return self.text.startswith("=")

    def sides(self) -> list[tuple[int, int]]:
        """Return where the parts between the equals signs begin and end."""
        cuts = equals_signs(self.text)
        starts = [0, *(at + 1 for at in cuts)]
        ends = [*cuts, len(self.text)]
        return list(zip(starts, ends, strict=True))


def statements(text: str) -> Iterator[Statement]:
    """Yield the statements of a transcript: equations, declarations and definitions.

    Raises
    ------
    ParseError
        When the text is past the limit.
    """
    if len(text) > MAX_TEXT:
        raise too_long(1, len(text), MAX_TEXT)
    rows = text.removeprefix("\ufeff").replace("\r\n", "\n").replace("\r", "\n").split("\n")
    marked = any("$" in row or "\\(" in row or "\\[" in row or "\\begin" in row for row in rows)
    fenced, display = False, _Display()
    for number, row in enumerate(rows, 1):
        if _FENCE.match(row):
            fenced = not fenced
            continue
        if not marked or fenced or display.passes(row):
            pieces = [row]
        else:
            pieces = [m[1] or m[2] for m in _INLINE.finditer(row)]
            if not pieces and re.match(r"\s*[\w^\[\], ]+:\s*\([^()]*\)\s*(#.*)?$", row):
                pieces = [row]  # a declaration of the language between the formulas
        for piece in pieces:
            yield from _statements(piece, number, row, code=fenced)


@dataclass
class _Display:
    """Whether a row stands in a display, and which kind."""

    dollars: bool = False
    depth: int = 0

    def passes(self, row: str) -> bool:
        """Take one row in; return whether some of it is displayed."""
        before = self.inside
        if row.count("$$") % 2:
            self.dollars = not self.dollars
        self.depth += len(_OPENS.findall(row)) - len(_CLOSES.findall(row))
        return before or self.inside or "$$" in row or bool(_OPENS.search(row))

    @property
    def inside(self) -> bool:
        """Whether the next row begins in a display."""
        return self.dollars or self.depth > 0


def _statements(row: str, number: int, shown: str, *, code: bool) -> Iterator[Statement]:
    for broken in re.split(r"\\\\(?!\w)", row):
        for piece in _apart(_cleaned(broken, code=code)):
            if piece:
                yield Statement(piece, number, shown.strip())


def _cleaned(text: str, *, code: bool) -> str:
    text = _COMMENT.sub("", text)
    text = _WORDS.sub(" ", _LAYOUT.sub(" ", text))
    while not code and (match := _LEADING.match(text)):
        text = text[match.end() :]
    if not code:
        text = _REASON.sub("", text)
        text = _BEHIND.sub("", text)
    return text.replace(":=", "=").strip().rstrip(".,;").strip()


def _apart(text: str) -> Iterator[str]:
    """Split ``dz/dw = x, dz/db = 1`` at the commas between equations."""
    depth, start = 0, 0
    for at, character in enumerate(text):
        depth += _SIGNS.get(character, 0)
        if depth == 0 and character in ",;" and "=" in text[start:at] and _begins(text[at + 1 :]):
            yield text[start:at].strip()
            start = at + 1
    rest = text[start:].strip()
    yield re.sub(r"^(?:and|so)\s+", "", rest)


def _begins(text: str) -> bool:
    cuts = equals_signs(text)
    return bool(cuts) and "," not in text[: cuts[0]]


def equals_signs(text: str) -> list[int]:
    """Return where the equals signs stand that are in no bracket and in no other sign."""
    depth, found = 0, []
    for at, character in enumerate(text):
        depth += _SIGNS.get(character, 0)
        compared = text[at - 1 : at] in ("<", ">", "!", "=") if at else False
        if character == "=" and depth == 0 and not compared and text[at + 1 : at + 2] != "=":
            found.append(at)
    return found
