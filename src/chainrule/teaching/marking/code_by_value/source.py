"""The code of a post as a syntax tree; rows that are no Python are left out, and counted."""

from __future__ import annotations

import ast
import re
import textwrap
import warnings
from dataclasses import dataclass

from chainrule.teaching.marking.code_by_value.dialects import LANGUAGES, as_python, language_of
from chainrule.teaching.marking.code_by_value.given_lengths import with_small_lengths
from chainrule.teaching.marking.code_by_value.plain_forms import in_plain_forms

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

_PRINTS = re.compile(r"^(?P<indent>\s*)print\b(?!\s*\()[^=]*$")
"""Statements of Python 2 that print."""

_IDLE = re.compile(r"#.*|[-=~*]{3,}")
"""Comments and rules of dashes."""

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
    """Return the code of a text, in the forms that are evaluated; None where it has none."""
    found = as_written(text)
    if found is None:
        return None
    return Source(tuple(_prepared(list(found.statements))), found.left_out, found.whole)


def as_written(text: str) -> Source | None:
    """Return the code of a text as it stands; None where it has none."""
    rows = text.split("\n")[:MOST_ROWS]
    if (module := _whole(rows)) is not None:
        return Source(tuple(module), frozenset(), whole=True)
    if (language := _other_language(rows)) is not None:
        found, left_out = _translated(dict(enumerate(rows, 1)), language)
        return Source(tuple(found), frozenset(left_out), whole=True) if found else None
    blocks = _blocks(rows)
    statements: list[ast.stmt] = []
    left_out = set()
    for language, block in blocks:
        found, gone = _translated(block, language) if language else _parsed(block)
        statements.extend(found)
        left_out |= gone
    return Source(tuple(statements), frozenset(left_out)) if statements else None


def is_code(text: str) -> bool:
    """Whether a text is code from its first row to its last, rather than prose or mathematics."""
    rows = text.split("\n")[:MOST_ROWS]
    return _whole(rows) is not None or _other_language(rows) is not None


class _Named(ast.NodeTransformer):
    """Write ``f = lambda x: ...`` as a function with a name."""

    def visit_Assign(self, node: ast.Assign) -> ast.stmt:
        """Return a function where a lambda is assigned."""
        target = node.targets[0]
        name = target.id if isinstance(target, ast.Name) else getattr(target, "attr", "")
        if not isinstance(node.value, ast.Lambda) or not name or len(node.targets) > 1:
            return node
        given = ast.copy_location(ast.Return(node.value.body), node)
        found = ast.FunctionDef(name, node.value.args, [given], [])
        return ast.fix_missing_locations(ast.copy_location(found, node))


def _prepared(statements: list[ast.stmt]) -> list[ast.stmt]:
    """Return the statements in plain forms, with small lengths and a name for every function."""
    with_small_lengths(statements)
    named = _Named()
    return in_plain_forms([named.visit(one) for one in statements])


def _other_language(rows: list[str]) -> str | None:
    """Return the language of a text without fences, where it is Octave, R or Julia."""
    if any(_FENCE.match(row) for row in rows):
        return None
    return language_of(rows)


def _translated(rows: dict[int, str], language: str) -> tuple[list[ast.stmt], set[int]]:
    """Return the statements of code in another language, and the rows that are not read."""
    last = max(rows)
    listed = [rows.get(number, "") for number in range(1, last + 1)]
    long = {number for number, row in enumerate(listed, 1) if _too_deep(row)}
    python, failed = as_python(["" if n in long else row for n, row in enumerate(listed, 1)],
                               language)  # fmt: skip
    found, left_out = _parsed(dict(enumerate(python, 1)))
    return found, left_out | long | {number + 1 for number in failed}


def _whole(rows: list[str]) -> list[ast.stmt] | None:
    """Return the statements of a text that is a module of Python; None for another text."""
    if not any(_PYTHON.search(row) for row in rows) or any(map(_too_deep, rows)):
        return None
    for written in (rows, [_PRINTS.sub(r"\g<indent>pass", row) for row in rows]):
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                return ast.parse(textwrap.dedent("\n".join(written))).body
        except (SyntaxError, ValueError, MemoryError, RecursionError):
            continue
    return None


def _blocks(rows: list[str]) -> list[tuple[str, dict[int, str]]]:
    """Return the language of every block of code, empty for Python, and its rows by number."""
    blocks: list[tuple[str, dict[int, str]]] = []
    fenced = False
    language = ""
    here: dict[int, str] = {}
    for number, row in enumerate(rows, 1):
        if (fence := _FENCE.match(row)) is not None:
            fenced = not fenced
            if here and not fenced:
                blocks.append((language or _of_block(here), here))
            language = LANGUAGES.get(fence["language"].lower(), "")
            here = {}
        elif fenced:
            here[number] = row
    if fenced and here:
        blocks.append((language or _of_block(here), here))
    if not blocks and not any("\\" in row or "$" in row for row in rows):
        here = {n: row for n, row in enumerate(rows, 1) if _may_be_code(row)}
        if any(_CODE.search(row) for row in here.values()):
            blocks.append(("", here))
    return [(kind, b) for kind, b in blocks
            if kind or any(_CODE.search(row) for row in b.values())]  # fmt: skip


def _of_block(rows: dict[int, str]) -> str:
    """Return the language of a block without a name of one; empty for Python."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            ast.parse(textwrap.dedent("\n".join(rows.values())))
    except (SyntaxError, ValueError, MemoryError, RecursionError):
        return language_of(list(rows.values())) or ""
    return ""


def _may_be_code(row: str) -> bool:
    return bool(_ASSIGNS.match(row) or _CODE.search(row)) and len(row) <= LONGEST_ROW


def _too_deep(row: str) -> bool:
    if len(row) > LONGEST_ROW:
        return True
    row = _IDLE.sub("", row)
    return sum(row.count(sign) for sign in "([{-~") > DEEPEST_BRACKETS


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


__all__ = ["Source", "as_written", "is_code", "source"]
