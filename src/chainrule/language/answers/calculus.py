r"""Calculus in the grammar of answers: sums over an index, derivatives and gradients."""

from __future__ import annotations

from abc import ABC, abstractmethod

from chainrule.errors import ParseError
from chainrule.language.reading.cursor import CLOSERS
from chainrule.language.reading.syntax import SUM, Parser
from chainrule.language.reading.tree import Bracket, Derivative, Literal, Name, Node, Summation
from chainrule.language.reading.words import function_word

SUMS = ("sum", "Sigma")


class Calculus(Parser, ABC):
    """Parses sums over indices, and derivatives."""

    greedy = False

    @abstractmethod
    def subscript_ahead(self) -> bool:
        """Whether a subscript of a name follows."""

    @abstractmethod
    def subscripted(self, base: Node) -> Node:
        """Parse a subscripted name."""

    # ---- sums --------------------------------------------------------------------------------

    def summation(self) -> Node | None:
        """Parse ``∑_i``, ``sum_{i=1}^m``, ``Σ_{i,j}``; None for an ordinary sum."""
        token = self.token
        word, _, below = token.text.partition("_")
        if word not in SUMS or not (below or self.marked(1, "_")):
            return None
        self.take()
        indices = tuple(part for part in below.split(",") if part) or self.bounds()
        high = self.limit() if self.sees("^") else None
        body = self.expression(SUM - 1 if self.greedy else SUM)
        return self.made(
            Summation(indices, body, high, start=token.start, end=self.before, depth=body.depth + 1)
        )

    def bounds(self) -> tuple[str, ...]:
        """Parse the lower bound of a sum: ``_i``, ``_{i=1}``, ``_{i,j}``, ``_{i ∈ ...}``."""
        self.take()
        if not self.sees("{", "("):
            return (self.index_name(),)
        opened = self.take()
        names = [self.index_name()]
        while self.sees(","):
            self.take()
            names.append(self.index_name())
        if self.sees("="):
            self.take()
            if self.token.text != "1":
                raise self.error("a sum begins at 1 here, as in i=1")
            self.take()
        self.expect(CLOSERS[opened.text], opened)
        return tuple(names)

    def index_name(self) -> str:
        """Parse the letter of an index."""
        token = self.take()
        if token.kind != "name":
            raise self.error("the index of the sum is missing here", token.start)
        return token.text

    def limit(self) -> Node:
        """Parse the upper bound of a sum."""
        self.take()
        if self.sees("{"):
            return self.bracket()
        token = self.take()
        if token.kind == "number":
            return Literal(token.value, start=token.start, end=token.end)
        if token.kind == "name":
            return Name(token.text, start=token.start, end=token.end)
        raise self.error("write where the sum ends here, as in ^m", token.start)

    def squared(self) -> Node | None:
        """Parse ``σ^2`` where that is a name; None otherwise."""
        token = self.token
        name = f"{token.text}^2"
        if name not in self.declared:
            return None
        following = [t.text for t in self.tokens[self.at + 1 : self.at + 5]]
        raised = self.tokens[min(self.at + 1, len(self.tokens) - 1)]
        length = 0
        if raised.kind == "mark" and raised.text == "raised" and raised.value == 2:
            length = 2
        elif following[:2] == ["^", "2"]:
            length = 3
        elif following == ["^", "{", "2", "}"]:
            length = 5
        for _ in range(length):
            self.take()
        return Name(name, start=token.start, end=self.before) if length else None

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
