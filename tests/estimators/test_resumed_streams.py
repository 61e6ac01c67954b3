"""Fits to streams that were stopped: begun again, they have the bits of a fit that was not."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from chainrule import LogisticRegression, PoissonRegressor, Stream
from chainrule.engine.objective.objective import Objective
from chainrule.engine.solvers import compiled_proximal
from chainrule.errors import DataError

pa = pytest.importorskip("pyarrow")
pq = pytest.importorskip("pyarrow.parquet")

MOMENTS = int(os.environ.get("CHAINRULE_KILLS", "1"))
"""Moments at which each kind of fit is killed; 100 take some minutes."""

N_ROWS = 42_000


class StoppedError(Exception):
    """What ends a fit before its time."""


def table(n_rows: int = N_ROWS) -> Any:
    rng = np.random.default_rng(11)
    data: dict[str, Any] = {f"x{k}": rng.normal(size=n_rows) for k in range(6)}
    score = data["x0"] - 0.5 * data["x3"]
    data["label"] = np.where(score + rng.logistic(size=n_rows) > 0, "yes", "no")
    data["n"] = rng.poisson(np.exp(0.3 * score.clip(-3, 3)))
    data["town"] = rng.choice(["Rome", "Oslo", "Bonn"], n_rows)
    return pa.table(data)


@pytest.fixture(scope="module")
def parts(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder, data = tmp_path_factory.mktemp("parts"), table()
    for k, (start, n) in enumerate([(0, 5), (5, 20_000), (20_005, N_ROWS)]):
        pq.write_table(data.slice(start, n), folder / f"{k}.parquet", row_group_size=3_001)
    return folder


X_NAMES = [f"x{k}" for k in range(6)]
FITS: dict[str, tuple[Any, str, list[str]]] = {
    "ridge": (LogisticRegression(), "label", X_NAMES),
    "lasso": (LogisticRegression(l1_ratio=1.0, C=0.002), "label", X_NAMES),
    "elastic net": (PoissonRegressor(l1_ratio=0.5, alpha=0.05), "n", X_NAMES),
    "no penalty": (LogisticRegression(C=np.inf), "label", X_NAMES),
    "categories": (LogisticRegression(), "label", ["town", "x0", "x3"]),
}


def stream(parts: Path, name: str) -> Stream:
    _, target, columns = FITS[name]
    return Stream.files(f"{parts}/*.parquet", target, columns=columns, memory=200_000)


def bits(model: Any) -> bytes:
    said = f"{model.certificate_} {model.objective_!r} {model.n_iter_} {model.n_passes_}"
    return bytes(model.coef_.tobytes() + np.asarray(model.intercept_).tobytes()) + said.encode()


@pytest.mark.slow
@pytest.mark.parametrize("name", FITS)
def test_a_stopped_fit_goes_on_without_the_passes_that_were_done(
    name: str, parts: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    model, state = FITS[name][0], tmp_path / "state"
    # rows this few take one compiled call a strength, in which there is no pass to recall
    monkeypatch.setattr(compiled_proximal, "MOST_ENTRIES", 0)
    whole = bits(model.fit_stream(stream(parts, name)))
    original, n_done = Objective._summed, 0
    computed = 0

    def stopping(self: Objective, *args: Any, **kwargs: Any) -> Any:
        nonlocal n_done
        n_done += self.journal is not None
        if n_done == 2:
            raise StoppedError
        return original(self, *args, **kwargs)

    with monkeypatch.context() as patch:
        patch.setattr(Objective, "_summed", stopping)
        with pytest.raises(StoppedError) as error:
            model.fit_stream(stream(parts, name), resume=state)
    assert "the same call goes on from there" in error.value.__notes__[-1]
    assert len(list(state.glob("passes-*/pass-*"))) == 1
    converted: list[int] = []
    sums, write = Objective.block_sums, Stream._converted

    def counted(self: Objective, *args: Any, **kwargs: Any) -> Any:
        nonlocal computed
        computed += self.journal is not None
        return sums(self, *args, **kwargs)

    def noted(self: Stream, folder: Path) -> Any:
        converted.append(1)
        return write(self, folder)

    monkeypatch.setattr(Objective, "block_sums", counted)
    monkeypatch.setattr(Stream, "_converted", noted)
    assert bits(model.fit_stream(stream(parts, name), resume=state)) == whole
    assert not converted
    assert not state.exists()
    after_stop, computed = computed, 0
    model.fit_stream(stream(parts, name), resume=state)
    assert after_stop < computed or name == "categories"  # which are summed elsewhere


PROGRAM = """
import sys
import numpy as np
sys.path.insert(0, sys.argv[4])
from test_resumed_streams import FITS, Path, bits, stream
model = FITS[sys.argv[1]][0].fit_stream(stream(Path(sys.argv[2]), sys.argv[1]), resume=sys.argv[3])
sys.stdout.buffer.write(bits(model))
"""


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="no SIGKILL")
@pytest.mark.parametrize("name", FITS if MOMENTS > 1 else ["lasso"])
def test_a_killed_fit_goes_on_to_the_same_bits(name: str, parts: Path, tmp_path: Path) -> None:
    state = tmp_path / "state"
    here = str(Path(__file__).parent)
    command = [sys.executable, "-c", PROGRAM, name, str(parts), str(state), here]
    begun = time.monotonic()
    expected = subprocess.run(command, check=True, capture_output=True).stdout
    whole = time.monotonic() - begun
    for moment in np.random.default_rng(len(name)).uniform(0.6, 1, MOMENTS):
        process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        try:
            process.communicate(timeout=whole * moment)
        except subprocess.TimeoutExpired:
            process.send_signal(signal.SIGKILL)
            process.communicate()
        assert subprocess.run(command, check=True, capture_output=True).stdout == expected
        assert not state.exists()


def few(path: Path, folder: Path | None = None, **choices: Any) -> Stream:
    return Stream.files(path, "n", columns=["x0", "x1"], **choices)


def stopped(path: Path, state: Path, given: Stream | None = None) -> None:
    """Leave the folder of a fit that was stopped when its rows were converted."""
    with pytest.raises(StoppedError), (given or few(path)).stored(state):
        raise StoppedError


def test_a_changed_input_is_refused(tmp_path: Path) -> None:
    path, state = tmp_path / "d.parquet", tmp_path / "state"
    pq.write_table(table(50), path)
    stopped(path, state)
    pq.write_table(table(51), path)
    with pytest.raises(DataError, match=r"d\.parquet: this file of the input changed since"):
        PoissonRegressor().fit_stream(few(path), resume=state)
    assert (state / "stream.json").exists()


DAMAGES: dict[str, Any] = {
    "a byte": lambda state: flip(state / "rows"),
    "cut": lambda state: os.truncate(state / "rows", 100),
    "gone": lambda state: (state / "column-2").unlink(),
    "no manifest": lambda state: (state / "stream.json").write_text('{"origin": 3}'),
}


def flip(path: Path) -> None:
    data = bytearray(path.read_bytes())
    data[77] ^= 8
    path.write_bytes(data)


@pytest.mark.parametrize("name", DAMAGES)
def test_damaged_rows_are_converted_again(name: str, tmp_path: Path) -> None:
    path, state = tmp_path / "d.parquet", tmp_path / "state"
    pq.write_table(table(50), path)
    stopped(path, state)
    DAMAGES[name](state)
    found = PoissonRegressor().fit_stream(few(path), resume=state)
    assert bits(found) == bits(PoissonRegressor().fit_stream(few(path)))
    assert not state.exists()


def test_other_columns_are_converted_again(tmp_path: Path) -> None:
    path, state = tmp_path / "d.parquet", tmp_path / "state"
    pq.write_table(table(50), path)
    stopped(path, state, Stream.files(path, "n", columns=["x1", "x2"]))
    found = PoissonRegressor().fit_stream(few(path), resume=state)
    assert bits(found) == bits(PoissonRegressor().fit_stream(few(path)))


def test_a_folder_of_something_else_and_one_in_use_are_left_alone(tmp_path: Path) -> None:
    path, state = tmp_path / "d.parquet", tmp_path / "state"
    pq.write_table(table(50), path)
    with few(path).stored(state), pytest.raises(DataError, match=r"another fit.* is writing here"):
        PoissonRegressor().fit_stream(few(path), resume=state)
    state.mkdir()
    (state / "letters").write_text("mine")
    with pytest.raises(DataError, match=r"something else than a stopped fit: letters.*resume"):
        PoissonRegressor().fit_stream(few(path), resume=state)
    assert (state / "letters").read_text() == "mine"


@pytest.mark.parametrize(
    "name",
    [
        "rows.csv",
        "column-names.txt",
        "levels-of-water.csv",
        "passes-2024.log",
        "stream.json",
        ".notes.part",
        "rows.of.mine.part",
        "column-0.csv",
    ],
)
def test_files_that_are_named_like_those_of_a_fit_are_kept(name: str, tmp_path: Path) -> None:
    mine = tmp_path / "data" / name
    mine.parent.mkdir()
    mine.write_text("mine")
    with pytest.raises(DataError, match=r"holds something else than a stopped fit: \S+\. Move it"):
        LogisticRegression().fit_stream(Stream(few_batches, target="y"), resume=mine.parent)
    assert mine.read_text() == "mine"
    assert [entry.name for entry in mine.parent.iterdir()] == [name]


def few_batches() -> Any:
    yield {"x": [0.0, 1.0, 2.0, 3.0], "y": [0, 1, 0, 1]}
