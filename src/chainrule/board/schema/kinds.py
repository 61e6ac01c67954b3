"""The types of plain values in the schema."""

from __future__ import annotations

from typing import Literal, TypeAlias

Shape: TypeAlias = tuple[str, ...]
Matrix: TypeAlias = tuple[tuple[float | None, ...], ...]
"""Rows of numbers; None for a value that is not finite."""

Verdict = Literal["correct", "correct_other_form", "wrong", "wrong_shape", "unreadable", "unsure"]
