"""A fit that is begun again with its journal has the bits of one that was never stopped."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from chainrule.engine.data.sources import InMemorySource
from chainrule.engine.fitting import fit_linear_model
from chainrule.engine.losses.classes import BinaryLoss
from chainrule.engine.losses.table import find_loss
from chainrule.engine.objective.objective import Objective
from chainrule.engine.penalties.l2 import L2Penalty
from chainrule.engine.results import Fit
from chainrule.engine.runtime.executors import TreeSum
from chainrule.engine.runtime.journal import Journal


class StoppedError(Exception):
    pass


def problem(n_classes: int = 2) -> InMemorySource:
    rng = np.random.default_rng(3)
    X = rng.normal(size=(100_000, 6))
    y = np.argmax(X[:, :n_classes] + rng.gumbel(size=(100_000, n_classes)), axis=1)
    return InMemorySource(X, y, n_classes=n_classes)


def bits(fit: Fit) -> bytes:
    said = f"{fit.certificate} {fit.value!r} {fit.n_iter} {fit.passes}"
    return fit.point.coef.tobytes() + fit.point.intercept.tobytes() + said.encode()


FITS: dict[str, Any] = {
    "sampled": {},
    "products": {"method": "newton-cg"},
    "full Hessians": {"method": "newton-cholesky"},
    "without a penalty": {"C": np.inf},
    "Poisson": {"row": find_loss("poisson")},
}


@pytest.mark.slow
@pytest.mark.parametrize("name", FITS)
@pytest.mark.parametrize("left", [0, 2, 6])
def test_a_fit_begun_again_has_the_same_bits(
    name: str, left: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings, source = FITS[name], problem()
    whole = fit_linear_model(source, **settings)
    n_blocks, asked = source.n_blocks, 0
    original = InMemorySource.block

    def failing(self: InMemorySource, index: int) -> Any:
        nonlocal asked
        asked += self.n_samples == 100_000
        if asked > left:
            raise StoppedError
        return original(self, index)

    with monkeypatch.context() as patch:
        patch.setattr(InMemorySource, "block", failing)
        with pytest.raises(StoppedError):
            fit_linear_model(source, **settings, journal=Journal(tmp_path, seconds=0))
    journal = Journal(tmp_path, seconds=0)
    again = fit_linear_model(source, **settings, journal=journal)
    assert bits(again) == bits(whole)
    assert journal.recalled == left // n_blocks
    once_more = Journal(tmp_path)
    read = []

    def counted(self: InMemorySource, index: int) -> Any:
        read.append(index)
        return original(self, index)

    with monkeypatch.context() as patch:
        patch.setattr(InMemorySource, "block", counted)
        assert bits(fit_linear_model(source, **settings, journal=once_more)) == bits(whole)
    assert once_more.recalled
    assert len(read) < once_more.recalled * n_blocks


def test_a_pass_goes_on_from_its_last_stored_sum(tmp_path: Path) -> None:
    values, asked = np.random.default_rng(0).normal(size=23), []

    def one(chunk: int) -> Any:
        asked.append(chunk)
        if len(asked) == 14:
            raise StoppedError
        return (values[chunk : chunk + 1],)

    with pytest.raises(StoppedError):
        Journal(tmp_path, seconds=0).summed(("sum", values), one, 23, 1)
    found = Journal(tmp_path, seconds=0).summed(("sum", values), one, 23, 1)
    tree = TreeSum(np.add)
    for value in values:
        tree.add(value)
    assert found[0][0] == tree.result()
    assert asked == [*range(14), *range(13, 23)]


@pytest.mark.parametrize("damage", [lambda data: data[:-9], lambda data: b"", lambda data: b"junk"])
def test_what_is_damaged_or_of_another_pass_is_computed(tmp_path: Path, damage: Any) -> None:
    one = np.ones(1)
    Journal(tmp_path).summed(("a", one), lambda k: (one * k,), 4, 1)
    other = Journal(tmp_path).summed(("a", 2 * one), lambda k: (one,), 4, 1)
    assert other[0] == 4
    (path,) = tmp_path.iterdir()
    path.write_bytes(damage(path.read_bytes()))
    journal = Journal(tmp_path)
    assert journal.summed(("a", 2 * one), lambda k: (one,), 4, 1)[0] == 4
    assert journal.recalled == 0


def test_a_pass_counts_only_after_the_same_passes(tmp_path: Path) -> None:
    def asked(first: float) -> tuple[float, int]:
        journal = Journal(tmp_path)
        one, two = np.array([first]), 2 * np.array([first])
        journal.summed(("point", one), lambda k: (one,), 2, 1)
        return float(journal.summed(("no point",), lambda k: (two,), 2, 1)[0][0]), journal.recalled

    assert asked(1.0) == (4.0, 0)
    assert asked(1.0) == (4.0, 2)
    assert asked(3.0) == (12.0, 0)
    assert asked(1.0) == (4.0, 0)


@pytest.mark.parametrize(
    ("place", "other"),
    [("importlib.metadata.version", "9.9"), ("platform.machine", "pdp11")],
)
def test_another_version_or_processor_computes_anew(
    place: str, other: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    Journal(tmp_path).summed(("a",), lambda k: (np.ones(1),), 2, 1)
    monkeypatch.setattr(place, lambda *_: other)
    journal = Journal(tmp_path)
    journal.summed(("a",), lambda k: (np.ones(1),), 2, 1)
    assert journal.recalled == 0


def test_what_a_pass_fills_in_is_recalled_with_it(tmp_path: Path) -> None:
    source = problem()
    objective = Objective(source, BinaryLoss(), L2Penalty(np.ones(6)))
    largest, unused = np.zeros(source.n_blocks), np.arange(3.0)

    def one(block: Any) -> Any:
        index = block.rows.start // source.rows_per_block
        largest[index] = block.X.matvec(np.ones((6, 1))).max() + 0 * unused[0]
        return (np.ones(1),)

    found = []
    for _ in range(2):
        largest[:] = 0
        objective.journal = Journal(tmp_path, seconds=0)
        objective.sum_over_blocks(one)
        found.append(largest.copy())
    assert objective.journal is not None
    assert objective.journal.recalled == 1
    assert found[0].all()
    assert (found[0] == found[1]).all()


def test_a_journal_keeps_to_its_bytes_and_never_fails_a_fit(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def summed(journal: Journal, size: int) -> None:
        assert journal.summed(("a",), lambda k: (np.ones(size),), 3, 1)[0].sum() == 3 * size

    journal = Journal(tmp_path, most_bytes=2000)
    for size in (10, 100, 300, 100):
        summed(journal, size)
    assert sum(path.stat().st_size for path in tmp_path.iterdir()) < 6000
    assert len(list(tmp_path.iterdir())) == 3

    def full(*_: Any) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", full)
    summed(Journal(tmp_path / "other"), 10)
    assert not list((tmp_path / "other").iterdir())
