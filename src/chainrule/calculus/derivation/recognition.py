"""Recognition: a sigmoid, a tanh or a softmax that was written out is called by its name.

``exp(-x)/(1 + exp(-x))^2`` is ``s(1 - s)`` with ``s = sigmoid(x)``: an exponential is the odds
``s/(1 - s)`` of its sigmoid, and a fraction of exponentials is a fraction in ``s``. In the same way
``exp(z_c)`` is ``p_c`` times the sum of all exponentials. What the author has a name for is called
by that name; a form is rewritten only where it gets shorter to read.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import permutations
from math import gcd, lcm

from chainrule.calculus.derivation.folding import places, same_sums
from chainrule.calculus.graph.dims import SCALAR, Index
from chainrule.calculus.graph.model import Model
from chainrule.calculus.graph.node import (
    Apply,
    Entry,
    Expr,
    Number,
    Position,
    Symbol,
    Total,
    entry,
    running,
    symbols,
    transform,
    walk,
)
from chainrule.calculus.indexing.collapse import lifted
from chainrule.calculus.indexing.names import Letters
from chainrule.calculus.indexing.reading import read_cell
from chainrule.calculus.ops import mul, power, renamed, replace, sigmoid, softmax, tanh
from chainrule.calculus.rewriting.cost import display_cost
from chainrule.calculus.rewriting.normal import normal_form
from chainrule.calculus.rewriting.pointwise import TANH_SEEN
from chainrule.calculus.rewriting.rule import Fired, Label, Rule, is_op
from chainrule.calculus.rewriting.shortening import COLLECT
from chainrule.calculus.rewriting.simplification import bodies_short, simplify
from chainrule.calculus.rewriting.sums import LEAVE

SIGMOID = Label(
    "the sigmoid by its name",
    "1/(1 + e^(-u)) is the sigmoid of u, and e^u is the sigmoid over one minus the sigmoid",
)
TANH = Label(
    "the tanh by its name",
    "(e^u - e^(-u))/(e^u + e^(-u)) is tanh u, and e^(2u) is 1 + tanh u over 1 - tanh u",
)
SOFTMAX = Label(
    "the softmax by its name",
    "an exponential divided by the sum of all exponentials is a softmax",
)
MOST_SOFTMAXES = 3


@dataclass(frozen=True)
class _Named:
    """A definition that is a known function of an argument."""

    target: Symbol
    argument: Expr
    axis: int | None = None


class Recognition:
    """Finds written-out functions in the gradients of one forward pass.

    Parameters
    ----------
    model : Model
        The forward pass, whose own names come first.
    relations : sequence of Rule
        Its side relations.
    """

    def __init__(self, model: Model, relations: Sequence[Rule]) -> None:
        self._relations = relations
        self._dims = {dim for symbol in model.symbols for dim in symbol.shape}
        self._sigmoids: list[_Named] = []
        self._tanhs: list[_Named] = []
        self._softmaxes: list[_Named] = []
        self._exponentials: dict[Expr, Expr] = {}
        for target, value in model.values.items():
            opened = replace(value, self._exponentials)
            if any(is_op(node, "exp") for node in walk(opened)):
                self._learn(target, opened)

    def recognise(self, form: Expr) -> tuple[Expr, list[Fired]]:
        """Return an index form with known functions by their names, and the steps."""
        named, fired = self._recognised(form)
        if fired:
            return named, fired
        # Where a sum over another index stands around it, it is the body that has a name.
        for node in reversed(list(walk(form))):
            if isinstance(node, Total) and any(isinstance(n, Total) for n in walk(node.body)):
                body, inside = self._recognised(node.body)
                if inside:
                    return _body_named(form, node, body, inside)
        return form, []

    def _recognised(self, form: Expr) -> tuple[Expr, list[Fired]]:
        hyperbolic = transform(form, lambda e: TANH_SEEN.becomes(e) or e)
        if hyperbolic is not form:
            return hyperbolic, [Fired(TANH_SEEN, form, hyperbolic)]
        opened = self._opened(form)
        if not any(is_op(node, "exp") for node in walk(opened)):
            return form, []
        shown: list[tuple[Label, Expr]] = []
        short = opened
        for _ in range(MOST_SOFTMAXES):
            steps = self._with_softmax(short)
            if not steps:
                break
            shown += steps
            short = steps[-1][1]
        for label, after in self._with_functions(short):
            shown.append((label, after))
            short = after
        last = self._short(short) if shown else short
        if display_cost(last) < display_cost(short):
            shown.append((COLLECT, last))
            short = last
        if display_cost(short) >= display_cost(form):
            return form, []
        return _trace(form, shown)

    def _opened(self, form: Expr) -> Expr:
        """Write a name for an exponential as that exponential."""
        mapping: dict[Expr, Expr] = {}
        for node in walk(form):
            matrix = node.matrix if isinstance(node, Entry) else node
            if matrix in self._exponentials and node.shape == SCALAR:
                places = node.places if isinstance(node, Entry) else (None, None)
                letters = Letters(self._dims, running(form))
                mapping[node] = read_cell(self._exponentials[matrix], places, letters)
        return replace(form, mapping)

    # ---- names of the author -----------------------------------------------------------------

    def _learn(self, target: Symbol, value: Expr) -> None:
        """Note a definition that is an exponential, a sigmoid, a tanh or a softmax."""
        if is_op(value, "exp") or (is_op(value, "sum") and is_op(value.args[0], "exp")):
            self._exponentials[target] = value
            return
        if isinstance(value, Apply) and is_op(value, "div"):
            top, below = value.args
            total = below.args[0] if is_op(below, "broadcast") else below
            if is_op(top, "exp") and isinstance(total, Apply) and is_op(total, "sum"):
                of_one = zip(top.shape, total.shape[-len(top.shape) :], strict=False)
                axes = [axis for axis, (dim, left) in enumerate(of_one) if dim != left]
                axis = axes[0] if axes else 1
                if total.args[0] is top and 1 in total.shape and len(axes) < 2:
                    self._softmaxes.append(_Named(target, top.args[0], axis))
                    return
        for unit, powers in _exponentials(value):
            atom = Symbol("the value", target.shape)
            lettered = _lettered(value, unit, powers)
            found = [
                (self._sigmoids, unit, _with_odds(lettered, unit, atom / (1 - atom))),
                (self._sigmoids, -unit, _with_odds(lettered, unit, (1 - atom) / atom)),
                (self._tanhs, unit, _with_tanh(lettered, unit, atom, normal_form)),
                (self._tanhs, _half(unit), _with_odds(lettered, unit, (1 + atom) / (1 - atom))),
            ]
            for named, argument, form in found:
                if form is not None and normal_form(form) is atom:
                    named.append(_Named(target, argument))
                    return

    def _called(self, names: Sequence[_Named], cell: Expr) -> Expr | None:
        """Return the entry of a definition at which its argument is a given cell."""
        for named in names:
            for place in places(named.target, running(cell)):
                letters = Letters(self._dims, running(cell))
                if same_sums(read_cell(named.argument, place, letters), cell):
                    return entry(named.target, *place)
        return None

    # ---- sigmoid and tanh --------------------------------------------------------------------

    def _with_functions(self, form: Expr) -> Iterator[tuple[Label, Expr]]:
        """Yield shorter and shorter forms, one group of exponentials after another."""
        for unit, powers in _exponentials(form):
            options = [(form, SIGMOID), *self._options(form, unit, powers)]
            short, label = min(options, key=lambda option: display_cost(option[0]))
            if short is not form:
                yield label, short
                form = short

    def _options(
        self, form: Expr, unit: Expr, powers: dict[Expr, int]
    ) -> Iterator[tuple[Expr, Label]]:
        bare = _lettered(form, unit, powers)
        if not _alone_in_a_sum(bare, _letter(unit)):
            return  # a weight among other exponentials, as in a mixture of Gaussians
        lettered = self._short(bare)
        plus = self._called(self._sigmoids, unit)
        minus = self._called(self._sigmoids, -unit)
        if plus is not None or minus is None:
            value = plus or sigmoid(unit)
            yield self._short(_with_odds(lettered, unit, value / (1 - value))), SIGMOID
        if minus is not None or plus is None:
            value = minus or sigmoid(-unit)
            yield self._short(_with_odds(lettered, unit, (1 - value) / value)), SIGMOID
        value = self._called(self._tanhs, unit) or tanh(unit)
        found = _with_tanh(lettered, unit, value, self._short)
        if found is not None:
            yield self._short(found), TANH
        half = _half(unit)
        named = self._called(self._tanhs, half)
        if named is not None or _multiple(unit)[0].numerator % 2 == 0:
            value = named or tanh(half)
            yield self._short(_with_odds(lettered, unit, (1 + value) / (1 - value))), TANH

    def _short(self, form: Expr) -> Expr:
        return simplify(bodies_short(form), {}, self._relations)[0]

    # ---- softmax -----------------------------------------------------------------------------

    def _with_softmax(self, form: Expr) -> list[tuple[Label, Expr]]:
        for total in walk(form):
            if isinstance(total, Total) and is_op(total.body, "exp"):
                shares = self._shares(form, total)
                if shares is None:
                    continue
                closed, opened = shares
                left = transform(bodies_short(closed), lambda e: LEAVE.becomes(e) or e)
                short, steps = simplify(left, {}, self._relations)
                if display_cost(replace(short, opened)) >= display_cost(form):
                    continue
                shown = [(SOFTMAX, closed), (LEAVE, left), *((s.rule, s.after) for s in steps)]
                return [(rule, replace(after, opened)) for rule, after in shown]
        return []

    def _shares(self, form: Expr, total: Total) -> tuple[Expr, dict[Expr, Expr]] | None:
        """Write every exponential as its share of the sum, times that sum as a letter."""
        (argument,), index = total.body.args, total.index
        others = running(total)
        if len(others) > 1 or any(i.dim == index.dim for i in others):
            return None
        other = next(iter(others), None)
        options = [(index, other), (other, index)]
        found = [(lifted(argument, *place), place) for place in options]
        matrix, (row, _) = min(found, key=lambda option: _transposes(option[0]))
        axis = 0 if row == index else 1
        own = [named for named in self._softmaxes if named.axis == axis]
        called = self._called(own, argument)
        probability: Expr = called.matrix if isinstance(called, Entry) else softmax(matrix, axis)
        shape = tuple(1 if a == axis else dim for a, dim in enumerate(matrix.shape))
        scale = Symbol("the sum of exponentials", (shape[0], shape[1]))
        mapping: dict[Expr, Expr] = {}
        opened: dict[Expr, Expr] = {}
        for node in walk(form):
            inner = node.body if isinstance(node, Total) else node
            if not is_op(inner, "exp"):
                continue
            for place in _renamings(argument, (index, other), inner.args[0]):
                at, beside = place
                cell = (at, beside) if axis == 0 else (beside, at)
                one = entry(scale, *cell)
                opened[one] = total if other is None else renamed(total, other, beside)
                if isinstance(node, Total) and node.index == at:
                    mapping[node] = one
                elif not isinstance(node, Total):
                    mapping[node] = entry(probability, *cell) * one
                break
        closed = replace(form, mapping)
        within = [node for node in walk(closed) if isinstance(node, Total) and node.index == index]
        if any(one in set(walk(node.body)) for node in within for one in opened):
            # The sum comes to stand inside a sum over its own letter: it takes another one.
            taken = {node.index for node in walk(form) if isinstance(node, Total)} | running(form)
            letter = Letters(self._dims, taken).bound(index.dim)
            assert isinstance(letter, Index)
            for one, value in opened.items():
                assert isinstance(value, Total)
                opened[one] = Total(letter, renamed(value.body, index, letter))
        return closed, opened


def _body_named(
    form: Expr, total: Total, body: Expr, inside: Sequence[Fired]
) -> tuple[Expr, list[Fired]]:
    """Return a form in which the body of a sum was recognised, and the steps of the whole."""

    def whole(e: Expr) -> Expr:
        return replace(form, {total: Total(total.index, e)})

    return _trace(form, [(fired.rule, whole(fired.after)) for fired in inside])


def _trace(form: Expr, shown: list[tuple[Label, Expr]]) -> tuple[Expr, list[Fired]]:
    fired: list[Fired] = []
    for rule, after in shown:
        if after is not form:
            fired.append(Fired(rule, form, after))
            form = after
    return form, fired


def _renamings(
    argument: Expr, own: tuple[Index, Index | None], other: Expr
) -> Iterator[tuple[Position, Position]]:
    """Yield the indices with which an argument of an exponential becomes another one."""
    index, beside = own
    known = sorted(running(other), key=lambda i: i.name)
    for chosen in permutations(known, 1 if beside is None else 2):
        if chosen[0].dim != index.dim or (beside is not None and chosen[1].dim != beside.dim):
            continue
        moved = renamed(argument, index, chosen[0])
        if beside is not None:
            moved = renamed(moved, beside, chosen[1])
        if same_sums(moved, other):
            yield chosen[0], (chosen[1] if beside is not None else None)


def _exponentials(form: Expr) -> list[tuple[Expr, dict[Expr, int]]]:
    """Return the exponentials of a form as powers of one each: its argument, and the powers."""
    groups: dict[Expr, dict[Expr, Fraction]] = {}
    for node in walk(form):
        if is_op(node, "exp"):
            number, core = _multiple(node.args[0])
            groups.setdefault(core, {})[node] = number
    found = []
    for core, numbers in groups.items():
        below = lcm(*(number.denominator for number in numbers.values()))
        unit = Fraction(gcd(*(int(number * below) for number in numbers.values())), below)
        powers = {node: int(number / unit) for node, number in numbers.items()}
        found.append((mul(Number(unit), core), powers))
    return found


def _multiple(argument: Expr) -> tuple[Fraction, Expr]:
    """Split a number in front off an argument."""
    if is_op(argument, "neg"):
        number, core = _multiple(argument.args[0])
        return -number, core
    if is_op(argument, "div") and isinstance(below := argument.args[1], Number):
        number, core = _multiple(argument.args[0])
        return number / below.value, core
    if is_op(argument, "mul") and isinstance(front := argument.args[0], Number):
        return front.value, mul(*argument.args[1:])
    return Fraction(1), argument


def _half(unit: Expr) -> Expr:
    return mul(Number(Fraction(1, 2)), unit)


def _lettered(form: Expr, unit: Expr, powers: dict[Expr, int]) -> Expr:
    """Write the exponentials of a form as powers of one letter."""
    letter = _letter(unit)
    return replace(form, {node: power(letter, k) for node, k in powers.items()})


def _alone_in_a_sum(form: Expr, letter: Expr) -> bool:
    """Whether some sum holds the letter and numbers and nothing else, as 1 + e^u does."""
    sums = (node for node in walk(form) if is_op(node, "add"))
    return any(symbols(node) == {letter} for node in sums)


def _letter(unit: Expr) -> Symbol:
    return Symbol("the exponential", unit.shape)


def _with_odds(lettered: Expr, unit: Expr, odds: Expr) -> Expr:
    """Write the letter for an exponential as a fraction."""
    return _with_sides(lettered, unit, odds, 1 / odds)


def _with_tanh(
    lettered: Expr, unit: Expr, value: Expr, short: Callable[[Expr], Expr]
) -> Expr | None:
    """Write e^u and e^(-u) as (1 + t)/r and (1 - t)/r with t = tanh u and r^2 = 1 - t^2."""
    root = Symbol("the root", unit.shape)
    sides = _with_sides(lettered, unit, (1 + value) / root, (1 - value) / root)
    return _in_squares(short(sides), root, 1 - value**2)


def _with_sides(lettered: Expr, unit: Expr, up: Expr, down: Expr) -> Expr:
    """Replace the powers of the letter, those below one by powers of `down`."""
    letter = _letter(unit)
    mapping: dict[Expr, Expr] = {letter: up}
    for node in walk(lettered):
        if isinstance(node, Apply) and is_op(node, "power") and node.args[0] is letter:
            exponent = node.attrs[0]
            mapping[node] = power(up, exponent) if exponent > 0 else power(down, -exponent)
        elif is_op(node, "div") and node.args[1] is letter:
            mapping[node] = mul(node.args[0], down)
    return replace(lettered, mapping)


def _in_squares(form: Expr, bare: Symbol, square: Expr) -> Expr | None:
    """Replace the even powers of a letter; nothing where an odd one is left."""
    mapping: dict[Expr, Expr] = {}
    for node in walk(form):
        if isinstance(node, Apply) and is_op(node, "power") and node.args[0] is bare:
            half = node.attrs[0] / 2
            if half.denominator != 1:
                return None
            mapping[node] = power(square, half)
    after = replace(form, mapping)
    return None if bare in set(walk(after)) else after


def _transposes(expr: Expr) -> int:
    return sum(is_op(node, "transpose") for node in walk(expr))


__all__ = ["Recognition"]
