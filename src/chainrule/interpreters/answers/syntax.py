r"""The grammar of answers: the language of forward passes, and what people write beyond it.

Derivatives (``∂L/∂a``, ``\frac{dL}{dw}``, ``∇_w J``), sums over an index (``∑_{i=1}^m``), entries
(``X[p, i]``), sizes (``X.shape[1]``) and the texts of ``einsum``. Nothing is decided here that
needs a shape, except by asking for another `Habit`: whether a sum reaches over the plus signs
that follow, which people write without brackets.
"""

from __future__ import annotations

from collections.abc import Container
from contextlib import suppress

from chainrule.errors import ParseError
from chainrule.interpreters.reading.cursor import CLOSERS
from chainrule.interpreters.reading.syntax import MATRIX, PRODUCT, SUM, Parser
from chainrule.interpreters.reading.tokens import Line, tokenize
from chainrule.interpreters.reading.tree import (
    Bracket,
    Call,
    Compared,
    Derivative,
    Extent,
    Indexed,
    Literal,
    Name,
    Node,
    Ones,
    Quoted,
    Summation,
)
from chainrule.interpreters.reading.words import function_word

SUMS = ("sum", "Sigma")
CODE = frozenset({"einsum", "square", "power", "pow", "mm", "mul", "astype", "float", "copy", "t"})
"""Functions of code that the language of forward passes does without."""

KEPT = frozenset({"astype", "float", "double", "copy", "item", "mT", "detach", "clone"})
"""Methods that change no value."""


def parse_answer(
    line: Line,
    start: int,
    stop: int,
    declared: Container[str],
    *,
    greedy: bool = False,
    flat: bool = False,
) -> Node:
    """Read an expression as people write it in an answer.

    Parameters
    ----------
    line : Line
        The whole line, so that errors can point into it.
    start, stop : int
        The part that holds the expression.
    declared : container of str
        Canonical names that are known: they win over functions and differentials.
    greedy : bool
        A sum without brackets reaches over the terms that follow it.
    flat : bool
        Products of both kinds are taken from left to right, as in code.

    Raises
    ------
    ParseError
        Where the text makes no expression, or one past the limits.
    """
    parser = _AnswerParser(line, tokenize(line, start, stop, answer=True), declared)
    parser.greedy = greedy
    parser.flat = flat
    parser.beside = PRODUCT if flat else MATRIX
    node = parser.expression(0)
    parser.finished()
    return node


class _AnswerParser(Parser):
    greedy = flat = False

    def level(self, operator: str) -> int:
        """How tight an operator binds; in code, all products alike."""
        found = super().level(operator)
        return PRODUCT if self.flat and found == MATRIX else found

    def operand(self, floor: int) -> Node:
        token = self.token
        if self.sees("∂") or self.leibniz_ahead():
            return self.derivative()
        if self.sees("∇"):
            return self.nabla()
        if self.sees("frac") and (found := self.differential_fraction()) is not None:
            return found
        if self.sees("𝟏"):
            return self.ones()
        if token.kind == "number" and token.text == "1" and self.marked(1, "_"):
            self.take()
            self.skip_below()
            return self.made(Ones(start=token.start, end=self.before))
        if token.kind == "text":
            self.take()
            return self.made(Quoted(token.text, start=token.start, end=token.end))
        if token.kind == "name" and token.text not in self.declared:
            if (found := self.summation()) is not None:
                return found
            if (found := self.activation_slope()) is not None:
                return found
            if token.text in CODE and self.marked(1, "("):
                return self.code_call()
        node = super().operand(floor)
        while isinstance(node, Name | Indexed) and self.subscript_ahead():
            node = self.subscripted(node)
        return node

    # ---- sums --------------------------------------------------------------------------------

    def summation(self) -> Node | None:
        """Read ``∑_i``, ``sum_{i=1}^m``, ``Σ_{i,j}``; nothing when this is an ordinary sum."""
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
        """Read what stands below a sum: ``_i``, ``_{i=1}``, ``_{i,j}``, ``_{i ∈ ...}``."""
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
        token = self.take()
        if token.kind != "name":
            raise self.error("the index of the sum is missing here", token.start)
        return token.text

    def limit(self) -> Node:
        self.take()
        if self.sees("{"):
            return self.bracket()
        token = self.take()
        if token.kind == "number":
            return Literal(token.value, start=token.start, end=token.end)
        if token.kind == "name":
            return Name(token.text, start=token.start, end=token.end)
        raise self.error("write where the sum ends here, as in ^m", token.start)

    # ---- derivatives -------------------------------------------------------------------------

    def leibniz_ahead(self) -> bool:
        """Tell whether ``dL/da`` begins here: two differentials with a line between them."""
        length = self.differential_length(0)
        if not length or not self.marked(length, "/"):
            return False
        return bool(self.differential_length(length + 1))

    def differential_length(self, ahead: int) -> int:
        """Count the tokens, `ahead` from here, that make a differential such as ``dz``."""
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
        """Read ``dz`` or ``∂z`` and return what is differentiated."""
        token = self.take()
        if token.kind == "mark" or token.text == "d":
            name = self.take()
            if name.kind != "name":
                raise self.error("after the sign of a derivative comes a name", name.start)
            node: Node = Name(name.text, start=name.start, end=name.end)
        else:
            node = Name(token.text[1:], start=token.start, end=token.end)
        while self.subscript_ahead():
            node = self.subscripted(node)
        return node

    def derivative(self) -> Node:
        """Read ``∂L/∂a``."""
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
        """Read one half of a fraction of differentials; nothing for a bare ``{d}``."""
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
        """Read ``∇_w J``."""
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
            raise self.error("say of what, as in ∇_w J")
        return self.made(Derivative(of, wrt, start=start, end=self.before))

    # ---- parts and code ----------------------------------------------------------------------

    def ones(self) -> Node:
        """Read a vector of ones, or the indicator ``𝟏[z > 0]``."""
        token = self.take()
        back = self.place()
        if self.sees("_"):
            self.take()
        if self.sees("[", "(", "{"):
            inner: Node | None = None
            with suppress(ParseError):
                inner = self.bracket()
            if isinstance(inner, Bracket) and isinstance(inner.inner, Compared):
                return inner
        self.go_back(back)
        self.skip_below()
        return self.made(Ones(start=token.start, end=self.before))

    def skip_below(self) -> None:
        """Pass over the length under a vector of ones, which what it meets decides."""
        if not self.sees("_"):
            return
        self.take()
        if self.sees("{"):
            opened = self.take()
            while not self.sees("}") and self.token.kind != "end":
                self.take()
            self.expect("}", opened)
        else:
            self.take()

    def subscript_ahead(self) -> bool:
        """Tell whether ``[`` right after a name takes a part of it, and holds no comparison."""
        if not (self.sees("[") and self.token.start == self.before) or self.range_ahead():
            return False
        for token in self.tokens[self.at :]:
            if token.kind == "mark" and token.text in ("<", ">", "<=", ">="):
                return False
            if token.kind == "mark" and token.text == "]":
                return True
        return False

    def subscripted(self, base: Node) -> Node:
        opened = self.take()
        places: list[Node | None] = []
        while True:
            if self.sees(":"):
                self.take()
                places.append(None)
            else:
                places.append(self.expression(0))
            if not self.sees(","):
                break
            self.take()
        self.expect("]", opened)
        return self.made(
            Indexed(base, tuple(places), start=base.start, end=self.before, depth=base.depth + 1)
        )

    def activation_slope(self) -> Node | None:
        """Read ``g'(Z)``: the slope of the activation whose argument is Z."""
        token = self.token
        if function_word(token.text) is not None or not self.marked(1, "'"):
            return None
        if not self.marked(2, "("):
            return None
        self.take()
        self.take()
        arguments, _ = self.arguments()
        return self.made(
            Call(token.text, arguments, primes=1, start=token.start, end=self.before, depth=2)
        )

    def code_call(self) -> Node:
        token = self.take()
        arguments, options = self.arguments()
        depth = max([1, *(node.depth for node in arguments)]) + 1
        return self.made(
            Call(token.text, arguments, options, start=token.start, end=self.before, depth=depth)
        )

    def method(self, receiver: Node) -> Node:
        """Read ``X.shape[1]`` as well, and pass over ``.astype(float)``."""
        name = self.token
        if name.kind == "name" and name.text == "shape" and self.marked(1, "["):
            self.take()
            opened = self.take()
            axis = self.take()
            if axis.text not in ("0", "1"):
                raise self.error("a shape has the places 0 and 1", axis.start)
            self.expect("]", opened)
            return Extent(receiver, int(axis.text), start=receiver.start, end=self.before)
        if name.kind == "name" and name.text in KEPT:
            self.take()
            if self.sees("("):
                self.pass_over()
            return Bracket(
                receiver, start=receiver.start, end=self.before, depth=receiver.depth + 1
            )
        if name.kind == "name" and name.text in CODE and self.marked(1, "("):
            self.take()
            arguments, options = self.arguments(received=1)
            depth = max([receiver.depth, *(node.depth for node in arguments)]) + 1
            return Call(
                name.text,
                (receiver, *arguments),
                options,
                start=receiver.start,
                end=self.before,
                depth=depth,
            )
        return super().method(receiver)

    def pass_over(self) -> None:
        """Pass over arguments that change nothing."""
        opened = self.take()
        depth = 1
        while depth and self.token.kind != "end":
            token = self.take()
            if token.kind == "mark":
                depth += {"(": 1, ")": -1}.get(token.text, 0)
        if depth:
            raise self.error("this ( is never closed; add )", opened.start)

    def argument(self) -> Node:
        """Read one argument of a function; ``where(Z > 0, ...)`` compares without brackets."""
        inner = self.expression(0)
        return self.compared(inner) if self.sees("<", ">", "<=", ">=") else inner

    def juxtaposed(self) -> bool:
        """Tell whether a factor begins here."""
        return self.sees("∂", "∇") or super().juxtaposed()

    def place(self) -> tuple[int, int, int, int]:
        """Return where the parser stands, to come back to when a reading fails."""
        return self.at, self.nodes, self.nesting, len(self.bars)

    def go_back(self, place: tuple[int, int, int, int]) -> None:
        """Stand where the parser stood before."""
        self.at, self.nodes, self.nesting, bars = place
        del self.bars[bars:]

    def marked(self, ahead: int, mark: str) -> bool:
        """Tell whether a mark comes `ahead` tokens from here."""
        token = self.tokens[min(self.at + ahead, len(self.tokens) - 1)]
        return token.kind == "mark" and token.text == mark
