"""Where the parser stands in a line: what it sees and takes, and the limits it keeps."""

from __future__ import annotations

from collections.abc import Container
from itertools import pairwise

from chainrule.errors import LimitError, ParseError
from chainrule.language.reading.tokens import Line, Token
from chainrule.language.reading.tree import Node

MAX_NESTING = 40
MAX_DEPTH = 100
MAX_NODES = 4000
MAX_FACTORS = 100

COMPARISONS = ("<", ">", "<=", ">=", "==", "!=")
CLOSERS = {"(": ")", "{": "}", "[": "]", "⟨": "⟩"}


class Cursor:
    """The state of a parser: tokens, open brackets, and what the limits count."""

    def __init__(
        self,
        line: Line,
        tokens: list[Token],
        declared: Container[str],
        functions: Container[str] = frozenset(),
    ) -> None:
        self.line = line
        self.tokens = tokens
        self.declared = declared
        self.functions = functions
        self.at = 0
        self.nesting = 0
        self.nodes = 0
        self.bars: list[str] = []  # fences and brackets that are open, innermost last

    @property
    def token(self) -> Token:
        """The token that comes next."""
        return self.tokens[self.at]

    @property
    def before(self) -> int:
        """Where the last token taken ends."""
        return self.tokens[self.at - 1].end if self.at else 0

    def error(self, message: str, at: int | None = None) -> ParseError:
        """Return an error that points at the next token, or at a place."""
        return self.line.error(message, self.token.start if at is None else at)

    def take(self) -> Token:
        """Take the next token; the end stays."""
        token = self.token
        if token.kind != "end":
            self.at += 1
        return token

    def sees(self, *marks: str) -> bool:
        """Tell whether one of these marks comes next."""
        return self.token.kind == "mark" and self.token.text in marks

    def takes_part(self) -> bool:
        """Tell whether ``[`` takes a part of what stands right before it: ``Z[0:h]``, ``x[2]``."""
        if not self.sees("[") or self.token.start != self.before:
            return False
        depth, first = 0, self.tokens[self.at + 1]
        for token in self.tokens[self.at :]:
            mark = token.text if token.kind == "mark" else ""
            depth += (mark in CLOSERS) - (mark in CLOSERS.values())
            if depth == 1 and mark == ":":
                return True
            if depth == 0 or (depth == 1 and mark in (*COMPARISONS, ";")):
                break
        return first.kind == "number"

    def range_ahead(self) -> bool:
        """Tell whether the brackets that open here hold a range with a bound: ``[0:h, :]``."""
        depth = 0
        for before, token, after in zip(
            self.tokens[self.at :],
            self.tokens[self.at + 1 :],
            self.tokens[self.at + 2 :],
            strict=False,
        ):
            mark = before.text if before.kind == "mark" else ""
            depth += (mark in CLOSERS) - (mark in CLOSERS.values())
            if depth == 0:
                return False
            open_ended = mark in ("[", ",") and after.kind == "mark" and after.text in (",", "]")
            if depth == 1 and token.kind == "mark" and token.text == ":" and not open_ended:
                return True
        return False

    def list_ahead(self) -> bool:
        """Tell whether an argument is a list in round brackets, as code has it: ``(h, k)``."""
        if not self.sees("("):
            return False
        depth, commas = 0, 0
        for token, after in pairwise(self.tokens[self.at :]):
            mark = token.text if token.kind == "mark" else ""
            depth += (mark in CLOSERS) - (mark in CLOSERS.values())
            commas += depth == 1 and mark == ","
            if depth == 0:
                return commas > 0 and after.kind == "mark" and after.text in (",", ")")
        return False

    def expect(self, mark: str, opened: Token) -> None:
        """Take the mark that closes what was opened, or say that it is missing."""
        if mark == "|" and self.sees("‖"):
            # In |x||y| the two bars in the middle close one value and open the next.
            double = self.token
            middle = double.start + 1
            self.tokens[self.at : self.at + 1] = [
                Token("mark", "|", double.start, middle),
                Token("mark", "|", middle, double.end),
            ]
        if not self.sees(mark):
            shown = self.line.text[opened.start : opened.end]
            if self.token.kind == "end":
                raise self.error(f"this {shown} is never closed; add {mark}", opened.start)
            raise self.unexpected(f"; {mark} would close the {shown} before it")
        self.take()

    def unexpected(self, advice: str = "") -> ParseError:
        """Return the error of a token that fits nothing here."""
        token = self.token
        if token.kind == "end" and self.at == 0:
            return self.error("an expression is missing here")
        if token.kind == "end":
            return self.error("the expression stops here; write what comes next")
        shown = self.line.text[token.start : token.end] or token.text
        if token.text == "=" and not advice:
            advice = "; write one definition a line"
        if token.text in CLOSERS.values() and not advice:
            advice = "; there is no bracket for it to close, or nothing inside"
        return self.error(f"{shown[:20]} does not fit here{advice}")

    def finished(self) -> None:
        """Check that nothing is left."""
        if self.token.kind != "end":
            raise self.unexpected()

    def made(self, node: Node) -> Node:
        """Count a node, and hold the tree to its limits."""
        self.nodes += 1
        if self.nodes > MAX_NODES:
            raise self.line.error(
                f"this expression is past the limit of {MAX_NODES} parts; "
                "give a part of it a name on a line of its own",
                self.token.start,
                LimitError,
            )
        if node.depth > MAX_DEPTH:
            raise self.too_deep()
        return node

    def too_deep(self) -> ParseError:
        """Return the error of an expression that is nested too deep."""
        return self.line.error(
            f"this expression is nested past the limit of {MAX_NESTING} levels; "
            "give a part of it a name on a line of its own",
            self.token.start,
            LimitError,
        )
