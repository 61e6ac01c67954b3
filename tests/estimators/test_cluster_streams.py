"""Streams fitted on a cluster: categories on workers, and fits that go on after the driver died."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tests.engine.workers_here import Client

from chainrule import LogisticRegression, Stream
from chainrule.engine.objective.clusters import ClusterPasses
from chainrule.engine.runtime.workers import on_cluster

N_ROWS = 120_000


class DiedError(Exception):
    """What ends a driver before its time."""


def batches() -> Any:
    """Yield rows with numbers and towns, in two batches."""
    rng = np.random.default_rng(3)
    X = rng.normal(size=(N_ROWS, 20))
    towns = rng.choice(["Rome", "Oslo", "Bonn"], N_ROWS)
    y = X[:, 0] + (towns == "Oslo") + rng.logistic(size=N_ROWS) > 0
    for rows in (slice(0, 50_000), slice(50_000, N_ROWS)):
        numbers = {f"x{k}": X[rows, k] for k in range(20)}
        yield {**numbers, "town": towns[rows], "y": y[rows].astype(int)}


NUMBERS = [f"x{k}" for k in range(20)]
FITS: dict[str, tuple[Any, list[str]]] = {
    "ridge": (LogisticRegression(), NUMBERS),
    "lasso": (LogisticRegression(l1_ratio=1.0, C=0.002), NUMBERS),
    "categories": (LogisticRegression(), [*NUMBERS[:9], "town"]),
}


def stream(name: str) -> Stream:
    return Stream(batches, target="y", columns=FITS[name][1], memory=4_000_000)


def bits(model: Any) -> bytes:
    said = f"{model.certificate_} {model.objective_!r} {model.n_iter_} {model.n_passes_}"
    return bytes(model.coef_.tobytes() + np.asarray(model.intercept_).tobytes()) + said.encode()


@pytest.mark.slow
@pytest.mark.parametrize("name", FITS)
def test_a_new_driver_goes_on_where_the_last_one_died(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    model, state = FITS[name][0], tmp_path / "state"
    whole = bits(model.fit_stream(stream(name)))
    original, n_done = ClusterPasses._added, 0

    def dying(self: ClusterPasses, *arguments: Any) -> Any:
        nonlocal n_done
        n_done += 1
        if n_done == 3:
            raise DiedError
        return original(self, *arguments)

    with monkeypatch.context() as patch, on_cluster(Client(2)):
        patch.setattr(ClusterPasses, "_added", dying)
        with pytest.raises(DiedError):
            model.fit_stream(stream(name), resume=state)
    assert len(list(state.glob("passes-*/pass-*"))) == 2
    with on_cluster(Client(3)) as cluster:
        assert bits(model.fit_stream(stream(name), resume=state)) == whole
    with on_cluster(Client(3)) as uninterrupted:
        model.fit_stream(stream(name), resume=state)
    assert cluster.passes == uninterrupted.passes - 2
    assert not state.exists()
