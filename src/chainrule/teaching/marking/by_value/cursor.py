"""A cursor over the tokens of a formula: groups, brackets, arguments."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Self

from chainrule.teaching.marking.by_value.notation import GREEK, Token, tokens
from chainrule.teaching.marking.by_value.scripts import Habits, UnreadError
from chainrule.teaching.marking.by_value.terms import Term

CLOSES = {"(": ")", "[": "]", "{": "}"}
DEEPEST = 60
LONGEST = 4000


class Cursor(ABC):
    """A place in the tokens of a formula.

    Parameters
    ----------
    text : str
        The formula, without equals signs at its top.
    habits : Habits
        The habits of the text it stands in.
    """

    def __init__(self, text: str | list[Token], habits: Habits, depth: int = 0) -> None:
        if isinstance(text, str) and len(text) > LONGEST:
            raise UnreadError("a formula that is too long")
        self.tokens = (
            tokens(text, plain=habits.plain, names=habits.names) if isinstance(text, str) else text
        )
        self.habits = habits
        self.at = 0
        self.depth = depth

    # ---- tokens ------------------------------------------------------------------------------

    def peek(self, ahead: int = 0) -> str:
        """Return the text of a token; empty behind the last."""
        return self.tokens[self.at + ahead].text if self.at + ahead < len(self.tokens) else ""

    def take(self) -> Token:
        """Return the next token and move on."""
        if self.at >= len(self.tokens):
            raise UnreadError("the formula ends too early")
        self.at += 1
        return self.tokens[self.at - 1]

    def group(self) -> list[Token]:
        """Return the tokens of the next group in braces, or the next token."""
        token = self.take()
        if token.kind == "number" and len(token.text) > 1:  # \\frac12, x^23
            rest = Token("number", token.text[1:].lstrip("."))
            self.at -= 1
            self.tokens = [*self.tokens[: self.at], Token("number", token.text[0]), rest,
                           *self.tokens[self.at + 1 :]]  # fmt: skip
            return [self.take()]
        if token.text != "{":
            takes = token.kind == "command" and token.text.lstrip("\\") not in GREEK
            if token.text == "\\frac" or (takes and self.peek() == "{"):
                return [token, *self.braced(), *(self.braced() if token.text == "\\frac" else ())]
            return [token]
        self.at -= 1
        return self.braced()[1:-1]

    def braced(self) -> list[Token]:
        """Return the tokens of a bracket, with the bracket itself; else the next token."""
        start, opened = self.at, self.peek()
        if opened not in CLOSES:
            return [self.take()]
        level = 0
        while self.at < len(self.tokens):
            token = self.take()
            level += (token.text == opened) - (token.text == CLOSES[opened])
            if level == 0:
                return self.tokens[start : self.at]
        raise UnreadError("a bracket that is not closed")

    def inner(self, content: list[Token]) -> Self:
        """Return a parser of a group."""
        if self.depth > DEEPEST:
            raise UnreadError("a formula that is nested too deeply")
        return type(self)(content, self.habits, self.depth + 1)

    @abstractmethod
    def whole(self) -> Term:
        """Parse everything."""

    def arguments(self) -> tuple[Term, ...]:
        """Parse the arguments in brackets."""
        content = self.braced()[1:-1]
        groups: list[list[Token]] = [[]]
        level = 0
        for token in content:
            level += (token.text in "([{") - (token.text in ")]}")
            if level == 0 and token.text in (",", ";", "|"):
                groups.append([])
            else:
                groups[-1].append(token)
        return tuple(self.inner(group).whole() for group in groups if group)


__all__ = ["CLOSES", "Cursor"]
