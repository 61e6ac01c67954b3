"""The judgement of a claim by values, and the outcome of one reading of it."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Judged:
    """The judgement of one statement.

    Parameters
    ----------
    line : int
        Its line.
    text : str
        Its text.
    verdict : str
        ``proven``, ``wrong`` or ``unproven``.
    why : str
        The evidence or the reason.
    sign : int
        Which equals sign does not hold, from 1.
    numbers : tuple of float or None
        Two values that differ.
    usual : bool
        Whether it is right as it stands, with every name as general as it can be.
    change : str
        The small change that makes it right where it is not; empty for none.
    """

    line: int
    text: str
    verdict: str
    why: str
    sign: int = 0
    numbers: tuple[float, float] | None = None
    usual: bool = False
    change: str = ""


@dataclass
class Outcome:
    """The result of one claim under one reading."""

    holds: bool = False
    refuted: bool = False
    loose: bool = False
    sign: int = 0
    numbers: tuple[float, float] | None = None
    why: str = ""
    ratio: float | None = None  # of the two sides, where it is one of a slip
    number: int = 0  # of the reading
    opaque: bool = False  # whether a function stood for none in particular


__all__ = ["Judged", "Outcome"]
