"""Elaboration of functions in answers, in code spellings as well: ``np.clip``, ``einsum``."""

from __future__ import annotations

from dataclasses import dataclass, replace

from chainrule.calculus.graph.dims import SCALAR, Dim, Index, is_tensor
from chainrule.calculus.graph.node import Apply, Entry, Expr, Number, Position, Total
from chainrule.calculus.graph.op import Op
from chainrule.calculus.ops import broadcast, maximum, minimum, mul, power, transpose
from chainrule.calculus.ops.contraction import einsum as contraction
from chainrule.errors import ShapeError, UnmetError
from chainrule.language.answers.syntax import TUPLE
from chainrule.language.reading import calls, places
from chainrule.language.reading.elaboration import Elaborator
from chainrule.language.reading.tree import Call, Node, Quoted
from chainrule.language.reading.words import ENTRYWISE
from chainrule.teaching.marking.differentials import DIFFERENTIAL
from chainrule.teaching.marking.line_context import LineContext

OPTIONS = {"dim": "axis", "keepdim": "keepdims"}
"""Options of a sum in other array libraries."""

CASTS = frozenset(
    {"astype", "float", "copy", "int", "int32", "int64", "float32", "float64", "double", "bool"}
    | {"array", "asarray", "as_tensor", "tensor", "squeeze"}
)
"""Functions of code that return their first argument, in another type or a copy."""

ARGUMENTS = {"square": 1, "power": 2, "pow": 2, "mm": 2, "mul": 2, "t": 1}
"""The number of arguments of a function of code, the matrix before a dot included."""

AT_LEAST = {"clamp": 1, "clip": 1, "heaviside": 1, "einsum": 2}
"""The least number of arguments of a function of code."""


@dataclass(frozen=True, kw_only=True)
class FunctionElaborator(Elaborator):
    """Builds the functions in one line of an answer.

    Parameters
    ----------
    context : LineContext
        The indices and placeholders of the line.
    """

    context: LineContext

    def call(self, node: Call) -> Expr:
        """Build a function applied, in the spellings of code as well."""
        named = tuple((OPTIONS.get(option, option), value) for option, value in node.options)
        whole = tuple((o, v) for o, v in named if not (o == "axis" and _is_tuple(v)))
        arguments = tuple(part for given in node.arguments for part in _parts(given))
        node = replace(node, arguments=arguments, options=whole)
        wanted = ARGUMENTS.get(node.function)
        if wanted is not None and len(node.arguments) != wanted:
            raise self.error(node, f"{node.function} takes {wanted} argument{'s' * (wanted > 1)}")
        if len(node.arguments) < AT_LEAST.get(node.function, 0):
            raise self.error(node, f"{node.function} needs what it is applied to")
        match node.function:
            case "full" | "full_like" | "ones_like" | "zeros_like" | "broadcast_to":
                return self.filled(node)
            case "clamp" | "clip":
                return self.clamped(node)
            case "heaviside":
                return calls.masked(self.expr(node.arguments[0]))
            case "sub" | "div":
                node = replace(node, function={"sub": "subtract", "div": "divide"}[node.function])
            case "einsum":
                return self.einsum(node)
            case function if function == DIFFERENTIAL and len(node.arguments) == 1:
                moving = self.context.differentials
                if moving is None:
                    raise self.error(node, "d(...) reads in a line that begins with dJ, as d(A B)")
                return moving.part(self.expr(node.arguments[0]))
            case "square":
                return power(self.expr(node.arguments[0]), 2)
            case "power" | "pow":
                base, exponent = node.arguments
                return self.raised(node, self.expr(base), self.exponent(exponent))
            case "mm":
                node = replace(node, function="matmul")
            case "mul":
                node = replace(node, function="multiply")
            case "t":
                return transpose(self.expr(node.arguments[0]))
            case function if function in CASTS and node.arguments:
                return self.expr(node.arguments[0])
        if node.primes and node.function not in ENTRYWISE:
            return self.slope(node)
        return calls.call(self, node)

    def filled(self, node: Call) -> Expr:
        """Read ``np.full((m, 1), 1.0)`` and its like: one value at a whole shape."""
        try:
            match node.function, node.arguments:
                case ("full", (rows, columns, value)) | ("broadcast_to", (value, rows, columns)):
                    shape = places.size(self, rows), places.size(self, columns)
                    return broadcast(self.expr(value), shape)
                case "full_like", (like, value):
                    return broadcast(self.expr(value), self.expr(like).shape)
                case (("ones_like" | "zeros_like"), (like,)):
                    one = Number(node.function == "ones_like")
                    return broadcast(one, self.expr(like).shape)
        except ShapeError as error:
            raise self.error(node, f"{node.function}: {error.fact}") from None
        raise self.error(node, f"{node.function} takes a shape, as in {node.function}((m, 1), 1)")

    def clamped(self, node: Call) -> Expr:
        """Read ``clamp(Z, min=0)``."""
        value, *bounds = (self.expr(part) for part in node.arguments)
        named = {option: self.expr(bound) for option, bound in node.options}
        low = named.get("min", named.get("a_min", bounds[0] if bounds else None))
        high = named.get("max", named.get("a_max", bounds[1] if len(bounds) > 1 else None))
        try:
            value = value if low is None else maximum(value, low)
            return value if high is None else minimum(value, high)
        except ShapeError as error:
            raise self.error(node, f"{node.function}: {error.fact}") from None

    def slope(self, node: Call) -> Expr:
        """Read ``g'(Z)``: the slope of the activation whose argument is Z."""
        if len(node.arguments) != 1:
            raise self.error(node, "a slope is taken at one value, as in g'(Z)")
        inner = self.expr(node.arguments[0])
        row = self.activation(node.function, inner)
        if row is None:
            said = f"no activation of the forward pass has {self.text(node.arguments[0])} inside"
            raise self.error(node, said)
        if not row.elementwise:
            said = f"{row.name} has a slope for every pair of entries, and no matrix of them"
            raise self.error(node, said)
        return row.vjp(Number(1, inner.shape), Apply(row, (inner,)), (inner,), ())[0]

    def activation(self, name: str, inner: Expr) -> Op | None:
        """Find the activation of a name, or else the one that has this inside."""
        model = self.context.model
        whole = inner.matrix if isinstance(inner, Entry) else inner
        seen = {whole, transpose(whole)}
        for definition in model.definitions:
            value = definition.value
            if not (isinstance(value, Apply) and value.op.activation):
                continue
            (inside,) = value.args
            if value.op.name == name or inside in seen or model.opened(inside) in seen:
                return value.op
        return next((f.row for f in model.functions if f.name == name), None)

    def einsum(self, node: Call) -> Expr:
        """Read ``einsum('ij,kj->ik', A, B)``."""
        pattern, *operands = node.arguments
        if not isinstance(pattern, Quoted) or "->" not in pattern.text:
            raise self.error(node, "einsum begins with its pattern, as in 'ij,kj->ik'")
        before, after = pattern.text.replace(" ", "").split("->")
        names = before.split(",")
        values = [self.expr(part) for part in operands]
        if any(is_tensor(value.shape) for value in values):
            try:
                return contraction(pattern.text, *values)
            except ShapeError as error:
                raise self.error(node, f"einsum: {error.fact}") from None
        if len(names) != len(values) or any(len(name) not in (1, 2) for name in names):
            raise self.error(node, "einsum needs one or two letters for every operand")
        dims: dict[str, Dim] = {}
        for name, value in zip(names, values, strict=True):
            for letter, dim in zip(name, _axes(value, name), strict=True):
                if dims.setdefault(letter, dim) != dim:
                    raise self.line.error(
                        f"{letter} is {dims[letter]} and {dim} in this einsum",
                        node.start,
                        UnmetError,
                    )
        if len(set(after)) != len(after) or len(after) > 2 or not set(after) <= dims.keys():
            raise self.error(node, "einsum gives a matrix: after -> up to two letters of before")
        shape = tuple(dims[letter] for letter in after)
        whole = (*shape, 1) if len(shape) == 1 else shape or SCALAR
        summed = [letter for letter in dims if letter not in after]

        def recipe(row: Position, col: Position) -> Expr:
            at: dict[str, Position] = dict(zip(after, (row, col), strict=False))
            at |= {letter: self.context.letters.bound(dims[letter]) for letter in summed}
            form = mul(
                *(
                    self.context.opened(value, *_spread(value, [at[letter] for letter in name]))
                    for name, value in zip(names, values, strict=True)
                )
            )
            for letter in summed:
                index = at[letter]
                if isinstance(index, Index):
                    form = Total(index, form)
            return form

        return self.context.placeholder("einsum", (whole[0], whole[1]), recipe)


def _parts(node: Node) -> tuple[Node, ...]:
    return node.arguments if isinstance(node, Call) and node.function == TUPLE else (node,)


def _is_tuple(node: Node) -> bool:
    return isinstance(node, Call) and node.function == TUPLE


def _axes(value: Expr, name: str) -> tuple[Dim, ...]:
    if len(name) == 2:
        return value.shape
    return (next((dim for dim in value.shape if dim != 1), 1),)


def _spread(value: Expr, places: list[Position]) -> tuple[Position, Position]:
    if len(places) == 2:
        return places[0], places[1]
    return (places[0], None) if value.shape[1] == 1 else (None, places[0])
