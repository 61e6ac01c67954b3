"""A walk over the code of a post: its forward pass is evaluated, its gradients are collected.

The same walk serves shapes and numbers; an :class:`Algebra` says what a value is. Nothing is run:
what the walk does not have a rule for raises :class:`Misfit`.
"""

from __future__ import annotations

import ast
import copy
import re
from dataclasses import dataclass, field
from typing import TypeVar

from chainrule.teaching.marking.code_by_value.algebra import Event, Label, Misfit, Size
from chainrule.teaching.marking.code_by_value.bookkeeping import Bookkeeping
from chainrule.teaching.marking.code_by_value.evaluation import MOST_STEPS, Slices
from chainrule.teaching.marking.code_by_value.frozen import Frozen
from chainrule.teaching.marking.code_by_value.naming import OUTPUTS, is_data
from chainrule.teaching.marking.code_by_value.updates import gradient_of_step, step_of
from chainrule.teaching.marking.code_by_value.words import (
    is_helper,
    names_in,
    short_functions,
    word_of,
)

V = TypeVar("V")

_CACHES = re.compile(r"(?i)\w*cache\w*|ctx|context|saved\w*|memory|tape|stored\w*")
"""Names of what a forward pass keeps for the backward pass."""

_DRAWS = re.compile(r"randn?|normal|uniform|random|standard_normal|random_sample|zeros|ones|full"
                    r"|empty")  # fmt: skip


_DATA = re.compile(r"(?i)(?:get|load|read|next|sample|fetch|draw|generate|make|init)_?\w*|choice"
                   r"|randint|permutation")  # fmt: skip
"""Functions that return data."""

_LOSSES = re.compile(
    r"(?i:(?:total|mean|train|test|squared)_)?(?i:error)\d?"
    r"|(?:.*_)?(?i:loss|cost|objective|mse|nll|cross_?entropy|bce|sse)\d?"
    r"|J|L|E|C|f|(?i:loss|cost).*"
)


@dataclass
class Walk(Bookkeeping[V]):
    """One walk over the code: the forward pass is evaluated, the gradients are collected."""

    events: list[Event] = field(default_factory=list)
    losses: list[tuple[str, V]] = field(default_factory=list)
    forward: list[str] = field(default_factory=list)  # names with values, in order
    changed: set[str] = field(default_factory=set)  # values that become gradients in place
    claims_nothing: bool = False
    frozen: list[str] = field(default_factory=list)
    updates: dict[str, bool] = field(default_factory=dict)  # whether a step goes down

    def run(self) -> None:
        """Walk over all statements."""
        if self.names.helpers is None:
            self.names.helpers = short_functions(self.statements)
        self.functions.update(self.names.helpers)  # they may be called above their definitions
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
                self.loop(statement)
            case ast.If(test=test, body=body, orelse=other):
                self._branches(test, body, other)
            case ast.Expr(value=ast.Call() as call):
                self._called(call, statement.lineno)
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
        if speaks_of_loss or any(map(self.names.uses_gradients, function.body)):
            self._meet_parameters(function)
        self.inside = function.name
        for one in function.body:
            self.statement(one)
        self.inside = ""

    inside: str = ""

    def _meet_parameters(self, function: ast.FunctionDef) -> None:
        """Let an unknown parameter of a loss that stands for the output be the last value."""
        last = next((n for n in reversed(self.forward)
                     if n in self.known and not _is_scalar_name(n)), None)  # fmt: skip
        for argument in function.args.args:
            name = argument.arg
            if name in self.known or last is None or not OUTPUTS.fullmatch(name):
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
        if not isinstance(value, int | float | Size | Label | tuple | str | type(None) | Slices):
            self.losses.append((name, value))  # type: ignore[arg-type]

    def _branches(self, test: ast.expr, body: list[ast.stmt], other: list[ast.stmt]) -> None:
        """Take the branch that holds; both of a condition on an entry of the data."""
        held = self.holds(test)
        names = {node.id for node in ast.walk(test) if isinstance(node, ast.Name)}
        open_one = held is None and bool(names & self.counted)
        for one in () if held is False else body:
            self.statement(one)
        for one in other if held is False or open_one else ():
            self.statement(one)

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
            if self._begins_table(name, places):
                name, places = self.flat(target) or name, None
        plain = isinstance(value, ast.Name | ast.Subscript | ast.Attribute)
        same = plain and self.flat(value) == name
        if not self.local and is_data(value):
            return  # an input of the code, whatever its numbers
        if same and places is None and name not in self.known:
            return  # W1 = parameters["W1"], self.lr = lr
        if self._listed(name, value, line) or self._is_kept_copy(name, value):
            return
        self._forget(name)
        if name in self.changed and not self.names.uses_gradients(value):
            self.names.derived.discard(name)  # the value of the next round
        step = step_of(target, value)
        if step is not None and self._stepped(name, places, *step, line):
            return
        if self._is_gradient(name, value):
            self._claim(line, name, "=", value, places)
            return
        if self.names.uses_gradients(value):
            self._note_update(name, value)
            return
        if places is not None:
            self._placed(name, places, value, line)
            return
        try:
            found = self._initialised(name, value)
            if isinstance(found, tuple) and not self.local:
                for at, one in enumerate(found):
                    self.known[f"{name}.{at}"] = one
            self._keep(name, found)
        except Misfit as error:
            if not self.local and self._is_outside(value):
                return  # data that the code gets from elsewhere
            self.failed[line] = str(error)
            self.known.pop(name, None)
            self.names.unread.add(name)

    def _is_outside(self, value: ast.expr) -> bool:
        """Whether a value is made of nothing that the code computes."""
        roots = {node.value.id for node in ast.walk(value)
                 if isinstance(node, ast.Attribute | ast.Subscript)
                 and isinstance(node.value, ast.Name)}  # fmt: skip
        used = names_in(value)
        computed = any(name in self.known or name in self.scope or name in self.names.unread or
                       (self.algebra.has(name) and name not in roots) for name in used)  # fmt: skip
        return not computed and isinstance(value, ast.Call | ast.Subscript | ast.Attribute)

    def _is_final(self, name: str) -> bool:
        """Whether a value is changed behind the loss, so that it becomes a gradient."""
        whole = bool(self.losses) or name in self.names.incoming.values()
        return whole and not self.local and name in self.known

    def _stepped(
        self, name: str, places: ast.expr | None, op: type[ast.operator], value: ast.expr, line: int
    ) -> bool:
        """Take a step that carries its gradient; False for another row."""
        if self.local or places is not None or not self._is_parameter(name):
            return False
        gradient = gradient_of_step(op, value)
        if gradient is None:
            return False
        base, bracket, rest = name.partition("[")
        self._claim(line, f"d_{base}{bracket}{rest}", "=", gradient, None)
        return True

    def _is_parameter(self, name: str) -> bool:
        """Whether a value is an input that the forward pass uses."""
        return self.algebra.has(name) and not self.names.is_gradient(name)

    def _claim(
        self, line: int, name: str, sign: str, value: ast.expr, places: ast.expr | None
    ) -> None:
        """Note a gradient; names that later rounds change are those of this round."""
        scope = tuple(self.scope.items())
        if self.claims_nothing:  # a walk for a difference of the loss
            self.events.append(Event(line, name, sign, value, places, scope))
            return
        if self.algebra.infers and self.axes:
            self._meet_rows(value)
        frozen = Frozen(self, self.frozen)
        value = frozen.visit(copy.deepcopy(value))
        places = frozen.visit(copy.deepcopy(places)) if places is not None else None
        self.events.append(Event(line, name, sign, value, places, scope))

    def _meet_rows(self, value: ast.expr) -> None:
        """Note in a gradient which values have a row per round of a loop: ``y[i]``."""
        for node in ast.walk(value):
            part = node.slice if isinstance(node, ast.Subscript) else None
            if not (isinstance(node, ast.Subscript) and isinstance(part, ast.Name)):
                continue
            name = self.flat(node.value)
            if name is None or name in self.tables or self.names.is_gradient(name):
                continue
            if part.id in self.axes:
                held = self.named(name)
                if not isinstance(held, int | float | tuple | Size | Label | str | type(None)):
                    self.algebra.meet(held, 0, self.axes[part.id])  # type: ignore[arg-type]

    def _forget(self, name: str) -> None:
        """End an alias."""
        self.aliases.pop(name, None)

    def _begins_table(self, name: str, places: ast.expr) -> bool:
        """Whether ``hs[t] = ...`` fills a table that the code does not begin."""
        if name in self.tables or name in self.known or self.algebra.has(name) or (
            self.names.is_gradient(name) or isinstance(places, ast.Tuple | ast.Slice)
        ):  # fmt: skip
            return False
        numbered = names_in(places) <= set(self.scope) and not isinstance(places, ast.Subscript)
        if numbered and not (names_in(places) & self.counted):
            self.tables[name] = None
            return True
        return False

    def _is_kept_copy(self, name: str, value: ast.expr) -> bool:
        """Whether a name gets the value that it has from a cache: ``Z = cache``."""
        if self.local or not (name in self.known or self.algebra.has(name)):
            return False
        held = value.value if isinstance(value, ast.Subscript) else value
        word = held.attr if isinstance(held, ast.Attribute) else \
            held.id if isinstance(held, ast.Name) else ""  # fmt: skip
        return _CACHES.fullmatch(word) is not None and word not in self.known \
            and word not in self.tables  # fmt: skip

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
        """Take entries that are set: ``margins[range(n), y] = 0``."""
        try:
            at = self.index(places)
            amount = self.lifted(self.value(value))
            old = self.named(name) if self._is_local(name) else self.known.get(name)
            if old is None or isinstance(old, int | float | tuple | Size | Label):
                return
            self._keep(name, self.algebra.entry_changed(old, at, "=", amount))  # type: ignore[arg-type]
        except Misfit as error:
            self.failed[line] = str(error)
            self.names.unread.add(name)

    def _augmented(self, target: ast.expr, op: ast.operator, value: ast.expr, line: int) -> None:
        places: ast.expr | None = None
        name = self.flat(target)
        if name is None and isinstance(target, ast.Subscript):
            name, places = self.flat(target.value), target.slice
        if name is None:
            return
        sign = {ast.Add: "+=", ast.Sub: "-=", ast.Mult: "*=", ast.Div: "/="}.get(type(op), "")
        if self.names.is_gradient(name) or name in {e.target for e in self.events}:
            self._claim(line, name, sign, value, places)
            return
        nudged = isinstance(value, ast.Name) and re.fullmatch(r"(?i)eps\w*|h|delta|step", value.id)
        if places is not None and self._is_final(name) and sign and not nudged:
            self._claim(line, name, "=", ast.Name(name, ast.Load()), None)
            self.names.derived.add(name)  # p[range(n), y] -= 1 makes a gradient of p
            self.changed.add(name)
            self._claim(line, name, sign, value, places)
            return
        if sign in ("+=", "-=") and self._stepped(name, places, type(op), value, line):
            return
        if self.names.uses_gradients(value):
            self.updates[name] = sign == "-="
            return
        if sign not in ("+=", "-=", "*=", "/="):
            return
        try:
            if places is not None:
                before = self.lifted(self.named(name))
                amount = self.lifted(self.value(value))
                self._keep(name, self.algebra.entry_changed(before, self.index(places), sign,
                                                            amount))  # fmt: skip
                return
            old, amount = self.array(target), self.lifted(self.value(value))
            operation = {"+=": "add", "-=": "subtract", "*=": "multiply", "/=": "divide"}[sign]
            self._keep(name, self.algebra.elementwise(operation, old, amount))
        except Misfit as error:
            self.failed[line] = str(error)

    def _keep(self, name: str, value: object) -> None:
        if self.local:
            self.local[-1][name] = value
            return
        plain = isinstance(value, int | float | Size | Label | tuple | str | type(None) | Slices)
        if not plain:
            value = self.algebra.kept(name, value)  # type: ignore[arg-type]
            self.trail.append((name, value))
            if all(is_start(event) for event in self.events):
                self.forward.append(name)
        self.known[name] = value
        word = name.rpartition(".")[2]
        if not plain and _LOSSES.fullmatch(word) and not (
            word in self.names.served and len(word) == 1
        ):  # fmt: skip
            self._note_loss(name, value)

    def _if_read(self, node: ast.expr) -> object:
        try:
            return self.value(node)
        except Misfit:
            return None

    def _initialised(self, name: str, value: ast.expr) -> object:
        """Return a value; an array that starts with numbers of any kind is an input."""
        if isinstance(value, ast.Tuple) and _CACHES.fullmatch(name):
            return tuple(map(self._if_read, value.elts))
        if isinstance(value, ast.Constant) and isinstance(value.value, int | float) and (
            not self.local
            and name not in self.known
            and (self.names.has_gradient(name) or name in self.names.stepped)
        ):  # fmt: skip
            return self.algebra.drawn(name, ())  # b = 0 is where a parameter starts
        if isinstance(value, ast.Call) and word_of(value.func) not in self.functions and (
            _DATA.fullmatch(word_of(value.func)) and not self.local
        ):  # fmt: skip
            tuples = [one for one in value.args if isinstance(one, ast.Tuple)]
            if word_of(value.func) == "randint" and len(tuples) == 1:
                return self.algebra.drawn(name, tuple(map(self.size_of, tuples[0].elts)))
            return self.algebra.unknown(name)
        call = value
        while isinstance(call, ast.BinOp):
            call = call.left if isinstance(call.left, ast.Call) else call.right
        if isinstance(call, ast.Call) and _DRAWS.fullmatch(word_of(call.func)) and call.args:
            first = call.args[0]
            listed = first.elts if isinstance(first, ast.Tuple | ast.List) else call.args
            if word_of(call.func) in ("normal", "uniform") and len(call.args) > 2:
                third = call.args[2]
                listed = third.elts if isinstance(third, ast.Tuple) else [third]
            if word_of(call.func) == "full":
                listed = first.elts if isinstance(first, ast.Tuple) else [first]
            if self.local or isinstance(first, ast.Attribute) or (
                word_of(call.func).startswith("zeros") and name in self.names.states
            ):  # fmt: skip
                return self.value(value)
            keyword = next((k.value for k in call.keywords if k.arg == "size"), None)
            if isinstance(keyword, ast.Tuple):
                listed = keyword.elts
            sizes = tuple(self.size_of(one) for one in listed)
            return self.algebra.drawn(name, sizes)
        return self.value(value)


def is_start(event: Event) -> bool:
    """Whether an event only sets a gradient to zero."""
    if isinstance(event.value, ast.Constant) and event.value.value == 0 and event.places is None:
        return event.operation == "="
    return event.operation == "=" and any(
        isinstance(node, ast.Attribute | ast.Name)
        and (node.attr if isinstance(node, ast.Attribute) else node.id).startswith("zeros")
        for node in ast.walk(event.value)
    )


def _is_scalar_name(name: str) -> bool:
    return bool(_LOSSES.fullmatch(name)) and len(name) > 1


__all__ = ["Walk", "is_start"]
