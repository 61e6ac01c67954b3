"""Functions, steps downhill and parameters of a program, found before it runs."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from chainrule.teaching.marking.code_as_program.opened import PARAMETERS
from chainrule.teaching.marking.code_by_value.naming import Names, is_label, names_of
from chainrule.teaching.marking.code_by_value.updates import gradient_of_step, is_rate, step_of
from chainrule.teaching.marking.code_by_value.words import word_of

_DRAWS = frozenset({"randn", "rand", "normal", "uniform", "standard_normal", "random_sample",
                    "random", "truncated_normal"})  # fmt: skip
FILLED = frozenset({"zeros", "ones", "full", "empty", "zeros_like", "ones_like"})
_UPDATES = re.compile(r"(?i)_*(?:update|optimi[sz]e|apply|adjust|step|sgd)\w*")


_RECURRENT = re.compile(r"(?i)_*w_?hh|w_?aa|bptt\w*|h_?prev|dh_?next|last_hs|hidden_states?|hs")
"""Names of recurrences."""

_GRADIENTS = re.compile(r"(?i)\w*grads?|\w*gradients?|nabla\w*|deltas?|derivatives?")


@dataclass(frozen=True)
class Step:
    """A step downhill.

    Parameters
    ----------
    gradient : ast.expr or None
        The gradient that it carries; None where it has a name.
    down : bool
        Whether the gradient is subtracted.
    """

    gradient: ast.expr | None
    down: bool = True


@dataclass
class Outline:
    """The functions, the steps and the names of gradients of a program."""

    functions: dict[str, ast.FunctionDef] = field(default_factory=dict)
    names: Names = field(default_factory=lambda: names_of([]))
    rates: frozenset[str] = frozenset()
    parameters: frozenset[str] = frozenset()
    stepped: frozenset[str] = frozenset()
    drawn: dict[int, bool] = field(default_factory=dict)
    carrying: frozenset[str] = frozenset()  # names of which gradients are made
    stems: dict[str, list[str]] = field(default_factory=dict)
    known: dict[str, bool] = field(default_factory=dict)
    steps: dict[int, Step] = field(default_factory=dict)
    axes: dict[str, tuple[str, ...]] = field(default_factory=dict)  # of n, c, h, w = x.shape
    heads: frozenset[str] = frozenset()  # what divides a width: d_model // h
    has_logarithms: bool = False
    stepping: frozenset[str] = frozenset()  # names of gradients that steps subtract or add
    turned: frozenset[str] = frozenset()  # gradients that a step transposes: w -= rate * dw.T
    kept: list[ast.AST] = field(default_factory=list)
    takes: dict[int, bool] = field(default_factory=dict)

    @property
    def recurs(self) -> bool:
        """Whether it is a recurrence, whose data are sequences."""
        return any(_RECURRENT.fullmatch(name) for name in self.names.all)

    @property
    def descends(self) -> bool | None:
        """Whether its steps subtract their gradients; None where they do not agree."""
        signs = {step.down for step in self.steps.values()}
        return signs.pop() if len(signs) == 1 else None

    def step(self, statement: ast.stmt) -> Step | None:
        """Return the step that an assignment is: ``w = w - rate * dw``."""
        return self.steps.get(id(statement))

    def step_at(self, target: ast.expr) -> Step | None:
        """Return the step that changes a target in place: ``w -= rate * dw``."""
        return self.steps.get(id(target))

    def is_claim(self, name: str) -> bool:
        """Whether a name is that of a gradient."""
        if name not in self.known:
            plain = name.partition("[")[0]
            self.known[name] = bool(plain) and (
                self.names.is_gradient(name)
                or self.names.is_gradient(plain)
                or plain in self.carrying
            )
        return self.known[name]

    def targets(self, name: str) -> list[str]:
        """Return the names of the values that a name such as ``dW1`` is the gradient of."""
        if name not in self.stems:
            self.stems[name] = self._targets(name)
        return self.stems[name]

    def _targets(self, name: str) -> list[str]:
        stem = self.names.stem(name)
        if stem is None:
            carried = self.names.carried(name)
            return self.names.values_of(carried) if carried else []
        if is_label(stem):
            return []  # dL_dy is of the output, and a label is none
        return self.names.values_of(stem) or [stem]

    def adds_to_itself(self, target: ast.expr, value: ast.expr) -> bool:
        """Whether a gradient is made of what it was: ``dW = dW + x.T @ dz``."""
        return isinstance(target, ast.Name) and self.is_claim(target.id) and any(
            isinstance(node, ast.Name) and node.id == target.id for node in ast.walk(value)
        ) and isinstance(value, ast.BinOp)  # fmt: skip

    def entry_name(self, container: str, key: str) -> str:
        """Return the name of the entry of a dictionary: ``grads["W1"]`` is dW1."""
        held = _GRADIENTS.fullmatch(container) is not None and not self.names.is_gradient(key)
        return f"d{key}" if held else key

    def is_drawn(self, value: ast.expr) -> bool:
        """Whether an expression draws random numbers, other than to leave units out."""
        if id(value) not in self.drawn:
            self.drawn[id(value)] = self._is_drawn(value)
        return self.drawn[id(value)]

    def _is_drawn(self, value: ast.expr) -> bool:
        nodes = list(ast.walk(value))
        return not any(isinstance(node, ast.Compare) for node in nodes) and any(
            isinstance(node, ast.Call) and word_of(node.func) in _DRAWS for node in nodes
        )

    def starts(self, name: str, value: ast.expr) -> bool:
        """Whether a parameter gets the number, or the zeros, from which its training starts."""
        if name not in self.parameters:
            return False
        if isinstance(value, ast.Call):
            return word_of(value.func) in FILLED
        return isinstance(value, ast.Constant) and isinstance(value.value, int | float)

    def takes_steps(self, loop: ast.For | ast.While) -> bool:
        """Whether every round of a loop takes a step, so that one round has all gradients."""
        if id(loop) not in self.takes:
            self.takes[id(loop)] = self._takes_steps(loop)
        return self.takes[id(loop)]

    def _takes_steps(self, loop: ast.For | ast.While) -> bool:
        own = {node.id for node in ast.walk(loop.target) if isinstance(node, ast.Name)} \
            if isinstance(loop, ast.For) else set()  # fmt: skip
        for node in (sub for one in loop.body for sub in ast.walk(one)):
            if isinstance(node, ast.Assign | ast.AugAssign):
                target = node.targets[0] if isinstance(node, ast.Assign) else node.target
                step = self.steps.get(id(node)) or self.steps.get(id(target))
                used = {n.id for n in ast.walk(target) if isinstance(n, ast.Name)}
                if step is not None and not used & own:
                    return True
            elif isinstance(node, ast.Call) and self._updates(word_of(node.func), set()):
                return True
        return False

    def _updates(self, name: str, seen: set[str]) -> bool:
        if name in seen:
            return False
        seen.add(name)
        function = self.functions.get(name)
        if function is None:
            return _UPDATES.fullmatch(name) is not None
        return any(
            id(node) in self.steps
            or (isinstance(node, ast.Call) and self._updates(word_of(node.func), seen))
            for node in ast.walk(function)
        )

    def calls(self, function: ast.FunctionDef) -> set[str]:
        """Return the functions of the program that a function calls."""
        return {
            word for node in ast.walk(function)
            if isinstance(node, ast.Call) and (word := word_of(node.func)) in self.functions
        }  # fmt: skip


def outline_of(statements: Sequence[ast.stmt]) -> Outline:
    """Return what is known of a program before it runs."""
    names = names_of(statements)
    found = Outline(names=names, kept=list(statements))
    rates: set[str] = set()
    stepped: set[str] = set()
    turned: set[str] = set()
    stepping: set[str] = set()
    drawn = _drawn_names(statements)
    for node in (sub for one in statements for sub in ast.walk(one)):
        if isinstance(node, ast.FunctionDef):
            found.functions.setdefault(node.name, node)
        if (unpacked := _unpacked_shape(node)) is not None:
            found.axes.setdefault(*unpacked)
        for key, target, step, value in (*_steps(node, names), *_products(node, drawn)):
            found.steps[id(key)] = step
            stepped.add(word_of(target))
            if step.gradient is None:
                stepping |= {word for sub in ast.walk(value) if isinstance(sub, ast.Name)
                             and names.is_gradient(word := sub.id)}  # fmt: skip
            turned |= {word_of(sub.value) for sub in ast.walk(value)
                       if isinstance(sub, ast.Attribute) and sub.attr == "T"}  # fmt: skip
            if isinstance(target, ast.Subscript) and isinstance(target.slice, ast.Constant):
                stepped.add(str(target.slice.value))
            rates |= {word for sub in ast.walk(value)
                      if isinstance(sub, ast.Name | ast.Attribute) and is_rate(
                          word := word_of(sub))}  # fmt: skip
    owners = {name for name in names.all if names.has_gradient(name)}
    found.rates = frozenset(rates)
    found.parameters = frozenset(stepped | owners)
    found.heads = frozenset(
        word_of(node.right) for one in statements for node in ast.walk(one)
        if isinstance(node, ast.BinOp) and isinstance(node.op, ast.FloorDiv)
        and isinstance(node.right, ast.Name | ast.Attribute)
    )  # fmt: skip
    found.turned = frozenset(turned)
    found.stepping = frozenset(stepping)
    found.has_logarithms = any(
        re.match(r"log|cross_entropy", word_of(node.func))
        for one in statements for node in ast.walk(one) if isinstance(node, ast.Call)
    )  # fmt: skip
    found.stepped = frozenset(stepped - {""})
    found.carrying = frozenset(_carrying(statements, names))
    return found


def _unpacked_shape(node: ast.AST) -> tuple[str, tuple[str, ...]] | None:
    """Return the value and the names of its axes in ``n, c, h, w = x.shape``."""
    match node:
        case ast.Assign(
            targets=[ast.Tuple(elts=axes)], value=ast.Attribute(value=of, attr="shape")
        ):
            return word_of(of), tuple(word_of(one) for one in axes)
    return None


def _carrying(statements: Sequence[ast.stmt], names: Names) -> Iterator[str]:
    """Yield names such as ``dscores`` of which gradients are made."""
    assigned = {node.id for one in statements for node in ast.walk(one)
                if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)}  # fmt: skip
    for node in (sub for one in statements for sub in ast.walk(one)):
        if isinstance(node, ast.Assign) and names.is_gradient(name_of(node.targets[0])):
            yield from (
                sub.id for sub in ast.walk(node.value)
                if isinstance(sub, ast.Name) and sub.id in assigned
                and re.fullmatch(r"d[A-Za-z_]\w+|grad\w*|\w*errors?|err|e|resid\w*|diff\w*", sub.id)
                and sub.id not in ("data", "dim", "dims", "dropout", "decay", "delta", "dtype")
            )  # fmt: skip


def name_of(target: ast.expr) -> str:
    """Return the name of what an assignment changes; ``grads["W1"]`` is dW1."""
    if isinstance(target, ast.Subscript) and isinstance(target.slice, ast.Constant) and (
        isinstance(target.slice.value, str)
    ):  # fmt: skip
        key = target.slice.value
        return f"d{key}" if _GRADIENTS.fullmatch(word_of(target.value)) else key
    return word_of(target)


def _steps(node: ast.AST, names: Names) -> Iterator[tuple[ast.AST, ast.expr, Step, ast.expr]]:
    if isinstance(node, ast.AugAssign) and isinstance(node.op, ast.Add | ast.Sub):
        key: ast.AST = node.target
        target: ast.expr
        target, op, amount = node.target, type(node.op), node.value
    elif isinstance(node, ast.Assign) and len(node.targets) == 1 and (
        (taken := step_of(node.targets[0], node.value)) is not None
    ):  # fmt: skip
        key, target = node, node.targets[0]
        op, amount = taken  # type: ignore[assignment]
    else:
        return
    whole = target
    while isinstance(whole, ast.Subscript):
        whole = whole.value
    if names.is_gradient(word_of(whole)) or _is_entry_of_gradient(target, names):
        return
    rated = any(
        isinstance(sub, ast.Name | ast.Attribute) and is_rate(word_of(sub))
        for sub in ast.walk(amount)
    )
    down = op is ast.Sub or any(isinstance(s, ast.Constant) for s in ast.walk(amount))
    trained = PARAMETERS.fullmatch(word_of(target)) is not None
    if rated or (names.uses_gradients(amount) and (down or trained)):
        carried = gradient_of_step(op, amount)
        named = names.uses_gradients(amount)
        gradient = None if named and _is_plain(amount) else carried
        yield key, target, Step(gradient, _is_subtracted(op, amount)), amount


def _drawn_names(statements: Sequence[ast.stmt]) -> frozenset[str]:
    """Return the names that get random numbers."""
    return frozenset(
        word_of(target) for one in statements for node in ast.walk(one)
        if isinstance(node, ast.Assign) and any(
            isinstance(sub, ast.Call) and word_of(sub.func) in _DRAWS
            for sub in ast.walk(node.value)
        ) for target in node.targets
    )  # fmt: skip


def _products(
    node: ast.AST, drawn: frozenset[str]
) -> Iterator[tuple[ast.AST, ast.expr, Step, ast.expr]]:
    """Yield steps of the length 1 by a product without a name: ``w += x.T @ change``."""
    if isinstance(node, ast.AugAssign) and isinstance(node.op, ast.Add | ast.Sub) and (
        word_of(node.target) in drawn and not _is_plain(node.value)
        and gradient_of_step(type(node.op), node.value) is None
    ):  # fmt: skip
        down = isinstance(node.op, ast.Sub)
        gradient = node.value if down else ast.copy_location(
            ast.UnaryOp(ast.USub(), node.value), node.value)  # fmt: skip
        yield node.target, node.target, Step(gradient, down), node.value


def _is_subtracted(op: type[ast.operator], amount: ast.expr) -> bool:
    """Whether a step subtracts its gradient: ``w -= rate * dw`` and ``w += -rate * dw``."""
    down = op is ast.Sub
    while isinstance(amount, ast.BinOp) and isinstance(amount.op, ast.Mult | ast.Div):
        amount = amount.left
    return down != (isinstance(amount, ast.UnaryOp) and isinstance(amount.op, ast.USub))


def _is_plain(amount: ast.expr) -> bool:
    """Whether the amount of a step is a gradient with a name, times numbers."""
    return not any(
        isinstance(node, ast.MatMult | ast.Add | ast.Sub)
        or (isinstance(node, ast.Call) and word_of(node.func) in ("dot", "sum", "outer", "matmul",
                                                                  "mean"))
        for node in ast.walk(amount)
    )  # fmt: skip


def _is_entry_of_gradient(target: ast.expr, names: Names) -> bool:
    return (
        isinstance(target, ast.Subscript)
        and isinstance(target.slice, ast.Constant)
        and isinstance(target.slice.value, str)
        and (names.is_gradient(target.slice.value) or names.is_gradient(word_of(target.value)))
    )


def filled(loop: ast.stmt) -> set[str]:
    """Return the names that the rounds of a loop set or append to; none of another statement."""
    if not isinstance(loop, ast.For | ast.While):
        return set()
    nodes = [node for one in loop.body for node in ast.walk(one)]
    lists = {
        node.value.id for node in nodes
        if isinstance(node, ast.Attribute) and node.attr in ("append", "extend", "insert")
        and isinstance(node.value, ast.Name)
    }  # fmt: skip
    return lists | {
        node.id for node in nodes if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)
    }


__all__ = ["FILLED", "Outline", "Step", "name_of", "outline_of"]
