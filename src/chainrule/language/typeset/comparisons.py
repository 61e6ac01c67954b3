"""The signs of masks: ``[z > 0]``, and what they are from the other side and where they fail."""

from __future__ import annotations

from chainrule.calculus.graph.node import Apply
from chainrule.calculus.graph.op import Layout

COMPARISONS = {">": ">", "<": "<", "<=": "≤", ">=": "≥", "==": "=", "!=": "≠"}
"""Signs in print, by those of plain text."""

SPOKEN = {
    ">": "is greater than",
    "<": "is less than",
    "<=": "is at most",
    ">=": "is at least",
    "==": "equals",
    "!=": "differs from",
}

EXCLUDED = {">": "<=", "==": "!="}
"""The comparison that holds where another one does not."""

TURNED = {">": "<", "<=": ">=", "==": "==", "!=": "!="}
"""The comparison of minus a value with 0."""


def sign_of(mask: Apply) -> str:
    """Return the sign of a comparison with 0, as in ``[z > 0]``; empty for other operations."""
    pattern = mask.op.notation.plain
    return pattern[2:].removesuffix("0]").strip() if pattern.startswith("[|") else ""


def is_negated(expr: Apply) -> bool:
    """Whether an expression is minus another one."""
    return expr.op.notation.layout is Layout.PREFIX


__all__ = ["COMPARISONS", "EXCLUDED", "SPOKEN", "TURNED", "is_negated", "sign_of"]
