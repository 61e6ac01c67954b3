"""The engine on encoded rows, and the rows that a fit can be measured on."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from chainrule.tables.encoding import EncodedRows, Matrix, encode
from chainrule.tables.options import FitOptions
from chainrule.tables.records import ReadingRecord
from chainrule.tables.specs import Spec
from chainrule.tables.table import Table

if TYPE_CHECKING:
    from chainrule.engine import monitor
    from chainrule.engine.losses.facts import LossRow
    from chainrule.engine.results import Fit

_MOST_THREADS = 8
_IN_THE_MODEL = ("target", "offset", "exposure")

Floats = NDArray[np.float64]
StatusCallback = Callable[[str], None]
"""Told what is being done, a few words at a time."""


def train(
    X: Matrix,
    y: NDArray[Any],
    names: list[str],
    C: float,
    say: StatusCallback,
    *,
    n_classes: int = 2,
    row: LossRow | None = None,
    offset: Floats | None = None,
    weights: Floats | None = None,
) -> Fit:
    """Fit encoded rows, reporting every iteration.

    Parameters
    ----------
    X : ndarray or CSR matrix of shape (n_samples, n_features)
    y : ndarray of shape (n_samples,)
        Class codes, or the targets of `row`.
    names : list of str
        Of the columns, for messages.
    C : float
        Inverse strength of the penalty.
    say : callable
        Told each iteration.
    n_classes : int
    row : LossRow, optional
        The loss; by default the cross-entropy of the classes.
    offset : ndarray of shape (n_samples,), optional
        What is added to the scores.
    weights : ndarray of shape (n_samples,), optional
        k counts as k repetitions of the row.
    """
    from chainrule.engine.data.sources import InMemorySource
    from chainrule.engine.fitting import fit_linear_model

    def told(progress: monitor.Progress) -> None:
        step, objective = progress.iteration + 1, progress.objective
        say(f"training on {len(y)} rows: step {step}, objective {objective:.8g}")

    source = InMemorySource(
        X,
        y,
        weights,
        n_classes=n_classes,
        column_names=names,
        offset=None if offset is None else offset[:, None],
        center=True,
    )
    threads = min(os.cpu_count() or 1, _MOST_THREADS)
    return fit_linear_model(source, row, C=C, n_threads=threads, on_iteration=told)


def reading_record(table: Table, choices: FitOptions) -> ReadingRecord:
    """Return how a table was read, for the model file."""
    dates = (
        date if date.format else replace(date, format=table.formats.get(date.name))
        for date in choices.dates
    )
    roles = {role: name for role, name in choices.roles.items() if role not in _IN_THE_MODEL}
    return ReadingRecord(choices.file.na, tuple(dates), dict(table.styles), roles, table.notes)


def usable_rows(
    specs: tuple[Spec, ...], inputs: Table, notes: list[str], where: str = "held-out rows"
) -> EncodedRows | None:
    """Encode rows to measure on, noting those that cannot be; None when no row is left."""
    if inputs.n_rows == 0:
        return None
    encoded = encode(specs, inputs, blank=True)
    n_lost = int((~encoded.usable).sum())
    if n_lost:
        notes.append(
            f"not measured: {n_lost} of {inputs.n_rows} {where}, which carry a category that "
            f"no training row has{'' if where == 'held-out rows' else ', or miss a value'}."
        )
    return None if n_lost == inputs.n_rows else encoded
