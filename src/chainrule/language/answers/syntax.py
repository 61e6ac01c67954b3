r"""The grammar of answers: the language of forward passes, with common extensions.

Derivatives and sums over an index, entries (``X[p, i]``), indicators (``1[z > 0]``), groups in
square brackets, sizes (``X.shape[1]``) and the texts of ``einsum``. Nothing is decided here that
needs a shape: what can be read in several ways is asked for one way at a time.
"""

from __future__ import annotations

import re
from collections.abc import Container
from contextlib import suppress

from chainrule.errors import ParseError
from chainrule.language.answers.calculus import Calculus
from chainrule.language.reading.cursor import CLOSERS, COMPARISONS
from chainrule.language.reading.syntax import MATRIX, PRODUCT
from chainrule.language.reading.tokens import Line, Token, tokenize
from chainrule.language.reading.tree import (
    Blocks,
    Bracket,
    Call,
    Chain,
    Compared,
    Extent,
    Indexed,
    Joined,
    Name,
    Node,
    Ones,
)
from chainrule.language.reading.words import EYE, function_word

CODE = frozenset(
    {"einsum", "square", "mm", "mul", "astype", "float", "copy", "t"}
    | {"full", "full_like", "ones_like", "zeros_like", "clamp", "clip", "heaviside"}
    | {"broadcast_to", "sub", "div", "pow", "power"}
    | {"int", "int32", "int64", "float32", "float64", "double", "bool"}
    | {"array", "asarray", "as_tensor", "tensor", "squeeze", "differential"}
)
"""Functions of code beyond the language of forward passes."""

FROBENIUS = 15
"""How tightly the colon of ``A : B``, the sum of products of entries, binds."""

_SLOPE_WORD = re.compile(
    r"(\w+?)_(?:prime|derivative|deriv|grad|gradient)|(?:d_|deriv_|derivative_|grad_)(\w+)"
)
"""The slope of an activation as code calls it: ``relu_derivative``, ``sigmoid_prime``."""

TUPLE = "("
"""The name of the sizes in ``np.ones((n, 1))`` and ``axis=(0, 1)`` as one argument."""

LONGEST_TUPLE = 4000

KEPT = frozenset(
    {"astype", "float", "double", "int", "long", "bool", "to", "type", "copy", "item", "mT"}
    | {"detach", "clone", "numpy", "cpu", "contiguous", "reshape", "view", "squeeze"}
)
"""Methods that return the value unchanged."""


def parse_answer(
    line: Line,
    start: int,
    stop: int,
    declared: Container[str],
    *,
    greedy: bool = False,
    flat: bool = False,
    below: bool = False,
    wide: bool = False,
    functions: Container[str] = frozenset(),
) -> Node:
    """Parse an expression as people write it in an answer.

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
    below : bool
        What stands side by side behind a stroke is all below it: ``x/2m``, ``y/a (1-a)``.
    wide : bool
        A sign such as ``∂/∂w`` before a product reaches over all of it.
    functions : container of str
        Functions that the forward pass defines.

    Raises
    ------
    ParseError
        Where the text makes no expression, or one past the limits.
    """
    parser = _AnswerParser(line, tokenize(line, start, stop, answer=True), declared, functions)
    parser.greedy = greedy
    parser.flat = flat
    parser.below = below
    parser.wide = wide
    parser.beside = PRODUCT if flat else MATRIX
    node = parser.expression(0)
    parser.finished()
    return node


class _AnswerParser(Calculus):
    flat = below = False
    groups = equality = True

    def operator_ahead(self) -> str:
        """Return the operator that follows, the colon of ``A : B`` included."""
        if self.sees(":") and "[" not in self.bars:
            return ":"
        return super().operator_ahead()

    def level(self, operator: str) -> int:
        """Return the binding strength of an operator; in code, all products are alike."""
        if operator == ":":
            return FROBENIUS
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
        if (found := self.indicator()) is not None:
            return found
        if self.sees("𝟏"):
            return self.ones()
        if token.kind == "number" and token.text == "1" and self.marked(1, "_"):
            self.take()
            self.skip_below()
            return self.made(Ones(start=token.start, end=self.before))
        if token.kind == "name" and (squared := self.squared()) is not None:
            return squared
        if token.kind == "name" and token.text not in self.declared:
            if (found := self.summation()) is not None:
                return found
            if (found := self.activation_slope()) is not None:
                return found
            if token.text in CODE and self.marked(1, "("):
                return self.code_call()
            if token.text == "I" and self.marked(1, "("):
                return self.function(EYE)
        node = super().operand(floor)
        while isinstance(node, Name | Indexed) and self.subscript_ahead():
            node = self.subscripted(node)
        return self.lowered(node)

    def postfix(self, left: Node) -> Node:
        """Read what may stand behind a part, an index below it included."""
        return self.lowered(super().postfix(left))

    def lowered(self, node: Node) -> Node:
        """Parse ``(A B)_{ij}`` and ``softmax(Z)_i``: an entry of an expression."""
        if not (isinstance(node, Blocks | Bracket | Call) and self.sees("_")):
            return node
        self.take()
        names: list[Token] = []
        if self.sees("{"):
            opened = self.take()
            names.append(self.take())
            while self.sees(","):
                self.take()
                names.append(self.take())
            self.expect("}", opened)
        else:
            names.append(self.take())
        places: list[Node | None] = []
        for token in names:
            if token.kind == "number":
                raise self.error("write an entry of a part with letters below", token.start)
            if token.kind != "name":
                raise self.error("the index of the entry is missing here", token.start)
            letters = [token.text] if len(names) > 1 else list(token.text)
            places += [Name(letter, start=token.start, end=token.end) for letter in letters]
        depth = node.depth + 1
        return self.made(
            Indexed(node, tuple(places), start=node.start, end=self.before, depth=depth)
        )

    def level_below(self) -> int:
        """How tight what stands below a stroke holds together."""
        return MATRIX - 1 if self.below else MATRIX

    def number_beside(self, left: Node) -> None:
        """Parse a number after a factor as a factor."""

    # ---- parts and code ----------------------------------------------------------------------

    def ones(self) -> Node:
        """Parse a vector of ones."""
        token = self.take()
        self.skip_below()
        return self.made(Ones(start=token.start, end=self.before))

    def indicator(self) -> Node | None:
        """Parse ``1[z > 0]``, ``𝟏_{z > 0}``, ``I(z > 0)``, ``1{i = j}``; None otherwise."""
        token = self.token
        known = token.kind == "name" and token.text in ("I", "indicator", "ind", "one")
        if not (self.sees("𝟏") or token.text == "1" or (known and token.text not in self.declared)):
            return None
        back = self.place()
        self.take()
        if self.sees("_"):
            self.take()
        if self.sees("[", "(", "{"):
            with suppress(ParseError):
                inner: Node = self.bracket()
                while isinstance(inner, Bracket):
                    inner = inner.inner
                if isinstance(inner, Compared):
                    return inner
        self.go_back(back)
        return None

    def skip_below(self) -> None:
        """Skip the length of a vector of ones, which its context determines."""
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
        """Whether ``[`` directly after a name begins an index, and not a comparison."""
        if not (self.sees("[") and self.token.start == self.before) or self.range_ahead():
            return False
        for token in self.tokens[self.at :]:
            if token.kind == "mark" and token.text in COMPARISONS:
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
        """Parse ``g'(Z)``, in code ``g_prime(Z)``: the derivative of the activation of Z."""
        token = self.token
        worded = _SLOPE_WORD.fullmatch(token.text)
        named = worded is not None and (worded[1] or function_word(worded[2]) is not None)
        if (
            worded is not None
            and named
            and self.marked(1, "(")
            and token.text not in self.functions
        ):
            self.take()
            arguments, _ = self.arguments()
            name = worded[1] or worded[2]
            return self.made(
                Call(name, arguments, primes=1, start=token.start, end=self.before, depth=2)
            )
        if function_word(token.text) is not None or not self.marked(1, "'"):
            return None
        if not self.marked(2, "(") or token.text[1:] in self.declared:
            return None  # dZ' is a gradient, transposed
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
        if name.kind == "name" and name.text in ("size", "numel"):
            return self.count(receiver)
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

    def count(self, receiver: Node) -> Node:
        """Read ``Y.size``, the number of entries, and ``X.size(1)``, the size along an axis."""
        start = receiver.start
        self.take()
        axes = [0, 1]
        if self.sees("("):
            opened = self.take()
            if not self.sees(")"):
                axis = self.take()
                if axis.text not in ("0", "1"):
                    raise self.error("a shape has the places 0 and 1", axis.start)
                axes = [int(axis.text)]
            self.expect(")", opened)
        first, *rest = (Extent(receiver, axis, start=start, end=self.before) for axis in axes)
        if not rest:
            return self.made(first)
        joined = tuple(Joined("*", start, extent) for extent in rest)
        whole = Chain(PRODUCT, first, joined, start=start, end=self.before, depth=2)
        return Bracket(whole, start=start, end=self.before, depth=receiver.depth + 2)

    def pass_over(self) -> None:
        """Skip arguments without effect."""
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
        if self.tuple_ahead():
            opened = self.take()
            parts = [self.expression(0)]
            while self.sees(","):
                self.take()
                if not self.sees(")"):
                    parts.append(self.expression(0))
            self.expect(")", opened)
            depth = max(part.depth for part in parts) + 1
            whole = Call(TUPLE, tuple(parts), start=opened.start, end=self.before, depth=depth)
            return self.made(whole)
        inner = self.expression(0)
        return self.compared(inner) if self.sees(*COMPARISONS) else inner

    def tuple_ahead(self) -> bool:
        """Whether a tuple that is a whole argument follows."""
        if not self.sees("("):
            return False
        depth, comma = 0, False
        for place, token in enumerate(self.tokens[self.at : self.at + LONGEST_TUPLE]):
            mark = token.text if token.kind == "mark" else ""
            depth += (mark in CLOSERS) - (mark in CLOSERS.values())
            comma = comma or (depth == 1 and mark == ",")
            if depth == 0:
                return comma and (self.marked(place + 1, ",") or self.marked(place + 1, ")"))
        return False

    def juxtaposed(self) -> bool:
        """Whether a factor begins here."""
        return self.sees("∂", "∇") or super().juxtaposed()
