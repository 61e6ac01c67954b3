"""Statements of Octave, MATLAB and Julia, row by row as Python."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from chainrule.teaching.marking.code_by_value.dialects.calls import julia_call, octave_call
from chainrule.teaching.marking.code_by_value.dialects.expressions import (
    Expressions,
    python_name,
)
from chainrule.teaching.marking.code_by_value.dialects.tokens import (
    Dialect,
    NotRead,
    Token,
    tokens,
)

OCTAVE = Dialect("octave", "%#", frozenset({"*"}), calls_index=True)
JULIA = Dialect("julia", "#", frozenset({"*"}))

_OPENS = ("for", "while", "if", "function", "switch", "try", "parfor", "let", "begin")
_ENDS = re.compile(r"end\w*")
_SIGNS = frozenset({"=", "+=", "-=", "*=", "/="})
_UNROLLED = re.compile(r"\[\s*\w+\(:\)\s*[;,]")
_IGNORED = re.compile(
    r"\s*(?:clear|clc|close|figure|hold|global|fprintf|disp|printf|pkg|load|warning|using|import|"
    r"println|display|@show|break|continue|return\s*;?\s*$)\b"
)


@dataclass
class Block:
    """An open block of code.

    Parameters
    ----------
    word : str
        What opened it.
    outputs : tuple of str
        What it returns, for a function.
    """

    word: str
    outputs: tuple[str, ...] = ()
    last: int = -1  # the row of its last simple statement


@dataclass
class Rows:
    """A writer of rows of Python."""

    dialect: Dialect
    reader: Expressions
    found: list[str] = field(default_factory=list)
    open: list[Block] = field(default_factory=list)
    failed: set[int] = field(default_factory=set)  # rows that are not read

    def put(self, number: int, code: str, *, simple: bool = True) -> None:
        """Write a statement on a row, behind what stands on it."""
        if self.found[number] and simple:
            self.found[number] += f"; {code}"
        elif self.found[number]:
            raise NotRead("a block behind a statement")
        else:
            self.found[number] = "    " * len(self.open) + code
        if simple and self.open:
            self.open[-1].last = number

    def close(self, number: int) -> None:
        """End the innermost block."""
        block = self.open.pop()
        if block.last < 0:
            self.found[number] = "    " * (len(self.open) + 1) + "pass"
        if block.word == "function" and block.outputs:
            given = f"return {', '.join(block.outputs)}"
            if block.last == number or not self.found[number]:
                self.found[number] = self.found[number] or "    " * (len(self.open) + 1)
                self.found[number] += f"; {given}" if self.found[number].strip() else given
            elif block.last >= 0:
                self.found[block.last] += f"; {given}"
        if self.open:
            self.open[-1].last = max(self.open[-1].last, -1)
            self.open[-1].last = number if self.open[-1].last < 0 else self.open[-1].last


def translated(rows: list[str], dialect: Dialect) -> tuple[list[str], set[int]]:
    """Return rows of Octave or Julia as rows of Python, and the numbers of those not read.

    Parameters
    ----------
    rows : list of str
    dialect : Dialect
    """
    reader = Expressions(dialect, julia_call if dialect.name == "julia" else octave_call)
    writer = Rows(dialect, reader, [""] * (len(rows) + 1))
    _meet_names(rows, reader)
    comment = False
    carried, start = "", 0
    for number, row in enumerate(rows):
        if row.strip() in ("%{", "#{", "#="):
            comment = True
        if comment:
            comment = row.strip() not in ("%}", "#}", "=#")
            continue
        whole = f"{carried} {row}" if carried else row
        start = start if carried else number
        carried = ""
        if re.search(r"\.\.\.\s*(?:%.*)?$", row):
            carried = re.sub(r"\.\.\.\s*(?:%.*)?$", "", whole)
            continue
        if _IGNORED.match(whole) or _UNROLLED.search(whole):
            if writer.open:
                writer.open[-1].last = max(writer.open[-1].last, -1)
            continue
        _take(writer, whole, start)
    while writer.open:
        writer.close(len(rows))
    return writer.found[: len(rows)], writer.failed


def _meet_names(rows: list[str], reader: Expressions) -> None:
    """Note which names have values, and which are functions."""
    for row in rows:
        if (match := re.match(r"\s*function\s+(?:.*=\s*)?(\w+)\s*(?:\((.*?)\))?", row)) is not None:
            reader.functions.add(python_name(match[1]))
            reader.arrays |= {python_name(n) for n in re.findall(r"\w+", match[2] or "")}
            row = row.partition("=")[0] if "=" in row else ""
            reader.arrays |= {python_name(n) for n in re.findall(r"\w+", row)} - {"function"}
            continue
        if (match := re.match(r"\s*(\w+)\s*=\s*@", row)) is not None:
            reader.functions.add(python_name(match[1]))
            continue
        if (match := re.match(r"\s*(\w+)\((\w+(?:\s*,\s*\w+)*)\)\s*=(?!=)", row)) is not None and (
            reader.dialect.name == "julia"
        ):  # fmt: skip
            reader.functions.add(match[1])
            continue
        if (
            match := re.match(r"\s*\[?([\w\s,~]+?)\]?(?:[({].*?[)}])?\s*[-+*/]?=(?!=)", row)
        ) is not None:
            reader.arrays |= {python_name(n) for n in re.findall(r"\w+", match[1])}
    reader.arrays |= {"X", "x", "y", "Y", "theta", "Theta1", "Theta2", "W", "w", "b"}
    reader.arrays -= reader.functions


def _take(writer: Rows, row: str, number: int) -> None:
    try:
        parts = _statements(
            tokens(row, writer.dialect), ";" if writer.dialect.name == "julia" else ";,"
        )
    except NotRead:
        writer.failed.add(number)
        return
    for part in parts:
        try:
            _statement(writer, part, number)
        except NotRead:
            writer.failed.add(number)


def _statements(row: list[Token], marks: str) -> list[list[Token]]:
    """Return the statements of a row, which some marks separate."""
    found: list[list[Token]] = [[]]
    depth = 0
    for at, token in enumerate(row):
        if token.kind == "sign" and token.text in ("(", "[", "{", ".("):
            depth += 1
        elif token.kind == "sign" and token.text in (")", "]", "}"):
            depth -= 1
        if depth == 0 and token.kind == "sign" and token.text in marks:
            found.append([])
            continue
        found[-1].append(token)
        one = found[-1]
        opened = one[0].text in ("if", "while") and depth == 0 and token.text == ")"
        rest = at + 1 < len(row) and row[at + 1].kind == "name"
        if opened and rest and _balanced(one[1:]):
            found.append([])
        if one[0].text in ("else", "end") and len(one) == 1 and rest and row[at + 1].text != "if":
            found.append([])
    return [one for one in found if one]


def _balanced(row: list[Token]) -> bool:
    depth = 0
    for at, token in enumerate(row):
        depth += token.text in ("(", ".(") and token.kind == "sign"
        depth -= token.text == ")" and token.kind == "sign"
        if depth == 0 and at < len(row) - 1:
            return False
    return depth == 0


def _statement(writer: Rows, row: list[Token], number: int) -> None:
    word = row[0].text if row[0].kind == "name" else ""
    reader = writer.reader
    if _ENDS.fullmatch(word) and len(row) == 1:
        if writer.open:
            writer.close(number)
        return
    if word == "function":
        _function(writer, row[1:], number)
        return
    if word in ("for", "parfor"):
        body = row[1:]
        while body and body[0].text == "(" and body[-1].text == ")" and _balanced(body):
            body = body[1:-1]
        writer.put(number, _loop(reader, body), simple=False)
        writer.open.append(Block("for"))
        return
    if word in ("if", "while", "elseif"):
        test = reader.read(row[1:])
        if word == "elseif":
            writer.close(number)
        writer.put(number, f"{'elif' if word == 'elseif' else word} {test}:", simple=False)
        writer.open.append(Block(word))
        return
    if word == "else":
        writer.close(number)
        writer.put(number, "else:", simple=False)
        writer.open.append(Block("else"))
        return
    if word in _OPENS:
        raise NotRead(f"{word} is not read")
    if word == "return":
        writer.put(number, f"return {_listed(reader, row[1:])}")
        return
    writer.put(number, _assignment(reader, row))


def _listed(reader: Expressions, row: list[Token]) -> str:
    """Return expressions that commas separate."""
    parts: list[list[Token]] = [[]]
    depth = 0
    for token in row:
        depth += (token.text in ("(", "[", ".(")) - (token.text in (")", "]"))
        if depth == 0 and token.text == ",":
            parts.append([])
        else:
            parts[-1].append(token)
    return ", ".join(map(reader.read, parts))


def _loop(reader: Expressions, row: list[Token]) -> str:
    """Return the head of a loop; its variable counts from 0."""
    if len(row) < 3 or row[0].kind != "name" or row[1].text not in ("=", "in"):
        raise NotRead("a loop that is not read")
    name = python_name(row[0].text)
    reader.loops.add(name)
    bounds: list[list[Token]] = [[]]
    depth = 0
    for token in row[2:]:
        depth += (token.text in "([{") - (token.text in ")]}")
        if token.text == ":" and depth == 0:
            bounds.append([])
        else:
            bounds[-1].append(token)
    ends = [reader.read(one) for one in bounds]
    if len(ends) == 1:
        return f"for {name} in {ends[0]}:"
    first = str(int(ends[0]) - 1) if ends[0].isdigit() else f"{ends[0]} - 1"
    if len(ends) == 2:
        return f"for {name} in range({ends[1]}):" if first == "0" else \
            f"for {name} in range({first}, {ends[1]}):"  # fmt: skip
    last = str(int(ends[2]) - 2) if ends[2].isdigit() else f"{ends[2]} - 2"
    return f"for {name} in range({first}, {last}, {ends[1].strip('()')}):"


def _function(writer: Rows, row: list[Token], number: int) -> None:
    """Take the head of a function: ``function [J, grad] = cost(theta, X)``."""
    while writer.open:  # a file of functions needs no end
        writer.close(number - 1 if number else 0)
    outputs: tuple[str, ...] = ()
    at = next((k for k, token in enumerate(row) if token.text == "="), None)
    if at is not None:
        outputs = tuple(python_name(t.text) for t in row[:at] if t.kind == "name")
        row = row[at + 1 :]
    if not row or row[0].kind != "name":
        raise NotRead("a function without a name")
    names = [python_name(t.text) for t in row[1:] if t.kind == "name"]
    writer.put(number, f"def {python_name(row[0].text)}({', '.join(names)}):", simple=False)
    writer.open.append(Block("function", outputs))


def _assignment(reader: Expressions, row: list[Token]) -> str:
    """Return an assignment, or an expression for its own sake."""
    depth = 0
    at = None
    for k, token in enumerate(row):
        if token.kind == "sign":
            depth += (token.text in "([{") - (token.text in ")]}")
            if depth == 0 and token.text in _SIGNS:
                at = k
                break
    if at is None:
        return reader.read(row)
    left, sign, right = row[:at], row[at].text, row[at + 1 :]
    if left[0].text == "[" and left[-1].text == "]":
        names = [t.text if t.text != "~" else "_" for t in left[1:-1] if t.text != ","]
        if any(not name.isidentifier() for name in names):
            raise NotRead("a target that is not read")
        target = ", ".join(map(python_name, names))
    elif reader.dialect.name == "julia" and left[0].text in reader.functions and len(left) > 1:
        return f"def {reader.read(left)}: return {reader.read(right)}"
    elif any(t.text == "," for t in left) and all(t.kind == "name" or t.text == "," for t in left):
        target = ", ".join(python_name(t.text) for t in left if t.kind == "name")
    else:
        target = reader.read(left)
    if right and right[0].text == "@":
        return _anonymous(reader, target, right[1:])
    return f"{target} {sign} {reader.read(right)}"


def _anonymous(reader: Expressions, name: str, row: list[Token]) -> str:
    """Return ``s = @(z) 1 ./ (1 + exp(-z))`` as a function."""
    close = next((k for k, token in enumerate(row) if token.text == ")"), None)
    if close is None:
        raise NotRead("a function that is not read")
    names = [python_name(t.text) for t in row[1:close] if t.kind == "name"]
    return f"def {name}({', '.join(names)}): return {reader.read(row[close + 1 :])}"


__all__ = ["JULIA", "OCTAVE", "translated"]
