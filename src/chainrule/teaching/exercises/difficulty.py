"""Difficulty of an exercise, counted from its derivation."""

from __future__ import annotations

from dataclasses import dataclass

from chainrule.calculus.derivation.chain import Paths
from chainrule.calculus.derivation.steps import Derivation, Phase
from chainrule.calculus.graph.node import Apply, Expr, walk

FORK = 2
BROADCAST = 2
COLLAPSE = 3
WHOLE = 2
PLAIN = ("matmul", "transpose", "broadcast", "sum", "squared_norm")
"""Operations on whole arrays that every course begins with."""


@dataclass(frozen=True)
class Difficulty:
    """The counts that make up the difficulty of a derivation.

    Parameters
    ----------
    rules : int
        Derivative rules used.
    forks : int
        Values that are used in more than one place on the way, so that paths add.
    broadcast : bool
        Whether something was repeated, so that its gradients add.
    collapse : bool
        Whether sums over an index had to become products of matrices.
    opened : int
        What had to be written out entry by entry, or named, before a rule could be used.
    whole : int
        Operations on whole arrays besides products and sums: softmax, inverse, windows, maximum.
    """

    rules: int
    forks: int
    broadcast: bool
    collapse: bool
    opened: int
    whole: int = 0

    @property
    def score(self) -> int:
        """The difficulty as one number."""
        return (
            self.rules
            + FORK * self.forks
            + BROADCAST * self.broadcast
            + COLLAPSE * self.collapse
            + self.opened
            + WHOLE * self.whole
        )

    def __str__(self) -> str:
        parts = [f"{self.rules} use{'s' if self.rules != 1 else ''} of a rule"]
        if self.forks:
            parts.append(f"{self.forks} fork{'s' if self.forks > 1 else ''}")
        if self.broadcast:
            parts.append("a broadcast")
        if self.collapse:
            parts.append("a collapse to matrix form")
        if self.opened:
            parts.append(f"{self.opened} written out or named")
        if self.whole:
            parts.append(f"{self.whole} on a whole array")
        return f"{self.score} ({', '.join(parts)})"


def difficulty(derivation: Derivation) -> Difficulty:
    """Count what makes a derivation hard.

    Examples
    --------
    >>> from chainrule.calculus.derivation.derive import derivation_of
    >>> from chainrule.language.reading import load_model
    >>> print(difficulty(derivation_of(load_model("logistic_batch"))))
    15 (9 uses of a rule, a broadcast, a collapse to matrix form, 1 written out or named)
    """
    steps = derivation.steps
    reasons = [reason.rule for step in steps for reason in step.reasons]
    return Difficulty(
        rules=len(reasons),
        forks=_forks(derivation),
        broadcast="un-broadcast" in reasons,
        collapse=any(step.phase is Phase.COLLAPSE for step in steps),
        opened=sum(
            step.phase is Phase.STAGE or step.rule == "write one entry out" for step in steps
        ),
        whole=_whole(derivation),
    )


def _whole(derivation: Derivation) -> int:
    """Count the operations on the way to the variables that work on whole arrays."""
    moved: set[Expr] = {gradient.variable for gradient in derivation.gradients.values()}
    found = 0
    for definition in derivation.model.definitions:
        for node in walk(definition.value):
            if isinstance(node, Apply) and moved.intersection(node.args):
                moved.add(node)
                found += not node.op.elementwise and node.op.name not in PLAIN
        if definition.value in moved:
            moved.add(definition.target)
    return found


def _forks(derivation: Derivation) -> int:
    paths = Paths(derivation.model)
    below = {gradient.variable for gradient in derivation.gradients.values()}
    for target, used in paths.mentions.items():
        if used & below:
            below.add(target)
    return sum(len(paths.consumers(symbol)) > 1 for symbol in below)
