"""The call `derive`: a verified derivation, every line typeset."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import lru_cache

from chainrule.board.coding import RequestError
from chainrule.board.formulas import formula, line, named_shape, shape
from chainrule.board.forwards import CACHED, forward_of, model_of
from chainrule.board.schema import (
    Check,
    DerivationInfo,
    DeriveArgs,
    GradientLine,
    Origin,
    ReasonInfo,
    SectionInfo,
    StepInfo,
)
from chainrule.calculus.derivation.steps import (
    Derivation,
    Gradient,
    Hessian,
    Step,
    StepCertificate,
    VerificationMethod,
)
from chainrule.calculus.graph.node import Expr, Partial, entry, partials, symbols
from chainrule.calculus.graph.paths import path_text
from chainrule.deriving import derive, derive_second
from chainrule.documents.lesson.outline import (
    GradientForm,
    corners,
    derivation_sections,
    shown_phase,
)
from chainrule.language.typeset import spoken

FACTORS = 3
"""The number of factors in a transcript with one wrong sign."""

CANCELLED = "cancelled"
"""The kind of an origin that says what of the line before is gone."""


@lru_cache(CACHED)
def derivation_of(text: str, wrt: tuple[str, ...] = (), order: int = 1) -> Derivation:
    """Derive and verify; the last derivations are cached."""
    if order not in (1, 2):
        raise RequestError(f"args.order is {order}; 1 is the gradient, 2 the Hessian")
    model = model_of(text)
    return derive_second(model, wrt or None) if order == 2 else derive(model, wrt or None)


@lru_cache(CACHED)
def derived(args: DeriveArgs) -> DerivationInfo:
    """Derive a forward pass, step by step; the last results are cached."""
    return typeset(derivation_of(args.text, args.wrt, args.order))


def typeset(derivation: Derivation) -> DerivationInfo:
    """Return a derivation with every line typeset."""
    sections = list(derivation_sections(derivation, GradientForm.BOTH))
    shown = {
        form: {s.id for part in derivation_sections(derivation, form) for s in part.steps}
        for form in (GradientForm.INDEX, GradientForm.MATRIX)
    }
    lines: dict[Expr, int] = {}
    steps = []
    for number, section in enumerate(sections):
        for step in section.steps:
            forms = tuple(form.value for form, ids in shown.items() if step.id in ids)
            steps.append(_step(derivation, step, number, forms, lines.get(step.before, 0)))
            lines[step.after] = step.id
    verified = ", every one verified" if derivation.proven else ""
    gradients = tuple(_gradients(derivation))
    return DerivationInfo(
        forward_of(derivation.model, derivation.reading),
        tuple(SectionInfo(part.title, tuple(s.id for s in part.steps)) for part in sections),
        tuple(steps),
        gradients,
        tuple(symbol.name for symbol in derivation.cache),
        tuple(corners(derivation)),
        derivation.proven,
        f"{len(steps)} steps{verified}",
        _faulty(steps, tuple(_gradients(derivation, general=False))),
    )


def _faulty(steps: Sequence[StepInfo], gradients: Sequence[GradientLine]) -> str:
    """Return the first factors and the gradients as lines of text, one of them of wrong sign."""
    factors = [s.line for s in steps if s.question is not None and s.line.right][:FACTORS]
    lines = [*factors, *(g.line for g in gradients if not g.layer)]
    said = [each.text for each in lines]
    wrong = lines[1:2] or lines[:1]
    for each in wrong:
        if each.left is not None and each.right is not None:
            said[lines.index(each)] = f"{each.left.text} = -({each.right.text})"
    return "\n".join(said)


def step_named(derivation: Derivation, number: int) -> Step:
    """Return a step by its id.

    Raises
    ------
    RequestError
        When there is none.
    """
    for step in derivation.steps:
        if step.id == number:
            return step
    raise RequestError(f"there is no step {number}; this derivation has {len(derivation.steps)}")


def check_of(check: StepCertificate | None) -> Check | None:
    """Return the certificate of a step as data."""
    if check is None:
        return None
    exact = check.method is VerificationMethod.EXACT
    return Check(check.method.value, check.points, float(check.error), str(check), exact)


def _step(
    derivation: Derivation, step: Step, section: int, forms: tuple[str, ...], previous: int
) -> StepInfo:
    model = derivation.model
    named = {s for side in (step.left, step.after) for root in _open(side) for s in symbols(root)}
    return StepInfo(
        step.id,
        shown_phase(step),
        step.rule,
        section,
        forms,
        step.question is not None or step.concludes,
        line(step.left, step.after, model),
        None if step.question is None else line(step.question, None, model),
        None if step.before is step.after else formula(step.before, model),
        step.why,
        tuple(ReasonInfo(r.rule, r.because) for r in step.reasons),
        tuple(named_shape(name, dims) for name, dims in step.shapes),
        check_of(step.check),
        step.concludes,
        previous,
        provenance(step),
        tuple(sorted(s.name for s in named)),
        _note(step),
    )


def provenance(step: Step) -> tuple[Origin, ...]:
    """Return the origins of the nodes of a line, then what of the line before is gone."""
    found = step.provenance
    origins = [
        Origin(
            path_text(path),
            None if origin.source is None else path_text(origin.source),
            origin.kind.value,
            found.rule,
        )
        for path, origin in found.origins.items()
    ]
    gone = [Origin("", path_text(path), CANCELLED, found.rule) for path in found.cancelled]
    return (*origins, *gone)


def _note(step: Step) -> str:
    """Return the sentence of the presenter's notes."""
    if step.question is not None:
        return f"Ask: what is {spoken(step.question)}? Then reveal: {step.rule}."
    return f"{step.rule[:1].upper()}{step.rule[1:]}: {step.why}."


def _open(side: Expr) -> Iterator[Expr]:
    """Yield an expression and both sides of the open derivatives in it."""
    yield side
    for partial in partials(side):
        yield partial.of
        yield partial.wrt


def _gradients(derivation: Derivation, *, general: bool = True) -> Iterator[GradientLine]:
    """Yield the lines of the gradients; for any number of rounds, where they are stated so."""
    objective = derivation.model.objective
    stated = {step.left: step.after for step in derivation.general} if general else {}
    for symbol, gradient in derivation.layers.items():
        whole, one = symbol, entry(symbol, *gradient.places)
        yield _gradient(derivation, gradient, whole, one, layer=True)
    for gradient in derivation.gradients.values():
        at = Partial(objective, entry(gradient.variable, *gradient.places))
        asked = Partial(objective, gradient.variable)
        found = _gradient(derivation, gradient, asked, at)
        if derivation.longer is not None and asked in stated:
            found = replace(found, line=line(asked, stated[asked], derivation.model))
        yield found
    for hessian in derivation.hessians.values():
        yield _hessian(derivation, hessian)


def _gradient(
    derivation: Derivation, gradient: Gradient, whole: Expr, one: Expr, *, layer: bool = False
) -> GradientLine:
    model = derivation.model
    by_entry = line(one, gradient.index, model)
    matrix = by_entry if gradient.matrix is None else line(whole, gradient.final, model)
    return GradientLine(
        gradient.variable.name,
        shape(gradient.variable.shape),
        layer,
        matrix,
        None if one is whole else by_entry,
        gradient.no_matrix_form,
    )


def _hessian(derivation: Derivation, hessian: Hessian) -> GradientLine:
    model = derivation.model
    one = line(entry(hessian.symbol, hessian.row, hessian.col), hessian.index, model)
    whole = one if hessian.matrix is None else line(hessian.symbol, hessian.matrix, model)
    return GradientLine(
        hessian.symbol.name, shape(hessian.symbol.shape), False, whole, one, hessian.no_matrix_form
    )
