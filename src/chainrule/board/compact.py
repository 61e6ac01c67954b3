"""Data as a script: an expression of JavaScript in which nothing that is repeated stands twice."""

from __future__ import annotations

import json
from collections.abc import Hashable
from dataclasses import dataclass, field
from typing import Any

LEAST = 24
"""The shortest text that gets a place of its own."""


class Verbatim(str):
    """Code that is written as it is: a function among data."""


def script_expression(value: Any) -> str:  # noqa: ANN401
    """Return plain data as an expression; equal parts are one object, so nobody may change them.

    >>> script_expression({"a": 1, "b": [True, None, "x"]})
    '{"a":1,"b":[true,null,"x"]}'
    >>> long = "a formula that is long enough to share"
    >>> script_expression([long, long])
    '(()=>{const s=[];s[0]="a formula that is long enough to share";return [s[0],s[0]];})()'
    """
    writer = _Writer()
    root = writer.known(value)
    body = writer.written(root)
    if not writer.table:
        return body
    return f"(()=>{{const s=[];{''.join(writer.table)}return {body};}})()"


@dataclass
class _Writer:
    ids: dict[Hashable, int] = field(default_factory=dict)
    parts: list[tuple[str, Any]] = field(default_factory=list)
    uses: list[int] = field(default_factory=list)
    lengths: list[int] = field(default_factory=list)
    names: dict[int, str] = field(default_factory=dict)
    table: list[str] = field(default_factory=list)

    def known(self, value: Any) -> int:  # noqa: ANN401
        """Return the number of a value; equal values have one."""
        part: tuple[str, Any]
        if isinstance(value, dict):
            part = ("object", tuple((key, self.known(item)) for key, item in value.items()))
        elif isinstance(value, list | tuple):
            part = ("list", tuple(self.known(item) for item in value))
        elif isinstance(value, Verbatim):
            part = ("code", str(value))
        else:
            part = ("text", _literal(value))
        if part in self.ids:
            return self.ids[part]
        kind, content = part
        inner = _children(kind, content)
        for child in set(inner):
            self.uses[child] += 1 + (inner.count(child) > 1)
        number = self.ids[part] = len(self.parts)
        self.parts.append(part)
        self.uses.append(0)
        parts: Any = content
        own = sum(len(key) for key, _ in parts) if kind == "object" else 0
        base = len(content) if kind in ("text", "code") else 2 * len(content)
        self.lengths.append(own + base + sum(self.lengths[child] for child in inner))
        return number

    def written(self, number: int) -> str:
        """Return the code of a value; parts that are used again go into the table first."""
        if number in self.names:
            return self.names[number]
        kind, content = self.parts[number]
        if kind == "object":
            inside = ",".join(f"{json.dumps(key)}:{self.written(item)}" for key, item in content)
            code = f"{{{inside}}}"
        elif kind == "list":
            code = f"[{','.join(self.written(item) for item in content)}]"
        else:
            code = content
        if self.uses[number] > 1 and self.lengths[number] >= LEAST:
            name = f"s[{len(self.table)}]"
            self.table.append(f"{name}={code};")
            self.names[number] = name
            return name
        return code


def _children(kind: str, content: Any) -> list[int]:  # noqa: ANN401
    if kind == "object":
        return [item for _, item in content]
    return list(content) if kind == "list" else []


def _literal(value: Any) -> str:  # noqa: ANN401
    text = json.dumps(value, ensure_ascii=False, allow_nan=False)
    # These end a line, or a script, in the middle of a string.
    return text.replace("\u2028", "\\u2028").replace("\u2029", "\\u2029").replace("</", "<\\/")
