"""The directives of a forward pass: what is asked for, which labels are one-hot, what is drawn."""

from __future__ import annotations

from dataclasses import dataclass, field
from fractions import Fraction

from chainrule.calculus.graph.dims import written
from chainrule.calculus.graph.model import Asked, Mask, OneHot
from chainrule.calculus.graph.node import Symbol
from chainrule.language.reading import statements
from chainrule.language.reading.complaints import LISTED, nearest, quoted
from chainrule.language.reading.names import split_place
from chainrule.language.reading.statements import Statement


@dataclass
class Directives:
    """The directives that were read, and the names that they may speak of.

    Parameters
    ----------
    scope : dict of str to Symbol
        The names.
    hot : list of OneHot
        Labels that a declaration calls one-hot.
    inputs : list of Symbol
        What is given.
    directives : dict of str to Statement
        The directives, by their words.
    masked : list of Statement
        The lines ``mask D with 4/5``.
    """

    scope: dict[str, Symbol] = field(default_factory=dict)
    hot: list[OneHot] = field(default_factory=list)
    inputs: list[Symbol] = field(default_factory=list)
    directives: dict[str, Statement] = field(default_factory=dict)
    masked: list[Statement] = field(default_factory=list)

    def wrt(self) -> tuple[Asked, ...]:
        """Read what the author asks for."""
        statement = self.directives.get("wrt")
        if statement is None:
            return ()
        text = statement.line.text[statement.body : statement.stop]
        places = statements.parts(text, statement.body)
        return tuple(self.asked(statement, *place) for place in places)

    def onehot(self) -> tuple[OneHot, ...]:
        """Read which labels the author declares one-hot."""
        statement = self.directives.get("onehot")
        found = list(self.hot)
        if statement is None:
            return tuple(found)
        text = statement.line.text[statement.body : statement.stop]
        for part, at in statements.parts(text, statement.body):
            bare = part.rstrip().removesuffix("^T")
            symbol = self.asked(statement, bare, at).symbol
            axis = 0 if bare == part.rstrip() else 1
            at += len(part) - len(part.lstrip())
            if symbol not in self.inputs:
                raise statement.line.error(
                    f"{symbol.name} is a definition; only inputs are declared one-hot", at
                )
            if symbol.shape[axis] == 1:
                lying, other = ("column", "^T") if axis == 0 else ("row", "")
                raise statement.line.error(
                    f"every {lying} of {symbol.name} {written(symbol.shape)} has one entry; "
                    f"write onehot: {symbol.name}{other}",
                    at,
                )
            found.append(OneHot(symbol, axis))
        return tuple(found)

    def masks(self) -> tuple[Mask, ...]:
        """Read which inputs the author has drawn at every step: ``mask D with 4/5``."""
        found: list[Mask] = []
        for statement in self.masked:
            line, body = statement.line, statement.body
            named, _, share = line.text[body : statement.stop].partition(" with ")
            symbol = self.asked(statement, named, body).symbol
            at = body + len(named) + len(" with ")
            try:
                keep = float(Fraction(share.strip()))
            except (ValueError, ZeroDivisionError):
                keep = 0.0
            if not 0 < keep <= 1:
                raise line.error(
                    "a mask is 1 with a probability above 0, at most 1; write a number such as "
                    f"mask {symbol.name} with 4/5",
                    at,
                )
            if symbol not in self.inputs:
                raise line.error(f"{symbol.name} is a definition; only inputs are drawn", body)
            if any(mask.symbol is symbol for mask in found):
                raise line.error(f"{symbol.name} is drawn twice; keep one of the lines", body)
            found.append(Mask(symbol, keep))
        return tuple(found)

    def asked(self, statement: Statement, text: str, at: int) -> Asked:
        """Find the symbol that a directive names, or one entry of it."""
        line = statement.line
        known = statements.name(line, text, at)
        at += len(text) - len(text.lstrip())
        if known in self.scope:
            return Asked(self.scope[known])
        whole, place = split_place(known)
        if place is None or whole not in self.scope or statement.directive != "wrt":
            raise line.error(f"unknown name {quoted(text)}; {self.advice(known)}", at)
        symbol = self.scope[whole]
        long = [dim for dim in symbol.shape if dim != 1]
        if len(long) != 1:
            raise line.error(
                f"{symbol.name} is {written(symbol.shape)}; one entry can be asked of a vector", at
            )
        if place < 1 or (isinstance(long[0], int) and place > long[0]):
            raise line.error(f"{symbol.name} has entries 1 to {long[0]}", at)
        return Asked(symbol, place)

    def advice(self, name: str) -> str:
        """Say which name was meant, or which there are."""
        near = nearest(name, self.scope)
        if near:
            return f"did you mean {self.scope[near].name}?"
        names = [symbol.name for symbol in self.scope.values()]
        return f"known here: {', '.join(names[-LISTED:])}"
