"""A walk over the code of a post: its forward pass is evaluated, its gradients are collected.

The same walk serves shapes and numbers; an :class:`Algebra` says what a value is. Nothing is run:
what the walk does not have a rule for raises :class:`Misfit`.
"""

from __future__ import annotations

import ast
import re
from dataclasses import dataclass, field
from typing import TypeVar

from chainrule.teaching.marking.code_by_value.algebra import Event, Label, Misfit, Size
from chainrule.teaching.marking.code_by_value.evaluation import (
    MOST_STEPS,
    Evaluation,
    is_helper,
    word_of,
)

V = TypeVar("V")

TIMES = 3
"""The number of steps of a loop whose variable is an index."""


_DRAWS = re.compile(r"randn?|normal|uniform|random|standard_normal|random_sample|zeros|ones|full"
                    r"|empty")  # fmt: skip


_LOSSES = re.compile(
    r"(?i:(?:total|mean|train|test|squared)_)?(?i:error)\d?"
    r"|(?:.*_)?(?i:loss|cost|objective|mse|nll|cross_?entropy|bce|sse)\d?"
    r"|J|L|E|C|f|(?i:loss|cost).*"
)


_OUTPUTS = re.compile(
    r"(?i)y_?p(?:red)?|y_?hat|yhat|pred\w*|out\w*|al|a\d?|p|probs?|scores|logits|h|final\w*"
)


@dataclass
class Walk(Evaluation[V]):
    """One walk over the code: the forward pass is evaluated, the gradients are collected."""

    events: list[Event] = field(default_factory=list)
    losses: list[tuple[str, V]] = field(default_factory=list)
    forward: list[str] = field(default_factory=list)  # names with values, in order
    updates: dict[str, bool] = field(default_factory=dict)  # whether a step goes down

    def run(self) -> None:
        """Walk over all statements."""
        for whole in self.statements:  # a function may be called above its definition
            for node in ast.walk(whole):
                if isinstance(node, ast.FunctionDef) and is_helper(node):
                    self.functions[node.name] = node
        for statement in self.statements:
            self.statement(statement)

    def statement(self, statement: ast.stmt) -> None:
        """Take one statement."""
        self.steps += 1
        if self.steps > MOST_STEPS:
            raise Misfit("more steps than are taken")
        match statement:
            case ast.Assign(targets=[target], value=value):
                self._assign(target, value, statement.lineno)
            case ast.AnnAssign(target=target, value=ast.expr() as value):
                self._assign(target, value, statement.lineno)
            case ast.AugAssign(target=target, op=op, value=value):
                self._augmented(target, op, value, statement.lineno)
            case ast.For():
                self._loop(statement)
            case ast.If(body=body):
                for one in body:
                    self.statement(one)
            case ast.With(body=body) | ast.While(body=body):
                for one in body:
                    self.statement(one)
            case ast.ClassDef(body=body):
                for one in body:
                    self.statement(one)
            case ast.FunctionDef():
                self._function(statement)
            case ast.Return(value=ast.expr() as value):
                self._return(value)
            case _:
                pass

    def _function(self, function: ast.FunctionDef) -> None:
        self.functions[function.name] = function
        speaks_of_loss = (
            _LOSSES.fullmatch(function.name)
            or "loss" in function.name.lower()
            or "cost" in function.name.lower()
        )
        if is_helper(function) and not (speaks_of_loss and function.name not in self.names.called):
            return
        if _LOSSES.fullmatch(function.name) or speaks_of_loss:
            self._meet_parameters(function)
        self.inside = function.name
        for one in function.body:
            self.statement(one)
        self.inside = ""

    inside: str = ""

    def _meet_parameters(self, function: ast.FunctionDef) -> None:
        """Let an unknown parameter of a loss that stands for the output be the last value."""
        last = next((n for n in reversed(self.forward) if not _is_scalar_name(n)), None)
        for argument in function.args.args:
            name = argument.arg
            if name in self.known or last is None or not _OUTPUTS.fullmatch(name):
                continue
            self.known[name] = self.known[last]
            break

    def _return(self, value: ast.expr) -> None:
        if not self.inside:
            return
        self.returned[self.inside] = value
        named = isinstance(value, ast.Name)
        first = value.elts[0] if isinstance(value, ast.Tuple) and value.elts else value
        words = self.inside.lower()
        if ("loss" in words or "cost" in words or _LOSSES.fullmatch(self.inside)) and not named:
            if self.names.uses_gradients(first):
                return
            try:
                self._note_loss(self.inside, self.value(first))
            except Misfit as error:
                self.failed[value.lineno] = str(error)

    def _note_loss(self, name: str, value: object) -> None:
        if not isinstance(value, int | float | Size | Label | tuple | type(None)):
            self.losses.append((name, value))  # type: ignore[arg-type]

    def _loop(self, loop: ast.For) -> None:
        variable = loop.target.id if isinstance(loop.target, ast.Name) else ""
        places = {
            node.id
            for one in loop.body
            for sub in ast.walk(one)
            if isinstance(sub, ast.Subscript)
            for node in ast.walk(sub.slice)
            if isinstance(node, ast.Name)
        }
        if not variable or variable not in places:
            for one in loop.body:
                self.statement(one)
            return
        backward = any(
            isinstance(node, ast.Name) and node.id == "reversed" for node in ast.walk(loop.iter)
        )
        order = reversed(range(TIMES)) if backward else range(TIMES)
        for at in order:
            self.scope[variable] = at
            for one in loop.body:
                self.statement(one)
        self.scope.pop(variable, None)

    def _assign(self, target: ast.expr, value: ast.expr, line: int) -> None:
        if isinstance(target, ast.Tuple | ast.List):
            self._unpack(target.elts, value, line)
            return
        places: ast.expr | None = None
        name = self.flat(target)
        if name is None:
            if not isinstance(target, ast.Subscript):
                return
            name, places = self.flat(target.value), target.slice
            if name is None:
                return
        table = isinstance(value, ast.Dict | ast.List) and not getattr(value, "elts", None)
        if table or (isinstance(value, ast.Call) and word_of(value.func) in ("dict", "list")):
            self.tables.add(name)
            return
        if isinstance(value, ast.Dict | ast.Constant) and not isinstance(
            getattr(value, "value", None), int | float
        ):
            return
        if self._is_gradient(name, value):
            self.events.append(Event(line, name, "=", value, places, tuple(self.scope.items())))
            return
        if self.names.uses_gradients(value):
            self._note_update(name, value)
            return
        if places is not None:
            self._placed(name, places, value, line)
            return
        try:
            self._keep(name, self._initialised(name, value))
        except Misfit as error:
            self.failed[line] = str(error)
            self.known.pop(name, None)
            self.names.unread.add(name)

    def _is_gradient(self, name: str, value: ast.expr) -> bool:
        if self.local:
            return False
        return self.names.is_gradient(name) or (
            self.names.uses_gradients(value)
            and name not in self.known
            and name not in {n.id for n in ast.walk(value) if isinstance(n, ast.Name)}
        )

    def _note_update(self, name: str, value: ast.expr) -> None:
        """Note the direction of a step such as ``W = W - rate * dW``."""
        if isinstance(value, ast.BinOp) and isinstance(value.op, ast.Add | ast.Sub):
            self.updates[name] = isinstance(value.op, ast.Sub)

    def _placed(self, name: str, places: ast.expr, value: ast.expr, line: int) -> None:
        """Take ``xs[t][label] = 1`` for an entry that is set, where the value is a new one."""
        try:
            at = self.places(places)
            amount = self.value(value)
            old = self.known.get(name)
            if old is None or isinstance(old, int | float | tuple):
                return
            self.known[name] = self.algebra.entry_added(old, at, self.lifted(amount))  # type: ignore[arg-type]
        except Misfit as error:
            self.failed[line] = str(error)

    def _unpack(self, targets: list[ast.expr], value: ast.expr, line: int) -> None:
        if isinstance(value, ast.Tuple) and len(value.elts) == len(targets):
            for target, one in zip(targets, value.elts, strict=True):
                self._assign(target, one, line)
            return
        returned: ast.expr | None = None
        if isinstance(value, ast.Call):
            returned = self.returned.get(word_of(value.func))
        if isinstance(returned, ast.Tuple) and len(returned.elts) == len(targets):
            for target, one in zip(targets, returned.elts, strict=True):
                name, old = self.flat(target), self.flat(one)
                if name is not None and name != old and old in self.known:
                    self._keep(name, self.known[old])
            return
        if isinstance(value, ast.Attribute) and value.attr == "shape":
            for axis, target in enumerate(targets):
                name = self.flat(target)
                if name is not None:
                    try:
                        self.known[name] = self.algebra.size(self.array(value.value), axis)
                    except Misfit as error:
                        self.failed[line] = str(error)

    def _augmented(self, target: ast.expr, op: ast.operator, value: ast.expr, line: int) -> None:
        places: ast.expr | None = None
        name = self.flat(target)
        if name is None and isinstance(target, ast.Subscript):
            name, places = self.flat(target.value), target.slice
        if name is None:
            return
        sign = {ast.Add: "+=", ast.Sub: "-=", ast.Mult: "*=", ast.Div: "/="}.get(type(op), "")
        if self.names.is_gradient(name) or name in {e.target for e in self.events}:
            self.events.append(Event(line, name, sign, value, places, tuple(self.scope.items())))
            return
        if self.names.uses_gradients(value):
            self.updates[name] = sign == "-="
            return
        if places is not None or sign not in ("+=", "-=", "*=", "/="):
            return
        try:
            old, amount = self.array(target), self.lifted(self.value(value))
            operation = {"+=": "add", "-=": "subtract", "*=": "multiply", "/=": "divide"}[sign]
            self._keep(name, self.algebra.elementwise(operation, old, amount))
        except Misfit as error:
            self.failed[line] = str(error)

    def _keep(self, name: str, value: object) -> None:
        if self.local:
            self.local[-1][name] = value
            return
        plain = isinstance(value, int | float | Size | Label | tuple | type(None))
        if not plain:
            value = self.algebra.kept(name, value)  # type: ignore[arg-type]
            self.forward.append(name)
        self.known[name] = value
        if not plain and _LOSSES.fullmatch(name.rpartition(".")[2]):
            self._note_loss(name, value)

    def _initialised(self, name: str, value: ast.expr) -> object:
        """Return a value; an array that starts with numbers of any kind is an input."""
        call = value
        while isinstance(call, ast.BinOp):
            call = call.left if isinstance(call.left, ast.Call) else call.right
        if isinstance(call, ast.Call) and _DRAWS.fullmatch(word_of(call.func)) and call.args:
            first = call.args[0]
            listed = first.elts if isinstance(first, ast.Tuple | ast.List) else call.args
            keyword = next((k.value for k in call.keywords if k.arg == "size"), None)
            if isinstance(keyword, ast.Tuple):
                listed = keyword.elts
            sizes = tuple(self._length(one) for one in listed)
            return self.algebra.drawn(name, sizes)
        return self.value(value)


def _is_scalar_name(name: str) -> bool:
    return bool(_LOSSES.fullmatch(name)) and len(name) > 1


__all__ = ["Walk"]
