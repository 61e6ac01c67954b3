"""The engine on encoded rows, and the rows that a fit can be measured on."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import replace
from time import monotonic
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from chainrule.engine.runtime.stored_arrays import StoredArray
from chainrule.tables.encoding import EncodedRows, Matrix, encode
from chainrule.tables.options import FitOptions
from chainrule.tables.penalties import RIDGE, TablePenalty, Trained
from chainrule.tables.records import ReadingRecord
from chainrule.tables.specs import Spec
from chainrule.tables.table import Table

if TYPE_CHECKING:
    from chainrule.engine import monitor
    from chainrule.engine.losses.facts import LossRow
    from chainrule.engine.runtime.journal import Journal

_MOST_THREADS = 8
_SAID_EVERY = 0.3
_IN_THE_MODEL = ("target", "offset", "exposure")

Floats = NDArray[np.float64]
StatusCallback = Callable[[str], None]
"""Told what is being done, a few words at a time."""


class ReadingStatus:
    """The status line of a fit that reads its rows from files: bytes read, and time left.

    Parameters
    ----------
    say : callable
    what : str
        What is being done.
    """

    def __init__(self, say: StatusCallback, what: str) -> None:
        self._say, self._what, self._step = say, what, ""
        self._read = self._expected = 0.0
        self._begun = self._told_at = monotonic()

    def expect(self, n_bytes: float) -> None:
        """Say how many bytes will be read in all, about."""
        self._expected, self._begun = self._read + n_bytes, monotonic()

    def tell(self, step: str) -> None:
        """Say what the solver does."""
        self._step = f": {step}"
        self._say(f"{self._what}{self._step}{self._progress()}")

    def read(self, n_bytes: int) -> None:
        """Count bytes that were read, and say so a few times per second."""
        self._read += n_bytes
        if monotonic() - self._told_at > _SAID_EVERY:
            self._told_at = monotonic()
            self._say(f"{self._what}{self._step}{self._progress()}")

    def _progress(self) -> str:
        if not self._read:
            return ""
        text = f", {self._read * 1e-6:.0f} MB read"
        taken, left = monotonic() - self._begun, self._expected - self._read
        if not self._expected or left <= 0 or taken < _SAID_EVERY:
            return text
        seconds = taken * left / self._read
        return f"{text} of about {self._expected * 1e-6:.0f}, {seconds:.0f} s left"


def train(
    X: Matrix,
    y: NDArray[Any],
    names: list[str],
    C: float,
    say: StatusCallback,
    *,
    n_classes: int = 2,
    row: LossRow | None = None,
    penalty: TablePenalty = RIDGE,
    gamma: float = 0.0,
    offset: Floats | None = None,
    weights: Floats | None = None,
    journal: Journal | None = None,
) -> Trained:
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
    penalty : TablePenalty
    gamma : float
        Share of the penalised coefficients in the model's, where the penalty is relaxed.
    offset : ndarray of shape (n_samples,), optional
        What is added to the scores.
    weights : ndarray of shape (n_samples,), optional
        k counts as k repetitions of the row.
    journal : Journal, optional
        Keeps the results of passes, so that a fit that was stopped goes on.
    """
    from chainrule.engine.data.sources import InMemorySource
    from chainrule.engine.fitting import fit_linear_model
    from chainrule.engine.solvers.plans import choose_plan

    status = ReadingStatus(say, f"training on {len(y)} rows")

    def told(progress: monitor.Progress) -> None:
        status.tell(f"step {progress.iteration + 1}, objective {progress.objective:.8g}")

    if isinstance(X, StoredArray):
        X.on_read = status.read
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
    if isinstance(X, StoredArray):
        plan = choose_plan(
            "auto",
            source,
            (X.shape[1] + 1) * (1 if n_classes == 2 else n_classes),
            penalised=bool(np.isfinite(C)),
        )
        status.expect(plan.passes * X.nbytes)
    shape = None if np.isinf(C) else penalty.shape(source, row, threads)
    if shape is None:
        return Trained(
            fit_linear_model(
                source, row, C=C, n_threads=threads, on_iteration=told, journal=journal
            )
        )
    from chainrule.engine.elastic_net import fit_elastic_net

    fit = fit_elastic_net(
        source, row, shape, C=C, n_threads=threads, on_iteration=told, journal=journal
    )
    if not penalty.relax or gamma == 1 or fit.interrupted:
        return Trained(fit)
    status.tell("refit of the chosen features")
    return Trained.mixed(fit, penalty.refits(source, row, shape, threads), gamma)


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
