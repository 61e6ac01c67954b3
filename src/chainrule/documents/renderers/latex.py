"""Documents as LaTeX that pdflatex compiles with amsmath alone."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator
from itertools import groupby

from chainrule.calculus.graph.node import Expr
from chainrule.documents.blocks import (
    Beside,
    Block,
    Board,
    Bullets,
    Code,
    Document,
    Equation,
    Facts,
    Figure,
    Findings,
    Fold,
    Heading,
    Inline,
    Names,
    Options,
    Proof,
    Prose,
    Question,
    Result,
    Results,
    Role,
    Space,
    Step,
    Steps,
    Style,
    Styled,
    Table,
)
from chainrule.documents.renderers.terminal import LETTERS
from chainrule.language.typeset import latex
from chainrule.language.typeset.names import GREEK

_GLYPHS = {
    "\\": r"\textbackslash{}", "&": r"\&", "%": r"\%", "$": r"\$", "#": r"\#", "_": r"\_",
    "{": r"\{", "}": r"\}", "~": r"\textasciitilde{}", "^": r"\textasciicircum{}",
    "σ": r"$\sigma$", "→": r"$\to$", "·": r"$\cdot$", "²": r"$^2$", "∂": r"$\partial$",
    "‖": r"$\Vert$", "√": r"$\surd$", "∇": r"$\nabla$", "≥": r"$\geq$", "×": r"$\times$",
    "⊙": r"$\odot$", "ŷ": r"$\hat{y}$", "≤": r"$\leq$", "−": "$-$", "Σ": r"$\sum$",
    "∑": r"$\sum$", "✓": r"$\surd$", "–": "--",
    "—": "---", "’": "'", "“": "``", "”": "''", "…": r"\ldots{}", "⊤": r"$\top$",
    "ᵀ": r"$^\top$", "⁻": "$^-$", "¹": "$^1$", "³": "$^3$", "′": "$'$", "∞": r"$\infty$",
    "∘": r"$\circ$", "⊘": r"$\oslash$", "≠": r"$\neq$", "∈": r"$\in$", "←": r"$\leftarrow$",
} | {letter: rf"$\{name}$" for name, letter in GREEK.items()}  # fmt: skip
_ACCENTS = {
    "\u0300": "`", "\u0301": "'", "\u0302": "^", "\u0303": "~", "\u0304": "=", "\u0307": ".",
    "\u0308": '"', "\u030c": "v", "\u0327": "c",
}  # fmt: skip
"""The command of LaTeX for each combining accent."""
_LETTER = re.compile("[^\u0300-\u036f][\u0300-\u036f]*|[\u0300-\u036f]", re.DOTALL)
"""A letter with the accents that follow it."""


def render(document: Document) -> str:
    """Write a document as a LaTeX file."""
    return "\n".join(_document(document)) + "\n"


def aligned(rows: Iterable[str]) -> str:
    """Return rows of aligned equations as one displayed formula."""
    body = " \\\\\n".join(rows)
    return f"$$\\begin{{aligned}}\n{body}\n\\end{{aligned}}$$"


def words(text: str) -> str:
    """Escape running text for LaTeX; an accented letter becomes a letter with its accent."""
    return "".join(_glyph(glyph) for glyph in _LETTER.findall(unicodedata.normalize("NFC", text)))


def _document(document: Document) -> Iterator[str]:
    yield r"\documentclass{article}"
    yield r"\usepackage{amsmath}"
    yield r"\begin{document}"
    yield r"\raggedright"
    yield rf"\section*{{{words(document.title)}}}"
    yield words(document.lead)
    for section in document.sections:
        if not any(isinstance(block, Board) for block in section.blocks):
            yield rf"\subsection*{{{words(section.title)}}}"
        yield from blocks_latex(section.blocks)
    yield r"\end{document}"


def blocks_latex(blocks: Iterable[Block]) -> Iterator[str]:
    """Yield blocks as lines of LaTeX; results that follow each other are aligned."""
    for results, group in groupby(blocks, lambda block: isinstance(block, Result)):
        if not results:
            for block in group:
                yield from _block(block)
            continue
        rows = [row for block in group if isinstance(block, Result) for row in result_rows(block)]
        yield r"\begin{align*}"
        yield " \\\\\n".join(rows)
        yield r"\end{align*}"


def _block(block: Block) -> Iterator[str]:
    match block:
        case Prose():
            text = "".join(_inline(run) for run in block.words)
            stop = "" if text.endswith(".") or block.role not in (Role.NOTE, Role.READING) else "."
            yield rf"{text}{stop}\par"
        case Heading():
            yield rf"\subsubsection*{{{words(block.text)}}}"
        case Equation():
            label = f"{words(block.label)}) " if block.label else ""
            note = rf" \hfill \textit{{{words(block.note)}}}" if block.note else ""
            yield rf"{label}$\displaystyle {equation_latex(block)}${note}\par\smallskip"
        case Question():
            yield rf"$\displaystyle {latex(block.asked)} = \;?$\par"
        case Proof():
            for line in block.lines:
                yield rf"\emph{{{words(line)}}}\par"
        case Table():
            yield from _table(block)
        case Figure():
            if block.text:
                yield from _listing(block.text)
            yield rf"\emph{{{words(block.caption)}}}\par"
        case Facts():
            yield r"\begin{description}"
            for fact in block.items:
                remark = f" ({words(fact.remark)})" if fact.remark else ""
                yield rf"\item[{words(fact.name)}] {words(fact.value)}{remark}"
            yield r"\end{description}"
        case Bullets():
            yield r"\begin{itemize}"
            yield from (rf"\item {words(item)}" for item in block.items)
            yield r"\end{itemize}"
        case Fold():
            yield rf"\subsubsection*{{{words(block.title)}}}"
            yield from blocks_latex(block.blocks)
        case Beside():
            yield from blocks_latex(block.blocks)
        case Code():
            yield from _listing(block.text)
        case Names():
            yield r"\begin{align*}"
            yield " \\\\\n".join(name_rows(block))
            yield r"\end{align*}"
        case Steps():
            yield rf"\subsection*{{{words(block.title)}}}"
            for step in block.steps:
                yield from _step(step)
        case Result():
            yield from blocks_latex((block,))
        case Results():
            yield rf"\subsection*{{{words(block.title)}}}"
            yield from blocks_latex(block.blocks)
        case Options():
            for letter, choice in zip(LETTERS, block.choices, strict=False):
                first, *rest = _block(choice)
                yield f"{letter}) {first}"
                yield from rest
        case Space():
            if block.label:
                yield rf"\par\medskip {words(block.label)}: \underline{{\hspace{{6cm}}}}"
            else:
                yield rf"\vspace{{{'1cm' if block.brief else '4cm'}}}"
        case Findings():
            yield r"\begin{description}"
            for item in block.items:
                proof = f" Proof: {words(item.because)}" if item.because else ""
                yield rf"\item[{words(item.name)}] {words(item.says)}{proof}"
            yield r"\end{description}"
        case Board():
            yield from blocks_latex(block.blocks)


def _step(step: Step) -> Iterator[str]:
    yield r"\begin{equation*}"
    yield f"{equation_latex(step.equation)} \\tag{{{step.number}}}"
    yield r"\end{equation*}"
    proof = f" \\emph{{{words(step.check)}.}}" if step.check else ""
    yield rf"\noindent\textbf{{{words(step.rule)}.}} {words(step.why)}.{proof}"
    yield ""


def name_rows(names: Names) -> Iterator[str]:
    """Yield the names of a forward pass as rows of an alignment."""
    for row in names.rows:
        if row.left is None:
            yield rf"&\text{{{words(row.text)}}}"
        elif row.right is None:
            note = rf" && \text{{{words(row.text)}}}" if row.text else ""
            yield rf"{latex(row.left)} &: {row.shape}{note}"
        else:
            shape = f" && {row.shape}" if row.shape else ""
            yield f"{latex(row.left)} &= {latex(row.entrywise or row.right)}{shape}"
            if row.entrywise is not None:
                yield f"&= {latex(row.right)}"


def result_rows(result: Result) -> Iterator[str]:
    """Yield a result as rows of an alignment, its shape beside the first."""
    left, *rights = ("\\;?" if side is None else latex(side) for side in result.equation.sides)
    shape = rf" && \text{{{words(result.shape)}}}" if result.shape else ""
    if not rights:
        yield f"&{left}{shape}"
    for k, right in enumerate(rights):
        yield f"{left if k == 0 else ''} &= {right}{shape if k == 0 else ''}"
    for remark in result.remarks:
        if remark.expr is None:
            yield rf"&\text{{{words(remark.label)}}}"
        else:
            yield rf"&\text{{{words(remark.label)}:}}\quad {latex(remark.expr)}"


def equation_latex(equation: Equation) -> str:
    """Return an equation as one formula."""
    return " = ".join("\\;?" if side is None else latex(side) for side in equation.sides)


def _table(table: Table) -> Iterator[str]:
    count = len(table.rows[0])
    columns = "".join("r" if k in table.numeric else "l" for k in range(count))
    if table.caption:
        yield rf"{words(table.caption)}\par"
    yield rf"\begin{{tabular}}{{{columns}}}"
    lines = [" & ".join(words(name) for name in table.head)] if table.head else []
    lines += [" & ".join(_inline(cell) for cell in row) for row in table.rows]
    yield " \\\\\n".join(lines)
    yield r"\end{tabular}\par"


def _inline(run: Inline) -> str:
    if isinstance(run, Expr):
        return f"${latex(run)}$"
    if not isinstance(run, Styled):
        return words(run)
    commands = {Style.STRONG: "textbf", Style.SMALL: "textit", Style.CODE: "texttt"}
    return rf"\{commands[run.style]}{{{words(run.text)}}}"


_BOXES = str.maketrans({"└": "+", "├": "+", "─": "-", "│": "|"})
"""Lines of a drawing in ASCII, which typewriter fonts of LaTeX have."""


def _listing(text: str) -> Iterator[str]:
    yield r"\begin{quote}\ttfamily\obeylines\obeyspaces"
    yield "\n".join(_code(line) for line in text.translate(_BOXES).splitlines())
    yield r"\end{quote}"


def _code(line: str) -> str:
    return words(line).replace("--", "-{}-") or r"\strut"


def _glyph(glyph: str) -> str:
    if glyph in _GLYPHS:
        return _GLYPHS[glyph]
    if glyph.isascii():
        return glyph
    if glyph[0] in _GLYPHS:  # an accent on a symbol
        return _GLYPHS[glyph[0]]
    parts = unicodedata.normalize("NFKD", glyph)
    base, accent = parts[0], parts[1:2]
    if base.isascii() and accent in _ACCENTS:
        return rf"\{_ACCENTS[accent]}{{{base}}}"
    return base if base.isascii() else ""


__all__ = ["aligned", "equation_latex", "name_rows", "render", "result_rows", "words"]
