"""Calls of functions that a program does not call, by the names of their arguments and results."""

from __future__ import annotations

import ast
import re
from dataclasses import dataclass, field

import numpy as np

from chainrule.teaching.marking.code_as_program.interpreter import Interpreter
from chainrule.teaching.marking.code_as_program.opened import PARAMETERS, Open
from chainrule.teaching.marking.code_as_program.runs import LOSS, Run
from chainrule.teaching.marking.code_as_program.values import (
    CannotRun,
    Class,
    Function,
    Instance,
    Settings,
    Unknown,
    Value,
)

_FORWARD = re.compile(r"(?i)_*(?:forward|feed_?forward|fprop|predict|call|fwd|forw)\w*|__call__")
_OUTPUT = re.compile(
    r"(?i)out\w*|y_?pred\w*|y_?hat|pred\w*|al|a\d?|probs?|activations|\w+_out(?:put)?"
)
_INCOMING = re.compile(
    r"(?i)d_?\w+|\w*grad\w*|\w*delta\w*|upstream\w*|\w*error\w*|g|gy|gout|dvalues|nabla\w*"
)
_SETTINGS = re.compile(
    r"(?i)\w+_param|hparam\w*|settings|config\w*|params|hyper\w*|args|opts?|options|cfg"
)
_UNROLLED = re.compile(r"(?i)\w+_params|(?:initial_)?(?:theta|weight)s?_(?:vec\w*|unrolled|flat)")
"""Names of all parameters in one vector."""

_CACHE = re.compile(r"(?i)\w*cache\w*|ctx|context|saved|mem(?:ory)?")
_SCORES = re.compile(r"(?i)z\d?|a\d?|logits|scores|s|linear\w*")
_BACKWARD = (r"backward|bwd|backprop|bprop|back|bw", r"^grad_|grad(?:ient)?$")
"""What the name of a backward pass has, and that of its forward pass does not."""


@dataclass
class Driver:
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
                partner = self._partner(name)
                result = None if partner is None else self._by_names(Function(partner, alone))
                self._by_names(Function(function, alone), result)
        except CannotRun as error:
            self.work.trace.failed.setdefault(self.work.outline.functions[name].lineno, str(error))

    def _partner(self, name: str) -> ast.FunctionDef | None:
        """Return the function of which this one is the backward pass, by its name."""
        functions = self.work.outline.functions
        for pattern in _BACKWARD:
            for forward in ("forward", "fwd", "fprop", "fw", "", "loss"):
                other = re.sub(pattern, forward, name).strip("_").replace("__", "_")
                if other != name and other in functions:
                    return functions[other]
        return None

    def _object(self, owner: str) -> Instance:
        if owner not in self.objects:
            of = self.work.module.get(owner)
            if not isinstance(of, Class):
                raise CannotRun(f"{owner} is not a class")
            of.loose = self._loose
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
        if any(isinstance(node, ast.For | ast.While) and self.work.outline.takes_steps(node)
               for node in ast.walk(method)):  # fmt: skip
            forward = None  # it trains by itself
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
        if _CACHE.fullmatch(name) and isinstance(result, tuple) and len(result) > 1:
            return result[-1]
        if name in work.results:
            return work.results[name]
        held = work.module.get(name)
        if held is not None and not isinstance(held, Unknown | Function | Class):
            return held
        first = result[0] if isinstance(result, tuple) and result else result
        if isinstance(first, np.ndarray | float) and _INCOMING.fullmatch(name) and (
            work.inputs.data(name) is None or name.startswith("d_")
        ):  # fmt: skip
            given = work.results.get(re.sub(r"^d_?", "", name))
            if isinstance(given, np.ndarray):
                return self._incoming(given)
            if not self.found.incoming:
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
        axes = work.outline.axes.get(name, ())
        if len(axes) > 2:
            return work.inputs.of_axes(name, axes)
        made = work.inputs.argument(name, function.name)
        if made is not None or default is not None:
            return made
        if PARAMETERS.fullmatch(name):
            return Open(name)
        if _SCORES.fullmatch(name):
            return work.inputs.of_axes(name, ("n_h", "n_w"))
        if isinstance(first, np.ndarray) and first.ndim and not self.found.incoming:
            return self._incoming(first)
        raise CannotRun(f"{function.name} needs {name}, whose shape is open; "
                        f"add a call of {function.name}")  # fmt: skip

    def _setting(self, name: str) -> Value:
        found = self.work.inputs.argument(name)
        return Unknown(name) if found is None else found

    def _loose(self, name: str) -> Value:
        """Return a value for an attribute that nothing sets."""
        if PARAMETERS.fullmatch(name) and not self.work.inputs.data(name):
            return Open(name)
        if (made := self.work.inputs.argument(name)) is not None:
            return made
        return None

    def _incoming(self, output: np.ndarray) -> np.ndarray:
        """Return random numbers as the gradient that comes from outside."""
        made: np.ndarray = np.random.default_rng(3).normal(0.2, 0.8, output.shape)
        for event in reversed(self.work.trace.events):
            if event.value.shape == output.shape and np.array_equal(event.value, output):
                place = event.index
                break
        else:
            raise CannotRun("what the forward pass returns has no name")
        self.found.incoming.append((place, made))
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
            if name in work.called or not LOSS.fullmatch(name) or re.search(
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


__all__ = ["Driver"]
