"""A value of which only the shape is known."""

from __future__ import annotations

from dataclasses import dataclass

from chainrule.teaching.marking.code_by_value.lengths import Dim, equal


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
    first : Dim or None
        The length of its first axis, where the number of its axes is open.
    """

    dims: tuple[Dim, ...] | None = None
    name: str = ""
    classes: Dim | None = None
    base: Shaped | None = None
    first: Dim | None = None

    def __setattr__(self, name: str, value: object) -> None:
        """Set an attribute; a shape that is found keeps the length that is known already."""
        object.__setattr__(self, name, value)
        first = getattr(self, "first", None)
        if name == "dims" and first is not None and self.dims:
            equal(self.dims[0], first)


__all__ = ["Shaped"]
