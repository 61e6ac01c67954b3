"""Times of passes and operations on this machine: constants, shipped or measured.

`chainrule calibrate` measures them and keeps them in the user's configuration folder. They predict
seconds and choose nothing, so that equal data get equal bits on every machine.
"""

from __future__ import annotations

import json
import math
import os
import sys
from dataclasses import asdict, dataclass, fields
from functools import cache
from pathlib import Path
from typing import Any

from chainrule.errors import DataError


@dataclass(frozen=True)
class MachineConstants:
    """Seconds on a machine, all threads at work where passes are compiled.

    Attributes
    ----------
    call : float
        Of a pass, whatever its size.
    small : float
        Of a small fit in one compiled call, beside its passes.
    block : float
        Of a block of rows, in a pass.
    example : float
        Of the loss of an example, per output.
    entry, compiled_entry : float
        Of an entry of dense X in a pass, by NumPy and by compiled passes.
    sparse_entry, compiled_sparse_entry : float
        The same for sparse X.
    operation, compiled_operation : float
        Of a multiplication and an addition in a Hessian of dense X.
    scattered_operation : float
        The same for sparse X.
    factor : float
        Of a multiplication and an addition in Cholesky's factor.
    """

    call: float = 1.2e-4
    small: float = 2.5e-4
    block: float = 3e-5
    example: float = 2.5e-8
    entry: float = 8e-10
    compiled_entry: float = 1.6e-10
    sparse_entry: float = 4e-9
    compiled_sparse_entry: float = 1.2e-9
    operation: float = 5e-11
    compiled_operation: float = 2.5e-11
    scattered_operation: float = 5e-10
    factor: float = 2e-10


def constants_file() -> Path:
    """Return where measured constants are kept."""
    base: Any = os.environ.get("APPDATA" if sys.platform == "win32" else "XDG_CONFIG_HOME")
    return Path(base or Path.home() / ".config") / "chainrule" / "machine.json"


@cache
def machine_constants() -> MachineConstants:
    """Return the measured constants, or the shipped ones where there are none that can be used.

    A fit does not fail over a damaged file: `chainrule calibrate --show` names it.
    """
    try:
        return stored_constants() or MachineConstants()
    except DataError:
        return MachineConstants()


def stored_constants() -> MachineConstants | None:
    """Return the constants on disk; None where there are none.

    Raises
    ------
    DataError
        When the file is damaged; the message names it and the way out.
    """
    path = constants_file()
    try:
        text = path.read_text(encoding="utf-8")
    except OSError:
        return None
    names = {field.name for field in fields(MachineConstants)}
    try:
        found = json.loads(text)
        values = {name: float(found[name]) for name in names}
        if set(found) != names or not all(0 < v < math.inf for v in values.values()):
            raise ValueError("other constants, or none that are positive numbers")
    except (ValueError, KeyError, TypeError) as error:
        raise DataError(
            f"{path} does not hold this version's constants of a machine ({error}); "
            "run `chainrule calibrate` again, or `chainrule calibrate --reset`"
        ) from None
    return MachineConstants(**values)


def store_constants(constants: MachineConstants) -> Path:
    """Keep constants for later fits, atomically; return the file.

    Raises
    ------
    DataError
        When the folder cannot be written to.
    """
    path = constants_file()
    draft = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        draft.write_text(json.dumps(asdict(constants), indent=2) + "\n", encoding="utf-8")
        draft.replace(path)
    except OSError as error:
        raise DataError(f"{path} cannot be written: {error.strerror or error}") from None
    machine_constants.cache_clear()
    return path


def remove_constants() -> bool:
    """Delete measured constants; return whether there were any."""
    path, there = constants_file(), constants_file().exists()
    try:
        path.unlink(missing_ok=True)
    except OSError as error:
        raise DataError(f"{path} cannot be deleted: {error.strerror or error}") from None
    machine_constants.cache_clear()
    return there
