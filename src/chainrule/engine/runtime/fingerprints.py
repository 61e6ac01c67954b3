"""Fingerprints of input files: whether they are still what was converted."""

from __future__ import annotations

import os
from collections.abc import Iterable
from hashlib import sha256
from pathlib import Path
from typing import Any, Final

from chainrule.errors import DataError

_ENDS: Final[int] = 1 << 16

Fingerprint = dict[str, list[Any]]
"""By path: size, time and a digest of both ends."""


def fingerprint(files: Iterable[Path]) -> Fingerprint:
    """Return size, time and a digest of both ends of each file."""
    found: Fingerprint = {}
    for file in files:
        state = os.stat(file)
        digest = sha256()
        with file.open("rb") as opened:
            digest.update(opened.read(_ENDS))
            opened.seek(max(0, state.st_size - _ENDS))
            digest.update(opened.read(_ENDS))
        found[str(file)] = [state.st_size, state.st_mtime_ns, digest.hexdigest()]
    return found


def refuse_changes(folder: Path, before: Fingerprint, after: Fingerprint) -> None:
    """Raise if a file of the input is not the one that was converted."""
    changed = [name for name in {**before, **after} if before.get(name) != after.get(name)]
    if changed:
        name = changed[0]
        what = "is new" if name not in before else "is gone" if name not in after else "changed"
        raise DataError(
            f"{name}: this file of the input {what} since its rows were converted into {folder}. "
            "Restore it, or remove that folder to start again."
        )
