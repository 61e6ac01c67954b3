"""Verification of claims: exact arithmetic, float64, fifty digits, finite differences.

Equality of two expressions is tried exactly first, with every name as a random atom. Only when that
does not agree are the names expanded, in float64 and, where float64 is undecided, in fifty digits.
A claim about a derivative is compared with finite differences of the forward pass, along a random
direction and with random weights. The certificate names the method that decided.
"""

from __future__ import annotations

from dataclasses import replace
from functools import cached_property

from chainrule.calculus.derivation.own import function_model, own_rows
from chainrule.calculus.derivation.steps import Claim, Derivation, Phase, Step, StepCertificate
from chainrule.calculus.graph.model import Definition
from chainrule.calculus.graph.node import Apply, Expr, Position
from chainrule.calculus.proof.difference_quotients import DifferenceQuotients
from chainrule.calculus.proof.equality import Equality
from chainrule.calculus.proof.evidence import SEED, Disagreement
from chainrule.calculus.proof.random_points import RandomPoints


class Verifier:
    """Verifies the claims of one derivation; built once, used for every step.

    Parameters
    ----------
    derivation : Derivation
        The derivation whose names, answers and layers occur in the claims.
    seed : int, optional
        Seed for the random points.
    start : RandomPoints, optional
        The points of a shorter forward pass of the same inputs, to go on from.
    """

    def __init__(
        self, derivation: Derivation, seed: int = SEED, start: RandomPoints | None = None
    ) -> None:
        self.derivation = derivation
        self.judged: dict[int, tuple[Step, StepCertificate | Disagreement]] = {}
        """The steps that were judged so far, by number."""
        self.points = RandomPoints(derivation, seed, start)
        self._equality = Equality(self.points)
        self._slopes = DifferenceQuotients(self.points)

    def of(self, step: Step) -> Verifier:
        """Return the verifier for a step.

        The derivative of a user function is verified with that function as the whole forward
        pass, and claims without names of gradients are verified with these expanded.
        """
        if step.phase is Phase.FUNCTION:
            return self._alone[step.left]
        real = step.phase is Phase.CURVATURE or step.claim is Claim.OPENED
        return self.opened if real else self

    @cached_property
    def opened(self) -> Verifier:
        """The verifier in which named gradients are definitions like others."""
        defined = [
            Definition(name, gradient.matrix)
            for name, gradient in self.derivation.layers.items()
            if gradient.matrix is not None
        ]
        model = self.derivation.model
        model = replace(model, definitions=(*model.definitions, *defined))
        # Gradients of gradients are measured by differences, which need points of their own.
        start = self.points if self.derivation.first is None else None
        return Verifier(replace(self.derivation, model=model, layers={}), start=start)

    @cached_property
    def _alone(self) -> dict[Expr, Verifier]:
        """For the derivative of each user function, the verifier of the function alone."""
        return {
            Apply(row.slope, (row.parameter,)): Verifier(Derivation(function_model(row), (), {}))
            for row in own_rows(self.derivation.model.values.values())
        }

    def equal(self, left: Expr, right: Expr, *places: Position) -> StepCertificate | Disagreement:
        """Compare two expressions; a matrix or a tensor stands for its entry at `places`."""
        return self._equality.judge(left, right, places or (None, None))

    def derivative(
        self, of: Expr, wrt: Expr, claimed: Expr, *, total: bool = False
    ) -> StepCertificate | Disagreement:
        """Compare `claimed` with the derivative of one symbol or entry with respect to another.

        Parameters
        ----------
        of, wrt : Expr
            Symbols or entries. A matrix as a whole is meant entry by entry.
        claimed : Expr
            An index form, or a matrix form of the shape of `wrt`.
        total : bool
            Whether all moves that follows from `wrt`, and not one definition alone.
        """
        return self._slopes.judge(of, wrt, claimed, total=total)

    def together(self) -> StepCertificate | Disagreement:
        """Compare all gradients with one finite difference of the whole objective."""
        return self._slopes.together()
