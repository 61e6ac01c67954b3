"""Problems in parts (a) to (f), with follow-through marks from the audit.

Each part is a gradient that may use the earlier ones by name. A part that follows from a wrong
earlier part gets its marks.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from chainrule.errors import ChainruleError
from chainrule.language.reading import read_model
from chainrule.teaching.exercises.typed_numbers import plain_name
from chainrule.teaching.grading.audit import FOLLOWS, Verdict, audit

_PART = re.compile(
    r"^\s*(?:\(?(?P<letter>[a-h])\)|(?P<plain>[a-h])\s*:)\s*(?P<rest>.*)$", re.DOTALL
)
_NAME = re.compile(r"^\s*(?P<name>[^=<>]+?)\s*=\s*(?P<value>[^=].*)$", re.DOTALL)


@dataclass(frozen=True)
class PartMark:
    """The mark of one part of a problem.

    Parameters
    ----------
    name : str
        The gradient that the part asks for.
    held : bool
        Whether the part gets its marks.
    answered : bool
        Whether there is an answer.
    said : str
        The reason in a sentence.
    """

    name: str
    held: bool
    answered: bool
    said: str


def split_parts(text: str, names: Sequence[str]) -> dict[str, str] | str:
    """Return the answer of each part by its name; a reason where the text cannot be split.

    Examples
    --------
    >>> split_parts("(a) P - Y; b: dZ A^T", ["dZ", "dW"])
    {'dZ': 'P - Y', 'dW': 'dZ A^T'}
    >>> split_parts("dW = dZ A^T", ["dZ", "dW"])
    {'dW': 'dZ A^T'}
    """
    found: dict[str, str] = {}
    lines = [line for line in re.split(r"[;\n]", text) if line.strip()]
    for place, line in enumerate(lines):
        part = _PART.match(line)
        name = ""
        if part is not None:
            number = ord(part["letter"] or part["plain"]) - ord("a")
            if number >= len(names):
                return f"there is no part ({chr(ord('a') + number)}); the last is {names[-1]}"
            name, line = names[number], part["rest"]
        stated = _NAME.match(line)
        if stated is not None:
            wanted = [n for n in names if plain_name(n) == plain_name(stated["name"])]
            if not wanted:
                return f"{stated['name']} is not asked for; the parts are {', '.join(names)}"
            name, line = wanted[0], stated["value"]
        if not name:
            if len(lines) > len(names):
                return f"{len(names)} parts are asked for: {', '.join(names)}"
            name = names[place]
        if line.strip() not in ("", "?", "-"):
            found[name] = " ".join(line.split())
    return {name: found[name] for name in names if name in found}


def judged_parts(forward: str, answers: dict[str, str]) -> dict[str, Verdict] | str:
    """Return the verdict on each part; a reason where a part cannot be read.

    Parameters
    ----------
    forward : str
        The forward pass.
    answers : dict of str to str
        The answer of each part; later parts may use earlier ones by name.
    """
    lines = [f"{name} = {answer}" for name, answer in answers.items()]
    try:
        found = audit("\n".join(lines), read_model(forward))
    except ChainruleError as error:
        return _sentence(str(error))
    verdicts = {verdict.line: verdict for verdict in found.lines}
    by_name: dict[str, Verdict] = {}
    for number, name in enumerate(answers, start=1):
        verdict = verdicts.get(number)
        if verdict is None or verdict.verdict in ("unreadable", "unproven"):
            why = "it was not read as a claim" if verdict is None else verdict.why
            return f"{name}: {_sentence(why)}"
        by_name[name] = verdict
    return by_name


def holds(verdict: Verdict) -> bool:
    """Whether a part gets its marks: it is right, or follows from an earlier part."""
    return verdict.verdict in ("proven", FOLLOWS)


def marked(name: str, verdict: Verdict | None) -> PartMark:
    """Return the mark of a part; without a verdict it was not answered."""
    if verdict is None:
        return PartMark(name, False, False, "no answer")
    if verdict.verdict == FOLLOWS:
        return PartMark(name, True, True, "follows from your earlier part, full marks")
    if holds(verdict):
        return PartMark(name, True, True, "right")
    return PartMark(name, False, True, f"wrong: {verdict.mistake or verdict.why}")


def _sentence(reason: str) -> str:
    """Return a reason without its place: a part stands in a field of its own."""
    return re.sub(r"^line \d+, column \d+: ", "", reason.split("\n")[0])
