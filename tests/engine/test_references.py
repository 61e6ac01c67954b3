"""Real data sets, against coefficients computed in sixty digits by `tools/reference_fits.py`."""

from __future__ import annotations

import importlib.util
import json
from pathlib import Path
from types import ModuleType
from typing import Any

import mpmath
import numpy as np
import pytest

from chainrule import LogisticRegression

HERE = Path(__file__).parent
REFERENCES: dict[str, Any] = json.loads((HERE / "references.json").read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def tool() -> ModuleType:
    """Load the tool that knows the data."""
    path = HERE.parents[1] / "tools/reference_fits.py"
    spec = importlib.util.spec_from_file_location("reference_fits", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def cases(tool: ModuleType) -> dict[str, Any]:
    found: dict[str, Any] = tool.cases()
    return found


def test_every_case_has_its_reference(cases: dict[str, Any]) -> None:
    assert list(cases) == list(REFERENCES)
    assert len(cases) >= 8


@pytest.mark.parametrize("name", REFERENCES)
def test_coefficients_agree_to_twelve_digits(cases: dict[str, Any], name: str) -> None:
    case, reference = cases[name], REFERENCES[name]
    model = LogisticRegression(C=case.C, fit_intercept=case.fit_intercept, tol=1e-15)
    model.fit(case.X, case.y, case.weight)
    np.testing.assert_allclose(model.coef_, np.array(reference["coef"], float), rtol=1e-12)
    intercept = np.array(reference["intercept"], float)
    np.testing.assert_allclose(model.intercept_, intercept, rtol=1e-12)
    assert model.objective_ == pytest.approx(float(reference["objective"]), rel=1e-14)
    assert model.certificate_.relative_bound <= 1e-15


PUBLISHED = {
    # Dobson and Barnett, An Introduction to Generalized Linear Models: beetle mortality
    "beetles": ([34.27], -60.72),
    # Dalal, Fowlkes and Hoadley (1989), with the temperature alone
    "challenger": ([-0.2322], 15.0429),
    # Pregibon, Annals of Statistics 9 (1981), 705-724
    "vasoconstriction": ([5.179, 4.562], -2.875),
}


@pytest.mark.parametrize("name", PUBLISHED)
def test_the_classics_come_out_as_published(name: str) -> None:
    coef, intercept = PUBLISHED[name]
    reference = REFERENCES[name]
    np.testing.assert_allclose(np.array(reference["coef"][0], float), coef, rtol=3e-4)
    assert float(reference["intercept"][0]) == pytest.approx(intercept, rel=3e-4)


@pytest.mark.slow
@pytest.mark.parametrize("name", ["beetles", "iris, three species"])
def test_the_tool_still_computes_what_is_stored(tool: ModuleType, name: str) -> None:
    with mpmath.workdps(tool.DIGITS):
        _, coef, _ = tool.solve(tool.cases()[name])
        for part, stored in zip(coef, REFERENCES[name]["coef"], strict=True):
            assert [mpmath.nstr(w, tool.STORED) for w in part] == stored
