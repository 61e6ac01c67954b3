"""The code of a post as a syntax tree; rows that are no Python are left out, and counted."""

from __future__ import annotations

import ast
import re
import textwrap
import warnings
from dataclasses import dataclass

MOST_ROWS = 1500
MOST_LEFT_OUT = 60
LONGEST_ROW = 600
DEEPEST_BRACKETS = 40

_FENCE = re.compile(r"^\s*(?:```|~~~)\s*(?P<language>\w*)")
_CODE = re.compile(
    r"\b(?:np|numpy|torch|tf|jnp)\.\w|\.dot\(|\.T\b|^\s*def \w+\(|\w @ \w|^\s*\w+ [-+*/]= "
)
_PYTHON = re.compile(
    r"\b(?:np|numpy|torch|tf|jnp)\.\w|\.(?:dot|mm|sum|mean|transpose)\(|^\s*(?:def|class) \w+\b.*:"
    r"|^\s*for \w+ in .*:|^\s*import \w"
)
"""What Python has, and mathematics that happens to be Python does not."""

_ASSIGNS = re.compile(
    r"^\s*[A-Za-z_][\w.\[\]\"', :<>=+()\-]*?\s*[-+*/]?=(?!=)|^\s*(?:def|class|for|if|return)\b"
)


@dataclass(frozen=True)
class Source:
    """Statements of Python with the numbers of the rows they stand on.

    Parameters
    ----------
    statements : tuple of ast.stmt
        In the order of the text.
    left_out : frozenset of int
        The rows that are not Python.
    whole : bool
        Whether the text is code from its first row to its last.
    """

    statements: tuple[ast.stmt, ...]
    left_out: frozenset[int]
    whole: bool = False


def source(text: str) -> Source | None:
    """Return the code of a text; None where it has none."""
    rows = text.split("\n")[:MOST_ROWS]
    if (module := _whole(rows)) is not None:
        return Source(tuple(module), frozenset(), whole=True)
    blocks = _blocks(rows)
    statements: list[ast.stmt] = []
    left_out: set[int] = set()
    for rows in blocks:
        found, gone = _parsed(rows)
        statements.extend(found)
        left_out |= gone
    return Source(tuple(statements), frozenset(left_out)) if statements else None


def is_code(text: str) -> bool:
    """Whether a text is code from its first row to its last, rather than prose or mathematics."""
    return _whole(text.split("\n")[:MOST_ROWS]) is not None


def _whole(rows: list[str]) -> list[ast.stmt] | None:
    """Return the statements of a text that is a module of Python; None for another text."""
    if not any(_PYTHON.search(row) for row in rows) or any(map(_too_deep, rows)):
        return None
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return ast.parse(textwrap.dedent("\n".join(rows))).body
    except (SyntaxError, ValueError, MemoryError, RecursionError):
        return None


def _blocks(rows: list[str]) -> list[dict[int, str]]:
    """Return the rows of every block of code by their numbers."""
    blocks: list[dict[int, str]] = []
    fenced = False
    here: dict[int, str] = {}
    for number, row in enumerate(rows, 1):
        if _FENCE.match(row):
            fenced = not fenced
            if here and not fenced:
                blocks.append(here)
            here = {}
        elif fenced:
            here[number] = row
    if fenced and here:
        blocks.append(here)
    if not blocks and not any("\\" in row or "$" in row for row in rows):
        here = {n: row for n, row in enumerate(rows, 1) if _may_be_code(row)}
        if any(_CODE.search(row) for row in here.values()):
            blocks.append(here)
    return [b for b in blocks if any(_CODE.search(row) for row in b.values())]


def _may_be_code(row: str) -> bool:
    return bool(_ASSIGNS.match(row) or _CODE.search(row)) and len(row) <= LONGEST_ROW


def _too_deep(row: str) -> bool:
    return sum(row.count(sign) for sign in "([{-~") > DEEPEST_BRACKETS or len(row) > LONGEST_ROW


def _parsed(rows: dict[int, str]) -> tuple[list[ast.stmt], set[int]]:
    rows = dict(rows)
    left_out = {number for number, row in rows.items() if _too_deep(row)}
    last = max(rows)
    moved: set[int] = set()
    for _ in range(MOST_LEFT_OUT):
        kept = [rows[n] if n in rows and n not in left_out else "" for n in range(1, last + 1)]
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                return ast.parse(textwrap.dedent("\n".join(kept))).body, left_out
        except SyntaxError as error:
            number = error.lineno or 0
            blocks = "expected an indented block" in str(error.msg)
            if blocks:
                number = next((n for n in range(number, 0, -1) if n in rows and n not in left_out
                               and rows[n].rstrip().endswith(":")), number)  # fmt: skip
            if number not in rows or number in left_out:
                break
            if isinstance(error, IndentationError) and not blocks and number not in moved:
                moved.add(number)
                rows[number] = _aligned(rows, left_out, number)
                continue
            left_out.add(number)
        except (ValueError, MemoryError, RecursionError):
            break
    return _row_by_row(rows)


def _aligned(rows: dict[int, str], left_out: set[int], number: int) -> str:
    """Return a row with the indentation of the row before it."""
    before = [n for n in rows if n < number and n not in left_out]
    previous = next((rows[n] for n in reversed(before)
                     if rows[n].strip() and not rows[n].lstrip().startswith("#")), "")  # fmt: skip
    deeper = "    " if previous.rstrip().endswith(":") else ""
    indent = previous[: len(previous) - len(previous.lstrip())]
    return indent + deeper + rows[number].strip()


def _row_by_row(rows: dict[int, str]) -> tuple[list[ast.stmt], set[int]]:
    """Parse every row as a statement of its own."""
    found: list[ast.stmt] = []
    left_out: set[int] = set()
    for number, row in rows.items():
        if not row.strip() or row.strip().startswith("#"):
            continue
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                body = [] if _too_deep(row) else ast.parse(row.strip()).body
        except (SyntaxError, ValueError, MemoryError, RecursionError):
            body = []
        if not body:
            left_out.add(number)
        for statement in body:
            ast.increment_lineno(statement, number - 1)
            found.append(statement)
    return found, left_out


__all__ = ["Source", "is_code", "source"]
