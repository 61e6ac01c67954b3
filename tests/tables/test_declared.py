"""Columns are what their owner says: roles, from options to the model file and to predictions."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet
import pytest
from click.testing import CliRunner, Result

from chainrule import LogisticRegression
from chainrule.cli.main import cli
from chainrule.errors import DataError
from chainrule.tables.columns_file import with_columns_file
from chainrule.tables.dates import DateColumn
from chainrule.tables.files.options import ReadOptions
from chainrule.tables.fitting import fit_file
from chainrule.tables.options import FitOptions
from chainrule.tables.reading import Declared, read_table
from chainrule.tables.splitting import hold_out_groups, hold_out_last

random = np.random.default_rng(3)
N = 120
LABELS = random.choice(["no", "yes"], N)
ZIPS = random.choice(["01234", "1234", "001234", "9"], N)
X = random.normal(size=N)


def run(*arguments: str | Path) -> Result:
    return CliRunner().invoke(cli, [str(argument) for argument in arguments])


def done(*arguments: str | Path) -> Result:
    result = run(*arguments)
    assert result.exit_code == 0, result.output
    return result


def refused(*arguments: str | Path) -> str:
    result = run(*arguments)
    assert result.exit_code == 1, result.output
    return result.output


def written(path: Path, **columns: Any) -> Path:
    names = list(columns)
    with path.open("w", newline="") as file:
        csv.writer(file, lineterminator="\n").writerows(
            [names, *zip(*columns.values(), strict=True)]
        )
    return path


@pytest.fixture
def data(tmp_path: Path) -> Path:
    return written(tmp_path / "data.csv", zip=ZIPS, x=X.round(4), t=LABELS)


def rows_of(result: Result) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(result.stdout)))


def test_categories_are_text_byte_for_byte(data: Path, tmp_path: Path) -> None:
    done("fit", data, "--target", "t", "--category", "zip", "--out", tmp_path / "m.json")
    (spec,) = (
        c for c in json.loads((tmp_path / "m.json").read_text())["columns"] if c["name"] == "zip"
    )
    assert {spec["base"], *spec["others"]} == {"01234", "1234", "001234", "9"}


def test_labels_are_text_byte_for_byte(tmp_path: Path) -> None:
    labels = np.where(LABELS == "no", "01", "1")
    data = written(tmp_path / "d.csv", x=X, t=labels)
    assert fit_file(data, FitOptions("t")).model.classes == ("01", "1")


CELLS = ["00001", "NA", "", "null", "1e5", " a ", "2024-01-02", "3.50", "007", "é,;\"'"]


def test_kept_cells_do_not_change(data: Path, tmp_path: Path) -> None:
    done("fit", data, "--target", "t", "--category", "zip", "--out", tmp_path / "m.json")
    new = written(
        tmp_path / "new.csv",
        id=CELLS,
        big=[str(2**53 + k) for k in range(len(CELLS))],
        zip=["01234"] * len(CELLS),
        x=["0.50"] * len(CELLS),
    )
    keep = [word for name in ("id", "big", "zip", "x") for word in ("--keep", name)]
    found = rows_of(done("predict", tmp_path / "m.json", new, *keep))
    assert [row["id"] for row in found] == CELLS
    assert [row["big"] for row in found] == [str(2**53 + k) for k in range(len(CELLS))]
    assert {row["x"] for row in found} == {"0.50"}
    assert {row["zip"] for row in found} == {"01234"}


def test_kept_columns_of_parquet(data: Path, tmp_path: Path) -> None:
    done("fit", data, "--target", "t", "--category", "zip", "--out", tmp_path / "m.json")
    table = pa.table(
        {
            "zip": ["9", "9"],
            "x": [1, None],
            "when": pa.array([0, None], pa.date32()),
            "id": pa.array([2**60 + 1, None]),
            "cost": pa.array(["1.50", "2.00"]).cast(pa.decimal128(9, 2)),
        }
    )
    pyarrow.parquet.write_table(table, tmp_path / "n.parquet")
    keep = [word for name in ("when", "id", "cost", "x") for word in ("--keep", name)]
    found = rows_of(done("predict", tmp_path / "m.json", tmp_path / "n.parquet", "--blank", *keep))
    assert [row["when"] for row in found] == ["1970-01-01", ""]
    assert [row["id"] for row in found] == [str(2**60 + 1), ""]
    assert [row["cost"] for row in found] == ["1.50", "2.00"]
    assert [row["x"] for row in found] == ["1", ""]


FORMULAS = ["=HYPERLINK(1)", "+1+1", "-2+3", "@SUM(1)", "\t=1"]


@pytest.mark.parametrize("word", FORMULAS)
def test_formulas_are_quoted_unless_raw(data: Path, tmp_path: Path, word: str) -> None:
    done("fit", data, "--target", "t", "--ignore", "zip", "--out", tmp_path / "m.json")
    new = written(tmp_path / "new.csv", note=[word, "-3", "a=b"], x=[1, 2, 3])
    quoted = rows_of(done("predict", tmp_path / "m.json", new, "--keep", "note"))
    assert [row["note"] for row in quoted] == [f"'{word}", "-3", "a=b"]
    raw = rows_of(done("predict", tmp_path / "m.json", new, "--keep", "note", "--raw"))
    assert [row["note"] for row in raw] == [word, "-3", "a=b"]


def test_one_model_reads_both_kinds_of_file(tmp_path: Path) -> None:
    columns = {
        "word": random.choice(["NA", "q", "r"], N).tolist(),
        "flag": random.choice([True, False], N).tolist(),
        "code": random.choice([1.0, 3.0], N).tolist(),
        "x": X.tolist(),
    }
    text = written(tmp_path / "d.csv", **columns, t=LABELS)
    pyarrow.parquet.write_table(pa.table({**columns, "t": LABELS}), tmp_path / "d.parquet")
    answers = []
    for kind in ("csv", "parquet"):
        model = tmp_path / f"{kind}.json"
        options = ["--target", "t", "--category", "code", "--missing", "indicator"]
        done("fit", tmp_path / f"d.{kind}", *options, "--out", model)
        answers += [done("predict", model, file).stdout for file in (text, tmp_path / "d.parquet")]
    values = [
        [float(row["probability_yes"]) for row in csv.DictReader(io.StringIO(a))] for a in answers
    ]
    for other in values[1:]:
        np.testing.assert_allclose(other, values[0], rtol=1e-9)


def test_numbers_and_words_for_missing(tmp_path: Path) -> None:
    data = written(tmp_path / "d.csv", zip=ZIPS, x=np.where(X > 1, -999, X.round(3)), t=LABELS)
    own = FitOptions(
        "t", numbers=("zip",), missing="mean", file=ReadOptions(na=("-999",)), holdout=0
    )
    model = fit_file(data, own).model
    known = read_table(data, own.declared(labels=True))
    assert known.column("x").missing.sum() == (X > 1).sum()
    assert model.reading.na == ("-999",)
    assert "zip" in model.number_columns


def test_dates_become_parts(tmp_path: Path) -> None:
    days = np.datetime64("2023-12-30") + np.arange(N)
    data = written(tmp_path / "d.csv", when=[f"{d:%d.%m.%Y}" for d in days.tolist()], x=X, t=LABELS)
    choices = FitOptions("t", dates=(DateColumn("when", ("year", "month", "weekday", "days")),))
    known = read_table(data, choices.declared(labels=True))
    pd = pytest.importorskip("pandas")
    oracle = pd.Series(pd.to_datetime(days))
    year = known.column("when (year)")
    np.testing.assert_array_equal(getattr(year, "values"), oracle.dt.year)  # noqa: B009
    month = known.column("when (month)").as_text()
    assert [month.words[c] for c in month.codes] == [str(m) for m in oracle.dt.month]
    weekday = known.column("when (weekday)").as_text()
    assert [weekday.words[c] for c in weekday.codes] == list(oracle.dt.strftime("%a"))
    done("fit", data, "--target", "t", "--date", "when", "--out", tmp_path / "m.json")
    found = rows_of(done("predict", tmp_path / "m.json", data, "--keep", "when"))
    assert found[0]["when"] == "30.12.2023"
    assert 0 < float(found[0]["probability_yes"]) < 1
    assert "no column is named 'when'" in refused(
        "predict", tmp_path / "m.json", written(tmp_path / "n.csv", x=[1])
    )


def test_dates_refused(tmp_path: Path) -> None:
    two = written(tmp_path / "two.csv", when=["01/02/2024", "03/04/2024"], t=["a", "b"])
    assert "can be read as %d/%m/%Y or %m/%d/%Y" in refused(
        "fit", two, "--target", "t", "--date", "when"
    )
    bad = written(
        tmp_path / "bad.csv", when=["2024-02-01", "2024-02-30", "2024-02-03"], t=list("aba")
    )
    assert "row 2: '2024-02-30' is not a date of the form %Y-%m-%d" in refused(
        "fit", bad, "--target", "t", "--date", "when"
    )
    assert "'minute' is not a part of a date" in refused(
        "fit", bad, "--target", "t", "--date", "when=minute"
    )


def test_weights_are_repetitions(tmp_path: Path) -> None:
    weights = random.integers(0, 4, N)
    weighted = written(tmp_path / "w.csv", x=X, w=weights, t=LABELS)
    repeated = written(tmp_path / "r.csv", x=np.repeat(X, weights), t=np.repeat(LABELS, weights))
    one = fit_file(weighted, FitOptions("t", weights="w", holdout=0)).model
    other = LogisticRegression(C=np.inf).fit(
        np.repeat(X, weights)[:, None], np.repeat(LABELS, weights)
    )
    free = fit_file(weighted, FitOptions("t", weights="w", holdout=0, C=np.inf)).model
    slope = free.coef[0, 0] / free.features[0].scale
    np.testing.assert_allclose(slope, other.coef_[0, 0], rtol=1e-6)
    assert one.training.rows == N
    assert "x" in {f.name for f in fit_file(repeated, FitOptions("t", holdout=0)).model.features}


def test_weights_are_repetitions_under_a_penalty_too(tmp_path: Path) -> None:
    weights = random.integers(0, 4, N)
    columns = {"x": X, "c": random.choice(["p", "q", "r"], N), "t": LABELS}
    longer = {name: np.repeat(values, weights) for name, values in columns.items()}
    weighted = written(tmp_path / "w.csv", w=weights, **columns)
    repeated = written(tmp_path / "r.csv", **longer)
    found = fit_file(weighted, FitOptions("t", weights="w", holdout=0)).model
    other = fit_file(repeated, FitOptions("t", holdout=0)).model
    assert [f.name for f in found.features] == [f.name for f in other.features]
    for one, two in zip(found.features, other.features, strict=True):
        assert one.scale == pytest.approx(two.scale, rel=1e-12)
    np.testing.assert_allclose(found.coef, other.coef, rtol=1e-6)


def test_trials_are_grouped_rows(tmp_path: Path) -> None:
    trials = random.integers(0, 9, N)
    dead = random.binomial(trials, 0.4)
    data = written(tmp_path / "g.csv", x=X, dead=dead, trials=trials)
    fitted = fit_file(data, FitOptions("dead", trials="trials", holdout=0.25, C=np.inf))
    assert fitted.model.classes == ("not dead", "dead")
    assert fitted.metrics is not None
    whole = fit_file(data, FitOptions("dead", trials="trials", holdout=0, C=np.inf)).model
    x = np.concatenate([np.repeat(X, dead), np.repeat(X, trials - dead)])
    y = np.repeat([1, 0], [dead.sum(), trials.sum() - dead.sum()])
    peer = LogisticRegression(C=np.inf).fit(x[:, None], y)
    np.testing.assert_allclose(
        whole.coef[0, 0] / whole.features[0].scale, peer.coef_[0, 0], rtol=1e-6
    )


@pytest.mark.parametrize(
    ("columns", "options", "said"),
    [
        ({"w": ["1", "-2"]}, {"weights": "w"}, "the weight 'w', row 2: the value is -2, below 0"),
        ({"w": ["1", "a"]}, {"weights": "w"}, "column 'w' holds numbers"),
        ({"w": ["0", "0"]}, {"weights": "w"}, "zero in every row"),
        ({"w": ["1e30", "1"]}, {"weights": "w"}, "out of the range .* row 1 has 1e\\+30"),
        ({"w": ["1", "2"]}, {"weights": "t"}, "is the target and the weights"),
        ({"w": ["1", "2"]}, {"weights": "v"}, "no column is named 'v'"),
    ],
)
def test_weights_refused(
    tmp_path: Path, columns: dict[str, Any], options: dict[str, Any], said: str
) -> None:
    data = written(tmp_path / "d.csv", x=[1, 2], t=["a", "b"], **columns)
    with pytest.raises(DataError, match=said):
        fit_file(data, FitOptions("t", holdout=0, **options))


@pytest.mark.parametrize(
    ("dead", "trials", "said"),
    [
        (["3", "1"], ["2", "2"], "row 1 has 3 successes in 'dead' out of 2 trials"),
        (["0.5", "1"], ["2", "2"], "0.5 is not a whole number"),
        (["0", "0"], ["2", "2"], "no row has successes"),
    ],
)
def test_trials_refused(tmp_path: Path, dead: list[str], trials: list[str], said: str) -> None:
    data = written(tmp_path / "d.csv", x=[1, 2], dead=dead, trials=trials)
    with pytest.raises(DataError, match=said):
        fit_file(data, FitOptions("dead", trials="trials", holdout=0))


def test_an_offset_of_classes_is_read_in_predictions(tmp_path: Path) -> None:
    offset = random.normal(size=N)
    data = written(tmp_path / "d.csv", x=X, o=offset, t=LABELS)
    done("fit", data, "--target", "t", "--offset", "o", "--holdout", "0", "-C", "inf",
         "--out", tmp_path / "m.json")  # fmt: skip
    peer = LogisticRegression(C=np.inf).fit(X[:, None], LABELS, offset=offset)
    found = rows_of(done("predict", tmp_path / "m.json", data))
    np.testing.assert_allclose(
        [float(row["probability_yes"]) for row in found],
        peer.predict_proba(X[:, None], offset=offset)[:, 1],
        rtol=1e-5,
    )
    assert "no column is named 'o'" in refused(
        "predict", tmp_path / "m.json", written(tmp_path / "n.csv", x=[1])
    )


def test_groups_and_times_split_as_they_should() -> None:
    groups = random.integers(0, 10, N)
    training, held = hold_out_groups(groups, 0.3, 0)
    assert not set(groups[training]) & set(groups[held])
    assert 0 < len(held) <= 0.3 * N
    times = random.integers(0, 30, N).astype(float)
    training, held = hold_out_last(times, 0.2)
    assert times[training].max() < times[held].min()


def test_rare_and_unknown_categories(tmp_path: Path) -> None:
    words = np.where(np.arange(N) < 6, [f"r{k}" for k in range(N)], random.choice(["a", "b"], N))
    data = written(tmp_path / "d.csv", c=words, x=X, t=LABELS)
    new = written(tmp_path / "n.csv", c=["a", "never seen", "r1"], x=[0, 0, 0])
    done("fit", data, "--target", "t", "--rare", "3", "--unknown", "rare", "--holdout", "0",
         "--out", tmp_path / "m.json")  # fmt: skip
    found = rows_of(done("predict", tmp_path / "m.json", new))
    assert found[1] == found[2] != found[0]
    done("fit", data, "--target", "t", "--unknown", "base", "--out", tmp_path / "b.json")
    assert len(rows_of(done("predict", tmp_path / "b.json", new))) == 3
    done("fit", data, "--target", "t", "--out", tmp_path / "e.json")
    assert "'never seen' did not occur in training" in refused("predict", tmp_path / "e.json", new)
    assert "--rare N says which" in refused("fit", data, "--target", "t", "--unknown", "rare")


def test_labels_can_be_folded(tmp_path: Path) -> None:
    labels = random.choice(["Yes", "yes", "YES ", "no", "No"], N)
    data = written(tmp_path / "d.csv", x=X, t=labels)
    fitted = fit_file(data, FitOptions("t"))
    assert len(fitted.model.classes) == 5
    assert any("--fold-labels" in note for note in fitted.notes)
    assert len(fit_file(data, FitOptions("t", fold_labels=True)).model.classes) == 2


def test_columns_are_listed_written_and_read(tmp_path: Path) -> None:
    data = written(
        tmp_path / "d.csv",
        zip=ZIPS,
        when=["2024-01-02"] * 60 + ["2024-02-03"] * 60,
        price=[f"${k % 50}" for k in range(N)],
        race=np.arange(N) % 3 + 1,
        same=["s"] * N,
        x=X,
        t=LABELS,
    )
    said = done("columns", data).output
    assert "category: its digits have leading zeros" in said
    assert "date: it holds dates" in said
    assert "currency $" in said
    assert "if these are codes, take them as categories" in said
    assert "ignore: every row is 's'" in said
    done("columns", data, "--out", tmp_path / "c.toml")
    choices = with_columns_file(FitOptions("t"), tmp_path / "c.toml")
    assert [date.name for date in choices.dates] == ["when"]
    assert choices.ignore == ("same",)
    assert "zip" in choices.categories
    assert "price" in choices.numbers
    text = (
        (tmp_path / "c.toml")
        .read_text()
        .replace('["t"]\nrole = "category"', '["t"]\nrole = "target"')
    )
    (tmp_path / "c.toml").write_text(text)
    assert with_columns_file(FitOptions(""), tmp_path / "c.toml").target == "t"
    model = fit_file(data, choices).model
    assert "when (month)" in {spec.name for spec in model.specs}
    found = json.loads(done("columns", data, "--json").stdout)
    assert [column["name"] for column in found["columns"]][:2] == ["zip", "when"]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('["x"]\nrole = "feature"', "column 'x' has the role 'feature', none of number"),
        ("x = 1", "'x' is not a column"),
        ("[x", "this is not TOML"),
        ('["x"]\nrole="weights"\n["y"]\nrole="weights"', "both have the role 'weights'"),
        ('["x"]\nrole="target"', "the target is 'x' there and 't' by --target"),
    ],
)
def test_a_columns_file_is_checked(tmp_path: Path, text: str, said: str) -> None:
    (tmp_path / "c.toml").write_text(text)
    with pytest.raises(DataError, match=said):
        with_columns_file(FitOptions("t"), tmp_path / "c.toml")


def test_a_column_has_one_role(data: Path) -> None:
    for options in (
        ["--category", "x", "--number", "x"],
        ["--ignore", "zip", "--category", "zip"],
        ["--weights", "x", "--category", "x"],
        ["--offset", "x", "--ignore", "x"],
        ["--group", "zip", "--time", "x"],
    ):
        assert "Choose one." in (said := refused("fit", data, "--target", "t", *options)) or (
            "Give one of them." in said
        )


def test_a_target_of_codes_and_a_target_of_numbers(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    path.write_text("x,t\n" + "".join(f"{k % 7},0{k % 5}\n" for k in range(60)))
    refused = run("fit", path, "--target", "t", "--loss", "poisson")
    assert refused.exit_code == 1
    assert "leading zeros" in refused.output
    assert "--number t" in refused.output
    done("fit", path, "--target", "t", "--loss", "poisson", "--number", "t")
    with pytest.raises(DataError, match="names the target, whose cells are labels"):
        fit_file(path, FitOptions("t", numbers=("t",)))


def test_declared_columns_must_exist(data: Path) -> None:
    with pytest.raises(DataError, match="no column is named 'zap'"):
        read_table(data, Declared(categories=["zap"]))
    first, second, *_ = data.read_text().splitlines()[0].split(",")
    with pytest.raises(DataError, match=f"'{first}' and '{second}' are two. Give the option once"):
        read_table(data, Declared(categories=[f"{first},{second}"]))


def test_many_levels_stay_small(tmp_path: Path) -> None:
    from scipy import sparse

    words = [f"w{k % 300}" for k in range(3000)]
    data = written(
        tmp_path / "d.csv", c=words, x=random.normal(size=3000), t=random.choice(["a", "b"], 3000)
    )
    fitted = fit_file(data, FitOptions("t", categories=("c",), holdout=0))
    assert sparse.issparse(fitted.X)
    assert fitted.X.nnz <= 2 * 3000
    dense = LogisticRegression().fit(fitted.X.toarray(), fitted.y)
    np.testing.assert_allclose(fitted.model.coef, dense.coef_, rtol=1e-4, atol=1e-6)
