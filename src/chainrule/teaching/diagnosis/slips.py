"""A slip: one mistake in a gradient, and what the gradient comes to with slips made.

A slip changes one thing and leaves the rest of the reverse sweep as it is: a wrong rule at one
operation, a path that is forgotten or counted twice, or a change to the finished line: a sign, a
term, a factor. What it comes to is computed, never written down.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any, TypeAlias

from chainrule.calculus.derivation.sensitivity import pulled
from chainrule.calculus.derivation.sweep import pullback
from chainrule.calculus.graph.model import Definition, Model
from chainrule.calculus.graph.node import Apply, Expr, Number, Symbol, symbols, walk
from chainrule.calculus.graph.op import VJP
from chainrule.calculus.ops import TABLE, add, mul, replace
from chainrule.errors import ShapeError

Change: TypeAlias = Callable[[Expr], Expr]
Route: TypeAlias = list[tuple[Definition, tuple[Symbol, ...]]]
"""The definitions between two values, the last first, with what each uses that is on the way."""


@dataclass(frozen=True)
class Edit:
    """A change to one part of the finished line.

    Parameters
    ----------
    old : Expr
        The part.
    place : int or None
        Which term of a sum, or which factor of a product, is changed; nothing for the whole part.
    change : callable
        What becomes of it; nothing is left of a term that is dropped.
    """

    old: Expr
    place: int | None
    change: Callable[[Expr], Expr | None]


@dataclass(frozen=True)
class Slip:
    """One mistake.

    Parameters
    ----------
    name : str
        What it is called in the catalogue.
    message : str
        What is wrong, in a sentence that does not give the answer away.
    step : str
        Where it happened.
    rules : mapping of Expr to VJP
        Wrong rules by the operation at which they are used.
    paths : mapping of (Symbol, Symbol) to Fraction
        How often a path from a value to what it is made of is counted.
    edit : Edit, optional
        What is changed in the finished line.
    change : callable, optional
        What is done to the finished line as a whole.
    """

    name: str
    message: str
    step: str
    rules: Mapping[Expr, VJP] = field(default_factory=dict)
    paths: Mapping[tuple[Symbol, Symbol], Fraction] = field(default_factory=dict)
    edit: Edit | None = None
    change: Change | None = None

    @property
    def in_sweep(self) -> bool:
        """Whether it happens on the way, and not to the finished line."""
        return bool(self.rules or self.paths)


def with_slips(
    model: Model, of: Symbol, wrt: Symbol, slips: Iterable[Slip], finished: Expr | None = None
) -> Expr:
    """Return what the derivative of one value by another comes to with these mistakes made.

    Parameters
    ----------
    model : Model
        The forward pass.
    of, wrt : Symbol
        Of what, by what; a matrix is differentiated by the same entry of the other.
    slips : iterable of Slip
        The mistakes.
    finished : Expr, optional
        The right line in short form, to which changes of the finished line apply.

    Raises
    ------
    ChainruleError
        When the shapes of the wrong derivative do not meet.
    """
    made = tuple(slips)
    rules: dict[Expr, VJP] = {}
    paths: dict[tuple[Symbol, Symbol], Fraction] = {}
    for slip in made:
        for node, rule in slip.rules.items():
            rules[node] = both(node, rules[node], rule) if node in rules else rule
        for path, times in slip.paths.items():
            paths[path] = times * paths.get(path, 1)

    def pull(definition: Definition, symbol: Symbol, cotangent: Expr) -> Expr:
        times = paths.get((definition.target, symbol), Fraction(1))
        if times == 0:
            return Number(0, symbol.shape)
        value, _ = pullback(definition.value, symbol, definition.target, cotangent, rules)
        return value if times == 1 else Number(times) * value

    if finished is not None and not rules and not paths:
        value = finished
    else:
        value = pulled(model, of, wrt, Number(1, of.shape), pull=pull)
    value = edited(value, [slip.edit for slip in made if slip.edit is not None])
    for slip in made:
        if slip.change is not None:
            value = slip.change(value)
    return value


def both(node: Expr, one: VJP, other: VJP) -> VJP:
    """Return the rule in which two wrong ones are followed, each where it is wrong.

    Raises
    ------
    ShapeError
        When it is used, and both are wrong about the same argument.
    """
    assert isinstance(node, Apply)
    right = node.op.vjp

    def rule(g: Expr, out: Expr, args: tuple[Expr, ...], attrs: tuple[Any, ...]) -> Any:  # noqa: ANN401
        parts = zip(*(r(g, out, args, attrs) for r in (right, one, other)), strict=True)
        found = []
        for good, first, second in parts:
            if good not in (first, second):
                raise ShapeError("one argument cannot have two wrong rules")
            found.append(second if first is good else first)
        return tuple(found)

    return rule


def edited(line: Expr, edits: Iterable[Edit]) -> Expr:
    """Make changes to a line; what holds another part is changed first."""
    waiting: dict[Expr, list[Edit]] = {}
    for edit in edits:
        waiting.setdefault(edit.old, []).append(edit)
    for old in sorted(waiting, key=lambda part: -height(part)):
        line = replace(line, {old: rewritten(old, waiting[old])})
    return line


def rewritten(old: Expr, edits: Iterable[Edit]) -> Expr:
    """Return one part of a line with its changes made.

    Raises
    ------
    ShapeError
        When one part cannot be changed twice in this way.
    """
    made = list(edits)
    if any(edit.place is None for edit in made):
        if len(made) > 1:
            raise ShapeError("a part that was exchanged is not there to be changed")
        found = made[0].change(old)
        assert found is not None
        return found
    assert isinstance(old, Apply)
    parts: list[Expr | None] = list(old.args)
    for edit in made:
        assert edit.place is not None
        part = parts[edit.place]
        if part is None:
            raise ShapeError("a part that was dropped is not there to be changed")
        parts[edit.place] = edit.change(part)
    kept = [part for part in parts if part is not None]
    if not kept:
        return Number(int(old.op is TABLE["mul"]), old.shape)
    return (add if old.op is TABLE["add"] else mul)(*kept)


def height(part: Expr) -> int:
    """Return how many different nodes a part of a line has."""
    return sum(1 for _ in walk(part))


def route_between(model: Model, of: Symbol, wrt: Symbol) -> Route:
    """Return the definitions between two values, with what each has on the way."""
    depends = {wrt}
    for definition in model.definitions:
        if definition.target is not wrt and symbols(definition.value) & depends:
            depends.add(definition.target)
    needed = {of}
    found = []
    for definition in reversed(model.definitions):
        if definition.target in needed and definition.target is not wrt:
            inside = symbols(definition.value) & depends
            if inside:
                needed |= inside
                found.append((definition, tuple(sorted(inside, key=lambda s: s.name))))
    return found
