"""Typed errors: the kind, the place, and a repair where one is found that reads."""

from __future__ import annotations

import re

from chainrule.board.coding import RequestError
from chainrule.board.schema import Failure, Mend
from chainrule.errors import (
    ChainruleError,
    DataError,
    DerivationError,
    ExerciseError,
    LimitError,
    ModelError,
    ParseError,
    ProofError,
    ScopeError,
    ShapeError,
    UndecidedError,
    UnmetError,
)
from chainrule.language.reading import read_model

KINDS: tuple[tuple[type[BaseException], str], ...] = (
    (UnmetError, "shape"),
    (LimitError, "limit"),
    (ScopeError, "scope"),
    (UndecidedError, "undecided"),
    (ParseError, "parse"),
    (ShapeError, "shape"),
    (ModelError, "model"),
    (DerivationError, "derivation"),
    (ProofError, "proof"),
    (ExerciseError, "exercise"),
    (DataError, "data"),
    (RequestError, "request"),
    (ChainruleError, "model"),
)
"""The kind of a typed error by its class; the first that fits."""

_MEANT = re.compile(r"; did you mean (.+)\?$")
_UNKNOWN = re.compile(r"^unknown name (.+?); did you mean ")
_WHOLE = re.compile(r"^(.+?): .+? is \([^()]*\), .+? is \([^()]*\); ")
LONGEST_TEXT = 4000
"""The longest text for which a repair is tried: trying means reading it again."""


def failure(error: ChainruleError, text: str = "") -> Failure:
    """Return an error as data.

    Parameters
    ----------
    error : ChainruleError
        The error.
    text : str, optional
        The forward pass in which it occurred; repairs are tried on it.
    """
    kind = next(name for each, name in KINDS if isinstance(error, each))
    if not isinstance(error, ParseError):
        return Failure(kind, str(error))
    return Failure(kind, error.message, error.line, error.column, error.source, _mend(error, text))


def _mend(error: ParseError, text: str) -> Mend | None:
    """Return the first suggestion of the message that makes the text read further."""
    meant = _MEANT.search(error.message)
    subject = _UNKNOWN.search(error.message) or _WHOLE.search(error.message)
    lines = text.splitlines()
    if not (meant and subject and text and len(text) <= LONGEST_TEXT and error.line <= len(lines)):
        return None
    wrong, line = subject[1], lines[error.line - 1]
    start = error.column - 1
    if not line.startswith(wrong, start):
        return None
    for suggestion in re.split(r",? or ", meant[1]):
        mend = Mend(
            f"Replace {wrong} by {suggestion}", error.line, error.column, len(wrong), suggestion
        )
        if _reads_further(applied(text, mend), error):
            return mend
    return None


def applied(text: str, mend: Mend) -> str:
    """Return a text with a repair made.

    >>> applied("L = sigmod(x)", Mend("", 1, 5, 6, "sigmoid"))
    'L = sigmoid(x)'
    """
    lines = text.splitlines(keepends=True)
    line, start = lines[mend.line - 1], mend.column - 1
    lines[mend.line - 1] = line[:start] + mend.text + line[start + mend.length :]
    return "".join(lines)


def _reads_further(text: str, error: ParseError) -> bool:
    """Whether a text reads, or fails at a later place than before."""
    try:
        read_model(text)
    except ParseError as again:
        return (again.line, again.column) > (error.line, error.column)
    except ChainruleError:
        return False
    return True
