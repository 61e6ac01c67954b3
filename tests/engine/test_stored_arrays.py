"""Arrays in files: what is read is NumPy's own indexing, and fits have the bits of memory."""

from __future__ import annotations

import pickle
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from chainrule import LogisticRegression
from chainrule.engine.runtime import checksums, stored_arrays
from chainrule.engine.runtime.checksums import checksums_of
from chainrule.engine.runtime.stored_arrays import ArrayWriter, StoredArray
from chainrule.errors import DataError


def stored(path: Path, array: Any, cuts: Any = (), held_bytes: int = 0) -> StoredArray:
    """Write an array in pieces cut at some rows."""
    with ArrayWriter(path, array.dtype, array.shape[1:]) as writer:
        for piece in np.split(array, cuts):
            writer.append(piece)
    return writer.array(held_bytes=held_bytes)


SELECTIONS: dict[str, Any] = {
    "range": slice(17, 93),
    "to the end": slice(900, None),
    "negative": slice(-30, -2),
    "with steps": slice(3, 800, 7),
    "nothing": slice(5, 5),
    "in order": np.array([0, 1, 1, 400, 999]),
    "out of order": np.array([998, 3, 3, 500, 0]),
    "mask": np.arange(1000) % 13 == 4,
}


@pytest.mark.parametrize("window", [1, 200, 2**22])
@pytest.mark.parametrize("name", SELECTIONS)
def test_selections_are_those_of_numpy(
    name: str, window: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stored_arrays, "WINDOW_BYTES", window)
    array = np.random.default_rng(0).normal(size=(1000, 3))
    on_disk = stored(tmp_path / "x", array, [1, 400])
    np.testing.assert_array_equal(on_disk[SELECTIONS[name]], array[SELECTIONS[name]])


def test_a_large_selection_is_stored_beside_and_removed(tmp_path: Path) -> None:
    array = np.arange(3000.0).reshape(1000, 3)
    on_disk = stored(tmp_path / "x", array)
    part = on_disk.rows_at(np.arange(0, 1000, 3))
    assert isinstance(part, StoredArray)
    assert len(list(tmp_path.iterdir())) == 2
    np.testing.assert_array_equal(part[:], array[::3])
    del part
    assert len(list(tmp_path.iterdir())) == 1


def test_a_pickle_opens_the_same_file(tmp_path: Path) -> None:
    array = np.arange(12.0).reshape(4, 3)
    again = pickle.loads(pickle.dumps(stored(tmp_path / "x", array)))
    np.testing.assert_array_equal(again[:], array)


def test_a_file_cut_short_is_refused_by_name(tmp_path: Path) -> None:
    array = np.arange(12.0).reshape(4, 3)
    on_disk = stored(tmp_path / "x", array)
    (tmp_path / "x").write_bytes(array.tobytes()[:-1])
    with pytest.raises(DataError, match=r"became shorter"):
        on_disk[:]
    with pytest.raises(DataError, match=r"x: the file holds 95 bytes.*cut short"):
        StoredArray(tmp_path / "x", float, (4, 3))


@pytest.mark.parametrize("offset", [0, 3, 128])
def test_rows_in_place_are_those_of_the_file(offset: int, tmp_path: Path) -> None:
    array = np.random.default_rng(7).normal(size=(5000, 9))
    (tmp_path / "x").write_bytes(bytes(offset) + array.tobytes())
    on_disk = StoredArray(tmp_path / "x", float, array.shape, offset=offset, held_bytes=100_000)
    told: list[int] = []
    on_disk.on_read = told.append
    first = on_disk.view(0, 3000)
    for start in (0, 4000, 3000):
        np.testing.assert_array_equal(on_disk.view(start, start + 1000), array[start:][:1000])
    np.testing.assert_array_equal(first, array[:3000])  # given back, and read anew
    assert on_disk.view(5000, 5000).shape == (0, 9)
    assert sum(told) == 6000 * 72
    (tmp_path / "x").write_bytes(bytes(offset) + array[:4999].tobytes())
    with pytest.raises(DataError, match="became shorter"):
        on_disk.view(4000, 5000)


LIMITED = """
import resource, sys
import numpy as np
from chainrule import LogisticRegression
from chainrule.engine.runtime.stored_arrays import open_npy
used = int(open("/proc/self/statm").read().split()[0]) * resource.getpagesize()
resource.setrlimit(resource.RLIMIT_AS, (used + 2**27, used + 2**27))
X = open_npy(sys.argv[1], held_bytes=0)
rows = X.view(999_000, 1_000_000)
print(rows.shape, rows.sum(), X.view(0, 1)[0, 5])
"""


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="no limit of addresses")
def test_rows_are_read_where_addresses_are_short(tmp_path: Path) -> None:
    """The file of 0.4 GB has holes, and takes no room on the disk."""
    array = np.lib.format.open_memmap(tmp_path / "x.npy", "w+", np.float64, (10**6, 50))
    array[0, 5] = array[-1, 3] = 2.5
    array.flush()
    command = [sys.executable, "-c", LIMITED, str(tmp_path / "x.npy")]
    told = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    assert told.split("\n")[0] == "(1000, 50) 2.5 2.5"


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_written_rows_tell_the_largest_numbers(dtype: type, tmp_path: Path) -> None:
    array: Any = np.random.default_rng(3).normal(size=(70, 4)).astype(dtype)
    array[:, 1] = -np.abs(array[:, 1])
    array[33, 2], array[:, 3] = np.nan, -0.0
    found = stored(tmp_path / "x", array, [5, 6, 40]).column_maxima
    np.testing.assert_array_equal(found, np.abs(array).max(axis=0))


@pytest.mark.parametrize("value", [np.nan, -np.inf, 1e200])
def test_a_number_that_cannot_be_used_is_named(value: float, tmp_path: Path) -> None:
    array = np.random.default_rng(3).normal(size=(30_000, 4))
    array[23_456, 2] = value
    with pytest.raises(DataError, match="in row 23456, column 2"):
        LogisticRegression().fit(stored(tmp_path / "x", array), array[:, 0] > 0)


STATUS = Path("/proc/self/status")


@pytest.mark.skipif(not STATUS.exists(), reason="the system does not tell mapped pages")
def test_a_pass_holds_few_pages(tmp_path: Path) -> None:
    def mapped() -> float:
        lines = STATUS.read_text().splitlines()
        return next(int(line.split()[1]) for line in lines if line.startswith("RssFile")) / 1024

    array = stored(tmp_path / "x", np.ones((3000, 2000)), held_bytes=2**24)  # 48 MB
    before = mapped()
    for start in range(0, 3000, 100):
        assert array.view(start, start + 100).sum() == 200_000
        assert mapped() - before < 14
    assert mapped() - before > 7  # the beginning stays


def test_products_are_those_of_numpy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stored_arrays, "WINDOW_BYTES", 1000)
    array = np.arange(3000.0).reshape(1000, 3)
    on_disk, ones = stored(tmp_path / "x", array), np.ones(1000)
    np.testing.assert_array_equal(on_disk @ np.eye(3), array)
    np.testing.assert_array_equal(ones @ on_disk, ones @ array)
    np.testing.assert_array_equal(np.eye(2, 1000) @ on_disk, array[:2])


def test_an_array_is_not_read_whole_by_accident(tmp_path: Path) -> None:
    with pytest.raises(TypeError, match=r"array\[:\] reads it whole"):
        np.asarray(stored(tmp_path / "x", np.zeros((4, 3))))


def test_checksums_do_not_depend_on_the_pieces(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(checksums, "CHECKED_BYTES", 100)
    array = np.random.default_rng(1).normal(size=(77, 3))
    found = []
    for name, cuts in (("a", []), ("b", [1, 2, 40, 76])):
        with ArrayWriter(tmp_path / name, array.dtype, (3,)) as writer:
            for piece in np.split(array, cuts):
                writer.append(piece)
        found.append(writer.checksums)
    assert found[0] == found[1] == checksums_of(tmp_path / "b")
    changed = bytearray((tmp_path / "a").read_bytes())
    changed[1000] ^= 1
    (tmp_path / "a").write_bytes(changed)
    assert [k for k, s in enumerate(checksums_of(tmp_path / "a")) if s != found[0][k]] == [10]


def bits(model: Any) -> bytes:
    said = f"{model.certificate_} {model.objective_!r} {model.n_iter_} {model.n_passes_}"
    return bytes(model.coef_.tobytes() + model.intercept_.tobytes()) + said.encode()


FITS: dict[str, tuple[int, int, int, type, dict[str, Any]]] = {
    "sampled": (101_000, 12, 2, np.float64, {}),
    "sampled, float32": (101_000, 12, 2, np.float32, {}),
    "without a penalty": (60_000, 6, 2, np.float64, {"C": np.inf}),
    "full Hessians": (30_000, 8, 2, np.float64, {"solver": "newton-cholesky"}),
    "products": (30_000, 8, 2, np.float64, {"solver": "newton-cg"}),
    "integers": (30_000, 8, 2, np.int16, {}),
    "three classes": (30_000, 6, 3, np.float64, {}),
    "balanced": (30_000, 8, 2, np.float64, {"class_weight": "balanced", "fit_intercept": False}),
}


@pytest.mark.parametrize("name", FITS)
def test_a_fit_to_rows_in_a_file_has_the_bits_of_memory(name: str, tmp_path: Path) -> None:
    n_samples, n_features, n_classes, dtype, settings = FITS[name]
    rng = np.random.default_rng(5)
    X: Any = (10 * rng.normal(size=(n_samples, n_features))).astype(dtype)
    noise = 20 * rng.gumbel(size=(n_samples, n_classes))
    y = np.argmax(X[:, :n_classes] + noise, axis=1)
    weight = rng.integers(0, 3, n_samples).astype(float)
    offset = None if n_classes > 2 else rng.normal(size=n_samples)
    X_used, y_used, weight_used = X[weight > 0], y[weight > 0], weight[weight > 0]
    offset_used = None if offset is None else offset[weight > 0]
    in_memory = LogisticRegression(**settings).fit(X_used, y_used, weight_used, offset_used)
    on_disk = stored(tmp_path / "x", X, [1, 999, 1000, 20_011])
    streamed = LogisticRegression(**settings).fit(on_disk, y, weight, offset)
    assert bits(in_memory) == bits(streamed)
    if name == "sampled":
        assert streamed.solver_ == "newton-sampled"
        assert "stays in a file" in streamed.explain()
        zeros = np.zeros(len(X))
        for predict in ("predict_proba", "decision_function"):
            expected = getattr(in_memory, predict)(X, zeros)
            np.testing.assert_array_equal(getattr(streamed, predict)(on_disk, zeros), expected)


def test_inference_on_rows_in_a_file_has_the_bits_of_memory(tmp_path: Path) -> None:
    rng = np.random.default_rng(8)
    X = rng.normal(size=(30_000, 5))
    y = (X[:, 0] + rng.logistic(size=30_000) > 0).astype(int)
    clusters = rng.integers(0, 40, 30_000)
    model, on_disk = LogisticRegression(C=np.inf).fit(X, y), stored(tmp_path / "x", X)
    for cov, others in (("model", None), ("HC3", None), ("CR1", clusters)):
        tables = [model.inference(rows, y, cov=cov, clusters=others).tidy for rows in (X, on_disk)]
        assert repr(tables[0]) == repr(tables[1])
    assert str(model.inference(X, y).ame()) == str(model.inference(on_disk, y).ame())


@pytest.mark.parametrize("rows", [[-1], [3, -7, 3], -1, 5, np.int64(2), [], ([4, 2], ...)], ids=str)
def test_rows_are_taken_as_numpy_takes_them(rows: Any, tmp_path: Path) -> None:
    X = np.random.default_rng(1).normal(size=(40, 3))
    picked = X[np.array(rows, dtype=int)] if isinstance(rows, list) else X[rows]
    np.testing.assert_array_equal(stored(tmp_path / "x", X)[rows], picked)


@pytest.mark.parametrize(
    ("rows", "words"),
    [
        ([40], "no row 40: it has 40 rows"),
        (-41, "no row -41"),
        ([True, False], "the mask is of 2 rows, not 40"),
        ([0.5], "not float64"),
        ([[1]], r"of shape \(1, 1\)"),
        ((slice(2), 0), r"array\[rows\]\[:, columns\]"),
    ],
)
def test_rows_that_are_not_there(rows: Any, words: str, tmp_path: Path) -> None:
    with pytest.raises(IndexError, match=words):
        stored(tmp_path / "x", np.ones((40, 3)))[rows]


@pytest.mark.parametrize("shape", [(), (2, 3, 4)])
def test_a_file_of_no_table_is_refused(shape: tuple[int, ...], tmp_path: Path) -> None:
    np.save(tmp_path / "a.npy", np.ones(shape))
    with pytest.raises(DataError, match=rf"array of {len(shape)} dimensions"):
        stored_arrays.open_npy(tmp_path / "a.npy")


def test_a_selection_that_cannot_be_written_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    array = stored(tmp_path / "x", np.ones((40, 3)))

    def full(*_: Any) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(ArrayWriter, "append", full)
    with pytest.raises(OSError, match="No space"):
        array.rows_at(np.arange(30))
    assert [path.name for path in tmp_path.iterdir()] == ["x"]


@pytest.mark.parametrize("held_bytes", [0, 2**28])  # the sample is in a file, or in memory
def test_a_fit_reads_the_file_once_per_pass(held_bytes: int, tmp_path: Path) -> None:
    rng = np.random.default_rng(11)
    array = rng.normal(size=(300_000, 8))
    labels = array[:, 0] + rng.logistic(size=len(array)) > 0
    on_disk = StoredArray(stored(tmp_path / "x", array).path, float, array.shape)
    on_disk.allowance.n_bytes = held_bytes
    told: list[int] = []
    on_disk.on_read = told.append
    model = LogisticRegression().fit(on_disk, labels)
    assert sum(told) / array.nbytes < model.n_passes_ + 0.2
    assert (model.coef_ == LogisticRegression().fit(array, labels).coef_).all()
    del model
    assert [path.name for path in tmp_path.iterdir()] == ["x"]
