"""Predictions of streams are those of the same rows in memory."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import numpy as np
import pandas as pd  # type: ignore[import-untyped]
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from chainrule import LogisticRegression, PoissonRegressor, Stream
from chainrule.errors import DataError


def frame(n_rows: int = 600) -> pd.DataFrame:
    rng = np.random.default_rng(5)
    x, kind = rng.normal(size=n_rows), rng.choice(["a", "b", "c"], n_rows)
    return pd.DataFrame(
        {
            "x": x,
            "kind": kind,
            "count": rng.poisson(np.exp(0.3 * x)),
            "label": np.where(x + rng.logistic(size=n_rows) > 0, "yes", "no"),
            "grade": rng.choice([1, 2, 3], n_rows),
            "known": rng.normal(size=n_rows),
        }
    )


def parts(data: pd.DataFrame, n_parts: int = 4) -> Iterator[pd.DataFrame]:
    for rows in np.array_split(np.arange(len(data)), n_parts):
        yield data.iloc[rows]


CASES: Final[dict[str, tuple[Any, str, list[str]]]] = {
    "two classes": (LogisticRegression(), "label", ["x"]),
    "categories": (LogisticRegression(), "label", ["x", "kind"]),
    "three classes": (LogisticRegression(), "grade", ["x"]),
    "counts": (PoissonRegressor(), "count", ["x", "kind"]),
}


@pytest.mark.parametrize("name", CASES)
def test_predictions_are_those_of_rows_in_memory(name: str, tmp_path: Path) -> None:
    model, target, features = CASES[name]
    data = frame()
    model.fit_stream(Stream(lambda: parts(data), target=target, columns=features))
    out = tmp_path / "predicted.parquet"
    assert model.predict_stream(lambda: parts(data), out) == len(data)
    found = pq.read_table(out).to_pandas()
    table = pa.Table.from_pandas(data[features])
    assert found["prediction"].tolist() == model.predict(table).tolist()
    if hasattr(model, "classes_"):
        shares = np.column_stack([found[f"probability_{label}"] for label in model.classes_])
        assert np.abs(shares - model.predict_proba(table)).max() <= 1e-15


def test_an_offset_is_a_column(tmp_path: Path) -> None:
    data, out = frame(), tmp_path / "predicted.parquet"
    model = PoissonRegressor()
    model.fit_stream(Stream(lambda: parts(data), target="count", columns=["x"], offset="known"))
    model.predict_stream(parts(data), out, offset="known")
    expected = model.predict(data[["x"]], offset=data["known"].to_numpy())
    assert np.abs(pq.read_table(out)["prediction"].to_numpy() - expected).max() <= 1e-14
    with pytest.raises(DataError, match="fitted with an offset"):
        model.predict_stream(parts(data), out)


def test_what_cannot_be_predicted_is_said_and_leaves_no_file(tmp_path: Path) -> None:
    data, out = frame(), tmp_path / "predicted.parquet"
    model = LogisticRegression().fit(data[["x"]], data["label"])
    later = [{"x": [1.0, 2.0]}, {"y": [1.0]}]
    with pytest.raises(DataError, match=r"'x' is not in the batch that begins in row 2"):
        model.predict_stream(later, out)
    with pytest.raises(DataError, match="there are no rows to predict"):
        model.predict_stream([], out)
    unnamed = LogisticRegression().fit(data[["x"]].to_numpy(), data["label"])
    with pytest.raises(DataError, match="fitted to columns without names"):
        unnamed.predict_stream(later, out)
    assert list(tmp_path.iterdir()) == []
