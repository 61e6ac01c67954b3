"""The names that a forward pass uses and nobody declares, and the shapes inferred for them."""

from __future__ import annotations

import re
from collections.abc import Container, Mapping, Sequence, Set
from dataclasses import dataclass, field, replace
from typing import TypeAlias

from chainrule.calculus.graph.dims import Shape
from chainrule.calculus.graph.node import Symbol
from chainrule.errors import ParseError
from chainrule.language.reading.clauses import Clause
from chainrule.language.reading.complaints import nearest, quoted, split
from chainrule.language.reading.declarations import ShapeKind
from chainrule.language.reading.examples import whole_sum, without_marks
from chainrule.language.reading.functions import changed, parts_of
from chainrule.language.reading.indexed_definitions import IndexedNames
from chainrule.language.reading.inference import Definition, Inference
from chainrule.language.reading.names import GREEK, canonical, target_name
from chainrule.language.reading.places import option_words
from chainrule.language.reading.statements import Statement
from chainrule.language.reading.syntax import parse
from chainrule.language.reading.tokens import Line
from chainrule.language.reading.tree import Bracket, Call, Indexed, Name, Node, Summation
from chainrule.language.reading.unification import Body, ReadShape
from chainrule.language.reading.words import CONSTANTS, function_word, function_words

_WORDS = re.compile(r"\\?[^\W\d_][^\W_]*(?:_\w+|\^\[\w+\])*")
_TRANSPOSED = re.compile(r"(?:\^\s*\{?\s*|\.)$")
"""What stands before a T that transposes."""

_TURNED = re.compile(r"\s*\^\s*\{?\s*(?:T|\\top|\\intercal|⊤)")
"""A transpose behind a run of capital letters, which makes it a product: ``AB^T``."""

_RUN = re.compile(r"(?<![\w\\{^])(?:[A-Z]{4,6}|[A-Za-z]{2,3})(?![A-Za-z\d(}])")
_ACCENT = re.compile(r"(?:hat|bar|tilde|dot)$")
_ALONE = re.compile(r"(?<![A-Za-z\\_{])[a-z](?![A-Za-z])")
_OPERAND = re.compile(r"\s*[\w\\{]")
"""What follows a function that is applied without brackets."""

SHORT = re.compile(r"[^\W\d_]\d{0,2}(?:hat|bar|tilde|dot)?(?:[_^'].*)?")
"""A name that is no misspelt word: a letter with its marks."""

Written: TypeAlias = tuple[str, Line, int]
"""A name as written, its line, and where it stands there."""


@dataclass(frozen=True)
class Undeclared:
    """A name that nobody declared: how and where it is written first, its shape and why."""

    name: str
    shape: Shape
    reason: str
    place: Written | None


def undeclared(
    clauses: Sequence[Clause],
    scope: Mapping[str, Symbol],
    dims: Set[str],
    kinds: Mapping[str, ShapeKind],
    defined: Set[str],
    indexed: IndexedNames,
    usual: Container[str] = frozenset(),
    starts: Set[str] = frozenset(),
    reading: ReadShape | None = None,
) -> tuple[list[Undeclared], str | None]:
    """Infer the shapes of names that are used and never declared.

    Parameters
    ----------
    clauses : sequence of Clause
        The forward pass.
    scope : mapping of str to Symbol
        The declared names.
    dims : set of str
        The sizes in their shapes.
    kinds : mapping of str to ShapeKind
        Names declared without sizes.
    defined : set of str
        Names that some line defines.
    indexed : IndexedNames
        Names that carry indices.
    usual : container of str, optional
        Names of which the last that is defined is the objective, where no directive says which.
    starts : set of str, optional
        Names that come before the first round of a loop.
    reading : callable, optional
        Finds the shape of a part that unification does not follow.

    Returns
    -------
    list of Undeclared
        Empty where there are none, or no choice of shapes fits.
    str or None
        An undeclared name that is a size, as m in ``1/m``.
    """
    if not kinds and _all_written(clauses, {symbol.name for symbol in scope.values()} | dims):
        return [], None
    declared = {*scope, *kinds, *defined}
    loose = loose_letters(clauses, {*declared, *dims})
    gathered = _Gathered(declared | loose, indexed)
    for clause in clauses:
        if clause.statement is None:
            continue
        try:
            gathered.take(clause.statement)
        except (ParseError, ValueError) as error:
            of_post = usual and "\\" in clause.statement.line.text
            if of_post and isinstance(error, ParseError):
                raise  # a post in LaTeX is read without this line
            return [], None  # said in its turn, when the line is read
    known = {*declared, *dims, *CONSTANTS}
    unknown = [name for name in gathered.places if name not in known]
    if not (unknown or kinds) or not gathered.lines:
        return [], None
    if scope and not starts.isdisjoint(unknown):
        return [], None  # what comes before a loop is said where it is used
    if any(_is_misspelt(n, gathered.places[n], scope, known, gathered.after(n)) for n in unknown):
        return [], None
    inference = Inference(
        {name: symbol.shape for name, symbol in scope.items()},
        kinds,
        gathered.lines,
        gathered.functions,
        unknown,
        {*known, *unknown, *gathered.functions},
        gathered.objective or _last(gathered.lines, usual),
        gathered.ends,
        reading,
    )
    found, size = inference.solve()
    return [
        Undeclared(one.name, one.shape, one.reason, gathered.places.get(one.name)) for one in found
    ], size


def _last(lines: Sequence[Definition], usual: Container[str]) -> str:
    """Return the value that is the objective: the last with a usual name, else the last."""
    targets = [line.targets[0] if line.targets else "" for line in lines]
    return next((name for name in reversed(targets) if name in usual), targets[-1])


def _all_written(clauses: Sequence[Clause], names: Set[str]) -> bool:
    """Whether every word of the definitions is a declared name as it is written, or a function.

    That is so in most files, and found without parsing.
    """
    known = {*names, "axis"}
    known |= {text.strip() for clause in clauses for text, _ in clause.names()}
    for clause in clauses:
        said = clause.statement
        if said is None or said.directive:
            continue
        if said.call is not None:
            return False
        text = said.line.text[said.body : said.stop]
        for match in _WORDS.finditer(text):
            if match[0] == "T" and _TRANSPOSED.search(text[: match.start()]):
                continue
            if match[0] not in known and function_word(match[0]) is None:
                return False
    return True


def loose_letters(clauses: Sequence[Clause], known: Set[str]) -> set[str]:
    """Return the letters of runs such as ``wx`` and ``XW``: two or three, one of them data."""
    found: set[str] = set()
    texts = (c.statement.line.text for c in clauses if c.statement is not None)
    alone = {letter for text in texts for letter in _ALONE.findall(text)}
    for clause in clauses:
        statement = clause.statement
        if statement is None or statement.directive:
            continue
        for match in _RUN.finditer(statement.line.text, statement.body, statement.stop):
            run = match[0]
            product = "x" in run.lower() or (
                run.isupper() and _TURNED.match(match.string, match.end())
            )
            of_vector = len(run) == 2 and run[0].isupper() and run[1].islower()
            product = product or (of_vector and run[1] in alone)  # H w, where w stands alone, too
            if run not in known and function_word(run) is None and product:
                found |= {letter for letter in run if letter not in known}
    return found


@dataclass
class _Gathered:
    """The definitions of a forward pass as trees, and where their names stand first."""

    declared: set[str]
    names: IndexedNames
    lines: list[Definition] = field(default_factory=list)
    functions: dict[str, Body] = field(default_factory=dict)
    places: dict[str, Written] = field(default_factory=dict)
    objective: str = ""
    ends: set[str] = field(default_factory=set)
    defined: dict[str, int] = field(default_factory=dict)

    def after(self, name: str) -> set[str]:
        """Return the values that are defined with this name or behind its first use."""
        first = self.places[name][1].number
        return {n for n, number in self.defined.items() if number >= first}

    def opened(self, node: Node) -> Node:
        """Replace the entries under sums over an index by their vectors."""
        if isinstance(node, Summation):
            entries = any(isinstance(part, Indexed) for part in parts_of(node))
            body = node.body if entries else whole_sum(node, self.declared)[0]
            high = node.high
            while isinstance(high, Bracket):
                high = high.inner
            if isinstance(high, Name):
                self.ends.add(high.name)
            return replace(node, body=self.opened(body), high=high)
        return changed(node, self.opened)

    def take(self, statement: Statement) -> None:
        """Parse one statement."""
        line = statement.line
        if statement.directive == "objective":
            self.objective = canonical(line.text[statement.body : statement.stop])
        if statement.directive:
            return
        if statement.call is not None:
            arguments = tuple(canonical(text) for text in statement.call[2].split(","))
            known = {*self.declared, *arguments}
            node, _ = parse(line, statement.body, statement.stop, known, self.functions.keys())
            self.functions[canonical(statement.call[1])] = Body(arguments, node)
            return
        node, _ = parse(line, statement.body, statement.stop, self.declared, self.functions.keys())
        lying = False
        entries = self.names.are_entries(statement, node)
        if entries:
            lying = self.names.lying(statement, node)
            node = self.names.placed(node)
        elif statement.indices:
            node = self.names.of_all(statement, node, self.declared)
        node = self.opened(node)
        targets = tuple(target_name(text) for text, _ in statement.names())
        self.defined |= dict.fromkeys(targets, line.number)
        text = " ".join((line.shown or line.text)[: statement.stop].replace("$", " ").split())
        letters = statement.indices if entries else ()
        self.lines.append(
            Definition(
                targets if len(targets) == 1 else (), quoted(text), node, letters, lying, line
            )
        )
        calls = [part for part in parts_of(node) if isinstance(part, Call)]
        words = {id(value) for call in calls for value in option_words(call)}
        for part in parts_of(node):
            if isinstance(part, Indexed) or id(part) in words:
                continue
            if isinstance(part, Name):
                shown = line.text[part.start : part.end]
                if _canonical(shown) != part.name:
                    bare = without_marks(shown, part.name)  # the matrix of an entry
                    shown = part.name if bare is None else _squeezed(bare)
                self.places.setdefault(part.name, (shown, line, part.start))


def _squeezed(text: str) -> str:
    """Return a name without the gaps that its marks left."""
    return re.sub(r"\s{2,}", "", text.strip())


def _canonical(text: str) -> str:
    try:
        return canonical(text)
    except ValueError:
        return ""


def _is_misspelt(
    name: str,
    place: Written,
    scope: Mapping[str, Symbol],
    known: Set[str],
    after: Set[str],
) -> bool:
    """Whether a name is more likely a slip than a value that nobody declared.

    `after` are the values that are defined behind it, which it cannot mean: the s of ``S = s C``.
    """
    shown, line, at = place
    behind = line.text[at + len(shown) :]
    if behind[:1] == "(" and function_word(name) is None:
        return True  # a function that nobody defined
    if split(name, {one: one for one in known}) is not None:
        return True
    stem = name.rstrip("0123456789")
    if stem != name and stem in known and name != f"{stem}0":
        return True  # x2 may be a square, and w0 is an intercept
    stem, _, below = name.rpartition("_")
    if stem in known and below not in ("0", "t-1", "prev"):
        return True
    letter = _ACCENT.sub("", name.partition("_")[0])
    word = SHORT.fullmatch(name) is None and letter not in GREEK
    # A function is applied: what stands alone in a sum is none.
    applied = len(name) > 3 and _OPERAND.match(behind) is not None
    words = function_words() if applied else ()
    if scope:
        same = any(other.casefold() == name.casefold() for other in known - after)
        return same or (word and nearest(name, (*known, *words)) is not None)
    return word and nearest(name, (*(n for n in known if len(n) > 2), *words)) is not None


__all__ = ["Undeclared", "undeclared"]
