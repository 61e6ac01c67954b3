"""Wrong input of every kind to the regressors: one sentence that names what and where."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from chainrule import GammaRegressor, LinearModel, PoissonRegressor, TweedieRegressor
from chainrule.engine.losses.table import TABLE
from chainrule.errors import ChainruleError, DataError, ParseError

X = np.random.default_rng(0).normal(size=(8, 2))
Y = np.arange(1.0, 9.0)


def with_value(value: float, row: int = 3) -> Any:
    y = Y.copy()
    y[row] = value
    return y


@pytest.mark.parametrize(
    ("model", "y", "message"),
    [
        (PoissonRegressor(), with_value(np.nan), r"NaN.* in row 3"),
        (PoissonRegressor(), with_value(np.inf), r"inf.* in row 3"),
        (
            PoissonRegressor(),
            with_value(-1.0),
            "y is -1 in row 3, out of range for the loss poisson: its targets are numbers >= 0",
        ),
        (GammaRegressor(), with_value(0.0), "y is 0 in row 3, .* loss gamma: .* numbers > 0"),
        (TweedieRegressor(power=1.5), with_value(-2.5, 0), "y is -2.5 in row 0, .* tweedie"),
        (TweedieRegressor(power=3), with_value(0.0), "row 3, .* inverse_gaussian"),
        (LinearModel("logistic"), Y, "y is 2 in row 1, .* numbers >= 0 and <= 1"),
        (LinearModel("squared_hinge"), Y, "y is 2 in row 1, .* squared_hinge"),
        (LinearModel(), ["a"] * 8, "y must hold numbers, but row 0 holds 'a'"),
        (LinearModel(), [1.0, None, *Y[2:]], "row 1"),
        (LinearModel(), Y + 1j, "Complex data not supported"),
        (LinearModel(), None, "y is None"),
        (LinearModel(), np.ones((8, 2)), "y should be a 1d array"),
        (LinearModel(), Y[:5], "inconsistent numbers of samples"),
    ],
)
def test_targets(model: Any, y: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        model.fit(X, y)


def test_rows_are_numbered_as_given_where_some_have_no_weight() -> None:
    weight = np.array([0, 0, 1, 1, 1, 1, 1, 1.0])
    with pytest.raises(DataError, match="row 5"):
        PoissonRegressor().fit(X, with_value(-1.0, 5), weight)
    PoissonRegressor().fit(X, with_value(-1.0, 0), weight)


def test_score_refuses_targets_as_the_fit_does() -> None:
    model = PoissonRegressor().fit(X, Y)
    with pytest.raises(DataError, match="row 3"):
        model.score(X, with_value(-1.0))
    with pytest.raises(DataError, match="offset has shape"):
        model.predict(X, offset=np.zeros(3))
    with pytest.raises(DataError, match="offset must be finite"):
        model.fit(X, Y, offset=with_value(np.inf))
    with pytest.raises(DataError, match="sample_weight must be finite and >= 0"):
        model.fit(X, Y, sample_weight=with_value(-1.0))


@pytest.mark.parametrize(
    ("model", "message"),
    [
        (PoissonRegressor(alpha=-1.0), "alpha must be a finite number >= 0, not -1.0"),
        (PoissonRegressor(alpha=np.nan), "alpha must be"),
        (PoissonRegressor(alpha="1"), "alpha must be"),  # type: ignore[arg-type]
        (PoissonRegressor(tol=-1.0), "tol must be"),
        (PoissonRegressor(max_iter=1.5), "max_iter must be"),  # type: ignore[arg-type]
        (PoissonRegressor(solver="sgd"), "solver must be one of auto"),
        (TweedieRegressor(power=-1.0), "power must be 0, 1, 2, 3 or .* between 1 and 2, not -1"),
        (TweedieRegressor(power=0.5), "power must be"),
        (TweedieRegressor(power=2.5), "power must be"),
        (TweedieRegressor(power="a"), "power must be"),  # type: ignore[arg-type]
        (TweedieRegressor(power=1.5, link="identity"), "link='identity' is not offered"),
        (TweedieRegressor(link="logit"), "link must be"),  # type: ignore[arg-type]
        (LinearModel(C=0.0), "C must be a positive number"),
        (LinearModel(alpha=-0.1), "alpha must be"),
        (LinearModel(3), "loss must be a name"),  # type: ignore[arg-type]
        (LinearModel("missing.cr"), "cannot read the loss in missing.cr"),
        (LinearModel("poisson", link="identity"), "the loss poisson has the link log"),
    ],
    ids=str,
)
def test_parameters(model: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        model.fit(X, Y)


def test_an_unknown_loss_lists_the_names() -> None:
    with pytest.raises(DataError, match="unknown loss 'posson'") as caught:
        LinearModel("posson").fit(X, Y)
    assert all(name in str(caught.value) for name in tuple(TABLE))


def test_a_file_that_is_not_text_is_named(tmp_path: Path) -> None:
    path = tmp_path / "loss.cr"
    path.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(DataError, match=r"loss\.cr: this is not text"):
        LinearModel(str(path)).fit(X, Y)


def test_a_formula_that_cannot_be_parsed_gets_its_position() -> None:
    with pytest.raises(ParseError, match="line 1, column"):
        LinearModel("exp(z) - y z)").fit(X, Y)


@pytest.mark.parametrize(
    ("loss", "constants", "message"),
    [
        ("exp(y)", None, "does not depend on the score"),
        ("k (z - y)^2", None, "k"),
        ("huber", {"delta": -1.0}, "delta = -1 is out of range for huber: choose a number > 0"),
        ("huber", {"eps": 1.0}, "huber has no constant eps; its constants: delta"),
        ("__import__('os')", None, "line 1, column 1"),
    ],
)
def test_formulas_and_constants(loss: str, constants: Any, message: str) -> None:
    with pytest.raises(ChainruleError, match=message):
        LinearModel(loss, constants=constants).fit(X, Y)


def test_a_score_without_a_least_value_is_refused() -> None:
    with pytest.raises(DataError, match="score requires a loss with a proven least value"):
        LinearModel("z - y + exp(y - z) + exp(z)").fit(X, Y).score(X, Y)
