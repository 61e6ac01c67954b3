"""JavaScript for the static board: the numbers of every line, from the lines themselves.

The script computes what the call `numbers` computes: the forward pass as it stands on the board,
every gradient, and the value of every line at the chosen place. An entry of a matrix is read at a
running index, a sum is a loop over one, and an operation is the code of its registry entry.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping

from chainrule.board.points import MATRIX
from chainrule.calculus.derivation.steps import Derivation, Gradient, Phase, Step
from chainrule.calculus.graph.dims import SCALAR, Dim, Index, base_names
from chainrule.calculus.graph.node import (
    Entry,
    Expr,
    Partial,
    Position,
    Symbol,
    Total,
    running,
)
from chainrule.calculus.proof.answer_table import AnswerTable
from chainrule.calculus.proof.step_values import place_of
from chainrule.errors import DerivationError
from chainrule.language.codegen.javascript.functions import functions
from chainrule.language.codegen.javascript.module import assembled
from chainrule.language.codegen.javascript.target import JAVASCRIPT
from chainrule.language.codegen.names import Identifiers
from chainrule.language.codegen.sizes import arithmetic
from chainrule.language.codegen.trees import Trees

_HELPERS = """
/** A matrix from rows of numbers. */
function matrixOf(rows) {
  return { shape: [rows.length, rows[0].length], data: Float64Array.from(rows.flat()) };
}

/** The rows of a matrix, null for a number that is not finite. */
function rowsOf(value) {
  if (typeof value === "number") return [[finite(value)]];
  const [rows, columns] = value.shape;
  return Array.from({ length: rows }, (_, r) =>
    Array.from(value.data.subarray(r * columns, (r + 1) * columns), finite),
  );
}

/** A number, or null where it is not finite. */
function finite(value) {
  return Number.isFinite(value) ? value : null;
}

/** One entry of a matrix, which may be a single row, column or number for all. */
function cellOf(value, row, column) {
  if (typeof value === "number") return value;
  const [rows, columns] = value.shape;
  return value.data[(rows === 1 ? 0 : row) * columns + (columns === 1 ? 0 : column)];
}

/** One entry as a matrix of one number. */
function cell(value, row, column) {
  return { shape: [1, 1], data: Float64Array.of(cellOf(value, row, column)) };
}

/** The sum of a term over a running index, as a matrix of one number. */
function total(size, term) {
  let sum = 0;
  for (let place = 0; place < size; place++) sum += cellOf(term(place), 0, 0);
  return { shape: [1, 1], data: Float64Array.of(sum) };
}

/** A matrix from the values of its entries. */
function filled(rows, columns, entry) {
  const data = new Float64Array(rows * columns);
  for (let r = 0; r < rows; r++)
    for (let c = 0; c < columns; c++) data[r * columns + c] = cellOf(entry(r, c), 0, 0);
  return { shape: [rows, columns], data };
}
"""

_NAMES = ("matrixOf", "rowsOf", "finite", "cellOf", "cell", "total", "filled", "numbers")
_LOCAL = ("given", "sizes", "chosen", "steps", "values", "gradients", "factors", "inputs")


def numbers_script(derivation: Derivation, rest: Derivation | None) -> str:
    """Return an expression in JavaScript: the function ``numbers(given, sizes, chosen)``.

    Parameters
    ----------
    derivation : Derivation
        The lines to evaluate, and the factors of the graph.
    rest : Derivation or None
        A derivation with respect to values whose gradients it does not name, for the graph.

    Raises
    ------
    DerivationError
        When an operation has no JavaScript, or a value is a tensor.
    """
    return _Script(derivation, rest).text()


class _Script:
    def __init__(self, derivation: Derivation, rest: Derivation | None) -> None:
        self.derivation = derivation
        self.both = (derivation,) if rest is None else (derivation, rest)
        self.model = derivation.model
        self.identifiers = Identifiers({*JAVASCRIPT.reserved, *functions(), *_NAMES, *_LOCAL})
        for symbol in self.model.symbols:
            if len(symbol.shape) > MATRIX:
                raise DerivationError(f"{symbol.name} is a tensor; the page computes matrices")
        self.names: dict[Symbol, str] = {}
        layers = (layer for one in self.both for layer in one.layers)
        for symbol in (*self.model.symbols, *layers):
            if symbol not in self.names:
                self.names[symbol] = self.identifiers.fresh(symbol.name)
        dims: list[Dim] = [*self.model.lengths, *(dim for s in self.names for dim in s.shape)]
        self.sizes = {
            name: self.identifiers.fresh(name)
            for name in dict.fromkeys(name for dim in dims for name in base_names(dim))
        }
        self.indices: dict[Index, str] = {}
        self.used: set[Index] = set()
        self.helpers: dict[str, str] = {}
        self.own: dict[str, str] = {}

    def text(self) -> str:
        body = "\n".join(f"  {line}" for line in self._body())
        function = f"function numbers(given, sizes, chosen) {{\n{body}\n}}\n"
        code = assembled([_HELPERS, function], self.helpers, self.own)
        return f'(() => {{\n"use strict";\n{code}\nreturn numbers;\n}})()'

    def _body(self) -> Iterator[str]:
        for name, variable in self.sizes.items():
            rounds = self.model.lengths.get(name)
            found = f"sizes[{_quoted(name)}]" if rounds is None else str(rounds)
            yield f"const {variable} = {found};"
        for symbol in self.model.inputs:
            yield f"const {self.names[symbol]} = matrixOf(given[{_quoted(symbol.name)}]);"
        for definition in self.model.definitions:
            code = self._code(definition.value, AnswerTable(self.derivation), exact=True)
            yield f"const {self.names[definition.target]} = {code};"
        done: set[Symbol] = set()
        for one in self.both:
            for layer, gradient in one.layers.items():
                if layer not in done:
                    done.add(layer)
                    yield f"const {self.names[layer]} = {self._gradient(one, gradient)};"
        values = [f"{_quoted(s.name)}: rowsOf({self.names[s]})" for s in self.model.values]
        yield f"const values = {{ {', '.join(values)} }};"
        yield "const gradients = {};"
        yield from self._gradients("gradients", self.derivation)
        yield "const slopes = {};"
        for one in self.both:
            yield from self._gradients("slopes", one)
            for layer, gradient in one.layers.items():
                yield f"slopes[{_quoted(gradient.variable.name)}] = rowsOf({self.names[layer]});"
        yield "const steps = [];"
        for step in self.derivation.steps:
            if step.phase not in (Phase.FUNCTION, Phase.RECURSION):
                yield from self._step(step)
        yield "const factors = {};"
        yield from self._factors()
        yield "return { sizes, chosen, inputs: given, values, gradients, steps, slopes, factors };"

    def _gradients(self, name: str, one: Derivation) -> Iterator[str]:
        for g in one.gradients.values():
            yield f"{name}[{_quoted(g.variable.name)}] = rowsOf({self._gradient(one, g)});"

    def _gradient(self, one: Derivation, gradient: Gradient) -> str:
        table = AnswerTable(one)
        if gradient.matrix is not None:
            return self._code(gradient.matrix, table, exact=True)
        row, col = (self._free(place) for place in (gradient.row, gradient.col))
        rows, columns = (self._size(dim) for dim in gradient.variable.shape)
        return f"filled({rows}, {columns}, ({row}, {col}) => {self._code(gradient.index, table)})"

    def _step(self, step: Step) -> Iterator[str]:
        table, after = AnswerTable(self.derivation), step.after
        dims = {index.dim for index in running(after)}
        row, col = "0", "0"
        self.used = set()
        if after.shape != SCALAR:
            places = place_of(self.derivation, step)
            dims = {place.dim for place in places if isinstance(place, Index)}
            row, col = (self._chosen(place) for place in places)
        term = "null"
        if isinstance(after, Total):
            index = after.index
            inner = self._code(after.body, table)
            at = f"((({self._index(index)}) => cellOf({inner}, 0, 0))({_chosen(index.dim)}))"
            known = str(index.dim) in self.sizes
            term = f"finite({at})" if known else "null"
        value = f"finite(cellOf({self._code(after, table)}, {row}, {col}))"
        listed = json.dumps(sorted(map(str, dims)))
        yield "{"
        yield from (f"  {line}" for line in self._places())
        yield f"  steps.push({{ id: {step.id}, value: {value}, term: {term}, dims: {listed} }});"
        yield "}"

    def _factors(self) -> Iterator[str]:
        table = AnswerTable(self.derivation)
        seen: set[str] = set()
        for step in self.derivation.steps:
            if not isinstance(step.question, Partial) or step.after.shape != SCALAR:
                continue
            of, wrt = (_matrix(side) for side in (step.question.of, step.question.wrt))
            key = f"{wrt.name}>{of.name}"
            if key in seen:
                continue
            seen.add(key)
            self.used = set()
            value = f"finite(cellOf({self._code(step.after, table)}, 0, 0))"
            consts = " ".join(self._places())
            yield f"{{ {consts} factors[{_quoted(key)}] = {value}; }}"

    def _places(self) -> list[str]:
        """Return the constants for every index of a line: what a sum runs over hides its own.

        An answer may have the free entry of a variable that the line writes as a whole.
        """
        return [
            f"const {self.indices[index]} = {_chosen(index.dim)};"
            for index in sorted(self.used, key=str)
        ]

    # ---- expressions -------------------------------------------------------------------------

    def _code(self, root: Expr, table: Mapping[Expr, Expr], *, exact: bool = False) -> str:
        """Return an expression as JavaScript; what runs over an index is computed in place."""
        trees = Trees(self.names, self.sizes, JAVASCRIPT)
        waiting, placed = [root], dict[str, str]()
        seen: set[Expr] = set()
        while waiting:
            node = waiting.pop()
            if node in seen:
                continue
            seen.add(node)
            if isinstance(node, Entry | Total | Partial):
                name = self.identifiers.apart().numbered("part") + f"_{len(placed) + 1}"
                trees.parts[node] = name
                placed[name] = self._indexed(node, table)
            else:
                waiting.extend(node.args)
        tree = trees.tree(root, exact)
        text = JAVASCRIPT.expression(tree, frozenset(self.sizes.values()), trees.helpers)
        self.helpers |= trees.helpers
        self.own |= trees.own
        if not placed:
            return text
        if text in placed:
            return placed[text]
        consts = " ".join(f"const {name} = {code};" for name, code in placed.items())
        return f"(() => {{ {consts} return {text}; }})()"

    def _indexed(self, node: Expr, table: Mapping[Expr, Expr]) -> str:
        if isinstance(node, Partial):
            try:
                return self._code(table[node], table)
            except KeyError:
                raise DerivationError("a derivative on this line has no answer") from None
        if isinstance(node, Total):
            body = self._code(node.body, table)
            return f"total({self._size(node.index.dim)}, ({self._index(node.index)}) => {body})"
        assert isinstance(node, Entry)
        row, col = (self._place(place) for place in (node.row, node.col))
        return f"cell({self._code(node.matrix, table)}, {row}, {col})"

    def _place(self, place: Position) -> str:
        if isinstance(place, Index):
            return self._index(place)
        return "0" if place is None else str(place - 1)

    def _chosen(self, place: Position) -> str:
        if isinstance(place, Index):
            return _chosen(place.dim)
        return "0" if place is None else str(place - 1)

    def _free(self, place: Position) -> str:
        """Return the parameter that stands for a place of an entry."""
        return self._index(place) if isinstance(place, Index) else self.identifiers.numbered("u")

    def _index(self, index: Index) -> str:
        self.used.add(index)
        if index not in self.indices:
            self.indices[index] = self.identifiers.fresh(f"at_{index.name}")
        return self.indices[index]

    def _size(self, dim: Dim) -> str:
        return arithmetic(dim, self.sizes)


def _chosen(dim: Dim) -> str:
    return f"(chosen[{_quoted(str(dim))}] ?? 0)"


def _matrix(side: Expr) -> Symbol:
    found = side.matrix if isinstance(side, Entry) else side
    assert isinstance(found, Symbol)
    return found


def _quoted(text: str) -> str:
    """Return a string of JavaScript that also cannot end a script element."""
    return json.dumps(text, ensure_ascii=True).replace("<", "\\u003c")
