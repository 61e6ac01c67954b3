"""Layouts of the data and losses of a program, and which of them explain it best."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from chainrule.teaching.marking.code_as_program.inputs import (
    READINGS,
    SEQUENCES,
    Inputs,
    Reading,
    Relearned,
)
from chainrule.teaching.marking.code_as_program.matching import accepted, matching_of
from chainrule.teaching.marking.code_as_program.measuring import (
    Loss,
    Measured,
    losses_in,
    usual_losses,
)
from chainrule.teaching.marking.code_as_program.outline import Outline
from chainrule.teaching.marking.code_as_program.places import Places
from chainrule.teaching.marking.code_as_program.program import Budget, Program
from chainrule.teaching.marking.code_as_program.runs import EARLIER, Run, losses_of
from chainrule.teaching.marking.code_as_program.trace import Event
from chainrule.teaching.marking.code_as_program.values import CannotRun
from chainrule.teaching.marking.code_by_value.naming import is_label

MOST_LAYOUTS = 4
"""The most layouts that are compared, of those under which a loss is found."""

LONG = 10_000
"""The steps of a run that is not repeated for every layout."""


@dataclass
class Tried:
    """A layout of the data and a loss, with the rows that they make right."""

    program: Program
    run: Run
    measured: Measured
    loss: str
    right: set[int]
    claimed: set[int]
    moves: bool  # whether the loss depends on what the program computes before its gradients

    @property
    def loss_is_taken(self) -> bool:
        """Whether the program leaves its loss out."""
        return " of " in self.loss

    @property
    def score(self) -> float:
        """How well it explains the program."""
        usual = 0.3 if self.loss_is_taken else 0.2 if EARLIER in self.loss else 0.0
        lone = 3.0 if self.program.inputs.reading.single and self.run.lone else 0.0
        return len(self.right) - 0.1 * len(self.run.trace.misshapen) - usual - lone


def likeliest(
    statements: Sequence[ast.stmt],
    outline: Outline,
    entry: str | None,
    known: set[int],
    budget: Budget,
) -> tuple[Tried, set[int]] | None:
    """Return the layout and the loss that make most rows right, and the rows that others clear."""
    runs: list[tuple[float, Program, Run]] = []
    seen: set[int] = set()
    for reading in _readings(outline):
        program = Program(statements, outline, reading, entry, budget=budget)
        try:
            run = program.learned()
        except (CannotRun, RecursionError, ArithmeticError, ValueError, TypeError, LookupError):
            continue
        lines = {event.line for event in program.claims(run)}
        if run.trace.signature() in seen:
            continue  # this layout changes nothing
        seen.add(run.trace.signature())
        if lines - known:
            runs.append((len(lines) - 1.5 * len(run.trace.misshapen), program, run))
        if not program.inputs.asked or (run.steps > LONG and len(runs) == MOST_LAYOUTS):
            break
    tried: list[Tried] = []
    explained = 0
    for _, program, run in sorted(runs, key=lambda one: -one[0]):
        found = list(_tried(program, run))
        explained += bool(found)
        tried.extend(found)
        if explained == MOST_LAYOUTS or any(
            one.right and one.right == one.claimed and not one.run.lone for one in tried
        ):
            break
    if any(one.moves and not one.loss_is_taken for one in tried):
        tried = [one for one in tried if not one.loss_is_taken]
    if not tried:
        return None
    best = max(tried, key=lambda one: one.score)
    if best.right != best.claimed:
        best = _without_penalty(best)
    cleared = {
        line
        for one in tried
        if one.score >= best.score - 0.5 and one.program.inputs is not best.program.inputs
        for line in one.right
    }  # a layout that makes as many rows right clears a row
    return best, cleared


def _without_penalty(best: Tried) -> Tried:
    """Return the program without a penalty that its gradients have and its loss leaves out."""
    program = replace(best.program, inputs=replace(best.program.inputs, penalty=0.0))
    try:
        run = program.run()
    except (CannotRun, RecursionError, Relearned):
        return best
    loss = best.measured.losses[best.loss]
    if (
        len(run.trace.events) != len(best.run.trace.events)
        or abs(loss(run) - loss(best.run)) > 1e-9
    ):
        return best
    found = [one for one in _tried(program, run) if len(one.right) > len(best.right)]
    return max(found, key=lambda one: one.score, default=best)


def _tried(program: Program, run: Run) -> Iterator[Tried]:
    """Yield the losses of a run with the rows that each makes right."""
    claims = program.claims(run)
    if not claims:
        return
    program.ended(run)
    before = [event for event in run.trace.events if event.index < claims[0].index]
    outputs = [event for event in before[::-1] if event.kind != "given"][:12]
    labels = [event.value for event in before
              if is_label(event.name) or event.name[:1] in ("y", "Y")]  # fmt: skip
    labels = [*labels[-3:], *_one_hot(program.inputs, outputs)]
    differences = [event.value for event in (*outputs[:4], *claims[:2])]
    lines = {event.line for event in claims}
    losses = losses_in(run, labels, outputs, differences)
    found = list(_under_each(program, run, losses, lines, outputs))
    own = any(not one.loss_is_taken and one.moves for one in found)
    if not any(one.right for one in found) and not run.incoming and not own:
        losses = usual_losses(labels, outputs, differences)
        found = list(_under_each(program, run, losses, lines, outputs))
    yield from found


def _one_hot(inputs: Inputs, outputs: Sequence[Event]) -> Iterator[np.ndarray]:
    """Yield labels that are classes as rows of ones and zeros, in the shapes of outputs."""
    codes = np.asarray(inputs.data("y"))
    if codes.dtype.kind == "i" and codes.ndim == 1:
        for shape in {event.value.shape for event in outputs}:
            if len(shape) == 2 and shape[0] == len(codes) and shape[1] > codes.max():
                yield np.eye(shape[1])[codes]


def _under_each(
    program: Program,
    run: Run,
    losses: Mapping[str, Loss],
    lines: set[int],
    outputs: Sequence[Event],
) -> Iterator[Tried]:
    claims = program.claims(run)
    own = [*losses_of(run).values(), *(place for place, _ in run.incoming)]
    measured = Measured(program, run, losses, max([*own, claims[0].index]))
    places = Places(measured, claims)
    for loss in losses:
        judge = matching_of(program, run, measured, loss, places)
        if " of " in loss and not judge.begins():
            continue
        factors = judge.factors()
        right = {
            event.line for group in judge.groups
            if accepted(judge, group.last, group.last.value, factors, group)
            for event in group.events
        }  # fmt: skip
        if " of " in loss and len(right) < 2 and right != lines:
            continue
        moves = any(measured.moves(measured.firsts[one.index], judge.loss) for one in outputs[:6])
        yield Tried(program, run, measured, loss, right, lines, moves)
        if right == lines:
            return


def _readings(outline: Outline) -> Iterator[Inputs]:
    for reading in (*(SEQUENCES if outline.recurs else ()), *READINGS):
        yield Inputs(reading, rates=outline.rates, heads=outline.heads)
    yield Inputs(Reading(labels="flat"), rates=outline.rates, heads=outline.heads, regression=True)


__all__ = ["Tried", "likeliest"]
