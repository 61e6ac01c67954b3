"""The losses that come with chainrule, by name."""

from __future__ import annotations

from functools import lru_cache
from importlib import import_module
from pathlib import Path

from chainrule.engine.losses.facts import LossRow
from chainrule.engine.losses.modules import row_of
from chainrule.errors import DataError

_EMITTED = Path(__file__).parent / "emitted"


def loss_names() -> tuple[str, ...]:
    """Return the names of all losses.

    >>> "poisson" in loss_names()
    True
    """
    return tuple(sorted(path.stem for path in _EMITTED.glob("[a-z]*.py")))


@lru_cache
def find_loss(name: str) -> LossRow:
    """Return the loss of a name, with its default constants.

    Raises
    ------
    DataError
        When there is none; the message lists the names.

    Examples
    --------
    >>> find_loss("poisson").link_name
    'log'
    """
    if name not in loss_names():
        raise DataError(f"unknown loss {name!r}; known are {', '.join(loss_names())}")
    module = import_module(f"chainrule.engine.losses.emitted.{name}")
    return row_of(module, (_EMITTED / f"{name}.py").read_text(encoding="utf-8"))
