"""The record of a derivation while it is made: its numbered steps, and names not yet in use."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from chainrule.calculus.derivation.lines import mentioned
from chainrule.calculus.derivation.steps import Claim, Phase, Reason, Step
from chainrule.calculus.graph.node import Expr, Symbol, partials


class StepRecord:
    """Steps in order, numbered from 1, each with the shapes of the matrices on its line.

    Parameters
    ----------
    known : callable
        Returns the symbols whose shapes are noted, in order; called for every step.
    steps : iterable of Step, optional
        Steps that are recorded already.
    """

    def __init__(self, known: Callable[[], Iterable[Symbol]], steps: Iterable[Step] = ()) -> None:
        self._known = known
        self.steps = list(steps)

    def __len__(self) -> int:
        return len(self.steps)

    def extend(self, steps: Iterable[Step]) -> None:
        """Add finished steps, numbered from `next`."""
        self.steps.extend(steps)

    @property
    def next(self) -> int:
        """The number of the next step."""
        return len(self.steps) + 1

    def add(
        self,
        phase: Phase,
        rule: str,
        left: Expr,
        before: Expr,
        after: Expr,
        why: str,
        *,
        question: Expr | None = None,
        factors: tuple[Expr, ...] | None = None,
        reasons: tuple[Reason, ...] = (),
        claim: Claim = Claim.EQUAL,
    ) -> None:
        """Record a step; `factors` are by default the open derivatives in `after`."""
        self.steps.append(
            Step(
                self.next,
                phase,
                rule,
                left,
                before,
                after,
                why,
                question,
                partials(after) if factors is None else factors,
                mentioned(after, self._known()),
                reasons,
                claim,
            )
        )


def unused(candidates: Iterable[str], taken: set[str]) -> str:
    """Return the first candidate that is not taken, and take it."""
    name = next(name for name in candidates if name not in taken)
    taken.add(name)
    return name


__all__ = ["StepRecord", "unused"]
