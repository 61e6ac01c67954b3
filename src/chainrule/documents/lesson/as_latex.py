"""A derivation as a LaTeX document that compiles with amsmath alone."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator, Sequence

from chainrule.calculus.derivation.steps import Derivation, Step
from chainrule.calculus.graph.dims import written
from chainrule.calculus.graph.node import Partial, entry
from chainrule.documents.lesson.outline import (
    GradientForm,
    corners,
    derivation_sections,
    first_sentence,
    functions,
)
from chainrule.language.typeset import latex
from chainrule.language.typeset.names import GREEK

_GLYPHS = {
    "\\": r"\textbackslash{}", "&": r"\&", "%": r"\%", "$": r"\$", "#": r"\#", "_": r"\_",
    "{": r"\{", "}": r"\}", "~": r"\textasciitilde{}", "^": r"\textasciicircum{}",
    "σ": r"$\sigma$", "→": r"$\to$", "·": r"$\cdot$", "²": r"$^2$", "∂": r"$\partial$",
    "‖": r"$\Vert$", "√": r"$\surd$", "∇": r"$\nabla$", "≥": r"$\geq$", "×": r"$\times$",
    "⊙": r"$\odot$", "≤": r"$\leq$", "ŷ": r"$\hat{y}$", "−": "$-$",
} | {letter: rf"$\{name}$" for name, letter in GREEK.items()}  # fmt: skip


def as_latex(
    derivation: Derivation, form: GradientForm = GradientForm.BOTH, more: Sequence[str] = ()
) -> str:
    """Write a whole derivation, and more lines of LaTeX after it, as a document."""
    return "\n".join(_document(derivation, form, more)) + "\n"


def _document(derivation: Derivation, form: GradientForm, more: Sequence[str]) -> Iterator[str]:
    model = derivation.model
    yield r"\documentclass{article}"
    yield r"\usepackage{amsmath}"
    yield r"\begin{document}"
    yield rf"\section*{{{words(model.title or 'A derivation')}}}"
    yield r"\begin{align*}"
    rows = [rf"{latex(s)} &: {written(s.shape)}" for s in model.inputs]
    rows += [
        rf"{latex(left)} &= {latex(right)}"
        if left is not None and right is not None
        else rf"&\text{{{words(said)}}}"
        for left, right, said in functions(derivation)
    ]
    rows += [
        rf"{latex(d.target)} &= {latex(d.value)} && {written(d.target.shape)}"
        for d in model.definitions
    ]
    yield " \\\\\n".join(rows)
    yield r"\end{align*}"
    for note in derivation.reading:
        yield rf"\noindent {words(note)}."
        yield ""
    if derivation.first is not None:
        yield words(first_sentence(derivation)) + "."
    for part in derivation_sections(derivation, form):
        yield rf"\subsection*{{{words(part.title)}}}"
        for step in part.steps:
            yield from _step(step)
    yield r"\subsection*{The gradients}"
    yield r"\begin{align*}"
    yield " \\\\\n".join(equations(derivation, form))
    yield r"\end{align*}"
    for said in corners(derivation):
        yield rf"\noindent {words(said)}."
        yield ""
    yield from more
    yield r"\end{document}"


def _step(step: Step) -> Iterator[str]:
    yield r"\begin{equation*}"
    yield f"{latex(step.left)} = {latex(step.after)} \\tag{{{step.id}}}"
    yield r"\end{equation*}"
    proof = "" if step.check is None else f" \\emph{{{words(str(step.check))}.}}"
    yield rf"\noindent\textbf{{{words(step.rule)}.}} {words(step.why)}.{proof}"
    yield ""


def equations(derivation: Derivation, form: GradientForm) -> Iterator[str]:
    """Yield the gradients, an aligned equation each."""
    pairs = [(latex(symbol), g) for symbol, g in derivation.layers.items()]
    pairs += [
        (latex(Partial(derivation.model.objective, g.variable)), g)
        for g in derivation.gradients.values()
    ]
    for left, gradient in pairs:
        shape = written(gradient.variable.shape)
        if form is not GradientForm.INDEX and gradient.matrix is not None:
            yield f"{left} &= {latex(gradient.final)} && {shape}"
            if gradient.opened is not None:
                yield f"&= {latex(gradient.matrix)} &&"
        if form is GradientForm.INDEX or gradient.matrix is None:
            places = "".join(str(p) for p in gradient.places if p is not None)
            at = rf"\Bigl({left}\Bigr)_{{{places}}}" if places else left
            yield f"{at} &= {latex(gradient.index)} && {shape}"
    for hessian in derivation.hessians.values():
        shape = written(hessian.symbol.shape)
        if form is not GradientForm.INDEX and hessian.matrix is not None:
            yield f"{latex(hessian.symbol)} &= {latex(hessian.matrix)} && {shape}"
        else:
            at = latex(entry(hessian.symbol, hessian.row, hessian.col))
            yield f"{at} &= {latex(hessian.index)} && {shape}"


def words(text: str) -> str:
    """Escape running text for LaTeX; accents fall off letters that plain LaTeX does not set."""
    return "".join(_word_glyph(glyph) for glyph in text)


def _word_glyph(glyph: str) -> str:
    if glyph in _GLYPHS:
        return _GLYPHS[glyph]
    if glyph.isascii():
        return glyph
    return unicodedata.normalize("NFKD", glyph).encode("ascii", "ignore").decode()
