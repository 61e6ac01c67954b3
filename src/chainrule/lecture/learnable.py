"""Which unbound inputs of a forward pass are learned, found from how the objective uses them.

Weights are known by their use, not by their letters: an input is learned when the objective uses it
together with data. A number that only scales a term of the objective, or that meets no data at all
(the strength of a penalty), has no minimum of its own and is asked for.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass, replace

from chainrule.calculus.graph.dims import SCALAR, base_names
from chainrule.calculus.graph.model import Model
from chainrule.calculus.graph.node import Apply, Expr, Symbol, symbols
from chainrule.calculus.ops import TABLE

_DATA_LETTERS = "xXyY"
_ADDING = (TABLE["add"], TABLE["neg"])
_SCALING = (TABLE["mul"], TABLE["div"])
_HIDDEN = (TABLE["broadcast"],)


def learnable(
    model: Model, data: Collection[Symbol], bound: Collection[Symbol], *, single: bool = False
) -> list[Symbol]:
    """Return the unbound inputs that are learned when nobody says which, in order.

    Parameters
    ----------
    model : Model
        The forward pass.
    data : collection of Symbol
        The inputs that hold examples.
    bound : collection of Symbol
        All inputs with a given value: data, constants, and what is drawn.
    single : bool
        Whether the model is written of one example, so that no dimension counts examples.
    """
    free = [
        s
        for s in model.inputs
        if s not in bound and s not in model.numbered and s.name[:1] not in _DATA_LETTERS
    ]
    usual = [s for s in replace(model, asked=()).parameters() if s in free]
    examples = None if single else _examples_guess(data, free, usual)
    free = [s for s in free if examples not in names_of([s])]
    terms = _terms(model, data)
    return [s for s in free if not _scales(s, terms)]


def names_of(found: Iterable[Symbol]) -> set[str]:
    """Return the names of the sizes in the shapes of these symbols."""
    return {name for symbol in found for dim in symbol.shape for name in base_names(dim)}


def _examples_guess(
    data: Collection[Symbol], free: list[Symbol], usual: list[Symbol]
) -> str | None:
    shared = set.intersection(*({d for d in s.shape if isinstance(d, str)} for s in data))
    for owners in (free, usual):
        left = shared - names_of(owners)
        if len(left) == 1:
            return left.pop()
    return None


@dataclass(frozen=True)
class _Term:
    """One term of the objective: the inputs that it uses, and the numbers that scale it."""

    inputs: frozenset[Symbol]
    factors: frozenset[Symbol]
    has_data: bool


def _terms(model: Model, data: Collection[Symbol]) -> list[_Term]:
    """Split the objective into its terms, through the definitions that only add and scale."""
    below: dict[Symbol, frozenset[Symbol]] = {s: frozenset([s]) for s in model.inputs}
    for definition in model.definitions:
        below[definition.target] = frozenset[Symbol]().union(
            *(below[s] for s in symbols(definition.value))
        )

    def term(node: Expr, factors: frozenset[Symbol]) -> _Term:
        inputs = frozenset[Symbol]().union(*(below[s] for s in symbols(node)))
        return _Term(inputs | factors, factors, bool(inputs & set(data)))

    found: list[_Term] = []
    waiting: list[tuple[Expr, frozenset[Symbol]]] = [(model.objective, frozenset())]
    while waiting:
        node, factors = waiting.pop()
        if isinstance(node, Symbol) and node in model.values:
            waiting.append((model.values[node], factors))
        elif isinstance(node, Apply) and node.op in (*_ADDING, *_HIDDEN) and node.shape == SCALAR:
            waiting.extend((arg, factors) for arg in node.args)
        elif isinstance(node, Apply) and node.op in _SCALING and node.shape == SCALAR:
            numbers = {a for a in node.args if isinstance(a, Symbol) and a in model.inputs}
            rest = [a for a in node.args if a not in numbers and symbols(a)]
            below_the_line = node.op is TABLE["div"] and rest == [node.args[1]]
            if len(rest) == 1 and not below_the_line:
                waiting.append((rest[0], factors | numbers))
            else:
                found.append(term(node, factors | numbers))
        else:
            found.append(term(node, factors))
    return found


def _scales(symbol: Symbol, terms: list[_Term]) -> bool:
    """Whether a symbol only scales terms of the objective, or meets no data in them."""
    used = [term for term in terms if symbol in term.inputs]
    return all(not term.has_data or symbol in term.factors for term in used)
