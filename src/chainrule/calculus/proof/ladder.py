"""The equality ladder: exact, float64, fifty digits, finite differences.

A claim that two expressions are equal is tried exactly first, with every name as a random atom.
Only when that does not agree are the names opened, in float64 and, where float64 is undecided, in
fifty digits. A claim about a derivative is judged by finite differences of the forward pass, along
a random direction and against random weights. The certificate says which rung decided.
"""

from __future__ import annotations

from dataclasses import replace
from functools import cached_property

from chainrule.calculus.derivation.own import function_model, own_rows
from chainrule.calculus.derivation.steps import Certificate, Claim, Derivation, Phase, Step
from chainrule.calculus.graph.model import Definition
from chainrule.calculus.graph.node import Apply, Expr, Position
from chainrule.calculus.proof.equality import Equality
from chainrule.calculus.proof.evidence import SEED, Disagreement
from chainrule.calculus.proof.places import Places
from chainrule.calculus.proof.slopes import Slopes


class Laboratory:
    """Where the claims of one derivation are tried; built once, used for every step.

    Parameters
    ----------
    derivation : Derivation
        Whose names, answers and layers the claims speak of.
    seed : int, optional
        Of the random places.
    """

    def __init__(self, derivation: Derivation, seed: int = SEED) -> None:
        self.derivation = derivation
        places = Places(derivation, seed)
        self._equality, self._slopes = Equality(places), Slopes(places)

    def of(self, step: Step) -> Laboratory:
        """Return the laboratory in which a step is tried.

        The slope of a function is tried where that function is the whole forward pass, and what is
        written without the names of gradients where these are what they stand for.
        """
        if step.phase is Phase.FUNCTION:
            return self._alone[step.left]
        real = step.phase is Phase.CURVATURE or step.claim is Claim.OPENED
        return self.opened if real else self

    @cached_property
    def opened(self) -> Laboratory:
        """The laboratory in which the gradients with names are definitions like others."""
        defined = [
            Definition(name, gradient.matrix)
            for name, gradient in self.derivation.layers.items()
            if gradient.matrix is not None
        ]
        model = self.derivation.model
        model = replace(model, definitions=(*model.definitions, *defined))
        return Laboratory(replace(self.derivation, model=model, layers={}))

    @cached_property
    def _alone(self) -> dict[Expr, Laboratory]:
        """For the slope of each function, the laboratory of the function alone."""
        return {
            Apply(row.slope, (row.parameter,)): Laboratory(Derivation(function_model(row), (), {}))
            for row in own_rows(self.derivation.model.values.values())
        }

    def equal(
        self, left: Expr, right: Expr, row: Position = None, col: Position = None
    ) -> Certificate | Disagreement:
        """Try whether two expressions are equal; a matrix stands for its entry (row, col)."""
        return self._equality.judge(left, right, row, col)

    def derivative(
        self, of: Expr, wrt: Expr, claimed: Expr, *, total: bool = False
    ) -> Certificate | Disagreement:
        """Try whether `claimed` is the derivative of one symbol or entry by another.

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

    def together(self) -> Certificate | Disagreement:
        """Try all gradients of the derivation by one difference of the whole objective."""
        return self._slopes.together()
