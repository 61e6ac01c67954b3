"""Functions of several arguments that code defines in one line, written out where it calls them.

``def layer(W, x): return np.tanh(W @ x)`` makes ``h = layer(V, u)`` read as
``h = (np.tanh((V) @ (u)))``. Every change stays on its row, so line numbers hold.
"""

from __future__ import annotations

import re

_DEFINED = re.compile(
    r"^(?P<indent>[ \t]*)def\s+(?P<name>\w+)\s*\((?P<parameters>[^()]*)\)\s*(?:->[^:\n]*)?:[ \t]*"
    r"(?:#[^\n]*)?\n?(?:[ \t]*(?:#[^\n]*|\"\"\"[^\"]*\"\"\")?\n)*"
    r"[ \t]*return\s+(?P<body>[^\n#]+?)[ \t]*(?:#[^\n]*)?$",
    re.MULTILINE,
)
MOST_FUNCTIONS = 20
MOST_CALLS = 100
LONGEST_BODY = 200
MOST_ADDED = 20_000
"""Limits on what is written out."""


def with_functions_written_out(text: str) -> str:
    """Return a text in which calls of its own functions of several arguments are their bodies."""
    for match in list(_DEFINED.finditer(text))[:MOST_FUNCTIONS]:
        parameters = [part.split("=")[0].split(":")[0].strip()
                      for part in match["parameters"].split(",")]  # fmt: skip
        body = match["body"]
        plain = len(parameters) > 1 and all(part.isidentifier() for part in parameters)
        if not plain or "self" in parameters or len(body) > LONGEST_BODY or "," in body:
            continue
        if re.search(rf"(?<!\w){match['name']}\s*\(", body):
            continue  # it calls itself
        text = _written_out(text, match["name"], parameters, body)
    return text


def _written_out(text: str, name: str, parameters: list[str], body: str) -> str:
    called = re.compile(rf"(?<![\w.])(?<!def ){re.escape(name)}\s*\(")
    at, most = 0, len(text) + MOST_ADDED
    for _ in range(MOST_CALLS):
        match = called.search(text, at)
        if match is None:
            break
        arguments, end = _arguments(text, match.end())
        at = match.end()
        if len(arguments) != len(parameters) or any("=" in one for one in arguments):
            continue
        given = dict(zip(parameters, arguments, strict=True))
        names = re.compile(rf"(?<![\w.])(?:{'|'.join(map(re.escape, parameters))})(?!\w)")
        inner = names.sub(lambda found, given=given: f"({given[found[0]]})", body)  # type: ignore[misc]
        text = f"{text[: match.start()]}({inner}){text[end:]}"
        at = match.start()  # a call may stand in an argument of another
        if len(text) > most:
            break
    return text


def _arguments(text: str, start: int) -> tuple[list[str], int]:
    """Return the arguments of a call on one row, and where it ends; none where it does not."""
    depth, begin = 1, start
    found: list[str] = []
    for at in range(start, len(text)):
        character = text[at]
        if character == "\n":
            break
        depth += (character in "([{") - (character in ")]}")
        if depth == 0:
            return [*found, text[begin:at].strip()], at + 1
        if character == "," and depth == 1:
            found.append(text[begin:at].strip())
            begin = at + 1
    return [], start


__all__ = ["with_functions_written_out"]
