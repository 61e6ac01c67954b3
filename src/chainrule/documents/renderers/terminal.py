"""Documents for the terminal: Unicode, within 80 columns."""

from __future__ import annotations

import textwrap
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
    NameRow,
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
from chainrule.language.typeset import unicode

WIDTH = 80
NARROW = 75
"""The width of a line of a derivation, which steps indent."""
LETTERS = "abcdefghijklmnopqrstuvwxyz"


def render(document: Document, *, proofs: bool = True) -> str:
    """Write a document; without `proofs`, the evidence of results is left out."""
    return "\n".join(_document(document, proofs)) + "\n"


def text_of(blocks: Iterable[Block]) -> str:
    """Write blocks, with an empty line below a forward pass on top."""
    found = list(blocks)
    lines: list[str] = []
    for k, block in enumerate(found):
        lines += block_lines(block)
        if k == 0 and isinstance(block, Names) and len(found) > 1:
            lines.append("")
    return "\n".join(lines)


def block_lines(block: Block, *, proofs: bool = True) -> Iterator[str]:
    """Yield the lines of a block."""
    match block:
        case Prose():
            yield from _prose(block)
        case Heading():
            yield ""
            yield block.text
        case Equation():
            yield from _wrapped(equation_text(block), "  ", 10, WIDTH)
        case Question():
            yield f"  {unicode(block.asked)} = ?"
        case Proof():
            for said in block.lines:
                yield from _wrapped(said, "      ", 8)
        case Table():
            yield from _table(block)
        case Figure():
            yield from textwrap.indent(block.text, "  ").splitlines()
            yield from textwrap.wrap(block.caption, WIDTH)
        case Facts():
            for fact in block.items:
                remark = f" ({fact.remark})" if fact.remark else ""
                yield from _wrapped(f"{fact.name}: {fact.value}{remark}", "  ", 4)
        case Bullets():
            for item in block.items:
                yield from _wrapped(f"- {item}", "  ", 4)
        case Fold():
            yield block.title
            for inner in block.blocks:
                yield from block_lines(inner, proofs=proofs)
        case Beside():
            for inner in block.blocks:
                yield from block_lines(inner, proofs=proofs)
        case Code():
            yield from textwrap.indent(block.text, "  ").splitlines()
        case Names():
            yield from _names(block)
        case Steps():
            yield ""
            yield block.title
            for step in block.steps:
                yield from step_lines(step)
        case Result():
            yield from _result(block, proofs)
        case Results():
            yield ""
            yield from results_lines(block)
        case Options():
            for letter, choice in zip(LETTERS, block.choices, strict=False):
                for k, line in enumerate(block_lines(choice)):
                    yield f"  {letter + ')' if k == 0 else '  '} {line.strip()}"
        case Space():
            yield f"{block.label}: {'_' * 40}" if block.label else ""
        case Findings():
            yield from _findings(block)
        case Board():
            for inner in block.blocks:
                yield from block_lines(inner, proofs=proofs)


def question_lines(step: Step) -> Iterator[str]:
    """Yield what a step asks, where it asks something."""
    if step.question is not None:
        yield f"{step.number:3}  {unicode(step.question.asked)} = ?"


def answer_lines(step: Step) -> Iterator[str]:
    """Yield what a step says, its reason and its proof."""
    head = f"{step.number:3}  " if step.question is None else "     "
    for line in _wrapped(equation_text(step.equation), "", 10):
        yield head + line
        head = "     "
    yield from _wrapped(f"{step.rule}: {step.why}", "       ", 7)
    if step.shapes:
        yield from _wrapped(f"shapes: {step.shapes}", "       ", 9)
    if step.check:
        yield from _wrapped(f"✓ {step.check}", "       ", 9)


def step_lines(step: Step) -> Iterator[str]:
    """Yield one step: what is asked, the answer, the reason, the proof."""
    yield from question_lines(step)
    yield from answer_lines(step)


def results_lines(results: Results) -> Iterator[str]:
    """Yield results and what follows from them."""
    yield results.title
    noted = False
    for block in results.blocks:
        if isinstance(block, Prose) and block.role is Role.NOTE and not noted:
            noted = True
            yield ""
        yield from block_lines(block)


def equation_text(equation: Equation) -> str:
    """Return an equation on one line, with its label and its rule."""
    text = " = ".join("?" if side is None else unicode(side) for side in equation.sides)
    label = f"{equation.label}) " if equation.label else ""
    return f"{label}{text}" + (f"   [{equation.note}]" if equation.note else "")


def _document(document: Document, proofs: bool) -> Iterator[str]:
    boards = any(isinstance(b, Board) for section in document.sections for b in section.blocks)
    if not boards:
        yield document.title
        yield from textwrap.wrap(document.lead, WIDTH)
    for section in document.sections:
        whole = any(isinstance(block, Board) for block in section.blocks)
        if not whole:
            yield ""
            yield section.title
        for block in section.blocks:
            yield from block_lines(block, proofs=proofs)
        if whole and document.closing:
            revealed = any(isinstance(b, Board) and b.reveal for b in section.blocks)
            if not revealed:
                yield ""
            yield from _wrapped(document.closing, "", 0)


def _prose(prose: Prose) -> Iterator[str]:
    text = "".join(_inline(run) for run in prose.words)
    match prose.role:
        case Role.READING:
            yield from _wrapped(text, "  ", 8)
        case Role.NOTE:
            yield from _wrapped(text, "", 2)
        case _:
            yield from textwrap.wrap(text, WIDTH)


def _inline(run: Inline) -> str:
    if isinstance(run, Expr):
        return unicode(run)
    return run.text if isinstance(run, Styled) else run


def _names(names: Names) -> Iterator[str]:
    if names.title:
        yield names.title
    inputs = [row for row in names.rows if row.right is None and row.left is not None]
    pad = 0 if names.title else max(len(unicode(r.left)) for r in inputs if r.left is not None)
    shapes = 0 if names.title else max(len(row.shape) for row in inputs)
    for row in names.rows:
        yield from _name(row, pad, shapes)


def _name(row: NameRow, pad: int, shapes: int) -> Iterator[str]:
    if row.left is None:
        yield from _wrapped(row.text, "  ", 8)
    elif row.right is None:
        yield f"  {unicode(row.left):{pad}} : {row.shape:{shapes}}   {row.text}".rstrip()
    else:
        shape = f"   {row.shape}" if row.shape else ""
        text = f"{unicode(row.left)} = {unicode(row.right)}{shape}"
        yield from _wrapped(text, "  ", 8, NARROW if row.shape else WIDTH)


def _result(result: Result, proofs: bool) -> Iterator[str]:
    left, *rights = ("?" if side is None else unicode(side) for side in result.equation.sides)
    rule = result.equation.note
    tail = f"   {result.shape}" if result.shape else f"   ({rule})" if rule else ""
    together = f"{' = '.join((left, *rights))}{tail}"
    if len(together) <= 72 or len(rights) <= 1:
        yield from _wrapped(together, "  ", 8)
    else:
        yield from _wrapped(f"{left} = {rights[0]}", "  ", 8)
        for k, right in enumerate(rights[1:], start=2):
            ends = tail if k == len(rights) else ""
            yield from _wrapped(f"= {right}{ends}", " " * (len(left) + 3), len(left) + 5)
    if result.shape and rule:
        yield from _wrapped(rule, "      ", 6)
    for remark in result.remarks:
        said = remark.label + ("" if remark.expr is None else f": {unicode(remark.expr)}")
        yield from _wrapped(said, "      ", 12 if remark.expr is not None else 6)
    if proofs and result.proof is not None:
        yield from block_lines(result.proof)


def _table(table: Table) -> Iterator[str]:
    cells = [[_inline(cell) for cell in row] for row in table.rows]
    everything = [list(table.head), *cells] if table.head else cells
    widths = [max(len(line[k]) for line in everything) for k in range(len(everything[0]))]
    if table.caption:
        yield table.caption
    for line in everything:
        padded = [
            f"{cell:>{width}}" if k in table.numeric else f"{cell:{width}}"
            for k, (cell, width) in enumerate(zip(line, widths, strict=True))
        ]
        yield "  " + "   ".join(padded).rstrip()


def _findings(findings: Findings) -> Iterator[str]:
    for item in findings.items:
        mark = "✓" if item.proven else "–"
        yield from _wrapped(f"{mark} {item.name}: {item.says}", "  ", 4)
        if item.because:
            yield from _wrapped(f"proof: {item.because}", "      ", 8)


def _wrapped(text: str, indent: str, hang: int, width: int = NARROW) -> list[str]:
    """Break a line; `hang` spaces begin what follows."""
    return textwrap.wrap(
        text,
        width,
        initial_indent=indent,
        subsequent_indent=" " * hang,
        break_long_words=False,
        break_on_hyphens=False,
    )


__all__ = [
    "answer_lines",
    "block_lines",
    "equation_text",
    "question_lines",
    "render",
    "results_lines",
    "text_of",
]
