"""Processes with limits of time and memory."""

from __future__ import annotations

import os
import subprocess
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Final

STARTED: Final = "started"
"""What a worker prints when a clock starts; whatever it prints next stops the clock."""

_LONGEST_PAUSE: Final = 120.0
"""Seconds that a worker may take for what is not timed, beyond the limit of a fit."""


def output(
    command: list[str],
    limit: float,
    memory: float,
    folder: Path,
    environment: Mapping[str, str] | None = None,
) -> tuple[list[str], str]:
    """Run a command within limits.

    Parameters
    ----------
    command : list of str
    limit : float
        Seconds that may pass after the process printed `STARTED` until it prints again.
    memory : float
        MB that it may hold.
    folder : Path
        Where it runs.
    environment : mapping, optional
        Variables set beside those of this process.

    Returns
    -------
    lines : list of str
        What it printed.
    broken : {'', 'time', 'memory'}
        Why it was stopped.
    """
    with tempfile.TemporaryFile("w+", encoding="utf-8") as file:
        process = subprocess.Popen(
            command,
            cwd=folder,
            stdout=file,
            stderr=subprocess.DEVNULL,
            env={**os.environ, **(environment or {})},
        )
        try:
            broken = _watched(process, limit, memory, file.fileno())
        finally:
            process.kill()
            process.wait()
        file.seek(0)
        return file.read().splitlines(), broken


def _watched(process: subprocess.Popen[bytes], limit: float, memory: float, file: int) -> str:
    """Wait for the end; return what was too much, if anything."""
    clock, size, pause = time.monotonic(), 0, 0.005
    while process.poll() is None:
        now = os.fstat(file).st_size
        if now != size:
            clock, size = time.monotonic(), now
        tail = os.pread(file, len(STARTED) + 1, max(0, size - len(STARTED) - 1))
        is_timed = tail.strip() == STARTED.encode()
        if time.monotonic() - clock > (limit if is_timed else limit + _LONGEST_PAUSE):
            return "time"
        if resident(process.pid) > memory:
            return "memory"
        time.sleep(pause)
        pause = min(0.05, 2 * pause)
    return ""


def resident(pid: int) -> float:
    """Return the memory that a process holds, in MB; 0 where the system does not tell."""
    try:
        pages = int(Path(f"/proc/{pid}/statm").read_text(encoding="ascii").split()[1])
    except (OSError, IndexError):
        return 0.0
    return pages * os.sysconf("SC_PAGE_SIZE") / 2**20
