r"""Declarations as people write them: ``x = (n, 1)``, ``x ∈ ℝⁿ``, ``W (k×n)``, "y is a scalar".

`declared` reads one clause of a line. It serves forward passes and transcripts alike: where the
clause declares, the result has the names, the shape (or only its kind, as in "x is a vector") and
the facts; where it declares and cannot be read, the error points at it.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from enum import Enum
from functools import partial

from chainrule.calculus.graph.dims import SCALAR, Shape
from chainrule.language.reading.complaints import quoted
from chainrule.language.reading.names import SUPERSCRIPTS, scan
from chainrule.language.reading.shape_words import (
    ARROW,
    ARTICLE,
    BETWEEN,
    BETWEEN_NAMES,
    BLANKS,
    BY,
    CALLED,
    CARDINAL,
    DIRECT,
    FACT,
    GROUP,
    JOINED_BY,
    JOINING,
    KIND_FIRST,
    KINDS,
    LONG,
    MODIFIERS,
    RAISED,
    RESERVED,
    REWRITTEN,
    SHAPELY,
    SIGN,
    SIZE,
    SIZED,
    SPACE,
    UNDER,
    WORDED,
    WORDS,
    ShapeKind,
)
from chainrule.language.reading.statements import Place, shape_of, size
from chainrule.language.reading.tokens import Line

MEND = "write the shape in brackets, as in x : (n, 1), or as a space, as in x ∈ ℝ^{n×1}"


@dataclass(frozen=True)
class Declared:
    """A declaration that was read.

    Parameters
    ----------
    names : tuple of (str, int)
        The names as written, and where each stands in the line.
    shape : Shape or None
        The shape; None where only its kind is declared.
    kind : ShapeKind or None
        The kind, where the sizes are open.
    facts : tuple of str
        Facts about the matrix, such as ``"one-hot"``.
    note : str
        The words beside the shape.
    at : int
        Where the shape stands in the line.
    worded : bool
        Whether it is a sentence: "y is a scalar".
    """

    names: tuple[Place, ...]
    shape: Shape | None = None
    kind: ShapeKind | None = None
    facts: tuple[str, ...] = ()
    note: str = ""
    at: int = 0
    worded: bool = False


class Sign(Enum):
    """The sign between the names and the rest of a clause."""

    COLON = ":"
    EQUALS = "="
    MEMBER = "∈"
    VERB = "is"
    KIND = "scalar"
    SHAPE = "(n, m)"


@dataclass(frozen=True)
class Head:
    """The beginning of a clause: its names, its sign, and where the rest begins."""

    names: tuple[Place, ...]
    sign: Sign
    body: int
    at: int


def flattened(text: str) -> str:
    r"""Return a text of the same length without dollars and spacing, ``\times`` as ``×``."""

    def worded(match: re.Match[str]) -> str:
        return " " * (match.start(1) - match.start()) + match[1] + " "

    text = WORDED.sub(worded, text)
    text = BLANKS.sub(lambda match: " " * len(match[0]), text)
    for pattern, sign in REWRITTEN:
        text = pattern.sub(partial(_padded, sign), text)
    return text


def _padded(sign: str, match: re.Match[str]) -> str:
    return sign.ljust(len(match[0]))


def head(text: str, at: int = 0) -> Head | None:
    """Return the names and the sign with which a clause begins; None where it begins otherwise.

    `text` is flattened.
    """
    while at < len(text) and text[at].isspace():
        at += 1
    sized = SIZED.match(text, at)
    if sized is not None:  # shape(X) = (n, m)
        found = scan(text, sized.end(), whole=True)
        close = re.compile(r"\s*\)?\s*(?:={1,2}|:|is)\s*").match(text, found.end) if found else None
        if found is not None and close is not None:
            place = (text[sized.end() : found.end], sized.end())
            return Head((place,), Sign.SHAPE, close.end(), close.start())
    if (kind := KIND_FIRST.match(text, at)) is not None:
        return _kind_first(text, at, kind.end())
    names: list[Place] = []
    while True:
        found = scan(text, at, whole=True)
        if found is None or found.transposed or found.canonical in RESERVED:
            return None
        names.append((text[at : found.end], at))
        at = found.end
        if match := SIGN.match(text, at):
            sign = {
                "sized": Sign.SHAPE,
                "equals": Sign.EQUALS,
                "colon": Sign.COLON,
                "member": Sign.MEMBER,
                "verb": Sign.VERB,
            }[str(match.lastgroup)]
            start = match.end() - len(match[0].lstrip())
            return Head(tuple(names), sign, match.end(), start)
        if match := CALLED.match(text, at):
            place = (text[names[0][1] : match.start("sign")].rstrip(), names[0][1])
            return Head((place,), Sign.EQUALS, match.end(), match.start("sign"))
        if match := DIRECT.match(text, at):
            return Head(tuple(names), Sign.SHAPE, match.start() + match[0].index("("), at)
        between = BETWEEN_NAMES.match(text, at)
        if between is None or not between[0].strip():
            return None
        at = between.end()


def _kind_first(text: str, start: int, at: int) -> Head | None:
    """Return the head of "the scalars b, c": the kind comes before the names."""
    names: list[Place] = []
    begin = at
    while (found := scan(text, at, whole=True)) is not None and found.canonical not in RESERVED:
        names.append((text[at : found.end], at))
        begin = at = found.end
        between = BETWEEN_NAMES.match(text, at)
        if between is None or not between[0].strip():
            break
        at = between.end()
    if not names or re.match(r"\s*(?:=|:(?!\s*$))", text[begin:]):
        return None
    return Head(tuple(names), Sign.KIND, begin, start)


def declared(line: Line, start: int, stop: int) -> Declared | None:
    """Read a clause that declares.

    Parameters
    ----------
    line : Line
        The whole line.
    start, stop : int
        Where the clause begins and ends.

    Returns
    -------
    Declared or None
        None where the clause declares nothing.

    Raises
    ------
    ParseError
        Where the clause declares and cannot be read.

    Examples
    --------
    >>> text = "W, V ∈ ℝᵏˣⁿ"
    >>> declared(Line(text), 0, len(text)).shape
    ('k', 'n')
    """
    text = flattened(line.text[:stop])
    if (under := UNDER.match(text, start + _indent(text, start))) is not None:
        place = (under[1], under.start(1))
        return Declared((place,), _pair(line, under[2], under.start(2)), at=under.start(2))
    article = ARTICLE.match(text, start)
    found = head(text, article.end() if article else start)
    if found is None:
        return None
    return after(line, text, found)


def after(line: Line, text: str, found: Head) -> Declared | None:
    """Read the rest of a clause whose names and sign are known; `text` is flattened."""
    body = text[found.body :]
    at = found.body + _indent(body, 0)
    arrow = ARROW.search(body)
    broadcast = ""
    if arrow is not None:
        broadcast = f"broadcast to {arrow[1].strip()}"
        body = body[: arrow.start()]
    said: Declared | None
    if found.sign is Sign.KIND:
        kind = text[found.at : found.names[0][1]]
        said = described(line, f"{kind}{body.replace('∈', ' ', 1)}", found.body - len(kind))
    elif found.sign is Sign.EQUALS:
        said = _equated(line, body, found.body)
    elif found.sign is Sign.MEMBER:
        said = _member(line, body, found.body)
    else:
        said = described(line, body, found.body, strict=found.sign is Sign.COLON)
        if said is None and found.sign is Sign.SHAPE:
            raise line.error(f"{quoted(body) or 'nothing'} is not a shape; {MEND}", at)
        if said is None and found.sign is Sign.VERB and SHAPELY.search(body):
            raise line.error(f"this declares a shape that cannot be read; {MEND}", at)
    if said is None:
        return None
    note = ", ".join(part for part in (said.note, broadcast) if part)
    worded = found.sign in (Sign.VERB, Sign.KIND)
    return replace(said, names=found.names, note=note, at=said.at or at, worded=worded)


def _equated(line: Line, body: str, at: int) -> Declared | None:
    """Read ``x = (n, 1)`` and ``x = n × 1``: a shape behind an equals sign."""
    match = re.compile(r"\s*\(([^()]*,[^()]*|[^()]*×[^()]*)\)(?P<rest>[^=+*/^@]*)$").match(body)
    if match is not None and WORDS.fullmatch(match["rest"]):
        shape = _pair(line, match[1], at + match.start(1))
        return Declared((), shape, note=_note(match["rest"]), at=at + match.start(1) - 1)
    match = re.compile(rf"\s*({SIZE})\s*×\s*({SIZE})\s*$").match(body)
    if match is not None:
        return Declared((), _pair(line, body, at), at=at + _indent(body, 0))
    if (member := re.compile(r"\s*(?=ℝ)").match(body)) is not None:
        return _member(line, body[member.end() :], at + member.end())
    return None


def _member(line: Line, body: str, at: int) -> Declared | None:
    """Read the space that a value is in: ``ℝ^{n×m}``, ``ℝⁿ``, ``{0, 1}^m``, ``ℝ``."""
    start = at + _indent(body, 0)
    space = SPACE.match(body, _indent(body, 0))
    if space is None:
        raise line.error(
            f"{quoted(body) or 'nothing'} is not a space that is known here; {MEND}", start
        )
    shape, end = _power(line, body, space.end(), at)
    rest = body[end:]
    if not WORDS.fullmatch(rest) or rest[:1].isalnum():
        raise line.error(f"{quoted(rest)} does not belong to a space; {MEND}", at + end)
    row = re.search(r"\brow\b", rest) is not None
    if row and shape[1] == 1:
        shape = (1, shape[0])
    return Declared((), shape, facts=_facts(rest), note=_note(rest), at=start)


def _power(line: Line, text: str, end: int, at: int) -> tuple[Shape, int]:
    """Return the shape that a space is raised to, and where it ends."""
    if (raised := RAISED.match(text, end)) is not None:
        inner = raised["braced"] or raised["round"] or raised["bare"] or ""
        place = at + raised.start(raised.lastgroup or 0)
        return _space(line, inner, place), raised.end()
    if (raised := MODIFIERS.match(text, end)) is not None:
        plain = "".join(_lowered(character) for character in raised[0]).strip("()")
        dims = [part for part in plain.split("x") if part]
        return _space(line, ", ".join(dims), at + end), raised.end()
    return SCALAR, end


def _space(line: Line, inner: str, at: int) -> Shape:
    inner = CARDINAL.sub(r" \1 ", inner).strip()
    if inner.startswith("(") and inner.endswith(")"):
        inner = inner[1:-1]
    if (joined := JOINED_BY.fullmatch(inner)) is not None:
        inner = f"{joined[1]}×{joined[2]}"
    sizes = BETWEEN.split(inner)
    if len(sizes) == 1:
        return size(line, sizes[0], at), 1
    return _pair(line, inner, at)


def described(line: Line, body: str, at: int, *, strict: bool = False) -> Declared | None:
    """Read a shape in words: ``n × m matrix``, "column vector of length n", "a scalar".

    With `strict`, as after a colon, a lone bracket must be a whole shape.
    """
    rest = body
    shape: Shape | None = None
    where = 0
    kinds = [kind for kind, word in KINDS if word.search(body)]
    facts = _facts(body)
    if (space := re.compile(r"ℝ|(?<!\w)R(?=\s*\^)").search(body)) is not None:
        shape, end = _power(line, body, SPACE.match(body, space.start()).end(), at)  # type: ignore[union-attr]
        where, rest = space.start(), body[: space.start()] + body[end:]
    elif (group := _bracketed(body, strict)) is not None:
        sizes = [part for part in BETWEEN.split(group[1]) if part.strip()] if group[1] else []
        if len(sizes) == 1 and kinds and ShapeKind.SCALAR not in kinds:
            shape = (size(line, sizes[0], at + group.start(1)), 1)
        else:
            shape = _pair(line, group[1], at + group.start(1))
        where, rest = group.start(), body[: group.start()] + body[group.end() :]
    elif (pair := BY.search(body) or JOINED_BY.search(body)) is not None:
        shape = (
            size(line, pair[1], at + pair.start(1)),
            size(line, pair[2], at + pair.start(2)),
        )
        where, rest = pair.start(), body[: pair.start()] + body[pair.end() :]
    else:
        for pattern in LONG:
            if kinds and (long := pattern.search(body)) is not None:
                found = size(line, long[1], at + long.start(1))
                square = ShapeKind.MATRIX in kinds
                shape = (found, found) if square else (found, 1)
                where, rest = long.start(), body[: long.start()] + " vector " + body[long.end() :]
                break
    if shape is not None and ShapeKind.ROW in kinds and shape[1] == 1 and shape != SCALAR:
        shape = (1, shape[0])
    kind = None
    if shape is None:
        if not kinds:
            return None
        kind = kinds[0]
        if kind is ShapeKind.SCALAR:
            shape, kind = SCALAR, None
    if not WORDS.fullmatch(rest):
        return None
    at += where + _indent(body, where)
    return Declared((), shape, kind, facts, _note(rest), at)


def _bracketed(body: str, strict: bool) -> re.Match[str] | None:
    """Return the brackets that hold a shape."""
    for group in GROUP.finditer(body):
        whole = strict and not (body[: group.start()] + body[group.end() :]).strip()
        if whole or re.search(r"[,×]|\s(?:x|by)\s", group[1]) or group[1].strip() in ("1", ""):
            return group
        if re.search(r"\bvectors?\b|\bshape\b|\bsize\b", body[: group.start()]):
            return group
    return None


def _pair(line: Line, inner: str, at: int) -> Shape:
    """Read ``n, m`` or ``n × m`` as a shape; a single 1 is a number."""
    if (joined := JOINED_BY.fullmatch(inner.strip())) is not None:
        inner = f"{joined[1]}×{joined[2]}"
    return shape_of(line, inner, at, BETWEEN)


def _facts(text: str) -> tuple[str, ...]:
    return tuple(match[0].lower().replace(" ", "-") for match in FACT.finditer(text))


def _note(rest: str) -> str:
    rest = re.sub(r"\s+", " ", JOINING.sub(" ", rest)).strip(" ,.;:-()")
    for _, words in KINDS:
        rest = words.sub("", rest).strip(" ,.;:-()")
    return rest


def _lowered(character: str) -> str:
    """Return a raised letter on the line: ``ᵏ`` is k, ``ˣ`` is x."""
    from unicodedata import normalize

    return SUPERSCRIPTS.get(character) or normalize("NFKC", character)


def _indent(text: str, at: int) -> int:
    return len(text[at:]) - len(text[at:].lstrip())


__all__ = ["Declared", "Head", "ShapeKind", "Sign", "declared", "flattened", "head"]
