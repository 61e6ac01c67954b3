"""Values written while a descent runs."""

from __future__ import annotations

from chainrule.calculus.graph.model import Model
from chainrule.descent.binding import BoundTable
from chainrule.descent.loop import Descent
from chainrule.descent.result import CostRecord
from chainrule.descent.saving import save_values


class Checkpoints:
    """Writes the values of a running descent every so many steps, at the next recorded cost.

    Parameters
    ----------
    descent : Descent
        What runs.
    model : Model
        The forward pass as it was written.
    bound : BoundTable
        Model and table.
    path : str or None
        The file; None writes nothing.
    every : int or None
        The number of steps between two writings; None writes nothing.
    """

    def __init__(
        self,
        descent: Descent,
        model: Model,
        bound: BoundTable,
        path: str | None,
        every: int | None,
    ) -> None:
        self._descent, self._model, self._bound, self._path = descent, model, bound, path
        self._every = every
        self._last = descent.begin

    def seen(self, record: CostRecord) -> None:
        """Take a recorded cost."""
        if self._every is None or self._path is None or record.step < self._last + self._every:
            return
        self._last = record.step
        save_values(self._path, self._descent.result(), self._model, self._bound)
