"""Reading the clauses of a forward pass one after another into a model."""

from __future__ import annotations

import re
from collections.abc import Container, Mapping
from contextlib import suppress
from dataclasses import dataclass, field

from chainrule.calculus.graph.dims import SCALAR, Shape, base_names, written
from chainrule.calculus.graph.model import (
    Assumption,
    Definition,
    Loop,
    Model,
    OneHot,
)
from chainrule.calculus.graph.node import Expr, Symbol
from chainrule.errors import ModelError, ParseError
from chainrule.language.reading import index_sums, statements
from chainrule.language.reading.clauses import Clause, clauses
from chainrule.language.reading.declarations import Declared, ShapeKind
from chainrule.language.reading.directives import Directives
from chainrule.language.reading.elaboration import Elaborator
from chainrule.language.reading.functions import Functions
from chainrule.language.reading.indexed_definitions import (
    IndexedNames,
    one_sign_each,
)
from chainrule.language.reading.names import canonical, target_name
from chainrule.language.reading.order import refuse_circle
from chainrule.language.reading.statements import MAX_STATEMENTS, Statement
from chainrule.language.reading.syntax import parse
from chainrule.language.reading.tokens import Line, tokenize
from chainrule.language.reading.tree import Node
from chainrule.language.reading.undeclared import undeclared
from chainrule.language.reading.words import CONSTANTS, function_word

READ_FACTS = frozenset({"one-hot", "symmetric"})
"""The facts about a matrix that a declaration may state."""

MAX_ALL_NODES = 20_000


def check_square(line: Line, shape: Shape, at: int) -> None:
    """Refuse a matrix that is said to be symmetric and is not square."""
    if shape[0] != shape[1]:
        raise line.error(
            f"only a square matrix is symmetric, and this one is {written(shape)}; write (n, n) "
            "or leave the word out",
            at,
        )


def _body(line: Line, scope: Mapping[str, Symbol], functions: Functions, body: Node) -> Expr:
    """Build the expression of a function's body over its parameter."""
    return Elaborator(line, scope, functions=functions).whole(body)


@dataclass
class ModelReader(Directives):
    """A reader of clauses, with what they have declared and defined so far.

    Parameters
    ----------
    usual : container of str
        Names of which the last that is a number is the objective, where no directive says which.
    dims : set of str
        The names of sizes.
    """

    usual: Container[str] = frozenset()
    clauses: list[Clause] = field(default_factory=list)
    prose: list[int] = field(default_factory=list)
    title: str = ""
    lines: dict[str, int] = field(default_factory=dict)  # where each name is introduced
    defined: dict[str, int] = field(default_factory=dict)  # where each is defined
    kinds: dict[str, ShapeKind] = field(default_factory=dict)  # "x is a vector"
    places: dict[str, tuple[str, Line, int]] = field(default_factory=dict)
    hot_kinds: set[str] = field(default_factory=set)  # one-hot, without sizes
    symmetric_kinds: set[str] = field(default_factory=set)  # symmetric, without sizes
    assumptions: list[Assumption] = field(default_factory=list)
    expected: dict[str, tuple[Shape, Line, int]] = field(default_factory=dict)
    dims: set[str] = field(default_factory=set)
    definitions: list[tuple[Definition, Line]] = field(default_factory=list)
    notes: dict[str, str] = field(default_factory=dict)
    functions: Functions = field(default_factory=Functions)
    indexed: IndexedNames = field(default_factory=IndexedNames)
    loops: tuple[Loop, ...] = ()
    starts: dict[str, int] = field(default_factory=dict)  # names before the first round of a loop
    nodes: int = 0

    def gather(self, line: Line) -> None:
        """Find the clauses of a line and the names they introduce, before anything is read."""
        said = clauses(line)
        if said.comment and not self.title and not self.clauses:
            self.title = said.comment
        if said.prose and not (said.found or self.title or self.clauses or self.prose):
            self.title = line.text.strip(" \t:.")
        elif said.prose and line.number not in self.prose:
            self.prose.append(line.number)
        for clause in (one for whole in said.found for one in one_sign_each(whole)):
            self.clauses.append(clause)
            if len(self.clauses) > MAX_STATEMENTS:
                raise line.error(
                    f"this forward pass is past the limit of {MAX_STATEMENTS} lines; shorten it", 0
                )
            for text, _ in clause.names():
                try:
                    known = target_name(text)
                except ValueError:
                    continue  # said in its turn, when the line is read
                self.lines.setdefault(known, line.number)

    def define_names(self) -> None:
        """Note which names are values that some line defines."""
        for clause in self.clauses:
            said = clause.statement
            if said is None or said.directive or said.call is not None:
                continue
            for text, _ in clause.names():
                with suppress(ValueError):  # said in its turn, when the line is read
                    self.defined.setdefault(target_name(text), clause.line.number)
                    self.lines.setdefault(target_name(text), clause.line.number)

    def read(self, clause: Clause) -> None:
        """Read one clause that is not a declaration."""
        statement = clause.statement
        if statement is None:
            return
        word = statement.directive
        if not word:
            self.define(statement, clause.note)
        elif word == statements.MASK:
            self.masked.append(statement)
        elif word in self.directives:
            first = self.directives[word].line.number
            raise statement.line.error(
                f"{word} is already given on line {first}; keep one of them", 0
            )
        else:
            self.directives[word] = statement

    def is_prose(self, clause: Clause) -> bool:
        """Whether a sentence such as "all quantities are scalars" declares a word nobody uses."""
        said = clause.declared
        if said is None or not said.worded:
            return False
        bodies = " ".join(
            other.statement.line.text[other.statement.at : other.statement.stop]
            for other in self.clauses
            if other.statement is not None
        )
        words = [text for text, _ in said.names if len(text) > 3 and text.isalpha()]
        if len(words) < len(said.names) or any(word in bodies for word in words):
            return False
        self.prose = sorted({*self.prose, clause.line.number})
        return True

    def defines_later(self, clause: Clause) -> bool:
        """Whether a clause keeps its place: functions of their arguments alone come first."""
        said = clause.statement
        if said is None or said.call is None:
            return True
        arguments = {text.strip() for text in said.call[2].split(",")}
        tokens = tokenize(said.line, said.body, said.stop)
        names = {token.text for token in tokens if token.kind == "name"}
        known = {*arguments, *CONSTANTS}
        return any(function_word(name) is None and name not in known for name in names)

    def declare(self, clause: Clause, said: Declared) -> None:
        """Read a declaration."""
        line = clause.line
        names = [(statements.name(line, *place), *place) for place in said.names]
        for fact in said.facts:
            if fact not in READ_FACTS:
                raise line.error(
                    f"{fact} is not read here; leave the word out, and the gradient is that of a "
                    "general matrix",
                    said.at,
                )
        if said.shape is None:
            assert said.kind is not None
            if "one-hot" in said.facts:
                self.hot_kinds |= {known for known, _, _ in names}
            if "symmetric" in said.facts:
                self.symmetric_kinds |= {known for known, _, _ in names}
            self.kinds |= dict.fromkeys((known for known, _, _ in names), said.kind)
            self.places |= {known: (shown, line, at) for known, shown, at in names}
            return
        shape, symmetric = said.shape, "symmetric" in said.facts
        self.dims.update(name for dim in shape for name in base_names(dim))
        for known, shown, at in names:
            if known in self.defined and known not in self.expected:
                if symmetric:
                    raise line.error(
                        f"{shown.strip()} is computed below, and only what is given can be "
                        "declared symmetric; leave the word out",
                        said.at,
                    )
                self.expected[known] = shape, line, at  # the shape of a value, to be checked
                if clause.note or said.note:
                    self.notes[shown.strip()] = clause.note or said.note
                continue
            if symmetric:
                check_square(line, shape, said.at)
            symbol = self.introduce(line, known, shown, at, shape, symmetric=symmetric)
            self.inputs.append(symbol)
            if "one-hot" in said.facts:
                self.hot.append(OneHot(symbol, 1 if shape[0] == 1 else 0))
            if clause.note or said.note:
                self.notes[symbol.name] = clause.note or said.note

    def infer(self) -> None:
        """Find the shapes of the names that nobody declares."""
        found, size = undeclared(
            self.clauses,
            self.scope,
            self.dims,
            self.kinds,
            self.defined.keys(),
            self.indexed,
            self.usual,
            self.starts.keys() - self.lines.keys(),
            self.shape_of,
        )
        if size is not None:
            self.dims.add(size)
        for one in found:
            place = self.places.get(one.name) or one.place
            assert place is not None
            shown, line, at = place
            self.lines.setdefault(one.name, line.number)
            symmetric = one.name in self.symmetric_kinds
            if symmetric:
                check_square(line, one.shape, at)
            symbol = self.introduce(line, one.name, shown, at, one.shape, symmetric=symmetric)
            self.inputs.append(symbol)
            self.assumptions.append(Assumption(symbol, one.reason))
            if one.name in self.hot_kinds:
                self.hot.append(OneHot(symbol, 1 if one.shape[0] == 1 else 0))
            self.dims.update(name for dim in one.shape for name in base_names(dim))

    def shape_of(self, line: Line, node: Node, shapes: Mapping[str, Shape]) -> Shape:
        """Return the shape of a part of a line, where the shapes of its names are these."""
        scope = {name: Symbol(name, shape) for name, shape in shapes.items()}
        sizes = {dim for shape in shapes.values() for dim in shape}
        dims = self.dims.union(*(base_names(dim) for dim in sizes))
        return Elaborator(line, scope, dims, functions=self.functions.closed()).expr(node).shape

    def define(self, statement: Statement, note: str) -> None:
        """Read a definition."""
        line = statement.line
        if statement.call is not None:
            assumed = {canonical(one.symbol.name) for one in self.assumptions}
            self.nodes += self.functions.define(
                statement, self.scope, self.dims, self.lines, _body, assumed
            )
            self.hold(line)
            return
        targets = [(statements.name(line, *place), *place) for place in statement.names()]
        for known, shown, at in targets:
            if known.endswith("^2") and known[:-2] in self.lines:
                raise line.error(
                    f"{shown.strip()} is the square of {shown.strip()[:1]}, which has a value; "
                    "give this one another name",
                    at,
                )
        node, count = parse(line, statement.body, statement.stop, self.scope, self.functions.known)
        self.nodes += count
        self.hold(line)
        within = Elaborator(
            line,
            self.scope,
            self.dims,
            self.lines,
            functions=self.functions.closed(),
            starts=self.starts,
        )
        try:
            values = self.values(within, statement, node, len(targets))
        except ParseError:
            for known, _, _ in targets:
                refuse_circle(known, statement, self.clauses, self.lines)
            raise
        again = self.usual and len(targets) == 1 and values[0] in self.scope.values()
        if again and not self.is_used(targets[0][1], statement):
            assert isinstance(values[0], Symbol)
            self.scope.setdefault(targets[0][0], values[0])  # another name of a value
            return
        opened = tuple(dict.fromkeys(self.functions.opened))
        for (known, shown, at), value in zip(targets, values, strict=True):
            self.compare(line, known, shown, at, value.shape)
            symbol = self.introduce(line, known, shown, at, value.shape)
            self.definitions.append((Definition(symbol, value, line.number, opened), line))
            if note:
                self.notes[symbol.name] = note

    def is_used(self, shown: str, statement: Statement) -> bool:
        """Whether another definition uses a name as it is written."""
        others = (c.statement for c in self.clauses if c.statement is not statement)
        alone = re.compile(rf"(?<![A-Za-z\\]){re.escape(shown.strip())}(?![A-Za-z])")
        return any(o is not None and alone.search(o.line.text, o.body, o.stop) for o in others)

    def values(
        self, within: Elaborator, statement: Statement, node: Node, count: int
    ) -> list[Expr]:
        """Return what a definition defines, one value for every name."""
        if self.indexed.are_entries(statement, node):
            lying = self.indexed.lying(statement, node)
            whole = self.indexed.placed(node)
            return [index_sums.of_entries(within, whole, statement.indices, lying=lying)]
        if statement.indices:
            letter, bases = statement.indices[0], self.indexed.bases
            return [index_sums.of_examples(within, node, letter, bases, statement.bare)]
        return [within.whole(node)] if count == 1 else within.pieces(node, count)

    def compare(self, line: Line, known: str, shown: str, at: int, shape: Shape) -> None:
        """Hold a defined value to the shape that is declared for it."""
        if known not in self.expected or self.expected[known][0] == shape:
            return
        wanted, declared, _ = self.expected[known]
        raise line.error(
            f"{shown.strip()} is declared {written(wanted)} on line {declared.number}, and this "
            f"definition has shape {written(shape)}; change one of them, or give this one another "
            "name",
            at + len(shown) - len(shown.lstrip()),
        )

    def hold(self, line: Line) -> None:
        """Hold the forward pass to the limit on its parts."""
        if self.nodes > MAX_ALL_NODES:
            raise line.error(
                f"this forward pass is past the limit of {MAX_ALL_NODES} parts; shorten it", 0
            )

    def introduce(
        self, line: Line, known: str, text: str, at: int, shape: Shape, *, symmetric: bool = False
    ) -> Symbol:
        """Give a symbol its name, which must be new."""
        shown = re.sub(r"\s{2,}", "", text.strip())  # where marks of indices stood
        if known in self.scope:
            earlier = self.scope[known].name
            spelled = "" if earlier == shown else f" as {earlier}"
            raise line.error(
                f"{shown} is already defined{spelled} on line {self.lines[known]}; "
                "give this one another name",
                at + len(text) - len(text.lstrip()),
            )
        if known in self.functions.known:
            number = self.functions.known[known].line.number
            raise line.error(
                f"{shown} is already a function, on line {number}; give this one another name",
                at + len(text) - len(text.lstrip()),
            )
        symbol = self.scope[known] = Symbol(shown, shape, symmetric=symmetric)
        return symbol

    def model(self, name: str) -> Model:
        """Put the forward pass together."""
        if not self.definitions:
            line = self.clauses[-1].line if self.clauses else Line("")
            raise line.error("a forward pass needs a definition, such as J = sum(A)", 0)
        definition, line = self.last_number()
        objective, at = definition.target, 0
        chosen = self.directives.get("objective")
        if chosen is not None:
            line, at = chosen.line, chosen.body
            objective = self.asked(chosen, chosen.line.text[at : chosen.stop], at).symbol
        asked = self.wrt()
        if any(one.symbol is objective for one in asked):
            statement = self.directives["wrt"]
            raise statement.line.error(
                f"{objective.name} is the objective; ask for the gradient with respect to "
                "something that it depends on",
                statement.body,
            )
        if objective in self.inputs:
            raise line.error(f"{objective.name} is an input; the objective is a definition", at)
        if objective.shape != SCALAR:
            raise line.error(
                f"the objective {objective.name} has shape {written(objective.shape)}; a gradient "
                "needs a scalar: take its sum or its mean, or name the objective on a line "
                "objective: NAME",
                at,
            )
        definitions = tuple(definition for definition, _ in self.definitions)
        try:
            return Model(
                tuple(self.inputs),
                definitions,
                objective,
                asked,
                self.title or name,
                self.notes,
                self.onehot(),
                self.functions.as_model(),
                self.loops,
                self.masks(),
                tuple(self.assumptions),
                tuple(self.prose),
                self.indexed.raised_dim(self.scope),
            )
        except ParseError:
            raise
        except ModelError as error:
            raise line.error(str(error), at) from None

    def last_number(self) -> tuple[Definition, Line]:
        """Return the definition of the objective: the last, or the last with a usual name."""
        numbers = [one for one in self.definitions if one[0].target.shape == SCALAR]
        named = [one for one in numbers if target_name(one[0].target.name) in self.usual]
        if self.usual and numbers:
            return (named or numbers)[-1]
        return self.definitions[-1]
