"""Documents as HTML: blocks with MathML, in one self-contained page."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from html import escape
from urllib.parse import quote

from chainrule.calculus.graph.model import Model
from chainrule.calculus.graph.node import Expr
from chainrule.documents import page
from chainrule.documents.blocks import (
    Beside,
    Block,
    Board,
    Bullets,
    Code,
    Data,
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
    Section,
    Space,
    Step,
    Steps,
    Styled,
    Table,
)
from chainrule.language.typeset import math_element, mathml, spoken

CLASSES = {
    Role.READING: "reading",
    Role.NOTE: "cache",
    Role.LEAD: "lead",
    Role.POINTS: "points",
    Role.SENTENCE: "sentence",
}
TAGS = {"strong": "b", "small": "small", "code": "code"}


def render(document: Document) -> str:
    """Write a document as one self-contained page."""
    sections = [section_html(section, document.model) for section in document.sections]
    return page.render_page(document.title, document.lead, sections, document.board)


def section_html(section: Section, model: Model | None = None) -> page.Section:
    """Write a section of a page."""
    html = blocks_html(section.blocks, section.model or model)
    return page.Section(section.id, section.title, html)


def blocks_html(blocks: Iterable[Block], model: Model | None = None) -> str:
    """Write blocks as a fragment of a page.

    Parameters
    ----------
    blocks : iterable of Block
        The blocks.
    model : Model, optional
        The forward pass that their symbols belong to; it gives them shapes and meanings.
    """
    return "\n".join(_Writer(model).blocks(blocks))


def step_html(step: Step, model: Model | None = None) -> str:
    """Write one step: question, answer, reason, shapes, proof, numbers."""
    return "\n".join(_Writer(model).step(step))


class _Writer:
    def __init__(self, model: Model | None) -> None:
        self.model = model

    def blocks(self, blocks: Iterable[Block], prefix: str = "") -> Iterator[str]:
        part = 0
        for block in blocks:
            if isinstance(block, Steps):
                part += 1
                yield from self.steps(block, prefix, part)
            else:
                yield from self.block(block)

    def block(self, block: Block) -> Iterator[str]:
        match block:
            case Prose():
                kind = CLASSES.get(block.role)
                named = f' class="{kind}"' if kind else ""
                yield f"<p{named}>{self.words(block)}</p>"
            case Heading():
                anchor = f' id="{escape(block.id)}"' if block.id else ""
                yield f"<h3{anchor}>{escape(block.text)}</h3>"
            case Equation():
                label = f"<b>{escape(block.label)})</b> " if block.label else ""
                note = f" <small>{escape(block.note)}</small>" if block.note else ""
                math = self.equation(block, display=False)
                yield f'<p class="formula">{label}{math}{note}</p>'
            case Question():
                yield f'<div class="question">{self.question(block)}</div>'
            case Proof():
                said = "".join(f'<p class="check">{escape(line)}</p>' for line in block.lines)
                yield f"<details><summary>Shapes and proof</summary>{said}</details>"
            case Table():
                yield from self.table(block)
            case Figure():
                caption = f"<figcaption>{escape(block.caption)}</figcaption>"
                data = "" if block.data is None else self.download(block.data)
                yield f"<figure>{block.svg}{caption if block.caption else ''}{data}</figure>"
            case Facts():
                yield '<dl class="facts">'
                for fact in block.items:
                    remark = f"<small>{escape(fact.remark)}</small>" if fact.remark else ""
                    value = f"<dd>{escape(fact.value)}{remark}</dd>"
                    yield f"<div><dt>{escape(fact.name)}</dt>{value}</div>"
                yield "</dl>"
            case Bullets():
                yield '<ul class="notes">'
                for item in block.items:
                    yield f"<li>{escape(item)}</li>"
                yield "</ul>"
            case Fold():
                is_open = " open" if block.is_open else ""
                yield f"<details{is_open}><summary>{escape(block.title)}</summary>"
                yield from self.blocks(block.blocks)
                yield "</details>"
            case Beside():
                yield '<div class="pair">'
                for inner in block.blocks:
                    yield f"<div>{''.join(self.block(inner))}</div>"
                yield "</div>"
            case Code():
                yield f'<pre class="code" tabindex="0"><code>{escape(block.text)}</code></pre>'
            case Names():
                yield from self.names(block)
            case Steps():
                yield from self.steps(block, "step", 1)
            case Result():
                yield from self.result(block)
            case Results():
                yield f'<div class="gradients"><h3>{escape(block.title)}</h3>'
                yield from self.blocks(block.blocks)
                yield "</div>"
            case Options():
                yield '<ol type="a">'
                for choice in block.choices:
                    yield f"<li>{''.join(self.block(choice))}</li>"
                yield "</ol>"
            case Space():
                if block.label:
                    yield f'<p class="fill">{escape(block.label)}:</p>'
                else:
                    kind = "brief space" if block.brief else "space"
                    yield f'<div class="{kind}"></div>'
            case Findings():
                yield from self.findings(block)
            case Board():
                reveal = " data-reveal" if block.reveal else ""
                yield f'<div class="derivation"{reveal}>'
                yield from self.blocks(block.blocks, block.prefix)
                yield "</div>"

    def download(self, data: Data) -> str:
        """Link the numbers behind a figure, which the page holds."""
        name, text = escape(data.name, quote=True), quote(data.text)
        link = f'<a download="{name}" href="data:text/csv;charset=utf-8,{text}">'
        return f'<p class="data">{link}Data (CSV)</a></p>'

    def steps(self, steps: Steps, prefix: str, part: int) -> Iterator[str]:
        yield f'<h3 id="{prefix}-part-{part}">{escape(steps.title)}</h3>'
        yield f'<ol class="steps" start="{steps.steps[0].number}">'
        for step in steps.steps:
            anchor = f'id="{prefix}-{step.number}" data-phase="{step.phase}"'
            yield f'<li class="step" {anchor}>'
            yield from self.step(step)
            yield "</li>"
        yield "</ol>"

    def step(self, step: Step) -> Iterator[str]:
        if step.question is not None:
            yield from self.block(step.question)
        yield f'<div class="answer">{self.equation(step.equation)}</div>'
        rule, why = escape(step.rule), escape(step.why)
        yield f'<p class="why"><b class="rule">{rule}</b> {why}.</p>'
        if step.shapes:
            yield f'<p class="shapes">{escape(step.shapes)}</p>'
        if step.check:
            yield f'<p class="check">{escape(step.check)}</p>'
        if step.numbers is not None:
            yield f'<div class="numbers"><p>{self.words(step.numbers)}</p></div>'

    def result(self, result: Result) -> Iterator[str]:
        yield f'<div class="gradient">{self.equation(result.equation)}'
        like = f", as {result.like}" if result.like and not result.shape.startswith("of ") else ""
        note = "; ".join(
            text
            for text in (
                f"shape {result.shape}{like}" if result.shape else "",
                result.equation.note,
            )
            if text
        )
        if note:
            yield f'<p class="shape">{escape(note)}</p>'
        for remark in result.remarks:
            label = escape(remark.label)
            if remark.expr is None:
                yield f'<p class="remark">{label}</p>'
            else:
                yield f'<p class="remark">{label}: {self.math(remark.expr, display=False)}</p>'
        if result.proof is not None:
            yield from self.block(result.proof)
        yield "</div>"

    def names(self, names: Names) -> Iterator[str]:
        defined = [row for row in names.rows if row.right is not None]
        shapes = not defined or any(row.shape for row in defined)
        yield '<div class="forward" tabindex="0" role="group" aria-label="The forward pass">'
        yield '<table class="names"><caption>The forward pass</caption>'
        if shapes:
            yield '<thead><tr><th scope="col">name</th><th scope="col">shape</th>'
            yield '<th scope="col">meaning</th></tr></thead>'
        yield "<tbody>"
        for row in names.rows:
            cell = escape(row.text)
            if row.left is not None and row.right is not None:
                cell = self.definition(row.left, row.right, row.entrywise)
            elif row.left is None:
                cell = f"<code>{cell}</code>"
            if row.right is not None and not shapes:
                yield f'<tr><td colspan="3">{cell}</td></tr>'
            elif row.left is None or (row.right is not None and not row.shape):
                yield f'<tr><th scope="row">function</th><td></td><td>{cell}</td></tr>'
            else:
                head = self.header(row.left)
                yield f'<tr>{head}<td class="shape">{row.shape}</td><td>{cell}</td></tr>'
        yield "</tbody></table></div>"

    def definition(self, left: Expr, right: Expr, entrywise: Expr | None) -> str:
        """Write a definition; a number that sums entries is shown so, its matrix form below."""
        whole = self.equation(Equation((left, right)), display=False)
        if entrywise is None:
            return f'<div class="formula">{whole}</div>'
        sums = self.equation(Equation((left, entrywise)), display=False)
        return f'<div class="formula by-entry">{sums}</div><div class="formula whole">{whole}</div>'

    def header(self, cell: Inline, kind: str = "") -> str:
        """Write the header of a row; mathematics gets its words as a label."""
        if isinstance(cell, Expr):
            words = escape(spoken(cell), quote=True)
            return f'<th scope="row" aria-label="{words}">{self.math(cell, display=False)}</th>'
        return f'<th scope="row"{kind}>{self.inline(cell)}</th>'

    def table(self, table: Table) -> Iterator[str]:
        label = escape(table.caption or "table", quote=True)
        yield f'<div class="scroll" tabindex="0" role="group" aria-label="{label}"><table>'
        if table.caption:
            yield f"<caption>{escape(table.caption)}</caption>"
        numeric = dict.fromkeys(table.numeric, ' class="num"')
        if table.head:
            cells = [
                f'<th scope="col"{numeric.get(k, "")}>{escape(name)}</th>'
                for k, name in enumerate(table.head)
            ]
            yield f"<thead><tr>{''.join(cells)}</tr></thead>"
        yield "<tbody>"
        for first, *rest in table.rows:
            cells = [
                f"<td{numeric.get(k, '')}>{self.inline(cell)}</td>"
                for k, cell in enumerate(rest, start=1)
            ]
            yield f"<tr>{self.header(first, numeric.get(0, ''))}{''.join(cells)}</tr>"
        yield "</tbody></table></div>"

    def findings(self, findings: Findings) -> Iterator[str]:
        yield f"<p>{escape(findings.lead)}</p>"
        yield '<dl class="proofs">'
        for item in findings.items:
            proven = "proven" if item.proven else "not proven"
            yield f'<dt>{escape(item.name)} <small class="muted">{proven}</small></dt>'
            yield f"<dd>{escape(item.says)}</dd>"
        yield "</dl>"
        proofs = [item for item in findings.items if item.because]
        if proofs:
            yield '<details><summary>The proofs</summary><dl class="proofs">'
            for item in proofs:
                yield f"<dt>{escape(item.name)}</dt><dd>{escape(item.because)}</dd>"
            yield "</dl></details>"

    def words(self, prose: Prose) -> str:
        text = "".join(self.inline(run) for run in prose.words)
        ended = prose.role not in (Role.NOTE, Role.READING) or text.endswith(".")
        return text if ended else f"{text}."

    def inline(self, run: Inline) -> str:
        if isinstance(run, Expr):
            return self.math(run, display=False)
        if isinstance(run, Styled):
            tag = TAGS[run.style.value]
            return f"<{tag}>{escape(run.text)}</{tag}>"
        return escape(run)

    def math(self, expr: Expr, *, display: bool = True) -> str:
        return math_element(mathml(expr, self.model), spoken(expr), display=display)

    def question(self, question: Question) -> str:
        return self.equation(Equation((question.asked, None)))

    def equation(self, equation: Equation, *, display: bool = True) -> str:
        inside = "<mo>=</mo>".join(
            "<mo>?</mo>" if side is None else mathml(side, self.model) for side in equation.sides
        )
        aloud = " equals ".join(
            "what?" if side is None else spoken(side) for side in equation.sides
        )
        return math_element(inside, aloud, display=display)


__all__ = ["blocks_html", "render", "section_html", "step_html"]
