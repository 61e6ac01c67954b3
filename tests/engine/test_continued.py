"""Fits of the same rows one after the other: those that are known beforehand are the same fits."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from chainrule.engine.continued import ContinuedFits
from chainrule.engine.data.sources import InMemorySource
from chainrule.engine.paths import PathSolver
from chainrule.engine.penalties.elastic_net import Shape
from chainrule.engine.runtime.native import can_compile

CS = [0.01, 0.03, 0.1, 0.3, 1.0, np.inf]


def continued(Cs: list[float]) -> ContinuedFits:
    rng = np.random.default_rng(0)
    X = rng.normal(size=(400, 6))
    y = (X[:, 0] + rng.logistic(size=400) > 0).astype(int)
    limits: dict[str, Any] = {"fit_intercept": True, "tol": 1e-8, "max_iter": 100, "n_threads": 1}
    return ContinuedFits(InMemorySource(X, y), None, Shape.checked(6, 1.0), Cs=Cs, **limits)


@pytest.mark.skipif(not can_compile(), reason="numba is not installed")
def test_fits_known_beforehand_are_solved_together(monkeypatch: pytest.MonkeyPatch) -> None:
    alone = [continued([]).fit(C) for C in CS]
    asked = list[float]()
    one_by_one = PathSolver.solve

    def counted(self: PathSolver, strength: float, **options: Any) -> Any:
        asked.append(1 / strength)
        return one_by_one(self, strength, **options)

    monkeypatch.setattr(PathSolver, "solve", counted)
    fits = continued(CS)
    together = [fits.fit(C) for C in CS]
    assert not asked  # without a penalty, the fit is not one of a path
    for one, other in zip(alone, together, strict=True):
        assert one.met
        assert other.met
        np.testing.assert_allclose(one.point.coef, other.point.coef, atol=1e-5)
        np.testing.assert_allclose(one.value, other.value, rtol=1e-8)
    assert fits.fit(0.1).met  # asked for again
    assert fits.fit(0.2).met  # not known beforehand
    np.testing.assert_allclose(asked, [0.1, 0.2])
