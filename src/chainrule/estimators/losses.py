"""From the `loss` parameter of an estimator to the engine's loss: a name, a formula or a file."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any, Final

from chainrule.engine.losses.facts import LossRow
from chainrule.engine.losses.table import TABLE, find_loss
from chainrule.errors import DataError

_WORD: Final = re.compile(r"[A-Za-z_]\w*")
_VARIABLES: Final = ("y", "z")

_Constants = tuple[tuple[str, float], ...]


def resolve_loss(
    loss: Any,  # noqa: ANN401
    constants: Mapping[str, float] | None = None,
    link: str | None = None,
) -> LossRow:
    """Return the loss that a user named, wrote or stored in a file.

    Parameters
    ----------
    loss : str or path
        The name of a shipped loss, a formula in the score z and the target y, or the path of a
        forward pass, ending in ``.cr``. Strings are parsed, never evaluated.
    constants : mapping of str to float, optional
        Values of named constants.
    link : str, optional
        The link of a formula or file; "identity" by default. A shipped loss has its own.

    Raises
    ------
    DataError
        When there is no such loss or file.
    ModelError
        When a formula cannot be parsed (the message has the position), is not a loss of one score,
        or a constant is unknown or out of range.

    Examples
    --------
    >>> resolve_loss("gamma").link_name
    'log'
    """
    if not isinstance(loss, str | os.PathLike):
        raise DataError(f"loss must be a name, a formula in z and y, or a path, not {loss!r}")
    text = os.fspath(loss)
    if text in tuple(TABLE):
        return _shipped(text, constants, link)
    if text.endswith(".cr"):
        return _derived(_read(text), Path(text).stem, constants, link)
    if _WORD.fullmatch(text) and text not in _VARIABLES:
        raise DataError(
            f"unknown loss {text!r}; known are {', '.join(tuple(TABLE))}, a formula in z and y, "
            "or the path of a .cr file"
        )
    return _derived(text, None, constants, link)


def _shipped(name: str, constants: Mapping[str, float] | None, link: str | None) -> LossRow:
    row = find_loss(name)
    if link not in (None, row.link_name):
        raise DataError(f"the loss {name} has the link {row.link_name}; omit link={link!r}")
    if not constants:
        return row
    return _with_constants(name, _items(constants))


def _derived(
    text: str, name: str | None, constants: Mapping[str, float] | None, link: str | None
) -> LossRow:
    return _of_text(text, name, _items(constants), link or "identity")


def _items(constants: Mapping[str, float] | None) -> _Constants:
    return tuple(sorted((constants or {}).items()))


@lru_cache(maxsize=64)
def _with_constants(name: str, constants: _Constants) -> LossRow:
    """Return a shipped loss, derived once per process for each choice of constants."""
    from chainrule.emission.shipped import shipped_loss  # the derivation is loaded when needed

    return shipped_loss(name, dict(constants))


@lru_cache(maxsize=64)
def _of_text(text: str, name: str | None, constants: _Constants, link: str) -> LossRow:
    """Return the loss of a text, derived once per process."""
    from chainrule.emission.deriving import derive_loss

    return derive_loss(text, name=name, constants=dict(constants), link=link)


def _read(path: str) -> str:
    try:
        return Path(path).read_text(encoding="utf-8")
    except OSError as error:
        raise DataError(
            f"cannot read the loss in {path}: {error.strerror}; write the path of a .cr file, the "
            "name of a loss, or a formula in z and y"
        ) from error
