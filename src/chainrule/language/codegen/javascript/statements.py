"""JavaScript functions from the helpers of ops, which are short functions in NumPy."""

from __future__ import annotations

import ast
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache

from chainrule.language.codegen.dialects import SCATTER
from chainrule.language.codegen.javascript.translation import Expressions, element, signature
from chainrule.language.codegen.javascript.words import local
from chainrule.language.codegen.javascript.written import Kind, UntranslatableError

INDENT = "  "

_ERRORS: Mapping[str, str] = {
    "IndexError": "RangeError",
    "TypeError": "TypeError",
    "ValueError": "RangeError",
}


def definition(source: str, signatures: Mapping[str, Sequence[str]]) -> str:
    """Translate the definition of a helper.

    Parameters
    ----------
    source : str
        A function in Python over NumPy.
    signatures : mapping of str to sequence of str
        The parameters of the functions that it may call.

    Raises
    ------
    UntranslatableError
        When a statement or a function has no counterpart.
    """
    return _definition(source, tuple((name, tuple(signatures[name])) for name in signatures))


@cache
def _definition(source: str, signatures: tuple[tuple[str, tuple[str, ...]], ...]) -> str:
    """Translate a helper once: modules, and the checks of targets, ask for the same few."""
    (function,) = ast.parse(source).body
    assert isinstance(function, ast.FunctionDef)
    return _Function(function, dict(signatures)).text()


def statement(source: str) -> str:
    """Translate one assignment of a size: ``n = X.shape[0]``."""
    (line,) = ast.parse(source).body
    assert isinstance(line, ast.Assign)
    expressions = Expressions({}, {})
    # Every name in the arithmetic of a size is a size.
    expressions.kinds |= {
        n.id: Kind.NUMBER for n in ast.walk(line.value) if isinstance(n, ast.Name)
    }
    return f"const {expressions.target(line.targets[0])} = {expressions.visit(line.value).text};"


@dataclass
class _Function:
    function: ast.FunctionDef
    signatures: Mapping[str, Sequence[str]]
    expressions: Expressions = field(init=False)
    stores: Counter[str] = field(init=False)
    declared: set[str] = field(default_factory=set)

    def __post_init__(self) -> None:
        kinds = dict.fromkeys(_sizes(self.function), Kind.NUMBER)
        self.expressions = Expressions(kinds, self.signatures)
        self.stores = Counter(_stores(self.function))
        self.parameters = {arg.arg for arg in self.function.args.args}
        self.declared |= self.parameters

    def text(self) -> str:
        function = self.function
        body = list(function.body)
        doc = ast.get_docstring(function)
        comment = []
        if doc is not None:
            body.pop(0)
            comment = [f"/** {' '.join(doc.split()).replace('*/', '* /')} */"]
        _, args = signature(ast.unparse(function))
        defaults = dict(zip(reversed(args), reversed(function.args.defaults), strict=False))
        parameters = [
            f"{local(arg)} = {self.expressions.visit(defaults[arg]).text}"
            if arg in defaults
            else local(arg)
            for arg in args
        ]
        head = f"function {local(function.name)}({', '.join(parameters)}) {{"
        lines = [f"{INDENT}let {local(name)};" for name in self._spread(body)]
        lines += self._block(body, 1)
        return "\n".join([*comment, head, *lines, "}", ""])

    def _spread(self, body: Sequence[ast.stmt]) -> Iterator[str]:
        """Yield the variables that a block assigns and that are used outside it."""
        for name in self.stores:
            total = _uses(body, name)
            holder = [block for block in _blocks(body) if _uses(block, name) == total][-1]
            first = next(line for line in holder if _uses([line], name))
            if name not in self.parameters and name not in _assigned(first):
                self.declared.add(name)
                yield name

    def _block(self, body: Sequence[ast.stmt], depth: int) -> list[str]:
        return [f"{INDENT * depth}{line}" for node in body for line in self._lines(node)]

    def _lines(self, node: ast.stmt) -> list[str]:
        visit = self.expressions.visit
        match node:
            case ast.Return():
                return [f"return {visit(node.value).text};" if node.value else "return;"]
            case ast.Assign(targets=[target]):
                return [self._assignment(target, node.value)]
            case ast.AnnAssign(value=ast.expr()):
                assert node.value is not None
                return [self._assignment(node.target, node.value)]
            case ast.AugAssign(target=ast.Name(id=name)):
                value = ast.BinOp(ast.Name(name, ast.Load()), node.op, node.value)
                return [self._assignment(node.target, value)]
            case ast.Expr(value=ast.Call() as call) if ast.unparse(call.func) == SCATTER:
                args = ", ".join(visit(arg).text for arg in call.args)
                return [f"addAt({args});"]
            case ast.For(orelse=[]):
                return self._loop(node)
            case ast.While(orelse=[]):
                head = f"while ({self.expressions.condition(node.test).text}) {{"
                return [head, *self._block(node.body, 1), "}"]
            case ast.If():
                return self._choice(node)
            case ast.Raise():
                return [self._raised(node)]
            case ast.Pass():
                return []
        raise UntranslatableError(f"the statement {ast.unparse(node).splitlines()[0]}")

    def _assignment(self, target: ast.expr, value: ast.expr) -> str:
        written = self.expressions.visit(value)
        names = [part.id for part in ast.walk(target) if isinstance(part, ast.Name)]
        again = any(self.stores[name] > 1 for name in names)
        new = not any(name in self.declared for name in names)
        self.declared.update(names)
        if not again and new:
            self.expressions.bind(target, written.kind)
        word = ("let " if again else "const ") if new else ""
        return f"{word}{self.expressions.target(target)} = {written.text};"

    def _loop(self, node: ast.For) -> list[str]:
        source = self.expressions.visit(node.iter)
        self.expressions.bind(node.target, element(source, node.iter))
        self.declared.update(n.id for n in ast.walk(node.target) if isinstance(n, ast.Name))
        head = f"for (const {self.expressions.target(node.target)} of {source.text}) {{"
        return [head, *self._block(node.body, 1), "}"]

    def _choice(self, node: ast.If) -> list[str]:
        lines = [f"if ({self.expressions.condition(node.test).text}) {{"]
        lines += self._block(node.body, 1)
        if node.orelse:
            lines += ["} else {", *self._block(node.orelse, 1)]
        return [*lines, "}"]

    def _raised(self, node: ast.Raise) -> str:
        match node.exc:
            case ast.Call(func=ast.Name(id=name), args=[message]):
                error = _ERRORS.get(name, "Error")
                return f"throw new {error}({self.expressions.visit(message).text});"
        raise UntranslatableError(f"the statement {ast.unparse(node)}")


def _sizes(function: ast.FunctionDef) -> set[str]:
    """Return the parameters that are used as numbers: bounds, lengths and shapes."""
    found: set[str] = set()
    for node in ast.walk(function):
        match node:
            case ast.Slice():
                parts = [part for part in (node.lower, node.upper, node.step) if part]
            case ast.Call(func=ast.Name(id="range")):
                parts = node.args
            case ast.Call(func=ast.Attribute(attr="arange" | "eye")):
                parts = node.args
            case ast.Call(func=ast.Attribute(attr="zeros" | "ones" | "full")):
                parts = _within(node.args[0])
            case ast.Call(func=ast.Attribute(attr="reshape")):
                parts = [part for arg in node.args for part in _within(arg)]
            case _:
                continue
        for part in parts:
            found |= set(_plain_names(part))
    return found & {arg.arg for arg in function.args.args}


def _within(shape: ast.expr) -> list[ast.expr]:
    """Return the sizes of a shape that is written out; a bare name may be a whole shape."""
    if isinstance(shape, ast.Tuple | ast.List):
        return shape.elts
    return [shape] if isinstance(shape, ast.BinOp) else []


def _plain_names(node: ast.expr) -> Iterator[str]:
    """Yield the names that stand in arithmetic, not under a call, an index or an attribute."""
    match node:
        case ast.Name():
            yield node.id
        case ast.BinOp():
            yield from _plain_names(node.left)
            yield from _plain_names(node.right)
        case ast.UnaryOp():
            yield from _plain_names(node.operand)


def _stores(function: ast.FunctionDef) -> list[str]:
    """Return the variables that statements assign, once per assignment."""
    comprehended = {
        id(name)
        for node in ast.walk(function)
        if isinstance(node, ast.comprehension)
        for name in ast.walk(node.target)
    }
    looped = {
        id(name)
        for node in ast.walk(function)
        if isinstance(node, ast.For)
        for name in ast.walk(node.target)
    }
    elsewhere = comprehended | looped
    return [
        node.id
        for node in ast.walk(function)
        if isinstance(node, ast.Name)
        and isinstance(node.ctx, ast.Store)
        and id(node) not in elsewhere
    ]


def _assigned(line: ast.stmt) -> set[str]:
    """Return the variables that a statement itself assigns."""
    targets = line.targets if isinstance(line, ast.Assign) else []
    return {n.id for target in targets for n in ast.walk(target) if isinstance(n, ast.Name)}


def _blocks(body: Sequence[ast.stmt]) -> Iterator[Sequence[ast.stmt]]:
    """Yield a block and the blocks inside it, outer ones first."""
    yield body
    for line in body:
        for inner in (getattr(line, "body", []), getattr(line, "orelse", [])):
            if inner:
                yield from _blocks(inner)


def _uses(block: Sequence[ast.stmt], name: str) -> int:
    nodes = (node for line in block for node in ast.walk(line))
    return sum(isinstance(node, ast.Name) and node.id == name for node in nodes)
