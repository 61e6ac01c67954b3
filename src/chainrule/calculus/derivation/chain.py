"""The chain rule over a forward pass: which derivatives, over which indices, in which order."""

from __future__ import annotations

from collections.abc import Callable, Container, Generator, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import TypeAlias

from chainrule.calculus.derivation.steps import Reason
from chainrule.calculus.derivation.sweep import Contributions, pullback
from chainrule.calculus.graph.dims import SCALAR, Index, is_tensor
from chainrule.calculus.graph.model import Model
from chainrule.calculus.graph.node import (
    Apply,
    Entry,
    Expr,
    Number,
    Partial,
    Position,
    Positions,
    Symbol,
    Total,
    entry,
    symbols,
    walk,
)
from chainrule.calculus.graph.op import closed
from chainrule.calculus.indexing.names import Letters
from chainrule.calculus.indexing.reading import LinearPart, as_one, linear_parts, read_cell
from chainrule.calculus.ops import add, replace
from chainrule.calculus.rewriting.sums import COMMON, one_letter
from chainrule.calculus.rewriting.transposition import stored
from chainrule.errors import DerivationError


@dataclass(frozen=True)
class ChainFactor:
    """One factor of the chain rule: an open derivative, and its answer.

    Parameters
    ----------
    partial : Partial
        The question.
    answer : Expr
        Its index form.
    target : Symbol
        The definition that is differentiated.
    opened : Expr or None
        The entry of the definition, when it takes a sum to write it.
    reasons : tuple of Reason
        The rules used.
    bound : tuple of Index
        The indices that this link sums over.
    repeats : bool
        Whether the sum is there because a value was repeated (broadcast).
    """

    partial: Partial
    answer: Expr
    target: Symbol
    opened: Expr | None
    reasons: tuple[Reason, ...]
    bound: tuple[Index, ...]
    repeats: bool


@dataclass
class ChainRule:
    """The chain rule for one variable."""

    variable: Symbol
    places: Positions
    form: Expr
    links: list[ChainFactor] = field(default_factory=list)
    paths: int = 0
    moved: dict[Symbol, tuple[Reason, ...]] = field(default_factory=dict)
    """Definitions that are differentiated as a whole, with the rules used."""

    @property
    def long_index(self) -> Index:
        """The index along the only long dimension of the variable."""
        return next(i for i in self.places if isinstance(i, Index))


class Paths:
    """The paths between the variables and the objective.

    Parameters
    ----------
    model : Model
        The forward pass.
    """

    def __init__(self, model: Model) -> None:
        self.model = model
        self.values = model.values
        self.mentions = {target: symbols(value) for target, value in self.values.items()}
        self.live = self._ancestors(model.objective)
        self.contributions: Contributions = {}
        """What the rules of the operations gave so far in single factors."""
        self._mixing: dict[Symbol, bool] = {}

    def consumers(self, symbol: Symbol) -> list[Symbol]:
        """Return the definitions on the way to the objective that use a symbol."""
        return self._users.get(symbol, [])

    @cached_property
    def _users(self) -> dict[Symbol, list[Symbol]]:
        users: dict[Symbol, list[Symbol]] = {}
        for target, used in self.mentions.items():
            if target in self.live:
                for symbol in used:
                    users.setdefault(symbol, []).append(target)
        return users

    def between(self, symbol: Symbol, ends: Container[Symbol]) -> list[Symbol]:
        """Return the definitions from a symbol up to those in `ends`, the last one first."""
        found, waiting = set[Symbol](), [symbol]
        while waiting:
            above = [t for t in self.consumers(waiting.pop()) if t not in ends and t not in found]
            found.update(above)
            waiting += above
        return (
            [target for target in reversed(list(self.values)) if target in found] if found else []
        )

    def needs_layers(self, variables: tuple[Symbol, ...]) -> bool:
        """Whether intermediate gradients should have names.

        They should when paths fork, when there is more than one layer on the way, or when entries
        change their places.
        """
        live = [v for v in variables if v in self.live]
        if any(self._counts[v] != 1 or self._depths[v] > 1 for v in live):
            return True
        return any(self._moves(t) for t in self._descendants(live) if t in self.live)

    def named_layers(self, variables: tuple[Symbol, ...]) -> tuple[Symbol, ...]:
        """Return the intermediate values whose gradients get names, from the objective down."""
        below = self._descendants(variables)
        chosen = []
        for target in self.values:
            if target in below and target in self.live and target is not self.model.objective:
                forked = len(self.consumers(target)) > 1
                if forked or self._mixes(target) or self._couples(target) or self._moves(target):
                    chosen.append(target)
        return tuple(t for t in reversed(chosen) if t not in variables)

    def letters(self, places: Iterable[Position] = ()) -> Letters:
        """Return letters that are neither a name nor a dimension of the model, nor in `places`."""
        return self._letters.besides(places)

    @cached_property
    def _letters(self) -> Letters:
        dims = {dim for symbol in self.model.symbols for dim in symbol.shape}
        names = {symbol.name for symbol in self.model.symbols}
        return Letters(dims, [*names, *(str(dim) for dim in dims)], self._own_letters)

    @cached_property
    def _own_letters(self) -> frozenset[str]:
        """The dimensions of tensors that lend their letter to an index."""
        shapes = [symbol.shape for symbol in self.model.symbols]
        if not any(is_tensor(shape) for shape in shapes):
            return frozenset()
        names = {symbol.name for symbol in self.model.symbols}
        letters = {dim for shape in shapes for dim in shape if isinstance(dim, str)}
        return frozenset(dim for dim in letters - names if len(dim) == 1 and dim.islower())

    def _ancestors(self, symbol: Symbol) -> set[Symbol]:
        found = {symbol}
        for target in reversed(list(self.values)):
            if target in found:
                found |= self.mentions[target]
        return found

    def _descendants(self, variables: Iterable[Symbol]) -> set[Symbol]:
        moved, found = set(variables), set[Symbol]()
        for target, used in self.mentions.items():
            if not used.isdisjoint(moved):
                moved.add(target)
                found.add(target)
        return found

    @cached_property
    def _counts(self) -> dict[Symbol, int]:
        """The number of paths to the objective from every symbol, of which there may be 2^40."""
        counts = {self.model.objective: 1}
        for symbol in self._downwards():
            counts[symbol] = sum(counts[c] for c in self.consumers(symbol))
        return counts

    @cached_property
    def _depths(self) -> dict[Symbol, int]:
        """The largest number of layers between every symbol and the objective."""
        depths = {self.model.objective: 0}
        for symbol in self._downwards():
            consumers = self.consumers(symbol)
            depths[symbol] = max((self._mixes(c) + depths[c] for c in consumers), default=0)
        return depths

    def _downwards(self) -> Iterator[Symbol]:
        """Yield the definitions below the objective from the last to the first, then the inputs."""
        objective = self.model.objective
        yield from (target for target in reversed(list(self.values)) if target is not objective)
        yield from self.model.inputs

    def _couples(self, target: Symbol) -> bool:
        """Whether every entry of a layer's value depends on several entries."""
        if all(consumer is self.model.objective for consumer in self.consumers(target)):
            return False
        value = self.values[target]
        return value.shape != SCALAR and any(_is_coupled(node) for node in walk(value))

    def _moves(self, target: Symbol) -> bool:
        """Whether a gradient goes back through a definition to other positions."""
        if target is self.model.objective:
            return False
        return any(isinstance(n, Apply) and n.op.moves for n in walk(self.values[target]))

    def _mixes(self, target: Symbol) -> bool:
        """Whether one entry of a definition contains a sum."""
        if target not in self._mixing:
            self._mixing[target] = target is not self.model.objective and self._sums(target)
        return self._mixing[target]

    def _sums(self, target: Symbol) -> bool:
        letters = self.letters()
        places = tuple(letters.free(dim) for dim in target.shape)
        opened = read_cell(self.values[target], places, letters)
        return any(isinstance(node, Total) for node in walk(opened))


def _is_coupled(node: Expr) -> bool:
    return isinstance(node, Apply) and not node.op.elementwise and node.op.index is closed


def chain_rule(
    paths: Paths, variable: Symbol, layers: Mapping[Symbol, Expr], letters: Letters
) -> ChainRule:
    """Write the chain rule for one entry of a variable.

    Parameters
    ----------
    paths : Paths
        The forward pass.
    variable : Symbol
        The variable of differentiation.
    layers : mapping of Symbol to Expr
        Intermediate values whose gradient is known, with the gradient's name or number.
    letters : Letters
        The source of names for running indices.
    """
    places = tuple(letters.free(dim) for dim in variable.shape)
    result = ChainRule(variable, places, Number(0))

    def step(symbol: Symbol, at: Positions) -> _Upwards:
        return _upwards(paths, symbol, at, layers, letters, result)

    result.form = _along(step, variable, places)
    return result


_Upwards: TypeAlias = Generator[tuple[Symbol, Positions], Expr, Expr]
"""A derivative in the making: yields the entry of which it needs the derivative first."""


def _along(
    step: Callable[[Symbol, Positions], _Upwards], symbol: Symbol, places: Positions
) -> Expr:
    """Return the chain of an entry by steps on a stack of its own, since a chain may be long."""
    stack = [step(symbol, places)]
    found: Expr | None = None
    while stack:
        try:
            asked = stack[-1].send(found)  # type: ignore[arg-type]
        except StopIteration as done:
            stack.pop()
            found = done.value
        else:
            stack.append(step(*asked))
            found = None
    assert found is not None
    return found


def _upwards(
    paths: Paths,
    symbol: Symbol,
    places: Positions,
    layers: Mapping[Symbol, Expr],
    letters: Letters,
    result: ChainRule,
) -> _Upwards:
    """Return the objective's derivative with respect to the entry at `places`, as a chain."""
    objective = paths.model.objective
    at = entry(symbol, *places)
    if symbol is objective:
        return Number(1)
    if symbol in layers and symbol is not result.variable:
        return entry(layers[symbol], *places)
    terms: list[Expr] = []
    consumers = paths.consumers(symbol)
    result.paths += len(consumers)
    for target in consumers:
        value = paths.values[target]
        if target is objective:
            pulled, reasons = pullback(value, symbol, target, Number(1), known=paths.contributions)
            answer = one_letter(read_cell(pulled, places, letters))
            if len(consumers) > 1:
                # "dJ/dw" is the whole derivative; the part that enters directly has no name.
                terms.append(answer)
                continue
            partial = Partial(objective, at)
            link = ChainFactor(partial, answer, target, None, _of_factors(reasons), (), False)
            result.links.insert(0, link)
            terms.append(partial)
            continue
        upstream = Symbol("upstream", target.shape)
        pulled, reasons = pullback(value, symbol, target, upstream, known=paths.contributions)
        form = read_cell(pulled, places, letters)
        parts = _factors(form, upstream)
        if len(parts) != 1:
            # Several places of the target see this entry in different ways: no single factor.
            arrived = layers[target] if target in layers else whole_gradient(paths, target, layers)
            comes_back = not isinstance(arrived, Number)
            result.moved[target] = reasons if comes_back else _of_factors(reasons)
            whole = stored(replace(pulled, {upstream: arrived}), {}, whole=False)
            terms.append(read_cell(whole, places, letters))
            continue
        (part,) = parts
        place = part.atom.places if isinstance(part.atom, Entry) else (None, None)
        above = yield target, place
        out = entry(target, *place)
        partial = Partial(out, at)
        written_out = read_cell(value, place, paths.letters(place))
        summed = any(isinstance(node, Total) for node in walk(written_out))
        opened = written_out if summed else None
        repeats = any(reason.rule == "un-broadcast" for reason in reasons)
        # What does not run along the target is summed inside the factor, not over the paths.
        bound = tuple(index for index in part.bound if index in place)
        answer = one_letter(COMMON.becomes(part.coefficient) or part.coefficient)
        for index in reversed(part.bound):
            if index not in place:
                answer = Total(index, answer)
        why = _of_factors(reasons)
        result.links.append(ChainFactor(partial, answer, target, opened, why, bound, repeats))
        term = _inside(above, partial)
        for index in reversed(bound):
            term = Total(index, term)
        terms.append(term)
    return add(*terms) if terms else Number(0)


def _of_factors(reasons: Iterable[Reason]) -> tuple[Reason, ...]:
    """Return reasons as those of a factor, through which no gradient comes back."""
    return tuple(reason.of_factor for reason in reasons)


def _factors(form: Expr, upstream: Symbol) -> list[LinearPart]:
    """Return the paths to the entries of an upstream gradient; empty where entries move."""
    try:
        return as_one(linear_parts(form, upstream))
    except DerivationError:
        return []


def whole_gradient(paths: Paths, symbol: Symbol, layers: Mapping[Symbol, Expr]) -> Expr:
    """Return the gradient with respect to a symbol by the rules of whole matrices.

    Parameters
    ----------
    paths : Paths
        The forward pass.
    symbol : Symbol
        The variable of differentiation.
    layers : mapping of Symbol to Expr
        Intermediate values whose gradient is known, with the gradient's name or number.
    """
    cotangents: dict[Symbol, Expr] = {**layers, paths.model.objective: Number(1)}

    def total(wrt: Symbol) -> Expr:
        users = paths.consumers(wrt)
        parts = [pullback(paths.values[user], wrt, user, cotangents[user])[0] for user in users]
        return add(*parts) if parts else Number(0, wrt.shape)

    for target in paths.between(symbol, cotangents):
        cotangents[target] = total(target)
    return total(symbol)


def _inside(above: Expr, partial: Expr) -> Expr:
    """Multiply inside the sums, so that they stand in front of the whole chain."""
    if isinstance(above, Total):
        return Total(above.index, _inside(above.body, partial))
    return above * partial
