"""Documents of learned values, beside the values; read without the language of models."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Final
from zipfile import BadZipFile

import numpy as np

from chainrule.storage import check_regular, read_small_text

SCHEMA: Final = "chainrule-values/2"
ABOUT: Final = "about"
"""The member of an ``.npz`` file with everything but the values, as JSON."""


def is_trained(path: str | Path) -> bool:
    """Whether a file holds values that ``chainrule train`` wrote."""
    known = load_document(path)
    return known is not None and str(known.get("schema", "")).startswith("chainrule-values/")


def load_document(path: str | Path) -> dict[str, Any] | None:
    """Return what a file of values says beside the values; None where it says nothing."""
    try:
        check_regular(path)
        if Path(path).suffix == ".json":
            read = json.loads(read_small_text(path))
            return read if isinstance(read, dict) and "schema" in read else None
        with np.load(path, allow_pickle=False) as archive:
            texts = [archive[n] for n in archive.files if n.startswith(ABOUT)]
            known = [json.loads(str(text)) for text in texts if text.dtype.kind == "U"]
            return known[-1] if known and isinstance(known[-1], dict) else None
    except (OSError, ValueError, KeyError, BadZipFile, EOFError, RecursionError):
        return None
