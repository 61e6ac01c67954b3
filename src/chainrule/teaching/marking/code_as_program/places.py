"""Values of a run that gradients may be of, by their names and by their sizes."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from chainrule.teaching.marking.code_as_program.measuring import Measured
from chainrule.teaching.marking.code_as_program.runs import losses_of
from chainrule.teaching.marking.code_as_program.trace import Event


@dataclass
class Places:
    """Where the values of a run stand: the numbers of their first events.

    Parameters
    ----------
    measured : Measured
        The run.
    claims : sequence of Event
        Its gradients, which are not among the values.
    """

    measured: Measured
    claims: Sequence[Event]
    by_name: dict[str, list[int]] = field(default_factory=dict)
    by_size: dict[int, list[int]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        run = self.measured.run
        claimed = {event.index for event in self.claims}
        self.losses = {self.measured.firsts[place] for place in losses_of(run).values()}
        for event in run.trace.events:
            origin = self.measured.firsts[event.index]
            if event.index in claimed or origin in claimed:
                continue
            name = event.name.partition("[")[0]
            for held in (self.by_name.setdefault(name, []),
                         self.by_size.setdefault(event.value.size, [])):  # fmt: skip
                if origin not in held[-1:] and origin not in held:
                    held.append(origin)

    def named(self, names: Sequence[str]) -> Iterator[int]:
        """Yield the places of values with these names."""
        for name in names:
            yield from self.by_name.get(name, ())


__all__ = ["Places"]
