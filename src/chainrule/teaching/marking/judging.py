"""Judging one equals sign: two expressions, their shapes, their indices, and the ladder."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from chainrule.calculus.derivation.steps import Certificate, Derivation
from chainrule.calculus.graph.dims import SCALAR, Shape, written
from chainrule.calculus.graph.model import Model
from chainrule.calculus.graph.node import Expr, Number, Position, Symbol, running, symbols
from chainrule.calculus.ops import broadcast, transpose
from chainrule.calculus.proof.evidence import Disagreement
from chainrule.calculus.proof.ladder import Laboratory
from chainrule.errors import ModelError
from chainrule.teaching.marking.derived import derived
from chainrule.teaching.marking.sheet import Sheet

MOST_TRIES = 2000
"""After so many equations the places are drawn again, so that memory stays bounded."""


class Outcome(Enum):
    """What became of an equals sign."""

    PROVEN = "proven"
    WRONG = "wrong"
    SHAPE = "shape"
    SCOPE = "scope"
    UNPROVEN = "unproven"
    UNREADABLE = "unreadable"


@dataclass(frozen=True)
class Finding:
    """The judgement of one equals sign.

    Parameters
    ----------
    outcome : Outcome
        What became of it.
    why : str
        The reason or the evidence, in a sentence.
    left, right : float or None
        Two numbers that differ, at the same place.
    certificate : Certificate or None
        The proof, where there is one.
    note : str
        What is right with a reservation: another layout, another convention.
    """

    outcome: Outcome
    why: str
    left: float | None = None
    right: float | None = None
    certificate: Certificate | None = None
    note: str = ""

    @property
    def holds(self) -> bool:
        """Whether the two sides are equal, and that is proven."""
        return self.outcome is Outcome.PROVEN


TRANSPOSED = "right in Jacobian layout; the gradient has the shape of {name}, {shape}"


class Judge:
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
        self.laboratory = Laboratory(self.derivation)
        self._tries = 0
        self._certified: dict[Symbol, bool] = {}

    def equal(
        self,
        sheet: Sheet,
        left: Expr,
        right: Expr,
        name: Symbol | None = None,
        *,
        carried: bool = False,
        guard: Expr | None = None,
    ) -> Finding:
        """Judge ``left = right``.

        Parameters
        ----------
        sheet : Sheet
            With the stand-ins of both sides.
        left, right : Expr
            Matrices, or index forms.
        name : Symbol, optional
            The variable whose gradient `left` is, for what is said of layouts.
        carried : bool
            Judge by what follows from the wrong claims made before.
        guard : Expr, optional
            What is 1 where the equation is claimed and 0 elsewhere.
        """
        for variable in self._gradients_in(sheet, left, right, name):
            if not self._is_certified(sheet, variable):
                return Finding(
                    Outcome.UNPROVEN,
                    f"the gradient for {variable.name} itself could not be certified here",
                )
        left, right = (sheet.meant(side, carried=carried) for side in (left, right))
        if guard is not None and left.shape == right.shape == SCALAR:
            left, right = guard * left, guard * right
        if left.shape == right.shape:
            return self._tried(sheet, left, right, carried)
        if right.shape == SCALAR and not running(left):
            constant = broadcast(right, left.shape)
            found = self._tried(sheet, left, constant, carried)
            if found.holds and (isinstance(right, Number) or 1 in left.shape):
                return found
        if right.shape == left.shape[::-1]:
            found = self._tried(sheet, left, transpose(right), carried)
            if found.holds:
                whose = name.name if name is not None else "the left side"
                note = TRANSPOSED.format(name=whose, shape=written(left.shape))
                return Finding(Outcome.PROVEN, found.why, certificate=found.certificate, note=note)
        return Finding(Outcome.SHAPE, _shapes(left.shape, right.shape, bool(running(left))))

    def _gradients_in(
        self, sheet: Sheet, left: Expr, right: Expr, name: Symbol | None
    ) -> set[Symbol]:
        """Return the variables whose gradients the two sides speak of."""
        found = {sheet.gradients[s] for s in symbols(left) | symbols(right) if s in sheet.gradients}
        return found if name is None else found | {name}

    def _is_certified(self, sheet: Sheet, variable: Symbol) -> bool:
        """Whether what answers are compared with agrees with differences of the objective."""
        if variable is self.model.objective:
            return True
        if variable not in self._certified:
            try:
                found = self.laboratory.derivative(
                    self.model.objective, variable, sheet.truth(variable), total=True
                )
            except ModelError:
                found = None
            self._certified[variable] = isinstance(found, Certificate)
        return self._certified[variable]

    def _tried(self, sheet: Sheet, left: Expr, right: Expr, carried: bool) -> Finding:
        row: Position = None
        col: Position = None
        if sheet.has_stand_ins(left) or sheet.has_stand_ins(right):
            row, col = (sheet.letters.free(dim) for dim in left.shape)
            left, right = sheet.opened(left, row, col), sheet.opened(right, row, col)
            left, right = (sheet.meant(side, carried=carried) for side in (left, right))
            left, right = sheet.filled(left), sheet.filled(right)
        loose = running(right) - running(left) - {row, col}
        if loose:
            letters = ", ".join(sorted(index.name for index in loose))
            return Finding(
                Outcome.SCOPE,
                f"the index {letters} on the right belongs to no sum and is not free on the left: "
                f"a sum over {letters} is missing",
            )
        self._tries += 1
        if self._tries % MOST_TRIES == 0:  # a laboratory remembers all that it was shown
            self.laboratory = Laboratory(self.derivation)
        try:
            found = self.laboratory.equal(left, right, row, col)
        except ModelError as error:
            return Finding(Outcome.UNPROVEN, str(error))
        except (ValueError, OverflowError):  # such as the ninth of five entries
            return Finding(Outcome.UNPROVEN, "this has no value at the sizes that are tried")
        if isinstance(found, Disagreement):
            numbers = f"{found.left:.6g} against {found.right:.6g}"
            return Finding(Outcome.WRONG, f"not equal: {numbers}", found.left, found.right)
        return Finding(Outcome.PROVEN, str(found), certificate=found)


def _shapes(left: Shape, right: Shape, entry: bool) -> str:
    if entry:
        return f"the left side is one entry, the right side is {written(right)}"
    if SCALAR in (left, right) and left != right:
        one, other = ("left", right) if left == SCALAR else ("right", left)
        return f"the {one} side is one number, the other is {written(other)}"
    return f"the left side is {written(left)}, the right side is {written(right)}"
