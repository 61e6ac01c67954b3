"""Syntax trees from matrix forms, through the code of each row.

A row writes its code over the texts of its arguments. Here it is given placeholders, and what it
writes is parsed, never run; the arguments take the places in the tree, so brackets are never
counted and never forgotten.
"""

from __future__ import annotations

import ast
from collections.abc import Mapping, Set

from chainrule.calculus.graph.dims import SCALAR, Dim, Shape, Size, base_names
from chainrule.calculus.graph.node import Apply, Expr, Number, Symbol
from chainrule.calculus.graph.op import Layout, Op
from chainrule.calculus.ops.elementwise import common_shape
from chainrule.errors import DerivationError
from chainrule.language.codegen.dialects import NUMPY
from chainrule.language.codegen.sizes import arithmetic
from chainrule.language.codegen.target import Target

PLACE = "_place_"


class Trees:
    """Builds the trees of one function's values.

    Parameters
    ----------
    names : mapping of Symbol to str
        The identifiers of the matrices.
    sizes : mapping of str to str
        The identifiers of the dimensions.
    target : Target
        The target: a row may have code of its own for it, or code that it cannot run.

    Attributes
    ----------
    parts : dict of Expr to str
        Values that have been computed, by their identifiers.
    used_sizes : set of str
        The dimensions whose size is spoken of.
    helpers : dict of str to str
        The definitions, in NumPy, that the code calls.
    own : dict of str to str
        The definitions, in the language of the target, that the code calls.
    imports : set of str
        The import statements that the code needs beside those of every module of the target.
    """

    def __init__(
        self, names: Mapping[Symbol, str], sizes: Mapping[str, str], target: Target
    ) -> None:
        self.names = names
        self.sizes = sizes
        self.target = target
        self.parts: dict[Expr, str] = {}
        self.used_sizes: set[str] = set()
        self.helpers: dict[str, str] = {}
        self.own: dict[str, str] = {}
        self.imports: set[str] = set()

    def tree(self, node: Expr, exact: bool) -> ast.expr:
        """Build the tree of a value.

        Parameters
        ----------
        node : Expr
            A matrix form.
        exact : bool
            Whether the array must have the whole shape, and not just broadcast to it.
        """
        if exact and self.fills(node):
            return self._filled(node)
        if node in self.parts:
            return ast.Name(self.parts[node])
        if isinstance(node, Symbol):
            return ast.Name(self.names[node])
        if isinstance(node, Number):
            return _number(node)
        if not isinstance(node, Apply):
            raise DerivationError(
                "an index form cannot be a line of array code; a matrix form is needed"
            )
        if is_hidden(node):
            return self.tree(node.args[0], False)
        return self._applied(node)

    @staticmethod
    def fills(node: Expr) -> bool:
        """Whether the code of a node must be repeated to its shape, or made an array."""
        return spread(node) != node.shape or is_plain(node)

    def _applied(self, node: Apply) -> ast.expr:
        op = node.op
        args = [self.tree(arg, not op.elementwise) for arg in node.args]
        places = [f"{PLACE}{k}" for k in range(len(args))]
        dims = [a for a in node.attrs if isinstance(a, str | Size)]
        attrs = tuple(f"({arithmetic(a, self.sizes)})" if a in dims else a for a in node.attrs)
        spelling = op.targets.get(self.target.name)
        written = op.code if spelling is None else spelling.code
        code = ast.parse(written(*places, attrs=attrs), mode="eval").body
        said = {part.id for part in ast.walk(code) if isinstance(part, ast.Name)}
        spoken = {name for dim in dims for name in base_names(dim) if self.sizes[name] in said}
        self.used_sizes |= spoken
        if spelling is None:
            self._help(op)
        else:
            self.imports.update(spelling.imports)
            if spelling.helper:
                self.own[op.name] = spelling.helper
        self.target.verify(op, code)
        filled = _Filler(dict(zip(places, args, strict=True))).visit(code)
        assert isinstance(filled, ast.expr)
        return filled

    def _help(self, op: Op) -> None:
        """Note the definitions that the code of a row calls."""
        if op.helper:
            self.helpers[op.name] = op.helper
        for other in op.helpers:
            self._help(other)

    def _filled(self, node: Expr) -> ast.expr:
        """Repeat what only broadcasts to its shape until it has it."""
        shape = ", ".join(self._size(dim) for dim in node.shape)
        if isinstance(node, Number):
            code = f"{NUMPY}.full(({shape}), {float(node.value)!r})"
        elif is_plain(node):
            code = f"{NUMPY}.full(({shape}), {PLACE}0)"
        else:
            code = f"{NUMPY}.broadcast_to({PLACE}0, ({shape}))"
        filler = _Filler({f"{PLACE}0": self.tree(node, False)})
        filled = filler.visit(ast.parse(code, mode="eval").body)
        assert isinstance(filled, ast.expr)
        return filled

    def _size(self, dim: Dim) -> str:
        self.used_sizes.update(base_names(dim))
        return f"({arithmetic(dim, self.sizes)})"


def spread(node: Expr, filled: Set[Expr] = frozenset()) -> Shape:
    """Return the shape of the array that the code of a node makes, before it is repeated.

    Parameters
    ----------
    node : Expr
        A matrix form.
    filled : set of Expr, optional
        Values that have been computed in their whole shape.
    """
    if node in filled:
        return node.shape
    if isinstance(node, Number):
        return SCALAR
    if not isinstance(node, Apply):
        return node.shape
    if is_hidden(node):
        return spread(node.args[0], filled)
    if not node.op.elementwise:
        return node.shape
    return common_shape(spread(arg, filled) for arg in node.args)


def is_hidden(node: Expr) -> bool:
    """Whether a node is silent in code: its code is that of its argument, which broadcasts."""
    if not isinstance(node, Apply) or node.op.notation.layout is not Layout.HIDDEN:
        return False
    return node.op.code(PLACE, attrs=node.attrs) == PLACE


def is_plain(node: Expr) -> bool:
    """Whether the code of a node is a number of Python: of numbers, sizes and constants alone."""
    if is_hidden(node):
        return is_plain(node.args[0])
    if isinstance(node, Apply):
        constant = not node.args and node.shape == SCALAR
        return (node.op.elementwise or constant) and all(map(is_plain, node.args))
    return isinstance(node, Number)


def is_work(tree: ast.expr) -> bool:
    """Whether a tree is more than arithmetic, so that it should not be computed twice."""
    return any(isinstance(node, ast.Call | ast.MatMult) for node in ast.walk(tree))


LARGEST_WHOLE = 2**53
"""The largest whole number that every library takes as it is."""


def _number(node: Number) -> ast.expr:
    exact = node.value
    dyadic = exact == float(exact) and exact.denominator != 1
    long = max(abs(exact.numerator), exact.denominator) > LARGEST_WHOLE
    value = float(exact) if dyadic or long else exact
    return ast.parse(str(value), mode="eval").body


class _Filler(ast.NodeTransformer):
    def __init__(self, places: Mapping[str, ast.expr]) -> None:
        self.places = places

    def visit_Name(self, node: ast.Name) -> ast.expr:
        """Put an argument in its place."""
        return self.places.get(node.id, node)
