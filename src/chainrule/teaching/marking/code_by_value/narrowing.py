"""Readings in which a length that the code leaves open is 1: one example, one output."""

from __future__ import annotations

import copy
import re
from collections.abc import Iterator

from chainrule.teaching.marking.code_by_value.lengths import Dim
from chainrule.teaching.marking.code_by_value.naming import is_label
from chainrule.teaching.marking.code_by_value.numeric import COUNTS
from chainrule.teaching.marking.code_by_value.shapes import Shapes

_PARAMETERS = re.compile(
    r"(?:[WUVwbB]|[Tt]heta|[Ww]eights?|kernel|[Bb]ias(?:es)?|beta|gamma)_?\w{0,3}"
)
"""Names of weights and biases."""


def narrowed(shapes: Shapes, *, misfits: bool) -> Iterator[Shapes]:
    """Yield copies in which one of the open lengths is 1.

    Code for one example, or with one output, often says so nowhere: ``z = W @ x`` has any number
    of columns until a bias is added to the gradient. No row is wrong because this was left open.

    Parameters
    ----------
    shapes : Shapes
        Inferred shapes.
    misfits : bool
        Whether gradients have other shapes than their values, so that one example may be meant.
    """
    places: dict[Dim, list[tuple[str, int]]] = {}
    for name, shaped in shapes.inputs.items():
        dims = shaped.dims or ()
        for axis, dim in enumerate(dims):
            root = dim.root()
            if root.size is None and root.made is None:
                places.setdefault(root, []).append((name, axis - len(dims)))
    counted = bool(COUNTS & shapes.inputs.keys())
    for found in places.values():
        parameters = [_PARAMETERS.fullmatch(name) is not None for name, _ in found]
        last = all(axis == -1 for _, axis in found)
        output = last and all(one or is_label(n) for one, (n, _) in zip(parameters, found,
                                                                        strict=True))  # fmt: skip
        example = misfits and not counted and len(found) > 1 and (last or not any(
            axis == -1 for _, axis in found)) and all(
            not one or "prev" in name for one, (name, _) in zip(parameters, found, strict=True)
        )  # fmt: skip
        if not (output or example):
            continue
        name, axis = found[0]
        again = copy.deepcopy(shapes)
        dims = again.inputs[name].dims or ()
        dims[axis].root().size = 1
        yield again


__all__ = ["narrowed"]
