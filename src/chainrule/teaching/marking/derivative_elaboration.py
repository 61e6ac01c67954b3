"""Derivatives, chains of them and masks in answers, as expressions."""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import dataclass
from itertools import pairwise

from chainrule.calculus.derivation.sensitivity import on_paths, pulled
from chainrule.calculus.graph.dims import SCALAR
from chainrule.calculus.graph.node import (
    Entry,
    Expr,
    Number,
    Position,
    Symbol,
    entry,
    substitute,
    symbols,
)
from chainrule.calculus.ops import delta, mul
from chainrule.errors import UndecidedError
from chainrule.language.reading.calls import masked
from chainrule.language.reading.tree import (
    Chain,
    Compared,
    Derivative,
    Indexed,
    Name,
    Node,
)
from chainrule.teaching.marking.expression_slopes import slope
from chainrule.teaching.marking.function_elaboration import FunctionElaborator
from chainrule.teaching.marking.line_context import AskedDerivative


@dataclass(frozen=True, kw_only=True)
class DerivativeElaborator(FunctionElaborator):
    """Builds what derivatives in a line of an answer stand for."""

    @abstractmethod
    def part(self, node: Node, whole: Symbol, below: tuple[str, ...], example: str) -> Expr:
        """Build a part of a value: an entry, a column of one example."""

    def derivative(self, node: Derivative) -> Expr:
        """Read ``∂a/∂z``: the gradient of the objective by its name, others by the sweep."""
        if (column := self.gradient_column(node)) is not None:
            return column
        wrt, wrt_at = self.side(node.wrt)
        if isinstance(node.of, Derivative):
            return self.second(node.of, wrt, wrt_at)
        value = self.expr(node.of)
        if self.is_value(value):
            of, of_at = self.side(node.of)
            return self.partial(node, of, of_at, wrt, wrt_at)
        return self.sloped(node, value, wrt, wrt_at)

    def gradient_column(self, node: Derivative) -> Expr | None:
        """Read ``∂J/∂z^{(i)}``: the column of the gradient that belongs to an example."""
        if not isinstance(node.wrt, Name) or not isinstance(node.of, Name):
            return None
        lexicon = self.context.lexicon
        above, below = lexicon.find(node.of.name), lexicon.find(node.wrt.name)
        if above is None or below is None or not below.example or below.of is not None:
            return None
        whole = below.symbol
        if above.symbol is not self.context.model.objective or 1 in whole.shape or below.below:
            return None
        self.context.derived = AskedDerivative(above.symbol, whole)
        return self.part(node.wrt, self.context.gradient(whole), (), below.example)

    def is_value(self, value: Expr) -> bool:
        """Whether an expression is a value of the forward pass, or an entry of one."""
        whole = value.matrix if isinstance(value, Entry) else value
        if isinstance(whole, Symbol) and whole in self.context.gradients:
            return True
        return isinstance(whole, Symbol) and whole in self.context.model.symbols

    def sloped(
        self, node: Node, value: Expr, wrt: Symbol, wrt_at: tuple[Position, Position] | None
    ) -> Expr:
        """Differentiate an expression, entry by entry.

        Where z stands for ``w x + b``, the derivative of ``σ(w x + b)`` is that of ``σ(z)``.
        """
        known = self.context.model.values.get(wrt)
        if known is not None and wrt not in symbols(value):
            value = substitute(value, {known: wrt})
        if value.shape != SCALAR and value.shape != wrt.shape and wrt.shape != SCALAR:
            raise self.line.error(
                f"{self.text(node)} has four indices; write it entry by entry",
                node.start,
                UndecidedError,
            )

        def recipe(row: Position, col: Position) -> Expr:
            form = self.context.opened(
                self.context.meant(value), *((None, None) if value.shape == SCALAR else (row, col))
            )
            place = wrt_at or ((None, None) if wrt.shape == SCALAR else (row, col))
            return slope(self.context, form, wrt, place)

        if value.shape == SCALAR and (wrt_at is not None or wrt.shape == SCALAR):
            return recipe(None, None)
        shape = wrt.shape if value.shape == SCALAR else value.shape
        return self.context.placeholder("derivative", shape, recipe)

    def second(
        self, inner: Derivative, wrt: Symbol, wrt_at: tuple[Position, Position] | None
    ) -> Expr:
        """Read ``∂²J/∂w_j∂w_k``, or the Hessian with respect to a vector as a whole."""
        first, first_at = self.side(inner.wrt)
        whole = self.context.meant(self.derivative(inner))
        self.context.derived, self.context.twice = None, True

        def entry_of(one: Position, other: Position) -> Expr:
            at = first_at or _along(first, one)
            form = whole if whole.shape == SCALAR else self.context.opened(whole, *at)
            return slope(self.context, form, wrt, wrt_at or _along(wrt, other))

        if (first_at or first.shape == SCALAR) and (wrt_at or wrt.shape == SCALAR):
            return entry_of(None, None)
        if 1 not in first.shape or 1 not in wrt.shape:
            raise self.line.error(
                "a second derivative with respect to a matrix has four indices; write it entry by "
                "entry",
                inner.start,
                UndecidedError,
            )
        rows, columns = (max(s.shape, key=lambda dim: dim != 1) for s in (first, wrt))
        shape = (1 if first_at else rows, 1 if wrt_at else columns)
        return self.context.placeholder("second derivative", shape, entry_of)

    def partial(
        self,
        node: Node,
        of: Symbol,
        of_at: tuple[Position, Position] | None,
        wrt: Symbol,
        wrt_at: tuple[Position, Position] | None,
    ) -> Expr:
        """Build the derivative of one symbol, or an entry of it, with respect to another."""
        self.context.derived = AskedDerivative(of, wrt, of_at, wrt_at)
        model = self.context.model
        between = of is model.objective and wrt in model.values and of is not wrt
        if between and wrt not in on_paths(model, of, wrt):
            raise UndecidedError(
                f"{of.name} does not depend on {wrt.name} as it is written above, so a "
                "derivative with respect to it cannot be judged",
                line=self.line.number,
                column=node.start + 1,
            )
        if of is self.context.model.objective:
            name = self.context.gradient(wrt)
            return entry(name, *wrt_at) if wrt_at is not None else name
        if wrt_at is None and wrt.shape == SCALAR:
            wrt_at = (None, None)
        if of_at is None and of.shape == SCALAR:
            of_at = (None, None)
        if of_at is not None and wrt_at is not None:
            return self.context.partial(of, of_at, wrt, wrt_at)
        if of_at is not None:
            return self.context.placeholder(
                "derivative", wrt.shape, lambda r, c: self.context.partial(of, of_at, wrt, (r, c))
            )
        if wrt_at is not None:
            return self.context.placeholder(
                "derivative", of.shape, lambda r, c: self.context.partial(of, (r, c), wrt, wrt_at)
            )
        return self.context.table(of, wrt, node.start)

    def side(self, node: Node) -> tuple[Symbol, tuple[Position, Position] | None]:
        """Return the numerator or denominator of a derivative: a symbol and a place."""
        value = self.expr(node)
        if isinstance(value, Symbol) and value in self.context.gradients:
            raise self.error(node, "a derivative of a derivative is not read here")
        if isinstance(value, Symbol) and value in self.context.model.symbols:
            return value, None
        if isinstance(value, Entry) and value.matrix in self.context.model.symbols:
            assert isinstance(value.matrix, Symbol)
            return value.matrix, (value.row, value.col)
        raise UndecidedError(
            f"{self.text(node)} is not a value of the forward pass, so a derivative of it or with "
            "respect to it cannot be judged",
            line=self.line.number,
            column=node.start + 1,
        )

    def product(self, node: Chain) -> Expr | None:
        """Read a product in which an upstream gradient meets derivatives, as a chain.

        ``∂J/∂A · ∂A/∂Z · ∂Z/∂W``: whatever the layouts, what is meant is the gradient at A,
        pulled back to Z and then to W. Nothing when the product is of another kind.
        """
        operands = [node.first, *(joined.operand for joined in node.rest)]
        if any(joined.operator == "/" for joined in node.rest):
            return None
        if not any(isinstance(part, Derivative) for part in operands):
            return None
        chain = [part for part in operands if isinstance(part, Derivative)]
        if len(chain) == len(operands) > 1 and not self.linked(chain):
            if not self.linked(chain[::-1]):
                return None
            operands = list(operands[::-1])
        value: Expr | None = None
        for part in operands:
            link = self.whole_link(part)
            if value is None or link is None:
                other = self.expr(part)
                if value is not None and SCALAR not in (value.shape, other.shape):
                    return None
                value = other if value is None else mul(value, other)
            elif link[0].shape == value.shape and not self.context.has_placeholders(value):
                value = pulled(self.context.model, link[0], link[1], value)
            else:
                return None
        return value

    def linked(self, chain: list[Derivative]) -> bool:
        """Whether each derivative is with respect to the numerator of the next."""
        names = [(self.text(part.of), self.text(part.wrt)) for part in chain]
        return all(before[1][-4:] == after[0][-4:] for before, after in pairwise(names))

    def whole_link(self, node: Node) -> tuple[Symbol, Symbol] | None:
        """Return both sides of a derivative of one whole symbol with respect to another."""
        if not isinstance(node, Derivative) or not isinstance(node.of, Name | Indexed):
            return None
        of, of_at = self.side(node.of)
        wrt, wrt_at = self.side(node.wrt)
        return (of, wrt) if of_at is None and wrt_at is None else None

    def mask(self, node: Compared) -> Expr:
        """Build a mask; at 0, where no side is given, both conventions count.

        ``[i = j]`` is the Kronecker delta of two indices; other bounds than 0 move to the left.
        """
        if node.operator == "=":
            return self.kronecker(node, node.left, node.right)
        operator = {">=": ">", "<=": "<"}.get(node.operator, node.operator)
        left, right = self.expr(node.left), self.expr(node.right)
        if operator == "<":
            left, right = right, left
        return masked(left if isinstance(right, Number) and right.value == 0 else left - right)

    def kronecker(self, node: Node, left: Node, right: Node) -> Expr:
        """Read ``δ_ij``: 1 where two indices are the same, else 0."""
        names = [part.name for part in (left, right) if isinstance(part, Name)]
        dims = [self.context.known(name) for name in names]
        dim = next((dim for dim in dims if dim is not None), None)
        if len(names) != 2 or dim is None:
            raise self.error(node, "neither index is bound by a sum here")
        one, other = (self.context.index(name, dim, node.start) for name in names)
        assert one is not None
        assert other is not None
        return delta(dim, one, other)


def _along(symbol: Symbol, place: Position) -> tuple[Position, Position]:
    """Put an index along the only long dimension of a vector."""
    if symbol.shape == SCALAR:
        return None, None
    return (place, None) if symbol.shape[1] == 1 else (None, place)
