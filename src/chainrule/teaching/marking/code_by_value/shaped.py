"""A value of which only the shape is known."""

from __future__ import annotations

from dataclasses import dataclass

from chainrule.teaching.marking.code_by_value.lengths import Dim


@dataclass(eq=False)
class Shaped:
    """A value of which only the shape is known, or not even that.

    Parameters
    ----------
    dims : tuple of Dim or None
        The lengths of its axes; None where even their number is open.
    name : str
        Its name, where the code does not define it.
    classes : Dim or None
        The number of classes of labels that are indices.
    base : Shaped or None
        The matrix that this is the transpose of.
    """

    dims: tuple[Dim, ...] | None = None
    name: str = ""
    classes: Dim | None = None
    base: Shaped | None = None


__all__ = ["Shaped"]
