"""The recursion of a loop as one line: ``dZ^[l] = W^[l+1]^T dZ^[l+1] .* ...``.

The gradients of the rounds are derived one by one. Where those of several rounds in a row become
one and the same expression once each index is written relative to its own round, that expression is
shown. It is verified by substituting each round: the result must be the line of that round.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass

from chainrule.calculus.derivation.steps import Claim, Gradient, Phase, Step
from chainrule.calculus.graph.dims import Dim, Shape, Size, minus, plus, times
from chainrule.calculus.graph.loop_indices import (
    in_round,
    index_of,
    numbered_stem,
    plain_name,
    with_index,
)
from chainrule.calculus.graph.model import Loop, Model
from chainrule.calculus.graph.node import Apply, Expr, Number, Partial, Symbol, symbols, walk


@dataclass(frozen=True)
class _Round:
    """The gradient of one round: its number, its line, and both sides."""

    number: int
    line: int
    left: Expr
    right: Expr


def recursion_steps(
    model: Model,
    layers: Mapping[Symbol, Gradient],
    gradients: Iterable[Gradient],
    steps: Iterable[Step],
) -> Iterator[Step]:
    """Yield the general lines of a derivation that has loops.

    Parameters
    ----------
    model : Model
        The forward pass.
    layers : mapping of Symbol to Gradient
        The gradients with names.
    gradients : iterable of Gradient
        The others.
    steps : iterable of Step
        The lines so far.
    """
    lines = list(steps)
    ends = {step.left: step.id for step in lines if step.concludes}
    number = len(lines)
    stated: list[tuple[Symbol, Expr, Expr]] = [
        (g.variable, name, g.matrix) for name, g in layers.items() if g.matrix is not None
    ]
    stated += [
        (g.variable, Partial(model.objective, g.variable), g.matrix)
        for g in gradients
        if g.matrix is not None
    ]
    staged = (numbered_stem(d.target.name) for d in model.definitions if not d.line)
    nested = [stem for stem in staged if stem is not None]
    for loop in model.loops:
        known = frozenset((*loop.stems, *nested))
        families: dict[str, list[_Round]] = {}
        for variable, left, matrix in stated:
            index = index_of(variable.name, known)
            line = ends.get(Partial(model.objective, variable))
            if index is None or line is None:
                continue
            family = with_index(variable.name, known, lambda n: "")
            there = _Relative(loop, known, index)
            sides = (there.expr(left), there.expr(matrix))
            families.setdefault(family, []).append(_Round(index, line, *sides))
        for rounds in families.values():
            for group in _in_a_row(sorted(rounds, key=lambda one: one.number)):
                number += 1
                yield _step(number, loop, group, rounds)


def _in_a_row(rounds: list[_Round]) -> Iterator[list[_Round]]:
    """Yield runs of two or more rounds with the same relative form."""
    group: list[_Round] = []
    for one in rounds:
        fits = group and one.number == group[-1].number + 1 and one.right is group[-1].right
        if not fits:
            if len(group) > 1:
                yield group
            group = []
        group.append(one)
    if len(group) > 1:
        yield group


def _step(number: int, loop: Loop, group: list[_Round], family: list[_Round]) -> Step:
    counter, first, last = loop.counter, group[0].number, group[-1].number
    lines = [str(line) for line in sorted(one.line for one in group)]
    said = f"{', '.join(lines[:-1])} and {lines[-1]}"
    why = f"for {counter} = {first}..{last} this is what steps {said} say, each proven there"
    begins = [one for one in family if one.number == last + 1]
    if begins:
        why += f"; round {last + 1}, in step {begins[0].line}, is where it begins"
    return Step(
        number,
        Phase.RECURSION,
        "the same in every round",
        group[0].left,
        group[0].right,
        group[0].right,
        why,
        shapes=tuple(
            (s.name, s.shape) for s in sorted(symbols(group[0].right), key=lambda s: s.name)
        ),
        claim=Claim.ROUNDS,
        rounds=tuple((one.number, one.line) for one in group),
        counter=counter,
    )


def at_round(expr: Expr, counter: str, number: int, known: Iterable[Symbol]) -> Expr:
    """Return a general line in one round, in the symbols of the derivation."""
    by_name = {plain_name(symbol.name): symbol for symbol in known}
    counts = {counter: number}

    def named(symbol: Symbol) -> Symbol:
        name = in_round(symbol.name, counts)
        return by_name.get(plain_name(name), symbol)

    return _Renamed(named, lambda dim: in_round(dim, counts)).expr(expr)


class _Renamed:
    """Rewrites an expression in other names."""

    def __init__(self, symbol: Callable[[Symbol], Symbol], dim: Callable[[str], str]) -> None:
        self._symbol = symbol
        self._name = dim

    def expr(self, root: Expr) -> Expr:
        if isinstance(root, Partial):
            return Partial(self.expr(root.of), self.expr(root.wrt))
        done: dict[Expr, Expr] = {}
        for node in walk(root):
            if isinstance(node, Symbol):
                done[node] = self._symbol(node)
            elif isinstance(node, Number):
                done[node] = Number(node.value, self.shape(node.shape))
            elif isinstance(node, Apply):
                args = tuple(done[arg] for arg in node.args)
                attrs = tuple(self.dim(a) if isinstance(a, str | Size) else a for a in node.attrs)
                done[node] = Apply(node.op, args, attrs)
            else:
                done[node] = node.rebuilt(tuple(done[arg] for arg in node.args))
        return done[root]

    def shape(self, shape: Shape) -> Shape:
        return (self.dim(shape[0]), self.dim(shape[1]))

    def dim(self, dim: Dim) -> Dim:
        if isinstance(dim, str):
            return self._name(dim)
        if isinstance(dim, int):
            return dim
        total: Dim = 0
        for names, factor in dim.terms:
            term: Dim = abs(factor)
            for name in names:
                term = times(term, self._name(name))
            total = plus(total, term) if factor > 0 else minus(total, term)
        return total


class _Relative(_Renamed):
    """Rewrites every index that a loop counts relative to one round."""

    def __init__(self, loop: Loop, known: frozenset[str], number: int) -> None:
        def index(found: int) -> str:
            offset = found - number
            return loop.counter + (f"{offset:+d}" if offset else "")

        def name(text: str) -> str:
            return with_index(text, known, index)

        def symbol(of: Symbol) -> Symbol:
            return Symbol(_gradient_or_value(of.name, known, index), self.shape(of.shape))

        super().__init__(symbol, name)


def _gradient_or_value(name: str, known: frozenset[str], index: Callable[[int], str]) -> str:
    """Replace the index of a name, which may be the name of a gradient: ``dZ^[2]``."""
    found = with_index(name, known, index)
    if found == name and name.startswith("d"):
        return "d" + with_index(name[1:], known, index)
    return found


__all__ = ["at_round", "recursion_steps"]
