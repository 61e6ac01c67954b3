"""The record of a derivation while it is made: its numbered steps, and names not yet in use."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace

from chainrule.calculus.derivation.lines import mentioned
from chainrule.calculus.derivation.steps import Claim, Phase, Reason, Step
from chainrule.calculus.graph.node import Expr, Symbol, partials
from chainrule.calculus.graph.replacement import Replacement


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
        replacement: Replacement | None = None,
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
                replacement=replacement,
            )
        )

    def conclude(self, left: Expr, final: Expr, rule: str, why: str, note: str = "") -> None:
        """Let the last line about a gradient end its derivation; add one where none says it.

        Parameters
        ----------
        left : Expr
            The derivative.
        final : Expr
            The gradient.
        rule, why : str
            The rule and the reason, for a line that has to be added.
        note : str, optional
            What follows from here on, after the reason.
        """
        place = self._place_of(left, final)
        if place is None:
            place = len(self.steps)
            self.add(Phase.RESULT, rule, left, final, final, why)
        last = self.steps[place]
        why = f"{last.why}; {note}" if note else last.why
        self.steps[place] = replace(last, why=why, claim=Claim.DERIVATIVE, concludes=True)

    def introduce(self, name: Symbol, begins: int) -> None:
        """Say in the lines of a block, from `begins` on, that its gradient gets a name."""
        chains = (k for k in range(begins, len(self.steps)) if self.steps[k].phase is Phase.CHAIN)
        first = next(chains, None)
        last = next(k for k in reversed(range(len(self.steps))) if self.steps[k].concludes)
        notes = {last: f"from here on it is called {name.name}"}
        if first is not None and first != last:
            notes[first] = f"write {name.name} for this gradient"
        for k, note in notes.items():
            self.steps[k] = replace(self.steps[k], why=f"{self.steps[k].why}; {note}")

    def _place_of(self, left: Expr, final: Expr) -> int | None:
        """Return which step says already what a gradient is, if the last about it does."""
        about = (k for k in reversed(range(len(self.steps))) if self.steps[k].left is left)
        place = next(about, None)
        return place if place is not None and self.steps[place].after is final else None


def unused(candidates: Iterable[str], taken: set[str]) -> str:
    """Return the first candidate that is not taken, and take it."""
    name = next(name for name in candidates if name not in taken)
    taken.add(name)
    return name


__all__ = ["StepRecord", "unused"]
