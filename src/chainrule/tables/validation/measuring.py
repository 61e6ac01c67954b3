"""The rows that a fit is measured on, and those that its threshold is chosen on."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from chainrule.engine.arrays import distinct_values
from chainrule.errors import DataError
from chainrule.tables.metrics import Codes
from chainrule.tables.model import TableModel, class_probabilities
from chainrule.tables.options import FitOptions
from chainrule.tables.scores import score_columns
from chainrule.tables.table import Table
from chainrule.tables.target import Targets
from chainrule.tables.training import StatusCallback
from chainrule.tables.validation.penalty import OutOfFold
from chainrule.tables.validation.scored import ScoredRows, cluster_column, score_file
from chainrule.tables.validation.thresholds import choose_threshold

HELD_OUT: Final = "held-out rows"


def rows_to_measure(
    model: TableModel,
    table: Table,
    held: NDArray[np.intp],
    targets: Targets,
    choices: FitOptions,
    say: StatusCallback,
) -> tuple[ScoredRows | None, str]:
    """Return the rows of the test file, or those held out, and which they are in words."""
    test, by = choices.validation.test, choices.validation.by
    if test is not None:
        say(f"measuring on {Path(test).name}")
        scored = score_file(model, test, by=by, fold=choices.fold_labels, options=choices.file)
        return scored, f"rows of {Path(test).name}"
    say(f"measuring on {len(held)} held-out rows")
    if len(held) == 0:
        return None, ""
    rows = table.take(held)
    found = score_columns(model.specs, model.coef, model.intercept, rows, blank=True)
    proba = class_probabilities(found.score, model.offsets.of(rows))
    proba[~found.usable] = np.nan
    groups, clusters = (
        None if name is None else rows.column(name).as_text().take(targets.rows)
        for name in (by, cluster_column(model, rows.columns))
    )
    return (
        ScoredRows(
            targets.codes,
            proba[targets.rows],
            targets.weights,
            groups,
            np.asarray(table.row_numbers)[held][targets.rows],
            clusters,
        ),
        HELD_OUT,
    )


def ungrouped_notes(scored: ScoredRows | None, where: str, choices: FitOptions) -> Iterator[str]:
    """Yield a note where rows are measured without the column that says which belong together."""
    known = (choices.roles.get(role) for role in ("group", "clusters"))
    column = next((name for name in known if name is not None), None)
    if scored is not None and scored.clusters is None and column is not None:
        yield (
            f"the {where} have no column {column!r}, so the intervals take every row for "
            "independent: they are too narrow where rows belong together."
        )


def usable_rows(scored: ScoredRows | None, where: str, notes: list[str]) -> ScoredRows | None:
    """Return the rows that are predicted and count; note how many are not predicted."""
    if scored is None:
        return None
    blank = np.isnan(scored.proba[:, 0])
    if blank.any():
        n_lost, n_rows = (
            len(distinct_values(scored.numbers[rows])) for rows in (blank, slice(None))
        )
        notes.append(
            f"not measured: {n_lost} of {n_rows} {where}, which carry a category that no "
            f"training row has{'' if where == HELD_OUT else ', or miss a value'}."
        )
    found = scored.take(~blank & (scored.counted > 0))
    return found if len(found.codes) else None


def scored_out_of_fold(
    out: OutOfFold,
    targets: Targets,
    actual: Codes,
    training: NDArray[np.intp],
    offset: NDArray[np.float64] | None,
) -> ScoredRows:
    """Return the training rows with the probabilities of folds that do not train on them."""
    proba = class_probabilities(out.raw, 0.0 if offset is None else offset[out.rows])
    held = targets.take(training[out.rows], actual)
    return ScoredRows(held.codes, proba[held.rows], held.weights, None, held.rows)


def threshold_of(classes: tuple[str, ...], scored: ScoredRows | None, choices: FitOptions) -> float:
    """Return the threshold that is asked for."""
    wanted = str(choices.validation.threshold)
    if len(classes) > 2:
        raise DataError(
            f"--threshold is for two classes, and the target {choices.target!r} has "
            f"{len(classes)}. Omit it."
        )
    if wanted not in ("best", "cost"):
        return float(wanted)
    codes = np.empty(0) if scored is None else scored.codes[scored.counted > 0]
    if scored is None or len(distinct_values(codes)) < 2:
        raise DataError(
            f"--threshold {wanted} needs rows of both classes that did not train the model. Give "
            "--cv, --test or a larger --holdout."
        )
    return choose_threshold(
        wanted, scored.codes == 1, scored.proba[:, 1], scored.counted, choices.validation.costs
    )
