"""Expressions of code: names, entries, operations and calls, by rules and never by running them."""

from __future__ import annotations

import ast
import re
from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Generic, TypeVar

from chainrule.teaching.marking.code_by_value.algebra import Algebra, Label, Misfit, Size
from chainrule.teaching.marking.code_by_value.naming import Names

V = TypeVar("V")


MOST_STEPS = 4000


DEEPEST = 40


_FUNCTIONS = {
    "exp": "exp", "log": "log", "log1p": "log1p", "tanh": "tanh", "sqrt": "sqrt", "abs": "abs",
    "sin": "sin", "cos": "cos", "square": "square", "sigmoid": "sigmoid", "relu": "relu",
    "absolute": "abs", "negative": "negative", "sign": "sign", "softplus": "softplus",
    "expit": "sigmoid", "logistic": "sigmoid", "sigm": "sigmoid", "leaky_relu": "leaky",
}  # fmt: skip


_OF_TWO = {
    "maximum": "maximum", "minimum": "minimum", "multiply": "multiply", "divide": "divide",
    "true_divide": "divide", "add": "add", "subtract": "subtract", "power": "power",
    "pow": "power", "mul": "multiply", "sub": "subtract", "div": "divide", "greater": "greater",
    "less": "less",
}  # fmt: skip


_SAME = frozenset({
    "copy", "array", "asarray", "astype", "int64", "float", "float32", "float64", "int", "clone",
    "detach", "float_", "squeeze", "double", "deepcopy", "asmatrix", "matrix", "clip", "tensor",
    "requires_grad_", "to", "item", "nan_to_num", "int32", "uint8", "long", "type", "as_tensor",
    "numpy", "ascontiguousarray", "print",
})  # fmt: skip


_REDUCES = {"sum": "sum", "mean": "mean", "max": "max", "amax": "max", "average": "mean",
            "min": "min", "prod": "prod"}  # fmt: skip


_SIGNS = {
    ast.Add: "add", ast.Sub: "subtract", ast.Mult: "multiply", ast.Div: "divide",
    ast.Pow: "power", ast.Gt: "greater", ast.GtE: "greater_equal", ast.Lt: "less",
    ast.LtE: "less_equal",
}  # fmt: skip


_SLOPES = re.compile(
    r"(?i)d_?(?P<a>sigmoid|tanh|relu)|(?P<b>sigmoid|tanh|relu)_?(?:deriv\w*|prime|grad\w*|der|d)"
    r"|(?:deriv\w*|der|grad)_?(?:of_?)?(?P<c>sigmoid|tanh|relu)"
)


@dataclass
class Evaluation(ABC, Generic[V]):
    """Values of the expressions in code.

    Parameters
    ----------
    algebra : Algebra
        What a value is.
    statements : sequence of ast.stmt
        The code.
    names : Names
        Which names are gradients.
    """

    algebra: Algebra[V]
    statements: Sequence[ast.stmt]
    names: Names
    known: dict[str, object] = field(default_factory=dict)
    functions: dict[str, ast.FunctionDef] = field(default_factory=dict)
    tables: set[str] = field(default_factory=set)
    local: list[dict[str, object]] = field(default_factory=list)
    scope: dict[str, int] = field(default_factory=dict)
    returned: dict[str, ast.expr] = field(default_factory=dict)
    failed: dict[int, str] = field(default_factory=dict)
    steps: int = 0

    @abstractmethod
    def statement(self, statement: ast.stmt) -> None:
        """Take one statement."""

    def flat(self, node: ast.expr) -> str | None:
        """Return the name that a target stands for: ``self.W1``, ``grads["dW1"]``, ``hs[t]``."""
        match node:
            case ast.Name(id=name):
                return name
            case ast.Attribute(value=ast.Name(id="self" | "net" | "model" | "nn"), attr=name):
                return name
            case ast.Attribute(value=inner, attr="grad") if (of := self.flat(inner)) is not None:
                return f"{of}_grad"
            case ast.Attribute(value=inner, attr="data"):
                return self.flat(inner)
            case ast.Subscript(value=table, slice=ast.Constant(value=str(key))):
                if not key.isidentifier():
                    return None
                return table_entry(word_of(table), key, self.names)
            case ast.Subscript(value=inner, slice=place):
                name = self.flat(inner) or ""
                if name not in self.tables:
                    return None
                at = self._place(place)
                return f"{name}[{at}]" if isinstance(at, int) else None
        return None

    def named(self, name: str) -> object:
        """Return the value of a name."""
        for scope in reversed(self.local):
            if name in scope:
                return scope[name]
        if name in self.scope:
            return self.scope[name]
        if name in self.known:
            return self.known[name]
        if name in self.names.unread:
            raise Misfit(f"{name}, whose definition was not read")
        label = self.names.label(name)
        return self.known.get(label) or self.algebra.unknown(label)

    def lifted(self, value: object) -> V:
        """Return a number as a value."""
        if isinstance(value, bool | int | float):
            return self.algebra.number(float(value))
        if isinstance(value, Size):
            return self.algebra.number(float(value.dim) if isinstance(value.dim, int) else 1.0)
        if value is None or isinstance(value, Label | tuple):
            raise Misfit("a value that is not a number or an array")
        return value  # type: ignore[return-value]

    def array(self, node: ast.expr) -> V:
        """Return the value of an expression as a number or an array."""
        return self.lifted(self.value(node))

    def value(self, node: ast.expr) -> object:
        """Return the value of an expression."""
        self.steps += 1
        if self.steps > MOST_STEPS * 40:
            raise Misfit("more steps than are taken")
        match node:
            case ast.Constant(value=bool() | int() | float() as number):
                if isinstance(number, bool):
                    return int(number)
                return float(number) if abs(number) > 1e6 else number
            case ast.Constant(value=None):
                return None
            case ast.Name() | ast.Attribute(value=ast.Name(id="self" | "net" | "model" | "nn")):
                name = self.flat(node)
                assert name is not None
                return self.named(name)
            case ast.UnaryOp(op=ast.USub(), operand=operand):
                value = self.value(operand)
                if isinstance(value, int | float):
                    return -value
                return self.algebra.elementwise("negative", self.lifted(value))
            case ast.UnaryOp(op=ast.UAdd(), operand=operand):
                return self.value(operand)
            case ast.BinOp(left=left, op=ast.MatMult(), right=right):
                return self.algebra.dot(self.array(left), self.array(right))
            case ast.BinOp(left=left, op=ast.Mult(), right=right) if self.names.stars:
                one, other = self.value(left), self.value(right)
                if isinstance(one, int | float | Size) or isinstance(other, int | float | Size):
                    return self._binary(ast.Mult, one, other)
                return self.algebra.dot(self.lifted(one), self.lifted(other))
            case ast.BinOp(left=left, op=op, right=right):
                return self._binary(type(op), self.value(left), self.value(right))
            case ast.Compare(left=left, ops=[op], comparators=[right]):
                return self._binary(type(op), self.value(left), self.value(right))
            case ast.Attribute(value=inner, attr="T" | "H"):
                return self.algebra.turned(self.array(inner))
            case ast.Attribute(value=inner, attr="shape"):
                return _Shape(inner)
            case ast.Attribute(value=inner, attr="size"):
                raise Misfit("the number of all entries")
            case ast.Attribute(value=inner, attr="data"):
                return self.value(inner)
            case ast.Subscript():
                return self._subscript(node)
            case ast.Call():
                return self._call(node)
            case ast.Tuple(elts=parts):
                return tuple(self.value(part) for part in parts)
        raise Misfit(f"this is not read: {ast.unparse(node)[:40]}")

    def _binary(self, op: type[ast.AST], one: object, other: object) -> object:
        sign = _SIGNS.get(op)
        if sign is None:
            raise Misfit("an operator that is not read")
        if isinstance(one, int | float) and isinstance(other, int | float):
            return _plain(sign, one, other)
        return self.algebra.elementwise(sign, self.lifted(one), self.lifted(other))

    def _place(self, node: ast.expr) -> int | Label | None:
        if isinstance(node, ast.Slice):
            if node.lower is None and node.upper is None:
                return None
            raise Misfit("a part of an axis")
        found = self.value(node)
        if isinstance(found, int):
            return found
        if isinstance(found, Label):
            return found
        raise Misfit("a place that is not read")

    def places(self, node: ast.expr) -> tuple[int | Label | None, ...]:
        """Return the places of an index."""
        parts = node.elts if isinstance(node, ast.Tuple) else [node]
        return tuple(self._place(part) for part in parts)

    def pick(self, node: ast.expr) -> ast.expr | None:
        """Return the labels in an index such as ``[range(n), y]``; None for another index."""
        if not isinstance(node, ast.Tuple) or len(node.elts) != 2:
            return None
        rows, labels = node.elts
        if isinstance(rows, ast.Call) and word_of(rows.func) in ("range", "arange"):
            return labels
        return None

    def _subscript(self, node: ast.Subscript) -> object:
        if (name := self.flat(node)) is not None:
            return self.named(name)
        inner = node.value
        if isinstance(inner, ast.Attribute) and inner.attr == "shape":
            axis = self.value(node.slice)
            if not isinstance(axis, int):
                raise Misfit("an axis that is not a number")
            return self.algebra.size(self.array(inner.value), axis)
        base = self.flat(inner)
        at = node.slice.id if isinstance(node.slice, ast.Name) else ""
        if base is not None and base not in self.known and at in self.scope:
            return Label(f"{base}[{self.scope[at]}]")
        if (labels := self.pick(node.slice)) is not None:
            return self.algebra.picked(self.array(inner), self.array(labels))
        parts = node.slice.elts if isinstance(node.slice, ast.Tuple) else [node.slice]
        new = [at for at, p in enumerate(parts) if _is_new_axis(p)]
        if new:
            return self.algebra.widened(self.array(inner), new[0])
        return self.algebra.entry(self.array(inner), self.places(node.slice))

    def _call(self, node: ast.Call) -> object:
        word = word_of(node.func)
        arguments = list(node.args)
        owner = node.func.value if isinstance(node.func, ast.Attribute) else None
        module = isinstance(owner, ast.Name) and owner.id in (
            "np", "numpy", "torch", "F", "tf", "jnp", "math", "nn", "K", "scipy", "special", "self",
            "cp", "functional",
        )  # fmt: skip
        if owner is not None and not module and not (
            isinstance(owner, ast.Attribute) and isinstance(owner.value, ast.Name)
            and owner.value.id in ("np", "torch", "nn", "tf", "numpy")
        ):  # fmt: skip
            arguments = [owner, *arguments]
        keywords = {k.arg: k.value for k in node.keywords if k.arg}
        own = self.functions.get(word)
        if own is not None and (is_helper(own) or word not in self.returned):
            return self._own(own, node.args, keywords)
        if own is not None and isinstance(self.returned[word], ast.Name | ast.Attribute):
            return self.value(self.returned[word])
        return self._known_function(word, arguments, keywords)

    def _known_function(
        self, word: str, arguments: list[ast.expr], keywords: dict[str, ast.expr]
    ) -> object:
        algebra = self.algebra
        if word == "len" and arguments:
            return algebra.size(self.array(arguments[0]), 0)
        if not arguments:
            raise Misfit(f"{word}() is not read")
        if word in ("dot", "matmul", "mm", "mv") and len(arguments) == 2:
            return algebra.dot(self.array(arguments[0]), self.array(arguments[1]))
        if word == "outer" and len(arguments) == 2:
            return algebra.outer(self.array(arguments[0]), self.array(arguments[1]))
        if word in ("transpose", "t"):
            return algebra.turned(self.array(arguments[0]))
        if word in _REDUCES:
            return self._reduce(_REDUCES[word], arguments, keywords)
        if word in _FUNCTIONS:
            return algebra.elementwise(_FUNCTIONS[word], self._argued(arguments[0]))
        if word in _OF_TWO and len(arguments) == 2:
            pair = [self.array(one) for one in arguments]
            if word in ("maximum", "minimum"):
                pair = [pair[0] if isinstance(arguments[0], ast.Constant) else
                        algebra.argument(pair[0]),
                        pair[1] if isinstance(arguments[1], ast.Constant) else
                        algebra.argument(pair[1])]  # fmt: skip
            return algebra.elementwise(_OF_TWO[word], *pair)
        if word == "where" and len(arguments) == 3:
            return algebra.elementwise("where", *(self.array(one) for one in arguments))
        if word in ("softmax", "log_softmax"):
            return self._softmax(word, arguments, keywords)
        if word in _SAME:
            return self.value(arguments[0])
        if word in ("zeros_like", "ones_like"):
            value = algebra.elementwise("nothing", self.array(arguments[0]))
            if word == "zeros_like":
                return value
            return algebra.elementwise("add", value, algebra.number(1.0))
        if word in ("zeros", "ones") and self.names.unread is not None:
            first = arguments[0]
            listed = first.elts if isinstance(first, ast.Tuple | ast.List) else arguments
            whole = algebra.drawn(f"zeros {ast.unparse(first)}", tuple(map(self._length, listed)))
            return algebra.elementwise("nothing", whole)
        if word in ("reshape", "view"):
            sizes = arguments[1:]
            if len(sizes) == 1 and isinstance(sizes[0], ast.Tuple):
                sizes = sizes[0].elts
            if len(sizes) == 1 and isinstance(sizes[0], ast.Attribute):
                return self.value(arguments[0])  # to its own shape
            return algebra.reshaped(self.array(arguments[0]), tuple(map(self._length, sizes)))
        if (slope := _SLOPES.fullmatch(word)) is not None:
            kind = slope["a"] or slope["b"] or slope["c"]
            return algebra.elementwise(f"slope of {kind.lower()}", self.array(arguments[0]))
        raise Misfit(f"the function {word} is not read")

    def _argued(self, node: ast.expr) -> V:
        """Return the argument of a function; in ``exp(-z)`` it is z that is noted."""
        if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub):
            inner = self.algebra.argument(self.array(node.operand))
            return self.algebra.elementwise("negative", inner)
        return self.algebra.argument(self.array(node))

    def _softmax(
        self, word: str, arguments: list[ast.expr], keywords: dict[str, ast.expr]
    ) -> object:
        algebra = self.algebra
        value = algebra.argument(self.array(arguments[0]))
        given = keywords.get("axis", keywords.get("dim"))
        if given is None and len(arguments) > 1:
            given = arguments[1]
        axis = self.value(given) if given is not None else self.names.class_axis
        if not isinstance(axis, int):
            raise Misfit("an axis that is not a number")
        power = algebra.elementwise("exp", value)
        total = algebra.reduced("sum", power, axis, keeps=True)
        found = algebra.elementwise("divide", power, total)
        return algebra.elementwise("log", found) if word == "log_softmax" else found

    def _reduce(
        self, kind: str, arguments: list[ast.expr], keywords: dict[str, ast.expr]
    ) -> object:
        value = self.array(arguments[0])
        given = keywords.get("axis", keywords.get("dim"))
        if given is None and len(arguments) > 1:
            given = arguments[1]
        axis = None if given is None else self.value(given)
        keeps = keywords.get("keepdims", keywords.get("keepdim"))
        if isinstance(axis, tuple):
            raise Misfit("a sum over several axes")
        if axis is not None and not isinstance(axis, int):
            raise Misfit("an axis that is not a number")
        keeping = isinstance(keeps, ast.Constant) and bool(keeps.value)
        return self.algebra.reduced(kind, value, axis, keeps=keeping)

    def _own(
        self, function: ast.FunctionDef, arguments: list[ast.expr], keywords: dict[str, ast.expr]
    ) -> object:
        """Return the value of a function that the code defines."""
        if len(self.local) > DEEPEST:
            raise Misfit("functions that call one another")
        names = [one.arg for one in function.args.args if one.arg != "self"]
        defaults = dict(zip(names[::-1], function.args.defaults[::-1], strict=False))
        values = {name: self.value(one) for name, one in zip(names, arguments, strict=False)}
        values |= {name: self.value(one) for name, one in keywords.items()}
        for name in names:
            if name not in values:
                if name not in defaults:
                    raise Misfit(f"{function.name} without its argument {name}")
                values[name] = self.value(defaults[name])
        for name in names[:1]:
            if not isinstance(values[name], int | float | Size | Label | tuple | type(None)):
                values[name] = self.algebra.argument(values[name])  # type: ignore[arg-type]
        self.local.append(values)
        try:
            return self._result(function.body)
        finally:
            self.local.pop()

    def _result(self, body: Sequence[ast.stmt]) -> object:
        for statement in body:
            if isinstance(statement, ast.Return) and statement.value is not None:
                return self.value(statement.value)
            if isinstance(statement, ast.If):
                chosen = self._branch(statement)
                found = self._result(chosen)
                if found is not None:
                    return found
            else:
                failed = dict(self.failed)
                self.statement(statement)
                if len(self.failed) > len(failed):
                    raise Misfit("a function that is not read")
        return None

    def _branch(self, statement: ast.If) -> Sequence[ast.stmt]:
        try:
            test = self.value(statement.test)
        except Misfit:
            test = 0
        return statement.body if isinstance(test, int | float) and test else statement.orelse

    def _length(self, node: ast.expr) -> object:
        if isinstance(node, ast.Name | ast.Attribute) and (name := self.flat(node)) is not None:
            known = self.known.get(name)
            if isinstance(known, int | Size):
                return known
            return self.algebra.length(name)
        return self.value(node)


@dataclass(frozen=True)
class _Shape:
    """The shape of an array, where it is passed on."""

    of: ast.expr


def is_helper(function: ast.FunctionDef) -> bool:
    """Whether a function is a formula of its arguments: short, and without a matrix product."""
    body = [one for one in function.body
            if not (isinstance(one, ast.Expr) and isinstance(one.value, ast.Constant))]  # fmt: skip
    if len(body) > 5 or not function.args.args:
        return False
    if not any(isinstance(node, ast.Return) for one in body for node in ast.walk(one)):
        return False
    for one in body:
        for node in ast.walk(one):
            if isinstance(node, ast.BinOp) and isinstance(node.op, ast.MatMult):
                return False
            if isinstance(node, ast.Call) and word_of(node.func) in ("dot", "matmul", "mm"):
                return False
            if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) \
                    and node.value.id == "self" and isinstance(node.ctx, ast.Store):  # fmt: skip
                return False
            if isinstance(node, ast.For | ast.While):
                return False
            if isinstance(node, ast.Return) and isinstance(node.value, ast.Tuple):
                return False
    return True


def word_of(node: ast.expr) -> str:
    """Return the last part of the name of a function; empty for another expression."""
    if isinstance(node, ast.Name):
        return node.id
    return node.attr if isinstance(node, ast.Attribute) else ""


def table_entry(table: str, key: str, names: Names) -> str:
    """Return the name of an entry: ``grads["W1"]`` is the gradient of W1, a table's is its own."""
    of_gradients = table.lower().startswith(("grad", "dparam", "d_param", "nabla"))
    return f"d{key}" if of_gradients and not names.is_gradient(key) else key


def _is_new_axis(node: ast.expr) -> bool:
    if isinstance(node, ast.Constant) and node.value is None:
        return True
    return isinstance(node, ast.Attribute) and node.attr == "newaxis"


def _plain(sign: str, one: float, other: float) -> object:
    try:
        match sign:
            case "add":
                return one + other
            case "subtract":
                return one - other
            case "multiply":
                return one * other
            case "divide":
                return one / other
            case "power":
                return float(one) ** float(other)
            case "greater":
                return int(one > other)
            case "less":
                return int(one < other)
    except (OverflowError, ZeroDivisionError, ValueError) as error:
        raise Misfit("a number out of range") from error
    raise Misfit("a comparison that is not read")


__all__ = ["Evaluation", "is_helper", "word_of"]
