"""Catalogue of errors: every mistake that can be made between two values of a forward pass.

The registry entries of operations bring their own wrong rules; the others apply to every
operation, fork and function.
"""

from __future__ import annotations

from collections.abc import Callable, Container, Iterator
from fractions import Fraction
from typing import Any

from chainrule.calculus.derivation.sensitivity import pulled
from chainrule.calculus.graph.dims import SCALAR
from chainrule.calculus.graph.model import Definition, Model
from chainrule.calculus.graph.node import Apply, Expr, Number, Symbol, symbols, walk
from chainrule.calculus.graph.op import VJP, Op
from chainrule.calculus.ops import TABLE, apply, broadcast
from chainrule.teaching.diagnosis.injection import InjectedError, Route, route_between
from chainrule.teaching.diagnosis.line_errors import line_errors, wrong_name_errors

TAKEN_FOR = tuple(f"taken for the {name}" for name in ("sigmoid", "tanh", "relu"))
"""The activations of a first course, whose slopes are taken for one another."""

LINEAR = ("add", "neg")
"""Operations without a slope that could be forgotten."""


def errors_between(
    model: Model, of: Symbol, wrt: Symbol, finished: Expr | None
) -> Iterator[InjectedError]:
    """Yield the mistakes that can be made between one value and another.

    Parameters
    ----------
    model : Model
        The forward pass.
    of, wrt : Symbol
        The value that is differentiated, and the variable.
    finished : Expr or None
        The right final line in short form.
    """
    route = route_between(model, of, wrt)
    yield from _errors_on_route(route, wrt)
    yield from _path_errors(route, wrt)
    if finished is not None:
        yield from line_errors(finished)
        yield from wrong_name_errors(model, finished)
    if of is model.objective:
        yield from _early_stops(model, route, wrt)
        yield from _penalties(model, wrt, finished)


def rule_errors(model: Model, rules: Container[str] | None = None) -> Iterator[InjectedError]:
    """Yield each wrong rule of the registry, used wherever its operation occurs.

    Parameters
    ----------
    model : Model
        The forward pass.
    rules : container of str, optional
        Names of the derivative rules that may be wrong; by default all.
    """
    nodes = (node for d in model.definitions for node in walk(d.value))
    applied = list(dict.fromkeys(node for node in nodes if isinstance(node, Apply)))
    for op in dict.fromkeys(node.op for node in applied):
        if rules is not None and op.rule not in rules:
            continue
        used = [node for node in applied if node.op is op]
        for mistake in op.mistakes:
            wrong: dict[Expr, VJP] = dict.fromkeys(used, mistake.vjp)
            yield InjectedError(mistake.name, mistake.message, f"the {op.rule}", wrong)


def slope_errors(model: Model, of: Symbol) -> Iterator[InjectedError]:
    """Yield slopes that people write in the definition of one value in place of the right one.

    The slope at the wrong variable, and that of another activation of a first course.
    """
    for node in dict.fromkeys(walk(model.values[of])):
        if not isinstance(node, Apply) or not node.op.elementwise or node.op.name in LINEAR:
            continue
        step = f"∂{of.name}, {node.op.rule}"
        for error in _slope_errors(node, step):
            if error.name.endswith("of the wrong variable"):
                yield error
        if node.op.activation:
            for error in _exchanged_slopes(node, step):
                if error.name in TAKEN_FOR:
                    yield error


def _errors_on_route(route: Route, wrt: Symbol) -> Iterator[InjectedError]:
    forked = _forks(route)
    for definition, inside in route:
        for node in _dependent(definition.value, inside):
            step = f"∂{definition.target.name}, {node.op.rule}"
            for mistake in node.op.mistakes:
                yield InjectedError(mistake.name, mistake.message, step, {node: mistake.vjp})
            if node.op.elementwise and node.op.name not in LINEAR:
                yield from _slope_errors(node, step)
                if node.op.activation:
                    yield from _exchanged_slopes(node, step)
            elif not node.op.elementwise and node.shape == SCALAR and len(node.args) == 1:
                yield _spread_error(node, step)
            if forked:
                yield from _weighed_errors(node, step)
            yield from _use_errors(definition, node, inside, step)


def _dependent(value: Expr, inside: tuple[Symbol, ...]) -> Iterator[Apply]:
    depends: set[Expr] = set(inside)
    for node in walk(value):
        if isinstance(node, Apply) and any(arg in depends for arg in node.args):
            depends.add(node)
            yield node


def _forks(route: Route) -> bool:
    """Whether anything between two values is used more than once."""
    uses: dict[Expr, int] = {}
    for definition, inside in route:
        for node in _dependent(definition.value, inside):
            for arg in node.args:
                uses[arg] = uses.get(arg, 0) + 1
    return any(count > 1 and symbols(arg) for arg, count in uses.items())


def _slope_errors(node: Apply, step: str) -> Iterator[InjectedError]:
    """Yield the mistakes that can be made with the derivative of any elementwise function."""
    right = node.op.vjp
    known = {mistake.name for mistake in node.op.mistakes}
    slope = "activation derivative" if node.op.activation else "slope"

    def altered(place: int, part: Callable[..., Expr]) -> VJP:
        def rule(g: Expr, out: Expr, args: tuple[Expr, ...], attrs: tuple[Any, ...]) -> Any:  # noqa: ANN401
            found = list(right(g, out, args, attrs))
            found[place] = part(g, out, args, attrs)
            return tuple(found)

        return rule

    for place in range(len(node.args)):

        def twice(
            g: Expr, out: Expr, args: tuple[Expr, ...], attrs: tuple[Any, ...], place: int = place
        ) -> Expr:
            return right(right(g, out, args, attrs)[place], out, args, attrs)[place]

        def elsewhere(
            g: Expr, out: Expr, args: tuple[Expr, ...], attrs: tuple[Any, ...], place: int = place
        ) -> Expr:
            return right(g, args[place], (out,), attrs)[place]

        def none(
            g: Expr, out: Expr, args: tuple[Expr, ...], attrs: tuple[Any, ...], place: int = place
        ) -> Expr:
            return g

        made = [
            (f"{slope} dropped", f"the slope of {node.op.rule} is missing", none),
            (f"{slope} doubled", f"the slope of {node.op.rule} appears twice", twice),
        ]
        if len(node.args) == 1:
            made.append(
                (
                    f"{slope} of the wrong variable",
                    f"the slope of {node.op.rule} is taken at the wrong variable",
                    elsewhere,
                )
            )
        for name, message, part in made:
            if name not in known:
                yield InjectedError(name, message, step, {node: altered(place, part)})


def _exchanged_slopes(node: Apply, step: str) -> Iterator[InjectedError]:
    """Yield the slopes of other activations, at the value or at the argument of this one."""
    known = {mistake.name for mistake in node.op.mistakes}
    for other in TABLE.values():
        name = f"taken for the {other.name}"
        if not (other.activation and other.elementwise) or other is node.op:
            continue
        if len(other.domain) > 1:  # its slope needs a parameter, which is not written here
            continue

        def at_value(
            g: Expr, out: Expr, args: tuple[Expr, ...], attrs: tuple[Any, ...], other: Op = other
        ) -> Any:  # noqa: ANN401
            return other.vjp(g, out, args[:1], ())

        def at_argument(
            g: Expr, out: Expr, args: tuple[Expr, ...], attrs: tuple[Any, ...], other: Op = other
        ) -> Any:  # noqa: ANN401
            return other.vjp(g, apply(other, args[0]), args[:1], ())

        message = f"this is the slope of {other.name}; the activation here is {node.op.name}"
        for rule in (at_argument,) if name in known else (at_value, at_argument):
            yield InjectedError(name, message, step, {node: rule})


def _spread_error(node: Apply, step: str) -> InjectedError:
    """Return the error of a missing slope in a scalar function of a matrix."""

    def none(g: Expr, out: Expr, args: tuple[Expr, ...], attrs: tuple[Any, ...]) -> Any:  # noqa: ANN401
        return (broadcast(g, args[0].shape),)

    return InjectedError(
        "slope dropped", f"the slope of {node.op.rule} is missing", step, {node: none}
    )


_WEIGHTS = (
    (-1, "sign of one path", "has the wrong sign"),
    (2, "a path counted twice", "is counted twice"),
)


def _weighed_errors(node: Apply, step: str) -> Iterator[InjectedError]:
    """Yield wrong weights of one of several paths: a sign, a factor."""
    for place, arg in enumerate(node.args):
        if isinstance(arg, Number):
            continue
        for times, name, said in _WEIGHTS:

            def weighed(
                g: Expr,
                out: Expr,
                args: tuple[Expr, ...],
                attrs: tuple[Any, ...],
                place: int = place,
                times: int = times,
            ) -> tuple[Expr, ...]:
                found = list(node.op.vjp(g, out, args, attrs))
                found[place] = times * found[place]
                return tuple(found)

            message = f"the gradient along one of the paths {said}"
            yield InjectedError(name, message, step, {node: weighed})


def _use_errors(
    definition: Definition, node: Apply, inside: tuple[Symbol, ...], step: str
) -> Iterator[InjectedError]:
    """Yield the omission of one use of a value that a definition uses several times."""
    every = [arg for other in _dependent(definition.value, inside) for arg in other.args]
    for place, arg in enumerate(node.args):
        if every.count(arg) < 2 or not symbols(arg) & set(inside):
            continue

        def without(
            g: Expr,
            out: Expr,
            args: tuple[Expr, ...],
            attrs: tuple[Any, ...],
            place: int = place,
        ) -> tuple[Expr, ...]:
            found = list(node.op.vjp(g, out, args, attrs))
            found[place] = Number(0, args[place].shape)
            return tuple(found)

        yield InjectedError(
            "a path not added",
            f"a value is used more than once in {definition.target.name}, and the paths add",
            step,
            {node: without},
        )


def _path_errors(route: Route, wrt: Symbol) -> Iterator[InjectedError]:
    for symbol in dict.fromkeys(s for _, inside in route for s in inside):
        users = [definition.target for definition, inside in route if symbol in inside]
        if len(users) < 2:
            continue
        for target in users:
            step = f"∂/∂{symbol.name}, paths"
            yield InjectedError(
                "a path not added",
                f"{symbol.name} reaches the objective along {len(users)} paths, and they add: "
                f"one of them is missing",
                step,
                paths={(target, symbol): Fraction(0)},
            )
            yield InjectedError(
                "a path counted twice",
                f"one of the paths from {symbol.name} is counted twice",
                step,
                paths={(target, symbol): Fraction(2)},
            )


def _early_stops(model: Model, route: Route, wrt: Symbol) -> Iterator[InjectedError]:
    """Yield the gradients with respect to other variables."""
    for other in model.symbols:
        if other is wrt or other is model.objective:
            continue

        def instead(value: Expr, other: Symbol = other) -> Expr:
            return pulled(model, model.objective, other, Number(1))

        yield InjectedError(
            "gradient for another variable",
            f"this is the gradient with respect to {other.name}, not to {wrt.name}",
            "what is asked",
            change=instead,
        )


def _penalties(model: Model, wrt: Symbol, finished: Expr | None) -> Iterator[InjectedError]:
    """Yield penalties that the objective does not have for this variable."""
    there = frozenset() if finished is None else symbols(finished)
    scalars = [s for s in model.inputs if s.shape == SCALAR and s.name[:1] in "lLλαCc"]
    scalars = [s for s in scalars if s not in there]
    for strength in scalars:
        for times in (Fraction(1), Fraction(2), Fraction(1, 2)):
            penalty = Number(times) * strength * wrt

            def penalised(value: Expr, penalty: Expr = penalty) -> Expr:
                return value + penalty

            yield InjectedError(
                "regulariser where there is none",
                f"the objective has no penalty on {wrt.name}",
                "the last line",
                change=penalised,
            )
