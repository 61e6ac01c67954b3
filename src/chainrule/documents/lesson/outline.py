"""The outline of a derivation: headings in the order of a lecture."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum

from chainrule.calculus.derivation.steps import Derivation, Phase, Step
from chainrule.calculus.graph.node import Apply, Entry, Expr, Partial, Symbol, running, walk
from chainrule.calculus.ops.own import Own
from chainrule.calculus.ops.sign_analysis import meets_corner, signs
from chainrule.language.typeset import unicode


class GradientForm(Enum):
    """The form of the gradients to show."""

    INDEX = "index"
    MATRIX = "matrix"
    BOTH = "both"


@dataclass(frozen=True)
class DerivationSection:
    """A heading and its steps."""

    title: str
    steps: tuple[Step, ...]


_TITLES = {
    Phase.FUNCTION: "The slopes of the functions defined here",
    Phase.STAGE: "Names for what is nested",
    Phase.CHAIN: "The chain rule",
    Phase.FACTOR: "The factors, one at a time",
    Phase.CURVATURE: "The Hessian",
    Phase.OPENED: "In the letters of the forward pass",
    Phase.RECURSION: "The rounds of the loop",
}


def derivation_sections(
    derivation: Derivation, form: GradientForm = GradientForm.BOTH
) -> Iterator[DerivationSection]:
    """Divide the steps into sections.

    The index form alone ends before the collapse; the matrix form alone goes from the factors to
    the result, without the lines that handle single entries.
    """
    title, group = "", list[Step]()
    for step in derivation.steps:
        if form is GradientForm.INDEX and _is_matrix_step(step):
            continue
        if form is GradientForm.MATRIX and _is_index_step(step):
            continue
        own = _TITLES.get(step.phase) or f"Putting it together: {_variable(step)}"
        if own != title and group:
            yield DerivationSection(title, tuple(group))
            group = []
        title = own
        group.append(step)
    if group:
        yield DerivationSection(title, tuple(group))


def functions(derivation: Derivation) -> Iterator[tuple[Expr | None, Expr | None, str]]:
    """Yield both sides of each user-defined function; for one that is expanded, its text."""
    for function in derivation.model.functions:
        row = function.row
        if isinstance(row, Own):
            yield Apply(row, (row.parameter,)), row.body, function.text
        else:
            yield None, None, function.text


def corners(derivation: Derivation) -> Iterator[str]:
    """Yield where the forward pass is not differentiable, and the subgradient used there."""
    said = set[Expr]()
    known: dict[Expr, frozenset[int]] = {}
    moving: set[Expr] = {gradient.variable for gradient in derivation.gradients.values()}
    for definition in derivation.model.definitions:
        for node in walk(definition.value):
            if not any(arg in moving for arg in node.args):
                continue
            moving.add(node)
            if isinstance(node, Apply) and node not in said and meets_corner(node, known):
                said.add(node)
                line = f", on line {definition.line}," if definition.line else ""
                yield f"{unicode(node)}{line} is not differentiable {node.op.corner}"
        if definition.value in moving:
            moving.add(definition.target)
        known[definition.target] = signs(definition.value, known)


def first_sentence(derivation: Derivation) -> str:
    """Return where the gradients of a second-order forward pass come from; empty else."""
    first = derivation.first
    if first is None:
        return ""
    certified = ", every one verified" if first.proven else ""
    objective, slope = first.model.objective.name, derivation.model.objective.name
    gradients = " and ".join(f"∂{objective}/∂{name}" for name in first.gradients)
    was = "was" if len(first.gradients) == 1 else "were"
    known = {symbol.name for symbol in first.model.inputs}
    directions = [s.name for s in derivation.model.inputs if s.name not in known]
    along = " and ".join(directions)
    return (
        f"{gradients} {was} derived in {len(first.steps)} steps{certified}. {slope} says how steep "
        f"{objective} is along {along}, so the gradient of {slope} is the Hessian times {along}"
    )


def shown_phase(step: Step) -> str:
    """Return the purpose of a step as pages show it: the line that ends a derivation stands out."""
    return (Phase.RESULT if step.concludes else step.phase).value


def _is_matrix_step(step: Step) -> bool:
    if step.phase in (Phase.COLLAPSE, Phase.SHAPE, Phase.OPENED):
        return True
    whole = isinstance(step.left, Partial) and isinstance(step.left.wrt, Symbol)
    return step.phase is Phase.RESULT and whole and step.left.wrt.shape != (1, 1)  # type: ignore[attr-defined]


def _is_index_step(step: Step) -> bool:
    handled = (Phase.ENTRY, Phase.SUBSTITUTE, Phase.SIMPLIFY, Phase.COLLAPSE)
    return step.phase in handled and isinstance(step.left, Partial) and bool(running(step.left))


def _variable(step: Step) -> str:
    side = step.left.wrt if isinstance(step.left, Partial) else step.left
    matrix = side.matrix if isinstance(side, Entry) else side
    return matrix.name if isinstance(matrix, Symbol) else ""
