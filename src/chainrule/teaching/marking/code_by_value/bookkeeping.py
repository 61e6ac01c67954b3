"""Bookkeeping in code: lists, dictionaries, several values at once, calls that change an array."""

from __future__ import annotations

import ast
from abc import abstractmethod
from dataclasses import dataclass
from typing import TypeVar

from chainrule.teaching.marking.code_by_value.algebra import Misfit
from chainrule.teaching.marking.code_by_value.evaluation import LAYERS
from chainrule.teaching.marking.code_by_value.loops import Loops
from chainrule.teaching.marking.code_by_value.words import table_entry, word_of

V = TypeVar("V")

_ACTIVATIONS = frozenset({"relu", "sigmoid", "tanh", "softmax", "leaky_relu"})


@dataclass
class Bookkeeping(Loops[V]):
    """An evaluation that follows where values are stored."""

    @abstractmethod
    def _assign(self, target: ast.expr, value: ast.expr, line: int) -> None:
        """Take an assignment."""

    @abstractmethod
    def _augmented(self, target: ast.expr, op: ast.operator, value: ast.expr, line: int) -> None:
        """Take an assignment such as ``x += y``."""

    @abstractmethod
    def _keep(self, name: str, value: object) -> None:
        """Store the value of a name."""

    def _called(self, call: ast.Call, line: int) -> None:
        """Take a call that changes a list or an array: ``append``, ``insert``, ``np.add.at``."""
        word = word_of(call.func)
        owner = call.func.value if isinstance(call.func, ast.Attribute) else None
        if word == "at" and len(call.args) == 3 and isinstance(owner, ast.Attribute):
            sign: ast.operator = ast.Sub() if owner.attr == "subtract" else ast.Add()
            target = ast.Subscript(call.args[0], call.args[1], ast.Store())
            self._augmented(target, sign, call.args[2], line)
            return
        name = self.flat(owner) if owner is not None else None
        if name is None or name not in self.tables or self.tables[name] is None:
            return
        length = self.tables[name] or 0
        if word == "append" and len(call.args) == 1:
            self.tables[name] = length + 1
            self._assign(ast.Name(f"{name}[{length}]", ast.Store()), call.args[0], line)
        elif word == "insert" and len(call.args) == 2:
            for at in range(length, 0, -1):
                held = self.known.pop(f"{name}[{at - 1}]", None)
                if held is not None:
                    self.known[f"{name}[{at}]"] = held
            self.tables[name] = length + 1
            entry = f"{name}[0]" if not self.names.uses_gradients(call.args[1]) else \
                f"{name}[{-length - 1}]"  # fmt: skip
            self._assign(ast.Name(entry, ast.Store()), call.args[1], line)
        elif word in ("reverse",):
            self.tables[name] = None

    def _listed(self, name: str, value: ast.expr, line: int) -> bool:
        """Take a list or a dictionary; False for another value."""
        if isinstance(value, ast.Call) and word_of(value.func) in ("dict", "list", "defaultdict",
                                                                    "OrderedDict"):  # fmt: skip
            self.tables[name] = 0 if word_of(value.func) == "list" else None
            return True
        if isinstance(value, ast.Dict):
            self.tables[name] = None
            for key, one in zip(value.keys, value.values, strict=True):
                text = self.key(key) if key is not None else None
                if text is None or self.names.uses_gradients(one):
                    continue
                entry = table_entry(name, text, self.names)
                if entry != self.flat(one) and entry.isidentifier():
                    self._assign(ast.Name(entry, ast.Store()), one, line)
            return True
        if isinstance(value, ast.List):
            self.tables[name] = len(value.elts)
            for at, one in enumerate(value.elts):
                self._assign(ast.Name(f"{name}[{at}]", ast.Store()), one, line)
            return True
        if isinstance(value, ast.ListComp) and len(value.generators) == 1:
            items = self.items(value.generators[0].iter)
            if items is None:
                return False
            self.tables[name] = len(items)
            return True
        if isinstance(value, ast.BinOp) and isinstance(value.left, ast.List):
            count = self.count(value.right) if isinstance(value.op, ast.Mult) else None
            self.tables[name] = count if count is not None else LAYERS
            return True
        return isinstance(value, ast.Constant) and isinstance(value.value, str | None) \
            and not self.local  # fmt: skip

    def _unpack(self, targets: list[ast.expr], value: ast.expr, line: int) -> None:
        """Take several values at once."""
        if isinstance(value, ast.Tuple) and len(value.elts) == len(targets):
            for target, one in zip(targets, value.elts, strict=True):
                if self.flat(target) != self.flat(one) or self.flat(one) is None:
                    self._assign(target, one, line)
            return
        if isinstance(value, ast.Call) and word_of(value.func) in self.functions and (
            self.local or self.inlines(value)
        ):  # fmt: skip
            for at, target in enumerate(targets):
                if isinstance(target, ast.Tuple) or (self.flat(target) or "_").strip("_") == "":
                    continue
                one = ast.Subscript(value, ast.Constant(at), ast.Load())
                self._assign(target, one, line)
            return
        if isinstance(value, ast.Call) and word_of(value.func) in _ACTIVATIONS and (
            word_of(value.func) not in self.functions and len(targets) == 2
        ):  # fmt: skip
            self._assign(targets[0], value, line)  # A, cache = relu(Z)
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
        held = self.flat(value)
        whole = self.named(held) if held is not None and (
            held in self.known or self._is_local(held)) else None  # fmt: skip
        if isinstance(whole, tuple) and len(whole) == len(targets):
            for target, one in zip(targets, whole, strict=True):
                name = self.flat(target)
                if isinstance(target, ast.Tuple) and isinstance(one, tuple):
                    continue
                if name is None or (name in self.known and self.known[name] is one):
                    continue
                self.aliases.pop(name, None)
                if self.local:
                    self.local[-1][name] = one
                else:
                    self.known[name] = one
            return
        if isinstance(value, ast.Attribute) and value.attr == "shape":
            for axis, target in enumerate(targets):
                name = self.flat(target)
                if name is not None:
                    try:
                        size = self.algebra.size(self.array(value.value), axis, len(targets))
                        (self.local[-1] if self.local else self.known)[name] = size
                    except Misfit as error:
                        self.failed[line] = str(error)


__all__ = ["Bookkeeping"]
