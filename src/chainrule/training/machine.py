"""What the machine tells: how fast it multiplies, and how much memory the process holds."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from time import perf_counter
from typing import Final

import numpy as np

_SIZE: Final[int] = 256
_STATUS: Final = Path("/proc/self/status")


@cache
def multiplications_per_second() -> float:
    """Return the rate of a product of matrices in operations a second, measured once."""
    table = np.ones((_SIZE, _SIZE))
    times = []
    for _ in range(4):
        clock = perf_counter()
        table @ table
        times.append(perf_counter() - clock)
    return 2 * _SIZE**3 / max(min(times), 1e-9)


def memory() -> tuple[float, float] | None:
    """Return what the process holds and what it held at most, in MB; nothing if not to be known."""
    try:
        lines = _STATUS.read_text(encoding="ascii").splitlines()
    except OSError:
        return None
    sizes = {line.split(":")[0]: line.split()[1] for line in lines if line.startswith("Vm")}
    if "VmRSS" not in sizes or "VmHWM" not in sizes:
        return None
    return float(sizes["VmRSS"]) / 1024, float(sizes["VmHWM"]) / 1024
