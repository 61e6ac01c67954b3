"""Continuing a descent with other data or other options: refused, or said."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from tests.descent.test_coursework import SOFTMAX, model, train, write

LINE = "X : (n, m)\ny : (1, m)\nw : (1, n)\nb : (1, 1)\nJ = mean((w X + b - y)^2)\n"


def table(path: Path, count: int, shift: float = 0.0) -> Path:
    x = np.random.default_rng(3).normal(size=(count, 2)) + shift
    return write(path, ["a", "b", "y"], np.column_stack([x, x @ [1.0, 2.0] + 0.3]))


def test_other_data_are_said_and_their_costs_are_their_own(tmp_path: Path) -> None:
    file, out, more = model(tmp_path / "l.cr", LINE), tmp_path / "v.json", tmp_path / "w.json"
    first, second = table(tmp_path / "a.csv", 40), table(tmp_path / "b.csv", 20, shift=3.0)
    bound = ("--bind", "X=features", "--bind", "y=y")
    train(file, "--data", first, *bound, "--steps", 200, "--out", out)
    said = train(
        *(file, "--data", second, *bound, "--steps", 3, "--start", out, "--out", more),
        *("--rate", 0.01),
    )
    assert "in the same order" not in said
    assert "X is standardised by these data: the mean of a is" in said
    assert "40 examples there, 20 here" in said
    assert "rate 0.1, now 0.01" in said
    known = json.loads(more.read_text())
    assert known["cost"] == min(cost for _, cost in known["costs"])
    assert f"step 200  cost {known['start_cost']:.6g}" in said


def test_other_labels_or_columns_are_refused(tmp_path: Path) -> None:
    x = np.random.default_rng(0).normal(size=(30, 2))
    file, out = model(tmp_path / "s.cr", SOFTMAX), tmp_path / "v.json"
    for name, words in (("one", "ab"), ("two", "bc")):
        rows = [[*row, words[k % 2]] for k, row in enumerate(x)]
        write(tmp_path / f"{name}.csv", ["p", "q", "kind"], rows)
    bound = ("--bind", "X=p,q", "--bind", "Y=kind", "--steps", 3)
    train(file, "--data", tmp_path / "one.csv", *bound, "--out", out)
    with pytest.raises(AssertionError, match="Y had the labels a, b there, and here it has b, c"):
        train(file, "--data", tmp_path / "two.csv", *bound, "--start", out)
    turned = ("--bind", "X=q,p", "--bind", "Y=kind", "--steps", 3)
    with pytest.raises(AssertionError, match="X had the columns p, q there"):
        train(file, "--data", tmp_path / "one.csv", *turned, "--start", out)


def test_another_update_rule_starts_with_nothing_kept(tmp_path: Path) -> None:
    file, out = model(tmp_path / "l.cr", LINE), tmp_path / "v.json"
    data = table(tmp_path / "a.csv", 20)
    base = (file, "--data", data, "--bind", "X=features", "--bind", "y=y", "--steps", 5)
    train(*base, "--update", "adam", "--out", out)
    said = train(*base, "--update", "rmsprop", "--start", out)
    assert "update adam:0.9,0.999, now rmsprop:0.99" in said


def test_held_out_sums_are_shown_per_example(tmp_path: Path) -> None:
    text = LINE.replace("mean((w X + b - y)^2)", "sum((w X + b - y)^2)")
    said = train(
        *(model(tmp_path / "l.cr", text), "--data", table(tmp_path / "a.csv", 40)),
        *("--bind", "X=features", "--bind", "y=y", "--steps", 2, "--holdout", 0.25),
    )
    row = next(line for line in said.splitlines() if line.startswith("step 0"))
    cost, _, rest = row.partition("cost ")[2].partition(" (")
    assert float(rest.split()[0]) == pytest.approx(float(cost) / 30, rel=1e-3)


def test_normalising_a_single_example_is_refused(tmp_path: Path) -> None:
    text = (
        "X : (n, m)\ny : (1, m)\nV : (h, n)\nw : (1, h)\n"
        "A = w relu(batch_norm(V X))\nJ = mean((A - y)^2)\n"
    )
    file, data = model(tmp_path / "b.cr", text), table(tmp_path / "a.csv", 20)
    base = (file, "--data", data, "--bind", "X=features", "--bind", "y=y", "--size", "h=3")
    with pytest.raises(AssertionError, match="Take --batch 2 or more"):
        train(*base, "--batch", 1)
