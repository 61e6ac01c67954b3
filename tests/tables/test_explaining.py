"""One example followed through the derivation: the numbers must be those of the fit."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner
from sklearn.datasets import load_breast_cancer, load_iris

from chainrule.cli.main import cli
from chainrule.tables.fitting import FitOptions, FittedTable, fit_file
from chainrule.tables.worked_example import WorkedExample, work_example


def written(folder: Path, classes: int) -> Path:
    """Write a real table with two or three classes."""
    data = load_breast_cancer() if classes == 2 else load_iris()
    path = folder / "data.csv"
    names = [f"x{k}" for k in range(5 if classes == 2 else 4)]
    lines = [",".join([*names, "kind"])]
    for x, y in zip(data.data, data.target, strict=True):
        lines.append(",".join([*(repr(float(v)) for v in x[: len(names)]), f"k{y}"]))
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


@pytest.fixture(params=[2, 3], ids=["two classes", "three classes"])
def fitted(request: pytest.FixtureRequest, tmp_path: Path) -> FittedTable:
    """Fit a real table."""
    return fit_file(written(tmp_path, request.param), FitOptions("kind", C=0.5))


@pytest.fixture
def explained(fitted: FittedTable) -> WorkedExample:
    """Follow one example."""
    return work_example(fitted)


def followed(fitted: FittedTable, explained: WorkedExample) -> int:
    """Return the row of the coefficients that is followed."""
    if len(fitted.model.classes) == 2:
        return 0
    return fitted.model.classes.index(explained.label)


def test_at_the_optimum_the_sum_balances_the_penalty(
    fitted: FittedTable, explained: WorkedExample
) -> None:
    names = [feature.name for feature in fitted.model.features]
    totals = {row.feature: row.total for row in explained.contributions}
    wanted = -explained.penalty * fitted.model.coef[followed(fitted, explained)]
    np.testing.assert_allclose([totals[name] for name in names], wanted, atol=1e-6)
    assert explained.penalty == 2.0


def test_the_last_line_of_the_weights_is_that_sum(
    fitted: FittedTable, explained: WorkedExample
) -> None:
    weights = explained.derivation.model.inputs[2]
    (last,) = (
        step
        for step in explained.derivation
        if step.concludes and f"'{weights.name}'" in repr(step.left)
    )
    total = next(r.total for r in explained.contributions if r.feature == explained.feature)
    assert explained.numbers[last.id].value == pytest.approx(total, abs=1e-9)


def test_the_example_is_the_one_that_pulls_hardest(
    fitted: FittedTable, explained: WorkedExample
) -> None:
    proba = fitted.model.proba_of(fitted.X)
    residuals = proba - np.eye(len(fitted.model.classes))[fitted.y]
    assert abs(explained.residual) == pytest.approx(np.abs(residuals).max())
    assert explained.residual == pytest.approx(explained.proba - explained.target)
    assert fitted.model.classes[fitted.y[list(fitted.rows).index(explained.row)]] == (
        explained.actual
    )


def test_a_term_is_the_residual_times_the_value(explained: WorkedExample) -> None:
    for row in explained.contributions:
        assert row.term == pytest.approx(explained.residual * row.x)


@pytest.mark.parametrize("classes", [2, 3])
def test_the_report_of_a_fit_shows_it(classes: int, tmp_path: Path) -> None:
    page = tmp_path / "report.html"
    data = str(written(tmp_path, classes))
    done = CliRunner().invoke(cli, ["fit", data, "--target", "kind", "--report", str(page)])
    assert done.exit_code == 0, done.output
    text = page.read_text(encoding="utf-8")
    assert "The gradient that trained it" in text
    assert 'class="numbers"' in text
