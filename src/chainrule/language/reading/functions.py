"""Functions that a forward pass defines: ``f(z) = z sigmoid(z)``, ``q(x, A) = x^T A x``.

A function of one small letter whose body acts entry by entry gets a row of its own and stays
closed: the derivation asks ``f'(z) = ?`` once. Every other function is written out where it is
used.
"""

from __future__ import annotations

from collections.abc import Callable, Container, Iterator, Mapping
from dataclasses import dataclass, field, fields, replace
from typing import TypeAlias

from chainrule.calculus.derivation.own import own_function
from chainrule.calculus.graph.model import Function, Model
from chainrule.calculus.graph.node import Expr, Symbol
from chainrule.calculus.ops.own import Own
from chainrule.errors import ParseError
from chainrule.language.reading import statements
from chainrule.language.reading.complaints import unknown
from chainrule.language.reading.names import canonical
from chainrule.language.reading.signatures import ENTRYWISE_MACROS
from chainrule.language.reading.statements import Statement
from chainrule.language.reading.syntax import parse
from chainrule.language.reading.tokens import Line
from chainrule.language.reading.tree import (
    Bracket,
    Call,
    Chain,
    Compared,
    Fence,
    Joined,
    Literal,
    Minus,
    Name,
    Node,
    Power,
    Written,
)
from chainrule.language.reading.words import CONSTANTS, ENTRYWISE, LARGER, function_word

CHOICE = "where"
"""The function that chooses entry by entry, which cases are read as."""

MAX_OPENED = 500
"""How often functions may be written out in one forward pass."""


Build: TypeAlias = Callable[[Line, Mapping[str, Symbol], "Functions", Node], Expr]
"""``build(line, scope, functions, body)``: the expression of a body over its parameter."""


@dataclass(frozen=True)
class OwnFunction:
    """A function of the author's.

    Parameters
    ----------
    name, shown : str
        The canonical name, and as it was written.
    parameters : tuple of str
        The canonical names of the arguments.
    line : Line
        Where it was written.
    body : Node or None
        What it stands for, where it may be written out.
    text : str
        The line, as it was written.
    scope : mapping of str to Symbol
        What was known where it was written.
    row : Own or None
        The row, of a function that acts on each entry.
    """

    name: str
    shown: str
    parameters: tuple[str, ...]
    line: Line
    body: Node | None
    text: str
    scope: Mapping[str, Symbol]
    row: Own | None = None

    def arguments(self, node: Call) -> Iterator[tuple[str, Node]]:
        """Yield each parameter with what stands in its place."""
        yield from zip(self.parameters, node.arguments, strict=True)


@dataclass
class Functions:
    """The functions that are known so far, and which were written out in the line at hand."""

    known: dict[str, OwnFunction] = field(default_factory=dict)
    opened: list[str] = field(default_factory=list)
    count: int = 0

    @classmethod
    def of(cls, model: Model) -> Functions:
        """Return the functions of a model that act on each entry, for what is said about it."""
        rows = [(function, function.row) for function in model.functions]
        return cls(
            {
                canonical(function.name): OwnFunction(
                    canonical(function.name),
                    function.name,
                    (canonical(row.parameter.name),),
                    Line(function.text, function.line),
                    None,
                    function.text,
                    {},
                    row,
                )
                for function, row in rows
                if isinstance(row, Own)
            }
        )

    def closed(self) -> Functions:
        """Begin a line, in which nothing is written out yet."""
        self.opened.clear()
        return self

    def open(self, error: Callable[[Node, str], ParseError], node: Node, said: str) -> None:
        """Note that a function is written out, within the limit."""
        self.opened.append(said)
        self.count += 1
        if self.count > MAX_OPENED:
            raise error(
                node,
                f"functions are written out past the limit of {MAX_OPENED} times; "
                "give a part of this a name on a line of its own",
            )

    def as_model(self) -> tuple[Function, ...]:
        """Return the functions as parts of a model."""
        return tuple(
            Function(own.shown, own.text, own.line.number, own.row) for own in self.known.values()
        )

    def define(
        self,
        said: Statement,
        scope: Mapping[str, Symbol],
        dims: Container[str],
        lines: Mapping[str, int],
        build: Build,
        assumed: Container[str] = frozenset(),
    ) -> int:
        """Read the definition of a function; return how many parts it has.

        `build` makes the expression of a body, where that acts on each entry; `assumed` are names
        that nobody declares, which an argument may have.
        """
        call, line = said.call, said.line
        assert call is not None
        name = statements.name(line, call[1], 0)
        shown = call[1].strip()
        self._must_be_new(name, shown, line, scope, lines)
        free = {known: symbol for known, symbol in scope.items() if known not in assumed}
        parameters = self._parameters(said, shown, free, dims, lines)
        text = line.text[: said.stop].strip()
        declared = {*scope, *parameters}
        constants = {
            name
            for name in CONSTANTS
            if not any(name in known for known in (declared, lines, dims))
        }
        body, count = parse(line, said.body, said.stop, declared, {*self.known, name})
        for node in parts_of(body):
            used = node.function if isinstance(node, Call) else getattr(node, "name", "")
            if used == name:
                raise line.error(
                    f"{shown} is defined by itself; a function is built from earlier ones",
                    node.start,
                )
            known = used in declared or used in dims or used in constants
            if isinstance(node, Name) and not known:
                written = line.text[node.start : node.end]
                raise line.error(unknown(written, used, scope, lines), node.start)
        own = OwnFunction(name, shown, parameters, line, body, text, dict(scope))
        if (
            len(parameters) == 1
            and parameters[0][0].islower()
            and self._entrywise(body, {parameters[0], *constants})
        ):
            parameter = Symbol(call[2].strip())
            whole = build(line, {parameters[0]: parameter}, self, body)
            row = own_function(shown, parameter, whole)
            own = OwnFunction(name, shown, parameters, line, body, text, dict(scope), row)
        self.known[name] = own
        return count

    def _must_be_new(
        self,
        name: str,
        shown: str,
        line: Line,
        scope: Mapping[str, Symbol],
        lines: Mapping[str, int],
    ) -> None:
        if function_word(name) is not None:
            raise line.error(
                f"{shown} is a function of the language already; leave this line out, or give "
                "yours another name",
                0,
            )
        if name in scope or name in self.known:
            number = self.known[name].line.number if name in self.known else lines[name]
            raise line.error(
                f"{shown} is already defined on line {number}; give this one another name", 0
            )

    def _parameters(
        self,
        said: Statement,
        shown: str,
        scope: Mapping[str, Symbol],
        dims: Container[str],
        lines: Mapping[str, int],
    ) -> tuple[str, ...]:
        call, line = said.call, said.line
        assert call is not None
        found: list[str] = []
        for part, at in statements.parts(call[2], call.start(2)):
            known, at = statements.name(line, part, at), at + len(part) - len(part.lstrip())
            if known in found:
                raise line.error(f"{shown} has two arguments {part.strip()}; rename one", at)
            if known in scope or known in self.known or known in dims:
                where = f" on line {lines[known]}" if known in lines else ""
                raise line.error(
                    f"{part.strip()} already has a meaning{where}; "
                    f"call the argument of {shown} something else",
                    at,
                )
            found.append(known)
        return tuple(found)

    def _entrywise(self, body: Node, names: Container[str]) -> bool:
        """Whether a body mentions these names alone and acts on each entry by itself."""
        return all(self._is_entrywise(node, names) for node in parts_of(body))

    def _is_entrywise(self, node: Node, names: Container[str]) -> bool:
        match node:
            case Name():
                return node.name in names
            case Call():
                own = self.known.get(node.function)
                if own is not None:
                    return own.row is not None
                two = node.function in LARGER and len(node.arguments) == 2
                entrywise = node.function in ENTRYWISE or node.function in ENTRYWISE_MACROS
                one = entrywise or node.function == CHOICE
                return not node.options and (two or one)
            case Chain():
                return all(joined.operator != "@" for joined in node.rest)
            case Fence():
                return not node.norm
            case Literal() | Bracket() | Minus() | Power() | Compared():
                return True
        return False


def parts_of(node: Node) -> Iterator[Node]:
    """Yield a node and everything below it."""
    yield node
    for part in children(node):
        yield from parts_of(part)


def changed(node: Node, change: Callable[[Node], Node]) -> Node:
    """Return a node with every node directly below it changed."""

    def each(value: object) -> object:
        if isinstance(value, tuple):
            return tuple(each(item) for item in value)
        if isinstance(value, Joined):
            return replace(value, operand=change(value.operand))
        return change(value) if isinstance(value, Written) else value  # type: ignore[arg-type]

    below = {part.name: each(getattr(node, part.name)) for part in fields(node)}
    return replace(node, **below)  # type: ignore[arg-type]


_PARTS: dict[type, tuple[str, ...]] = {}
"""The fields of every kind of node that may hold nodes."""


def children(node: Node) -> Iterator[Node]:
    """Yield the nodes directly below a node."""
    kind = type(node)
    if kind not in _PARTS:
        places = {part.name for part in fields(Written)}
        _PARTS[kind] = tuple(part.name for part in fields(kind) if part.name not in places)
    for name in _PARTS[kind]:
        value = getattr(node, name)
        for item in value if isinstance(value, tuple) else (value,):
            inner = item.operand if isinstance(item, Joined) else item
            # a tuple is an option with its value, or one line of blocks
            for one in inner if isinstance(inner, tuple) else (inner,):
                if isinstance(one, Written):
                    yield one  # type: ignore[misc]


__all__ = ["Functions", "OwnFunction", "changed", "children", "parts_of"]
