"""Sums, products, names and functions of posted mathematics."""

from __future__ import annotations

from typing import Self

from chainrule.teaching.marking.by_value.notation import (
    ACCENTS,
    BOLD,
    FONTS,
    GREEK,
    WORDS,
    Token,
    tokens,
)
from chainrule.teaching.marking.by_value.scripts import (
    Habits,
    Scripts,
    UnreadError,
    above,
    indices,
)
from chainrule.teaching.marking.by_value.terms import (
    Called,
    Combined,
    Condition,
    Constant,
    EntryOf,
    Index,
    Moved,
    Named,
    Term,
)

_CLOSES = {"(": ")", "[": "]", "{": "}"}
PRODUCTS = {
    "*": "*", "\\cdot": "cdot", "\\times": "cdot", "\\odot": "odot", "\\ast": "odot",
    "/": "/", ":": "frobenius", "@": "*", "\\bullet": "cdot",
}  # fmt: skip
COMPARED = {
    "=": "=", "\\caseequals": "=", "\\neq": "!=", "<": "<", ">": ">", "\\le": "<=", "\\ge": ">=",
    "\\leq": "<=", "\\geq": ">=", "\\in": "in", "\\lt": "<", "\\gt": ">",
}  # fmt: skip
DEEPEST = 60
LONGEST = 4000


class Formulas:
    """A parser of sums, products, names and functions.

    Parameters
    ----------
    text : str
        The formula, without equals signs at its top.
    habits : Habits
        The habits of the text it stands in.
    """

    def __init__(self, text: str | list[Token], habits: Habits, depth: int = 0) -> None:
        if isinstance(text, str) and len(text) > LONGEST:
            raise UnreadError("a formula that is too long")
        self.tokens = (
            tokens(text, plain=habits.plain, names=habits.names) if isinstance(text, str) else text
        )
        self.habits = habits
        self.at = 0
        self.depth = depth

    # ---- tokens ------------------------------------------------------------------------------

    def peek(self, ahead: int = 0) -> str:
        """Return the text of a token; empty behind the last."""
        return self.tokens[self.at + ahead].text if self.at + ahead < len(self.tokens) else ""

    def take(self) -> Token:
        """Return the next token and move on."""
        if self.at >= len(self.tokens):
            raise UnreadError("the formula ends too early")
        self.at += 1
        return self.tokens[self.at - 1]

    def group(self) -> list[Token]:
        """Return the tokens of the next group in braces, or the next token."""
        token = self.take()
        if token.kind == "number" and len(token.text) > 1:  # \\frac12, x^23
            rest = Token("number", token.text[1:].lstrip("."))
            self.at -= 1
            self.tokens = [*self.tokens[: self.at], Token("number", token.text[0]), rest,
                           *self.tokens[self.at + 1 :]]  # fmt: skip
            return [self.take()]
        if token.text != "{":
            if token.text == "\\frac" or (token.kind == "command" and self.peek() == "{"):
                return [token, *self._braced(), *(self._braced() if token.text == "\\frac" else ())]
            return [token]
        self.at -= 1
        return self._braced()[1:-1]

    def _braced(self) -> list[Token]:
        start, opened = self.at, self.peek()
        if opened not in _CLOSES:
            return [self.take()]
        level = 0
        while self.at < len(self.tokens):
            token = self.take()
            level += (token.text == opened) - (token.text == _CLOSES[opened])
            if level == 0:
                return self.tokens[start : self.at]
        raise UnreadError("a bracket that is not closed")

    def inner(self, content: list[Token]) -> Self:
        """Return a parser of a group."""
        if self.depth > DEEPEST:
            raise UnreadError("a formula that is nested too deeply")
        return type(self)(content, self.habits, self.depth + 1)

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
            return text == "|" and self._opens_bar()
        token = self.tokens[self.at]
        if token.kind == "word":
            return token.text in WORDS or token.text == "prod" or token.text in self.habits.words
        if token.kind == "command":
            return not (
                token.text in COMPARED
                or token.text in ("\\|", "\\pm", "\\approx", "\\\\", "\\end", "\\to", "\\dots",
                                  "\\ldots", "\\cdots", "\\propto", "\\equiv", "\\forall", "\\sim",
                                  "\\Rightarrow", "\\implies", "\\rangle", "\\text")
            ) or (text == "\\|" and not self.__dict__.get("norm"))  # fmt: skip
        return token.kind in ("number", "letter") or text in "([{"

    def _opens_bar(self) -> bool:
        return not self.__dict__.get("bars")

    # ---- factors -----------------------------------------------------------------------------

    def factor(self) -> Term:
        """Parse one factor with what stands above and below it."""
        token = self.take()
        text = token.text
        if token.kind == "number":
            return self.scripted(Constant(float(text)))
        if token.kind == "word":
            return self._word(text)
        if text in _CLOSES:
            self.at -= 1
            content = self._braced()[1:-1]
            if not content:
                return self.factor()
            return self.scripted(self.inner(content).whole())
        if text in ("|", "\\|") or (text == "|" and self.peek() == "|"):
            return self._norm(text)
        if token.kind == "letter" or (token.kind == "command" and self._is_name(text[1:])):
            self.at -= 1
            return self._named()
        if token.kind == "command":
            return self._command(text)
        raise UnreadError(f"{text} is not read here")

    def _is_name(self, name: str) -> bool:
        return name in GREEK or name in ACCENTS or name in BOLD or name in FONTS

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
            first, *rest = self._arguments()
            for factor in rest:
                first = Combined("*", (first, factor))
            return first
        if word in self.habits.words or word not in WORDS:
            if word not in self.habits.words:
                raise UnreadError(f"the word {word}")
            self.at -= 1
            return self._named()
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
            arguments = self._arguments()
            return self.scripted(Called(function, arguments, order))
        if base == "2" and function == "log":
            raise UnreadError("a logarithm to another base")
        argument = self._argument()
        called: Term = Called(function, (argument,), order)
        if power is not None:
            called = Combined("^", (called, power))
        return self.scripted(called)

    def _argument(self) -> Term:
        r"""Parse what a function without brackets is applied to: ``\\log p_i``, ``\\ln a x``."""
        if self.peek() in ("(", "[", "{"):
            content = self._braced()[1:-1]
            return self.inner(content).whole()
        if self.peek() == "-":
            self.take()
            return Combined("neg", (self._argument(),))
        found = self.factor()
        while self.begins_factor() and self.tokens[self.at].kind in ("letter", "number"):
            found = Combined("*", (found, self.factor()))
        return found

    def _arguments(self) -> tuple[Term, ...]:
        content = self._braced()[1:-1]
        groups: list[list[Token]] = [[]]
        level = 0
        for token in content:
            level += (token.text in "([{") - (token.text in ")]}")
            if level == 0 and token.text in (",", ";", "|"):
                groups.append([])
            else:
                groups[-1].append(token)
        return tuple(self.inner(group).whole() for group in groups if group)

    # ---- names -------------------------------------------------------------------------------

    def base(self) -> tuple[str, bool]:
        """Parse the letter of a name with its accents and fonts; return whether it is bold."""
        token = self.take()
        if token.kind in ("letter", "word"):
            return token.text, False
        name = token.text[1:]
        if token.kind == "command" and name in GREEK:
            return name, False
        if token.kind == "command" and name in ACCENTS | BOLD | FONTS:
            within = self.inner(self.group())
            base, bold = within.base()
            if within.at < len(within.tokens):
                if within.peek() not in "_^":
                    raise UnreadError("an accent over several letters")
                self.tokens = [*self.tokens[: self.at], *within.tokens[within.at :],
                               *self.tokens[self.at :]]  # fmt: skip
            if name in ACCENTS:
                accent = {"widehat": "hat", "widetilde": "tilde", "overline": "bar"}.get(name, name)
                return f"{base}.{accent}", bold or name == "vec"
            return (f"{base}.cal", bold) if name in FONTS else (base, True)
        if token.text == "{":
            self.at -= 1
            within = self.inner(self.group())
            found = within.base()
            self.tokens = [*self.tokens[: self.at], *within.tokens[within.at :],
                           *self.tokens[self.at :]]  # fmt: skip
            return found
        raise UnreadError(f"{token.text} is not a name")

    def scripts(self, base: str = "") -> Scripts:
        """Parse what stands above and below a name, or another term."""
        found = Scripts()
        while self.peek() in ("_", "^", "'"):
            sign = self.take().text
            if sign == "'":
                if self.habits.prime_turns:
                    found.turned = not found.turned
                else:
                    found.primes += 1
                continue
            content = self.group()
            if sign == "_":
                if found.power:
                    self.at -= 1
                    raise UnreadError("an index behind a power")
                found.turned_first = found.turned and not found.below
                found.below.extend(indices(content))
            else:
                if found.power:
                    raise UnreadError("two powers")
                above(content, self.habits, found, numbered=base in self.habits.numbered)
        return found

    def _indicator(self) -> Term | None:
        r"""Parse ``\mathbb{1}(u > 0)`` and ``\mathbf{1}[i = j]``; None for another text."""
        start = self.at
        if self.peek()[1:] not in BOLD | FONTS:
            return None
        self.take()
        inner = [token.text for token in self.group()]
        if inner not in (["1"], ["I"]) or self.peek() not in ("(", "["):
            self.at = start
            return None
        content = self._braced()[1:-1]
        content = with_classes(content)
        for at, token in enumerate(content):
            sign = COMPARED.get(token.text)
            if sign is None:
                continue
            left, right = content[:at], content[at + 1 :]
            if len(left) == len(right) == 1 and left[0].kind == right[0].kind == "letter":
                said = Condition(Index(left[0].text), sign, Index(right[0].text))
                return Called("indicator", (said,))
            both = (self.inner(left).whole(), self.inner(right).whole())
            return Called(f"indicator|{sign}", both)
        raise UnreadError("an indicator of no comparison")

    def _named(self) -> Term:
        if (indicator := self._indicator()) is not None:
            return indicator
        base, bold = self.base()
        if base == "I.cal" or (base in ("1", "I") and self.peek() == "["):
            raise UnreadError("an indicator")
        if base == "e" and self.habits.euler and self.peek() == "^":
            self.take()
            return Called("exp", (self.inner(self.group()).whole(),))
        is_value = "d" in self.habits.values and not self.habits.gradients
        if base == "d" and not is_value and self._moves():
            return Moved(self.factor())
        found = self.scripts(base)
        if (same := self._kronecker(base, found)) is not None:
            return same
        if found.turned and len(found.below) == 2 and not found.above and found.turned_first:
            return self._raised(  # X^T_{ij} is an entry of the transpose
                EntryOf(Combined("T", (Named(base, bold=bold),)), tuple(found.below)),
                Scripts(power=found.power),
            )
        name = Named(base, tuple(found.above), tuple(found.below), bold)
        term: Term = name
        calls = (
            base in self.habits.functions
            or self._calls_several(base)
            or (found.primes and base not in self.habits.values)
        )
        if self.peek() == "(" and (given := self._given(name)) is not None:
            return self._raised(given, found)
        if self.peek() == "(" and calls:
            arguments = self._arguments()
            term = Called(_function(name), arguments, found.primes)
            if self.peek() in ("_", "^"):
                return self._raised(self.scripted(term), found)
            return self._raised(term, found)
        if self.peek() == "(" and base in self.habits.values and self._shows_arguments():
            shown = self._arguments()
            if len(shown) == 1 and isinstance(shown[0], Named) and shown[0].places:
                places = (*found.above, *shown[0].places)  # h(x_i) is one value per example
                term = Named(base, places, tuple(found.below), bold)
            if self.peek() == "^" and not found.power:
                found.power = self.scripts().power
        if found.primes:
            raise UnreadError("a prime that is not read")
        return self._raised(term, found)

    def _kronecker(self, base: str, found: Scripts) -> Term | None:
        r"""Return ``\\delta_{ij}`` or ``I_{kj}``, which is 1 where two indices are the same."""
        identity = base == "I" and "I" not in self.habits.defined
        if not (base == "delta" or identity) or found.above or found.power or found.turned:
            return None
        below = found.below
        if len(below) == 1 and len(below[0].text) == 2 and below[0].text.isalpha():
            below = [Index(letter) for letter in below[0].text]
        return Called("kronecker", tuple(below)) if len(below) == 2 else None

    def _calls_several(self, base: str) -> bool:
        """Whether several arguments follow a name that has no value of its own."""
        if self.peek() != "(" or base in self.habits.values:
            return False
        start = self.at
        try:
            return len(self._arguments()) > 1
        except UnreadError:
            return False
        finally:
            self.at = start

    def _given(self, name: Named) -> Named | None:
        """Parse a probability such as ``p(y = 1 | x)``, one value by what stands in brackets."""
        start = self.at
        try:
            shown = [token.text for token in self._braced()]
        except UnreadError:
            shown = []
        if not {"|", "="} & set(shown) or shown.count("|") > 1:
            self.at = start
            return None
        text = "".join(one for one in shown if one not in "{}" and one[1:] not in BOLD)
        return Named(name.base, name.above, (*name.below, Index(text)))

    def _moves(self) -> bool:
        """Whether a name or a bracket follows without a space, as in ``dX`` and ``d(A B)``."""
        if self.at >= len(self.tokens) or self.tokens[self.at].spaced:
            return False
        token = self.tokens[self.at]
        return (
            token.kind == "letter"
            or token.text in ("(", "[")
            or (token.kind == "command" and self._is_name(token.text[1:]))
        )

    def _shows_arguments(self) -> bool:
        """Whether brackets behind a value hold what it depends on: ``L(w, b)``."""
        start = self.at
        try:
            arguments = self._arguments()
        except UnreadError:
            return False
        finally:
            self.at = start
        return (
            bool(arguments)
            and all(_is_shown(one) for one in arguments)
            and self.tokens[start + 1].text not in ("1",)
        )

    def scripted(self, term: Term) -> Term:
        """Parse what stands above and below a term that is not a name."""
        if self.peek() not in ("_", "^", "'"):
            return term
        found = self.scripts()
        if found.primes:
            raise UnreadError("a prime behind a bracket")
        if found.above and not found.power:
            raise UnreadError("an index above a bracket")
        if found.below:
            term = EntryOf(term, tuple(found.below))
        return self._raised(term, found)

    def _raised(self, term: Term, found: Scripts) -> Term:
        if found.power:
            power = self.inner(found.power).whole()
            term = Combined("^", (term, power))
        return Combined("T", (term,)) if found.turned else term

    def _command(self, text: str) -> Term:
        """Parse what begins with a command."""
        raise UnreadError(f"{text} is not read here")


def _is_shown(argument: Term) -> bool:
    r"""Whether an argument is a name, or its square: ``L(\\mu, \\sigma^2)``."""
    if isinstance(argument, Combined) and argument.operation == "^":
        argument = argument.parts[0]
    return isinstance(argument, Named) and argument.base != "T"


def with_classes(content: list[Token]) -> list[Token]:
    """Join the index of a class, the ``y_i`` in ``j ≠ y_i``, to one token."""
    found: list[Token] = []
    for token in content:
        letters = token.kind == "letter" and len(found) > 1 and found[-2].kind == "letter"
        if letters and found[-1].text == "_":
            found[-2:] = [Token("letter", f"{found[-2].text}_{token.text}")]
        else:
            found.append(token)
    return found


def _function(name: Named) -> str:
    places = "".join(f"|{index.text}{index.offset or ''}" for index in name.places)
    return f"{name.base}{places}"
