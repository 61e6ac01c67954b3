"""Certify a derivation: verify every step, and that each follows from those before it."""

from __future__ import annotations

from dataclasses import replace

from chainrule.calculus.derivation.recursion import at_round
from chainrule.calculus.derivation.steps import Certificate, Claim, Derivation, Rung, Step
from chainrule.calculus.graph.node import Entry, Partial, Position, Symbol, running
from chainrule.calculus.proof.evidence import Disagreement
from chainrule.calculus.proof.ladder import Laboratory
from chainrule.calculus.proof.thread import Thread, same_model
from chainrule.errors import ProofError

_REPORT = ". This is a defect of chainrule: please report the forward pass"


def certify(derivation: Derivation) -> Derivation:
    """Prove every step of a derivation, and that each follows from those before it.

    Raises
    ------
    ProofError
        At the first step that could not be certified.
    """
    if not same_model(derivation):
        raise ProofError("the forward pass changed its meaning when names were added" + _REPORT)
    laboratory, thread = Laboratory(derivation), Thread(derivation)
    steps = tuple(replace(step, check=_proof(laboratory, thread, step)) for step in derivation)
    complaint = thread.ends() or _forms_differ(laboratory) or _parted(laboratory)
    if complaint:
        raise ProofError(complaint + _REPORT)
    return replace(derivation, steps=steps)


def try_step(laboratory: Laboratory, step: Step) -> Certificate | Disagreement:
    """Try the claim of one step."""
    if step.claim is Claim.ROUNDS:
        return _rounds(laboratory, step)
    laboratory = laboratory.of(step)
    if not running(step.after) <= running(step.left):
        return Disagreement(Rung.EXACT, float("inf"), float("nan"), float("nan"))
    if step.claim is Claim.SLOPE:
        model = laboratory.derivation.model
        return laboratory.derivative(model.objective, model.inputs[0], step.after)
    if step.claim is Claim.CURVATURE:
        matrix = step.left.matrix if isinstance(step.left, Entry) else step.left
        assert isinstance(matrix, Symbol)
        entries = laboratory.derivation.hessians[matrix].entries
        return laboratory.derivative(*entries, step.after, total=True)
    if step.claim is Claim.DERIVATIVE:
        assert isinstance(step.left, Partial)
        return laboratory.derivative(step.left.of, step.left.wrt, step.after)
    row, col = _place(laboratory, step)
    return laboratory.equal(step.before, step.after, row, col)


def _rounds(laboratory: Laboratory, step: Step) -> Certificate | Disagreement:
    """Try a line that holds for several rounds: put each round back, and try the line of it."""
    derivation = laboratory.derivation
    lines = {line.id: line for line in derivation.steps}
    known = (*derivation.model.symbols, *derivation.layers)
    named = {g.variable: name for name, g in derivation.layers.items()}
    worst: Certificate | None = None
    for number, line in step.rounds:
        left, after = (
            at_round(side, step.counter, number, known) for side in (step.left, step.after)
        )
        own = lines[line]
        assert isinstance(own.left, Partial)
        lefts = (own.left, named.get(own.left.wrt))  # type: ignore[call-overload]
        found = try_step(laboratory, own) if after is own.after and left in lefts else None
        if not isinstance(found, Certificate):
            return found or Disagreement(Rung.EXACT, float("inf"), float("nan"), float("nan"))
        if worst is None or found.error > worst.error:
            worst = found
    assert worst is not None
    return worst


def _forms_differ(laboratory: Laboratory) -> str:
    """Say which gradient's index form and matrix form are not the same, or nothing."""
    derivation = laboratory.derivation
    if derivation.first is not None:
        laboratory = laboratory.opened
    for gradient in (*derivation.layers.values(), *derivation.gradients.values()):
        if gradient.matrix is None:
            continue
        place = (gradient.row, gradient.col)
        if isinstance(laboratory.equal(gradient.index, gradient.matrix, *place), Disagreement):
            return f"the two forms of the gradient for {gradient.variable.name} differ"
    return ""


def _parted(laboratory: Laboratory) -> str:
    """Say that the gradients do not hold together, or nothing."""
    found = laboratory.together()
    if isinstance(found, Disagreement):
        return f"the gradients do not give the change of the objective when all moves: {found}"
    return ""


def _proof(laboratory: Laboratory, thread: Thread, step: Step) -> Certificate:
    found = try_step(laboratory, step)
    complaint = thread.follows(step) or (str(found) if isinstance(found, Disagreement) else "")
    if complaint or isinstance(found, Disagreement):
        raise ProofError(
            f"step {step.id} ({step.rule}) could not be certified: "
            f"{step.left!r} = {step.after!r}; {complaint}{_REPORT}"
        )
    return found


def _place(laboratory: Laboratory, step: Step) -> tuple[Position, Position]:
    """Which entry the two sides speak of, when one of them is a matrix."""
    side = step.left.wrt if isinstance(step.left, Partial) else step.left
    if isinstance(side, Entry):
        return side.row, side.col
    if isinstance(side, Symbol):
        return laboratory.derivation.places.get(side, (None, None))
    return None, None
