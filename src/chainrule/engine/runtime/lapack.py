"""LAPACK's functions, without the rest of `scipy.linalg`.

Solvers need a Cholesky factor and its solutions. The package around these functions imports for
longer than a middle-sized fit takes, and adds 20 MB to the process; the module that holds them does
neither. Where the package is there already, or keeps that module elsewhere, it is asked.
"""

from __future__ import annotations

import sys
from contextlib import suppress
from functools import cache
from importlib.machinery import EXTENSION_SUFFIXES
from importlib.util import find_spec, module_from_spec, spec_from_file_location
from pathlib import Path
from typing import Any, Final

_NAME: Final = "scipy.linalg._flapack"
_NEEDED: Final = ("dpotrf", "dpotrs", "dtrtri", "dposv")


@cache
def lapack() -> Any:  # noqa: ANN401
    """Return the module of LAPACK's functions in SciPy: small fits are over before it is needed."""
    if "scipy.linalg" not in sys.modules:
        with suppress(ImportError, OSError):
            found = _alone()
            if all(hasattr(found, name) for name in _NEEDED):
                return found
    from scipy.linalg import lapack as whole

    return whole


def _alone() -> Any:  # noqa: ANN401
    """Load the module alone; a later import of the package finds its own."""
    if sys.platform == "win32":
        import scipy  # noqa: F401 - it says where the libraries are

    package = find_spec("scipy")
    if package is None or package.origin is None:
        raise ImportError(_NAME)
    folder = Path(package.origin).parent / "linalg"
    for suffix in EXTENSION_SUFFIXES:
        path = folder / f"_flapack{suffix}"
        spec = spec_from_file_location(_NAME, path) if path.is_file() else None
        if spec is not None and spec.loader is not None:
            module = module_from_spec(spec)
            spec.loader.exec_module(module)
            return module
    raise ImportError(_NAME)
