"""A Pratt parser: tokens into a tree, in one pass and in bounded depth.

Matrix products (juxtaposition, ``@``, ``·``) bind tighter than ``.*``, ``*`` and ``/``, which bind
tighter than ``+`` and ``-``. A denominator is one factor, so ``1/m sum(x)`` is ``(1/m) sum(x)``.
"""

from __future__ import annotations

from collections.abc import Container
from fractions import Fraction

from chainrule.language.reading.cursor import MAX_FACTORS, MAX_NESTING
from chainrule.language.reading.enclosures import Enclosures
from chainrule.language.reading.names import canonical, run_of
from chainrule.language.reading.tokens import Line, Token, tokenize
from chainrule.language.reading.tree import (
    Bracket,
    Call,
    Chain,
    Compared,
    Joined,
    Literal,
    Minus,
    Name,
    Node,
    Ones,
    Power,
    Quoted,
    Transposed,
)
from chainrule.language.reading.words import REDUCTIONS, function_word

SUM, PRODUCT, MATRIX, POWER = 10, 20, 22, 30
LEVELS = {
    **dict.fromkeys(("+", "-", ".+", ".-"), SUM),
    **dict.fromkeys((".*", "*", "/", "./"), PRODUCT),
    **dict.fromkeys(("@", "·"), MATRIX),
}
POWERS = ("^", ".^", "@^")
_AFTER_A_VALUE = frozenset({".*", "*", "/", "./", "+", "-", ")", "]", "}", ",", ";", "·"})
POSTFIX = frozenset({*POWERS, "'", "⊤", "raised", "."})


def parse(
    line: Line,
    start: int,
    stop: int,
    declared: Container[str],
    functions: Container[str] = frozenset(),
) -> tuple[Node, int]:
    """Read the expression in part of a line; return its tree and the number of nodes.

    Parameters
    ----------
    line : Line
        The whole line, so that errors can point into it.
    start, stop : int
        The part that holds the expression.
    declared : container of str
        Canonical names that are known: they win over functions and powers.
    functions : container of str
        Functions that the forward pass defines.

    Raises
    ------
    ParseError
        Where the text makes no expression, or one past the limits.
    """
    parser = Parser(line, tokenize(line, start, stop), declared, functions)
    node = parser.expression(0)
    parser.finished()
    return node, parser.nodes


class Parser(Enclosures):
    """The parser of one expression."""

    beside = MATRIX

    def expression(self, floor: int) -> Node:
        """Read as far as operators bind tighter than `floor`."""
        self.nesting += 1
        if self.nesting > MAX_NESTING:
            raise self.too_deep()
        left = self.operand(floor)
        while True:
            if self.takes_part():
                left = self.part(left)
                continue
            if self.sees(*POSTFIX):
                # x^2^T transposes the square: only a power of the exponent stays in it.
                if floor >= POWER - 1 and not (self.sees(*POWERS) and not self.transpose_ahead()):
                    break
                left = self.postfix(left)
                continue
            operator = self.operator_ahead()
            if not operator:
                if floor >= self.beside or not self.juxtaposed():
                    break
            elif self.level(operator) <= floor:
                break
            left = self.joined(left, operator)
        self.nesting -= 1
        return left

    def operator_ahead(self) -> str:
        """Return the operator that follows; nothing where none does."""
        token = self.token
        return token.text if token.kind == "mark" and token.text in LEVELS else ""

    def level(self, operator: str) -> int:
        """How tight an operator binds; what stands side by side binds like a matrix product."""
        return LEVELS[operator] if operator else self.beside

    def joined(self, left: Node, operator: str) -> Node:
        """Take one more operand into the chain on the left, or begin a chain."""
        level = self.level(operator)
        at = self.token.start
        dotted = operator == "./"
        operator = "/" if dotted else operator
        if operator:
            self.take()
        elif self.token.kind == "number" and self.token.text != "1":
            self.number_beside(left)
        right = self.expression(self.level_below() if operator == "/" else level)
        if not operator and isinstance(right, Literal) and right.value == 1:
            # (A - Y) 1 sums over the columns: no other number makes sense after a factor.
            right = Ones(True, start=right.start, end=right.end)
        joined = Joined(operator, at, right, dotted)
        first: Node = left
        rest: tuple[Joined, ...] = (joined,)
        if isinstance(left, Chain) and left.level == level:
            first, rest = left.first, (*left.rest, joined)
        if level == MATRIX and len(rest) >= MAX_FACTORS:
            raise self.error(
                f"more than {MAX_FACTORS} factors in one product; "
                "give a part of it a name on a line of its own"
            )
        depth = max(first.depth, right.depth, left.depth - 1) + 1
        return self.made(Chain(level, first, rest, start=left.start, end=right.end, depth=depth))

    def level_below(self) -> int:
        """How tight what stands below a stroke holds together: it is one factor."""
        return MATRIX

    def number_beside(self, left: Node) -> None:
        """Ask what a number behind a factor means."""
        before, after = self.line.text[left.start : left.end][-30:], self.token.text
        raise self.error(
            f"a number after a factor can be read in several ways; "
            f"write {after} {before}, {before}^{after} or {before}_{after}"
        )

    def juxtaposed(self) -> bool:
        """Tell whether a factor begins here."""
        token = self.token
        if token.kind in ("number", "name"):
            return True
        if self.sees("|", "‖"):
            # A bar closes what a bar opened; a double bar may close a single one and open another.
            innermost = self.bars[-1] if self.bars else ""
            return innermost != "|" and innermost != token.text
        return self.sees("(", "{", "[", "frac", "𝟏", "cases")

    def operand(self, floor: int) -> Node:
        """Read what an operator may join."""
        token = self.token
        if token.kind == "number":
            self.take()
            return self.made(Literal(token.value, start=token.start, end=token.end))
        if token.kind == "name":
            if (squared := self.squared()) is not None:
                return squared
            if token.text not in self.declared and (found := self.summation()) is not None:
                return found
            word = self.word(token.text)
            if word is not None:
                return self.function(word)
            self.split_run()
            token = self.take()
            return self.made(Name(token.text, start=token.start, end=token.end))
        if token.kind == "text":
            self.take()
            return self.made(Quoted(token.text, start=token.start, end=token.end))
        if self.sees("-", "+"):
            self.take()
            inner = self.expression(max(floor, PRODUCT - 1))
            if token.text == "+":
                return inner
            return self.made(Minus(inner, start=token.start, end=inner.end, depth=inner.depth + 1))
        if self.sees("(", "{", "["):
            return self.bracket()
        if self.sees("|", "‖"):
            return self.fence()
        if self.sees("frac"):
            return self.fraction()
        if self.sees("cases"):
            return self.cases()
        if self.sees("𝟏"):
            self.take()
            if self.sees("_", "[", "{"):
                return self.counted()
            return self.made(Ones(start=token.start, end=token.end))
        raise self.unexpected()

    def split_run(self) -> None:
        """Read a run of names as their product: ``wx``, ``XW_Q``, unless the run has a meaning."""
        token = self.token
        written = self.line.text[token.start : token.end]
        if token.text in self.declared or (cuts := run_of(written, self.declared)) is None:
            return
        ends = [*cuts[1:], len(written)]
        self.tokens[self.at : self.at + 1] = [
            Token("name", canonical(written[at:end]), token.start + at, token.start + end)
            for at, end in zip(cuts, ends, strict=True)
        ]

    def counted(self) -> Node:
        r"""Read what an indicator counts: ``\mathbb{1}_{z > 0}``, ``𝟏[z > 0]``."""
        if self.sees("_"):
            self.take()
        if not self.sees("(", "{", "["):
            raise self.error("an indicator has a comparison in brackets, as in [z > 0]")
        inner = self.bracket()
        while isinstance(inner, Bracket):
            inner = inner.inner
        if not isinstance(inner, Compared):
            raise self.error(
                "an indicator has a comparison in brackets, as in [z > 0]", inner.start
            )
        return inner

    def word(self, name: str) -> str | None:
        """Return the word of a function that a name means here."""
        if name in self.functions:
            return name
        if name in self.declared or (name == "sigma" and self.is_value_ahead()):
            return None
        return function_word(name)

    def is_value_ahead(self) -> bool:
        """Whether σ stands for a value here: an operator follows it, and no argument."""
        after = self.tokens[min(self.at + 1, len(self.tokens) - 1)]
        return after.kind == "end" or (after.kind == "mark" and after.text in _AFTER_A_VALUE)

    def fraction(self) -> Node:
        r"""Read ``\frac{a}{b}``."""
        frac = self.take()
        parts = []
        for _ in range(2):
            if self.sees("{"):
                parts.append(self.bracket())
            else:
                parts.append(self.single())
        over, under = parts
        depth = max(over.depth, under.depth) + 1
        chain = self.made(
            Chain(
                PRODUCT,
                over,
                (Joined("/", frac.start, under),),
                start=frac.start,
                end=under.end,
                depth=depth,
            )
        )
        return self.made(Bracket(chain, start=frac.start, end=under.end, depth=depth + 1))

    def postfix(self, left: Node) -> Node:
        """Read what may stand behind a part: a power, a transpose, a method."""
        token = self.take()
        if token.text == ".":
            return self.made(self.method(left))
        if token.text in ("'", "⊤"):
            end, depth = token.end, left.depth + 1
            power: Node = Transposed(_ones(left), start=left.start, end=end, depth=depth)
        else:
            power = self.raised(left, token)
        if isinstance(left, Name) and token.text in ("^", "'"):
            return self.made(self.declared_name(power) or power)
        return self.made(power)

    def declared_name(self, node: Node) -> Node | None:
        """Read ``x'`` and ``x^{(i)}`` as a name when such a name is declared."""
        try:
            name = canonical(self.line.text[node.start : node.end])
        except ValueError:
            return None
        return Name(name, start=node.start, end=node.end) if name in self.declared else None

    def raised(self, left: Node, token: Token) -> Node:
        """Read an exponent, also ``^{-T}``."""
        braced = self.sees("{")
        minus = self.tokens[min(self.at + braced, len(self.tokens) - 1)]
        after = self.tokens[min(self.at + braced + 1, len(self.tokens) - 1)]
        if token.text == "^" and minus.text == "-" and after.text in ("T", "⊤"):
            opened = self.token
            for _ in range(2 + braced):
                self.take()
            if braced:
                self.expect("}", opened)
            start, end, depth = left.start, self.before, left.depth
            one = Literal(Fraction(1), start=minus.start, end=after.end)
            below = Minus(one, start=start, end=end)
            inverse = Power(left, below, start=start, end=end, depth=depth + 1)
            return Transposed(inverse, start=start, end=end, depth=depth + 2)
        if token.text == "raised":
            exponent: Node = Literal(token.value, start=token.start, end=token.end)
            return Power(left, exponent, start=left.start, end=token.end, depth=left.depth + 1)
        length = self.transpose_ahead(0)
        if length:
            for _ in range(length):
                self.take()
            end, depth = self.before, left.depth + 1
            return Transposed(_ones(left), start=left.start, end=end, depth=depth)
        sign = token.text
        if self.sees(".*"):  # X^∘2
            self.take()
            sign = ".^"
        elif self.sees("{") and self.tokens[self.at + 1].text == ".*":
            # X^{\circ 2}, X^{\odot 2}: the power of every entry.
            del self.tokens[self.at + 1]
            sign = ".^"
        exponent = self.expression(POWER - 1)
        depth = max(left.depth, exponent.depth) + 1
        return Power(left, exponent, sign, start=left.start, end=exponent.end, depth=depth)

    def transpose_ahead(self, skip: int = 1) -> int:
        r"""Count the tokens, `skip` ahead, that make ``^`` a transpose: ``T``, ``{\top}``."""
        ahead = self.tokens[self.at + skip : self.at + skip + 3]
        braced = ahead[0].kind == "mark" and ahead[0].text == "{"
        if braced and not (len(ahead) == 3 and ahead[2].kind == "mark" and ahead[2].text == "}"):
            return 0
        return 1 + 2 * braced if self.is_transpose(ahead[braced]) else 0

    @staticmethod
    def is_transpose(token: Token) -> bool:
        """Whether a token in an exponent means the transpose."""
        mark = token.kind == "mark" and token.text in ("⊤", "'")
        return mark or (token.kind == "name" and token.text == "T")

    def method(self, receiver: Node) -> Node:
        """Read ``X.sum(axis=1)`` and ``A.dot(B)`` as calls."""
        token = self.take()
        word = function_word(token.text) if token.kind == "name" else None
        if word is None or not self.sees("("):
            raise self.error("after a dot comes .T or a function such as .sum()", token.start)
        arguments, options = self.arguments(received=1)
        depth = max([receiver.depth, *(node.depth for node in arguments)]) + 1
        return Call(
            word,
            (receiver, *arguments),
            options,
            start=receiver.start,
            end=self.before,
            depth=depth,
            column=token.start,
        )

    def function(self, word: str) -> Node:
        """Read a function applied."""
        token = self.take()
        below = self.arguments() if self.sees("⟨") else ((), ())
        if self.sees("_"):
            raise self.error(f"an index under {word} is not read here; write {word}(...)")
        primes = 0
        while self.sees("'"):
            self.take()
            primes += 1
        power: Node | None = None
        if self.sees("^", ".^", "raised"):
            mark = self.take()
            holder = Literal(Fraction(0), start=token.start, end=token.end)
            raised = self.raised(holder, mark)
            if not isinstance(raised, Power):
                raise self.error(
                    f"transpose the value, not the function: {word}(...)^T", mark.start
                )
            power = raised.exponent
        options: tuple[tuple[str, Node], ...] = ()
        sign = self.line.text[token.start : token.end]
        if word == "sum" and sign in ("\\sum", "∑"):
            # The sign reaches over the whole term: ∑ y ⊙ log p, ∑ (a - y)^2.
            arguments: tuple[Node, ...] = (self.expression(SUM),)
        elif word == "sqrt" and self.sees("["):
            return self.root(token)
        elif self.sees("(", "{"):
            spaced = self.token.start > self.before and self.token.text == "("
            arguments, options = self.arguments()
            if spaced and arguments and word in REDUCTIONS and self.sees("^", "raised"):
                inner = self.line.text[arguments[0].start : self.before - 1][:40]
                raise self.error(
                    f"this can be read in two ways; write {word}(({inner})^2) or "
                    f"({word}({inner}))^2"
                )
        elif word in self.functions:
            raise self.error(f"{word} is a function; write {word}(...)", token.start)
        else:
            arguments = (self.expression(MATRIX),)
        arguments, options = (*arguments, *below[0]), (*below[1], *options)
        depth = max([1, *(node.depth for node in arguments)]) + 1
        return self.made(
            Call(
                word,
                arguments,
                options,
                primes,
                power,
                start=token.start,
                end=self.before,
                depth=depth + (power.depth if power else 0),
                column=token.start,
            )
        )

    def root(self, token: Token) -> Node:
        r"""Read ``\sqrt[3]{a}``: a power with the exponent 1/3."""
        opened = self.take()
        order = self.take()
        if order.kind != "number" or order.value < 1:
            raise self.error("the order of a root is a number, as in \\sqrt[3]{a}", order.start)
        self.expect("]", opened)
        inner = self.bracket() if self.sees("(", "{") else self.expression(MATRIX)
        exponent = Literal(1 / order.value, start=order.start, end=order.end)
        depth = inner.depth + 1
        return self.made(
            Power(inner, exponent, ".^", start=token.start, end=self.before, depth=depth)
        )

    def argument(self) -> Node:
        """Read one argument of a function."""
        return self.expression(0)


def _ones(node: Node) -> Node:
    """Read the 1 of ``1^T`` as a vector."""
    if isinstance(node, Literal) and node.value == 1:
        return Ones(True, start=node.start, end=node.end)
    return node
