r"""Parser of posted mathematics, as tolerant as a reader: LaTeX, Unicode and plain text."""

from __future__ import annotations

from chainrule.teaching.marking.by_value.formulas import PRODUCTS, Formulas
from chainrule.teaching.marking.by_value.named_terms import COMPARED, with_classes
from chainrule.teaching.marking.by_value.notation import (
    Token,
)
from chainrule.teaching.marking.by_value.scripts import (
    Habits,
    UnreadError,
    indices,
)
from chainrule.teaching.marking.by_value.terms import (
    Called,
    Cases,
    Combined,
    Condition,
    Constant,
    Index,
    Moved,
    Named,
    Over,
    Slope,
    Term,
    letters_of,
)

_DIFFERENTIALS = ("\\partial", "d", "\\delta")


class Parser(Formulas):
    """A parser of one formula: LaTeX, Unicode or plain text."""

    def _command(self, text: str) -> Term:
        if text == "\\frac":
            return self._fraction()
        if text == "\\sqrt":
            if self.peek() == "[":
                raise UnreadError("a root of another order")
            return self.scripted(Called("sqrt", (self.inner(self.group()).whole(),)))
        if text in ("\\sum", "\\prod"):
            return self._over(text[1:])
        if text in ("\\partial", "\\nabla"):
            return self._differentiated(text)
        if text == "\\casebegin":
            return self._cases()
        if text in ("\\langle",):
            content: list[Token] = []
            while self.peek() != "\\rangle":
                content.append(self.take())
            self.take()
            both = type(self)([Token("sign", "("), *content, Token("sign", ")")], self.habits)
            arguments = both.arguments()
            if len(arguments) != 2:
                raise UnreadError("an inner product of two")
            if self.peek() == "_":
                self.take()
                self.group()
            return Combined("frobenius", arguments)
        if text in ("\\operatorname", "\\text", "\\mathrm"):
            raise UnreadError("words")
        raise UnreadError(f"{text} is not read here")

    def _fraction(self) -> Term:
        over, under = self.group(), self.group()
        head = over[0].text if over else ""
        foot = under[0].text if under else ""
        same = head == foot or {head, foot} <= {"\\partial", "d"}
        if head in _DIFFERENTIALS and foot in _DIFFERENTIALS and same and len(under) > 1:
            return self._slope(over[1:], under)
        top, bottom = self.inner(over).whole(), self.inner(under).whole()
        return self.scripted(Combined("/", (top, bottom)))

    def _skip_arguments(self) -> None:
        r"""Skip the arguments of a derivative: ``\frac{\partial E}{\partial u}(u, v)``."""
        if self.peek() == "(" and "," in [t.text for t in self.tokens[self.at : self.at + 9]]:
            start = self.at
            try:
                several = len(self.arguments()) > 1
            except UnreadError:
                several = False
            if not several:
                self.at = start

    def _slope(self, over: list[Token], under: list[Token]) -> Term:
        order = 1
        if over and over[0].text == "^":
            top = self.inner(over[1:])
            degree = "".join(token.text for token in top.group())
            if degree != "2":
                raise UnreadError("a derivative of high order")
            order, over = 2, top.tokens[top.at :]
        below = self.inner(under)
        wrt: list[Named] = []
        turned = False
        if (inverse := _inverse(under)) is not None:
            return self._by_inverse(over, inverse)
        while below.at < len(below.tokens):
            if below.take().text not in _DIFFERENTIALS:
                raise UnreadError("the name that this is a derivative with respect to")
            name, again, flipped = below._variable()
            wrt.extend([name] * again)
            turned = turned or flipped
        square = order == 1 and len(wrt) == 2 and wrt[0] == wrt[1]
        if len(wrt) != order and not square:
            raise UnreadError("a derivative of another order")
        of = self.inner(over).whole() if over else self._operand()
        if over:
            self._skip_arguments()
        if square:  # by the square of a name, such as a variance
            twice = Combined("*", (Constant(2.0), wrt[0]))
            return Combined("/", (Slope(of, (wrt[0],)), twice))
        return self.scripted(Slope(of, tuple(wrt), turned=turned and order == 1))

    def _by_inverse(self, over: list[Token], under: list[Token]) -> Term:
        r"""Parse a derivative with respect to ``S^{-1}``: minus that to S between two ``S^T``."""
        slope = self._slope(over, under)
        if not (isinstance(slope, Slope) and len(slope.wrt) == 1):
            raise UnreadError("a derivative with respect to an inverse")
        turned = Combined("T", (slope.wrt[0],))
        product = Combined("*", (Combined("*", (turned, slope)), turned))
        return Combined("neg", (product,))

    def _variable(self) -> tuple[Named, int, bool]:
        if self.peek() in ("(", "{"):
            content = self.braced()[1:-1]
            within = self.inner(content)
            found = within._variable()
            if within.at < len(within.tokens):
                raise UnreadError("a derivative with respect to an expression")
            return found
        base, bold = self.base()
        scripts = self.scripts(base)
        again = 1
        if scripts.power:
            if [token.text for token in scripts.power] != ["2"]:
                raise UnreadError("a derivative with respect to a power")
            again = 2
        return Named(base, tuple(scripts.above), tuple(scripts.below), bold), again, scripts.turned

    def _operand(self) -> Term:
        """Parse what an operator ``d/dx`` is applied to: a bracket, or the rest of a product."""
        if self.peek() in ("(", "["):
            content = self.braced()[1:-1]
            found = self.scripted(self.inner(content).whole())
            if not self.habits.greedy:
                return found
        else:
            found = self.factor()
        while self.begins_factor() or self.peek() in ("\\cdot", "\\odot", "*", "/", "\\times"):
            operation = "*"
            if self.peek() in PRODUCTS:
                operation = PRODUCTS[self.take().text]
            found = Combined(operation, (found, self.factor()))
        return found

    def _differentiated(self, text: str) -> Term:
        r"""Parse ``\\nabla_w L``, ``\\partial_x f`` and ``∂L/∂w``."""
        order = 1
        wrt: list[Named] = []
        if text == "\\nabla" and self.peek() == "\\nabla":
            self.take()
            order = 2
        while self.peek() in ("_", "^"):
            sign = self.take().text
            content = self.group()
            if sign == "^":
                order = 2 if [token.text for token in content] == ["2"] else 0
            else:
                within = self.inner(content)
                wrt.append(within._variable()[0])
                if within.at < len(within.tokens):
                    raise UnreadError("a gradient with respect to several names")
        if not order:
            raise UnreadError("a derivative of high order")
        if text == "\\partial" and not wrt:
            return self._inline()
        of = self._operand()
        return self.scripted(
            Slope(of, tuple(wrt * order), bare=not wrt, twice=order == 2 and not wrt)
        )

    def _inline(self) -> Term:
        of = self.factor()
        if self.peek() != "/" or self.peek(1) not in ("\\partial", "(", "{"):
            raise UnreadError("a lone ∂")
        self.take()
        if self.peek() in ("(", "{"):
            under = self.braced()[1:-1]
            below = self.inner(under)
            below.take()
            return Slope(of, (below._variable()[0],))
        self.take()
        name, _again, flipped = self._variable()
        return Slope(of, (name,), turned=flipped)

    def _over(self, operation: str) -> Term:
        letters: list[str] = []
        conditions: list[Condition | Called] = []
        upper: Index | None = None
        while self.peek() in ("_", "^"):
            sign = self.take().text
            content = self.group()
            if sign == "^":
                found = indices(content)
                upper = found[0] if len(found) == 1 else None
            else:
                letters, conditions = self._ranges(content)
        body = self.product() if self.peek() not in ("-",) else self.signed()
        while letters and self.peek() in ("+", "-"):
            start = self.at
            try:
                longer = self._added(body)
            except UnreadError:
                self.at = start
                break
            assert isinstance(longer, Combined)
            if not letters_of(longer.parts[1]) & set(letters):
                self.at = start
                break
            body = longer
        if not letters:
            letters = ["*"]
        return Over(operation, tuple(letters), body, tuple(conditions), upper)

    def _cases(self) -> Term:
        rows: list[list[Token]] = [[]]
        while self.peek() != "\\caseend":
            token = self.take()
            if token.text == "\\caserow":
                rows.append([])
            else:
                rows[-1].append(token)
        self.take()
        found = []
        for row in rows:
            if not row:
                continue
            cut = next((k for k, token in enumerate(row) if token.text == "\\casecolumn"), None)
            if cut is None:
                cut = next((k for k, t in enumerate(row) if t.text in ("if", "for", ",")), len(row))
            end = next((k for k, t in enumerate(row[:cut]) if t.text == "\\caseequals"), cut)
            value = self.inner([t for t in row[:end] if t.text not in ",;"]).whole()
            found.append((value, self._conditions(row[cut + 1 :])))
        return self.scripted(Cases(tuple(found)))

    def _conditions(self, content: list[Token]) -> tuple[Condition | Called, ...] | None:
        """Return the comparisons of indices or values; None where a text says otherwise."""
        compared = self._compared(
            [t for t in content if t.text not in ("if", "for", "&", "\\text")]
        )
        return (compared,) if compared is not None else conditions_of(content)

    def _compared(self, content: list[Token]) -> Called | None:
        """Return a comparison of two values, ``y_i w^T x_i < 1``; None for one of indices."""
        at = next((k for k, t in enumerate(content) if COMPARED.get(t.text, "=") in _ORDERS), None)
        if at is None or not content[:at]:
            return None
        left, right = content[:at], content[at + 1 :]
        while right and right[-1].text in (".", ",", ";"):
            right = right[:-1]
        both = with_classes(left), with_classes(right)
        if all(len(side) == 1 and side[0].kind == "letter" for side in both):
            return None
        try:
            values = (self.inner(left).whole(), self.inner(right).whole())
        except UnreadError:
            return None
        return Called(f"indicator|{COMPARED[content[at].text]}", values)

    def _ranges(self, content: list[Token]) -> tuple[list[str], list[Condition | Called]]:
        """Return the letters of a sum and what is said of them."""
        letters: list[str] = []
        conditions: list[Condition | Called] = []
        for group in _groups(_without_set(content)):
            if not group:
                continue
            compared = self._compared(group) if letters else None
            if compared is not None:
                conditions.append(compared)
                continue
            first = group[0]
            if first.kind != "letter":
                raise UnreadError("the range of a sum")
            said = conditions_of(group)
            named = first.text
            if named not in letters and not (letters and said):
                letters.append(named)
                if len(group) > 1 and group[1].kind == "letter" and said is None:
                    letters.extend(token.text for token in group[1:] if token.kind == "letter")
            for condition in said or ():
                if condition.sign == "=" and condition.right.text.isdigit():
                    continue
                if condition.sign != "in":
                    conditions.append(condition)
        return letters, conditions


def _inverse(under: list[Token]) -> list[Token] | None:
    r"""Return ``\partial S`` for ``\partial S^{-1}``; None for another name."""
    shown = [token.text for token in under]
    for end in (["^", "{", "-", "1", "}"], ["^", "{", "-", "{", "1", "}", "}"]):
        if shown[-len(end) :] == end and shown.count("\\partial") == 1:
            return under[: -len(end)]
    return None


_ORDERS = ("<", ">", "<=", ">=")


def _without_set(content: list[Token]) -> list[Token]:
    r"""Return ``u, i`` for ``(u, i) \in \mathcal{K}``: the sum runs over all pairs."""
    shown = [token.text for token in content]
    if "(" not in shown[:1] or ")" not in shown or "\\in" not in shown:
        return content
    close = shown.index(")")
    return content[1:close] if shown[close + 1 : close + 2] == ["\\in"] else content


def _groups(content: list[Token]) -> list[list[Token]]:
    """Return what stands between the commas and colons of the range of a sum."""
    groups: list[list[Token]] = [[]]
    for token in content:
        if token.text in (",", ":", ";", "|"):
            groups.append([])
        elif token.text not in "{}" or len(groups) > 1:
            groups[-1].append(token)
    return groups


def conditions_of(content: list[Token]) -> tuple[Condition, ...] | None:
    """Return the comparisons in a text; None where it says otherwise."""
    found: list[Condition] = []
    shown = with_classes([token for token in content if token.text not in "{}&"])
    for at, token in enumerate(shown):
        sign = COMPARED.get(token.text)
        if token.text == "=" and at and shown[at - 1].text == "!":
            sign = "!="
        if sign is None or at + 1 >= len(shown) or not at:
            continue
        left, right = shown[at - (2 if shown[at - 1].text == "!" else 1)], shown[at + 1]
        if left.kind == "letter" and right.kind in ("letter", "number"):
            found.append(Condition(Index(left.text), sign, Index(right.text)))
    return tuple(found) if found else None


def parsed(text: str, habits: Habits) -> Term:
    """Parse a formula.

    Raises
    ------
    UnreadError
        When it is not mathematics of a known form.
    """
    parser = Parser(text, habits)
    found = parser.sum()
    rest = parser.tokens[parser.at :]
    if (
        rest
        and rest[0].text in (".", ",", ";", ":")
        and all(token.text in (".", ",", ";", ":") for token in rest)
    ):
        rest = []
    if rest and not _is_remark(rest):
        raise UnreadError(f"{rest[0].text} is not read here")
    return found


def _is_remark(rest: list[Token]) -> bool:
    """Whether words follow a formula, and no mathematics."""
    if rest[0].kind == "word" or rest[0].text in (",", ".", ";", ":", "(", "\\text", "\\forall"):
        return not any(token.text in ("=", "\\frac", "\\sum", "\\partial") for token in rest)
    return False


__all__ = ["Moved", "Parser", "UnreadError", "conditions_of", "parsed"]
