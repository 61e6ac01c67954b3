r"""Other names of functions: ``\phi = \tanh``, "where g is the sigmoid".

Each becomes the definition of a function, ``\phi(·) = tanh(·)``, where the text applies the name.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace

from chainrule.language.reading.names import canonical
from chainrule.language.reading.tokens import Line
from chainrule.language.reading.words import ENTRYWISE, function_word

_NAME = r"(?P<name>\\?[A-Za-z]+)"
_EQUAL = re.compile(
    rf"\s*(?:\$|\\\()?\s*{_NAME}\s*=\s*(?:\\(?:text|mathrm|operatorname)\s*\{{)?\s*"
    r"(?P<function>\\?[A-Za-z]+)\s*\}?\s*(?:\$|\\\))?\s*[.,;]?\s*"
)
_INLINE = re.compile(
    rf"(?:\b(?:where|with|and|for)\s+)?(?:\$|\\\()\s*{_NAME}\s*=\s*\\?(?P<function>[A-Za-z]+)\s*(?:\$|\\\))"
)
_WORDED = re.compile(
    rf"(?:\$|\\\()?(?<![A-Za-z\\]){_NAME}\s*(?:\$|\\\))?\s*(?:\(\s*·?\s*\)\s*)?"
    r"(?:is|denotes|being)\s+(?:the\s+|an?\s+)?(?:usual\s+|standard\s+)?\$?\\?"
    r"(?P<function>[A-Za-z]+)\$?(?:\s+(?:function|activation|nonlinearity))?(?=[\s.,;)$]|$)"
)
ARGUMENT = "argument"
"""The argument of such a function, a word that no text uses."""


def with_named_functions(lines: Sequence[Line]) -> list[Line]:
    """Return the lines with a definition for each other name of a function."""
    text = "\n".join(line.text for line in lines)
    found: list[Line] = []
    named: set[str] = set()
    for line in lines:
        formula = _EQUAL.fullmatch(line.text) or _INLINE.search(line.text)
        match = formula or _WORDED.search(line.text)
        said = _defined(match, line, text) if match else None
        if said is None or said.text in named:
            found.append(line)
            continue
        named.add(said.text)
        found.append(said)
        if formula is None:
            found.append(line)
        else:  # the definition says it
            start, stop = formula.span()
            gap = " " * (stop - start)
            found.append(replace(line, text=f"{line.text[:start]}{gap}{line.text[stop:]}"))
    return found


def _defined(match: re.Match[str], line: Line, text: str) -> Line | None:
    """Return the definition of a function by another name; None where the text applies none."""
    name = match["name"]
    try:
        word = function_word(canonical(match["function"]))
        own = function_word(canonical(name))
    except ValueError:
        return None
    applied = re.search(rf"(?<![A-Za-z\\]){re.escape(name)}(?![A-Za-z])'?\s*\(", text)
    if word not in ENTRYWISE or own is not None or applied is None:
        return None
    return Line(f"{name}({ARGUMENT}) = {word}({ARGUMENT})", line.number, shown=line.text)


__all__ = ["with_named_functions"]
