"""Small pieces of Markdown for generated pages."""

from __future__ import annotations

from collections.abc import Iterable, Sequence


def cell(text: str) -> str:
    """Return text that is safe in one cell of a table."""
    return " ".join(text.split()).replace("|", "\\|") or " "


def code(text: str) -> str:
    """Return a short text as code, whatever backticks it has."""
    if not text:
        return ""
    fence = "``" if "`" in text else "`"
    blank = " " if "`" in text else ""
    return f"{fence}{blank}{text}{blank}{fence}"


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    r"""Return a table.

    >>> print(table(("a", "b"), [("1", "x|y")]))
    | a | b |
    |---|---|
    | 1 | x\|y |
    """
    lines = [f"| {' | '.join(head)} |", "|" + "---|" * len(head)]
    lines += [f"| {' | '.join(map(cell, row))} |" for row in rows]
    return "\n".join(lines)


def fenced(text: str, language: str = "text") -> str:
    """Return text as a block of code."""
    return f"```{language}\n{text.rstrip()}\n```"


def escaped(text: str) -> str:
    """Return prose in which nothing is read as markup."""
    for mark in ("\\", "*", "_", "<", "[", "]", "`", "#", "$"):
        text = text.replace(mark, "\\" + mark)
    return text
