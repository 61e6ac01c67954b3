"""Code from index forms: NumPy functions over a block of examples, or for one example."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from chainrule.calculus.graph.dims import Index
from chainrule.calculus.graph.node import (
    Apply,
    Entry,
    Expr,
    Number,
    Position,
    Symbol,
    Total,
    entry,
    transform,
    walk,
)
from chainrule.calculus.graph.op import Layout
from chainrule.errors import DerivationError

LONGEST = 72
"""The longest expression whose parts get no names."""

_WIDTH = 100
"""The longest head of a function that stays on one line."""


@dataclass(frozen=True)
class FunctionSource:
    """A function to be generated.

    Parameters
    ----------
    name, doc : str
        Its name, and the first line of its docstring.
    body : Expr
        What it returns, as an index form.
    arguments : mapping of Symbol to str
        The names of the arrays that stand for the symbols; the arguments in order.
    axes : mapping of Index to int
        The array axis of every running index.
    preamble : tuple of str
        Statements that come first, such as the choice of a shift.
    ending : str
        What is appended to the result, such as a squeeze.
    """

    name: str
    doc: str
    body: Expr
    arguments: Mapping[Symbol, str]
    axes: Mapping[Index, int]
    parameters: tuple[str, ...]
    preamble: tuple[str, ...] = ()
    ending: str = ""


def numpy_function(function: FunctionSource) -> str:
    """Write a function as NumPy source.

    Raises
    ------
    DerivationError
        When the body mentions something that is not an argument.
    """
    function = replace(function, body=_one_letter_an_axis(function))
    writer = _SourceWriter(function)
    result = writer.text(function.body)
    signature = ", ".join(f"{name}: FloatArray" for name in function.parameters)
    statements = [*function.preamble, *writer.statements]
    head = f"def {function.name}({signature}) -> FloatArray:"
    if len(head) > _WIDTH:
        head = f"def {function.name}(\n    {signature}\n) -> FloatArray:"
    lines = [
        head,
        f'    """{function.doc}"""',
        *(f"    {statement}" for statement in statements),
        f"    return np.asarray({_bare(result)}){function.ending}",
    ]
    return "\n".join(lines) + "\n"


def scalar_function(name: str, doc: str, functions: Sequence[FunctionSource]) -> str:
    """Write several functions of one example as one: numbers in, a tuple of numbers out.

    What the bodies share is computed once. Only bodies without sums are of one example.

    Raises
    ------
    DerivationError
        When a body mentions something that is not an argument, or sums.
    """
    functions = [replace(each, body=_one_letter_an_axis(each)) for each in functions]
    parameters = list(dict.fromkeys(name for each in functions for name in each.parameters))
    merged = replace(functions[0], name=name, parameters=tuple(parameters))
    writer = _SourceWriter(merged, [each.body for each in functions])
    if any(isinstance(node, Total) for each in functions for node in walk(each.body)):
        raise DerivationError(f"{name} sums over examples or classes: it is not of one number")
    results = []
    for each in functions:
        results.append(each.name.rpartition("_")[2])
        writer.statements.append(f"{results[-1]} = {_bare(writer.text(each.body))}")
    signature = ", ".join(f"{name}: Number" for name in parameters)
    lines = [
        f"def {name}({signature}) -> tuple[{', '.join(['Number'] * len(results))}]:",
        f'    """{doc}"""',
        *(f"    {statement}" for statement in writer.statements),
        f"    return {', '.join(results)}",
    ]
    return "\n".join(lines) + "\n"


def _one_letter_an_axis(function: FunctionSource) -> Expr:
    """Rename indices along one axis to one letter, so that equal code is one expression."""
    first: dict[int, Index] = {}
    for index, axis in function.axes.items():
        first.setdefault(axis, index)

    def renamed(place: Position) -> Position:
        return first[function.axes[place]] if isinstance(place, Index) else place

    def change(node: Expr) -> Expr:
        if isinstance(node, Entry):
            return entry(node.matrix, renamed(node.row), renamed(node.col))
        if isinstance(node, Total):
            return Total(first[function.axes[node.index]], node.body)
        return node

    return transform(function.body, change)


class _SourceWriter:
    def __init__(self, function: FunctionSource, bodies: Sequence[Expr] = ()) -> None:
        self.function = function
        self.statements: list[str] = []
        self.names: dict[Expr, str] = {}
        self.uses: dict[Expr, int] = {}
        nodes = {node: None for body in bodies or (function.body,) for node in walk(body)}
        for node in nodes:
            for arg in node.args:
                self.uses[arg] = self.uses.get(arg, 0) + 1

    def text(self, node: Expr) -> str:
        """Return the code of a node, naming it first where it is used more than once."""
        if node not in self.names and self.uses.get(node, 0) > 1 and _is_compound(node):
            return self._named(node)
        return self.names.get(node) or self._code(node)

    def _named(self, node: Expr) -> str:
        code = self._code(node)
        name = f"t{len(self.names) + 1}"
        self.statements.append(f"{name} = {_bare(code)}")
        self.names[node] = name
        return name

    def _code(self, node: Expr) -> str:
        if isinstance(node, Number):
            text = str(node.value)
            return text if node.value.denominator == 1 and node.value >= 0 else f"({text})"
        if isinstance(node, Entry | Symbol):
            symbol = node.matrix if isinstance(node, Entry) else node
            if symbol in self.function.arguments:
                return self.function.arguments[symbol]  # type: ignore[index]
            raise DerivationError(f"{self.function.name} has no argument for {node!r}")
        if isinstance(node, Total):
            axis = self.function.axes[node.index]
            return f"np.sum({_bare(self.text(node.body))}, axis={axis}, keepdims=True)"
        assert isinstance(node, Apply)
        code = self._applied(node)
        # Long lines are broken by naming their longest parts.
        parts = [arg for arg in node.args if _is_compound(arg) and arg not in self.names]
        parts.sort(key=lambda arg: -len(self.text(arg)))
        for part in parts:
            if len(code) <= LONGEST:
                break
            self._named(part)
            code = self._applied(node)
        return code

    def _applied(self, node: Apply) -> str:
        texts = [self.text(arg) for arg in node.args]
        if len(texts) == 1 and node.op.notation.layout is not Layout.PREFIX:
            texts = [_bare(texts[0])]
        code = node.op.code(*texts, attrs=node.attrs)
        # A call holds together; everything else is put in brackets.
        return code if code.startswith("np.") and _is_call(code) else f"({code})"


def _is_compound(node: Expr) -> bool:
    """Whether a node deserves a name."""
    if isinstance(node, Apply) and node.op.notation.layout is Layout.PREFIX:
        return _is_compound(node.args[0])
    return isinstance(node, Apply | Total)


def _is_call(code: str) -> bool:
    depth = 0
    for place, glyph in enumerate(code):
        depth += (glyph == "(") - (glyph == ")")
        if depth == 0 and glyph == ")":
            return place == len(code) - 1
    return False


def _bare(code: str) -> str:
    """Remove the outermost brackets of code, if they belong together."""
    if not code.startswith("("):
        return code
    depth = 0
    for place, glyph in enumerate(code):
        depth += (glyph == "(") - (glyph == ")")
        if depth == 0:
            return code[1:-1] if place == len(code) - 1 else code
    return code
