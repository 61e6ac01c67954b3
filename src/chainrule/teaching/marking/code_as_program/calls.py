"""Calls of functions, methods and classes of an interpreted program."""

from __future__ import annotations

import ast
from abc import abstractmethod
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np

from chainrule.teaching.marking.code_as_program.activations import TAKEN
from chainrule.teaching.marking.code_as_program.library import NUMPY, applied
from chainrule.teaching.marking.code_as_program.lookups import Lookups
from chainrule.teaching.marking.code_as_program.methods import method_of
from chainrule.teaching.marking.code_as_program.opened import Open
from chainrule.teaching.marking.code_as_program.python_functions import python_function
from chainrule.teaching.marking.code_as_program.translated import TRANSLATED
from chainrule.teaching.marking.code_as_program.values import (
    Builtin,
    CannotRun,
    Class,
    Frame,
    Function,
    Instance,
    Method,
    Unknown,
    Value,
)

_CURVED = frozenset(
    {"np.exp", "np.expit", "np.special.expit", "np.tanh", "np.maximum", "np.softmax"}
)
"""Functions whose arguments may have gradients without having a name."""


@dataclass
class Calls(Lookups):
    """The calls of a program."""

    @abstractmethod
    def own(
        self, of: Function, args: list[Value], keys: Mapping[str, Value], line: int = 0
    ) -> Value:
        """Return what a function of the program returns."""

    @abstractmethod
    def binary(self, op: type[ast.AST], one: Value, other: Value) -> Value:
        """Return a sum, a product or another operation of two values."""

    @abstractmethod
    def rounds(self, value: Value) -> Iterator[Value]:
        """Yield what a loop runs over."""

    def _of_Call(self, node: ast.Call, frame: Frame) -> Value:
        if isinstance(node.func, ast.Name) and node.func.id == "print":
            return None
        of = self.value(node.func, frame)
        if isinstance(of, Unknown):
            return of
        args = self.elements(node.args, frame)
        keys: dict[str, Value] = {}
        for word in node.keywords:
            one = self.value(word.value, frame)
            keys |= {word.arg: one} if word.arg else one if isinstance(one, dict) else {}
        if isinstance(of, Builtin) and of.name == "super":
            return self._parent(frame)
        if isinstance(of, Builtin) and of.name in _CURVED and isinstance(node.args[0], ast.BinOp):
            args[0] = self.trace.note(node.lineno, "", args[0], "assigned", frame.number)
        return self.call(of, args, keys, node.lineno)

    def _parent(self, frame: Frame) -> Value:
        owner = frame.owner
        if owner is None or not owner.of.bases:
            return Unknown("super()")
        return Instance(owner.of.bases[0], owner.fields)

    def call(self, of: Value, args: list[Value], keys: Mapping[str, Value], line: int = 0) -> Value:
        """Return what a function returns."""
        if isinstance(of, Unknown):
            return of
        if of == "sigmoid":  # self.activation = activation, where an argument names it
            of = Builtin("activation")
        if isinstance(of, Builtin):
            return self._built_in(of.name, args, keys)
        if isinstance(of, Method):
            if (isinstance(of.of, Open) or any(isinstance(one, Open) for one in args)) and (
                of.name == "dot"
            ):  # fmt: skip
                return self.binary(ast.MatMult, of.of, args[0])
            return method_of(of, args, keys)
        if isinstance(of, Class):
            made = Instance(of)
            if (start := of.method("__init__")) is not None:
                self.call(Function(start, made), args, keys, line)
            return made
        if isinstance(of, Instance):
            method = of.of.method("__call__") or of.of.method("forward")
            if method is not None:
                return self.call(Function(method, of), args, keys, line)
        if isinstance(of, Function):
            return self.own(of, args, keys, line)
        if of in (int, float):
            return applied(of, "a number", args, {})
        raise CannotRun("a call of this")

    def _built_in(self, name: str, args: list[Value], keys: Mapping[str, Value]) -> Value:
        if name.startswith("np.random."):
            return self.draws.drawn(name.rpartition(".")[2], args, keys)
        if name.startswith("np."):
            args = [self._listed(one) for one in args]
            if any(isinstance(one, Open) for one in args) and self.opened is not None:
                if name in ("np.dot", "np.matmul") and len(args) == 2:
                    return self.binary(ast.MatMult, *args)
                args = [self.opened.as_vector(one) if isinstance(one, Open) else one
                        for one in args]  # fmt: skip
            return applied(NUMPY[name[3:]], name, args, keys)
        if name in ("activation", "activation_slope"):
            self.trace.taken.add(TAKEN)
            call = self.activation.of if name == "activation" else self.activation.slope
            return applied(call, name, args, {})
        if name == "mtimes":
            numbers = any(isinstance(one, int | float) or np.size(one) == 1 for one in args
                          if not isinstance(one, Open))  # fmt: skip
            return self.binary(ast.Mult if numbers else ast.MatMult, *args)
        if name in TRANSLATED:
            return applied(TRANSLATED[name], name, args, keys)
        if self.opened is not None:
            args = [self.opened.as_vector(one) if isinstance(one, Open) else one for one in args]
        return python_function(self, name, args, keys)

    def _listed(self, value: Value) -> Value:
        if isinstance(value, range | map | zip):
            return list(value)
        return value


__all__ = ["Calls"]
