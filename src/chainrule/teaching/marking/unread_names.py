r"""Names of a text whose definitions were not read.

Such a name is an undefined one in the forward pass: ``\lambda`` beside ``\ln \lambda = x^T \beta``
is a value of its own there. A line may be wrong or right through it alone, so what depends on it is
not called wrong, and what may move it is not called right.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from chainrule.calculus.derivation.sensitivity import on_paths
from chainrule.calculus.graph.model import Model
from chainrule.calculus.graph.node import Symbol, symbols
from chainrule.language.answers import Lexicon, spelled
from chainrule.language.reading.examples import reference
from chainrule.language.reading.names import scan
from chainrule.teaching.marking.transcript import TranscriptStatement, equals_signs

MOST_GLUED = 3
"""The most letters that touch and are read as names of their own; more are a word."""

_COMMAND = re.compile(r"\\[A-Za-z]+")
_DERIVED = re.compile(
    r"∂|∇|\\partial(?![A-Za-z])|\\nabla(?![A-Za-z])|\\delta(?![A-Za-z])|δ|['’′]|\\prime"
    r"|(?<![A-Za-z\\])d[A-Za-z_\\]|\\mathrm\s*\{\s*d\s*\}|\bgrad"
)


def names_in(text: str) -> Iterator[str]:
    """Yield the canonical names in a text, and the bases of those with indices."""
    at = 0
    while at < len(text):
        found = scan(text, at)
        if found is None:
            command = _COMMAND.match(text, at)
            at = command.end() if command else at + 1
            continue
        yield found.canonical
        inner = reference(found.canonical)
        if inner is not None:
            yield inner.base
        at = found.end


@dataclass(frozen=True)
class UnreadNames:
    """The names of a forward pass whose definitions were not read.

    Parameters
    ----------
    model : Model
        The forward pass, in which they are inputs.
    lines : mapping of Symbol to int
        The line of the definition of each.
    sources : mapping of Symbol to frozenset of Symbol
        The values that each may depend on.
    """

    model: Model
    lines: Mapping[Symbol, int]
    sources: Mapping[Symbol, frozenset[Symbol]]

    def reason(self, text: str, *, right: bool) -> str:
        """Return why a line is not judged; empty where it may be.

        Parameters
        ----------
        text : str
            The line, with the sides that it goes on with.
        right : bool
            Whether it is right as far as these names are values of their own. It is then in doubt
            only where a derivative may reach what such a name is defined by.
        """
        if not self.lines:
            return ""
        named = _symbols(self.model, text)
        derived = _DERIVED.search(text) is not None
        reached = _behind(self.model, named | {self.model.objective} if derived else named)
        for symbol, line in self.lines.items():
            if symbol not in reached:
                continue
            if not right or (derived and named & self.sources[symbol] - {symbol}):
                return (
                    f"depends on {symbol.name}, whose definition on line {line} was not read; "
                    f"write {symbol.name} = ... in another form"
                )
        return ""


def unread_names(
    model: Model,
    refused: Sequence[TranscriptStatement],
    rest: Sequence[TranscriptStatement],
) -> UnreadNames:
    r"""Find the names whose definitions were refused, or stand in an equation that was not solved.

    Parameters
    ----------
    model : Model
        The forward pass.
    refused : sequence of TranscriptStatement
        The definitions that were not read.
    rest : sequence of TranscriptStatement
        The other statements, among them equations such as ``\ln \lambda = x^T \beta``.
    """
    lines: dict[Symbol, int] = {}
    sources: dict[Symbol, frozenset[Symbol]] = {}
    for said in (*refused, *rest):
        cuts = equals_signs(said.text)
        if not cuts:
            continue
        left, right = said.text[: cuts[0]], said.text[cuts[0] + 1 :]
        target = _undefined(model, _argument(model, left, right) or left)
        if target is None or target in lines:
            continue
        others = _symbols(model, right) - {target}
        if said not in refused and not _settles(model, said, target, others):
            continue
        lines[target] = said.line
        sources[target] = frozenset(
            one for one in model.symbols if any(on_paths(model, other, one) for other in others)
        ) | frozenset(_behind(model, others))
    return UnreadNames(model, lines, sources)


_APPLIED = re.compile(r"\s*\\?[A-Za-z]+\s*(?:\^\s*\{\s*-\s*1\s*\}\s*)?\((?P<of>[^()=,]+)\)[\s&]*")
"""A function of one value, as in ``g(\\mu)``."""


def _argument(model: Model, left: str, right: str) -> str:
    r"""Return the argument of a function on the left, where the right side is free of it.

    Then ``g(\mu) = x^T \beta`` defines μ, not a function.
    """
    called = _APPLIED.fullmatch(left)
    if called is None or not _symbols(model, right):
        return ""
    if model.objective in _symbols(model, left):
        return ""  # J(w) = ..., where w stands in a value that the right side names
    inner = _symbols(model, called["of"])
    return "" if inner & _behind(model, _symbols(model, right)) else called["of"]


def _undefined(model: Model, left: str) -> Symbol | None:
    """Return the one name on a left side, where it is an input of the forward pass."""
    found = _symbols(model, left)
    if len(found) != 1 or _DERIVED.search(left):
        return None
    (symbol,) = found
    return symbol if symbol in model.inputs else None


def _settles(model: Model, said: TranscriptStatement, target: Symbol, others: set[Symbol]) -> bool:
    """Whether an equation other than a refused definition gives the value of an input."""
    if said.code or said.continues or not others or _DERIVED.search(said.text):
        return False
    left = said.text[: equals_signs(said.text)[0]]
    try:
        spelled(left)
    except ValueError:
        return True  # a function of it, as in \ln λ = x β
    # The solution w = (X^T X)^-1 X^T y does not define w: the loss has w beside X and y.
    return not others & _beside(model, target)


def _beside(model: Model, target: Symbol) -> set[Symbol]:
    """Return the symbols that stand beside an input in the definitions that use it."""
    found: set[Symbol] = set()
    for definition in model.definitions:
        here = symbols(definition.value)
        if target in here:
            found |= here
    return found - {target}


def _symbols(model: Model, text: str) -> set[Symbol]:
    """Return the symbols of a forward pass that a text names, also behind a d."""
    lexicon = Lexicon(model)
    found: set[Symbol] = set()
    for name in names_in(text):
        short = name.removeprefix("d").removeprefix("_")
        meanings = [lexicon.find(one) for one in (name, short) if one]
        if not any(meanings) and name.isalpha() and len(name) <= MOST_GLUED:
            meanings = [lexicon.find(letter) for letter in name]  # M v without a space
        found |= {meaning.symbol for meaning in meanings if meaning is not None}
    return found & set(model.symbols)


def _behind(model: Model, found: set[Symbol]) -> set[Symbol]:
    """Return symbols, and all that they are computed from."""
    reached = set(found)
    for definition in reversed(model.definitions):
        if definition.target in reached:
            reached |= symbols(definition.value)
    return reached


__all__ = ["UnreadNames", "names_in", "unread_names"]
