"""Certify a derivation: verify every step, and that each follows from those before it."""

from __future__ import annotations

from dataclasses import replace

from chainrule.calculus.derivation.relative_names import at_round, with_rounds
from chainrule.calculus.derivation.steps import (
    Claim,
    Derivation,
    Gradient,
    Step,
    StepCertificate,
    VerificationMethod,
)
from chainrule.calculus.graph.node import Entry, Expr, Partial, Positions, Symbol, running
from chainrule.calculus.proof.continuity import Continuity, same_model
from chainrule.calculus.proof.evidence import Disagreement
from chainrule.calculus.proof.verifier import Verifier
from chainrule.errors import ProofError

_REPORT = ". This is a defect of chainrule: please report the forward pass"


def certify(derivation: Derivation) -> Derivation:
    """Verify every step of a derivation, and that each follows from those before it.

    Raises
    ------
    ProofError
        At the first step that could not be certified.
    """
    if not same_model(derivation):
        raise ProofError("the forward pass changed its meaning when names were added" + _REPORT)
    longer = None if derivation.longer is None else certify(derivation.longer)
    if longer is not None and not _stand_in(longer, derivation):
        raise ProofError("a line for any number of rounds does not hold with more" + _REPORT)
    verifier, thread = Verifier(derivation), Continuity(derivation)
    steps = tuple(replace(step, check=_proof(verifier, thread, step)) for step in derivation)
    complaint = thread.ends() or _forms_differ(verifier) or _parted(verifier)
    if complaint:
        raise ProofError(complaint + _REPORT)
    return replace(derivation, steps=steps, longer=longer)


def _stand_in(longer: Derivation, derivation: Derivation) -> bool:
    """Whether every line for any number of rounds stands in the derivation with more of them."""
    there = {(step.left, step.after, step.counter, step.span) for step in longer.general}
    return all((s.left, s.after, s.counter, s.span) in there for s in derivation.general)


def try_step(verifier: Verifier, step: Step) -> StepCertificate | Disagreement:
    """Return the evidence for or against the claim of one step."""
    found = verifier.judged.get(step.id)
    if found is None or found[0] is not step:  # a line for all rounds comes back to each of them
        found = verifier.judged[step.id] = (step, _judged(verifier, step))
    return found[1]


def _judged(verifier: Verifier, step: Step) -> StepCertificate | Disagreement:
    if step.claim is Claim.ROUNDS:
        return _rounds(verifier, step)
    if step.claim is Claim.ROUND_SUM:
        return _round_sum(verifier, step)
    verifier = verifier.of(step)
    if not running(step.after) <= running(step.left):
        return Disagreement(VerificationMethod.EXACT, float("inf"), float("nan"), float("nan"))
    if step.claim is Claim.SLOPE:
        model = verifier.derivation.model
        return verifier.derivative(model.objective, model.inputs[0], step.after)
    if step.claim is Claim.CURVATURE:
        matrix = step.left.matrix if isinstance(step.left, Entry) else step.left
        assert isinstance(matrix, Symbol)
        entries = verifier.derivation.hessians[matrix].entries
        return verifier.derivative(*entries, step.after, total=True)
    if step.claim is Claim.DERIVATIVE:
        assert isinstance(step.left, Partial)
        if step.concludes and step.before not in (step.left, step.after):
            equal = verifier.equal(step.before, step.after, *_place(verifier, step))
            if isinstance(equal, Disagreement):
                return equal
        return verifier.derivative(step.left.of, step.left.wrt, step.after)
    return verifier.equal(step.before, step.after, *_place(verifier, step))


def _rounds(verifier: Verifier, step: Step) -> StepCertificate | Disagreement:
    """Verify a line for several rounds, by substituting each round."""
    derivation = verifier.derivation
    lines = {line.id: line for line in derivation.steps}
    known = (*derivation.model.symbols, *derivation.layers)
    named = {g.variable: name for name, g in derivation.layers.items()}
    worst: StepCertificate | None = None
    for number, line in step.rounds:
        left, after = (
            at_round(side, step.counter, number, known) for side in (step.left, step.after)
        )
        own = lines[line]
        lefts: tuple[Expr | None, ...] = (own.left,)
        if isinstance(own.left, Partial):
            lefts += (named.get(own.left.wrt),)  # type: ignore[call-overload]
        found = try_step(verifier, own) if after is own.after and left in lefts else None
        if not isinstance(found, StepCertificate):
            return found or Disagreement(
                VerificationMethod.EXACT, float("inf"), float("nan"), float("nan")
            )
        if worst is None or found.error > worst.error:
            worst = found
    assert worst is not None
    return worst


def _round_sum(verifier: Verifier, step: Step) -> StepCertificate | Disagreement:
    """Verify a sum over rounds, by writing every round out."""
    derivation = verifier.derivation
    objective = derivation.model.objective
    by_left: dict[Expr, Gradient] = {
        Partial(objective, g.variable): g for g in derivation.gradients.values()
    }
    by_left.update(derivation.layers.items())
    gradient = by_left.get(step.left)
    if gradient is None or step.before not in (gradient.matrix, gradient.opened):
        return Disagreement(VerificationMethod.EXACT, float("inf"), float("nan"), float("nan"))
    known = (*derivation.model.symbols, *derivation.layers)
    written_out = with_rounds(step.after, derivation.model.lengths, known)
    return verifier.equal(step.before, written_out, *gradient.places)


def _forms_differ(verifier: Verifier) -> str:
    """Return which gradient's index form and matrix form differ; empty when none do."""
    derivation = verifier.derivation
    if derivation.first is not None:
        verifier = verifier.opened
    for gradient in (*derivation.layers.values(), *derivation.gradients.values()):
        if gradient.matrix is None:
            continue
        equal = verifier.equal(gradient.index, gradient.matrix, *gradient.places)
        if isinstance(equal, Disagreement):
            return f"the two forms of the gradient with respect to {gradient.variable.name} differ"
    return ""


def _parted(verifier: Verifier) -> str:
    """Return the complaint that the gradients fail together; empty when they hold."""
    found = verifier.together()
    if isinstance(found, Disagreement):
        return f"the gradients do not give the change of the objective when all moves: {found}"
    return ""


def _proof(verifier: Verifier, thread: Continuity, step: Step) -> StepCertificate:
    found = try_step(verifier, step)
    complaint = thread.follows(step) or (str(found) if isinstance(found, Disagreement) else "")
    if complaint or isinstance(found, Disagreement):
        raise ProofError(
            f"step {step.id} ({step.rule}) could not be certified: "
            f"{step.left!r} = {step.after!r}; {complaint}{_REPORT}"
        )
    return found


def _place(verifier: Verifier, step: Step) -> Positions:
    """Return the entry that two sides refer to, when one of them is a matrix."""
    side = step.left.wrt if isinstance(step.left, Partial) else step.left
    if isinstance(side, Entry):
        return side.places
    if isinstance(side, Symbol):
        return verifier.derivation.places.get(side, (None,) * len(side.shape))
    return None, None
