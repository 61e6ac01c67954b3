"""An interpreter of programs of NumPy: statements, functions and classes.

A program is never run: its syntax tree is walked with a whitelist of functions, small random data
in place of files, and one round of each loop that takes steps downhill. A step itself is left out,
so that the loss of a round is that of the parameters its gradients are for.
"""

from __future__ import annotations

import ast
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from chainrule.teaching.marking.code_as_program.assignments import Assignments
from chainrule.teaching.marking.code_as_program.library import CONSTANTS, NUMPY
from chainrule.teaching.marking.code_as_program.outline import filled
from chainrule.teaching.marking.code_as_program.values import (
    Broken,
    Builtin,
    CannotRun,
    Class,
    Continued,
    Frame,
    Function,
    Instance,
    Library,
    Misshapen,
    Returned,
    Unknown,
    Value,
)
from chainrule.teaching.marking.code_by_value.words import word_of

_LIBRARIES = {"numpy": "np", "math": "np", "scipy": "np", "cupy": "np", "scipy.special":
              "np.special", "numpy.linalg": "np.linalg", "numpy.random": "np.random",
              "random": "np.random", "jax.numpy": "np", "scipy.linalg": "np.linalg"}  # fmt: skip
MOST_ROUNDS = 100
"""The most rounds of a loop in one go."""

MOST_IN_ALL = 1_500
"""The most rounds of a loop that stands in others, as one that draws a surface."""

DEEPEST = 30


@dataclass
class Interpreter(Assignments):
    """A run of a program."""

    taken: dict[int, int] = field(default_factory=dict)  # rounds of every loop so far

    def top(self, statements: Sequence[ast.stmt]) -> None:
        """Run the statements outside functions."""
        frame = Frame(0, self.module)
        known = (ast.FunctionDef, ast.ClassDef, ast.Import, ast.ImportFrom)
        first = [one for one in statements if isinstance(one, known)]
        for one in (*first, *(one for one in statements if one not in first)):
            try:  # functions may be called above their definitions
                self.tolerant(one, frame)
            except (Returned, Broken, Continued):  # rows of a function without its head
                continue

    def body(self, statements: Sequence[ast.stmt], frame: Frame) -> None:
        """Run statements; names of one that fails are unknown."""
        for one in statements:
            self.tolerant(one, frame)

    def tolerant(self, statement: ast.stmt, frame: Frame) -> None:
        """Run a statement; where it fails, what it assigns is unknown."""
        try:
            self.statement(statement, frame)
        except Misshapen as error:
            if statement.lineno not in self.trace.supplied:
                self.inputs.learn(error)  # may end the run
            self.trace.misshapen.add(statement.lineno)
            self._failed(statement, frame, error)
        except (CannotRun, RecursionError, ArithmeticError, TypeError, ValueError, LookupError,
                AttributeError) as error:  # fmt: skip
            self._failed(statement, frame, error)

    def _failed(self, statement: ast.stmt, frame: Frame, error: Exception) -> None:
        why = str(error) or "this is not read"
        self.trace.failed.setdefault(statement.lineno, why)
        given = self.trace.supplied.get(statement.lineno)
        if given is not None and isinstance(statement, ast.Assign):
            self.bind(statement.targets[0], given.copy(), statement.value, frame,
                       statement.lineno)  # fmt: skip
            return
        if isinstance(statement, ast.Return):
            raise Returned(Unknown(why), ()) from error
        if isinstance(statement, ast.Assign) and isinstance(statement.targets[0], ast.Name):
            name = statement.targets[0].id
            if self.is_filled_in(name, why):
                self.bind(statement.targets[0], Unknown(why), statement.value, frame,
                          statement.lineno)  # fmt: skip
                return
        for name in filled(statement):  # what a loop over a file would fill
            frame.names[name] = Unknown(why)
        for target in getattr(statement, "targets", [getattr(statement, "target", None)]):
            for one in ast.walk(target) if target is not None else ():
                if isinstance(one, ast.Name) and isinstance(one.ctx, ast.Store):
                    frame.names[one.id] = Unknown(why)
                elif isinstance(one, ast.Attribute) and isinstance(one.ctx, ast.Store) and (
                    frame.owner is not None
                ):  # fmt: skip
                    frame.owner.fields[one.attr] = Unknown(why)

    def statement(self, statement: ast.stmt, frame: Frame) -> None:
        """Run a statement."""
        self.steps += 1
        match statement:
            case ast.Assign(targets=targets, value=value):
                self.assign(statement, targets, value, frame)
            case ast.AnnAssign(target=target, value=ast.expr() as value):
                self.assign(statement, [target], value, frame)
            case ast.AugAssign(target=target, op=op, value=value):
                self.augmented(target, op, value, frame)
            case ast.Expr(value=value):
                self._expression(value, frame)
            case ast.If(test=test, body=body, orelse=orelse):
                self.body(body if self._chosen(test, frame) else orelse, frame)
            case ast.For():
                self._loop(statement, frame)
            case ast.While(test=test, body=body):
                once = self.outline.takes_steps(statement)
                for _ in range(1 if once else MOST_ROUNDS):
                    if not self.truth(self.value(test, frame)) or not self._round(body, frame):
                        break
            case ast.Return(value=value):
                self._return(value, statement.lineno, frame)
            case ast.FunctionDef(name=name):
                around = {} if frame.number == 0 else {**frame.around, **frame.names}
                frame.names[name] = Function(statement, None, around)
            case ast.ClassDef():
                frame.names[statement.name] = self._class(statement, frame)
            case ast.Import() | ast.ImportFrom():
                self._import(statement, frame)
            case ast.With(items=items, body=body):
                for item in items:
                    if item.optional_vars is not None:
                        self.put(item.optional_vars, Unknown("a file"), frame)
                self.body(body, frame)
            case ast.Try(body=body, finalbody=finalbody):
                self.body([*body, *finalbody], frame)
            case ast.Break():
                raise Broken
            case ast.Continue():
                raise Continued
            case ast.Raise():
                raise Returned(Unknown("an error of the program"), ())

    def _chosen(self, test: ast.expr, frame: Frame) -> bool:
        if isinstance(test, ast.Compare) and isinstance(test.left, ast.Name) and (
            test.left.id == "__name__"
        ):  # fmt: skip
            return True
        try:
            return self.truth(self.value(test, frame))
        except CannotRun:
            return False

    def _class(self, node: ast.ClassDef, frame: Frame) -> Class:
        methods = {one.name: one for one in node.body if isinstance(one, ast.FunctionDef)}
        bases = []
        for base in node.bases:
            found = frame.names.get(word_of(base), self.module.get(word_of(base)))
            if isinstance(found, Class):
                bases.append(found)
        made = Class(node.name, methods, {}, tuple(bases))
        for one in node.body:
            if isinstance(one, ast.Assign | ast.AnnAssign):
                inner = Frame(frame.number, {}, frame.names)
                self.tolerant(one, inner)
                made.fields |= inner.names
        return made

    def _import(self, node: ast.Import | ast.ImportFrom, frame: Frame) -> None:
        for one in node.names:
            name = one.asname or one.name.partition(".")[0]
            if isinstance(node, ast.Import):
                known = _LIBRARIES.get(one.name)
                frame.names[name] = Library(known) if known else Unknown(one.name)
                continue
            known = _LIBRARIES.get(node.module or "")
            below = f"{known}.{one.name}".partition(".")[2]
            if known and (below in NUMPY or below.startswith("random.")):
                frame.names[name] = Builtin(f"np.{below}")
            elif known and below in CONSTANTS:
                frame.names[name] = CONSTANTS[below]
            elif name not in self.outline.functions and name != "*":
                frame.names[name] = Unknown(one.name)

    def _expression(self, value: ast.expr, frame: Frame) -> None:
        call = value if isinstance(value, ast.Call) else None
        if call is not None and isinstance(call.func, ast.Attribute) and (
            call.func.attr in ("append", "insert") and call.args
        ):  # fmt: skip
            held = self.value(call.func.value, frame)
            if isinstance(held, list):
                found = self.value(call.args[-1], frame)
                found = self.as_data("", found, call.args[-1], frame)
                at = len(held) if call.func.attr == "append" else 0
                name = f"{word_of(call.func.value)}[{at}]"
                held.insert(at, self.trace.note(value.lineno, name, found, "assigned",
                                                frame.number))  # fmt: skip
                return
        if isinstance(value, ast.Constant):
            return
        self.value(value, frame)

    # loops and functions

    def _loop(self, loop: ast.For, frame: Frame) -> None:
        over = self.value(loop.iter, frame)
        once = self.outline.takes_steps(loop)
        for count, one in enumerate(self.rounds(over)):
            done = self.taken.get(id(loop), 0)
            if count >= (1 if once else MOST_ROUNDS) or done >= MOST_IN_ALL:
                return
            self.taken[id(loop)] = done + 1
            self.put(loop.target, one, frame)
            if not self._round(loop.body, frame):
                return
        self.body(loop.orelse, frame)

    def _round(self, body: Sequence[ast.stmt], frame: Frame) -> bool:
        try:
            self.body(body, frame)
        except Continued:
            return True
        except Broken:
            return False
        return True

    def _return(self, value: ast.expr | None, line: int, frame: Frame) -> None:
        if value is None:
            raise Returned(None, ())
        found = self.value(value, frame)
        parts = value.elts if isinstance(value, ast.Tuple) else [value]
        names = tuple(word_of(one) for one in parts)
        if not isinstance(value, ast.Tuple):
            found = self.trace.note(line, f"return {frame.function}", found, "returned",
                                    frame.number)  # fmt: skip
        raise Returned(found, names)

    def own(
        self, of: Function, args: list[Value], keys: Mapping[str, Value], line: int = 0
    ) -> Value:
        """Return what a function of the program returns."""
        if self.depth >= DEEPEST:
            raise CannotRun("functions that call one another")
        names = of.parameters()
        owner = of.owner
        given = of.node.args.args
        if owner is None and given and given[0].arg == "self" and args and (
            isinstance(args[0], Instance)
        ):  # fmt: skip
            owner, args = args[0], args[1:]
        self.frames += 1
        frame = Frame(self.frames, {}, of.around, owner, of.name)
        frame.names |= self._arguments(of, names, args, keys)
        if owner is not None:
            frame.names["self"] = owner
        for name in names:
            if name in frame.names:
                held = self.inputs.number(name, frame.names[name])
                frame.names[name] = self.trace.note(of.node.lineno, name, held, "given",
                                                    frame.number)  # fmt: skip
        self.called.add(of.name)
        self.last[of.name] = frame
        self.depth += 1
        try:
            if isinstance(of.node, ast.Lambda):
                return self.value(of.node.body, frame)
            self.body(of.node.body, frame)
        except Returned as back:
            self._keep(back)
            return back.value
        finally:
            self.depth -= 1
        return None

    def _keep(self, back: Returned) -> None:
        values = back.value if isinstance(back.value, tuple) else (back.value,)
        if len(values) == len(back.names):
            for name, value in zip(back.names, values, strict=True):
                if name and name != "self" and not isinstance(value, Unknown):
                    self.results[name] = value

    def _arguments(
        self, of: Function, names: Sequence[str], args: Sequence[Value], keys: Mapping[str, Value]
    ) -> dict[str, Value]:
        node = of.node.args
        found = dict(zip(names, args, strict=False))
        if node.vararg is not None:
            found[node.vararg.arg] = tuple(args[len(names) :])
        found |= {key: one for key, one in keys.items() if key in names}
        if node.kwarg is not None:
            found[node.kwarg.arg] = {k: one for k, one in keys.items() if k not in names}
        outer = Frame(0, self.module, of.around)
        positional = [one.arg for one in (*node.posonlyargs, *node.args)]
        for name, default in zip(positional[::-1], node.defaults[::-1], strict=False):
            if name not in found:
                found[name] = self.value(default, outer)
        for one, held in zip(node.kwonlyargs, node.kw_defaults, strict=True):
            if one.arg not in found and held is not None:
                found[one.arg] = self.value(held, outer)
        missing = [name for name in names if name not in found]
        if missing:
            raise CannotRun(f"{of.name} without its argument {missing[0]}")
        return found


__all__ = ["Interpreter"]
