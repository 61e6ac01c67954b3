"""Tokens of Octave, R and Julia."""

from __future__ import annotations

import re
from dataclasses import dataclass


class NotRead(Exception):  # noqa: N818
    """A row that is not of the dialect, or not read."""


@dataclass(frozen=True)
class Dialect:
    """How a language writes what the languages of matrices share.

    Parameters
    ----------
    name : str
        Its name.
    comment : str
        Characters that begin a comment.
    products : frozenset of str
        The operators that are matrix products.
    calls_index : bool
        Whether ``a(1, 2)`` is an entry of an array as well as a call.
    dotted_names : bool
        Whether names have dots in them.
    functions : mapping
        The functions that are read, by their names.
    """

    name: str
    comment: str
    products: frozenset[str]
    calls_index: bool = False
    dotted_names: bool = False


@dataclass(frozen=True)
class Token:
    """One token of a row.

    Parameters
    ----------
    kind : str
        ``number``, ``name``, ``text``, ``sign`` or ``end``.
    text : str
        As it is written.
    spaced : bool
        Whether a space stands before it.
    followed : bool
        Whether a space stands behind it.
    """

    kind: str
    text: str
    spaced: bool = False
    followed: bool = False


_NUMBER = r"(?P<number>\d+(?:\.(?![*/^'\\])\d*)?(?:[eE][-+]?\d+)?L?|\.\d+(?:[eE][-+]?\d+)?)"
_SIGNS = (
    r"(?P<sign>%\*%|%o%|%%|<-|->|\.\*|\./|\.\^|\.\+|\.-|\.==|\.>=|\.<=|\.>|\.<|\.'|==|~=|!=|<=|>=|&&"
    r"|\|\||\+=|-=|\*=|/=|\.\(|\.\.\.|[-+*/^\\'()\[\]{},;:=<>~!&|@$.?])"
)
_PLAIN = re.compile(rf"\s*(?:{_NUMBER}|(?P<name>[A-Za-z_]\w*)|{_SIGNS})")
_DOTTED = re.compile(rf"\s*(?:{_NUMBER}|(?P<name>[A-Za-z_.][\w.]*)|{_SIGNS})")
_TEXT = re.compile(r"\s*(?:\"(?P<double>[^\"]*)\"|'(?P<single>[^']*)')")
MOST_TOKENS = 400


def tokens(row: str, dialect: Dialect) -> list[Token]:
    """Return the tokens of a row without its comment.

    Parameters
    ----------
    row : str
    dialect : Dialect

    Raises
    ------
    NotRead
        At what is none.
    """
    found: list[Token] = []
    pattern = _DOTTED if dialect.dotted_names else _PLAIN
    at, depth = 0, 0
    while row[at:].strip():
        start = at + len(row[at:]) - len(row[at:].lstrip())
        if row[start] in dialect.comment and not row.startswith(("%*%", "%o%", "%%"), start):
            break
        match = None
        if row[start] == '"' or (row[start] == "'" and not _is_transpose(row, start, found, depth)):
            match = _TEXT.match(row, at)
        if match is not None:
            kind, text = "text", match["double"] or match["single"] or ""
        else:
            match = pattern.match(row, at)
            if match is None or match.lastgroup is None:
                raise NotRead(f"{row[start]} is not read")
            kind, text = match.lastgroup, match[match.lastgroup]
        depth += (text in "([{" and kind == "sign") - (text in ")]}" and kind == "sign")
        at = match.end()
        found.append(Token(kind, text, start > 0 and row[start - 1].isspace(),
                           at < len(row) and row[at].isspace()))  # fmt: skip
        if len(found) > MOST_TOKENS:
            raise NotRead("a row that is too long")
    return found


def _is_transpose(row: str, at: int, before: list[Token], depth: int) -> bool:
    """Whether an apostrophe is a transpose, and does not begin a string."""
    if not before or (depth and at and row[at - 1].isspace()):
        return False
    last = before[-1]
    return last.kind in ("number", "name") or last.text in (")", "]", "}", "'", ".'")


__all__ = ["Dialect", "NotRead", "Token", "tokens"]
