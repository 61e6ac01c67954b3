r"""Parts of formulas that LaTeX has and code has not: sums over an index, cases, ``\frac12``."""

from __future__ import annotations

from abc import ABC, abstractmethod

from chainrule.language.reading.cursor import CLOSERS, Cursor
from chainrule.language.reading.tokens import tokenize
from chainrule.language.reading.tree import Call, Compared, Literal, Name, Node, Summation

CONDITIONS = ("if", "when", "for", "where", "otherwise", "else")
SUMS = ("sum", "Sigma")
TERM = 10
"""How tightly a term of a sum holds together: a sum over an index reaches to the next sign."""


class Formulas(Cursor, ABC):
    """Parses sums over indices, cases and arguments without braces."""

    apart = ""  # the index that the index of the sum is not
    greedy = False  # whether a sum over an index reaches over plus signs

    @abstractmethod
    def expression(self, floor: int) -> Node:
        """Read as far as operators bind tighter than `floor`."""

    @abstractmethod
    def bracket(self) -> Node:
        """Read a part in brackets."""

    @abstractmethod
    def compared(self, left: Node) -> Node:
        """Read what a part is compared with."""

    def summation(self) -> Node | None:
        """Parse ``∑_i``, ``sum_{i=1}^m``, ``Σ_{i,j}``; None for an ordinary sum."""
        token = self.token
        word, _, below = token.text.partition("_")
        after = self.tokens[min(self.at + 1, len(self.tokens) - 1)]
        if word not in SUMS or not (below or (after.kind == "mark" and after.text == "_")):
            return None
        self.take()
        self.apart = ""
        indices = tuple(part for part in below.split(",") if part) or self.bounds()
        apart, high = self.apart, self.limit() if self.sees("^") else None
        body = self.expression(TERM - 1 if self.greedy else TERM)
        return self.made(
            Summation(
                indices, body, high, apart, start=token.start, end=self.before, depth=body.depth + 1
            )
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
            if self.token.text not in ("0", "1"):
                raise self.error("a sum begins at 1 here, as in i=1")
            self.take()
        elif self.token.text in ("in", "∈"):
            while not self.sees("}", ")") and self.token.kind != "end":
                self.take()
        elif self.sees("!="):
            self.take()
            self.apart = self.index_name()
        self.expect(CLOSERS[opened.text], opened)
        return tuple(names)

    def index_name(self) -> str:
        """Parse the letter of an index."""
        token = self.take()
        if token.kind != "name":
            raise self.error("the index of the sum is missing here", token.start)
        return token.text

    def limit(self) -> Node | None:
        """Parse the upper bound of a sum; None where it is left empty."""
        self.take()
        if self.sees("{"):
            if self.tokens[min(self.at + 1, len(self.tokens) - 1)].text == "}":
                self.take()
                self.take()
                return None
            return self.bracket()
        token = self.take()
        if token.kind == "number":
            return Literal(token.value, start=token.start, end=token.end)
        if token.kind == "name":
            return Name(token.text, start=token.start, end=token.end)
        raise self.error("write where the sum ends here, as in ^m", token.start)

    def single(self) -> Node:
        r"""Read one character without braces, as TeX does: ``\frac12``, ``\frac n2``."""
        token = self.token
        written = self.line.text[token.start : token.end]
        if token.kind not in ("number", "name") or written[:1] in ".-":
            raise self.error(r"\frac takes two groups in braces: \frac{a}{b}")
        if len(written) > 1 and (written.isdigit() or (written.isascii() and written.isalnum())):
            # The first digit or letter is the argument; the others come after it.
            middle = token.start + 1
            rest = tokenize(self.line, middle, token.end)[:-1]
            first = tokenize(self.line, token.start, middle)[:-1]
            self.tokens[self.at : self.at + 1] = [*first, *rest]
        token = self.take()
        if token.kind == "number":
            return self.made(Literal(token.value, start=token.start, end=token.end))
        return self.made(Name(token.text, start=token.start, end=token.end))

    def cases(self) -> Node:
        r"""Read ``\begin{cases} a & z > 0 \\ b & \text{otherwise} \end{cases}`` as `where`."""
        opened = self.take()
        self.bars.append(opened.text)
        branches: list[tuple[Node, Node | None]] = []
        while True:
            value = self.expression(0)
            while self.sees(",", ";") and self.tokens[self.at + 1].text in (",", *CONDITIONS):
                self.take()
            branches.append((value, self.condition()))
            while self.sees(",", ";"):
                self.take()
            if self.sees("endcases"):
                break
            if self.token.kind == "end":
                raise self.error(r"these cases are never closed; add \end{cases}", opened.start)
        self.take()
        self.bars.pop()
        *first, (last, rest) = branches
        if any(test is None for _, test in first) or not first:
            raise self.error("every case but the last needs its condition, as z > 0", opened.start)
        if rest is not None and not (len(first) == 1 and self.opposite(first[0][1], rest)):
            raise self.error("write otherwise for the last case", rest.start)
        found = last
        for value, test in reversed(first):
            assert test is not None
            depth = max(value.depth, test.depth, found.depth) + 1
            found = self.made(
                Call(
                    "where", (test, value, found), start=opened.start, end=self.before, depth=depth
                )
            )
        return found

    def opposite(self, one: Node | None, other: Node) -> bool:
        """Whether a comparison holds where another does not, ties apart."""
        if not (isinstance(one, Compared) and isinstance(other, Compared)):
            return False
        sides = [self.line.text[part.start : part.end] for part in (one.left, one.right)]
        turned = [self.line.text[part.start : part.end] for part in (other.left, other.right)]
        return sides == turned and one.operator[0] != other.operator[0]

    def condition(self) -> Node | None:
        """Read when a case holds; nothing for "otherwise"."""
        if self.sees(","):
            self.take()
        while self.token.kind == "name" and self.token.text in CONDITIONS:
            if self.take().text in ("otherwise", "else"):
                return None
        if self.sees(";", "endcases"):
            return None
        return self.compared(self.expression(0))

    def square_name(self, name: str) -> str | None:
        """Return the declared name that the square of a name is; None where it is a power."""
        return f"{name}^2" if f"{name}^2" in self.declared else None

    def squared(self) -> Node | None:
        """Parse ``σ^2`` where that is a name; None otherwise."""
        token = self.token
        name = self.square_name(token.text)
        if name is None:
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
