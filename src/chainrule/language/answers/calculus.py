r"""Calculus in the grammar of answers: sums over an index, derivatives and gradients."""

from __future__ import annotations

from abc import ABC, abstractmethod

from chainrule.errors import ParseError
from chainrule.language.reading.syntax import Parser
from chainrule.language.reading.tree import Bracket, Derivative, Name, Node
from chainrule.language.reading.words import function_word


class Calculus(Parser, ABC):
    """Parses sums over indices, and derivatives."""

    @abstractmethod
    def subscript_ahead(self) -> bool:
        """Whether a subscript of a name follows."""

    @abstractmethod
    def subscripted(self, base: Node) -> Node:
        """Parse a subscripted name."""

    # ---- derivatives -------------------------------------------------------------------------

    def leibniz_ahead(self) -> bool:
        """Whether ``dL/da`` follows: two differentials with a slash between them."""
        length = self.differential_length(0)
        if not length or not self.marked(length, "/"):
            return False
        return bool(self.differential_length(length + 1))

    def differential_length(self, ahead: int) -> int:
        """Return the number of tokens of a differential such as ``dz``, `ahead` from here."""
        token = self.tokens[min(self.at + ahead, len(self.tokens) - 1)]
        after = self.tokens[min(self.at + ahead + 1, len(self.tokens) - 1)]
        if token.kind == "mark" and token.text == "∂":
            return 2 if after.kind == "name" else 0
        if token.kind != "name" or token.text in self.declared or token.text[0] != "d":
            return 0
        if token.text == "d":
            return 2 if after.kind == "name" else 0
        return 1 if function_word(token.text) is None else 0

    def differential(self) -> Node:
        """Parse ``dz`` or ``∂z`` and return what is differentiated."""
        token = self.take()
        if token.kind == "mark" or token.text == "d":
            name = self.take()
            if name.kind != "name":
                raise self.error("after the sign of a derivative comes a name", name.start)
            self.at -= 1
            node: Node | None = self.squared()
            if node is None:
                self.take()
                node = Name(name.text, start=name.start, end=name.end)
        else:
            node = Name(token.text[1:], start=token.start, end=token.end)
        while self.subscript_ahead():
            node = self.subscripted(node)
        return node

    def derivative(self) -> Node:
        """Parse ``∂L/∂a``."""
        start = self.token.start
        of = self.differential()
        if not self.sees("/"):
            raise self.error("after this comes / and another differential, as in ∂L/∂a")
        self.take()
        if not self.differential_length(0):
            raise self.error("a differential is missing here, as in ∂L/∂a")
        wrt = self.differential()
        return self.made(Derivative(of, wrt, start=start, end=self.before))

    def differential_fraction(self) -> Node | None:
        r"""Read ``\frac{\partial L}{\partial w}``; nothing when it is an ordinary fraction."""
        back = self.place()
        start = self.take().start
        try:
            over = self.half()
            under = self.half()
        except ParseError:
            over = under = None
        if under is None or (over is None and self.token.kind != "name"):
            self.go_back(back)
            return None
        if over is None:
            token = self.take()
            over = Name(token.text, start=token.start, end=token.end)
        return self.made(Derivative(over, under, start=start, end=self.before))

    def half(self) -> Node | None:
        """Parse one half of a fraction of differentials; None for a bare ``{d}``."""
        if not self.sees("{"):
            raise self.error("a group in braces is missing here")
        opened = self.take()
        bare = self.token.text in ("d", "∂") and self.marked(1, "}")
        if bare:
            self.take()
        elif not self.differential_length(0):
            raise self.error("no differential")
        node = None if bare else self.differential()
        self.expect("}", opened)
        return node

    def nabla(self) -> Node:
        """Parse ``∇_w J``."""
        start = self.take().start
        if not self.sees("_"):
            raise self.error("say for which variable, as in ∇_w J", start)
        self.take()
        braced = self.sees("{")
        opened = self.take() if braced else self.token
        token = self.take()
        if token.kind != "name":
            raise self.error("a name is missing here, as in ∇_w J", token.start)
        wrt = Name(token.text, start=token.start, end=token.end)
        if braced:
            self.expect("}", opened)
        of: Node = wrt
        if self.token.kind == "name":
            named = self.take()
            of = Name(named.text, start=named.start, end=named.end)
        elif self.sees("("):
            of = self.bracket()
            of = of.inner if isinstance(of, Bracket) else of
        else:
            raise self.error("write what is differentiated: ∇_w J")
        return self.made(Derivative(of, wrt, start=start, end=self.before))

    # ---- places ------------------------------------------------------------------------------

    def place(self) -> tuple[int, int, int, int]:
        """Return the position of the parser, for backtracking."""
        return self.at, self.nodes, self.nesting, len(self.bars)

    def go_back(self, place: tuple[int, int, int, int]) -> None:
        """Return to an earlier position."""
        self.at, self.nodes, self.nesting, bars = place
        del self.bars[bars:]

    def marked(self, ahead: int, mark: str) -> bool:
        """Whether a mark follows `ahead` tokens from here."""
        token = self.tokens[min(self.at + ahead, len(self.tokens) - 1)]
        return token.kind == "mark" and token.text == mark
