"""Sums, products, norms and functions of posted mathematics."""

from __future__ import annotations

from chainrule.teaching.marking.by_value.cursor import CLOSES
from chainrule.teaching.marking.by_value.named_terms import COMPARED, NamedTerms
from chainrule.teaching.marking.by_value.notation import BOLD, FONTS, WORDS, Token
from chainrule.teaching.marking.by_value.scripts import UnreadError
from chainrule.teaching.marking.by_value.terms import Called, Combined, Constant, Term

PRODUCTS = {
    "*": "*", "\\cdot": "cdot", "\\times": "cdot", "\\odot": "odot", "\\ast": "odot",
    "/": "/", ":": "frobenius", "@": "*", "\\bullet": "cdot",
}  # fmt: skip


_OF_PRODUCTS = ("tr", "det", "logdet")
"""Functions of matrices, which reach over a product without brackets: ``tr A^T B``."""


class Formulas(NamedTerms):
    """A parser of sums, products, norms and functions."""

    def whole(self) -> Term:
        """Parse everything."""
        found = self.sum()
        if self.at < len(self.tokens):
            raise UnreadError(f"{self.peek()} is not read here")
        return found

    # ---- sums and products -------------------------------------------------------------------

    def sum(self) -> Term:
        """Parse terms with signs between them."""
        total = self.signed()
        while self.peek() in ("+", "-"):
            total = self._added(total)
        return total

    def _added(self, total: Term) -> Term:
        sign = self.take().text
        term = self.signed()
        return Combined("+", (total, term if sign == "+" else Combined("neg", (term,))))

    def signed(self) -> Term:
        """Parse one term with its sign."""
        negative = False
        while self.peek() in ("+", "-"):
            negative ^= self.take().text == "-"
        term = self.product()
        return Combined("neg", (term,)) if negative else term

    def product(self) -> Term:
        """Parse factors."""
        found = self.factor()
        while True:
            if self.peek() in PRODUCTS:
                operation = PRODUCTS[self.take().text]
                if self.peek() == "*" and operation == "*":
                    self.take()
                    found = Combined("^", (found, self.signed()))
                    continue
                negative = self.peek() == "-"
                right = self.signed() if negative else self.factor()
                found = Combined(operation, (found, right))
            elif self.begins_factor():
                found = Combined("*", (found, self.factor()))
            else:
                return found

    def begins_factor(self) -> bool:
        """Whether the next token begins a factor."""
        text = self.peek()
        if not text or text in ")]}+-=,;.:<>!?&|'^_":
            return text == "|"
        token = self.tokens[self.at]
        if token.kind == "word":
            return token.text in WORDS or token.text == "prod" or token.text in self.habits.words
        if token.kind == "command":
            return not (
                token.text in COMPARED
                or token.text in ("\\|", "\\pm", "\\approx", "\\\\", "\\end", "\\to", "\\dots",
                                  "\\ldots", "\\cdots", "\\propto", "\\equiv", "\\forall", "\\sim",
                                  "\\Rightarrow", "\\implies", "\\rangle", "\\text")
            ) or text == "\\|"  # fmt: skip
        return token.kind in ("number", "letter") or text in "([{"

    # ---- factors -----------------------------------------------------------------------------

    def factor(self) -> Term:
        """Parse one factor with what stands above, below and behind it."""
        found = self._factor()
        while self.peek() == "!" and self.peek(1) != "=":
            self.take()
            found = Called("factorial", (found,))
        return found

    def _factor(self) -> Term:
        token = self.take()
        text = token.text
        if token.kind == "number":
            return self.scripted(Constant(float(text)))
        if token.kind == "word":
            return self._word(text)
        if text in CLOSES:
            self.at -= 1
            start = self.at
            content = self.braced()[1:-1]
            if not content:
                return self.factor()
            one = len(content) == 1 and content[0].kind == "letter"
            if text == "[" and (joined := self._joined(content)) is not None:
                return self.scripted(joined)
            if text == "{" and self.peek() == "_" and one:  # {x}_1 is x_1
                self.tokens = [*self.tokens[:start], *content, *self.tokens[self.at :]]
                self.at = start
                return self.factor()
            return self.scripted(self.inner(content).whole())
        if text in ("|", "\\|") or (text == "|" and self.peek() == "|"):
            return self._norm(text)
        if token.kind == "letter" or (token.kind == "command" and self.is_name(text[1:])):
            self.at -= 1
            return self.named()
        if token.kind == "command":
            return self._command(text)
        raise UnreadError(f"{text} is not read here")

    def _joined(self, content: list[Token]) -> Term | None:
        """Parse a list of vectors, ``[h, x]``: one vector on top of the other; None for others."""
        parts: list[list[Token]] = [[]]
        level = 0
        for token in content:
            level += (token.text in "([{") - (token.text in ")]}")
            if level == 0 and token.text in (",", ";"):
                parts.append([])
            else:
                parts[-1].append(token)
        if len(parts) == 1 or not all(parts):
            return None
        return Called("joined", tuple(self.inner(part).whole() for part in parts))

    def _norm(self, text: str) -> Term:
        if text == "|" and self.peek() == "|":
            self.take()
            text = "\\|"
        start, level = self.at, 0
        while self.at < len(self.tokens):
            token = self.take()
            level += (token.text in "([{") - (token.text in ")]}")
            closes = token.text == text or (
                text == "\\|" and token.text == "|" and self.peek() == "|"
            )
            if level == 0 and closes:
                content = self.tokens[start : self.at - 1]
                if token.text == "|" and text == "\\|":
                    self.take()
                kind = "norm" if text == "\\|" else "bars"
                if self.peek() == "_":
                    self.take()
                    shown = [t.text for t in self.group()]
                    below = "".join(t for t in shown if t not in "{}" and t[1:] not in BOLD | FONTS)
                    if below == "1":
                        kind = "norm1"
                    elif below not in ("F", "2", "\\text", "Fro"):
                        raise UnreadError("a norm that is not read")
                return self.scripted(Called(kind, (self.inner(content).whole(),)))
        raise UnreadError("a norm that is not closed")

    def _word(self, word: str) -> Term:
        if word == "prod" and self.peek() == "(":
            first, *rest = self.arguments()
            for factor in rest:
                first = Combined("*", (first, factor))
            return first
        if word in self.habits.words or word not in WORDS:
            if word not in self.habits.words:
                raise UnreadError(f"the word {word}")
            self.at -= 1
            return self.named()
        function, power = WORDS[word], None
        order = 0
        while self.peek() == "'":
            self.take()
            order += 1
        if self.peek() == "^":
            self.take()
            power = self.inner(self.group()).whole()
        base = None
        if self.peek() == "_" and function in ("log", "softmax", "max", "sum"):
            self.take()
            base = "".join(token.text for token in self.group())
        if function in ("max", "min", "crossentropy", "bce") and self.peek() in "([{\\":
            arguments = self.arguments()
            return self.scripted(Called(function, arguments, order))
        if base == "2" and function == "log":
            raise UnreadError("a logarithm to another base")
        whole = function in _OF_PRODUCTS and self.peek() not in ("(", "[", "{")
        argument = self.product() if whole else self._argument()
        called: Term = Called(function, (argument,), order)
        if power is not None:
            called = Combined("^", (called, power))
        return self.scripted(called)

    def _argument(self) -> Term:
        r"""Parse what a function without brackets is applied to: ``\\log p_i``, ``\\ln a x``."""
        if self.peek() in ("(", "[", "{"):
            content = self.braced()[1:-1]
            return self.inner(content).whole()
        if self.peek() == "-":
            self.take()
            return Combined("neg", (self._argument(),))
        found = self.factor()
        while self.begins_factor() and self.tokens[self.at].kind in ("letter", "number"):
            found = Combined("*", (found, self.factor()))
        return found

    def _command(self, text: str) -> Term:
        """Parse what begins with a command."""
        raise UnreadError(f"{text} is not read here")


__all__ = ["PRODUCTS", "Formulas"]
