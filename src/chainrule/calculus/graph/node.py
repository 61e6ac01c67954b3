"""Every kind of node: those of `expression`, and the one that applies an op; walks over graphs."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, MutableMapping
from typing import Any, Self, TypeVar, cast
from weakref import WeakKeyDictionary

from chainrule.calculus.graph.dims import Index, is_tensor, written
from chainrule.calculus.graph.expression import (
    Applied,
    Entry,
    Expr,
    Number,
    Operand,
    Partial,
    Position,
    Positions,
    RoundSum,
    Symbol,
    Total,
    entry,
)
from chainrule.calculus.graph.op import Op
from chainrule.errors import ShapeError


class Apply(Applied):
    """An op applied to arguments; the builders of `chainrule.calculus.ops` insert broadcasts."""

    __slots__ = ("op",)
    op: Op

    def __new__(cls, op: Op, operands: tuple[Expr, ...], attrs: tuple[Any, ...] = ()) -> Self:
        """Intern by op, arguments and attributes; the row's `shape` checks the arguments."""
        key = (op, operands, attrs)
        known = Expr._interned.get((cls, *key))
        if known is not None:
            return cast(Self, known)
        for arg in operands:
            if is_tensor(arg.shape) and not (op.elementwise or op.tensors):
                raise ShapeError(f"{op.name} takes matrices, and {written(arg.shape)} is a tensor")
        shape = op.shape(tuple(arg.shape for arg in operands), attrs)
        return cls._intern(key, shape, op=op, operands=operands, attrs=attrs)

    def rebuilt(self, args: tuple[Expr, ...]) -> Expr:
        """Apply the same op to other operands."""
        return Apply(self.op, args, self.attrs)


def walk(root: Expr) -> Iterator[Expr]:
    """Yield every node once, arguments before the nodes that use them."""
    seen: set[Expr] = set()
    stack: list[Expr | None] = [root]
    while stack:
        node = stack.pop()
        if node is None:  # all arguments of the node below were yielded
            yield cast(Expr, stack.pop())
        elif node not in seen:
            seen.add(node)
            if args := node.args:
                stack += (node, None, *reversed(args))
            else:
                yield node


def transform(root: Expr, change: Callable[[Expr], Expr]) -> Expr:
    """Rebuild bottom-up, passing every rebuilt node through `change`."""
    done: dict[Expr, Expr] = {}
    for node in walk(root):
        args = tuple(done[arg] for arg in node.args)
        done[node] = change(node if args == node.args else node.rebuilt(args))
    return done[root]


def substitute(root: Expr, mapping: Mapping[Expr, Expr]) -> Expr:
    """Replace whole nodes, wherever they occur; replacements are not searched again."""
    return replaced(root, mapping, lambda node, args: node.rebuilt(args))


def replaced(
    root: Expr, mapping: Mapping[Expr, Expr], rebuild: Callable[[Expr, tuple[Expr, ...]], Expr]
) -> Expr:
    """Replace whole nodes and put what stands above them together again by `rebuild`."""
    done: dict[Expr, Expr] = dict(mapping)
    stack = [root]
    while stack:
        node = stack[-1]
        waiting = [arg for arg in node.args if arg not in done] if node not in done else []
        if waiting:
            stack.extend(reversed(waiting))
            continue
        stack.pop()
        if node not in done:
            args = tuple(done[arg] for arg in node.args)
            done[node] = node if args == node.args else rebuild(node, args)
    return done[root]


_Found = TypeVar("_Found")


def _gathered(
    root: Expr,
    known: MutableMapping[Expr, frozenset[_Found]],
    own: Callable[[Expr, Callable[[Expr], frozenset[_Found]]], frozenset[_Found] | None],
) -> frozenset[_Found]:
    """Return what `own` finds at a node, or else all that is found in its arguments.

    The results of nodes that are still in use are in `known`, since nodes do not change. Those of
    symbols are not: a result that holds its own key would keep it alive.
    """
    if (before := known.get(root)) is not None:
        return before
    here: dict[Expr, frozenset[_Found]] = {}
    stack = [root]
    while stack:
        node = stack[-1]
        if node in here:
            stack.pop()
            continue
        if (before := known.get(node)) is not None:
            here[node] = before
            stack.pop()
            continue
        args = node.args
        if waiting := [arg for arg in args if arg not in here]:
            stack += waiting
            continue
        stack.pop()
        found = own(node, here.__getitem__)
        if found is None:
            parts = {here[arg] for arg in args}
            found = parts.pop() if len(parts) == 1 else frozenset().union(*parts)
        here[node] = found
        if not isinstance(node, Symbol):
            known[node] = found
    return here[root]


_SYMBOLS: WeakKeyDictionary[Expr, frozenset[Symbol]] = WeakKeyDictionary()
_RUNNING: WeakKeyDictionary[Expr, frozenset[Index]] = WeakKeyDictionary()


def _own_symbol(node: Expr, found: Callable[[Expr], frozenset[Symbol]]) -> frozenset[Symbol] | None:
    return frozenset((node,)) if isinstance(node, Symbol) else None


def _own_indices(node: Expr, found: Callable[[Expr], frozenset[Index]]) -> frozenset[Index] | None:
    if isinstance(node, Total):
        return found(node.body) - {node.index}
    if isinstance(node, Entry):
        return frozenset(place for place in node.places if isinstance(place, Index))
    if isinstance(node, Partial):
        return running(node.of) | running(node.wrt)
    return None


def symbols(root: Expr) -> frozenset[Symbol]:
    """Return the symbols that an expression mentions."""
    return _gathered(root, _SYMBOLS, _own_symbol)


def partials(root: Expr) -> tuple[Partial, ...]:
    """Return the unanswered derivatives in an expression, in reading order."""
    return tuple(node for node in walk(root) if isinstance(node, Partial))


def running(root: Expr) -> frozenset[Index]:
    """Return the free running indices of an index form."""
    return _gathered(root, _RUNNING, _own_indices)


__all__ = [
    "Applied",
    "Apply",
    "Entry",
    "Expr",
    "Number",
    "Operand",
    "Partial",
    "Position",
    "Positions",
    "RoundSum",
    "Symbol",
    "Total",
    "entry",
    "partials",
    "replaced",
    "running",
    "substitute",
    "symbols",
    "transform",
    "walk",
]
