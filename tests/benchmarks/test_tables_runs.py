"""The figures of whole commands are those of the command, not of what started it."""

from __future__ import annotations

import numpy as np
import pytest

from benchmarks import tables


@pytest.mark.slow
def test_the_memory_of_a_run_does_not_depend_on_what_its_parent_held() -> None:
    held = np.ones(1 << 25)
    run = tables._once(["-S", "-c", "sum(range(1000))"])
    assert held.nbytes / 2**20 == 256
    assert 1 < run.megabytes < 64
    assert 0 < run.cpu < 10


def test_a_run_that_fails_is_named() -> None:
    with pytest.raises(SystemExit, match="failed: -c import"):
        tables._once(["-c", "import nothing_of_this_name"])
