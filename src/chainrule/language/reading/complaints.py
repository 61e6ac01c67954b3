"""The sentences of the reader's errors: what is wrong, and the next action."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from chainrule.calculus.graph.dims import Shape, written
from chainrule.calculus.graph.node import Symbol
from chainrule.errors import ShapeError
from chainrule.language.reading.words import function_word, function_words

LISTED = 12
QUOTED = 60


def quoted(text: str) -> str:
    """Shorten a part of the text for quoting."""
    text = " ".join(text.split())
    return text if len(text) <= QUOTED else text[: QUOTED - 1] + "…"


def nearest(name: str, known: Iterable[str]) -> str | None:
    """Return the known name that `name` is most likely a misspelling of."""
    from difflib import get_close_matches  # only on the way to an error

    choices = list(dict.fromkeys(known))
    for choice in choices:
        if choice.casefold() == name.casefold():
            return choice
    return next(iter(get_close_matches(name[:QUOTED], choices, 1, 0.6)), None)


def split(name: str, known: Mapping[str, str]) -> list[str] | None:
    """Cut a run of letters into known names, as few as possible.

    >>> split("wX", {"w": "w", "X": "X"})
    ['w', 'X']
    """
    if len(name) > QUOTED:
        return None
    best: list[list[str] | None] = [[]] + [None] * len(name)
    for end in range(1, len(name) + 1):
        for start in range(end):
            before, part = best[start], name[start:end]
            shown = known.get(part) or (part if function_word(part) else None)
            if before is None or shown is None:
                continue
            here = best[end]
            if here is None or len(before) + 1 < len(here):
                best[end] = [*before, shown]
    parts = best[-1]
    return parts if parts and len(parts) > 1 else None


def unknown(
    shown: str,
    name: str,
    scope: Mapping[str, Symbol],
    later: Mapping[str, int],
    *,
    answer: bool = False,
) -> str:
    """Say that a name is unknown, with what was most likely meant.

    Parameters
    ----------
    shown, name : str
        The name as written and in canonical form.
    scope : mapping
        The symbols known so far, by canonical name.
    later : mapping
        The lines of definitions that are still to come.
    answer : bool
        Whether it stands in an answer, where nothing can be declared.
    """
    if name in later:
        return (
            f"{shown} is used before it is defined on line {later[name]}; move that line above "
            "this one"
        )
    function = function_word(name.partition("_")[0])
    if function and "_" in name:
        return f"an index under {function} is not read here; write {function}(...)"
    names = {known: symbol.name for known, symbol in scope.items()}
    message = f"unknown name {quoted(shown)}"
    parts = split(name, names)
    if parts:
        return f"{message}; did you mean {' '.join(parts)}?"
    stem = name.rstrip("0123456789")
    if stem in names and stem != name:
        digits = name[len(stem) :]
        return f"{message}; did you mean {names[stem]}^{digits} or {digits} {names[stem]}?"
    if "_" in name and name.rpartition("_")[0] in names:
        whole = names[name.rpartition("_")[0]]
        return f"{message}: {whole} has no entries here; write the formula for all of {whole}"
    near = nearest(name, (*names, *function_words()))
    if near:
        return f"{message}; did you mean {names.get(near, near)}?"
    if answer:
        return f"{message}; the values here: {', '.join(names.values())}"
    if not names:
        return f"{message}; nothing is declared yet: write {shown} : (rows, columns) above"
    listed = ", ".join(list(names.values())[-LISTED:])
    return f"{message}; known here: {listed}; or declare it: {quoted(shown)} : (rows, columns)"


def unmet(
    error: ShapeError, whole: str, operator: str, operands: tuple[tuple[str, Shape], ...]
) -> str:
    """Say which shapes do not meet, with the operands as they were written."""
    (left, left_shape), (right, right_shape) = operands
    whose = f"{quoted(left)} is {written(left_shape)}, {quoted(right)} is {written(right_shape)}"
    fact = error.fact.removeprefix(
        f"{written(left_shape)} times {written(right_shape)}: "
    ).removeprefix(f"{written(left_shape)} and {written(right_shape)} ")
    fact = f"they {fact}" if fact.startswith("do not") else fact
    message = f"{quoted(whole)}: {whose}; {fact}"
    mends = []
    if operator == " " and left_shape == right_shape:
        mends.append(f"{quoted(left)} .* {quoted(right)}")
    if error.mend is not None:
        mend = error.mend if "{1}" in error.mend else f"{error.mend}{operator}{{1}}"
        mends.append(_filled(mend, quoted(left), quoted(right)))
    return f"{message}; did you mean {', or '.join(mends)}?" if mends else message


def _filled(mend: str, *operands: str) -> str:
    for place, text in enumerate(operands):
        slot = f"{{{place}}}"
        loose = not _atomic(text)
        if f"{slot}^T" in mend and text.endswith("^T") and _atomic(text[:-2]):
            mend = mend.replace(f"{slot}^T", text[:-2])
        elif loose and (f"{slot}^T" in mend or "+" in text or "-" in text):
            mend = mend.replace(slot, f"({text})")
        else:
            mend = mend.replace(slot, text)
    return mend


def _atomic(text: str) -> bool:
    """Tell whether a mark after the text applies to all of it."""
    depth = 0
    for at, character in enumerate(text):
        depth += {"(": 1, "{": 1, "[": 1, ")": -1, "}": -1, "]": -1}.get(character, 0)
        if depth == 0 and (character in "+-*/@·" or character.isspace()):
            return False
        if depth == 0 and character == ")" and at < len(text) - 1:
            return False
    return True
