"""Fits to streams: the bits of a fit in memory, however the rows are cut."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from chainrule import GammaRegressor, LinearModel, LogisticRegression, PoissonRegressor, Stream
from chainrule.engine.runtime.stored_arrays import open_npy
from chainrule.errors import DataError

pd = pytest.importorskip("pandas")
pa = pytest.importorskip("pyarrow")
pq = pytest.importorskip("pyarrow.parquet")

N_ROWS = 41_000  # more than a fit in one compiled call takes


def frame(single: bool = False) -> Any:
    rng = np.random.default_rng(2)
    data = pd.DataFrame({f"x{k}": rng.normal(size=N_ROWS) for k in range(6)})
    if single:
        data = data.astype(np.float32)
    data["kind"] = np.array(["u", "v", "w"])[(data.x0 + 2 * rng.gumbel(size=N_ROWS) > 1) * 2]
    data["many"] = np.argmax(data[["x0", "x1", "x2"]] + rng.gumbel(size=(N_ROWS, 3)), axis=1)
    data["n"] = rng.poisson(np.exp(0.3 * data.x1.clip(-2, 2)))
    data["g"] = rng.gamma(2.0, np.exp(0.2 * data.x2))
    data["w"], data["o"] = rng.integers(0, 3, N_ROWS).astype(float), rng.normal(size=N_ROWS)
    return data


X_NAMES = [f"x{k}" for k in range(6)]


def cut(data: Any, sizes: Any) -> Iterator[Any]:
    """Yield the rows of a frame in parts, the sizes over and over."""
    start, k = 0, 0
    while start < len(data):
        yield data[start : start + sizes[k % len(sizes)]]
        start, k = start + sizes[k % len(sizes)], k + 1


def bits(model: Any) -> bytes:
    said = f"{model.certificate_} {model.objective_!r} {model.n_iter_} {model.n_passes_}"
    return (
        np.asarray(model.coef_).tobytes() + np.asarray(model.intercept_).tobytes() + said.encode()
    )


MODELS: dict[str, tuple[Any, str, dict[str, Any]]] = {
    "labels": (LogisticRegression(), "kind", {}),
    "weights, offset": (
        LogisticRegression(C=np.inf, class_weight={"u": 2.0, "w": 0.5}),
        "kind",
        {"weights": "w", "offset": "o"},
    ),
    "three classes": (LogisticRegression(class_weight="balanced"), "many", {"weights": "w"}),
    "Poisson": (PoissonRegressor(), "n", {"offset": "o"}),
    "Gamma": (GammaRegressor(alpha=0.0), "g", {"weights": "w"}),
    "own loss": (LinearModel("huber"), "g", {}),
}
CUTS: dict[str, Any] = {"one row, many": [1, 7001], "odd": [977], "at once": [N_ROWS]}


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "cuts"), [(name, "odd") for name in MODELS] + [("labels", c) for c in CUTS]
)
def test_a_stream_has_the_bits_of_memory(name: str, cuts: str) -> None:
    model, target, roles = MODELS[name]
    data = frame()
    stream = Stream(lambda: cut(data, CUTS[cuts]), target, columns=X_NAMES, memory=100_000, **roles)
    X = np.ascontiguousarray(data[X_NAMES].to_numpy())
    in_memory = model.fit(
        X,
        data[target].to_numpy(),
        sample_weight=data["w"].to_numpy() if "weights" in roles else None,
        offset=data["o"].to_numpy() if "offset" in roles else None,
    )
    expected, classes = bits(in_memory), getattr(in_memory, "classes_", None)
    streamed = model.fit_stream(stream)
    assert bits(streamed) == expected
    if classes is not None:
        assert streamed.classes_.tolist() == classes.tolist()
    assert streamed.feature_names_in_.tolist() == X_NAMES
    found = streamed.predict(data[X_NAMES][:5], **({"offset": 0.0} if "offset" in roles else {}))
    assert len(found) == 5


@pytest.mark.parametrize("single", [False, True])
def test_files_have_the_bits_of_memory(single: bool, tmp_path: Path) -> None:
    data = frame(single)[[*X_NAMES, "kind"]]
    for k, part in enumerate(cut(data, [1, 10_007])):
        pq.write_table(
            pa.Table.from_pandas(part), tmp_path / f"part-{k}.parquet", row_group_size=611
        )
    stream = Stream.files(f"{tmp_path}/*.parquet", "kind", memory=0)
    expected = LogisticRegression().fit(
        np.ascontiguousarray(data[X_NAMES].to_numpy()), data["kind"]
    )
    assert bits(LogisticRegression().fit_stream(stream)) == bits(expected)


@pytest.mark.parametrize("ending", ["csv", "feather"])
def test_other_files_too(ending: str, tmp_path: Path) -> None:
    data = frame()[[*X_NAMES, "many"]]
    path = tmp_path / f"data.{ending}"
    data.to_csv(path, index=False) if ending == "csv" else data.to_feather(path)
    expected = LogisticRegression().fit(
        np.ascontiguousarray(data[X_NAMES].to_numpy()), data["many"]
    )
    found = LogisticRegression().fit_stream(Stream.files(path, "many", memory=0))
    assert bits(found) == bits(expected)


def test_text_columns_are_the_categories_of_a_frame() -> None:
    rng = np.random.default_rng(4)
    data = pd.DataFrame(
        {"city": rng.choice(["Rome", "Oslo", "Bonn"], 40_000), "x": rng.normal(size=40_000)}
    )
    data["hour"] = rng.integers(0, 24, 40_000).astype(str)
    data["z"] = rng.normal(size=40_000)
    data["y"] = data.x + (data.city == "Oslo") + rng.logistic(size=40_000) > 0
    names = ["city", "x", "hour", "z"]
    coded = data[names].astype({"city": "category", "hour": "category"})
    expected = LogisticRegression().fit(coded, data["y"].to_numpy())
    stream = Stream(lambda: cut(data, [3, 1009]), "y", memory=0)
    streamed = LogisticRegression().fit_stream(stream)
    assert streamed.coef_names_.tolist() == expected.coef_names_.tolist()
    assert bits(streamed) == bits(expected)
    np.testing.assert_array_equal(streamed.predict(coded[:100]), expected.predict(coded[:100]))


def test_a_npy_file_is_read_in_place(tmp_path: Path) -> None:
    data = frame()
    X = np.ascontiguousarray(data[X_NAMES].to_numpy())
    np.save(tmp_path / "X.npy", X)
    on_disk = open_npy(tmp_path / "X.npy", held_bytes=0)
    fits = [LogisticRegression().fit(rows, data["many"]) for rows in (X, on_disk)]
    assert bits(fits[0]) == bits(fits[1])
    np.save(tmp_path / "F.npy", np.asfortranarray(X))
    with pytest.raises(DataError, match=r"Fortran order.*ascontiguousarray"):
        open_npy(tmp_path / "F.npy")


def batch(**columns: Any) -> Stream:
    return Stream(lambda: [{"x": [1.0, 2.0, 3.0], "y": [0, 1, 0]} | columns], "y")


BAD: dict[str, tuple[Stream, str]] = {
    "no rows": (Stream(list, "y"), "the stream is empty"),
    "no target": (Stream(lambda: [{"x": [1.0]}], "y"), "no column is named 'y'"),
    "no features": (Stream(lambda: [{"y": [1.0]}], "y"), "no column is left"),
    "missing number": (batch(x=[1.0, None, 2.0]), r"contains NaN \(nan\) in row 1, column 'x'"),
    "missing label": (batch(y=["a", None, "b"]), "the target 'y' is missing in row 1"),
    "missing category": (batch(x=["a", "b", None]), r"row 2"),
    "dates": (batch(x=np.array(["2020-01-01"] * 3, "M8[D]")), "neither numbers nor text"),
    "type": (
        Stream(lambda: [{"x": [1.0], "y": [0]}, {"x": ["a"], "y": [1]}], "y"),
        "column 'x' changes from numbers to string in row 1",
    ),
    "weights": (
        Stream(lambda: [{"x": [1.0], "y": [0], "w": ["a"]}], "y", weights="w"),
        "column 'w' holds text",
    ),
}


@pytest.mark.parametrize("name", BAD)
def test_what_cannot_be_fitted_is_named(name: str, tmp_path: Path) -> None:
    stream, words = BAD[name]
    with pytest.raises(DataError, match=words):
        LogisticRegression().fit_stream(
            Stream(stream.batches, "y", weights=stream.weights, folder=tmp_path)
        )
    assert not list(tmp_path.iterdir())


WIDE = [{"x": np.ones(2, np.float32), "y": [0, 1]}, {"x": np.full(2, 0.1), "y": [0, 1]}]
KEPT = {"x": [1.0, 2.0], "y": [0, 1]}
TWICE = pa.table([[1.0], [2.0], [0]], names=["x", "x", "y"])
CHANGES: dict[str, tuple[list[Any], dict[str, Any], str]] = {
    "width": (WIDE, {}, "column 'x' changes from float to double in row 2"),
    "whole, then not": (
        [KEPT, {"x": [1.0], "y": [0.5]}],
        {},
        "column 'y' changes from int64 to double in row 2",
    ),
    "truth, then whole": (
        [{"x": [1.0, 2.0], "y": [True, False]}, KEPT],
        {},
        "column 'y' changes from bool to int64 in row 2",
    ),
    "too large a label": (
        [KEPT | {"y": np.array([0, 1], np.int8)}, KEPT | {"y": [300, 0]}],
        {},
        "column 'y' changes from int8 to int64 in row 2",
    ),
    "a label no float64 has": (
        [KEPT | {"y": [0.0, 1.0]}, KEPT | {"y": [2**53 + 1, 0]}],
        {},
        "column 'y' changes from double to int64 in row 2",
    ),
    "target as a feature": ([KEPT], {"columns": ["x", "y"]}, "'y' is a feature and the target"),
    "weights as a feature": ([KEPT], {"columns": ["x"], "weights": "x"}, "'x' is a feature and"),
    "weights and target": ([KEPT], {"weights": "y"}, "'y' is the target and the weights"),
    "a feature twice": ([KEPT], {"columns": ["x", "x"]}, "'x' is named twice"),
    "one name for a list": ([KEPT], {"columns": "x"}, r"columns is a list of names; give \['x'\]"),
    "twice there": ([TWICE], {}, "'x' is named twice in columns, or is there twice"),
    "later twice there": ([KEPT, TWICE], {}, "'x' is twice in the batch that begins in row 2"),
    "lost": ([KEPT, {"y": [0]}], {}, "'x' is not in the batch that begins in row 2"),
    "new": ([KEPT, KEPT | {"z": [0, 1]}], {}, "'z' is new in the batch that begins in row 2"),
    "no table": ([KEPT, {"x": [1.0], "y": []}], {}, "begins in row 2 is not a table of columns"),
    "missing label": ([KEPT, {"x": [1.0], "y": [None]}], {}, "'y' is missing in row 2"),
    "no number at all": ([{"x": [None] * 2, "y": [0, 1]}], {}, r"NaN.* in row 0, column 'x'"),
}


@pytest.mark.parametrize("name", CHANGES)
def test_parts_that_do_not_agree_are_refused(name: str) -> None:
    batches, roles, words = CHANGES[name]
    with pytest.raises(DataError, match=words):
        LogisticRegression().fit_stream(Stream(lambda: batches, "y", **roles))


@pytest.mark.parametrize(
    "labels",
    [
        np.array([2**53, 2**53 + 1]),
        np.array([False, True]),
        np.array([3, 250], np.uint8),
        np.array([-1.0, 1.0], np.float32),
    ],
    ids=str,
)
def test_labels_stay_what_they_are(labels: Any) -> None:
    x = np.arange(8.0)
    y = labels[[0, 1, 0, 1, 0, 1, 1, 1]]
    parts = [{"x": x[:3], "y": y[:3]}, {"x": x[3:], "y": y[3:]}]
    found = LogisticRegression().fit_stream(Stream(lambda: parts, "y")).classes_
    expected = LogisticRegression().fit(x[:, None], y).classes_
    assert (found.dtype, found.tolist()) == (expected.dtype, expected.tolist())


@pytest.mark.parametrize("word", ["numbers", "text"])
def test_rows_may_begin_with_empty_parts_and_missing_values(word: str) -> None:
    x = np.arange(8.0) if word == "numbers" else np.array(list("ababcbca"), object)
    y, w = np.array([0, 1, 0, 1, 0, 1, 1, 1]), np.array([0.0, 0, 1, 1, 1, 1, 1, 1])
    gaps = {"x": [None, None], "y": y[:2], "w": w[:2]}
    rest = {"x": x[2:], "y": y[2:], "w": w[2:]}
    parts = [pd.DataFrame({"x": [], "y": []}), gaps, rest, gaps]
    streamed = LogisticRegression().fit_stream(Stream(lambda: parts, "y", weights="w"))
    whole = LogisticRegression().fit_stream(Stream(lambda: [rest], "y", weights="w"))
    np.testing.assert_allclose(streamed.coef_, whole.coef_, rtol=1e-6)


def test_files_are_read_in_the_type_that_holds_them_all(tmp_path: Path) -> None:
    x = np.random.default_rng(6).normal(size=40)
    y = x > np.roll(x, 1)
    pq.write_table(pa.table({"x": x[:20].astype(np.float32), "y": y[:20]}), tmp_path / "a.parquet")
    pq.write_table(pa.table({"x": x[20:], "y": y[20:]}), tmp_path / "b.parquet")
    found = LogisticRegression().fit_stream(Stream.files(tmp_path, "y"))
    x[:20] = x[:20].astype(np.float32)
    assert bits(found) == bits(LogisticRegression().fit(x[:, None], y))
    pq.write_table(pa.table({"x": ["a"], "y": [True]}), tmp_path / "c.parquet")
    with pytest.raises(DataError, match="cannot be read as one table"):
        Stream.files(tmp_path, "y")
    pq.write_table(pa.table({"y": [True]}), tmp_path / "c.parquet")
    with pytest.raises(DataError, match=r"c\.parquet: no column is named 'x'"):
        Stream.files(tmp_path, "y")


def test_text_files_of_whole_numbers_and_others(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("x,y\n1,0\n2,1\n3,0\n")
    (tmp_path / "b.csv").write_text("x,y\n1.5,0\n2.5,1\n")
    found = LogisticRegression().fit_stream(Stream.files(tmp_path, "y"))
    expected = LogisticRegression().fit([[1], [2], [3], [1.5], [2.5]], [0, 1, 0, 0, 1])
    assert found.coef_ == expected.coef_


def test_a_regressor_refuses_text() -> None:
    with pytest.raises(DataError, match="the target holds text"):
        PoissonRegressor().fit_stream(batch(y=["a", "b", "a"]))
