"""The short page of a derivation: the forward pass, the factors, the gradients, nothing twice."""

from __future__ import annotations

from collections.abc import Iterator

from chainrule.calculus.derivation.steps import Derivation, Gradient, Phase, Step
from chainrule.calculus.graph.dims import written
from chainrule.calculus.graph.node import Entry, Expr, Partial, Symbol, entry, partials, running
from chainrule.documents.blocks import (
    Block,
    Board,
    Document,
    Equation,
    Heading,
    Proof,
    Result,
    Role,
    Section,
    prose,
)
from chainrule.documents.lesson.building import (
    forward_blocks,
    general_results,
    rounds_sentence,
    titled,
)
from chainrule.documents.lesson.outline import GradientForm, corners


def factor_lines(derivation: Derivation) -> Iterator[Result]:
    """Yield the answers to the factors of the chain rule, in order."""
    objective = derivation.model.objective
    direct = {Partial(objective, entry(g.variable, *g.places)) for g in _gradients(derivation)}
    asked = {p for s in derivation.steps if s.phase is Phase.CHAIN for p in partials(s.after)}
    for step in derivation.steps:
        chained = step.question in asked or _entrywise(step.question) in asked
        if step.question is None or step.concludes or (step.question in direct and not chained):
            continue  # a factor that is a whole gradient is among the gradients
        yield Result(
            Equation((step.question, step.after), note=step.rule), proof=_evidence((step,))
        )


def gradient_lines(
    derivation: Derivation, form: GradientForm = GradientForm.BOTH
) -> Iterator[Result]:
    """Yield the gradients, those of the layers first, each with its chain rule."""
    objective = derivation.model.objective
    named: list[tuple[Expr | None, Gradient]] = list(derivation.layers.items())
    named += [(None, gradient) for gradient in derivation.gradients.values()]
    for name, gradient in named:
        about = [s for s in derivation.steps if _is_about(s, derivation, gradient)]
        by_entry = form is GradientForm.INDEX or gradient.matrix is None
        at = Partial(objective, entry(gradient.variable, *gradient.places))
        one = at if name is None else entry(name, *gradient.places)
        whole = Partial(objective, gradient.variable) if name is None else name
        sides: list[Expr] = [one if by_entry else whole]
        chain = next((s.after for s in about if s.phase is Phase.CHAIN and s.factors), None)
        if chain is not None and running(chain) and not by_entry:
            yield Result(Equation((one, chain)))
        elif chain is not None:
            sides.append(chain)
        if gradient.opened is not None and gradient.matrix is not None and not by_entry:
            sides.append(gradient.matrix)
        sides.append(gradient.index if by_entry else gradient.final)
        last = tuple(s for s in about if s.concludes or s.phase is Phase.OPENED)
        yield Result(
            Equation(tuple(dict.fromkeys(sides)), note=gradient.no_matrix_form),
            written(gradient.variable.shape),
            proof=_evidence(last),
        )


def brief(derivation: Derivation, form: GradientForm = GradientForm.BOTH) -> Document:
    """Return the short page as a document; shapes and proofs may be folded away."""
    certified = ", every one verified" if derivation.proven else ""
    closing = f"{len(derivation.steps)} steps stand behind this page{certified}."
    board = Board(tuple(_blocks(derivation, form)), "brief", reveal=False)
    return Document(
        titled(derivation.model.title or "A derivation"),
        closing,
        (Section("derivation", "The derivation in brief", (board,)),),
        derivation.model,
        closing,
    )


def _blocks(derivation: Derivation, form: GradientForm) -> Iterator[Block]:
    yield from forward_blocks(derivation)
    factors = list(factor_lines(derivation))
    if factors:
        yield Heading("The factors")
        yield from factors
    if derivation.longer is not None:
        yield Heading("The gradients, for any number of rounds")
        yield from general_results(derivation)
        if derivation.without_general:
            yield prose(rounds_sentence(derivation), Role.NOTE)
            yield from gradient_lines(derivation, form)
    else:
        yield Heading("The gradients")
        yield from gradient_lines(derivation, form)
    for said in corners(derivation):
        yield prose(said, Role.NOTE)


def _evidence(steps: tuple[Step, ...]) -> Proof | None:
    """Return the shapes on a line, and its certificates."""
    lines: list[str] = []
    for step in steps:
        if step.shapes:
            shapes = ", ".join(f"{name} {written(shape)}" for name, shape in step.shapes)
            lines.append(f"shapes: {shapes}")
        if step.check is not None:
            lines.append(f"✓ {step.check}")
    return Proof(tuple(lines)) if lines else None


def _gradients(derivation: Derivation) -> Iterator[Gradient]:
    yield from derivation.layers.values()
    yield from derivation.gradients.values()


def _is_about(step: Step, derivation: Derivation, gradient: Gradient) -> bool:
    """Whether a step is about the objective's derivative with respect to a variable."""
    left = step.left
    if not isinstance(left, Partial) or left.of is not derivation.model.objective:
        return False
    return _matrix(left.wrt) is gradient.variable


def _matrix(side: Expr) -> Expr:
    return side.matrix if isinstance(side, Entry) else side


def _entrywise(question: Expr | None) -> Expr | None:
    """Return a question with its variable as a whole, as the first line of a chain has it."""
    if isinstance(question, Partial) and isinstance(_matrix(question.wrt), Symbol):
        return Partial(question.of, _matrix(question.wrt))
    return None


__all__ = ["brief", "factor_lines", "gradient_lines"]
