"""``chainrule fit --cv --test --threshold`` and ``chainrule compare``, from files to files."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner, Result
from sklearn.metrics import log_loss, roc_auc_score

from chainrule.cli.main import cli


def run(*arguments: str) -> Result:
    return CliRunner().invoke(cli, list(arguments))


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("compared")
    rng = np.random.default_rng(0)
    for name, n in (("train", 300), ("test", 120)):
        x, z = rng.normal(size=(2, n))
        late = np.where(x + 0.5 * z + rng.logistic(size=n) > 0.5, "late", "in time")
        with (place / f"{name}.csv").open("w", newline="", encoding="utf-8") as file:
            writer = csv.writer(file)
            writer.writerow(["x", "z", "region", "flight"])
            writer.writerows(zip(x, z, np.array(["east", "west"])[(z > 0) * 1], late, strict=True))
    (place / "bare.csv").write_text("x,z,region\n1,2,east\n")
    (place / "other.csv").write_text("x,z,region,flight\n1,2,east,cancelled\n")
    data = str(place / "train.csv")
    first = ("--cv", "4", "--threshold", "cost", "--cost-fp", "1", "--cost-fn", "3")
    common = ("fit", data, "--target", "flight", "--test", str(place / "test.csv"))
    one = run(*common, *first, "--by", "region", "--out", str(place / "one.json"), "--json")
    two = run(*common, "--ignore", "z", "--ignore", "region", "--out", str(place / "two.json"))
    assert one.exit_code == two.exit_code == 0, one.output + two.output
    (place / "one.txt").write_text(one.output)
    (place / "two.txt").write_text(two.output)
    return place


def test_fit_measures_on_the_test_file(place: Path) -> None:
    found = json.loads((place / "one.txt").read_text())
    assert found["rows"] == 300
    assert found["validation"]["rows"] == "rows of test.csv"
    assert found["validation"]["n_rows"] == 120
    assert [group["value"] for group in found["validation"]["groups"]] == ["east", "west"]
    curve = found["cross_validation"]
    assert curve["chosen"] in curve["Cs"]
    assert len(curve["Cs"]) == 17
    chosen = [row for row in found["validation"]["thresholds"] if row["is_chosen"]]
    assert chosen[0]["threshold"] == found["validation"]["threshold"]
    out = run("predict", str(place / "one.json"), str(place / "test.csv"), "--keep", "flight")
    rows = list(csv.DictReader(out.stdout.splitlines()))
    y = [row["flight"] == "late" for row in rows]
    p = np.array([float(row["probability_late"]) for row in rows])
    assert found["validation"]["estimates"]["log_loss"]["value"] == pytest.approx(log_loss(y, p))
    assert found["validation"]["estimates"]["auc"]["value"] == pytest.approx(roc_auc_score(y, p))
    labels = [row["predicted_flight"] for row in rows]
    assert labels == np.where(p >= chosen[0]["threshold"], "late", "in time").tolist()


def test_text_shows_curve_threshold_and_intervals(place: Path) -> None:
    assert "rows of test.csv" in (place / "two.txt").read_text()
    shown = run(
        *("fit", str(place / "train.csv"), "--target", "flight", "--cv", "3"),
        *("--grid", "0.01,1", "--rule", "1se", "--threshold", "0.3"),
    ).output
    for part in ("Penalty by 3 folds (by class)", "<- chosen", "Threshold 0.3, given", "DeLong"):
        assert part in shown


def test_compare(place: Path) -> None:
    models = (str(place / "one.json"), str(place / "two.json"))
    data = ("--data", str(place / "test.csv"))
    found = json.loads(run("compare", *models, *data, "--json").output)
    assert found["n_rows"] == 120
    for name in ("log_loss", "auc", "brier", "accuracy"):
        step = found["first"][name]["value"] - found["second"][name]["value"]
        assert found["differences"][name]["value"] == pytest.approx(step, abs=1e-12)
    shown = run("compare", *models, *data)
    assert shown.exit_code == 0
    for part in ("DeLong", "McNemar", "difference"):
        assert part in shown.output


def test_a_regression_is_chosen_by_folds_and_measured_on_a_file(place: Path) -> None:
    data, test = str(place / "train.csv"), str(place / "test.csv")
    common = ("fit", data, "--target", "x", "--loss", "huber", "--constant", "delta=1")
    done = run(*common, "--cv", "3", "--grid", "0.001,0.1,10", "--test", test, "--json")
    assert done.exit_code == 0, done.output
    found = json.loads(done.output)
    assert found["rows"] == 300
    assert found["measured_on"] == "rows of test.csv"
    curve = found["cross_validation"]
    best = curve["Cs"][int(np.argmin(curve["mean_loss"]))]
    assert found["C"] == curve["chosen"] == best
    assert curve["folds"] == "at random"
    single = json.loads(run(*common, "-C", str(best), "--test", test, "--json").output)
    assert single["metrics"] == found["metrics"]


WRONG = {
    "no target": (("compare", "one", "two", "--data", "bare.csv"), "no column is named 'flight'"),
    "foreign label": (("compare", "one", "two", "--data", "other.csv"), "'cancelled' is none of"),
    "no file": (("compare", "one", "nobody", "--data", "test.csv"), "nobody"),
    "-C and --cv": (("fit", "--cv", "3", "-C", "1"), "-C and --cv both set the penalty"),
    "grid alone": (("fit", "--grid", "1,2"), "give --cv K too"),
    "grid of words": (("fit", "--cv", "3", "--grid", "a,b"), "not a list of numbers"),
    "one cost": (("fit", "--cost-fp", "3"), "give both"),
    "cost of 0": (("fit", "--cost-fp", "0", "--cost-fn", "1"), "--cost-fp is the cost"),
    "threshold of numbers": (
        ("fit", "--loss", "squared", "--target", "x", "--threshold", "best"),
        "--threshold is for labels",
    ),
    "regression without target": (
        ("fit", "--loss", "squared", "--target", "z", "--test", "nowhere.csv"),
        "nowhere.csv",
    ),
    "test without target": (("fit", "--test", "bare.csv"), "Measuring needs the target"),
}


@pytest.mark.parametrize(("words", "said"), WRONG.values(), ids=WRONG)
def test_wrong_input(place: Path, words: tuple[str, ...], said: str) -> None:
    known = {"one": "one.json", "two": "two.json", "nobody": "nobody.json"}
    files = [known.get(word, word) for word in words]
    arguments = [str(place / w) if w.endswith((".csv", ".json")) else w for w in files]
    if words[0] == "fit":
        arguments[1:1] = [str(place / "train.csv"), "--target", "flight"]
    result = run(*arguments)
    assert result.exit_code != 0
    assert said in " ".join(f"{result.output} {result.exception}".split())
