"""The answers of open derivatives in the lines of a derivation."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from chainrule.calculus.derivation.steps import Derivation
from chainrule.calculus.graph.node import Expr, Partial, Symbol, entry, walk


class AnswerTable(Mapping[Expr, Expr]):
    """Answers by open derivative; a whole derivative is found by its entry.

    Parameters
    ----------
    derivation : Derivation
        Whose answers.
    """

    def __init__(self, derivation: Derivation) -> None:
        self.derivation = derivation

    def __getitem__(self, partial: Expr) -> Expr:
        answers = self.derivation.answers
        if partial in answers:
            return answers[partial]
        if isinstance(partial, Partial) and isinstance(partial.wrt, Symbol):
            place = self.derivation.places.get(partial.wrt)
            if place is not None:
                return answers[Partial(partial.of, entry(partial.wrt, *place))]
        raise KeyError(partial)

    def __contains__(self, partial: object) -> bool:
        try:
            self[partial]  # type: ignore[index]
        except KeyError:
            return False
        return True

    def __iter__(self) -> Iterator[Expr]:
        return iter(self.derivation.answers)

    def __len__(self) -> int:
        return len(self.derivation.answers)

    def nodes(self, *sides: Expr) -> Iterator[Expr]:
        """Yield every node of a few expressions, and of the answers to their open derivatives."""
        waiting, seen = list(sides), set[Expr]()
        while waiting:
            for node in walk(waiting.pop()):
                if node in seen:
                    continue
                seen.add(node)
                yield node
                if isinstance(node, Partial) and node in self:
                    waiting.append(self[node])
