"""The facts of a loss after its derivation: as text, LaTeX, JSON and a section of a page."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Sequence

from chainrule.documents.lesson.as_latex import words
from chainrule.documents.lesson.as_text import WIDTH
from chainrule.documents.page import Section, render
from chainrule.tables.loss_facts import FactLine

TITLE = "Facts of this loss"


def facts_text(lines: Sequence[FactLine]) -> Iterator[str]:
    """Yield the facts line by line."""
    yield TITLE
    for line in lines:
        mark = "✓" if line.proven else "–"
        yield from _wrapped(f"{mark} {line.name}: {_signs(line.says)}", "  ", 4)
        if line.because:
            yield from _wrapped(f"proof: {_signs(line.because)}", "      ", 8)


def facts_latex(lines: Sequence[FactLine]) -> Iterator[str]:
    """Yield the facts as lines of LaTeX."""
    yield rf"\subsection*{{{TITLE}}}"
    yield r"\begin{description}"
    for line in lines:
        proof = f" Proof: {words(_signs(line.because))}" if line.because else ""
        yield rf"\item[{words(line.name)}] {words(_signs(line.says))}{proof}"
    yield r"\end{description}"


def facts_data(lines: Sequence[FactLine]) -> list[dict[str, str | bool]]:
    """Return the facts as JSON values."""
    return [
        {"name": line.name, "proven": line.proven, "says": line.says, "because": line.because}
        for line in lines
    ]


def facts_section(lines: Sequence[FactLine]) -> Section:
    """Return the facts as a section of a page."""
    return Section("facts", TITLE, render("regression/facts.html", lines=lines))


def _signs(text: str) -> str:
    return text.replace("<=", "≤").replace(">=", "≥")


def _wrapped(text: str, indent: str, hang: int) -> list[str]:
    return textwrap.wrap(
        text,
        WIDTH - 5,
        initial_indent=indent,
        subsequent_indent=" " * hang,
        break_long_words=False,
        break_on_hyphens=False,
    )
