"""Predictions of rows that are too many for memory, written as Parquet batch by batch."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from chainrule.engine.data.streams import Batch, feature_batches
from chainrule.errors import DataError
from chainrule.storage import atomic_path


def write_predictions(
    model: Any,  # noqa: ANN401 - any estimator
    batches: Callable[[], Iterable[Batch]] | Iterable[Batch],
    out: str | Path,
    *,
    offset: str | None = None,
) -> int:
    """Write a prediction per row, and of classes their probabilities; return the number of rows.

    Parameters
    ----------
    model : estimator
        Fitted to named columns.
    batches : callable or iterable
        Of record batches, tables, data frames, or mappings from names to arrays.
    out : str or Path
        Appears when it is complete.
    offset : str, optional
        The column of offsets, if the fit had one.

    Raises
    ------
    DataError
        When columns have no names, a batch lacks one, or there are no rows.
    """
    features = _names(model)
    columns = [*features, *([] if offset is None else [offset])]
    n_rows, writer = 0, None
    with atomic_path(out) as path:
        try:
            for table in feature_batches(batches, columns):
                known = None if offset is None else table.column(offset).to_numpy()
                part = pa.table(_predicted(model, table.select(features), known))
                if writer is None:
                    writer = pq.ParquetWriter(path, part.schema, compression="zstd")
                writer.write_table(part)
                n_rows += part.num_rows
        finally:
            if writer is not None:
                writer.close()
        if not n_rows:
            raise DataError("there are no rows to predict: the stream is empty")
    return n_rows


def _names(model: Any) -> Sequence[str]:  # noqa: ANN401
    formula = getattr(model, "formula_", None)
    found = None if formula is not None else getattr(model, "feature_names_in_", None)
    if found is None:
        reason = "by a formula" if formula is not None else "to columns without names"
        raise DataError(
            f"the model was fitted {reason}, so columns of a stream cannot be found; fit it to a "
            "data frame or a stream, or predict batch by batch"
        )
    return [str(name) for name in found]


def _predicted(model: Any, table: Any, offset: Any) -> dict[str, Any]:  # noqa: ANN401
    if not hasattr(model, "predict_proba"):
        return {"prediction": model.predict(table, offset=offset)}
    probability = model.predict_proba(table, offset=offset)
    labels = model.classes_[probability.argmax(axis=1)]
    shares = {f"probability_{label}": probability[:, k] for k, label in enumerate(model.classes_)}
    return {"prediction": labels} | shares
