"""Encoded rows as codes: the numbers and the fits of sparse rows, in less memory."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd  # type: ignore[import-untyped]
import pytest
from scipy import sparse

from chainrule import LogisticRegression
from chainrule.engine.data.coded_rows import CodedRows
from chainrule.tables.coded_encoding import encode_for_fit, written_out
from chainrule.tables.encoding import encode
from chainrule.tables.encoding_fit import fit_encoding
from chainrule.tables.fitting import fit_file
from chainrule.tables.options import FitOptions
from chainrule.tables.reading import Declared, read_table
from chainrule.tables.specs import features
from chainrule.tables.training import train

N = 30_000
M = 4000


@pytest.fixture(scope="module")
def frame() -> pd.DataFrame:
    random = np.random.default_rng(8)
    place = random.integers(0, 140, N)
    rows = pd.DataFrame(
        {
            "bytes": random.integers(-100, 100, N),
            "small": random.integers(-30_000, 30_000, N),
            "large": random.integers(-(2**31), 2**31 - 1, N),
            "beyond": random.integers(2**40, 2**41, N),
            "halves": random.integers(0, 99, N) / 2,
            "single": random.normal(size=N).astype(np.float32).astype(np.float64),
            "double": random.normal(size=N),
            "tiny": random.normal(size=N) * 1e-60,
            "gaps": np.where(random.random(N) < 0.1, np.nan, random.integers(0, 9, N)),
            "place": [f"p{k}" for k in place],
            "kind": random.choice(np.array(["a", "b", "c", None], dtype=object), N),
        }
    )
    score = rows["double"] + 0.02 * (place % 7) + 0.01 * rows["bytes"]
    rows["label"] = np.where(score + random.logistic(size=N) > 0, "yes", "no")
    return rows


@pytest.fixture(scope="module")
def path(frame: pd.DataFrame, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("coded") / "rows.csv"
    frame.to_csv(path, index=False)
    return path


@pytest.mark.slow
@pytest.mark.parametrize("missing", ["mean", "indicator"])
@pytest.mark.parametrize("unknown", ["error", "base"])
def test_codes_written_out_are_the_sparse_rows(path: Path, missing: str, unknown: str) -> None:
    table = read_table(path, Declared(ignore=["label"]))
    specs = fit_encoding(table, missing, unknown=unknown, rare=5).specs  # type: ignore[arg-type]
    coded, plain = encode_for_fit(specs, table).X, encode(specs, table).X
    assert isinstance(coded, CodedRows)
    assert coded.shape == plain.shape
    found = written_out(coded)
    for part in ("data", "indices", "indptr"):
        assert np.array_equal(getattr(found, part), getattr(plain, part))
    sizes = {column.name: column.values.dtype.itemsize for column in coded.columns}
    expected = {"bytes": 1, "small": 2, "large": 4, "halves": 4, "single": 4}
    assert {name: sizes[name] for name in expected} == expected
    assert sizes["kind"] == 1


def test_a_fit_of_codes_has_the_bits_of_a_fit_of_sparse_rows(path: Path) -> None:
    table = read_table(path, Declared(["label"]))
    y = np.asarray(table.column("label").as_text().codes, dtype=np.int64)
    inputs = table.without({"label"})
    specs = fit_encoding(inputs, "mean").specs
    names = [feature.name for feature in features(specs)]
    ours, plain = (
        train(X, y, names, 1.0, lambda words: None).fit
        for X in (encode_for_fit(specs, inputs).X, encode(specs, inputs).X)
    )
    assert ours.point.coef.tobytes() == plain.point.coef.tobytes()


def test_few_rows_stay_sparse(path: Path) -> None:
    table = read_table(path, Declared(ignore=["label"])).take(np.arange(3000))
    specs = fit_encoding(table, "mean").specs
    assert sparse.issparse(encode_for_fit(specs, table).X)


def test_few_features_stay_dense(path: Path) -> None:
    table = read_table(path, Declared(ignore=["place", "label"]))
    specs = fit_encoding(table, "mean").specs
    assert isinstance(encode_for_fit(specs, table).X, np.ndarray)


@pytest.mark.parametrize("dtype", ["int8", "int64", "float32", "float64", "bool", "Int16"])
@pytest.mark.parametrize("words", ["category", "str"])
def test_a_command_and_the_estimator_give_the_same_model(
    dtype: str, words: str, tmp_path: Path
) -> None:
    random = np.random.default_rng(5)
    rows = pd.DataFrame(
        {
            "x": pd.Series(random.integers(0, 2 if dtype == "bool" else 50, M)).astype(dtype),
            "place": pd.Series(random.choice([f"p{k}" for k in range(70)], M)).astype(words),
        }
    )
    x = rows["x"].to_numpy(dtype=float)
    y = np.where(x / max(1.0, x.std()) + random.logistic(size=M) > 1, "yes", "no")
    path = tmp_path / "rows.parquet"
    rows.assign(label=y).to_parquet(path)
    options = FitOptions(target="label", C=np.inf, holdout=0.0, categories=("place",))
    fitted = fit_file(path, options)
    model = LogisticRegression(C=np.inf).fit(rows.astype({"place": "category"}), y)
    ours = fitted.model.proba_of(fitted.X)
    theirs = model.predict_proba(rows.astype({"place": "category"}))
    assert np.abs(ours - theirs).max() < 1e-6
