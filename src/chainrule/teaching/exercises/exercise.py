"""An exercise: a forward pass, the variables that are asked for, and its source."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property

from chainrule.calculus.derivation.steps import Derivation
from chainrule.calculus.graph.model import Model
from chainrule.calculus.graph.node import Symbol
from chainrule.deriving import derive
from chainrule.teaching.exercises.domains import domain_in

LEVELS = {
    "A": "one number at a time",
    "B": "one example at a time",
    "C": "many examples at once",
    "D": "networks",
    "E": "normalise, recur, attend",
    "F": "further afield",
    "G": "about derivations",
}
"""The levels of the bank, easiest first; G asks about derivations of any level."""


@dataclass(frozen=True)
class Exercise:
    """One exercise of the bank, or a variant.

    Parameters
    ----------
    id : str
        A short name that never changes.
    title : str
        The subject in a few words.
    level : str
        A letter of `LEVELS`.
    topic : str
        The topic that it belongs to.
    model : Model
        The forward pass; its `asked` are the variables of the exercise.
    ask : str
        The wording.
    source : str
        The source of the problem.
    hints : tuple of str
        Hints that the derivation does not contain.
    kinds : tuple of str
        The kinds of question that it is for; empty where any kind will do.
    seed : int or None
        The seed of a variant.
    base : str
        The exercise of which this is a variant.
    domains : mapping of str to str
        The domain of each input, by its name; a name of `domains.DOMAINS`.
    asks : mapping of str to str
        The wording for one variable, where it differs from `ask`.
    forms : mapping of str to str
        For a variable, the form of its gradient that the question is about, such as ``P - Q``. It
        is compared with the derived gradient before it is shown.
    why, because : str
        A question about the reason for something, and its answer.
    instead : tuple of str
        Wrong answers to the question why.
    changed : tuple of str
        What differs from the base, for a variant.
    """

    id: str
    title: str
    level: str
    topic: str
    model: Model
    ask: str
    source: str
    hints: tuple[str, ...] = ()
    kinds: tuple[str, ...] = ()
    seed: int | None = None
    base: str = ""
    domains: Mapping[str, str] = field(default_factory=dict)
    asks: Mapping[str, str] = field(default_factory=dict)
    forms: Mapping[str, str] = field(default_factory=dict)
    why: str = ""
    because: str = ""
    instead: tuple[str, ...] = ()
    changed: tuple[str, ...] = ()

    @cached_property
    def derivation(self) -> Derivation:
        """The derivation of everything that is asked, with every step verified."""
        return derive(self.model)

    @property
    def variables(self) -> tuple[str, ...]:
        """The names of the variables that the exercise asks for."""
        return tuple(dict.fromkeys(symbol.name for symbol in self.model.parameters()))

    def wording(self, variable: str) -> str:
        """Return the wording of the question for the gradient of one variable."""
        return self.asks.get(variable, self.ask)

    def domain_of(self, symbol: Symbol) -> str:
        """Return the domain of an input: from the file, from the labels, or from its note."""
        for labels in self.model.onehot:
            if labels.symbol is symbol:
                return f"one-hot axis={labels.axis}"
        note = self.model.notes.get(symbol.name, "")
        return self.domains.get(symbol.name) or domain_in(note)

    def about(self, variable: str) -> Exercise:
        """Return the exercise with one of its variables alone."""
        asked = tuple(a for a in self.model.asked if a.symbol.name == variable)
        return replace(self, model=replace(self.model, asked=asked or self.model.asked))


@dataclass(frozen=True)
class Topic:
    """The exercises of one file of the bank."""

    name: str
    title: str
    level: str
    exercises: tuple[Exercise, ...]
