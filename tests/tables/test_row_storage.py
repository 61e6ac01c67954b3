"""Rows in files: the model file has the bytes of a fit in memory, also after a stop."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import nullcontext, suppress
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from chainrule.errors import DataError
from chainrule.tables import row_storage
from chainrule.tables.dates import DateColumn
from chainrule.tables.fitting import fit_file
from chainrule.tables.fitting_regression import fit_regression_file
from chainrule.tables.losses import choose_loss
from chainrule.tables.options import FitOptions
from chainrule.tables.row_storage import Storage, expanded_bytes, fingerprint
from chainrule.tables.validation.options import ValidationOptions

pd = pytest.importorskip("pandas")

N_ROWS = 24_000
MOMENTS = int(os.environ.get("CHAINRULE_KILLS", "1"))
"""Moments at which a fit is killed; 100 take some minutes."""


def frame() -> Any:
    rng = np.random.default_rng(0)
    data = pd.DataFrame({f"x{k}": rng.normal(size=N_ROWS) * 10.0**k for k in range(5)})
    data["colour"] = rng.choice(["red", "green", "blue"], N_ROWS)
    data["code"] = rng.integers(0, 4, N_ROWS)
    noise = rng.gumbel(size=(N_ROWS, 3))
    scores = np.column_stack([data.x0, -data.x0, data.colour == "red"]) + noise
    data["kind"] = np.array(["a", "b", "c"])[scores.argmax(axis=1)]
    data["y"] = np.where(data.x0 + rng.logistic(size=N_ROWS) > 0, "yes", "no")
    data["n"] = rng.poisson(np.exp(0.3 * data.x0))
    data["w"], data["t"] = rng.integers(0, 3, N_ROWS), rng.uniform(1, 3, N_ROWS)
    data["day"] = pd.Timestamp("2020-01-01") + pd.to_timedelta(rng.integers(0, 900, N_ROWS), "D")
    data.loc[rng.integers(0, N_ROWS, 50), "x3"] = np.nan
    return data


def in_parts(data: Any, path: Path) -> Path:
    path.mkdir()
    for name, rows in (("a", slice(0, 7)), ("b", slice(7, 9001)), ("c", slice(9001, None))):
        data[rows].to_parquet(path / f"{name}.parquet", row_group_size=977)
    return path


def as_csv(data: Any, path: Path) -> Path:
    data.to_csv(path, index=False)
    return path


def as_feather(data: Any, path: Path) -> Path:
    data.to_feather(path)
    return path


FORMATS: dict[str, Callable[[Any, Path], Path]] = {
    "parts": in_parts,
    "table.csv": as_csv,
    "table.csv.gz": as_csv,
    "table.feather": as_feather,
}


@pytest.fixture(scope="module")
def inputs(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    folder, data = tmp_path_factory.mktemp("inputs"), frame()
    return {name: write(data, folder / name) for name, write in FORMATS.items()}


@pytest.fixture(scope="module")
def few(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    return {"parts": as_feather(frame()[:1500], tmp_path_factory.mktemp("few") / "table.feather")}


DAY = (DateColumn.read("day", None),)
CHOICES: dict[str, FitOptions] = {
    "weights": FitOptions("y", ignore=("n", "kind"), dates=DAY, weights="w", missing="mean"),
    "dropped rows": FitOptions(
        "y", ignore=("n", "kind"), dates=DAY, missing="drop", categories=("code",)
    ),
    "three classes": FitOptions(
        "kind", ignore=("n", "y"), dates=DAY, missing="indicator", holdout=0.0
    ),
    "no penalty, in time": FitOptions(
        "y", ignore=("n", "kind", "day"), C=np.inf, time="t", missing="mean", offset="x0"
    ),
}


def saved(fitted: Any, path: Path) -> bytes:
    fitted.model.save(path)
    return path.read_bytes()


def stored(tmp_path: Path, **settings: Any) -> Storage:
    return Storage(in_files=True, memory=100_000, state=tmp_path / "state", **settings)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("form", "name"),
    [(form, "weights") for form in FORMATS] + [("parts", name) for name in CHOICES],
)
def test_the_model_file_has_the_bytes_of_a_fit_in_memory(
    form: str, name: str, inputs: dict[str, Path], tmp_path: Path
) -> None:
    choices, path = CHOICES[name], inputs[form]
    streamed = fit_file(path, choices, storage=stored(tmp_path))
    assert saved(fit_file(path, choices), tmp_path / "a") == saved(streamed, tmp_path / "b")
    assert any("the rows stay in files" in note for note in streamed.notes)
    assert not (tmp_path / "state").exists()


def test_a_regression_has_the_bytes_of_a_fit_in_memory(
    inputs: dict[str, Path], tmp_path: Path
) -> None:
    loss = choose_loss("poisson", {}, None, None)
    choices = FitOptions(
        "n", ignore=("y", "kind", "day"), exposure="t", weights="w", missing="mean"
    )
    found = [
        saved(fit_regression_file(inputs["parts"], choices, loss, storage=storage), tmp_path / "m")
        for storage in (Storage(), stored(tmp_path))
    ]
    assert found[0] == found[1]


def test_many_levels_stay_sparse(tmp_path: Path) -> None:
    rng = np.random.default_rng(1)
    data = pd.DataFrame(
        {"word": rng.integers(0, 300, 5000).astype(str), "x": rng.normal(size=5000)}
    )
    data["y"] = np.where(data.x + rng.logistic(size=5000) > 0, 1, 0)
    path = as_csv(data, tmp_path / "d.csv")
    choices = FitOptions("y", categories=("word",), holdout=0.0)
    found = [fit_file(path, choices, storage=s) for s in (Storage(), stored(tmp_path))]
    assert saved(found[0], tmp_path / "a") == saved(found[1], tmp_path / "b")


@pytest.mark.slow
def test_rows_go_to_files_where_they_exceed_the_memory(
    inputs: dict[str, Path], tmp_path: Path
) -> None:
    for memory, expected in ((10**9, False), (2_000_000, True)):
        said = fit_file(inputs["parts"], CHOICES["weights"], storage=Storage(memory=memory)).notes
        assert any("stay in files" in note for note in said) is expected


def interrupted(inputs: dict[str, Path], tmp_path: Path, word: str) -> Storage:
    """Stop a fit as soon as it says a word, as a power cut would, and return where it stands."""

    def say(words: str) -> None:
        if word in words:
            raise KeyboardInterrupt

    with suppress(KeyboardInterrupt):  # one during the passes ends the fit at its best point
        fit_file(inputs["parts"], CHOICES["weights"], say, stored(tmp_path))
    assert (tmp_path / "state").exists()
    return stored(tmp_path, resume=True)


def test_a_changed_input_is_not_gone_on_with(tmp_path: Path) -> None:
    path = in_parts(frame(), tmp_path / "parts")
    storage = interrupted({"parts": path}, tmp_path, "encoding")
    (path / "b.parquet").unlink()
    with pytest.raises(DataError, match=r"b\.parquet: this file of the input is gone"):
        fit_file(path, CHOICES["weights"], storage=storage)


def test_a_second_fit_does_not_touch_the_files_of_the_first(
    few: dict[str, Path], tmp_path: Path
) -> None:
    refused: list[str] = []

    def say(words: str) -> None:
        if "encoding" in words and not refused:
            with pytest.raises(DataError, match=r"another fit \(process \d+\)") as error:
                fit_file(few["parts"], CHOICES["weights"], storage=stored(tmp_path))
            refused.append(str(error.value))

    found = fit_file(few["parts"], CHOICES["weights"], say, stored(tmp_path))
    expected = fit_file(few["parts"], CHOICES["weights"])
    assert saved(found, tmp_path / "a") == saved(expected, tmp_path / "b")
    assert "Wait for it, stop it, or name another place" in refused[0]
    assert not (tmp_path / "state").exists()


def test_a_stopped_fit_is_not_thrown_away_unasked(few: dict[str, Path], tmp_path: Path) -> None:
    interrupted(few, tmp_path, "step 2")
    before = sorted(path.name for path in (tmp_path / "state").rglob("*"))
    with pytest.raises(DataError, match=r"kept here. Go on with it: --resume. To start again, rem"):
        fit_file(few["parts"], CHOICES["weights"], storage=stored(tmp_path))
    assert sorted(path.name for path in (tmp_path / "state").rglob("*")) == before
    assert any(name.startswith("pass-") for name in before)


@pytest.mark.parametrize("kind", [OSError(28, "No space left"), MemoryError(), DataError("Bad.")])
def test_what_was_done_outlives_any_error(
    kind: Exception, few: dict[str, Path], tmp_path: Path
) -> None:
    def say(words: str) -> None:
        if "step 2" in words:
            raise kind

    with pytest.raises(type(kind)) as error:
        fit_file(few["parts"], CHOICES["weights"], say, stored(tmp_path))
    told = [str(error.value), *getattr(error.value, "__notes__", [])]
    assert "the command with --resume uses them" in told[-1]
    assert list((tmp_path / "state").glob("passes-*/pass-*"))
    inode = (tmp_path / "state" / "column-1").stat().st_ino
    steps: list[int] = []

    def look(words: str) -> None:
        steps.append((tmp_path / "state" / "column-1").stat().st_ino)

    fit_file(few["parts"], CHOICES["weights"], look, stored(tmp_path, resume=True))
    assert set(steps) == {inode}
    assert not (tmp_path / "state").exists()


def test_a_stop_between_two_conversions_does_not_mix_them(
    few: dict[str, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    storage = interrupted(few, tmp_path, "encoding")
    other = FitOptions("y", ignore=("n", "kind", "day"), missing="mean", categories=("code",))

    def cut(*_: Any) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch, suppress(KeyboardInterrupt):
        patch.setattr(row_storage, "store_table", cut)
        fit_file(few["parts"], other, storage=storage)
    again = fit_file(few["parts"], other, storage=storage)
    assert saved(again, tmp_path / "a") == saved(fit_file(few["parts"], other), tmp_path / "b")


def test_a_sparse_penalty_ends_its_state(few: dict[str, Path], tmp_path: Path) -> None:
    choices = FitOptions("y", ignore=("n", "kind", "day"), missing="mean", l1_ratio=1.0, C=0.01)
    found = fit_file(few["parts"], choices, storage=stored(tmp_path))
    expected = fit_file(few["parts"], choices)
    assert saved(found, tmp_path / "a") == saved(expected, tmp_path / "b")
    assert not (tmp_path / "state").exists()


@pytest.mark.parametrize("name", [".input.json.3x.part", ".table.json.9q.part", "column-0", "lock"])
def test_what_a_power_cut_leaves_is_no_obstacle(
    name: str, few: dict[str, Path], tmp_path: Path
) -> None:
    (tmp_path / "state").mkdir()
    (tmp_path / "state" / name).write_text("half")
    fit_file(few["parts"], CHOICES["weights"], storage=stored(tmp_path))
    assert not (tmp_path / "state").exists()


@pytest.mark.parametrize("loss", [None, "poisson"])
def test_the_rows_of_a_fold_go_with_it(
    loss: str | None, few: dict[str, Path], tmp_path: Path
) -> None:
    choices = FitOptions(
        "n" if loss else "y",
        ignore=("y" if loss else "n", "kind", "day"),
        missing="mean",
        validation=ValidationOptions(folds=6, grid=(0.01, 1.0)),
    )
    most: list[int] = []

    def say(words: str) -> None:
        if "fold" in words:
            most.append(len(list((tmp_path / "state").glob("rows-*"))))

    if loss:
        chosen = choose_loss(loss, {}, None, None)
        fit_regression_file(few["parts"], choices, chosen, say, stored(tmp_path))
    else:
        fit_file(few["parts"], choices, say, stored(tmp_path))
    assert len(most) == 6
    assert max(most) <= 3  # all rows, and those of the fold before


@pytest.mark.parametrize(("folds", "fits"), [(None, True), (3, False)])
def test_a_disk_too_small_is_said_before(
    folds: int | None,
    fits: bool,
    few: dict[str, Path],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    free = int(2.5 * expanded_bytes(few["parts"]))
    monkeypatch.setattr("shutil.disk_usage", lambda _: SimpleNamespace(free=free))
    validation = ValidationOptions(folds=folds, grid=(1.0,))
    choices = FitOptions("y", ignore=("n", "kind", "day"), missing="mean", validation=validation)
    with nullcontext() if fits else pytest.raises(DataError, match="GB are free there"):
        fit_file(few["parts"], choices, storage=stored(tmp_path))
    assert not (tmp_path / "state").exists()


def test_what_takes_rows_in_memory_is_refused_before_the_fit(
    few: dict[str, Path], tmp_path: Path
) -> None:
    said: list[str] = []
    for storage in (
        stored(tmp_path, held_for="--path"),
        Storage(memory=1000, held_for="--path", state=tmp_path / "state"),
    ):
        with pytest.raises(DataError, match="--path takes rows in memory, and these stay in files"):
            fit_file(few["parts"], CHOICES["weights"], said.append, storage)
    assert not any("converting" in words for words in said)
    assert not (tmp_path / "state").exists()


@pytest.mark.slow
def test_damaged_columns_are_converted_again(inputs: dict[str, Path], tmp_path: Path) -> None:
    storage = interrupted(inputs, tmp_path, "encoding")
    column = tmp_path / "state" / "column-1"
    data = bytearray(column.read_bytes())
    data[12345] ^= 1
    column.write_bytes(data)
    again = fit_file(inputs["parts"], CHOICES["weights"], storage=storage)
    whole = fit_file(inputs["parts"], CHOICES["weights"])
    assert saved(again, tmp_path / "a") == saved(whole, tmp_path / "b")


@pytest.mark.slow
def test_other_options_do_not_use_what_was_stored(inputs: dict[str, Path], tmp_path: Path) -> None:
    storage = interrupted(inputs, tmp_path, "step 2")
    other = FitOptions("y", ignore=("n", "kind", "day", "x1"), missing="mean", C=0.01)
    again = fit_file(inputs["parts"], other, storage=storage)
    assert saved(again, tmp_path / "a") == saved(fit_file(inputs["parts"], other), tmp_path / "b")


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="no SIGKILL")
def test_a_killed_fit_goes_on_to_the_same_bytes(inputs: dict[str, Path], tmp_path: Path) -> None:
    path = inputs["table.csv"]
    expected = saved(fit_file(path, CHOICES["weights"]), tmp_path / "expected")
    out = tmp_path / "m.json"
    options = (
        "--target y --ignore n --ignore kind --date day --weights w --missing mean --memory 100kB"
    )
    command = [sys.executable, "-m", "chainrule", "fit", str(path), *options.split()]
    command += ["--out", str(out), "--json", "--resume"]
    begun = time.monotonic()
    subprocess.run(command, check=True, capture_output=True)
    whole = time.monotonic() - begun
    assert out.read_bytes() == expected
    rng = np.random.default_rng(5)
    for moment in rng.uniform(0.3, 1, MOMENTS):
        out.unlink()
        process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        try:
            process.communicate(timeout=whole * moment)
        except subprocess.TimeoutExpired:
            process.send_signal(signal.SIGKILL)
            process.communicate()
        subprocess.run(command, check=True, capture_output=True)
        assert out.read_bytes() == expected
        assert not (tmp_path / "m.json.state").exists()


def test_a_fingerprint_sees_both_ends(tmp_path: Path) -> None:
    path = tmp_path / "d.csv"
    path.write_bytes(b"x" * 200_000)
    state = path.stat()
    before = fingerprint(path)
    for place in (0, 199_999):
        data = bytearray(b"x" * 200_000)
        data[place] = ord("y")
        path.write_bytes(data)
        os.utime(path, ns=(state.st_atime_ns, state.st_mtime_ns))
        assert fingerprint(path) != before


@pytest.mark.parametrize("name", ["nowhere.csv", "nowhere/*.parquet", "empty.parquet"])
def test_what_cannot_be_read_is_said_as_in_memory(name: str, tmp_path: Path) -> None:
    (tmp_path / "empty.parquet").write_bytes(b"")
    said = []
    for storage in (Storage(), stored(tmp_path)):
        with pytest.raises(DataError) as error:
            fit_file(tmp_path / name, FitOptions("y"), storage=storage)
        said.append(str(error.value))
    assert said[0] == said[1]
    assert not (tmp_path / "state").exists()


def test_a_folder_of_something_else_is_left_alone(inputs: dict[str, Path], tmp_path: Path) -> None:
    (tmp_path / "state").mkdir()
    (tmp_path / "state" / "letters").write_text("mine")
    with pytest.raises(DataError, match=r"state: this folder holds something else"):
        fit_file(inputs["parts"], CHOICES["weights"], storage=stored(tmp_path))
    assert (tmp_path / "state" / "letters").read_text() == "mine"
