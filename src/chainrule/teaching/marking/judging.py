"""Judging one equals sign: the shapes, the indices and the values of two expressions."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from chainrule.calculus.derivation.steps import Derivation, StepCertificate
from chainrule.calculus.graph.dims import SCALAR, Shape, written
from chainrule.calculus.graph.model import Model
from chainrule.calculus.graph.node import Expr, Number, Position, Symbol, running, symbols
from chainrule.calculus.ops import broadcast, transpose
from chainrule.calculus.proof.evidence import Disagreement
from chainrule.calculus.proof.verifier import Verifier
from chainrule.errors import ChainruleError, ModelError
from chainrule.teaching.marking.derivation_cache import derived
from chainrule.teaching.marking.line_context import LineContext

MOST_TRIES = 2000
"""The number of equations after which points are drawn again, to bound memory."""


class EqualityOutcome(Enum):
    """The outcome of judging an equals sign."""

    PROVEN = "proven"
    WRONG = "wrong"
    SHAPE = "shape"
    SCOPE = "scope"
    UNPROVEN = "unproven"
    UNREADABLE = "unreadable"


@dataclass(frozen=True)
class Finding:
    """The judgement of one equals sign, with its evidence.

    Parameters
    ----------
    outcome : EqualityOutcome
        The outcome.
    why : str
        The reason or the evidence, in a sentence.
    left, right : float or None
        Two numbers that differ, at the same place.
    certificate : StepCertificate or None
        The proof, where there is one.
    note : str
        A reservation: another layout, another convention.
    """

    outcome: EqualityOutcome
    why: str
    left: float | None = None
    right: float | None = None
    certificate: StepCertificate | None = None
    note: str = ""

    @property
    def holds(self) -> bool:
        """Whether the two sides are verified to be equal."""
        return self.outcome is EqualityOutcome.PROVEN


TRANSPOSED = "right in Jacobian layout; the gradient has the shape of {name}, {shape}"


class EqualityJudge:
    """Judges equalities over one forward pass.

    Parameters
    ----------
    model : Model
        As its author wrote it.
    """

    def __init__(self, model: Model) -> None:
        self.author = model
        anything = next((s for s in model.inputs), model.objective)
        self.derivation: Derivation = derived(model, anything.name)
        self.model = self.derivation.model
        self.verifier = Verifier(self.derivation)
        self._tries = 0
        self._certified: dict[Symbol, bool] = {}

    def equal(
        self,
        context: LineContext,
        left: Expr,
        right: Expr,
        name: Symbol | None = None,
        *,
        carried: bool = False,
        guard: Expr | None = None,
    ) -> Finding:
        """EqualityJudge ``left = right``.

        Parameters
        ----------
        context : LineContext
            With the placeholders of both sides.
        left, right : Expr
            Matrices, or index forms.
        name : Symbol, optional
            The variable whose gradient `left` is, for what is said of layouts.
        carried : bool
            EqualityJudge by what follows from the wrong claims made before.
        guard : Expr, optional
            An indicator of where the equation is claimed.
        """
        for variable in self._gradients_in(context, left, right, name):
            if not self._is_certified(context, variable):
                return Finding(
                    EqualityOutcome.UNPROVEN,
                    f"the gradient with respect to {variable.name} could not be verified here",
                )
        left, right = (context.meant(side, carried=carried) for side in (left, right))
        if guard is not None and left.shape == right.shape == SCALAR:
            left, right = guard * left, guard * right
        if left.shape == right.shape:
            return self._tried(context, left, right, carried)
        if right.shape == SCALAR and not running(left):
            constant = broadcast(right, left.shape)
            found = self._tried(context, left, constant, carried)
            if found.holds and (isinstance(right, Number) or 1 in left.shape):
                return found
        if right.shape == left.shape[::-1]:
            found = self._tried(context, left, transpose(right), carried)
            if found.holds:
                whose = name.name if name is not None else "the left side"
                note = TRANSPOSED.format(name=whose, shape=written(left.shape))
                return Finding(
                    EqualityOutcome.PROVEN, found.why, certificate=found.certificate, note=note
                )
        return Finding(EqualityOutcome.SHAPE, _shapes(left.shape, right.shape, bool(running(left))))

    def _gradients_in(
        self, context: LineContext, left: Expr, right: Expr, name: Symbol | None
    ) -> set[Symbol]:
        """Return the variables whose gradients occur on the two sides."""
        found = {
            context.gradients[s] for s in symbols(left) | symbols(right) if s in context.gradients
        }
        return found if name is None else found | {name}

    def _is_certified(self, context: LineContext, variable: Symbol) -> bool:
        """Whether the reference gradient agrees with finite differences of the objective."""
        if variable is self.model.objective:
            return True
        if variable not in self._certified:
            try:
                found = self.verifier.derivative(
                    self.model.objective,
                    variable,
                    context.claims.unscaled(variable, context.truth(variable)),
                    total=True,
                )
            except ModelError:
                found = None
            self._certified[variable] = isinstance(found, StepCertificate)
        return self._certified[variable]

    def _tried(self, context: LineContext, left: Expr, right: Expr, carried: bool) -> Finding:
        row: Position = None
        col: Position = None
        if context.has_placeholders(left) or context.has_placeholders(right):
            row, col = (context.letters.free(dim) for dim in left.shape)
            left, right = context.opened(left, row, col), context.opened(right, row, col)
            left, right = (context.meant(side, carried=carried) for side in (left, right))
            left, right = context.filled(left), context.filled(right)
        loose = running(right) - running(left) - {row, col}
        if loose:
            letters = ", ".join(sorted(index.name for index in loose))
            return Finding(
                EqualityOutcome.SCOPE,
                f"the index {letters} on the right belongs to no sum and is not free on the left: "
                f"a sum over {letters} is missing",
            )
        self._tries += 1
        if self._tries % MOST_TRIES == 0:  # a verifier remembers all that it was shown
            self.verifier = Verifier(self.derivation)
        try:
            found = self.verifier.equal(left, right, row, col)
        except ChainruleError as error:
            return Finding(EqualityOutcome.UNPROVEN, str(error))
        except (ValueError, OverflowError):  # such as the ninth of five entries
            return Finding(
                EqualityOutcome.UNPROVEN, "this has no value at the sizes that are tried"
            )
        if isinstance(found, Disagreement):
            numbers = f"{found.left:.6g} against {found.right:.6g}"
            return Finding(EqualityOutcome.WRONG, f"not equal: {numbers}", found.left, found.right)
        return Finding(EqualityOutcome.PROVEN, str(found), certificate=found)


def _shapes(left: Shape, right: Shape, entry: bool) -> str:
    if entry:
        return f"the left side is one entry, the right side is {written(right)}"
    if SCALAR in (left, right) and left != right:
        one, other = ("left", right) if left == SCALAR else ("right", left)
        return f"the {one} side is one number, the other is {written(other)}"
    return f"the left side is {written(left)}, the right side is {written(right)}"
