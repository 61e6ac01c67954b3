"""Names in posted mathematics: letters, accents, what stands above and below, arguments."""

from __future__ import annotations

from abc import abstractmethod
from itertools import pairwise

from chainrule.teaching.marking.by_value.cursor import Cursor
from chainrule.teaching.marking.by_value.notation import ACCENTS, BOLD, FONTS, GREEK, Token
from chainrule.teaching.marking.by_value.scripts import (
    Scripts,
    UnreadError,
    above,
    indices,
)
from chainrule.teaching.marking.by_value.terms import (
    Called,
    Combined,
    Condition,
    EntryOf,
    Index,
    Moved,
    Named,
    Term,
)

COMPARED = {
    "=": "=", "\\caseequals": "=", "\\neq": "!=", "<": "<", ">": ">", "\\le": "<=", "\\ge": ">=",
    "\\leq": "<=", "\\geq": ">=", "\\in": "in", "\\lt": "<", "\\gt": ">",
}  # fmt: skip


DENSITY = 3
"""The number of arguments of a normal density: a place, a mean, a variance."""


class NamedTerms(Cursor):
    """A parser of names and of what stands above, below and behind them."""

    @abstractmethod
    def factor(self) -> Term:
        """Parse one factor with what stands above and below it."""

    def base(self) -> tuple[str, bool]:
        """Parse the letter of a name with its accents and fonts; return whether it is bold."""
        token = self.take()
        if token.kind in ("letter", "word"):
            return token.text, False
        name = token.text[1:]
        if token.kind == "command" and name in GREEK:
            return name, False
        if token.kind == "command" and name in ACCENTS | BOLD | FONTS:
            content = self.group()
            if name in FONTS and len(content) > 1 and all(t.kind == "letter" for t in content):
                return f"{''.join(t.text for t in content)}.cal", False
            if name in BOLD and [token.text for token in content] == ["1"]:
                return "1", True  # a vector of ones
            within = self.inner(content)
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
                if found.power and not found.labelled():
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
        if inner not in (["1"], ["I"]) or self.peek() not in ("(", "[", "_"):
            self.at = start
            return None
        if self.peek() == "_":
            self.take()
            content = self.group()
            if not any(token.text in COMPARED for token in content):
                self.at = start
                return None
        else:
            content = self.braced()[1:-1]
        for at, token in enumerate(content):
            sign = COMPARED.get(token.text)
            if sign is None:
                continue
            left, right = content[:at], content[at + 1 :]
            one, other = with_classes(left), with_classes(right)
            if len(one) == len(other) == 1 and one[0].kind == other[0].kind == "letter":
                said = Condition(Index(one[0].text), sign, Index(other[0].text))
                return Called("indicator", (said,))
            both = (self.inner(left).whole(), self.inner(right).whole())
            return Called(f"indicator|{sign}", both)
        raise UnreadError("an indicator of no comparison")

    def named(self) -> Term:
        """Parse a name, or a call of a function with a name."""
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
            return self.raised(  # X^T_{ij} is an entry of the transpose
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
        if base in ("N", "N.cal") and self.peek() == "(" and (one := self._density()) is not None:
            return self.raised(one, found)
        if self.peek() == "(" and (given := self._given(name)) is not None:
            return self.raised(given, found)
        if self.peek() == "(" and calls:
            arguments = self.arguments()
            term = Called(_function(name), arguments, found.primes)
            if self.peek() in ("_", "^"):
                return self.raised(self.scripted(term), found)
            return self.raised(term, found)
        if self.peek() == "(" and base in self.habits.values and self._shows_arguments():
            shown = self.arguments()
            if len(shown) == 1 and isinstance(shown[0], Named) and shown[0].places:
                places = (*found.above, *shown[0].places)  # h(x_i) is one value per example
                term = Named(base, places, tuple(found.below), bold)
            if self.peek() == "^" and not found.power:
                found.power = self.scripts().power
        if found.primes:
            raise UnreadError("a prime that is not read")
        return self.raised(term, found)

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
            return len(self.arguments()) > 1
        except UnreadError:
            return False
        finally:
            self.at = start

    def _density(self) -> Term | None:
        r"""Parse the arguments of a normal density, ``(x \mid \mu, \Sigma)``; None for others."""
        start = self.at
        try:
            arguments = self.arguments()
        except UnreadError:
            arguments = ()
        if len(arguments) == DENSITY:
            return Called("N.cal", arguments)
        self.at = start
        return None

    def _given(self, name: Named) -> Named | None:
        """Parse a probability such as ``p(y = 1 | x)``, one value by what stands in brackets."""
        start = self.at
        try:
            shown = [token.text for token in self.braced()]
        except UnreadError:
            shown = []
        summed = any(
            sign in "+-" and before != "=" for before, sign in pairwise(shown) if len(sign) == 1
        )
        if not {"|", "="} & set(shown) or shown.count("|") > 1 or summed:
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
            or token.text in ("(", "[", "|")
            or (token.kind == "command" and self.is_name(token.text[1:]))
        )

    def _shows_arguments(self) -> bool:
        """Whether brackets behind a value hold what it depends on: ``L(w, b)``."""
        start = self.at
        try:
            arguments = self.arguments()
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
        return self.raised(term, found)

    def raised(self, term: Term, found: Scripts) -> Term:
        """Return a term with its power, transposed where the sign for it stands above."""
        if found.power:
            power = self.inner(found.power).whole()
            term = Combined("^", (term, power))
        return Combined("T", (term,)) if found.turned else term

    def is_name(self, name: str) -> bool:
        """Whether a command begins a name."""
        return name in GREEK or name in ACCENTS or name in BOLD or name in FONTS


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


__all__ = ["COMPARED", "NamedTerms", "with_classes"]
