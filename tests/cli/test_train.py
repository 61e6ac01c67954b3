"""``chainrule train`` from the outside."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner, Result

from chainrule.cli.main import cli
from chainrule.descent.loop import Descent
from chainrule.descent.result import DescentResult
from chainrule.descent.saving import load_values

SOFT = """# three classes at once
X : (n, m)
Y : (k, m)
W : (k, n)
b : (k, 1)
J = norm(W X + b - Y)^2
"""
MODELS = Path(__file__).parents[1] / "models"
NET = (MODELS / "net.cr").read_text(encoding="utf-8")


def run(*arguments: str | Path) -> Result:
    return CliRunner().invoke(cli, ["train", *(str(argument) for argument in arguments)])


def said(*arguments: str | Path) -> str:
    result = run(*arguments)
    assert result.exit_code in (1, 2), result.output
    assert not result.stdout
    return " ".join(result.stderr.split())


@pytest.fixture
def table(tmp_path: Path) -> Path:
    path = tmp_path / "people.csv"
    rows = ["age,height,town,kind,won,gap"]
    rng = np.random.default_rng(0)
    for k in range(40):
        age, height = rng.normal(50, 10), rng.normal(170, 9)
        kind = ("ant", "bee", "cat")[k % 3]
        rows.append(
            f"{age},{height},{'Bonn' if k % 4 else 'Ulm'},{kind},{'yes' if age > 50 else 'no'},"
            + ("" if k == 7 else "1.5")
        )
    path.write_text("\n".join(rows) + "\n")
    return path


CANCER = ("logistic_l2", "--data", "@breast_cancer", "--bind", "X=features")


def test_a_whole_descent(tmp_path: Path) -> None:
    out = tmp_path / "values.json"
    result = run(*CANCER, "--bind", "Y=diagnosis", "--out", out, "--rate", "0.5")
    assert result.exit_code == 0, result.output
    text = result.stdout
    assert "examples   569, along m" in text
    assert "Y is 1 for malignant and 0 for benign" in text
    assert "dJ/db = dZ 1" in text
    assert "check      passed: 21 entries, 200 examples" in text
    assert "step = rate x gradient / examples in the batch, since J is a sum" in text
    assert text.count("\nstep ") == 11
    assert "all steps were taken." in text
    assert "accuracy   0.98" in text
    assert "worst_texture" in text
    assert f"wrote {out}" in text
    known = json.loads(out.read_text())
    assert known["labels"] == {"Y": ["benign", "malignant"]}
    assert [f["name"] for f in known["features"]][:2] == ["mean_radius", "mean_texture"]
    assert known["sizes"] == {"n": 30}
    assert np.shape(known["values"]["w"]) == (1, 30)


def test_json_is_all_that_is_printed() -> None:
    result = run(*CANCER, "--bind", "Y=target", "--target", "diagnosis", "--json", "--steps", "20")
    assert result.exit_code == 0, result.output
    known = json.loads(result.stdout)
    assert known["stopped"] == "all_steps"
    assert known["gradient_check"]["passed"] is True
    assert known["settings"]["batch"] == 569
    assert len(known["values"]["w"][0]) == 30


def test_a_rate_that_diverges_exits_with_1_and_still_writes(tmp_path: Path) -> None:
    out = tmp_path / "best.npz"
    result = run(*CANCER, "--bind", "Y=diagnosis", "--rate", "500", "--out", out)
    assert result.exit_code == 1
    assert "the cost ran away, so the rate is too high: at step 20" in result.stdout
    assert "Take a lower rate, such as" in result.stdout
    assert " nan" not in result.stdout.lower()
    assert load_values(out)["w"].shape == (1, 30)


def test_raw_features_that_diverge_are_advised_to_be_standardised() -> None:
    result = run(*CANCER, "--bind", "Y=diagnosis", "--rate", "5", "--raw")
    assert result.exit_code == 1
    assert "without --raw they are standardised" in result.stdout


def test_ctrl_c_keeps_the_best_and_writes_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = Descent.run

    def stopped(self: Descent, callback: object = None) -> DescentResult:
        def stop(record: object) -> None:
            if len(self.costs) == 5:
                raise KeyboardInterrupt

        return whole(self, stop)

    monkeypatch.setattr(Descent, "run", stopped)
    out = tmp_path / "best.json"
    result = run(*CANCER, "--bind", "Y=diagnosis", "--out", out)
    assert result.exit_code == 130
    assert "stopped by hand" in result.stdout
    assert json.loads(out.read_text())["stopped"] == "interrupted"


def test_a_descent_can_be_continued(tmp_path: Path) -> None:
    first, second = tmp_path / "a.npz", tmp_path / "b.json"
    base = (*CANCER, "--bind", "Y=diagnosis", "--steps", "30")
    assert run(*base, "--out", first).exit_code == 0
    assert run(*base, "--start", first, "--out", second).exit_code == 0
    whole = run(*base, "--steps", "60", "--json")
    continued = json.loads(second.read_text())
    assert continued["cost"] == pytest.approx(json.loads(whole.stdout)["cost"], rel=1e-12)


def test_a_network_with_a_size(tmp_path: Path) -> None:
    (tmp_path / "net.cr").write_text(NET)
    (tmp_path / "xor.csv").write_text("x1,x2,label\n0,0,0\n0,1,1\n1,0,1\n1,1,0\n")
    base = (tmp_path / "net.cr", "--data", tmp_path / "xor.csv", "--bind", "X=x1,x2", "--bind")
    assert "the size of h is not determined by the data" in said(*base, "Y=label")
    result = run(*base, "Y=label", "--size", "h=4", "--rate", "1", "--steps", "2000")
    assert result.exit_code == 0, result.output
    assert "accuracy   1.0000" in result.stdout
    assert "W^[2] (1, 4) = [[" in result.stdout


def test_one_example_at_a_time(table: Path) -> None:
    result = run(
        *("logistic_single", "--data", table, "--bind", "x=features", "--bind", "y=won"),
        *("--ignore", "gap", "--ignore", "kind", "--steps", "200"),
    )
    assert result.exit_code == 0, result.output
    assert "examples   40, one at a time" in result.stdout
    assert "1 a step" in result.stdout
    assert "since the cost adds L up over the examples" in result.stdout
    assert "features are standardised" in result.stdout


def test_words_become_one_row_each(tmp_path: Path, table: Path) -> None:
    (tmp_path / "soft.cr").write_text(SOFT)
    base = (tmp_path / "soft.cr", "--data", table, "--bind", "X=age,height", "--bind", "Y=kind")
    result = run(*base, "--rate", "1e-5", "--steps", "5", "--json")
    known = json.loads(result.stdout)
    assert known["labels"] == {"Y": ["ant", "bee", "cat"]}
    assert known["shapes"] == {"W": [3, 2], "b": [3, 1]}
    assert known["features"] == []


def test_features_take_words_as_indicators_and_leave_what_is_bound(table: Path) -> None:
    result = run(
        *("logistic_batch", "--data", table, "--bind", "X=features", "--bind", "Y=won"),
        *("--ignore", "gap", "--steps", "3", "--json"),
    )
    names = [feature["name"] for feature in json.loads(result.stdout)["features"]]
    assert names == ["age", "height", "town = Ulm", "kind = bee", "kind = cat"]


def test_missing_values(table: Path) -> None:
    base = ("logistic_batch", "--data", table, "--bind", "X=features", "--bind", "Y=won")
    assert "'gap' in 1 of 40 rows" in said(*base)
    dropped = run(*base, "--missing", "drop", "--steps", "2")
    assert "examples   39" in dropped.stdout
    assert "1 row with missing values is left out" in dropped.stdout
    filled = run(*base, "--missing", "indicator", "--steps", "2", "--json", "--raw")
    assert filled.exit_code == 0
    assert "gap is missing" in filled.stdout
    assert "'gap' in 1 of 40 rows" in said(*base[:3], "--bind", "X=gap", "--bind", "Y=won")


def test_raw_gives_the_numbers_of_the_file(tmp_path: Path, table: Path) -> None:
    (tmp_path / "sum.cr").write_text("X : (n, m)\nw : (1, n)\nJ = sum(w X)\n")
    base = (tmp_path / "sum.cr", "--data", table, "--bind", "X=features", "--json")
    rest = [part for name in ("gap", "town", "kind", "won") for part in ("--ignore", name)]
    zero = tmp_path / "zero.json"
    zero.write_text('{"values": {"w": [[0, 0]]}}')
    raw = run(*base, *rest, "--raw", "--steps", "1", "--rate", "1", "--start", zero)
    known = json.loads(raw.stdout)
    means = [
        float(np.mean([float(line.split(",")[k]) for line in table.read_text().split()[1:]]))
        for k in (0, 1)
    ]
    np.testing.assert_allclose(known["values"]["w"], [[-mean for mean in means]], rtol=1e-12)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ((), "say which inputs hold data: --bind X=features"),
        (("--bind", "X"), "--bind X: write NAME=COLUMN"),
        (("--bind", "Q=age"), "no input Q; it has X, Y, w, b"),
        (("--bind", "X=features", "--bind", "Y=wom"), "Did you mean 'won'?"),
        (("--bind", "X=features", "--bind", "Y=target"), "no column is named 'target'"),
        (("--bind", "X=features", "--bind", "Y=features"), "both X and Y are to take the features"),
        (("--bind", "X=age", "--bind", "X=height"), "X is bound twice"),
        (("--bind", "X=age"), "Y is neither bound to data nor learned"),
        (("--bind", "X=age", "--bind", "Y=age,height"), "Y is (1, m) and is bound to 2 columns"),
        (("--bind", "X=age", "--bind", "Y=kind"), "3 labels ('ant', 'bee', 'cat')"),
        (("--bind", "X=age", "--bind", "Y=kind", "--positive", "dog"), "does not hold 'dog'"),
        (("--bind", "X=age,town", "--bind", "Y=won"), "column 'town' holds words"),
        (("--bind", "X=age", "--bind", "Y=won", "--size", "n"), "such as h=8"),
        (("--bind", "X=age", "--bind", "Y=won", "--size", "n=4"), "X is bound to 1 column"),
        (("--bind", "X=age", "--bind", "Y=won", "--out", "v.csv"), "written as .npz or .json"),
        (("--bind", "X=age", "--bind", "Y=won", "--start", "no.npz"), "no values can be read"),
        (("--bind", "X=age", "--bind", "Y=won", "--rate", "-1"), "must be a number above 0"),
    ],
)
def test_what_is_said(table: Path, arguments: tuple[str, ...], words: str) -> None:
    assert words in said("logistic_batch", "--data", table, *arguments)


def test_a_label_of_several_against_the_rest(table: Path) -> None:
    base = ("logistic_batch", "--data", table, "--bind", "X=age", "--bind", "Y=kind")
    result = run(*base, "--positive", "bee", "--steps", "2", "--rate", "1e-4")
    assert "Y is 1 for bee and 0 for not bee" in result.stdout


def test_the_output_does_not_replace_the_data(tmp_path: Path) -> None:
    data = tmp_path / "data.csv"
    data.write_text("x,y\n1,0\n2,1\n")
    link = tmp_path / "link.json"
    link.symlink_to(data)
    text = said("logistic_batch", "--data", data, "--bind", "X=x", "--bind", "Y=y", "--out", link)
    assert "write over" in text


def test_a_number_for_an_input(tmp_path: Path, table: Path) -> None:
    (tmp_path / "ridge.cr").write_text(
        "X : (n, m)\nY : (1, m)\nw : (1, n)\nc : (1, 1)\n"
        "Z = w X\nA = sigmoid(Z)\n"
        "J = -sum(Y .* log(A) + (1 - Y) .* log(1 - A)) + c norm(w)^2 / 2\n"
    )
    base = (tmp_path / "ridge.cr", "--data", table, "--bind", "X=features", "--bind", "Y=won")
    rest = ("--ignore", "gap", "--json", "--steps", "300")
    assert "--bind c=1" in said(*base, *rest)
    sizes = [
        np.linalg.norm(json.loads(run(*base, *rest, "--bind", f"c={c}").stdout)["values"]["w"])
        for c in (0.1, 10)
    ]
    assert sizes[0] > 2 * sizes[1]
