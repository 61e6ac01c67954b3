"""Predictions and effects of a fit with an offset, held to R's predict of a glm."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from chainrule import PoissonRegressor
from chainrule.errors import DataError

STORED = json.loads((Path(__file__).parent / "mended.json").read_text())
COUNTS = {name: np.array(values, dtype=float) for name, values in STORED["counts"].items()}


@pytest.fixture(scope="module")
def inference() -> Any:
    X, shift = COUNTS["u"][:, None], np.log(COUNTS["e"])
    model = PoissonRegressor(alpha=0, tol=1e-13).fit(X, COUNTS["y"], offset=shift)
    return model.inference(X, COUNTS["y"], offset=shift)


def test_predictions_are_those_of_r(inference: Any) -> None:
    found = inference.predict([[-0.5], [0.4]], offset=np.log([3, 20]))
    np.testing.assert_allclose(found["fitted"], STORED["predicted"]["fit"], rtol=1e-8)
    np.testing.assert_allclose(found["std.error"], STORED["predicted"]["se"], rtol=1e-5)
    per_unit = inference.predict([[-0.5], [0.4]], offset=0)
    np.testing.assert_allclose(per_unit["fitted"] * [3, 20], found["fitted"], rtol=1e-12)


def test_the_offset_of_new_rows_is_required(inference: Any) -> None:
    with pytest.raises(DataError, match="pass offset="):
        inference.predict([[0.1]])
    with pytest.raises(DataError, match=r"shape \(3,\), expected \(1,\)"):
        inference.predict([[0.1]], offset=[1, 2, 3])


def test_effects_at_means_are_at_the_mean_offset(inference: Any) -> None:
    b0, b1 = inference.coefficients[0]
    mean = np.exp(b0 + b1 * COUNTS["u"].mean() + np.log(COUNTS["e"]).mean())
    assert inference.at_means()["estimate"][0] == pytest.approx(b1 * mean, rel=1e-10)
    at = inference.effects({"x0": 0.4}, offset=np.log(20))["estimate"][0]
    assert at == pytest.approx(b1 * STORED["predicted"]["fit"][1], rel=1e-8)
