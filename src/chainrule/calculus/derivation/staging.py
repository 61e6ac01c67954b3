"""Names for nested expressions, so that every factor of the chain rule can be asked."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import replace
from itertools import chain

from chainrule.calculus.graph.dims import SCALAR
from chainrule.calculus.graph.model import Definition, Model
from chainrule.calculus.graph.node import Apply, Expr, Symbol, substitute, symbols, walk
from chainrule.calculus.graph.op import Layout

ARGUMENTS = "zuvt"
VALUES = "srqh"
FURTHER = "gfpc"
"""Letters for a layer whose other letters mean something without its index: ``U^[1]`` beside U."""
PLAIN = frozenset({Layout.CHAIN, Layout.POSTFIX, Layout.HIDDEN, Layout.SUM, Layout.PREFIX})
"""Layouts of operations under which a gradient stays a product."""
SCORES = frozenset({Layout.CHAIN, Layout.SUM, Layout.PREFIX})
"""Layouts of what may be named as the scores of a layer."""
_INDEX = re.compile(r"\^\{?\[[^\]]*\]\}?$|_\{?[0-9]+\}?$")
"""The index that ends a name: names for parts of ``A^[2]`` get it too."""


def staged(model: Model) -> tuple[Model, tuple[Definition, ...]]:
    """Name the argument of every activation, the value of every nested one, and repeated scores.

    ``yhat = tanh(sigmoid(w x^2 + b))`` becomes ``z = w x^2 + b``, ``s = sigmoid(z)``,
    ``yhat = tanh(s)``. Scores that stand several times in one line, as in a norm of ``W X + b``,
    get a name, too: their gradient is then asked once.

    Returns
    -------
    model : Model
        The same forward pass with more names.
    added : tuple of Definition
        The new definitions.
    """
    stager = _Stager(model)
    definitions = tuple(
        d for definition in model.definitions for d in stager.definitions(definition)
    )
    return replace(model, definitions=definitions), tuple(stager.added)


class _Stager:
    def __init__(self, model: Model) -> None:
        self.taken = {symbol.name for symbol in model.symbols}
        self.given = frozenset(self.taken)
        self.vectors = {symbol.name for symbol in model.symbols if _is_vector(symbol)}
        self.named: dict[Expr, Symbol] = {}
        self.added: list[Definition] = []
        self.repeated: frozenset[Expr] = frozenset()

    def definitions(self, definition: Definition) -> list[Definition]:
        """Return the new definitions that a definition needs, then the definition."""
        start = len(self.added)
        self.repeated = _repeated_scores(definition.value)
        value = self._staged(definition.value, definition.target, outermost=True)
        # What has a name is called by it everywhere, or one path would hide in two.
        named = {expr: symbol for expr, symbol in self.named.items() if expr is not value}
        value = substitute(value, named)
        return [*self.added[start:], replace(definition, value=value)]

    def _staged(
        self, node: Expr, target: Symbol, *, outermost: bool = False, within: bool = False
    ) -> Expr:
        """Name what a node holds; `within` says that more than a product stands around it."""
        if not isinstance(node, Apply):
            return node
        around = not node.op.activation and (within or not _is_plain(node))
        args = tuple(self._staged(arg, target, within=around) for arg in node.args)
        rebuilt = node if args == node.args else node.rebuilt(args)
        assert isinstance(rebuilt, Apply)
        if rebuilt.op.moves:
            # What is moved keeps its own name, so that its gradient is short before it moves back.
            moved = (a if _is_plain(a) else self._name(a, VALUES, target) for a in rebuilt.args)
            rebuilt = rebuilt.rebuilt(tuple(moved))
            return self._name(rebuilt, VALUES, target) if within else rebuilt
        if node in self.repeated and within:
            return self._name(rebuilt, ARGUMENTS, target)
        if not rebuilt.op.activation:
            return rebuilt
        argument, *parameters = rebuilt.args  # the scores, and a slope or the like
        if isinstance(argument, Apply):
            rebuilt = rebuilt.rebuilt((self._name(argument, ARGUMENTS, target), *parameters))
        return rebuilt if outermost else self._name(rebuilt, VALUES, target)

    def _name(self, expr: Expr, letters: str, target: Symbol) -> Symbol:
        if expr in self.named:
            return self.named[expr]
        if expr.shape != SCALAR and _is_capital(expr, target):
            letters = letters.upper()
        index = _INDEX.search(target.name)
        further = FURTHER.upper() if letters.isupper() else FURTHER
        free = [letter for letter in letters + further if letter not in self.given]
        layered = (letter + index[0] for letter in free) if index else ()
        options = chain(layered, letters, (f"{letters[0]}_{k}" for k in range(1, 10_000)))
        symbol = Symbol(next(n for n in options if self._is_free(n, expr)), expr.shape)
        self.taken.add(symbol.name)
        if _is_vector(symbol):
            self.vectors.add(symbol.name)
        self.named[expr] = symbol
        self.added.append(Definition(symbol, expr))
        return symbol

    def _is_free(self, name: str, expr: Expr) -> bool:
        """Whether a name is new, and an entry of it too: ``z_i`` is an entry of z and of Z."""
        twin = name[0].swapcase() + name[1:]
        return name not in self.taken and not (_is_vector(expr) and twin in self.vectors)


def _is_vector(expr: Expr) -> bool:
    return 1 in expr.shape and expr.shape != SCALAR


def _repeated_scores(value: Expr) -> frozenset[Expr]:
    """Return the products of matrices, and the sums with one, that several operations use."""
    users = Counter(arg for node in walk(value) for arg in dict.fromkeys(node.args))
    products: set[Expr] = set()
    for node in walk(value):
        if isinstance(node, Apply):
            chained = node.op.notation.layout is Layout.CHAIN
            if chained or (node.op.notation.layout in PLAIN and not products.isdisjoint(node.args)):
                products.add(node)
    scores = (n for n in products if isinstance(n, Apply) and n.op.notation.layout in SCORES)
    return frozenset(node for node in scores if users[node] > 1)


def _is_plain(expr: Expr) -> bool:
    """Whether an expression only multiplies, adds and moves entries."""
    if not isinstance(expr, Apply):
        return True
    plain = expr.op.moves or expr.op.notation.layout in PLAIN
    return plain and all(_is_plain(arg) for arg in expr.args)


def _is_capital(expr: Expr, target: Symbol) -> bool:
    """Whether the name of a matrix should be a capital, as that of its target or parts."""
    if target.shape != SCALAR:
        return target.name[:1].isupper()
    long = {dim for dim in expr.shape if dim != 1}
    return any(s.name[:1].isupper() and long & set(s.shape) for s in symbols(expr))
