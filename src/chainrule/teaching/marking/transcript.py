r"""Transcript to statements: prose and layout are removed, each equation keeps its line number.

Plain text, Markdown with ``$...$``, backticks and code fences, and LaTeX displays are read. A
display line that begins with ``=`` goes on with the line before it. Code that builds a value up,
``dw += lam * w`` or ``dZ[Z <= 0] = 0``, becomes one equation on its last line.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

from chainrule.language.reading.bookkeeping import (
    begins_code,
    docstrings,
    in_plain_names,
    is_bookkeeping,
    joined,
    one_each,
    parameters_of,
)
from chainrule.language.reading.statements import MAX_LINE, MAX_TEXT, too_long
from chainrule.teaching.marking.surrounding_text import Known, bare, without_words
from chainrule.teaching.marking.update_rules import moves_parameter, stated_gradient

_FENCE = re.compile(r"^\s*(```|~~~)")
_INLINE = re.compile(r"(?<![\\$])\$(?!\$)([^$]+)\$(?!\$)|\\\((.+?)\\\)|`([^`]+)`")
_OPENS = re.compile(r"\\\[(?!\d)|\\begin\s*\{(?:align|equation|gather|split|aligned|eqnarray)\*?\}")
_CLOSES = re.compile(r"\\\]|\\end\s*\{(?:align|equation|gather|split|aligned|eqnarray)\*?\}")
_BETWEEN_FORMULAS = re.compile(
    r"\s*(?:[\w^\[\], ]+:\s*\([^()]*\)|(?:objective|onehot|wrt)\s*:.*)\s*(?:#.*)?$", re.IGNORECASE
)
_ONE_NAME = re.compile(
    r"\s*(?:[-*•]\s+)?(?:[^\s/=<>!]+(?:\s*/\s*[^\s/=<>!]+)?|(?:∇|\\nabla)\S*\s+\S+"
    r"|\w+\([\w, ]*\)|\\frac\s*\{[^{}]*\}\s*\{[^{}]*(?:\{[^{}]*\}[^{}]*)*\})\s*$"
)
_PROSE = re.compile(r"[A-Za-z]{2,}[,;]?\s+[A-Za-z]{2,}[,;]?\s+[A-Za-z]{2,}")
_IMPLIES = re.compile(
    r"⇒|⟹|→|(?<![<=>])=>|\\(?:Long)?[rR]ightarrow\b|\\longrightarrow\b|\\implies\b|\\therefore\b|∴"
)
_ALSO = re.compile(
    r"\s+(?:and|so|so that|thus|hence|therefore|giving|where|with|since|because|as)\s+(?=\S)"
)
_AUGMENTED = re.compile(r"^\s*([\w.]+)\s*([-+*/])=(?!=)\s*(.+)$")
_REASSIGNED = re.compile(r"^\s*(?P<name>[\w.]+)\s*=\s*(?P=name)\s*([-+*/])\s*(?!\s)([^-+].*)$")
_ZEROED = re.compile(r"^\s*(\w+)\[\s*(.+?)\s*(<=|<|>=|>)\s*0(?:\.0*)?\s*\]\s*=\s*0(?:\.0*)?\s*$")
AHEAD = 300
"""The number of characters after a comma in which an equation is searched."""

_SIGNS = {"(": 1, "{": 1, "[": 1, ")": -1, "}": -1, "]": -1}


@dataclass(frozen=True)
class TranscriptStatement:
    """One statement of a transcript.

    Parameters
    ----------
    text : str
        Without layout and conditions.
    line : int
        The line number, from 1.
    shown : str
        The line as written.
    condition : str
        ``i=j`` or ``i≠j``, where it was said that the equation holds only then.
    code : bool
        Whether it stands in a code fence.
    parameters : frozenset of str
        The parameters of the function of code in which it stands.
    """

    text: str
    line: int
    shown: str
    condition: str = ""
    code: bool = False
    parameters: frozenset[str] = frozenset()

    @property
    def continues(self) -> bool:
        """Whether it continues the equation before it."""
        return self.text.startswith("=")

    def sides(self) -> list[tuple[int, int]]:
        """Return the start and end of the parts between the equals signs."""
        cuts = equals_signs(self.text)
        starts = [0, *(at + 1 for at in cuts)]
        ends = [*cuts, len(self.text)]
        return list(zip(starts, ends, strict=True))

    def without_words(self, known: Known) -> TranscriptStatement:
        """Return the equation alone, once the names are known."""
        if self.code or len(self.text) > MAX_LINE:
            return self
        return replace(self, text=without_words(self.text, known))


def statements(text: str) -> list[TranscriptStatement]:
    """Return the statements of a transcript: equations, declarations and definitions.

    Raises
    ------
    ParseError
        When the text or a line of it is past its limit.
    """
    if len(text) > MAX_TEXT:
        raise too_long(1, len(text), MAX_TEXT)
    found: list[TranscriptStatement] = []
    for said in _all(text):
        _take(found, said)
    return found


def rows_of_prose(text: str) -> Iterator[tuple[int, str]]:
    """Yield the rows outside code and their line numbers; docstrings in code are prose."""
    code: list[tuple[int, str]] = []
    fenced = False
    for number, row in enumerate(_rows(text), 1):
        if _FENCE.match(row):
            fenced = not fenced
            yield from docstrings(code)
            code = []
        elif fenced:
            code.append((number, row))
        elif not begins_code(row):
            yield number, row
    yield from docstrings(code)


def _rows(text: str) -> list[str]:
    return text.removeprefix("\ufeff").replace("\r\n", "\n").replace("\r", "\n").split("\n")


def _all(text: str) -> Iterator[TranscriptStatement]:
    rows = _joined_rows(_rows(text))
    if any(_LAYERED.match(row) for row in rows):
        rows = [_LAYER.sub(r"\1^[\2]", row) for row in rows]
    marked = any("$" in row or "\\(" in row or "\\[" in row or "\\begin" in row for row in rows)
    fenced, display, condition = False, _Display(), ""
    code: list[tuple[int, str]] = []
    for number, row in enumerate(rows, 1):
        if _FENCE.match(row):
            fenced = not fenced
            yield from _code(code)
            code = []
            continue
        if fenced and len(row) <= MAX_LINE:
            code.append((number, row))
            continue
        if len(row) > MAX_LINE:
            yield TranscriptStatement(row, number, row, code=True)
            continue
        if marked and display.passes(row):
            whole = [m[1] or m[2] for m in _WHOLE.finditer(row)]
            pieces = [row] if display.inside or not whole else whole
            if not display.inside and row.count("$$") == 1 and _DOLLAR.search(row):
                last, _, after = row.partition("$$")  # prose goes on behind the display
                pieces = [last, *(m[1] or m[2] or m[3] for m in _INLINE.finditer(after))]
        else:
            pieces = [m[1] or m[2] or m[3] for m in _INLINE.finditer(row)]
            pieces = [piece for piece in pieces if marked or "=" in piece]
            if not pieces and (not marked or _BETWEEN_FORMULAS.match(row) or _is_formula(row)):
                pieces = [row]
        if row.strip() and not (display.inside or "$$" in row or _OPENS.search(row)):
            case = _CASE.match(row) if not _CLOSES.search(row) else None
            condition = (
                "" if case is None else f"{case[1]}{'=' if case[2] == '=' else '≠'}{case[3]}"
            )
            if case is not None:
                continue
        for piece in pieces:
            for said in _statements(piece, number, row, code=False):
                yield said if said.condition else replace(said, condition=condition)
    yield from _code(code)


def _joined_rows(rows: list[str]) -> list[str]:
    """Join rows that a formula runs over: within dollars, and behind a lone equals sign.

    The later rows stay, empty, so that every line keeps its number.
    """
    found = list(rows)
    fenced, display, at = False, _Display(), 0
    while at < len(found):
        row = found[at]
        if _FENCE.match(row):
            fenced = not fenced
        elif not fenced and len(row) <= MAX_LINE:
            before = display.dollars, display.depth
            shown = display.passes(row)
            within = not shown and len(_DOLLAR.findall(row)) % 2 == 1
            ends = shown and display.inside
            ends = ends and (_HANGING.search(row) is not None or _opens_more(row))
            if within and _LONE_DOLLAR.fullmatch(row):
                within = not _displayed(found, at)
                display.dollars = display.dollars if within else not display.dollars
            after = found[at + 1].strip(" &") if at + 1 < len(found) else ""
            begins = shown and display.inside and after.startswith("=") and _is_left_side(row)
            signed = _SIGNED.match(after) is not None and _UNFINISHED.search(row) is not None
            begins = begins or (shown and display.inside and signed)
            ended = "$$" in after and not after.endswith("$$")
            goes_on = bool(after) and _FENCE.match(after) is None and not ended
            goes_on = goes_on and (not within or "$$" not in after)
            if (within or ends or begins) and goes_on:
                found[at + 1] = f"{row.rstrip()} {found[at + 1].strip()}"
                found[at] = ""
                if not within:
                    display.dollars, display.depth = before  # the joined row passes again
        at += 1
    return found


_CASE = re.compile(
    r"\s*(?:[-*•]\s+|Case\s*\d?\s*[:.]\s*)?(?:If|When|For|Case)\s*:?\s*(?:\$|\\\()?\s*([a-z])\s*"
    r"(=|≠|!=|\\neq?\b)\s*([a-z])\s*(?:\$|\\\))?\s*[,:.;]?\s*(?:then|we\s+\w+)?\s*[,:]?\s*$",
    re.IGNORECASE,
)
"""A row of prose that says for which indices the display below it holds."""


def _opens_more(row: str) -> bool:
    """Whether a brace of a row with an equals sign is closed on a later row."""
    plain = row.replace("\\{", "").replace("\\}", "")
    return "=" in plain and plain.count("{") > plain.count("}")


def _is_left_side(row: str) -> bool:
    """Whether a row of a display is the left side of an equation that the next row goes on with."""
    plain = _OPENS.sub("", row).replace("$", "").strip()
    if plain.endswith("\\\\") or (_ALONE.match(plain) is None and not _CALLED.fullmatch(plain)):
        return False
    return not equals_signs(plain)


def _displayed(rows: list[str], at: int) -> bool:
    """Write a formula between two dollars on rows of their own as a display."""
    for end in range(at + 1, len(rows)):
        if len(_DOLLAR.findall(rows[end])) % 2:
            break
    else:
        return False
    if not rows[end].strip().endswith("$"):
        return False
    rows[at] = rows[at].replace("$", "$$", 1)
    rows[end] = f"{rows[end].rstrip()[:-1]}$$"
    return True


_LONE_DOLLAR = re.compile(r"\s*\$\s*(?:\\[A-Za-z]+\s*)?")
_DOLLAR = re.compile(r"(?<![\\$])\$(?!\$)")
_LAYERED = re.compile(r"\s*d?[A-Za-z]+\[\d\]\s*[=:]")
_LAYER = re.compile(r"(?<![\w^\]\\])([A-Za-z]+)\[(\d|[lL](?:\s*[-+]\s*1)?)\]")
"""``Z[1]`` for layer 1, in a text that defines such names."""
_WHOLE = re.compile(r"\$\$(.+?)\$\$|\\\[(?!\d)(.+?)\\\]")
_ALONE = re.compile(r".*\\(?:d?frac|partial|nabla)")
"""A row of a display that names a derivative."""
_CALLED = re.compile(
    r"(?:\\mathcal\s*\{\s*[A-Z]\s*\}|\\ell|[A-Za-z])\s*\((?:[^()=]|\([^()=]*\)){1,60}\)"
)
"""A row of a display with a value and its arguments: ``J(W, b)``."""
_ROW_ENDS = re.compile(
    r"\\\\(?!\w)|\\end\s*\{(?:align|equation|gather|eqnarray|split|aligned)\*?\}(?=.*\S)"
)
"""The end of a row of a display, or of one display before another on the same row."""
_SIGNED = re.compile(r"[-+]|\\(?:cdot|times|odot)(?![A-Za-z])")
_UNFINISHED = re.compile(r"=(?:(?!\\\\)[^$])*$")
"""A row of a display with an equals sign, and no end of a line behind it."""
_HANGING = re.compile(
    r"(?<![<>!&])=\s*$|\\sum(?:\s*\\limits)?(?:\s*[_^](?:\{[^{}]*\}|\w))*\s*$"
    r"|[=&].*[-+]\s*$"
)
"""A row that ends with a lone equals sign, a sign, or a sum of what the next row gives."""


def _code(rows: list[tuple[int, str]]) -> Iterator[TranscriptStatement]:
    """Yield the statements of a block of code, or of formulas in a fence."""
    if _is_mathematics(row for _, row in rows):
        for number, row in rows:
            if "=" in row and len(row) <= MAX_LINE:
                yield from _statements(row, number, row, code=False)
        return
    parameters, margin = frozenset[str](), 0
    for number, row in joined(rows):
        indent = len(row) - len(row.lstrip())
        if (names := parameters_of(row)) is not None:
            parameters, margin = names, indent
        elif row.strip() and indent <= margin:
            parameters = frozenset()
        if len(row) > MAX_LINE:
            yield TranscriptStatement(row, number, row, code=True)
            continue
        for said in _statements(row, number, row, code=True):
            yield replace(said, parameters=parameters)


def _is_mathematics(rows: Iterable[str]) -> bool:
    """Whether the rows of a fence are formulas in Unicode signs, and no program."""
    text = "\n".join(rows)
    return _MATHEMATICS.search(text) is not None and _PROGRAM.search(text) is None


def _is_formula(row: str) -> bool:
    """Whether a row without marks is a formula, in a text whose other formulas are marked."""
    left, equals, right = row.partition("=")
    return bool(equals) and bool(_ONE_NAME.match(left)) and not _PROSE.search(right)


_MATHEMATICS = re.compile(r"[∂∇·⊙ᵀ₀-₉²³∑∏√]")
_PROGRAM = re.compile(
    r"\b(?:def|import|return|print|lambda|class|assert)\b|\bnp\.|\btorch\.|#|\*\*|@|[+\-*/]=|\w\.\w+\("
)


@dataclass
class _Display:
    """Whether a row is in a displayed formula, and of which kind."""

    dollars: bool = False
    depth: int = 0

    def passes(self, row: str) -> bool:
        """Process one row; return whether some of it is displayed."""
        before = self.inside
        if row.count("$$") % 2:
            self.dollars = not self.dollars
        self.depth += len(_OPENS.findall(row)) - len(_CLOSES.findall(row))
        return before or self.inside or "$$" in row or bool(_OPENS.search(row))

    @property
    def inside(self) -> bool:
        """Whether the next row begins in a display."""
        return self.dollars or self.depth > 0


def _statements(row: str, number: int, shown: str, *, code: bool) -> Iterator[TranscriptStatement]:
    for broken in [row] if code else _ROW_ENDS.split(row):
        for step in [broken] if code else _IMPLIES.split(broken):
            found = bare(step, code=code)
            if is_bookkeeping(found.text, code=code):
                continue
            whole = one_each(found.text) if code else [found.text]
            whole = [one for one in whole if code or _CLAIMS_NOTHING.match(one) is None]
            plain = (in_plain_names(one) for one in whole if not is_bookkeeping(one, code=code))
            for piece in (part for one in plain for part in _apart(one, code=code)):
                if piece:
                    yield TranscriptStatement(piece, number, shown.strip(), found.condition, code)


_CLAIMS_NOTHING = re.compile(
    r"\s*(?:(?P<name>\\?[A-Za-z]+)\s*(?:\^\s*\{?\s*(?:T|\\top|\\intercal)\s*\}?)?\s*=\s*"
    r"[\[(]\s*(?P=name)_\{?\w{0,2}1\}?\s*,[^=]*[\])]\s*(?:\^\s*\{?\s*(?:T|\\top|\\intercal)\s*\}?)?"
    r"|[i-n]\s*(?:=|≠|\\neq?)\s*(?:[i-n]|[a-z]_\{?[i-n]\}?)|[i-s]\s*=\s*[i-n]\s*[-+]\s*[i-n])"
    r"\s*[,.;:]?\s*$"
)
"""A vector as the list of its own entries, and what two or three indices have in common."""


def _apart(text: str, *, code: bool) -> Iterator[str]:
    """Split ``dz/dw = x, dz/db = 1`` at the commas and the words between equations."""
    depth, start = 0, 0
    words = {} if code else {match.start(): match.end() for match in _ALSO.finditer(text)}
    for at, character in enumerate(text):
        depth += _SIGNS.get(character, 0)
        spaced = text[at - 1 : at] == "\\"  # \, and \; are spaces of LaTeX
        if depth or spaced or not (at in words or character in ",;"):
            continue
        after = words.get(at, at + 1)
        if "=" in text[start:at] and _begins(text[after : after + AHEAD], character in ",;"):
            yield text[start:at].strip(" ,;")
            start = after
    yield text[start:].strip().lstrip(" ,;")


def _begins(text: str, comma: bool) -> bool:
    """Whether an equation begins here, and not the next name of a list."""
    place = text.find("=")
    if place < 0 or (comma and "," in text[:place] and not _closed(text[:place])):
        return False
    left = text[:place].strip()
    return bool(left) and _closed(left) and bool(equals_signs(text))


def _closed(text: str) -> bool:
    """Whether every comma stands in brackets, and every bracket is closed."""
    depth = 0
    for character in text:
        depth += _SIGNS.get(character, 0)
        if depth < 0 or (depth == 0 and character == ","):
            return False
    return depth == 0


def _take(found: list[TranscriptStatement], said: TranscriptStatement) -> None:
    """Add a statement; an in-place update is merged into the equation of its target.

    The update of a parameter claims nothing.
    """
    if moves_parameter(said.text) and not _adds_up(found, said):
        gradient = "" if said.code else stated_gradient(said.text, equals_signs(said.text))
        if gradient:
            found.append(replace(said, text=gradient))
        return
    augmented, zeroed = _AUGMENTED.match(said.text), _ZEROED.match(said.text)
    if augmented is None and said.code:
        augmented = _REASSIGNED.match(said.text)
    match = augmented or zeroed
    if match is None:
        found.append(said)
        return
    before = next((s for s in reversed(found) if _target(s) == match[1]), None)
    if before is None:
        if not said.code or augmented is None or _REASSIGNED.match(said.text):
            found.append(said)  # an update of what stands elsewhere is no equation
        return
    old = before.text.partition("=")[2].strip()
    if augmented:
        text = f"{match[1]} = ({old}) {augmented[2]} ({augmented[3].strip()})"
    else:
        assert zeroed is not None
        kept = ">" if zeroed[3] in ("<", "<=") else "<"
        text = f"{match[1]} = ({old}) * ({zeroed[2]} {kept} 0)"
    found.remove(before)
    found.append(replace(said, text=text))


def _adds_up(found: list[TranscriptStatement], said: TranscriptStatement) -> bool:
    """Whether ``dh += ...`` adds to a gradient that a line above began."""
    match = _AUGMENTED.match(said.text)
    if match is None or not match[1].startswith("d"):
        return False
    return any(_target(before) == match[1] for before in found)


def _target(said: TranscriptStatement) -> str:
    return said.text.partition("=")[0].strip()


def equals_signs(text: str) -> list[int]:
    """Return where the equals signs stand that are in no bracket and in no other sign."""
    depth, found = 0, []
    for at, character in enumerate(text):
        depth += _SIGNS.get(character, 0)
        compared = text[at - 1 : at] in ("<", ">", "!", "=") if at else False
        if character == "=" and depth == 0 and not compared and text[at + 1 : at + 2] != "=":
            found.append(at)
    return found
