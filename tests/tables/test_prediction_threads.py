"""Predictions by threads and by columns: the order, errors and numbers of one thread."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Literal

import mpmath
import numpy as np
import pyarrow as pa
import pyarrow.parquet
import pytest
from numpy.typing import NDArray

from chainrule.errors import DataError
from chainrule.tables.encoding import Sink, encode, encode_columns
from chainrule.tables.fitting import fit_file
from chainrule.tables.in_order import in_order
from chainrule.tables.model import class_probabilities
from chainrule.tables.options import FitOptions
from chainrule.tables.predicting import write_parquet
from chainrule.tables.reading import Declared, read_table
from chainrule.tables.scores import Floats, score_columns
from chainrule.tables.specs import RARE, CategorySpec, NumberSpec, Spec
from chainrule.tables.table import Column, NumberColumn, Table, TextColumn

random = np.random.default_rng(11)


def test_results_come_in_the_order_of_the_items() -> None:
    waits = random.random(40) * 0.003

    def slow(k: int) -> int:
        time.sleep(waits[k])
        return k * k

    assert list(in_order(slow, range(40), 3)) == [k * k for k in range(40)]


@pytest.mark.parametrize(("bad", "broken", "seen"), [(5, 9, 5), (30, 4, 4), (2, 2, 2)])
def test_the_first_error_is_the_one_that_is_raised(bad: int, broken: int, seen: int) -> None:
    def items() -> Iterator[int]:
        for k in range(20):
            if k == broken:
                raise OSError("source")
            yield k

    def checked(k: int) -> int:
        if k >= bad:
            raise ValueError(f"item {k}")
        return k

    found: list[int] = []
    with pytest.raises((ValueError, OSError), match=f"item {bad}" if bad < broken else "source"):
        found.extend(in_order(checked, items(), 3))
    assert found == list(range(seen))[: len(found)]


@pytest.mark.parametrize("labels", [["a", "b"], ["a", "b", "c"]])
@pytest.mark.parametrize("missing", ["mean", "indicator"])
def test_scores_of_columns_are_those_of_the_encoded_matrix(
    tmp_path: Path, labels: list[str], missing: str
) -> None:
    path = tmp_path / "t.csv"
    rows = zip(random.normal(3e5, 2, 90), random.integers(0, 6, 90), strict=True)
    lines = [
        f"{x if k % 7 else ''},{'k' * c},{labels[k % len(labels)]}" for k, (x, c) in enumerate(rows)
    ]
    path.write_text("\n".join(["x,c,t", *lines]) + "\n")
    options = FitOptions("t", missing=missing, holdout=0)  # type: ignore[arg-type]
    model = fit_file(path, options).model
    table = read_table(path, Declared(categories=["t"]))
    scored = score_columns(model.specs, model.coef, model.intercept, table, blank=True)
    encoded = encode(model.specs, table, blank=True)
    expected = encoded.X @ model.coef.T + model.intercept
    assert (scored.usable == encoded.usable).all()
    np.testing.assert_allclose(scored.score, expected, rtol=1e-13, atol=1e-13)


class _Checked(Sink):
    """Adds up columns that were checked one by one."""

    def __init__(self, score: Floats, coef: Floats) -> None:
        self.score, self.coef = score, coef

    def add_numbers(self, values: Floats, place: int) -> None:
        self.score += values * self.coef[place]

    def add_levels(self, places: NDArray[np.int64], first: int) -> None:
        self.score += np.where(places >= 0, self.coef[places], 0.0)


@pytest.mark.parametrize("stored", [np.int8, np.float32, np.float64])
@pytest.mark.parametrize("unknown", ["base", "rare", "error"])
@pytest.mark.parametrize("gaps", [0, 3])
def test_one_pass_over_all_columns_has_the_bits_of_checked_columns(
    stored: type, unknown: Literal["error", "base", "rare"], gaps: int
) -> None:
    n = (1 << 16) + 100
    x: NDArray[Any] = random.integers(-90, 90, n).astype(stored if not gaps else np.float64)
    y, codes = random.normal(size=n), random.integers(0, 4, n)
    if gaps:
        x[random.integers(0, n, gaps)] = np.nan
        codes[random.integers(0, n, gaps)] = -1
    words = ("a", "b", "c", "new" if unknown != "error" else RARE)
    columns: list[Column] = [
        NumberColumn("x", x, np.isnan(x)),
        TextColumn("c", codes, words),
        NumberColumn("y", y, np.isnan(y)),
    ]
    table = Table("t", {column.name: column for column in columns}, np.arange(1, n + 1))
    specs: tuple[Spec, ...] = (
        NumberSpec("x", 0.1, 1.7, fills=bool(gaps), indicator=bool(gaps)),
        CategorySpec("c", "a", ("b", "c", RARE), "b" if gaps else None, unknown=unknown),
        NumberSpec("y", -0.3, 0.9),
    )
    coef = random.normal(size=(1, 5 + bool(gaps)))
    usable = np.ones(n, dtype=np.bool_)
    expected = _Checked(np.full(n, 0.25), coef[0])
    encode_columns(specs, table, expected, usable, blank=True)
    found = score_columns(specs, coef, np.array([0.25]), table)
    assert usable.all()
    np.testing.assert_array_equal(found.score[:, 0], expected.score)
    assert (found.usable == usable).all()


@pytest.mark.parametrize(
    ("value", "why"), [(np.nan, "missing"), (np.inf, "infinite"), (1e308, "standard deviations")]
)
def test_a_value_without_a_score_is_refused_whatever_its_coefficient(
    value: float, why: str
) -> None:
    x = np.array([0.0, value])
    table = Table("t", {"x": NumberColumn("x", x, np.isnan(x))}, np.arange(1, 3))
    specs = (NumberSpec("x", 0.0, 1e-3),)
    with pytest.raises(DataError, match=f"row 2: the value is .*{why}"):
        score_columns(specs, np.zeros((1, 1)), np.zeros(1), table)


def test_both_probabilities_keep_their_digits() -> None:
    z = np.array([-745.0, -40.0, -1.5, -0.0, 0.0, 3.25, 36.5, 700.0])
    found = class_probabilities(z[:, None])
    with mpmath.workdps(50):
        for score, (no, yes) in zip(z, found, strict=True):
            for got, side in ((yes, -score), (no, score)):
                true = 1 / (1 + mpmath.exp(mpmath.mpf(float(side))))
                assert abs(got - true) <= 4e-16 * true + mpmath.mpf(5e-324)


def test_the_first_bad_row_of_many_batches_is_named(tmp_path: Path) -> None:
    train, data = tmp_path / "train.csv", tmp_path / "t.parquet"
    train.write_text("x,t\n" + "".join(f"{k % 5},{'ab'[k * k % 3 % 2]}\n" for k in range(40)))
    model = fit_file(train, FitOptions("t")).model
    x = np.ones(5 << 16)
    x[[70_000, 200_000, 300_000]] = np.inf
    pyarrow.parquet.write_table(pa.table({"x": x}), data)
    with pytest.raises(DataError, match="column 'x', row 70001: the value is infinite"):
        write_parquet(model, data, tmp_path / "out.parquet")
    assert [file.name for file in tmp_path.iterdir() if "out" in file.name] == []
