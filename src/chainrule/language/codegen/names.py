"""Identifiers for names of the lecture: ``W^[1]`` becomes W1, ``a_1`` stays, ``ŷ`` is yhat."""

from __future__ import annotations

import builtins
import keyword
import re
from collections.abc import Iterable

from chainrule.calculus.ops.own import MODULE_WORDS
from chainrule.language.reading.names import canonical

AMBIGUOUS = frozenset({"l", "O", "I"})
"""Letters that linters confuse with digits."""


class Identifiers:
    """Assigns identifiers, each once.

    Parameters
    ----------
    taken : iterable of str
        What must not be handed out, beside words of Python and of the module.
    """

    def __init__(self, taken: Iterable[str] = ()) -> None:
        self._taken = {*taken, *MODULE_WORDS, *AMBIGUOUS, *dir(builtins), *keyword.kwlist}

    def fresh(self, written: str) -> str:
        r"""Return a new identifier for a written name.

        >>> names = Identifiers()
        >>> [names.fresh(text) for text in ("W^[1]", "a_1", "\\hat{y}", "λ", "W1", "l")]
        ['W1', 'a_1', 'yhat', 'lambda_', 'W1_', 'l_']
        """
        name = identifier(written)
        while name in self._taken:
            name += "_"
        self._taken.add(name)
        return name

    def apart(self) -> Identifiers:
        """Return a copy that diverges from here, for the inside of a function."""
        return Identifiers(self._taken)

    def numbered(self, letter: str) -> str:
        """Return the first of ``t1``, ``t2``, ... that is free."""
        number = 1
        while f"{letter}{number}" in self._taken:
            number += 1
        return self.fresh(f"{letter}{number}")


def identifier(written: str) -> str:
    """Spell a name with letters, digits and underscores."""
    try:
        text = canonical(written)
    except ValueError:
        text = written
    text = re.sub(r"\^\[([^\]]*)\]", r"\1", text)
    text = re.sub(r"\^\(([^)]*)\)", r"_\1", text).replace("'", "_prime")
    text = re.sub(r"\W+", "_", text)
    return text if text.isidentifier() else f"v{text}"
