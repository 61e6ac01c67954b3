"""Statements of R, row by row as Python."""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import pairwise

from chainrule.teaching.marking.code_by_value.dialects.calls import r_call
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

R = Dialect("r", "#", frozenset({"%*%"}), dotted_names=True)

_IGNORED = frozenset(
    {"library", "require", "set_seed", "print", "cat", "plot", "source", "message"}
)


@dataclass
class _Numbered:
    token: Token
    row: int


@dataclass
class Reader:
    """A reader of the statements of R."""

    words: list[_Numbered]
    found: list[str]
    expressions: Expressions = field(default_factory=lambda: Expressions(R, r_call))
    at: int = 0
    failed: set[int] = field(default_factory=set)

    def here(self) -> str:
        """Return the text of the next token; empty behind the last."""
        return self.words[self.at].token.text if self.at < len(self.words) else ""

    def put(self, row: int, depth: int, code: str) -> None:
        """Write a statement on a row, behind what stands on it."""
        if not self.found[row].strip():
            self.found[row] = "    " * depth + code
        elif not code.endswith(":"):
            mark = "" if self.found[row].endswith(":") else ";"
            self.found[row] += f"{mark} {code}"

    def block(self, depth: int, *, returns: bool) -> None:
        """Take the body of a function, a loop or a condition."""
        if self.here() == "{":
            row = self.words[self.at].row
            self.at += 1
            count = 0
            while self.here() not in ("}", ""):
                if self.here() == ";":
                    self.at += 1
                    continue
                self.statement(depth, returns=returns)
                count += 1
            if not count:
                self.put(row, depth, "pass")
            self.at += 1
            return
        self.statement(depth, returns=returns)

    def statement(self, depth: int, *, returns: bool = False) -> None:
        """Take one statement."""
        row = self.words[self.at].row
        word = self.here()
        if word in ("for", "while", "if") and self.words[self.at].token.kind == "name":
            self._control(word, row, depth, returns=returns)
            return
        taken = self._until_end()
        if self.here() == "{":  # the body of a function
            raise NotRead("a block that is not read")
        if not taken:
            self.at += 1
            return
        try:
            code = self._simple(taken, depth)
        except NotRead:
            self.failed.add(row)
            code = ""
        if not code:
            return
        last = returns and self._ends_block()
        assigns = " = " in code.split("(")[0] or code.startswith(("def ", "return "))
        self.put(row, depth, f"return {code}" if last and not assigns else code)

    def _ends_block(self) -> bool:
        return self.here() in ("}", "")

    def _control(self, word: str, row: int, depth: int, *, returns: bool) -> None:
        self.at += 1
        inside = self._parenthesis()
        if word == "for":
            code = _loop(self.expressions, inside)
        else:
            code = f"{word} {self.expressions.read(inside)}:"
        self.put(row, depth, code)
        self.block(depth + 1, returns=returns)
        while word == "if" and self.here() == "else":
            row = self.words[self.at].row
            self.at += 1
            if self.here() == "if":
                self.at += 1
                code = f"elif {self.expressions.read(self._parenthesis())}:"
            else:
                code = "else:"
            self.found[row] = ""
            self.put(row, depth, code)
            self.block(depth + 1, returns=returns)

    def _parenthesis(self) -> list[Token]:
        if self.here() != "(":
            raise NotRead("( is missing")
        self.at += 1
        depth = 1
        found: list[Token] = []
        while self.at < len(self.words):
            token = self.words[self.at].token
            self.at += 1
            depth += (token.text == "(") - (token.text == ")")
            if not depth:
                return found
            found.append(token)
        raise NotRead(") is missing")

    def _until_end(self) -> list[_Numbered]:
        """Return the tokens of a statement, which ends with its row where nothing is open."""
        found: list[_Numbered] = []
        depth = 0
        while self.at < len(self.words):
            one = self.words[self.at]
            text = one.token.text if one.token.kind == "sign" else ""
            fresh = bool(found) and one.row > found[-1].row
            open_end = bool(found) and found[-1].token.kind == "sign" and (
                found[-1].token.text not in (")", "]", "}")
            )  # fmt: skip
            if depth == 0 and (text in (";", "}") or (fresh and not open_end)):
                break
            if text == "{" and depth == 0 and _opens_function(found):
                break
            depth += text in ("(", "[", "{")
            depth -= text in (")", "]", "}")
            found.append(one)
            self.at += 1
        return found

    def _simple(self, taken: list[_Numbered], depth: int) -> str:
        row = [one.token for one in taken]
        if row[0].kind == "name" and python_name(row[0].text) in _IGNORED:
            return ""
        if row[0].text == "return":
            inner = row[2:-1] if len(row) > 1 and row[1].text == "(" else row[1:]
            return f"return {self.expressions.read(inner)}" if inner else "return None"
        at = _assigns(row)
        if at is None:
            return self.expressions.read(row)
        target, value = row[:at], row[at + 1 :]
        if row[at].text == "->":
            target, value = value, target
        if value and value[0].text == "function":
            return self._function(target, value, taken[0].row, depth)
        return f"{self.expressions.read(target)} = {self.expressions.read(value)}"

    def _function(self, target: list[Token], value: list[Token], row: int, depth: int) -> str:
        name = self.expressions.read(target)
        close = _closing(value, 1)
        names: list[str] = []
        level = 0
        for k, token in enumerate(value[2:close], 2):
            level += (token.text in "([") - (token.text in ")]")
            if token.kind == "name" and level == 0 and value[k - 1].text in ("(", ","):
                default = value[k + 1].text == "="
                names.append(python_name(token.text) + ("=None" if default else ""))
        self.put(row, depth, f"def {name}({', '.join(names)}):")
        rest = value[close + 1 :]
        if rest:
            self.put(row, depth, f"return {self.expressions.read(rest)}")
        return ""


def translated(rows: list[str]) -> tuple[list[str], set[int]]:
    """Return rows of R as rows of Python, and the numbers of those that are not read.

    Parameters
    ----------
    rows : list of str
    """
    words: list[_Numbered] = []
    for number, row in enumerate(rows):
        try:
            words.extend(_Numbered(token, number) for token in tokens(row, R))
        except NotRead:
            continue
    reader = Reader(words, [""] * (len(rows) + 1))
    for one, after in pairwise(words):
        if one.token.kind == "name" and after.token.text in ("<-", "="):
            reader.expressions.arrays.add(python_name(one.token.text))
    reader.expressions.functions |= {
        python_name(words[k].token.text)
        for k in range(len(words) - 2)
        if words[k + 1].token.text in ("<-", "=") and words[k + 2].token.text == "function"
    }
    while reader.at < len(words):
        before = reader.at
        try:
            _top(reader, 0)
        except NotRead:
            reader.failed.add(words[before].row)
        if reader.at == before:
            reader.at += 1
    return reader.found[: len(rows)], reader.failed


def _top(reader: Reader, depth: int) -> None:
    """Take one statement, or a function with its body."""
    start = reader.at
    taken = reader._until_end()
    if reader.here() == "{" and _opens_function(taken):
        row = [one.token for one in taken]
        at = _assigns(row)
        if at is not None:
            reader._function(row[:at], row[at + 1 :], taken[0].row, depth)
            reader.block(depth + 1, returns=True)
            return
    reader.at = start
    reader.statement(depth)


def _opens_function(found: list[_Numbered]) -> bool:
    return any(one.token.text == "function" for one in found) and found[-1].token.text == ")"


def _assigns(row: list[Token]) -> int | None:
    depth = 0
    for k, token in enumerate(row):
        if token.kind == "sign":
            depth += (token.text in "([{") - (token.text in ")]}")
            if depth == 0 and token.text in ("<-", "=", "->"):
                return k
    return None


def _closing(row: list[Token], at: int) -> int:
    depth = 0
    for k in range(at, len(row)):
        depth += (row[k].text == "(") - (row[k].text == ")")
        if not depth:
            return k
    raise NotRead(") is missing")


def _loop(expressions: Expressions, row: list[Token]) -> str:
    """Return the head of ``for (i in 1:n)``; its variable counts from 0."""
    if len(row) < 3 or row[1].text != "in":
        raise NotRead("a loop that is not read")
    name = python_name(row[0].text)
    at = next((k for k, token in enumerate(row) if token.text == ":"), None)
    if at is None:
        if row[2].text in ("seq_len", "seq_along"):
            inner = expressions.read(row[4:-1])
            bound = inner if row[2].text == "seq_len" else f"len({inner})"
            return f"for {name} in range({bound}):"
        return f"for {name} in {expressions.read(row[2:])}:"
    first, last = expressions.read(row[2:at]), expressions.read(row[at + 1 :])
    start = str(int(first) - 1) if first.isdigit() else f"{first} - 1"
    if not first.isdigit() and last.isdigit():
        return f"for {name} in range({start}, {int(last) - 2}, -1):"
    return f"for {name} in range({last}):" if start == "0" else \
        f"for {name} in range({start}, {last}):"  # fmt: skip


__all__ = ["R", "translated"]
