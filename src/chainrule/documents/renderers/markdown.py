"""Documents as Markdown: tables with pipes, formulas between dollar signs, no figures."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

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
    Styled,
    Table,
)
from chainrule.documents.renderers.latex import equation_latex, name_rows, result_rows
from chainrule.documents.renderers.terminal import LETTERS
from chainrule.language.typeset import latex
from chainrule.visible import visible

_MARKS = {"strong": "**", "small": "", "code": "`"}


def render(document: Document) -> str:
    """Write a document."""
    lines = [f"# {words(document.title)}"]
    if document.lead:
        lines += ["", words(document.lead)]
    for section in document.sections:
        lines += ["", f"## {words(section.title)}", ""]
        lines += blocks_markdown(section.blocks)
    return re.sub(r"\n{3,}", "\n\n", "\n".join(lines)).rstrip() + "\n"


def blocks_markdown(blocks: Iterable[Block]) -> Iterator[str]:
    """Yield the lines of blocks, an empty line after each."""
    for block in blocks:
        yield from _block(block)
        yield ""


def words(text: str) -> str:
    r"""Return plain words, with the characters that mean something escaped.

    >>> words("a_b *c* | <d>")
    'a_b \\*c\\* \\| \\<d>'
    """
    text = re.sub(r"([\\`*\[\]<|$])", r"\\\1", " ".join(visible(text).split()))
    return re.sub(r"(?<![^\W_])_|_(?![^\W_])", r"\\_", text)


def _block(block: Block) -> Iterator[str]:
    match block:
        case Prose():
            text = "".join(map(_inline, block.words))
            yield f"> {text}" if block.role is Role.SENTENCE else text
        case Heading():
            yield f"### {words(block.text)}"
        case Equation():
            label = f"{words(block.label)}) " if block.label else ""
            note = f" ({words(block.note)})" if block.note else ""
            yield f"{label}${equation_latex(block)}${note}"
        case Question():
            yield f"${latex(block.asked)} = \\;?$"
        case Proof():
            yield from (f"*{words(line)}*" for line in block.lines)
        case Table():
            yield from _table(block)
        case Figure():
            pass  # a page of its own would be needed
        case Facts():
            for fact in block.items:
                remark = f" ({words(fact.remark)})" if fact.remark else ""
                yield f"- {words(fact.name)}: **{words(fact.value)}**{remark}"
        case Bullets():
            yield from (f"- {words(item)}" for item in block.items)
        case Fold():
            yield f"### {words(block.title)}"
            yield ""
            yield from blocks_markdown(block.blocks)
        case Beside():
            yield from blocks_markdown(block.blocks)
        case Code():
            fence = "`" * (max((len(run) for run in re.findall("`+", block.text)), default=2) + 1)
            yield from (fence, block.text, fence)
        case Names():
            yield from _aligned(name_rows(block))
        case Steps():
            yield f"### {words(block.title)}"
            yield ""
            for step in block.steps:
                yield from _step(step)
        case Result():
            yield from _aligned(result_rows(block))
        case Results():
            yield f"### {words(block.title)}"
            yield ""
            yield from blocks_markdown(block.blocks)
        case Options():
            for letter, choice in zip(LETTERS, block.choices, strict=False):
                yield f"{letter}) {' '.join(_block(choice))}"
        case Space():
            yield f"{words(block.label)}: \\_\\_\\_\\_" if block.label else ""
        case Findings():
            yield words(block.lead)
            yield ""
            for item in block.items:
                proof = f" Proof: {words(item.because)}" if item.because else ""
                yield f"- **{words(item.name)}**: {words(item.says)}{proof}"
        case Board():
            yield from blocks_markdown(block.blocks)


def _step(step: Step) -> Iterator[str]:
    yield f"{step.number}. ${equation_latex(step.equation)}$  "
    check = f" *{words(step.check)}.*" if step.check else ""
    yield f"   **{words(step.rule)}**: {words(step.why)}.{check}"


def _aligned(rows: Iterable[str]) -> Iterator[str]:
    yield "$$\n\\begin{aligned}"
    yield " \\\\\n".join(rows)
    yield "\\end{aligned}\n$$"


def _table(table: Table) -> Iterator[str]:
    if table.caption:
        yield words(table.caption)
        yield ""
    width = len(table.head) or len(table.rows[0])
    head = table.head or ("",) * width
    yield f"| {' | '.join(words(cell) for cell in head)} |"
    yield f"|{'|'.join('---:' if k in table.numeric else '---' for k in range(width))}|"
    for row in table.rows:
        yield f"| {' | '.join(map(_inline, row))} |"


def _inline(run: Inline) -> str:
    if isinstance(run, Expr):
        return f"${latex(run)}$"
    if isinstance(run, Styled):
        mark = _MARKS[run.style.value]
        return f"{mark}{run.text if mark == '`' else words(run.text)}{mark}"
    return words(run)


__all__ = ["blocks_markdown", "render", "words"]
