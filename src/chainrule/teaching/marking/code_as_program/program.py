"""Runs of a program: its own calls, or calls of its functions by the names of their results."""

from __future__ import annotations

import ast
import contextlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from chainrule.teaching.marking.code_as_program.driving import Driver
from chainrule.teaching.marking.code_as_program.inputs import Inputs, Relearned, is_count
from chainrule.teaching.marking.code_as_program.interpreter import Interpreter
from chainrule.teaching.marking.code_as_program.outline import Outline, outline_of
from chainrule.teaching.marking.code_as_program.runs import Run, losses_of
from chainrule.teaching.marking.code_as_program.trace import Event, Trace
from chainrule.teaching.marking.code_as_program.values import (
    Finished,
)

MOST_SEEDS = 3
"""The most other random numbers that are tried where gradients are zero."""


@dataclass
class Budget:
    """How many more runs, and steps in them, a text may take."""

    runs: int = 1_000
    steps: int = 800_000

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

    def run(
        self,
        changes: Mapping[int, Callable[[np.ndarray], np.ndarray]] | None = None,
        until: int | None = None,
    ) -> Run:
        """Run the program with changed values, to an event."""
        until = self.until if until is None else until
        trace = Trace({**self.changed, **(changes or {})}, until, supplied=self.supplied)
        work = Interpreter(trace, outline=self.outline, inputs=self.inputs.again())
        found = Run(trace)
        driver = Driver(work, found)
        with contextlib.suppress(Finished):
            work.top(self.statements)
            if self.entry is not None:
                driver.enter(self.entry)
            driver.losses()
        found.asked = max((event.index for event in self.claims(found)), default=10**9)
        self.inputs.asked |= work.inputs.asked
        found.called = work.called
        counts = [
            (name, value)
            for names in (work.module, *(frame.names for frame in work.last.values()))
            for name, value in names.items() if type(value) is int and is_count(name)
        ]  # fmt: skip
        found.lone = any(value == 1 and name != "n" for name, value in counts)
        found.counts = frozenset(
            value for name, value in counts
            if value > 1 and name in self.outline.names.lengths
        )  # fmt: skip
        found.asked = max((event.index for event in self.claims(found)), default=10**9)
        self.inputs.asked |= work.inputs.asked
        found.called = work.called
        found.counts = frozenset(
            value for names in (work.module, *(frame.names for frame in work.last.values()))
            for name, value in names.items()
            if type(value) is int and value > 1 and is_count(name)
            and name in self.outline.names.lengths
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
        self.until = max([*asked, *(place for place, _ in run.incoming)])
        del run.trace.events[self.until + 1 :]

    def claims(self, run: Run) -> list[Event]:
        """Return the events that give gradients."""
        return [
            event for event in run.trace.events
            if event.kind == "step"
            or (event.kind in ("assigned", "changed") and self.outline.is_claim(event.name))
        ]  # fmt: skip


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


__all__ = ["Budget", "Program", "entries", "outline_of"]
