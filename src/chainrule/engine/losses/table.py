"""The losses that come with chainrule, by name."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import lru_cache
from importlib import import_module
from pathlib import Path
from typing import Final

from chainrule.engine.losses.facts import LossRow
from chainrule.engine.losses.modules import row_of
from chainrule.errors import DataError

_EMITTED = Path(__file__).parent / "emitted"


class _Losses(Mapping[str, LossRow]):
    """Rows by name; a module is imported when its row is first asked for."""

    def __getitem__(self, name: str) -> LossRow:
        if name not in self:
            raise KeyError(name)
        return _row(name)

    def __contains__(self, name: object) -> bool:
        is_name = isinstance(name, str) and name.isidentifier() and name[0].islower()
        return is_name and (_EMITTED / f"{name}.py").exists()

    def __iter__(self) -> Iterator[str]:
        return iter(self._names())

    def __len__(self) -> int:
        return len(self._names())

    @staticmethod
    def _names() -> tuple[str, ...]:
        return tuple(sorted(path.stem for path in _EMITTED.glob("[a-z]*.py")))


TABLE: Final[Mapping[str, LossRow]] = _Losses()
"""Every shipped loss by its name.

>>> "poisson" in TABLE
True
"""


def loss_names() -> tuple[str, ...]:
    """Return the names of all shipped losses.

    >>> "poisson" in loss_names()
    True
    """
    return tuple(TABLE)


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
    if name not in TABLE:
        raise DataError(f"unknown loss {name!r}; known are {', '.join(TABLE)}")
    return TABLE[name]


@lru_cache
def _row(name: str) -> LossRow:
    module = import_module(f"chainrule.engine.losses.emitted.{name}")
    return row_of(module, (_EMITTED / f"{name}.py").read_text(encoding="utf-8"))
