"""The text of functions that run a tape: values, rounding bounds, enclosures."""

from __future__ import annotations

import re
from collections import Counter
from fractions import Fraction

from chainrule.emission.operations import OPERATIONS
from chainrule.emission.tape import Place, Tape

INDENT = "    "
_ATOM = 3
_INLINE = 60
_EXACT = 2**53
_NAME = re.compile("[a-z][a-z0-9]*")


def value_lines(tape: Tape, roots: tuple[Place, ...], like: str) -> tuple[list[str], list[str]]:
    """Return statements that compute values, and the expressions of the values.

    Parameters
    ----------
    tape : Tape
    roots : tuple of int
        The places of the values.
    like : str
        The input whose shape a constant value takes.
    """
    writer = _Values(tape, roots)
    results = [writer.result(root, like) for root in roots]
    return writer.statements, results


def rounding_lines(tape: Tape, roots: tuple[Place, ...]) -> tuple[list[str], list[str]]:
    """Return statements that compute rounding bounds along with values, and the bounds' names."""
    values: dict[Place, str] = {}
    bounds: dict[Place, str] = {}
    lines: list[str] = []
    for place in tape.needed(roots):
        kind, *rest = tape.lines[place]
        if kind == "input":
            values[place], bounds[place] = rest[0], "0.0"
        elif kind == "constant":
            values[place], bounds[place] = number(rest[0]), constant_error(rest[0])
        else:
            value, bound = f"v{len(lines) // 2 + 1}", f"e{len(lines) // 2 + 1}"
            texts = [values[p] for p in rest]
            places = {f"e{k}": bounds[p] for k, p in enumerate(rest)}
            row = OPERATIONS[kind]
            rounding = row.rounding.format(*texts, v=value, **places)
            args = texts if row.strength == _ATOM else [bracketed(text) for text in texts]
            lines += [f"{value} = {row.code.format(*args)}", f"{bound} = {rounding}"]
            values[place], bounds[place] = value, bound
    found = [bounds[root] for root in roots]
    return _used(lines, found), found


def interval_lines(tape: Tape, root: Place, inputs: dict[str, str]) -> tuple[list[str], str]:
    """Return statements that enclose a value, given the enclosures of the inputs, and its name."""
    names: dict[Place, str] = {}
    lines: list[str] = []
    for place in tape.needed((root,)):
        kind, *rest = tape.lines[place]
        if kind == "input":
            names[place] = inputs[rest[0]]
        elif kind == "constant":
            known = "point" if is_exact(rest[0]) else "constant"
            names[place] = f"intervals.{known}({number(rest[0])})"
        else:
            name = f"i{len(lines) + 1}"
            lines.append(f"{name} = {OPERATIONS[kind].interval.format(*(names[p] for p in rest))}")
            names[place] = name
    return _used(lines, [names[root]]), names[root]


def _used(lines: list[str], results: list[str]) -> list[str]:
    """Leave out assignments of what no later statement and no result uses."""
    wanted = set(results)
    kept: list[str] = []
    for line in reversed(lines):
        name, value = line.split(" = ", 1)
        if name in wanted:
            kept.append(line)
            wanted.update(_NAME.findall(value))
    return kept[::-1]


def number(value: Fraction) -> str:
    """Write a constant: a quotient of whole numbers where float64 divides these in one rounding."""
    if value.denominator == 1 and abs(value.numerator) < _EXACT:
        return str(value.numerator)
    if is_exact(value) or abs(value.numerator) >= _EXACT or value.denominator >= _EXACT:
        return repr(float(value))
    return f"{value.numerator} / {value.denominator}"


def bracketed(text: str) -> str:
    """Put brackets around the text of a constant, to stand beside an operator."""
    return f"({text})" if " " in text or text.startswith("-") else text


def is_exact(value: Fraction) -> bool:
    """Whether float64 has this number."""
    return Fraction(float(value)) == value


def constant_error(value: Fraction) -> str:
    """Write a bound on the rounding error of a constant."""
    return "0.0" if is_exact(value) else repr(abs(float(value)) * 2.0**-53)


class _Values:
    """Writes values; what is used once and short stands where it is used."""

    def __init__(self, tape: Tape, roots: tuple[Place, ...]) -> None:
        self.tape = tape
        self.roots = roots
        self.statements: list[str] = []
        self.texts: dict[Place, tuple[str, int]] = {}
        self.uses = Counter(roots)
        needed = tape.needed(roots)
        for place in needed:
            if tape.lines[place][0] not in ("input", "constant"):
                self.uses.update(tape.lines[place][1:])
        for place in needed:
            self.write(place)

    def write(self, place: Place) -> None:
        kind, *rest = self.tape.lines[place]
        if kind == "input":
            self.texts[place] = rest[0], _ATOM
            return
        if kind == "constant":
            text = number(rest[0])
            self.texts[place] = text, _ATOM if bracketed(text) == text else 0
            return
        row = OPERATIONS[kind]
        args = [self._argument(row.strength, kind, k, p) for k, p in enumerate(rest)]
        text = row.code.format(*args)
        if row.code.count("{0}") > 1 and not self.texts[rest[0]][0].isidentifier():
            self._name(rest[0])
            args[0] = self.texts[rest[0]][0]
            text = row.code.format(*args)
        self.texts[place] = text, row.strength
        reused = self.uses[place] > 1 and kind != "neg"
        long = len(text) > _INLINE and place not in self.roots
        if reused or long:
            self._name(place)

    def result(self, root: Place, like: str) -> str:
        """Return the text of a value, spread to the shape of an input where it is a constant."""
        if not any(self.tape.lines[p][0] == "input" for p in self.tape.needed((root,))):
            return f"0.0 * {like} + {self._bracketed(root)}"
        return self.texts[root][0]

    def _bracketed(self, place: Place) -> str:
        text, strength = self.texts[place]
        return text if strength == _ATOM else f"({text})"

    def _argument(self, strength: int, kind: str, k: int, place: Place) -> str:
        text, own = self.texts[place]
        if strength == _ATOM:
            return (
                text[1:-1] if self.tape.lines[place][0] == "constant" and text[0] == "(" else text
            )
        if own == _ATOM:
            return text
        first = self.tape.lines[place][0]
        in_turn = k == 0 and strength == own and kind != "neg" and first not in ("neg", "div")
        return text if in_turn else f"({text})"

    def _name(self, place: Place) -> None:
        if self.texts[place][1] == _ATOM and self.texts[place][0].isidentifier():
            return
        name = f"t{len(self.statements) + 1}"
        self.statements.append(f"{name} = {self.texts[place][0]}")
        self.texts[place] = name, _ATOM
