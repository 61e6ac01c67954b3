"""Runs of a program: its own calls, or calls of its functions by the names of their results."""

from __future__ import annotations

import ast
import contextlib
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from chainrule.teaching.marking.code_as_program.inputs import Inputs, Relearned, is_count
from chainrule.teaching.marking.code_as_program.interpreter import Interpreter
from chainrule.teaching.marking.code_as_program.opened import PARAMETERS, Open
from chainrule.teaching.marking.code_as_program.outline import Outline, outline_of
from chainrule.teaching.marking.code_as_program.trace import Event, Trace
from chainrule.teaching.marking.code_as_program.values import (
    CannotRun,
    Class,
    Finished,
    Function,
    Instance,
    Settings,
    Unknown,
    Value,
)
from chainrule.teaching.marking.code_by_value.naming import is_objective

_FORWARD = re.compile(r"(?i)_*(?:forward|feed_?forward|fprop|predict|call|fwd|forw)\w*|__call__")
_OUTPUT = re.compile(
    r"(?i)out\w*|y_?pred\w*|y_?hat|pred\w*|al|a\d?|probs?|activations?|\w+_out(?:put)?"
)
_INCOMING = re.compile(
    r"(?i)d_?\w+|\w*grad\w*|\w*delta\w*|upstream\w*|\w*error\w*|g|gy|gout|dvalues|nabla\w*"
)
_SETTINGS = re.compile(r"(?i)settings|config\w*|params|hyper\w*|args|opts?|options|cfg")
_UNROLLED = re.compile(r"(?i)\w+_params|(?:initial_)?(?:theta|weight)s?_(?:vec\w*|unrolled|flat)")
"""Names of all parameters in one vector."""

_LOSS = re.compile(
    r"(?i)\w*(?:loss|cost|objective|cross_?entropy|mse|nll|bce|log_?likelihood)\w*|[JLE]"
)


EARLIER = " in row"
"""What stands behind the name of a loss that gets another value later."""

MOST_SEEDS = 3
"""The most other random numbers that are tried where gradients are zero."""


@dataclass
class Run:
    """One run.

    Parameters
    ----------
    trace : Trace
        Its events.
    output : int or None
        The event of what a layer returns, whose gradient comes from outside.
    upstream : ndarray or None
        That gradient.
    """

    trace: Trace
    output: int | None = None
    upstream: np.ndarray | None = None
    called: set[str] = field(default_factory=set)
    steps: int = 0
    asked: int = 10**9  # the number of the last event that is a gradient
    counts: frozenset[int] = frozenset()  # whole numbers with names of a number of examples


@dataclass
class Budget:
    """How many more runs, and steps in them, a text may take."""

    runs: int = 1_000
    steps: int = 500_000

    def spend(self) -> bool:
        """Take a run; whether there was one left."""
        self.runs -= 1
        return self.runs >= 0 and self.steps > 0


@dataclass
class Program:
    """A program, and the data it runs with.

    Parameters
    ----------
    statements : sequence of ast.stmt
        The program.
    inputs : Inputs
        The data.
    entry : str or None
        The function, or the method as ``Class.method``, to call; None for its own calls.
    """

    statements: Sequence[ast.stmt]
    outline: Outline
    inputs: Inputs
    entry: str | None = None
    changed: dict[int, Callable[[np.ndarray], np.ndarray]] = field(default_factory=dict)
    supplied: dict[int, np.ndarray] = field(default_factory=dict)
    budget: Budget = field(default_factory=Budget)
    until: int | None = None  # the number of the last event that is asked for

    def run(self, changes: Mapping[int, Callable[[np.ndarray], np.ndarray]] | None = None) -> Run:
        """Run the program with changed values."""
        trace = Trace({**self.changed, **(changes or {})}, self.until, supplied=self.supplied)
        work = Interpreter(trace, outline=self.outline, inputs=self.inputs.again())
        found = Run(trace)
        driver = _Driver(work, found)
        with contextlib.suppress(Finished):
            work.top(self.statements)
            if self.entry is not None:
                driver.enter(self.entry)
            driver.losses()
        found.asked = max((event.index for event in self.claims(found)), default=10**9)
        self.inputs.asked |= work.inputs.asked
        found.called = work.called
        found.counts = frozenset(
            value for names in (work.module, *(frame.names for frame in work.last.values()))
            for name, value in names.items()
            if type(value) is int and value > 1 and is_count(name)
        )  # fmt: skip
        found.steps = work.steps
        if self.until is not None:
            self.budget.steps -= work.steps
        return found

    def learned(self) -> Run:
        """Run the program, again with other lengths or numbers where it needs them."""
        run = self._fitted()
        dead = self._zeros(run)
        for seed in range(1, MOST_SEEDS + 1):
            if not dead:
                break
            before, self.inputs = self.inputs, replace(self.inputs, seed=seed, made={})
            again = self.run()
            if len(self._zeros(again)) < len(dead):
                run, dead = again, self._zeros(again)
            else:
                self.inputs = before
        return run

    def _fitted(self) -> Run:
        """Run the program, again with other lengths where it needs them."""
        for _ in range(4):
            try:
                return self.run()
            except Relearned as error:
                self.inputs = replace(self.inputs, asked=set(), made={})
                setattr(self.inputs, error.what, error.length)
        self.inputs = replace(self.inputs, learned=True)
        return self.run()

    def _zeros(self, run: Run) -> list[Event]:
        """Return the gradients that are zero, as behind units that are all off."""
        last = {(event.frame, event.name): event for event in self.claims(run)}
        return [event for event in last.values() if not event.value.any()]

    def ended(self, run: Run) -> None:
        """End this run and the next ones behind the last gradient and the last loss."""
        asked = [event.index for event in self.claims(run)] + list(losses_of(run).values())
        self.until = max([*asked, -1 if run.output is None else run.output])
        del run.trace.events[self.until + 1 :]

    def claims(self, run: Run) -> list[Event]:
        """Return the events that give gradients."""
        return [
            event for event in run.trace.events
            if event.kind == "step"
            or (event.kind in ("assigned", "changed") and self.outline.is_claim(event.name))
        ]  # fmt: skip


@dataclass
class _Driver:
    """Calls of functions by the names of their parameters and results."""

    work: Interpreter
    found: Run
    busy: set[str] = field(default_factory=set)
    objects: dict[str, Instance] = field(default_factory=dict)

    def enter(self, entry: str) -> None:
        """Call a function or a method, after what it needs."""
        owner, _, name = entry.rpartition(".")
        try:
            if owner:
                self._method(owner, name)
            else:
                function = self.work.outline.functions[name]
                given = function.args.args
                alone = Instance(Class("self", self.work.outline.functions, loose=self._loose)) \
                    if given and given[0].arg == "self" else None  # fmt: skip
                self._by_names(Function(function, alone))
        except CannotRun as error:
            self.work.trace.failed.setdefault(self.work.outline.functions[name].lineno, str(error))

    def _object(self, owner: str) -> Instance:
        if owner not in self.objects:
            of = self.work.module.get(owner)
            if not isinstance(of, Class):
                raise CannotRun(f"{owner} is not a class")
            of.loose = lambda name: Open(name) if PARAMETERS.fullmatch(name) else None
            made = Instance(of)
            if (start := of.method("__init__")) is not None:
                self._by_names(Function(start, made))
            self.objects[owner] = made
        return self.objects[owner]

    def _method(self, owner: str, name: str) -> None:
        made = self._object(owner)
        method = made.of.method(name)
        assert method is not None
        function = Function(method, made)
        forward = next((one for key, one in made.of.methods.items()
                        if _FORWARD.fullmatch(key) and key != name), None)  # fmt: skip
        result: Value = None
        if forward is not None and forward.name not in self.work.outline.calls(method):
            for one in made.of.methods.values():  # parameters that no constructor makes
                if re.match(r"(?i)_*(?:init|build|create|initiali[sz]e)\w*", one.name) and (
                    one.name != "__init__"
                ):  # fmt: skip
                    self._tolerantly(Function(one, made))
            result = self._by_names(Function(forward, made))
        self._by_names(function, result)

    def _tolerantly(self, function: Function) -> None:
        try:
            self._by_names(function)
        except CannotRun:
            return

    def _by_names(self, function: Function, result: Value = None) -> Value:
        """Call a function with values for the names of its parameters."""
        if function.name in self.busy:
            raise CannotRun(f"{function.name} needs its own result")
        self.busy.add(function.name)
        try:
            keys = {}
            given = function.node.args
            defaults = dict(zip(function.parameters()[::-1], given.defaults[::-1], strict=False))
            for name in function.parameters():
                value = self._argument(name, function, result, defaults.get(name))
                if value is not None or name not in defaults:
                    keys[name] = value
            found = self.work.own(function, [], keys)
        finally:
            self.busy.discard(function.name)
        return found

    def _argument(
        self, name: str, function: Function, result: Value, default: ast.expr | None
    ) -> Value:
        work = self.work
        if name in work.results:
            return work.results[name]
        held = work.module.get(name)
        if held is not None and not isinstance(held, Unknown | Function | Class):
            return held
        first = result[0] if isinstance(result, tuple) and result else result
        if isinstance(first, np.ndarray | float) and _INCOMING.fullmatch(name) and (
            self.found.upstream is None and work.inputs.data(name) is None
        ):  # fmt: skip
            return self._incoming(np.asarray(first))
        if isinstance(default, ast.Constant) and default.value is not None:
            return work.inputs.in_place_of_default(name, default.value)
        if (provider := self._provider(name)) is not None:
            self._tolerantly(provider)
            if name in work.results:
                return work.results[name]
        if isinstance(first, np.ndarray | float) and _OUTPUT.fullmatch(name):
            return first
        if _UNROLLED.fullmatch(name):
            return Unknown(name)  # the parameters that are taken out of it are open
        if _SETTINGS.fullmatch(name) and default is None:
            return Settings(self._setting)
        made = work.inputs.argument(name, function.name, function.parameters())
        if made is not None or default is not None:
            return made
        if PARAMETERS.fullmatch(name):
            return Open(name)
        if isinstance(first, np.ndarray) and first.ndim and self.found.upstream is None:
            return self._incoming(first)
        raise CannotRun(f"{function.name} needs {name}, whose shape is open; "
                        f"add a call of {function.name}")  # fmt: skip

    def _setting(self, name: str) -> Value:
        found = self.work.inputs.argument(name)
        return Unknown(name) if found is None else found

    def _loose(self, name: str) -> Value:
        """Return a value for an attribute that nothing sets."""
        if (made := self.work.inputs.argument(name)) is not None:
            return made
        return Open(name) if PARAMETERS.fullmatch(name) else None

    def _incoming(self, output: np.ndarray) -> np.ndarray:
        """Return random numbers as the gradient that comes from outside."""
        for event in reversed(self.work.trace.events):
            if event.value.shape == output.shape and np.array_equal(event.value, output):
                self.found.output = event.index
        made: np.ndarray = np.random.default_rng(3).normal(0.2, 0.8, output.shape)
        self.found.upstream = made
        return made.copy()

    def _provider(self, name: str) -> Function | None:
        """Return a function that returns a value of this name, and does not get it."""
        for function in self.work.outline.functions.values():
            made = Function(function)
            if function.name in self.busy or name in made.parameters():
                continue
            for node in ast.walk(function):
                if isinstance(node, ast.Return) and node.value is not None:
                    parts = getattr(node.value, "elts", [node.value])
                    if any(isinstance(one, ast.Name) and one.id == name for one in parts):
                        if function.args.args and function.args.args[0].arg == "self":
                            return None
                        return made
        return None

    def losses(self) -> None:
        """Call the functions that compute a loss, where the program does not."""
        work = self.work
        for name, function in work.outline.functions.items():
            if name in work.called or not _LOSS.fullmatch(name) or re.search(
                r"(?i)grad|prime|deriv|backward|history|plot|_d$", name
            ):  # fmt: skip
                continue
            frames = list(list(work.last.values())[::-1])
            made = Function(function)
            owner = next((frame.owner for frame in frames if frame.owner is not None
                          and frame.owner.of.method(name) is function), None)  # fmt: skip
            if function.args.args and function.args.args[0].arg == "self" and owner is None:
                continue
            keys: dict[str, Value] = {}
            wanted = set(made.parameters())
            frames.sort(key=lambda frame: -len(wanted & frame.names.keys()))
            for parameter in made.parameters():
                for names in (*(frame.names for frame in frames), work.module, work.results):
                    held = names.get(parameter)
                    if held is not None and not isinstance(held, Unknown):
                        keys[parameter] = held
                        break
            try:
                work.own(Function(function, owner), [], keys)
            except CannotRun:
                continue


def entries(statements: Sequence[ast.stmt], outline: Outline) -> Iterator[str]:
    """Yield the functions that lead to gradients, those that call others first."""
    owners = {
        id(method): one.name for one in statements if isinstance(one, ast.ClassDef)
        for method in one.body if isinstance(method, ast.FunctionDef)
    }  # fmt: skip
    own = {id(node) for one in statements for node in
           ([one] if isinstance(one, ast.FunctionDef) else
            one.body if isinstance(one, ast.ClassDef) else [])}  # fmt: skip
    functions = [node for one in statements for node in ast.walk(one)
                 if isinstance(node, ast.FunctionDef) and id(node) in own]  # fmt: skip
    gives = {id(one): _gives(one, outline) for one in functions}
    by_name: dict[str, list[ast.FunctionDef]] = {}
    for one in functions:
        by_name.setdefault(one.name, []).append(one)

    def leads(one: ast.FunctionDef, seen: frozenset[str]) -> bool:
        return gives[id(one)] or any(
            leads(inner, seen | {one.name}) for name in outline.calls(one) - seen - {one.name}
            for inner in by_name.get(name, ())
        )  # fmt: skip

    leading = [one for one in functions if one.name != "__init__" and leads(one, frozenset())]
    called = {name for one in leading for name in outline.calls(one) - {one.name}}
    roots = [one for one in leading if one.name not in called]
    rest = [one for one in leading if one not in roots and gives[id(one)]]
    for one in (*roots, *rest):
        owner = owners.get(id(one))
        yield f"{owner}.{one.name}" if owner else one.name


def _gives(function: ast.FunctionDef, outline: Outline) -> bool:
    for node in ast.walk(function):
        targets = node.targets if isinstance(node, ast.Assign) else (
            [node.target] if isinstance(node, ast.AugAssign) else [])  # fmt: skip
        for target in targets:
            for one in ast.walk(target):
                name = getattr(one, "id", getattr(one, "attr", ""))
                if isinstance(getattr(one, "ctx", None), ast.Store) and outline.is_claim(name):
                    return True
        step = outline.steps.get(id(node)) or outline.steps.get(id(targets[0])) if targets else None
        if step is not None and step.gradient is not None:
            return True
    return False


def losses_of(run: Run) -> dict[str, int]:
    """Return the events that are losses of a run: the last of each name, and earlier ones."""
    found: dict[str, list[int]] = {}
    for event in run.trace.events:
        name = event.name.removeprefix("return ")
        if event.value.size == 1 and event.kind != "given" and event.name and not (
            re.fullmatch(r"(?i)err(?:or)?\d?", name) and event.value.shape
        ) and (
            is_objective(name) or _LOSS.fullmatch(name)
        ) and not re.search(r"(?i)grad|prime|deriv|rate|_d$|^d_?l", name):  # fmt: skip
            found.setdefault(name, []).append(event.index)
    chosen = {name: places[-1] for name, places in found.items()}
    for name, places in found.items():  # the last one may be of other values, as for a plot
        before = [one for one in places if one <= run.asked][-1:]
        for one in (*before, *[one for one in places if one > run.asked][:1]):
            if one != places[-1]:
                chosen[f"{name}{EARLIER} {run.trace.events[one].line}"] = one
    return chosen


__all__ = ["EARLIER", "Budget", "Program", "Run", "entries", "losses_of", "outline_of"]
