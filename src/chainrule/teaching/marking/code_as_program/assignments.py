"""Assignments of an interpreted program: names, attributes, entries, and steps downhill."""

from __future__ import annotations

import ast
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from chainrule.teaching.marking.code_as_program.activations import as_activation
from chainrule.teaching.marking.code_as_program.expressions import Expressions
from chainrule.teaching.marking.code_as_program.inputs import Inputs
from chainrule.teaching.marking.code_as_program.library import Draws
from chainrule.teaching.marking.code_as_program.opened import PARAMETERS, Open, Opened
from chainrule.teaching.marking.code_as_program.outline import Outline
from chainrule.teaching.marking.code_as_program.trace import Kind
from chainrule.teaching.marking.code_as_program.values import (
    RESHAPED,
    CannotRun,
    Frame,
    Instance,
    Misshapen,
    Unknown,
    Value,
    as_numbers,
)
from chainrule.teaching.marking.code_by_value.naming import OUTPUTS, is_data
from chainrule.teaching.marking.code_by_value.words import word_of


@dataclass
class Assignments(Expressions):
    """The assignments of a program.

    Parameters
    ----------
    outline : Outline
        What is known of the program before it runs.
    inputs : Inputs
        Data in place of what the program does not define.
    """

    outline: Outline = field(default_factory=Outline)
    inputs: Inputs = field(default_factory=Inputs)

    def __post_init__(self) -> None:
        self.draws = Draws(self.inputs.seed)
        self.opened = Opened(self.inputs, self.trace, self.outline.names.all)

    def assign(
        self, statement: ast.stmt, targets: Sequence[ast.expr], value: ast.expr, frame: Frame
    ) -> None:
        """Give targets a value, or note the step that this is."""
        if len(targets) == 1 and (step := self.outline.step(statement)) is not None:
            self._step(targets[0], step.gradient, frame, statement.lineno)
            return
        found = self.value(value, frame)
        for target in targets:
            kind: Kind = "changed" if self.outline.adds_to_itself(target, value) else "assigned"
            self.bind(target, found, value, frame, statement.lineno, kind)

    def bind(
        self, target: ast.expr, value: Value, written: ast.expr, frame: Frame, line: int,
        kind: Kind = "assigned",
    ) -> None:  # fmt: skip
        """Give a target a value, and note it."""
        if isinstance(target, ast.Tuple | ast.List):
            if isinstance(value, Unknown):
                parts: list[Value] = [value] * len(target.elts)
            else:
                parts = list(self.rounds(value))
            if len(parts) != len(target.elts):
                raise CannotRun("as many names as values")
            each = written.elts if isinstance(written, ast.Tuple | ast.List) and (
                len(written.elts) == len(parts)) else [written] * len(parts)  # fmt: skip
            for one, part, source in zip(target.elts, parts, each, strict=True):
                self.bind(one, part, source, frame, line)
            return
        name = self.place_name(target, frame)
        value = self.as_data(name, value, written, frame)
        if isinstance(target, ast.Subscript):
            self._placed(target, value, name, frame, line, kind)
            return
        if isinstance(value, list) and value and not isinstance(written, ast.Constant):
            for at, one in enumerate(value):
                if as_numbers(one) is not None:
                    value[at] = self.trace.note(line, f"{name}[{at}]", one, kind, frame.number)
        value = self.trace.note(line, name, value, kind, frame.number)
        if isinstance(target, ast.Name):
            frame.names[target.id] = value
        elif isinstance(target, ast.Attribute):
            owner = self.value(target.value, frame)
            if not isinstance(owner, Instance):
                raise CannotRun("an attribute of this")
            owner.fields[target.attr] = value

    def as_data(self, name: str, value: Value, written: ast.expr, frame: Frame) -> Value:
        """Return a value; data from files, and parameters at their start, are random."""
        if isinstance(value, Unknown):
            data = self.inputs.data(name)
            if (activation := as_activation(name)) is not None:
                return activation
            if data is None and PARAMETERS.fullmatch(name) and name in self.outline.parameters:
                return Open(name)
            return value if data is None else data
        if is_data(written) and isinstance(value, np.ndarray):
            return self.inputs.in_place_of(name, value)
        if isinstance(written, ast.Constant):
            value = self.inputs.number(name, value)
        if isinstance(value, int | float | np.ndarray) and self.outline.starts(name, written):
            return self.inputs.start(name, value)
        if as_numbers(value) is not None and (
            self.outline.is_drawn(written) or _is_scaled_down(written)
        ):
            return self.inputs.scaled(value)
        return value

    def undefined(self, name: str) -> Value | None:
        """Return data, or a parameter whose shape is open, for a name that nothing defines."""
        names = self.outline.names
        if name in names.assigned or name in names.called or name in self.outline.functions:
            return None
        if PARAMETERS.fullmatch(name) and name in self.outline.parameters:
            return Open(name)
        return self.inputs.data(name)

    def is_filled_in(self, name: str, why: str) -> bool:
        """Whether a value that is not read may be any: parameters, and data in another shape."""
        if PARAMETERS.fullmatch(name) and name in self.outline.parameters:
            return True
        return why == RESHAPED and OUTPUTS.fullmatch(name) is None

    def place_name(self, target: ast.expr, frame: Frame) -> str:
        """Return the name of what an assignment changes: that of an attribute or a key."""
        if isinstance(target, ast.Name):
            return target.id
        if isinstance(target, ast.Attribute):
            return target.attr
        if isinstance(target, ast.Subscript):
            try:
                key = self.place(target.slice, frame)
            except CannotRun:
                return word_of(target.value)
            if isinstance(key, str):
                return self.outline.entry_name(word_of(target.value), key)
            if isinstance(key, int) and key < 0:
                held = self.value(target.value, frame)
                key += len(held) if isinstance(held, list) else 0
            return f"{word_of(target.value)}[{key}]" if isinstance(key, int) else \
                self.place_name(target.value, frame)  # fmt: skip
        return ""

    def _placed(
        self, target: ast.Subscript, value: Value, name: str, frame: Frame, line: int, kind: Kind
    ) -> None:
        of = self.value(target.value, frame)
        key = self.place(target.slice, frame)
        if isinstance(key, float) and not isinstance(of, dict):
            key = int(key)
        if isinstance(of, Unknown) or (isinstance(value, Unknown) and isinstance(of, np.ndarray)):
            raise CannotRun("an entry of what is not read")
        if isinstance(of, dict | list):
            value = self.trace.note(line, name, value, kind, frame.number)
        try:
            of[key] = value
        except (IndexError, KeyError, TypeError, ValueError) as error:
            raise CannotRun("an index that does not fit") from error
        if isinstance(of, np.ndarray):
            whole = word_of(target.value) or name
            self.trace.note(line, whole, of, "changed", frame.number)

    def augmented(
        self, target: ast.expr, op: ast.operator, written: ast.expr, frame: Frame
    ) -> None:
        """Change a target by an amount, or note the step that this is."""
        step = self.outline.step_at(target)
        if step is not None:
            self._step(target, step.gradient, frame, target.lineno)
            return
        before = self.value(_loaded(target), frame)
        amount = self.value(written, frame)
        after = self.binary(type(op), before, amount)
        name = self.place_name(target, frame)
        same = isinstance(before, np.ndarray) and isinstance(after, np.ndarray) and (
            before.shape == after.shape and before.dtype == after.dtype
        )  # fmt: skip
        if isinstance(before, list) and isinstance(after, list):
            before[:] = after
            return
        if same and not isinstance(target, ast.Subscript):
            before[...] = after
            self.trace.note(target.lineno, name, before, "changed", frame.number)
            return
        if isinstance(before, np.ndarray) and isinstance(after, np.ndarray) and (
            before.shape != after.shape
        ):  # fmt: skip
            raise Misshapen(before.shape, after.shape, "a sum in place of another shape")
        self.bind(target, after, ast.Constant(None), frame, target.lineno, "changed")

    def _step(self, target: ast.expr, gradient: ast.expr | None, frame: Frame, line: int) -> None:
        """Leave a step out, but note the gradient that it carries."""
        if gradient is None:
            return
        name = self.place_name(target, frame)
        self.trace.note(line, name, self.value(gradient, frame), "step", frame.number)


def _is_scaled_down(written: ast.expr) -> bool:
    """Whether data are divided by a number, as pixels by 255."""
    match written:
        case ast.BinOp(op=ast.Div(), right=ast.Constant(value=int() | float() as number)):
            return number > 10
    return False


def _loaded(target: ast.expr) -> ast.expr:
    """Return the expression for the value that a target has."""
    match target:
        case ast.Name(id=name):
            return ast.copy_location(ast.Name(name, ast.Load()), target)
        case ast.Attribute(value=value, attr=attr):
            return ast.copy_location(ast.Attribute(value, attr, ast.Load()), target)
        case ast.Subscript(value=value, slice=part):
            return ast.copy_location(ast.Subscript(value, part, ast.Load()), target)
    return target


__all__ = ["Assignments"]
