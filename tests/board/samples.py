"""What the tests of the board share: forward passes, and plain requests."""

from __future__ import annotations

from typing import Any

from chainrule.board.calls import answer
from chainrule.language.reading import load_text

LECTURE = load_text("logistic_batch")
ONE = load_text("logistic_single")


def result(call: str, **args: Any) -> Any:
    """Return the result of a call; an error fails the test."""
    found = answer(call, args)
    assert "result" in found, found
    return found["result"]


def error(call: str, **args: Any) -> Any:
    """Return the typed error of a call; a result fails the test."""
    found = answer(call, args)
    assert "error" in found, found
    return found["error"]
