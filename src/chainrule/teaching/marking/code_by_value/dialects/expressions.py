"""Expressions of Octave, R and Julia, written as Python."""

from __future__ import annotations

import keyword
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from chainrule.teaching.marking.code_by_value.dialects.tokens import Dialect, NotRead, Token

_STRENGTH = {
    "||": 1, "&&": 2, "|": 3, "&": 4, "<": 5, ">": 5, "<=": 5, ">=": 5, "==": 5, "!=": 5, "~=": 5,
    ".==": 5, ".>": 5, ".<": 5, ".>=": 5, ".<=": 5, ":": 6, "+": 7, "-": 7, ".+": 7, ".-": 7,
    "*": 8, "/": 8, ".*": 8, "./": 8, "\\": 8, "%*%": 9, "%o%": 9, "%%": 9, "^": 11, ".^": 11,
}  # fmt: skip
"""How strongly an operator binds."""

_UNARY = 10

_PYTHON = {
    "||": "or", "&&": "and", "|": "|", "&": "&", "~=": "!=", "./": "/", ".*": "*", "^": "**",
    ".^": "**", ".+": "+", ".-": "-", ".==": "==", ".>": ">", ".<": "<", ".>=": ">=", ".<=": "<=",
    "%%": "%",
}  # fmt: skip

Call = Callable[[str, "list[str]", "dict[str, str]"], "str | None"]


@dataclass
class Slice:
    """A range such as ``2:end``, or a part of an axis."""

    first: str
    last: str
    step: str = ""


@dataclass
class Expressions:
    """A reader of expressions.

    Parameters
    ----------
    dialect : Dialect
    call : callable
        Writes a call of a function with its arguments as Python; None for an unknown one.
    arrays : set of str
        The names that have values, so that ``a(1)`` is an entry.
    functions : set of str
        The functions that the text defines.
    """

    dialect: Dialect
    call: Call
    arrays: set[str] = field(default_factory=set)
    functions: set[str] = field(default_factory=set)
    loops: set[str] = field(default_factory=set)
    tokens: Sequence[Token] = ()
    at: int = 0
    matrix: int = 0  # how deep inside brackets of a matrix

    def read(self, row: Sequence[Token]) -> str:
        """Return an expression that takes all tokens as Python."""
        self.tokens, self.at, self.matrix = row, 0, 0
        found = self.expression()
        if self.at < len(row):
            raise NotRead(f"{row[self.at].text} does not fit here")
        return found

    # ---- tokens ------------------------------------------------------------------------------

    def here(self) -> str:
        """Return the text of the next token; empty behind the last, and for a string."""
        if self.at >= len(self.tokens) or self.tokens[self.at].kind == "text":
            return ""
        return self.tokens[self.at].text

    def takes(self, text: str) -> bool:
        """Take a sign, where it is the next one."""
        if self.here() == text:
            self.at += 1
            return True
        return False

    def needs(self, text: str) -> None:
        """Take a sign that must come."""
        if not self.takes(text):
            raise NotRead(f"{text} is missing")

    # ---- operators ---------------------------------------------------------------------------

    def expression(self, least: int = 1) -> str:
        """Return an expression whose operators bind at least so strongly."""
        found = self._unary(least)
        while (sign := self.here()) in _STRENGTH and _STRENGTH[sign] >= least:
            if self.matrix and sign in ("+", "-") and self._begins_entry():
                break
            if sign == ":":
                break
            self.at += 1
            right = self.expression(_STRENGTH[sign] + (sign not in ("^", ".^")))
            found = self._joined(sign, found, right)
        return found

    def _joined(self, sign: str, left: str, right: str) -> str:
        if sign in self.dialect.products:
            return f"mtimes({left}, {right})" if sign == "*" else f"({left} @ {right})"
        if sign == "%o%":
            return f"np.outer({left}, {right})"
        if sign == "\\":
            raise NotRead("a division from the left")
        return f"({left} {_PYTHON.get(sign, sign)} {right})"

    def _begins_entry(self) -> bool:
        """Whether a sign inside a matrix begins its next entry, as in ``[1 -2]``."""
        token = self.tokens[self.at]
        return token.spaced and not token.followed

    def _unary(self, least: int) -> str:
        sign = self.here()
        if sign in ("-", "+", "!", "~", ".-"):
            self.at += 1
            inner = self.expression(_UNARY)
            return {"-": f"(-{inner})", ".-": f"(-{inner})", "+": inner}.get(sign, f"(~{inner})")
        del least
        return self._postfix(self._primary())

    def _primary(self) -> str:
        if self.at >= len(self.tokens):
            raise NotRead("an expression is missing")
        token = self.tokens[self.at]
        self.at += 1
        if token.kind == "number":
            return token.text.rstrip("L")
        if token.kind == "text":
            return repr(token.text)
        if token.kind == "name":
            return self._name(token.text)
        if token.text == "(":
            kept, self.matrix = self.matrix, 0
            inner = self.expression()
            self.matrix = kept
            self.needs(")")
            return inner if inner.startswith("(") else f"({inner})"
        if token.text == "[" and not self.dialect.dotted_names:
            return self._matrix()
        if token.text == "{" and self.takes("}"):
            return "[]"
        raise NotRead(f"{token.text} does not fit here")

    def _name(self, name: str) -> str:
        words = {"TRUE": "True", "FALSE": "False", "true": "True", "false": "False",
                 "NULL": "None", "pi": "np.pi", "Inf": "np.inf"}  # fmt: skip
        if name in words:
            return words[name]
        return python_name(name)

    # ---- what stands behind a value ----------------------------------------------------------

    def _postfix(self, found: str) -> str:
        while True:
            sign = self.here()
            spaced = self.at < len(self.tokens) and self.tokens[self.at].spaced
            if self.matrix and spaced and sign in ("(", "["):
                return found
            if sign in ("'", ".'") and not (self.matrix and spaced):
                self.at += 1
                found = f"{found}.T"
            elif sign in ("(", ".("):
                self.at += 1
                found = self._called(found)
            elif sign == "{" and self.dialect.calls_index:
                self.at += 1
                found = self._entry(found, self._arguments("}")[0])
            elif sign == "[" and not self.dialect.calls_index:
                self.at += 1
                double = self.takes("[")
                places, words = self._arguments("]")
                if double:
                    self.needs("]")
                words.pop("drop", None)
                found = self._entry(found, places)
            elif sign in (".", "$") and self.at + 1 < len(self.tokens) and (
                self.tokens[self.at + 1].kind == "name"
            ):  # fmt: skip
                key = self.tokens[self.at + 1].text
                self.at += 2
                found = f"{found}[{key!r}]"
            else:
                return found

    def _called(self, found: str) -> str:
        places, words = self._arguments(")")
        if self.dialect.calls_index and self._is_array(found, places):
            return self._entry(found, places)
        if any(isinstance(one, Slice) for one in places):
            raise NotRead("a range as an argument")
        plain = [str(one) for one in places]
        if found not in self.functions and (written := self.call(found, plain, words)) is not None:
            return written
        return f"{found}({', '.join([*plain, *(f'{k}={v}' for k, v in words.items())])})"

    def _is_array(self, found: str, places: Sequence[str | Slice]) -> bool:
        if found in self.functions:
            return False
        ranges = any(isinstance(one, Slice) or "END" in one for one in places)
        return ranges or found in self.arrays or not found.isidentifier()

    def _arguments(self, close: str) -> tuple[list[str | Slice], dict[str, str]]:
        """Return arguments or indices; an empty one is a whole axis."""
        kept, self.matrix = self.matrix, 0
        found: list[str | Slice] = []
        words: dict[str, str] = {}
        while self.here() != close:
            if self.here() in (",", ";"):
                if not found or self.tokens[self.at - 1].text == ",":
                    found.append(Slice("", ""))
                self.at += 1
                if self.here() == close:
                    found.append(Slice("", ""))
                continue
            if (
                self.at + 1 < len(self.tokens)
                and self.tokens[self.at].kind == "name"
                and (self.tokens[self.at + 1].text == "=")
            ):
                word = self.tokens[self.at].text
                self.at += 2
                words[word.replace(".", "_")] = self.expression()
            else:
                found.append(self._argument(close))
            if self.here() != close:
                if self.here() not in (",", ";"):
                    raise NotRead(f"{close} is missing")
                self.at += 1
                if self.here() == close and not self.dialect.calls_index:
                    found.append(Slice("", ""))
        self.needs(close)
        self.matrix = kept
        return found, words

    def _argument(self, close: str) -> str | Slice:
        if self.here() == "@":
            self.at += 1
            return self.expression()
        if self.takes(":"):
            return Slice("", "")
        del close
        first = self.expression(7)
        if self.here() != ":":
            return self._rest(first)
        self.at += 1
        second = self.expression(7)
        if self.takes(":"):
            return Slice(first, self.expression(7), second)
        return Slice(first, second)

    def _rest(self, first: str) -> str:
        """Return an argument that is a comparison or a condition."""
        while (sign := self.here()) in _STRENGTH and sign != ":":
            self.at += 1
            first = self._joined(sign, first, self.expression(_STRENGTH[sign] + 1))
        return first

    def _entry(self, found: str, places: Sequence[str | Slice]) -> str:
        if len(places) == 1 and isinstance(places[0], Slice) and places[0] == Slice("", ""):
            return f"{found}.ravel()"
        if self.dialect.calls_index and len(places) == 2:
            places = [part for at, one in enumerate(places) for part in (
                [one, "None"] if self._is_one(one) and isinstance(places[1 - at], Slice) else [one]
            )]  # fmt: skip
        return f"{found}[{', '.join(map(self.place, places))}]"

    def _is_one(self, one: str | Slice) -> bool:
        """Whether an index is one number, so that its axis stays, with the length 1."""
        if isinstance(one, Slice):
            return False
        words = set(re.findall(r"[A-Za-z_]\w*", one))
        return one.isdigit() or one == "END" or (bool(words) and (
            words <= self.loops or (bool(words & self.loops) and one.endswith("]"))
        ))  # fmt: skip

    def place(self, one: str | Slice) -> str:
        """Return an index that counts from 0 for one that counts from 1."""
        if isinstance(one, Slice):
            if one.step:
                raise NotRead("a part of an axis with steps")
            first = "" if one.first in ("", "1") else self.place(one.first)
            last = "" if one.last in ("", "END") else one.last
            if "END" in last:
                last = last.replace("END", "").strip("() ").replace("- ", "-")
            return f"{first}:{last}"
        if one.isdigit():
            return str(int(one) - 1)
        if one.startswith("(-") and one[2:-1].isdigit():
            return f"{one[2:-1]}:"  # w[-1] is all but the first
        if one == "END":
            return "-1"
        if one.startswith("(END - "):
            return f"-{int(one[7:-1]) + 1}" if one[7:-1].isdigit() else one.replace("END", "-1")
        return one

    # ---- matrices ----------------------------------------------------------------------------

    def _matrix(self) -> str:
        """Return ``[a, b; c, d]`` as a matrix of blocks."""
        rows: list[list[str]] = [[]]
        kept, self.matrix = self.matrix, self.matrix + 1
        while self.here() != "]":
            if self.at >= len(self.tokens):
                raise NotRead("] is missing")
            if self.takes(";"):
                rows.append([])
            elif not self.takes(","):
                rows[-1].append(self.expression())
        self.at += 1
        self.matrix = kept
        blocks = [one[0] if len(one) == 1 else f"bind_columns({', '.join(one)})"
                  for one in rows if one]  # fmt: skip
        if not blocks:
            return "[]"
        return blocks[0] if len(blocks) == 1 else f"bind_rows({', '.join(blocks)})"


def python_name(name: str) -> str:
    """Return a name that Python allows."""
    if name == "end":
        return "END"
    plain = name.replace(".", "_")
    return f"{plain}_" if keyword.iskeyword(plain) else plain


__all__ = ["Expressions", "Slice", "python_name"]
