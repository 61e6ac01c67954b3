"""Injected errors: the derivative, or the whole derivation, that results from given mistakes.

An injected error changes one thing and leaves the rest of the reverse sweep as it is: a wrong rule
at some operations, a path that is forgotten or counted twice, or an edit of the final line: a
sign, a term, a factor. The wrong result is always computed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from dataclasses import replace as changed
from fractions import Fraction
from typing import Any, TypeAlias

from chainrule.calculus.derivation.derive import derivation_of
from chainrule.calculus.derivation.sensitivity import pulled
from chainrule.calculus.derivation.steps import Derivation, Gradient
from chainrule.calculus.derivation.sweep import pullback
from chainrule.calculus.graph.model import Definition, Model
from chainrule.calculus.graph.node import Apply, Expr, Number, Symbol, symbols, transform, walk
from chainrule.calculus.graph.op import VJP, Op
from chainrule.calculus.ops import TABLE, add, mul, replace
from chainrule.errors import ChainruleError, ShapeError

Change: TypeAlias = Callable[[Expr], Expr]
Route: TypeAlias = list[tuple[Definition, tuple[Symbol, ...]]]
"""The definitions between two values, last first, each with the values it uses on the way."""


@dataclass(frozen=True)
class Edit:
    """An edit of one part of the final line.

    Parameters
    ----------
    old : Expr
        The part.
    place : int or None
        Which term of a sum, or which factor of a product, is changed; nothing for the whole part.
    change : callable
        Returns the changed part; None for a term that is dropped.
    """

    old: Expr
    place: int | None
    change: Callable[[Expr], Expr | None]


@dataclass(frozen=True)
class InjectedError:
    """One mistake, as a change of the reverse sweep or of the final line.

    Parameters
    ----------
    name : str
        The name in the catalogue.
    message : str
        The mistake in a sentence that does not give the answer away.
    step : str
        The step in which it is made.
    rules : mapping of Expr to VJP
        The wrong rule at each operation where one is used.
    paths : mapping of (Symbol, Symbol) to Fraction
        The weight of a path from a value to one that it uses; the right weight is 1.
    edit : Edit, optional
        The edit of the final line.
    change : callable, optional
        The change of the final line as a whole.
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
        """Whether the error is in the reverse sweep, and not in the final line."""
        return bool(self.rules or self.paths)

    @property
    def operation(self) -> Op | None:
        """The operation whose rule is wrong, if one is."""
        return next((node.op for node in self.rules if isinstance(node, Apply)), None)


def with_errors(
    model: Model,
    of: Symbol,
    wrt: Symbol,
    errors: Iterable[InjectedError],
    finished: Expr | None = None,
) -> Expr:
    """Return the derivative of one value with respect to another, with these mistakes made.

    Parameters
    ----------
    model : Model
        The forward pass.
    of, wrt : Symbol
        The value and the variable; of a matrix, each entry is differentiated with respect to
        the same entry of the other.
    errors : iterable of InjectedError
        The mistakes.
    finished : Expr, optional
        The right final line in short form, to which edits apply.

    Raises
    ------
    ChainruleError
        When the shapes of the wrong derivative do not meet.
    """
    made = tuple(errors)
    rules: dict[Expr, VJP] = {}
    paths: dict[tuple[Symbol, Symbol], Fraction] = {}
    for error in made:
        for node, rule in error.rules.items():
            rules[node] = both(node, rules[node], rule) if node in rules else rule
        for path, times in error.paths.items():
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
    return line_with(value, made)


def line_with(line: Expr, errors: Iterable[InjectedError]) -> Expr:
    """Return a final line with the edits and changes of errors made."""
    made = tuple(errors)
    line = edited(line, [error.edit for error in made if error.edit is not None])
    for error in made:
        if error.change is not None:
            line = error.change(line)
    return line


def derivation_with(derivation: Derivation, error: InjectedError) -> Derivation | None:
    """Derive again with wrong rules, step by step.

    Parameters
    ----------
    derivation : Derivation
        The right derivation.
    error : InjectedError
        Its `rules` belong to operations in the definitions of the derivation's model.

    Returns
    -------
    Derivation or None
        None where a wrong rule does not keep shapes, so that its mistake shows at once, and where
        no gradient results.
    """
    if not all(_keeps_shapes(node, rule) for node, rule in error.rules.items()):
        return None
    exchange = _Exchange(error.rules)
    model = derivation.model
    definitions = tuple(changed(d, value=exchange.wrong(d.value)) for d in model.definitions)
    wrong = changed(model, definitions=definitions)
    try:
        return exchange.restored(derivation_of(wrong, list(derivation.gradients)), model)
    except ChainruleError:
        return None


class _Exchange:
    """Replaces operations by copies with a wrong rule, and back."""

    def __init__(self, rules: Mapping[Expr, VJP]) -> None:
        self._wrong: dict[Expr, Op] = {}
        self._right: dict[Op, Op] = {}
        copies: dict[tuple[Op, VJP], Op] = {}
        for node, rule in rules.items():
            assert isinstance(node, Apply)
            key = (node.op, rule)
            if key not in copies:
                copies[key] = changed(node.op, vjp=rule, mistakes=())
            self._wrong[node] = copies[key]
            self._right[copies[key]] = node.op

    def wrong(self, value: Expr) -> Expr:
        """Return an expression with the wrong operations."""
        done: dict[Expr, Expr] = {}
        for node in walk(value):
            args = tuple(done[arg] for arg in node.args)
            op = self._wrong.get(node)
            if op is not None and isinstance(node, Apply):
                done[node] = Apply(op, args, node.attrs)
            else:
                done[node] = node if args == node.args else node.rebuilt(args)
        return done[value]

    def right(self, value: Expr) -> Expr:
        """Return an expression with the right operations again."""

        def back(node: Expr) -> Expr:
            if isinstance(node, Apply) and node.op in self._right:
                return Apply(self._right[node.op], node.args, node.attrs)
            return node

        return transform(value, back)

    def restored(self, made: Derivation, model: Model) -> Derivation:
        """Return a derivation with the right operations in all its lines."""

        def gradient(g: Gradient) -> Gradient:
            matrix = None if g.matrix is None else self.right(g.matrix)
            return changed(g, index=self.right(g.index), matrix=matrix)

        return changed(
            made,
            model=model,
            steps=tuple(
                changed(s, before=self.right(s.before), after=self.right(s.after))
                for s in made.steps
            ),
            gradients={name: gradient(g) for name, g in made.gradients.items()},
            layers={name: gradient(g) for name, g in made.layers.items()},
        )


def _keeps_shapes(node: Expr, rule: VJP) -> bool:
    """Whether a rule gives each argument a gradient of its own shape."""
    assert isinstance(node, Apply)
    try:
        found = rule(Symbol("upstream", node.shape), node, node.args, node.attrs)
    except ShapeError:
        return False
    return all(a.shape == b.shape for a, b in zip(found, node.args, strict=True))


def both(node: Expr, one: VJP, other: VJP) -> VJP:
    """Combine two wrong rules into one, each for the arguments where it is wrong.

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
    """Return a line with edits made; a part that contains another edited part comes first."""
    waiting: dict[Expr, list[Edit]] = {}
    for edit in edits:
        waiting.setdefault(edit.old, []).append(edit)
    for old in sorted(waiting, key=lambda part: -height(part)):
        line = replace(line, {old: rewritten(old, waiting[old])})
    return line


def rewritten(old: Expr, edits: Iterable[Edit]) -> Expr:
    """Return one part of a line with its edits made.

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
    """Return the number of distinct nodes of an expression."""
    return sum(1 for _ in walk(part))


def route_between(model: Model, of: Symbol, wrt: Symbol) -> Route:
    """Return the definitions between two values, each with the values it uses on the way."""
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
