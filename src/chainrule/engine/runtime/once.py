"""Results that are computed once, also where threads ask for them at the same time."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache, wraps
from threading import RLock
from typing import Any, Final, ParamSpec, TypeVar

LOCK: Final = RLock()
"""Held while code is compiled or linked: one lock, so that no two threads wait for each other."""

Given = ParamSpec("Given")
Found = TypeVar("Found")


def once(function: Callable[Given, Found]) -> Callable[Given, Found]:
    """Return a function that computes each result once, whatever threads ask at the same time.

    `functools.cache` alone lets two threads compute it. Of two linkers the cache keeps one, and the
    other is freed together with its machine code, which a thread may be running.
    """
    cached: Any = cache(function)

    @wraps(function)
    def locked(*args: Given.args, **kwargs: Given.kwargs) -> Found:
        with LOCK:
            found: Found = cached(*args, **kwargs)
        return found

    return locked
