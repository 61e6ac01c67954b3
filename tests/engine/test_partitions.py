"""Partitions of a collection are the rows of one stream, in their order."""

from __future__ import annotations

import re
import time
from typing import Any

import numpy as np
import pytest

from chainrule import LogisticRegression, Stream
from chainrule.engine.data.partitions import partitions
from chainrule.errors import DataError


class Part:
    """A delayed table, the first of which takes longest."""

    def __init__(self, table: Any, seconds: float) -> None:
        self.table, self.seconds = table, seconds

    def compute(self) -> Any:
        time.sleep(self.seconds)
        if isinstance(self.table, Exception):
            raise self.table
        return self.table


class Frame:
    """What a Dask data frame offers."""

    def __init__(self, parts: list[Part]) -> None:
        self.parts = parts

    def to_delayed(self) -> list[Part]:
        return self.parts


def tables(n_parts: int) -> tuple[Any, Any, list[Part]]:
    rng = np.random.default_rng(3)
    x = rng.normal(size=900)
    y = (x + rng.logistic(size=900) > 0).astype(int)
    cuts = np.array_split(np.arange(900), n_parts)
    parts = [Part({"x": x[rows], "y": y[rows]}, 0.02 / (1 + k)) for k, rows in enumerate(cuts)]
    return x[:, None], y, parts


@pytest.mark.parametrize("n_parts", [1, 2, 7])
def test_partitions_give_the_bits_of_memory(n_parts: int) -> None:
    X, y, parts = tables(n_parts)
    expected = LogisticRegression().fit(X, y)
    for collection in (parts, Frame(parts)):
        found = LogisticRegression().fit_stream(Stream(partitions(collection), target="y"))
        assert found.coef_.tobytes() == expected.coef_.tobytes()
        assert found.intercept_.tobytes() == expected.intercept_.tobytes()


def test_what_has_no_partitions_is_refused() -> None:
    with pytest.raises(DataError, match=r"a int has no partitions; give a Dask data frame"):
        partitions(3)
    with pytest.raises(DataError, match=re.escape("part 1 is a dict, which cannot be computed")):
        partitions([Part({}, 0), {}])


def test_an_error_of_a_partition_is_raised_in_its_place() -> None:
    _, _, parts = tables(3)
    parts[1] = Part(OSError("the store is gone"), 0)
    seen = partitions(parts)()
    assert len(next(seen)["x"]) == 300
    with pytest.raises(OSError, match="the store is gone"):
        next(seen)
