"""Content of brackets and bars: groups, masks, blocks, parts, norms, arguments."""

from __future__ import annotations

from abc import ABC, abstractmethod

from chainrule.language.reading.cursor import CLOSERS, COMPARISONS
from chainrule.language.reading.formulas import Formulas
from chainrule.language.reading.tokens import Token
from chainrule.language.reading.tree import Blocks, Bracket, Compared, Fence, Node, Part, Range

CODE_OPTIONS = {"dim": "axis", "keepdim": "keepdims"}
"""What PyTorch calls the options of NumPy."""


class Enclosures(Formulas, ABC):
    """Parses what is enclosed."""

    equality = False  # whether two indices may be compared

    @abstractmethod
    def argument(self) -> Node:
        """Read one argument of a function."""

    def bracket(self) -> Node:
        """Read a part in brackets, or a mask."""
        opened = self.take()
        self.bars.append(opened.text)
        inner = self.expression(0)
        if self.sees(*COMPARISONS) or (self.equality and self.sees("=")):
            inner = self.compared(inner)
        elif opened.text == "[" and self.sees(";", ","):
            return self.blocks(opened, inner)
        self.expect(CLOSERS[opened.text], opened)
        self.bars.pop()
        return self.made(Bracket(inner, start=opened.start, end=self.before, depth=inner.depth + 1))

    def compared(self, left: Node) -> Node:
        """Read what a part is compared with."""
        operator = self.take().text
        right = self.expression(0)
        depth = max(left.depth, right.depth) + 1
        return self.made(
            Compared(left, operator, right, start=left.start, end=right.end, depth=depth)
        )

    def blocks(self, opened: Token, first: Node) -> Node:
        """Read the rest of ``[A; B]`` or ``[A, B]``."""
        lines: list[list[Node]] = [[first]]
        while self.sees(";", ","):
            if self.take().text == ";":
                lines.append([])
            lines[-1].append(self.expression(0))
        self.expect("]", opened)
        self.bars.pop()
        depth = max(node.depth for line in lines for node in line) + 1
        whole = tuple(tuple(line) for line in lines)
        return self.made(Blocks(whole, start=opened.start, end=self.before, depth=depth))

    def part(self, base: Node) -> Node:
        """Read the ranges of a part."""
        opened = self.take()
        self.bars.append(opened.text)
        ranges = [self.range()]
        if self.sees(","):
            self.take()
            ranges.append(self.range())
        self.expect("]", opened)
        self.bars.pop()
        ends = [n for r in ranges for n in (r.first, r.end) if n is not None]
        depth = max([base.depth, *(node.depth for node in ends)]) + 1
        return self.made(Part(base, tuple(ranges), start=base.start, end=self.before, depth=depth))

    def range(self) -> Range:
        """Read ``0:h``, ``:h``, ``h:``, ``:`` or a single place."""
        first = None if self.sees(":") else self.expression(0)
        if not self.sees(":"):
            return Range(first, single=True)
        self.take()
        return Range(first, None if self.sees(",", "]") else self.expression(0))

    def fence(self) -> Node:
        """Read a part between bars."""
        opened = self.take()
        self.bars.append(opened.text)
        inner = self.expression(0)
        self.expect(opened.text, opened)
        self.bars.pop()
        norm = opened.text == "‖"
        order = self.order() if norm else ""
        return self.made(
            Fence(norm, inner, order, start=opened.start, end=self.before, depth=inner.depth + 1)
        )

    def order(self) -> str:
        """Read the order of a norm: ``‖x‖_2``, ``‖x‖_{1}``, ``‖x‖_F``."""
        if not self.sees("_"):
            return ""
        self.take()
        braced = self.sees("{")
        if braced:
            opened = self.take()
        token = self.take()
        if token.kind not in ("number", "name"):
            raise self.error("write the order of the norm here: 1 or 2", token.start)
        if braced:
            self.expect("}", opened)
        return token.text

    def arguments(self, received: int = 0) -> tuple[tuple[Node, ...], tuple[tuple[str, Node], ...]]:
        """Read the arguments and options of a function."""
        opened = self.take()
        self.bars.append(opened.text)
        arguments: list[Node] = []
        options: list[tuple[str, Node]] = []
        close = CLOSERS[opened.text]
        while not (self.sees(close) and (received or arguments or options)):
            after = self.tokens[min(self.at + 1, len(self.tokens) - 1)]
            if self.token.kind == "name" and after.kind == "mark" and after.text == "=":
                option = self.take().text
                option = CODE_OPTIONS.get(option, option)
                self.take()
                options.append((option, self.several() if self.list_ahead() else self.argument()))
            elif self.list_ahead():
                arguments += self.listed()
            else:
                arguments.append(self.argument())
            if not self.sees(","):
                break
            self.take()
        self.expect(close, opened)
        self.bars.pop()
        return tuple(arguments), tuple(options)

    def several(self) -> Node:
        """Read an option of several values, such as ``axis=(0, 2)``."""
        start = self.token.start
        values = tuple(self.listed())
        depth = max(node.depth for node in values) + 1
        return self.made(Blocks((values,), start=start, end=self.before, depth=depth))

    def listed(self) -> list[Node]:
        """Read a list of arguments; each is an argument of its own."""
        opened = self.take()
        self.bars.append(opened.text)
        found = [self.expression(0)]
        while self.sees(","):
            self.take()
            if not self.sees(")"):
                found.append(self.expression(0))
        self.expect(")", opened)
        self.bars.pop()
        return found
