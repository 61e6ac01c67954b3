"""Output of ``chainrule train``: a live cost curve, the result, and JSON."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Sequence
from types import TracebackType
from typing import TYPE_CHECKING, Self

import numpy as np
from rich.console import Console
from rich.live import Live
from rich.text import Text

from chainrule.cli.shared import printable, text_console
from chainrule.descent.curve import curve
from chainrule.descent.initial import explained
from chainrule.descent.listing import role_lines
from chainrule.descent.saving import result_document
from chainrule.language.typeset import unicode

if TYPE_CHECKING:
    from chainrule.calculus.graph.model import Model
    from chainrule.descent.binding import BoundTable
    from chainrule.descent.loop import Descent
    from chainrule.descent.result import CostRecord, DescentResult
    from chainrule.lecture import Array

_SMALL = 12
_LARGEST_SHOWN = 5
_LINES = 10


def _console() -> Console:
    return text_console(100)


def print_start(descent: Descent, bound: BoundTable, changed: Sequence[str] = ()) -> None:
    """Print the formula, the gradient check and the step rule.

    Parameters
    ----------
    descent : Descent
        Before its first step.
    bound : BoundTable
        The data.
    changed : sequence of str
        What differs from the descent that is continued.
    """
    console = _console()

    def line(name: str, text: str) -> None:
        console.print(f"  {name:<11}{printable(text)}", soft_wrap=True)

    binding, model = bound.binding, descent.objective.model
    layout, derivation = binding.roles, descent.objective.derivation
    objective = model.objective.name
    console.print(f"[bold]{printable(layout.model.title or objective)}[/]", soft_wrap=True)
    along = f", along {layout.examples}" if layout.examples else ", one at a time"
    line("examples", f"{binding.count}{along}")
    for heading, text in role_lines(bound):
        line(heading, text)
    written = {definition.target for definition in layout.model.definitions}
    for definition in derivation.model.definitions:
        if definition.target not in written:
            line("named", f"{definition.target.name} = {unicode(definition.value)}")
    for name, gradient in derivation.layers.items():
        line("gradient", f"{name.name} = {unicode(gradient.matrix or gradient.index)}")
    for symbol in layout.learned:
        found = derivation.gradients[symbol.name]
        left = f"d{objective}/d{symbol.name}"
        if found.matrix is None:
            left += " (one entry)"
        line("gradient", f"{left} = {unicode(found.matrix or found.index)}")
    for definition in descent.objective.rewritten:
        line("run as", f"{definition.target.name} = {unicode(definition.value)}")
    line("check", str(descent.checked or "not possible: the forward pass is not finite here"))
    line("step", descent.scaling.sentence(objective))
    batch = "all examples" if descent.batch == descent.count else f"{descent.batch} a step"
    line("descent", f"{descent.steps} steps at rate {descent.rate:g}, {batch}, seed {descent.seed}")
    if descent.begin:
        same = "" if changed else ", in the same order"
        line("continued", f"from step {descent.begin} of the file of --start{same}")
    for text in changed:
        line("changed", text)
    if descent.update.slots:
        line("update", descent.update.lines()[0])
    if descent.schedule.parts:
        line("schedule", str(descent.schedule))
    if descent.clip is not None:
        line("clipping", f"gradients longer than {descent.clip:g} are shortened to that length")
    if descent.held_out is not None:
        line("held out", f"{descent.held_out.binding.count} examples, never learned from")
    for note in bound.notes:
        line("note", note)
    console.print()


class CostPrinter:
    """Shows recorded costs: a live curve on a terminal, else a line now and then.

    Parameters
    ----------
    steps : int
        The number of the last step.
    begin : int
        The number of the first one.
    counts : tuple of int, optional
        The examples trained on and held out, where the cost is a sum over them: costs over
        unequal numbers of examples compare per example alone.
    """

    def __init__(self, steps: int, begin: int = 0, counts: tuple[int, int] | None = None) -> None:
        self.steps, self.begin, self.counts = steps, begin, counts
        self.console = _console()
        self.costs: list[tuple[int, float]] = []
        self.live = (
            Live(console=self.console, refresh_per_second=8, get_renderable=self._picture)
            if self.console.is_terminal
            else None
        )
        self._next = 0

    def __enter__(self) -> Self:
        if self.live is not None:
            self.live.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self.live is not None:
            self.live.stop()

    def seen(self, record: CostRecord) -> None:
        """Process one record."""
        self.costs.append((record.step, record.cost))
        if self.live is None and (record.step >= self._next or not math.isfinite(record.cost)):
            self.console.print(
                f"step {record.step:>{len(str(self.steps))}}  cost {record.cost:.6g}"
                + self._each(record.cost, 0)
                + ("" if record.held is None else f"  held out {record.held:.6g}")
                + ("" if record.held is None else self._each(record.held, 1))
            )
            since = record.step - self.begin
            self._next = self.begin + since - since % self._stride + self._stride

    def _each(self, cost: float, which: int) -> str:
        return "" if self.counts is None else f" ({cost / self.counts[which]:.4g} per example)"

    @property
    def _stride(self) -> int:
        return max(1, (self.steps - self.begin) // _LINES)

    def _picture(self) -> Text:
        width = max(20, min(72, self.console.width - 20))
        lines = curve(list(self.costs), width, 8, until=self.steps)
        if self.costs:
            lines.append(f"step {self.costs[-1][0]} of {self.steps}, cost {self.costs[-1][1]:.6g}")
        return Text("\n".join(lines))


def print_end(
    result: DescentResult, bound: BoundTable, written: str | None, *, raw: bool = False
) -> None:
    """Print what was learned, or what went wrong."""
    console = _console()

    def line(text: str, style: str = "") -> None:
        console.print(printable(text), soft_wrap=True, style=style or None)

    line("")
    line(result.report, "bold red" if result.stopped.failed else "")
    if result.stopped.failed and raw:
        line("The features are on the scale of the file; without --raw they are standardised.")
    if result.costs and not (result.stopped.failed and result.step == 0):
        line(f"  cost       {result.start_cost:.6g} at the start, {result.cost:.6g} now")
        line(f"  gradient   of length {result.gradient_norm:.3g} here")
        _print_scores(line, result)
        for name, value in result.values.items():
            _print_values(console, name, value, bound)
    if written:
        line(f"wrote {written}")


def _print_scores(line: Callable[[str], None], result: DescentResult) -> None:
    if result.score is None:
        return
    named = f"{result.score.name:<9}"
    line(f"  {named}  {result.score.value:.4f} on the {result.examples} examples trained on")
    if result.held_score is not None:
        line(f"  {named}  {result.held_score.value:.4f} on the held-out examples")
    elif not result.held_costs:
        line("             no rows are held out; --holdout 0.2 keeps a fifth of them aside")


def print_derivations(descent: Descent, initial: str) -> None:
    """Print why the update, the schedule and the initial values are as they are."""
    console = _console()
    console.print(f"[bold]Update rule: {printable(str(descent.update))}[/]", soft_wrap=True)
    for text in descent.update.lines():
        console.print(f"  {printable(text)}", soft_wrap=True)
    if descent.schedule.parts:
        console.print(f"[bold]Schedule[/]: {printable(str(descent.schedule))}", soft_wrap=True)
    console.print(f"[bold]Initial values[/]: {printable(explained(initial))}", soft_wrap=True)
    console.print()


def _print_values(console: Console, name: str, value: Array, bound: BoundTable) -> None:
    shape = f"({value.shape[0]}, {value.shape[1]})"
    if value.size <= _SMALL:
        body = np.array2string(value, precision=5, suppress_small=True).replace("\n", "\n      ")
        console.print(printable(f"  {name} {shape} = {body}"), soft_wrap=True)
        return
    console.print(
        printable(f"  {name} {shape}, of length {np.linalg.norm(value):.5g}"), soft_wrap=True
    )
    if 1 in value.shape and value.size == len(bound.features):
        flat = value.ravel()
        for k in np.argsort(-np.abs(flat))[:_LARGEST_SHOWN]:
            console.print(
                printable(f"      {flat[k]:+.5g}  {bound.features[k].name}"), soft_wrap=True
            )
        console.print(f"      and {value.size - _LARGEST_SHOWN} smaller", soft_wrap=True)


def print_json(result: DescentResult, model: Model, bound: BoundTable, written: str | None) -> None:
    """Print the result as JSON, with the values where they are small."""
    known = result_document(result, model, bound)
    known["values"] = {
        name: value.tolist() for name, value in result.values.items() if value.size <= 1000
    }
    known["written"] = written
    print(json.dumps(known, indent=2, ensure_ascii=False, allow_nan=False))
