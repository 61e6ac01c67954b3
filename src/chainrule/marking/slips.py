"""The wrong gradients that people arrive at: each mistake pushed through the learner's own problem.

A slip changes one thing and leaves the rest of the reverse sweep as it is: a wrong rule at one
operation (the rows of the ops bring theirs), a path that is forgotten, a path that is counted
twice, or a change to the finished line: a sign, a term, a factor. What it comes to is computed,
never written down.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any

from chainrule.derivation.sensitivity import pulled
from chainrule.derivation.sweep import pullback
from chainrule.graph.dims import SCALAR
from chainrule.graph.model import Definition, Model
from chainrule.graph.node import Apply, Expr, Number, Symbol, symbols, walk
from chainrule.graph.op import VJP
from chainrule.ops import TABLE, add, matmul, mul, neg, power, replace, size, transpose

LINEAR = ("add", "neg")
"""Operations without a slope that could be forgotten."""

Change = Callable[[Expr], Expr]
Route = list[tuple[Definition, tuple[Symbol, ...]]]
"""The definitions between two values, the last first, with what each uses that is on the way."""


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
    change : callable, optional
        What is done to the finished line.
    height : int
        How large the part is that is changed; what holds another part is changed first.
    """

    name: str
    message: str
    step: str
    rules: Mapping[Expr, VJP] = field(default_factory=dict)
    paths: Mapping[tuple[Symbol, Symbol], Fraction] = field(default_factory=dict)
    change: Change | None = None
    height: int = 0

    @property
    def in_sweep(self) -> bool:
        """Whether it happens on the way, and not to the finished line."""
        return self.change is None


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
        rules |= slip.rules
        paths |= slip.paths

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
    for slip in sorted(made, key=lambda slip: -slip.height):
        if slip.change is not None:
            value = slip.change(value)
    return value


def slips_between(model: Model, of: Symbol, wrt: Symbol, finished: Expr | None) -> Iterator[Slip]:
    """Yield the mistakes that can be made on the way from one value to another.

    Parameters
    ----------
    model : Model
        The forward pass.
    of, wrt : Symbol
        Of what, by what.
    finished : Expr or None
        The right line in short form.
    """
    route = _route(model, of, wrt)
    yield from _rule_slips(route, wrt)
    yield from _path_slips(route, wrt)
    if finished is not None:
        yield from _line_slips(finished)
        yield from _letter_slips(model, finished)
    if of is model.objective:
        yield from _early_stops(model, route, wrt)
        yield from _penalties(model, wrt)


def _route(model: Model, of: Symbol, wrt: Symbol) -> Route:
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


# ---- on the way --------------------------------------------------------------------------------


def _rule_slips(route: Route, wrt: Symbol) -> Iterator[Slip]:
    forked = _forks(route)
    for definition, inside in route:
        for node in _dependent(definition.value, inside):
            step = f"∂{definition.target.name}, {node.op.rule}"
            for mistake in node.op.mistakes:
                yield Slip(mistake.name, mistake.message, step, {node: mistake.vjp})
            if node.op.elementwise and node.op.name not in LINEAR:
                yield from _slope_slips(node, step)
            if forked:
                yield from _weighed_slips(node, step)
            yield from _use_slips(definition, node, inside, step)


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


def _slope_slips(node: Apply, step: str) -> Iterator[Slip]:
    """Mistakes that every function invites, at each of its arguments."""
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
                yield Slip(name, message, step, {node: altered(place, part)})


def _weighed_slips(node: Apply, step: str) -> Iterator[Slip]:
    """Weigh one of several paths wrongly: a sign, a factor."""
    for place, arg in enumerate(node.args):
        if isinstance(arg, Number):
            continue
        for times, name in ((-1, "sign of one path"), (2, "a factor too many on one path")):

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

            message = f"what arrives along one path stands {times} times"
            yield Slip(name, message, step, {node: weighed})


def _use_slips(
    definition: Definition, node: Apply, inside: tuple[Symbol, ...], step: str
) -> Iterator[Slip]:
    """Forget one use of a value that a definition uses several times."""
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

        yield Slip(
            "a path not added",
            f"a value is used more than once in {definition.target.name}, and the paths add",
            step,
            {node: without},
        )


def _path_slips(route: Route, wrt: Symbol) -> Iterator[Slip]:
    for symbol in dict.fromkeys(s for _, inside in route for s in inside):
        users = [definition.target for definition, inside in route if symbol in inside]
        if len(users) < 2:
            continue
        for target in users:
            step = f"∂/∂{symbol.name}, paths"
            yield Slip(
                "a path not added",
                f"{symbol.name} reaches the objective along {len(users)} paths, and they add: "
                f"one of them is missing",
                step,
                paths={(target, symbol): Fraction(0)},
            )
            yield Slip(
                "a path counted twice",
                f"one of the paths from {symbol.name} is counted twice",
                step,
                paths={(target, symbol): Fraction(2)},
            )


def _early_stops(model: Model, route: Route, wrt: Symbol) -> Iterator[Slip]:
    """Stop at another value: the gradient for the wrong variable."""
    for other in model.symbols:
        if other is wrt or other is model.objective:
            continue

        def instead(value: Expr, other: Symbol = other) -> Expr:
            return pulled(model, model.objective, other, Number(1))

        yield Slip(
            "gradient for another variable",
            f"this is the gradient for {other.name}, and the one for {wrt.name} was asked",
            "what is asked",
            change=instead,
        )


def _penalties(model: Model, wrt: Symbol) -> Iterator[Slip]:
    """Add a penalty that the objective does not have for this variable."""
    scalars = [s for s in model.inputs if s.shape == SCALAR and s.name[:1] in "lLλαCc"]
    for strength in scalars:
        for times in (Fraction(1), Fraction(2), Fraction(1, 2)):
            penalty = Number(times) * strength * wrt

            def penalised(value: Expr, penalty: Expr = penalty) -> Expr:
                return value + penalty

            yield Slip(
                "regulariser where there is none",
                f"the objective has no penalty on {wrt.name}",
                "the last line",
                change=penalised,
            )


# ---- the finished line -------------------------------------------------------------------------


def _line_slips(finished: Expr) -> Iterator[Slip]:
    """Change the finished line as people do by oversight."""
    step = "the last line"
    for node in dict.fromkeys(walk(finished)):
        if not isinstance(node, Apply):
            continue
        if node.op is TABLE["add"]:
            for place in range(len(node.args)):
                yield from _term_slips(node, place, step)
        if node.op is TABLE["transpose"] and isinstance(node.args[0], Symbol):
            yield _replaced(
                "transpose missing",
                "a transpose is missing in the product",
                step,
                node,
                node.args[0],
            )
        if node.op in (TABLE["sum"], TABLE["mean"]):
            other = TABLE["mean" if node.op is TABLE["sum"] else "sum"]
            yield _replaced(
                "mean and sum confused",
                "a sum and a mean are taken for one another",
                step,
                node,
                Apply(other, node.args, node.attrs),
            )
        if node.op is TABLE["power"]:
            for exponent in (node.attrs[0] - 1, node.attrs[0] + 1):
                yield _replaced(
                    "wrong exponent",
                    "an exponent is off by one",
                    step,
                    node,
                    power(node.args[0], exponent),
                )
        if node.op is TABLE["matmul"]:
            yield from _product_slips(node, step)
        if node.op is TABLE["mul"] and len(node.args) == 2:
            left, right = node.args
            if left.shape == right.shape and left.shape[0] == left.shape[1]:
                yield _replaced(
                    "matrix product where elementwise belongs",
                    "these two factors are multiplied entry by entry, not as matrices",
                    step,
                    node,
                    matmul(left, right),
                )
        if node.op is TABLE["mul"]:
            for place, factor in enumerate(node.args):
                rest = mul(*(a for k, a in enumerate(node.args) if k != place))
                yield _replaced("a factor dropped", "a factor got lost", step, node, rest)
                if not isinstance(factor, Number):
                    more = mul(node, factor)
                    yield _replaced(
                        "a factor counted twice", "a factor stands twice", step, node, more
                    )


def _letter_slips(model: Model, finished: Expr) -> Iterator[Slip]:
    """Write one letter for another of the same shape."""
    for symbol in sorted(symbols(finished), key=lambda s: s.name):
        for other in model.symbols:
            if other is symbol or other.shape != symbol.shape or other is model.objective:
                continue
            yield _replaced(
                "wrong letter",
                f"{other.name} stands where another value belongs",
                "the last line",
                symbol,
                other,
            )


def _term_slips(node: Apply, place: int, step: str) -> Iterator[Slip]:
    terms = list(node.args)
    rest = add(*(t for k, t in enumerate(terms) if k != place))
    flipped = add(*(neg(t) if k == place else t for k, t in enumerate(terms)))
    yield _replaced("an additive term dropped", "a term of a sum got lost", step, node, rest)
    yield _replaced("sign of one term", "the sign of one term is turned", step, node, flipped)
    dims = sorted({str(d) for part in walk(node) for d in part.shape if isinstance(d, str)})
    scales: list[tuple[str, Expr]] = [("2", Number(2)), ("1/2", Number(Fraction(1, 2)))]
    for dim in dims:
        scales += [(f"1/{dim}", Number(1) / size(dim)), (dim, size(dim))]
    for times, scale in scales:
        scaled = add(*(mul(scale, t) if k == place else t for k, t in enumerate(terms)))
        yield _replaced(
            "a term with a wrong factor", f"a term stands {times} times", step, node, scaled
        )


def _product_slips(node: Apply, step: str) -> Iterator[Slip]:
    left, right = node.args[0], node.args[-1]
    if len(node.args) == 2 and left.shape == right.shape:
        yield _replaced(
            "elementwise where a matrix product belongs",
            "these two factors are multiplied as matrices, not entry by entry",
            step,
            node,
            mul(left, right),
        )
    if len(node.args) == 2 and left.shape == right.shape[::-1]:
        yield _replaced(
            "operands swapped",
            "the factors of a product stand in the wrong order",
            step,
            node,
            matmul(right, left),
        )
    for place, factor in enumerate(node.args):
        if factor.shape[0] == factor.shape[1] and factor.shape != SCALAR:
            turned = [transpose(a) if k == place else a for k, a in enumerate(node.args)]
            yield _replaced(
                "a transpose too many or too few",
                "a transpose is missing, or one is too many",
                step,
                node,
                matmul(*turned) if len(turned) == 2 else node.rebuilt(tuple(turned)),
            )


def _replaced(name: str, message: str, step: str, old: Expr, new: Expr) -> Slip:
    def change(value: Expr) -> Expr:
        return replace(value, {old: new})

    height = sum(1 for _ in walk(old))
    return Slip(name, message, step, change=change, height=height)
