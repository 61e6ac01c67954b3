"""A derivation as a document: forward pass, steps under headings, results."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from chainrule.calculus.derivation.curvature import layout_sentence
from chainrule.calculus.derivation.lines import fixed
from chainrule.calculus.derivation.steps import Claim, Derivation, Gradient, Hessian, Step
from chainrule.calculus.graph.dims import SCALAR, Index, written
from chainrule.calculus.graph.model import Model
from chainrule.calculus.graph.node import Apply, Entry, Expr, Partial, Total, entry, walk
from chainrule.calculus.indexing.expansion import expand
from chainrule.calculus.indexing.names import Letters
from chainrule.documents import blocks
from chainrule.documents.blocks import (
    Block,
    Board,
    Document,
    Equation,
    NameRow,
    Names,
    Prose,
    Question,
    Remark,
    Result,
    Results,
    Role,
    Section,
    Steps,
    prose,
)
from chainrule.documents.lesson.outline import (
    GradientForm,
    corners,
    derivation_sections,
    first_sentence,
    functions,
    shown_phase,
)
from chainrule.errors import ChainruleError
from chainrule.language.typeset import unicode

MOST_NODES = 60
"""A sum over entries with more nodes than this is harder to read than its matrix form."""


def lesson(
    derivation: Derivation,
    form: GradientForm = GradientForm.BOTH,
    more: Sequence[Section] = (),
    numbers: Mapping[int, Prose] | None = None,
    place: str = "",
) -> Document:
    """Return a derivation as a document.

    Parameters
    ----------
    derivation : Derivation
        The derivation.
    form : GradientForm, optional
        The form of the gradients.
    more : sequence of Section, optional
        Sections after it.
    numbers : mapping of int to Prose, optional
        Values, by the id of the step.
    place : str, optional
        The point at which the values were computed.
    """
    board = board_of(derivation, form, prefix="derivation", numbers=numbers)
    return Document(
        titled(derivation.model.title or "A derivation"),
        f"The gradient of {derivation.model.objective.name} has the shape of its variable. "
        f"{len(derivation.steps)} steps, every one verified.",
        (Section("derivation", "The derivation", (board,)), *more),
        derivation.model,
        closing_sentence(derivation, form),
        place,
    )


def board_of(
    derivation: Derivation,
    form: GradientForm = GradientForm.BOTH,
    *,
    prefix: str = "step",
    numbers: Mapping[int, Prose] | None = None,
) -> Board:
    """Return the steps of a derivation between its forward pass and its gradients."""
    values = numbers or {}
    forms = {
        kind.value: {s.id for part in derivation_sections(derivation, kind) for s in part.steps}
        for kind in (GradientForm.INDEX, GradientForm.MATRIX)
    }
    parts = [
        Steps(
            part.title,
            tuple(
                step_block(
                    step,
                    values.get(step.id),
                    tuple(name for name, ids in forms.items() if step.id in ids),
                )
                for step in part.steps
            ),
        )
        for part in derivation_sections(derivation, form)
    ]
    return Board((*forward_blocks(derivation, form), *parts, results_of(derivation, form)), prefix)


def forward_blocks(
    derivation: Derivation, form: GradientForm = GradientForm.MATRIX
) -> Iterator[Block]:
    """Yield the forward pass, and how it was read; by entries where the index form is shown."""
    model = derivation.model
    rows = [NameRow(s, written(s.shape), text=model.notes.get(s.name, "")) for s in model.inputs]
    rows += [NameRow(left, "", right, text) for left, right, text in functions(derivation)]
    for d in model.definitions:
        sums = None if form is GradientForm.MATRIX else sum_over_entries(d.value, model)
        shape = written(d.target.shape)
        if form is GradientForm.INDEX and sums is not None:
            rows.append(NameRow(d.target, shape, sums))
        else:
            rows.append(NameRow(d.target, shape, d.value, entrywise=sums))
    yield Names(model.title or "Forward pass", tuple(rows))
    for note in derivation.reading:
        yield prose(note, Role.READING)
    if derivation.first is not None:
        yield prose(first_sentence(derivation), Role.READING)


def sum_over_entries(value: Expr, model: Model) -> Expr | None:
    """Return a number as a sum over the entries of matrices; None where it is not one, or long."""
    if value.shape != SCALAR or any(isinstance(node, Total) for node in walk(value)):
        return None
    dims = {dim for symbol in model.symbols for dim in symbol.shape}
    letters = Letters(dims, [*(s.name for s in model.symbols), *map(str, dims)])
    try:
        form, _ = expand(value, (None,) * len(value.shape), letters)
    except ChainruleError:
        return None
    nodes = list(walk(form))
    closed = any(isinstance(n, Entry) and isinstance(n.matrix, Apply) for n in nodes)
    matrices = any(isinstance(n, Apply) and n.shape != SCALAR for n in nodes)
    sums = any(isinstance(n, Total) for n in nodes)
    return form if sums and not closed and not matrices and len(nodes) <= MOST_NODES else None


def step_block(
    step: Step, numbers: Prose | None = None, forms: tuple[str, ...] = ("index", "matrix")
) -> blocks.Step:
    """Return one step: question, answer, reason, shapes, proof, numbers."""
    return blocks.Step(
        step.id,
        shown_phase(step),
        Equation((step.left, step.after)),
        step.rule,
        step.why,
        None if step.question is None else Question(step.question),
        ", ".join(f"{name} {written(shape)}" for name, shape in step.shapes),
        "" if step.check is None else str(step.check),
        numbers,
        forms,
    )


def results_of(derivation: Derivation, form: GradientForm = GradientForm.BOTH) -> Results:
    """Return the gradients, the layers they rest on, and what the forward pass must keep."""
    objective = derivation.model.objective
    named: list[tuple[Expr, Gradient]] = list(derivation.layers.items())
    named += [(Partial(objective, g.variable), g) for g in derivation.gradients.values()]
    found: list[Block] = []
    if derivation.longer is not None:
        found += general_results(derivation)
        found.append(prose(rounds_sentence(derivation), Role.NOTE))
    found += [r for whole, g in named for r in gradient_results(whole, g, form)]
    found += [_hessian_block(derivation, h, form) for h in derivation.hessians.values()]
    keep = ", ".join(unicode(symbol) for symbol in derivation.cache) or "nothing"
    found.append(prose(f"The forward pass must keep: {keep}", Role.NOTE))
    found += [prose(said, Role.NOTE) for said in corners(derivation)]
    return Results("The gradients: each has the shape of its variable", tuple(found))


def gradient_results(whole: Expr, gradient: Gradient, form: GradientForm) -> Iterator[Result]:
    """Yield one gradient in the forms that are asked for, and the entry that was asked for."""
    shape, like = written(gradient.variable.shape), gradient.variable.name
    at = _entry_of(whole, gradient)
    remarks: list[Remark] = []
    if form is GradientForm.INDEX or gradient.matrix is None:
        sides = (at, gradient.index)
        if gradient.no_matrix_form:
            remarks.append(Remark(gradient.no_matrix_form))
    else:
        sides = (whole, gradient.final)
        if gradient.opened is not None:
            remarks.append(Remark("by layers", gradient.matrix))
        if form is GradientForm.BOTH and at is not whole:
            places = "".join(str(p) for p in gradient.places if p is not None)
            remarks.append(Remark(f"entry {places}", gradient.index))
    of = f"of {shape}" if sides[0] is not whole else shape
    yield Result(Equation(sides), of, like, tuple(remarks))
    if gradient.asked is not None and gradient.place is not None:
        index = next(p for p in gradient.places if isinstance(p, Index))
        yield Result(Equation((fixed(at, index, gradient.place), gradient.asked)))


def general_results(derivation: Derivation) -> Iterator[Result]:
    """Yield the lines for all rounds of the loops, each with the rounds in which it holds."""
    for step in derivation.general:
        first, last = step.span or ("", "")
        own = first == last
        note = "" if own else f"{step.counter} = {first}..{last}"
        shape = written(step.after.shape)
        yield Result(Equation((step.left, step.after), note=note), shape)


def rounds_sentence(derivation: Derivation) -> str:
    """Say with how many rounds the gradients below are written out."""
    lengths = " and ".join(f"{name} = {n}" for name, n in derivation.model.lengths.items())
    return f"With {lengths} these are:"


def _hessian_block(derivation: Derivation, hessian: Hessian, form: GradientForm) -> Result:
    assert derivation.first is not None
    at = entry(hessian.symbol, hessian.row, hessian.col)
    by_entry = form is GradientForm.INDEX or hessian.matrix is None
    sides = (at, hessian.index) if by_entry else (hessian.symbol, hessian.matrix)
    remarks = [Remark(hessian.no_matrix_form)] if hessian.no_matrix_form else []
    if not by_entry and form is GradientForm.BOTH and at is not hessian.symbol:
        remarks.append(Remark(unicode(at), hessian.index))
    remarks.append(Remark(layout_sentence(hessian, derivation.first.model.objective)))
    return Result(Equation(sides), written(hessian.symbol.shape), "", tuple(remarks))


def closing_sentence(derivation: Derivation, form: GradientForm) -> str:
    """Return how many steps there are and what each claims; empty where they are not verified."""
    if not derivation.proven:
        return ""
    shown = sum(len(part.steps) for part in derivation_sections(derivation, form))
    exact = sum(s.claim in (Claim.EQUAL, Claim.OPENED, Claim.ROUND_SUM) for s in derivation.steps)
    some = "" if shown == len(derivation.steps) else f"{shown} of "
    return (
        f"{some}{len(derivation.steps)} steps, every one verified: {exact} equalities, "
        f"{len(derivation.steps) - exact} derivatives"
    )


def titled(text: str) -> str:
    """Return a title that begins with a capital letter."""
    return text[:1].upper() + text[1:]


def _entry_of(whole: Expr, gradient: Gradient) -> Expr:
    """Return the left side of a gradient's index form."""
    place = gradient.places
    if isinstance(whole, Partial):
        return Partial(whole.of, entry(gradient.variable, *place))
    return entry(whole, *place)


__all__ = [
    "board_of",
    "closing_sentence",
    "forward_blocks",
    "general_results",
    "gradient_results",
    "lesson",
    "results_of",
    "rounds_sentence",
    "step_block",
    "titled",
]
