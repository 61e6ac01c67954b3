"""The machine: how much memory the process holds, and whose threads run."""

from __future__ import annotations

import ctypes
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import lru_cache
from pathlib import Path
from threading import Lock
from typing import Any, Final

import numpy as np
from threadpoolctl import ThreadpoolController

from chainrule.engine.runtime.lapack import lapack

_STATUS: Final = Path("/proc/self/status")


@contextmanager
def single_threaded_algebra() -> Iterator[None]:
    """Keep the threads of linear algebra asleep, for as long as anybody is in here.

    After every product they spin for a while, in the way of threads that read the data.
    """
    with _LOCK:
        if not _held:
            lapack()  # what is loaded later would have threads of its own
            libraries = _libraries(len(sys.modules), next(reversed(sys.modules)))
            _let_any_thread_limit(libraries)
            _held.append((libraries, libraries.limit(limits=1, user_api="blas")))
        _held.append(None)
    try:
        yield
    finally:
        with _LOCK:
            _held.pop()
            if len(_held) == 1:
                libraries, limits = _held.pop()
                _let_any_thread_limit(libraries)  # who leaves last may have come second
                limits.restore_original_limits()
                _let_any_thread_limit(libraries)


@contextmanager
def quiet_algebra() -> Iterator[None]:
    """Run with one thread of BLAS, and no word of overflow: a proof judges what comes out.

    Small products take less time that way, and have the same bits for any number of threads.
    """
    with single_threaded_algebra(), np.errstate(over="ignore", divide="ignore", invalid="ignore"):
        yield


_LOCK: Final = Lock()
_held: Final[list[Any]] = []
"""The libraries and the limits in force, and an entry for everybody who asked for them."""


def _let_any_thread_limit(libraries: ThreadpoolController) -> None:
    """Let any thread set limits: threadpoolctl 3.8 heeds the first one alone until it lets go."""
    for library in libraries.lib_controllers:
        let_go = getattr(library, "clear_controlling_thread", None)
        if let_go is not None:
            let_go(force=True)


_MMAP_THRESHOLD: Final = -3
"""The number of the option, in malloc.h."""

_LARGE_BLOCK: Final = 2**20


@lru_cache(maxsize=1)
def _libraries(_: int, __: str) -> ThreadpoolController:
    """Return who knows the libraries that are loaded, by the number of modules and the last one.

    Looking for libraries takes some milliseconds, and new ones come with new modules.
    """
    return ThreadpoolController()


def return_freed_memory() -> None:
    """Have the C library return each large block when it is freed; GNU's alone can.

    It otherwise keeps blocks of the size of a vector over many rows, for vectors to come: up to
    twice what is in use.
    """
    with suppress(OSError, AttributeError):
        ctypes.CDLL(None).mallopt(_MMAP_THRESHOLD, _LARGE_BLOCK)


def give_memory_back() -> None:
    """Give the system what the C library keeps of memory that is free; GNU's alone can."""
    with suppress(OSError, AttributeError):
        ctypes.CDLL(None).malloc_trim(0)


def memory() -> tuple[float, float] | None:
    """Return what the process holds and what it held at most, in MB; nothing if not to be known."""
    try:
        text = _STATUS.read_bytes()
    except OSError:
        return None
    now, most = (text.partition(name)[2].split(None, 1) for name in (b"VmRSS:", b"VmHWM:"))
    return (float(now[0]) / 1024, float(most[0]) / 1024) if now and most else None
