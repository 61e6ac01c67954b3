"""From the `loss` parameter of an estimator to the engine's loss: a name, a formula or a file."""

from __future__ import annotations

import os
from collections.abc import Mapping
from difflib import get_close_matches
from functools import lru_cache
from pathlib import Path
from typing import Any, Final

from chainrule.engine.losses.facts import LossRow, Targets
from chainrule.engine.losses.table import find_loss, loss_names
from chainrule.errors import DataError
from chainrule.storage import read_small_text

_SUFFIX: Final = ".cr"
_VARIABLES: Final = ("y", "z")
_CHOICES: Final = 'a .cr file, or a formula in z and y such as "log(cosh(z - y))"'

_Constants = tuple[tuple[str, float], ...]


def loss_text(wanted: str) -> str | None:
    """Return the text of the loss in a file or a formula; None for the name of a shipped loss.

    Parameters
    ----------
    wanted : str
        A shipped name, the path of a forward pass, ending in ``.cr``, or a formula in the score z
        and the target y.

    Raises
    ------
    DataError
        When a word is not the name of a loss, or a file cannot be read as text.

    Examples
    --------
    >>> loss_text("poisson") is None
    True
    >>> loss_text("exp(z) - y z")
    'exp(z) - y z'
    """
    names = loss_names()
    if wanted in names:
        return None
    if wanted.endswith(_SUFFIX):
        return _read(Path(wanted))
    if wanted.isidentifier() and wanted not in _VARIABLES:
        near = get_close_matches(wanted, names, n=1)
        hint = f" Did you mean {near[0]}?" if near else ""
        raise DataError(
            f"unknown loss {wanted!r}.{hint} Choose one of {', '.join(names)}, {_CHOICES}."
        )
    return wanted


def resolve_loss(
    loss: Any,  # noqa: ANN401
    constants: Mapping[str, float] | None = None,
    link: str | None = None,
    targets: Targets | None = None,
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
    targets : Targets, optional
        The targets that facts of a formula or file are proven for; all numbers by default.

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
    wanted = str(os.fspath(loss))
    text = loss_text(wanted)
    if text is None:
        return _shipped(wanted, constants, link)
    name = Path(wanted).stem if wanted.endswith(_SUFFIX) else None
    return _of_text(text, name, _items(constants), link or "identity", targets)


def _shipped(name: str, constants: Mapping[str, float] | None, link: str | None) -> LossRow:
    row = find_loss(name)
    if link not in (None, row.link_name):
        raise DataError(f"the loss {name} has the link {row.link_name}; omit link={link!r}")
    if not constants:
        return row
    return _with_constants(name, _items(constants))


def _items(constants: Mapping[str, float] | None) -> _Constants:
    return tuple(sorted((constants or {}).items()))


@lru_cache(maxsize=64)
def _with_constants(name: str, constants: _Constants) -> LossRow:
    """Return a shipped loss, derived once per process for each choice of constants."""
    from chainrule.emission.shipped import shipped_loss  # the derivation is loaded when needed

    return shipped_loss(name, dict(constants))


@lru_cache(maxsize=64)
def _of_text(
    text: str, name: str | None, constants: _Constants, link: str, targets: Targets | None
) -> LossRow:
    """Return the loss of a text, derived once per process."""
    from chainrule.emission.deriving import derive_loss

    return derive_loss(text, name=name, constants=dict(constants), link=link, targets=targets)


def _read(path: Path) -> str:
    try:
        return read_small_text(path)
    except UnicodeDecodeError:
        raise DataError(f"{path}: this is not text. Name the file of a forward pass.") from None
    except OSError as error:
        raise DataError(
            f"cannot read the loss in {path}: {error.strerror}. Choose the name of a loss, "
            f"{_CHOICES}."
        ) from error
