"""A process that answers calls: one JSON object per line in, one per line out."""

from __future__ import annotations

import contextlib
import gc
import json
import os
import sys
from typing import Any, TextIO

MEMORY = 4 * 2**30
"""The most bytes of address space of a worker, where the system can limit it."""

COLLECTED_AFTER = 50_000
"""The number of new objects after which unused ones are collected: a derivation makes many."""

WARM = "x : (n, 1)\ny : (1, 1)\nw : (1, n)\nb : (1, 1)\nz = w x + b\na = sigmoid(z)\nL = (a - y)^2"
"""The forward pass that loads every module that a first call would load."""


def main() -> None:
    """Answer calls from the standard input until it ends."""
    out = os.fdopen(os.dup(sys.stdout.fileno()), "w", encoding="utf-8")
    sys.stdout = sys.stderr  # nothing else may write between the answers
    _limit_memory()
    from chainrule.board.calls import answer
    from chainrule.board.native import NATIVE

    for call, args in (
        ("graph", {"text": WARM}),
        ("derive", {"text": WARM}),
        ("grade", {"text": WARM, "wrt": "w", "answer": "2 (a - y) x^T"}),
    ):
        answer(call, args)
    gc.freeze()  # the modules stay: no collection looks at them again
    gc.set_threshold(COLLECTED_AFTER)
    _write(out, {"ready": True})
    for line in sys.stdin:
        try:
            request = json.loads(line)
            found = answer(request.get("call"), request.get("args", {}), NATIVE)
        except Exception as error:  # a defect must not end the worker: the next call may be fine
            said = f"this is a defect of chainrule: {type(error).__name__}: {error}"[:500]
            found = {"error": {**_NOWHERE, "kind": "internal", "message": said}}
        _write(out, found)


_NOWHERE: dict[str, Any] = {"line": 0, "column": 0, "source": "", "mend": None}


def _write(out: TextIO, found: dict[str, Any]) -> None:
    out.write(json.dumps(found, ensure_ascii=False, allow_nan=False, separators=(",", ":")))
    out.write("\n")
    out.flush()


def _limit_memory() -> None:
    with contextlib.suppress(ImportError, ValueError, OSError):
        import resource

        resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))


if __name__ == "__main__":
    main()
