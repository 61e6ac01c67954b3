"""Rows of the fit among those of another table, and numbers outside their range."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner, Result

from chainrule.cli.main import cli
from chainrule.errors import ModelFileError
from chainrule.tables.fingerprint import FingerprintMaker, Overlap, row_hashes
from chainrule.tables.model import TableModel
from chainrule.tables.table import Column, NumberColumn, Table, TextColumn

COLUMNS = ["x", "n", "colour"]


def table(seed: int, n_rows: int, *, coarse: bool = False) -> Table:
    rng = np.random.default_rng(seed)
    x = rng.normal(size=n_rows)
    x = np.round(x) if coarse else x
    count = rng.integers(-2, 3, size=n_rows).astype(float)
    count[rng.random(n_rows) < 0.1] = np.nan
    columns: dict[str, Column] = {
        "x": NumberColumn("x", x, np.isnan(x)),
        "n": NumberColumn("n", count, np.isnan(count)),
        "colour": TextColumn("colour", rng.integers(-1, 3, size=n_rows), ("red", "blue", "grün")),
    }
    return Table("made", columns, np.arange(1, n_rows + 1))


def share(fitted: Table, other: Table, parts: int = 1) -> float | None:
    maker = FingerprintMaker(fitted.n_rows)
    for rows in np.array_split(np.arange(fitted.n_rows), parts):
        maker.add(row_hashes(fitted.take(rows), COLUMNS))
    overlap = Overlap(maker.fingerprint(), COLUMNS)
    for rows in np.array_split(np.random.default_rng(0).permutation(other.n_rows), parts):
        overlap.add(other.take(rows))
    return overlap.share


def joined(a: Table, b: Table) -> Table:
    columns: dict[str, Column] = {}
    for name in COLUMNS:
        one, two = a.columns[name], b.columns[name]
        if isinstance(one, NumberColumn) and isinstance(two, NumberColumn):
            values = np.append(one.values, two.values)
            columns[name] = NumberColumn(name, values, np.isnan(values))
        elif isinstance(one, TextColumn) and isinstance(two, TextColumn):
            words = tuple(reversed(one.words))
            lookup = np.array([*(words.index(word) for word in one.words), -1])
            columns[name] = TextColumn(name, lookup[np.append(one.codes, two.codes)], words)
    return Table("joined", columns, np.arange(1, a.n_rows + b.n_rows + 1))


@pytest.mark.parametrize("n_rows", [12, 300, 40_000])
def test_share_of_rows_of_the_fit(n_rows: int) -> None:
    fitted, new = table(1, n_rows), table(2, n_rows)
    assert share(fitted, fitted) == pytest.approx(1.0)
    assert share(fitted, fitted, parts=3) == pytest.approx(1.0)
    assert share(fitted, new) is None
    if n_rows > 100:
        assert share(fitted, joined(fitted, new)) == pytest.approx(0.5, abs=0.08)
        part = fitted.take(np.arange(0, n_rows, 4))
        assert share(fitted, part) == pytest.approx(1.0)
        wide = joined(part, table(3, 9 * part.n_rows))
        assert share(fitted, wide) in (None, pytest.approx(0.1, abs=0.06))


def test_rows_that_repeat_by_chance_say_nothing() -> None:
    fitted, new = table(4, 2000, coarse=True), table(5, 2000, coarse=True)
    assert share(fitted, new) is None


def test_false_alarms_are_rare() -> None:
    fitted = table(6, 500)
    assert sum(share(fitted, table(seed, 30)) is not None for seed in range(100, 400)) <= 2


def test_fingerprint_does_not_tell_of_single_rows() -> None:
    maker = FingerprintMaker(500)
    maker.add(row_hashes(table(1, 500), COLUMNS))
    kept = maker.fingerprint()
    assert 0.1 < kept.filled < 0.25
    assert len(kept.bits) <= 500
    large = FingerprintMaker(10**7)
    large.add(np.random.default_rng(0).integers(0, 2**63, size=10**6).astype(np.uint64))
    assert len(large.fingerprint().bits) <= 8192


def run(*arguments: str) -> Result:
    return CliRunner().invoke(cli, list(arguments))


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("seen")
    rng = np.random.default_rng(0)
    for name, n in (("train", 400), ("new", 150)):
        age, dose = rng.uniform(20, 70, n), rng.exponential(2, n)
        city = np.array(["Ulm", "Bonn", "Kiel"])[rng.integers(0, 3, n)]
        ill = np.where(0.05 * age - dose + rng.logistic(size=n) > 0, "yes", "no")
        with (place / f"{name}.csv").open("w", newline="", encoding="utf-8") as file:
            writer = csv.writer(file)
            writer.writerow(["age", "dose", "city", "clinic", "ill"])
            writer.writerows(zip(age, dose, city, np.arange(n) // 5, ill, strict=True))
    common = ("fit", str(place / "train.csv"), "--target", "ill")
    for name, more in (
        ("whole", ("--ignore", "clinic", "--holdout", "0")),
        ("held", ("--group", "clinic", "--holdout", "0.25")),
        ("curve", ("--formula", "ill ~ bs(age, df=5) + log(dose) + city", "-C", "inf")),
    ):
        done = run(*common, *more, "--out", str(place / f"{name}.json"))
        assert done.exit_code == 0, done.output
    return place


def compare(place: Path, one: str, two: str, data: str, *more: str) -> dict[str, Any]:
    models = (str(place / f"{one}.json"), str(place / f"{two}.json"))
    done = run("compare", *models, "--data", str(place / f"{data}.csv"), "--json", *more)
    assert done.exit_code == 0, done.output
    found: dict[str, Any] = json.loads(done.output)
    return found


def test_compare_warns_of_rows_of_the_fit(place: Path) -> None:
    assert compare(place, "whole", "curve", "new")["notes"] == []
    (note,) = compare(place, "whole", "held", "train")["notes"]
    assert "the first model was fitted to all" in note
    assert "the second model was fitted to about 7" in note
    assert "in-sample and optimistic" in note
    shown = run(
        *("compare", str(place / "held.json"), str(place / "whole.json")),
        *("--data", str(place / "train.csv")),
    ).output
    assert "in-sample and optimistic" in " ".join(shown.split())


def test_compare_takes_groups_for_independent(place: Path) -> None:
    found = compare(place, "whole", "held", "new")
    assert (found["cluster_column"], found["n_clusters"]) == ("clinic", 30)
    plain = compare(place, "whole", "curve", "new")
    assert (plain["cluster_column"], plain["n_clusters"]) == ("", 0)
    asked = compare(place, "whole", "curve", "new", "--group", "clinic")
    assert asked["n_clusters"] == 30
    wrong = run(
        *("compare", str(place / "whole.json"), str(place / "held.json")),
        *("--data", str(place / "new.csv"), "--group", "clinc"),
    )
    assert wrong.exit_code == 1
    assert "Did you mean 'clinic'?" in wrong.output + str(wrong.exception)


def test_metrics_of_a_fit_draw_groups(place: Path) -> None:
    common = ("fit", str(place / "train.csv"), "--target", "ill", "--group", "clinic", "--json")
    found = json.loads(run(*common, "--holdout", "0.5").output)["validation"]
    assert (found["cluster_column"], found["n_clusters"]) == ("clinic", 40)
    (place / "bare.csv").write_text(
        "\n".join(
            ",".join(line.split(",")[:3] + line.split(",")[4:])
            for line in (place / "new.csv").read_text().splitlines()
        )
    )
    bare = json.loads(run(*common, "--test", str(place / "bare.csv")).output)
    assert bare["validation"]["n_clusters"] == 0
    assert any("have no column 'clinic'" in note for note in bare["notes"])
    shown = run(*common[:-1], "--holdout", "0.5").output
    assert "40 values of 'clinic' for independent" in " ".join(shown.split())


FAR = "age,dose,city\n19,1,Ulm\n90,2,Bonn\n30,3,Kiel\n,4,Ulm\n95,99,Bonn\n"


@pytest.mark.parametrize("model", ["whole", "curve"])
def test_predict_counts_rows_outside_the_range_of_the_fit(place: Path, model: str) -> None:
    far = place / "far.csv"
    far.write_text(FAR)
    done = run("predict", str(place / f"{model}.json"), str(far), "--blank")
    assert done.exit_code == 0, done.output
    (note,) = [line for line in done.stderr.splitlines() if line.startswith("note: ")]
    assert "of 5 rows" in note
    assert "age in 3 (to 19 and 95; the fit saw 20." in note
    assert "dose in 1 (to 99; the fit saw" in note
    assert ("bs(age, df=5) continues a polynomial" in note) == (model == "curve")
    inside = run("predict", str(place / "whole.json"), str(place / "train.csv"))
    assert "note" not in inside.stderr


def test_a_file_without_ranges_still_has_the_knots(place: Path) -> None:
    kept = json.loads((place / "curve.json").read_text())
    del kept["trained_on"]
    (place / "old.json").write_text(json.dumps(kept))
    (place / "far.csv").write_text(FAR)
    done = run("predict", str(place / "old.json"), str(place / "far.csv"), "--blank")
    assert "age in 3" in done.stderr
    assert "dose" not in done.stderr
    assert compare(place, "old", "old", "train")["notes"] == []


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda t: t["ranges"].update(age=[3, 1]), "3.0 is above 1.0"),
        (lambda t: t["ranges"].update(age=[3]), "1 numbers, 2 expected"),
        (lambda t: t["fingerprint"].update(bits="AAA="[:3]), "this is not base64"),
        (lambda t: t["fingerprint"].update(bits="AAAA"), "not a power of two"),
        (lambda t: t["fingerprint"].update(repeats=2), "out of its range"),
        (lambda t: t.update(more=1), "'more' does not belong there"),
    ],
)
def test_damaged_files_are_refused(place: Path, change: Any, said: str) -> None:
    kept = json.loads((place / "whole.json").read_text())
    change(kept["trained_on"])
    path = place / "damaged.json"
    path.write_text(json.dumps(kept))
    with pytest.raises(ModelFileError, match=said):
        TableModel.load(path)


def test_the_record_reads_back(place: Path) -> None:
    model = TableModel.load(place / "curve.json")
    model.save(place / "again.json")
    assert (place / "again.json").read_text() == (place / "curve.json").read_text()
    assert model.trained_on is not None
    assert set(model.trained_on.ranges) == {"age", "dose"}
    assert model.trained_on.fingerprint.n_rows == 320
