r"""Calculus in the grammar of answers: sums over an index, derivatives and gradients."""

from __future__ import annotations

from abc import ABC, abstractmethod

from chainrule.errors import ParseError
from chainrule.language.reading.syntax import POWER, SUM, Parser
from chainrule.language.reading.tokens import Token
from chainrule.language.reading.tree import Bracket, Derivative, Name, Node
from chainrule.language.reading.words import function_word


class Calculus(Parser, ABC):
    """Parses sums over indices, and derivatives."""

    wide = False  # whether a derivative reaches over the whole product behind it

    @abstractmethod
    def subscript_ahead(self) -> bool:
        """Whether a subscript of a name follows."""

    @abstractmethod
    def subscripted(self, base: Node) -> Node:
        """Parse a subscripted name."""

    def square_name(self, name: str) -> str | None:
        """Return the declared name that the square of a name is, or an entry of it: σ_j²."""
        stem, _, below = name.partition("_")
        values = (f"{stem}^2", f"{stem.removeprefix('d')}^2")
        if stem not in self.declared and any(v in self.declared for v in values):
            return f"{stem}^2_{below}" if below else f"{stem}^2"
        return super().square_name(name)

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
        if token.text in ("d", "delta"):
            return 2 if after.kind == "name" else 0
        return 1 if function_word(token.text) is None else 0

    def differential(self) -> Node:
        """Parse ``dz`` or ``∂z`` and return what is differentiated."""
        token = self.take()
        if token.kind == "mark" or token.text in ("d", "delta"):
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
        if (second := self.second_derivative(start)) is not None:
            return second
        try:
            over = self.half()
            under = self.half()
        except ParseError:
            over = under = None
        if under is None:
            self.go_back(back)
            return None
        if over is None:
            over = self.operated()
        return self.made(Derivative(over, under, start=start, end=self.before))

    def operated(self) -> Node:
        r"""Parse what ``\frac{\partial}{\partial z}`` is applied to."""
        if self.wide:
            return self.expression(SUM)
        token = self.token
        simple = token.kind == "name" and function_word(token.text) is None
        if simple and token.text in self.functions:
            simple = False
        after = self.tokens[min(self.at + 1, len(self.tokens) - 1)]
        if simple and after.kind == "name" and function_word(after.text) is not None:
            return self.expression(SUM)
        if simple and not token.text.startswith("sum"):
            self.take()
            node: Node = Name(token.text, start=token.start, end=token.end)
            while self.subscript_ahead():
                node = self.subscripted(node)
            return node
        reach = SUM if self.sees("frac", "-") or token.text.startswith("sum") else POWER - 1
        return self.expression(reach)

    def second_derivative(self, start: int) -> Node | None:
        r"""Read ``\frac{\partial^2 J}{\partial w_j \partial w_k}``; None where it is no such."""
        back = self.place()
        try:
            opened = self.open_group()
            if not self.sign_ahead():
                raise self.error("no differential")
            self.take()
            self.squared_sign()
            of: Node | None = None if self.sees("}") else self.expression(0)
            self.expect("}", opened)
            opened = self.open_group()
            below: list[Node] = []
            while not self.sees("}"):
                if not self.sign_ahead():
                    raise self.error("no differential")
                self.take()
                token = self.take()
                if token.kind != "name":
                    raise self.error("a name is missing here", token.start)
                one: Node = Name(token.text, start=token.start, end=token.end)
                below.append(one)
                if self.sees("^", "raised"):
                    self.squared_sign()
                    below.append(one)
                if self.sees("⊤"):
                    self.take()
            self.expect("}", opened)
            if len(below) != 2:
                raise self.error("a second derivative has two variables")
        except ParseError:
            self.go_back(back)
            return None
        if of is None:
            of = self.operated()
        inner = Derivative(of, below[0], start=start, end=self.before)
        return self.made(Derivative(inner, below[1], start=start, end=self.before, depth=2))

    def open_group(self) -> Token:
        """Take the brace that opens a group."""
        if not self.sees("{"):
            raise self.error("a group in braces is missing here")
        return self.take()

    def squared_sign(self) -> None:
        """Take the 2 of ``∂²``."""
        if self.sees("raised"):
            self.take()
            return
        if not self.sees("^"):
            raise self.error("no second derivative")
        self.take()
        if self.sees("{"):
            opened = self.take()
            self.take()
            if self.sees("⊤"):
                self.take()
            self.expect("}", opened)
        elif self.take().text != "2":
            raise self.error("no second derivative")
        if self.sees("⊤"):
            self.take()

    def half(self) -> Node | None:
        """Parse one half of a fraction of differentials; None for a bare ``{d}``."""
        if not self.sees("{"):
            raise self.error("a group in braces is missing here")
        opened = self.take()
        bare = self.sign_ahead() and self.marked(1, "}")
        if bare:
            self.take()
            node = None
        elif self.sign_ahead() and not self.names_ahead():
            self.take()
            node = self.expression(0)
        elif not self.differential_length(0):
            raise self.error("no differential")
        else:
            node = self.differential()
        self.expect("}", opened)
        return node

    def sign_ahead(self) -> bool:
        """Whether a sign of a derivative follows: ``∂``, ``d``, and δ for it."""
        token = self.token
        return (token.kind == "mark" and token.text == "∂") or (
            token.kind == "name"
            and token.text in ("d", "delta")
            and token.text not in self.declared
        )

    def names_ahead(self) -> bool:
        """Whether one name follows the sign, and the group ends behind it."""
        after = self.tokens[min(self.at + 1, len(self.tokens) - 1)]
        return after.kind == "name" and (self.marked(2, "}") or self.marked(2, "["))

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
