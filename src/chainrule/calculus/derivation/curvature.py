"""Second order: the Hessian-vector product as a gradient, and the Hessian as its coefficients.

The directional derivative along a fixed v is the scalar ``q = <dJ/dw, v>``. It is a forward pass
that begins with the gradient, so the same derivation gives its gradient: the Hessian times v. This
product is linear in v, and the coefficient of ``v_j`` in its entry p is the entry (p, j) of the
Hessian. For a vector that is an index form in two indices, which collapses to a matrix as usual.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import chain, count

from chainrule.calculus.derivation.derive import derivation_of
from chainrule.calculus.derivation.record import StepRecord, unused
from chainrule.calculus.derivation.steps import (
    Claim,
    Derivation,
    Gradient,
    Hessian,
    Phase,
    along,
)
from chainrule.calculus.graph.dims import SCALAR, Dim, Index, Shape, written
from chainrule.calculus.graph.model import Definition, Model
from chainrule.calculus.graph.node import (
    Apply,
    Entry,
    Expr,
    Number,
    Partial,
    Position,
    Symbol,
    Total,
    entry,
    substitute,
)
from chainrule.calculus.indexing.collapse import STACK
from chainrule.calculus.indexing.names import Letters
from chainrule.calculus.indexing.reading import LinearPart, as_one, linear_parts, read_entry
from chainrule.calculus.indexing.tensors import collapse_entry
from chainrule.calculus.ops import add, delta, reduce_sum, renamed
from chainrule.calculus.ops import replace as put
from chainrule.calculus.rewriting.cost import display_cost
from chainrule.calculus.rewriting.diagonals import DIAGONALS
from chainrule.calculus.rewriting.relations import side_relations
from chainrule.calculus.rewriting.simplification import simplify
from chainrule.errors import DerivationError

ONE_LINE = 26
"""The largest display cost of a product that is written in one line, without names."""

SLOPES = ("q", "s", "r", "g")
DIRECTIONS = ("v", "u", "d")


def second_derivation(first: Derivation, *, hessian: bool = True) -> Derivation:
    """Derive the Hessian-vector product from a derivation of the gradients.

    Parameters
    ----------
    first : Derivation
        The derivation of gradients with matrix forms.
    hessian : bool
        Whether to write out the Hessian too.

    Returns
    -------
    Derivation
        The derivation of ``<dJ/dw, v>``, without verification.

    Raises
    ------
    DerivationError
        When a gradient has no matrix form, or the Hessian of a matrix is asked for.
    """
    if hessian:
        for gradient in first.gradients.values():
            shape = gradient.variable.shape
            if 1 not in shape:
                name = gradient.variable.name
                raise DerivationError(
                    f"{name} is {written(shape)}: the Hessian with respect to a matrix is a "
                    f"4-index tensor; use the Hessian-vector product: --hvp {name}"
                )
    model, directions, names = _slope_model(first)
    product = derivation_of(model, list(first.gradients), prefix=f"{model.objective.name}_")
    return _SecondDerivation(first, product, directions, names).run(hessian)


def _slope_model(
    first: Derivation,
) -> tuple[Model, dict[Symbol, Symbol], dict[Symbol, Symbol]]:
    """Return the forward pass of the directional derivative, with directions and gradients."""
    model = first.model
    taken = {symbol.name for symbol in (*model.symbols, *first.layers)}

    def fresh(*wanted: str) -> str:
        return unused(chain(wanted, (f"{wanted[0]}_{k}" for k in count(1))), taken)

    # What the forward pass has a name for is called by it: softmax(x) is p again.
    called: dict[Expr, Expr] = {
        d.value: d.target for d in model.definitions if isinstance(d.value, Apply)
    }

    def matrix_of(gradient: Gradient) -> Expr:
        return substitute(_matrix(gradient), called)

    definitions = list(model.definitions)
    definitions += [Definition(name, matrix_of(g)) for name, g in first.layers.items()]
    directions: dict[Symbol, Symbol] = {}
    gradients: dict[Symbol, Symbol] = {}
    notes = dict(model.notes)
    terms: list[Expr] = []
    for gradient in first.gradients.values():
        variable, matrix = gradient.variable, matrix_of(gradient)
        name = Symbol(fresh(f"d{variable.name}", f"dd{variable.name}"), variable.shape)
        definitions.append(Definition(name, matrix))
        gradients[variable] = name
        letters = DIRECTIONS if 1 in variable.shape else tuple(d.upper() for d in DIRECTIONS)
        if len(first.gradients) > 1:
            letters = tuple(f"{letter}_{variable.name}" for letter in letters)
        direction = Symbol(fresh(*letters), variable.shape)
        directions[variable] = direction
        notes[direction.name] = f"a direction in which {variable.name} may move"
        terms.append(reduce_sum(matrix * direction))
    slope = Symbol(fresh(*SLOPES))
    definitions.append(Definition(slope, add(*terms)))
    return (
        replace(
            model,
            inputs=(*model.inputs, *directions.values()),
            definitions=tuple(definitions),
            objective=slope,
            asked=(),
            notes=notes,
        ),
        directions,
        gradients,
    )


def _matrix(gradient: Gradient) -> Expr:
    if gradient.matrix is None:
        raise DerivationError(
            f"the gradient with respect to {gradient.variable.name} has no matrix form "
            f"({gradient.no_matrix_form}), so it is not differentiated again"
        )
    return gradient.matrix


@dataclass
class _SecondDerivation:
    first: Derivation
    product: Derivation
    directions: dict[Symbol, Symbol]
    named: dict[Symbol, Symbol]

    def __post_init__(self) -> None:
        known = (*self.product.model.symbols, *self.product.layers)
        self.record = StepRecord(lambda: known, self.product.steps)
        self.gradients = dict(self.product.gradients)
        self.hessians: dict[Symbol, Hessian] = {}
        self.places = dict(self.product.places)
        self.relations = side_relations(self.product.model)
        self.names = {s.name for s in known}

    def run(self, hessian: bool) -> Derivation:
        opened = {name: self._opened(gradient) for name, gradient in self.gradients.items()}
        for name, matrix in opened.items():
            gradient = self.gradients[name]
            if matrix is not gradient.matrix and display_cost(matrix) <= ONE_LINE:
                self._one_line(gradient, matrix)
        if hessian:
            symbols = list(self.directions)
            for number, rows in enumerate(symbols):
                for columns in symbols[number:]:
                    self._hessian(rows, columns, opened[rows.name])
        return replace(
            self.product,
            steps=tuple(self.record.steps),
            gradients=self.gradients,
            hessians=self.hessians,
            places=self.places,
            first=self.first,
        )

    def _opened(self, gradient: Gradient) -> Expr:
        """Return a product with the names of gradients expanded."""
        matrix = _matrix(gradient)
        for name, layer in reversed(list(self.product.layers.items())):
            matrix = put(matrix, {name: _matrix(layer)})
        values = self.product.model.values
        return put(matrix, {name: values[name] for name in self.named.values()})

    def _one_line(self, gradient: Gradient, matrix: Expr) -> None:
        assert gradient.matrix is not None
        whole = Partial(self.product.model.objective, gradient.variable)
        why = "every name that was given on the way is replaced by what it stands for"
        self.record.add(
            Phase.RESULT, "in one line", whole, gradient.matrix, matrix, why, claim=Claim.OPENED
        )
        self.gradients[gradient.variable.name] = replace(gradient, matrix=matrix)

    def _hessian(self, rows: Symbol, columns: Symbol, opened: Expr) -> None:
        """Read the entries of the Hessian off a product, and collapse them."""
        others = [d for variable, d in self.directions.items() if variable is not columns]
        moving = put(opened, {d: Number(0, d.shape) for d in others})
        row, col = self.product.places[rows]
        letters = self._letters(row, col)
        form, _ = simplify(read_entry(moving, row, col, letters), {}, self.relations)
        direction = self.directions[columns]
        place: Position = row if row is not None else col
        parts = as_one(linear_parts(form, direction))
        entries = [self._coefficient(part, direction, place, letters) for part in parts]
        other = next((index for _, index in entries if index is not None), None)
        coefficient = add(*(_at(e, index, other) for e, index in entries)) if entries else Number(0)
        coefficient, _ = simplify(coefficient, {}, self.relations)
        if other is None and any(dim != 1 for dim in columns.shape):
            other = _index(letters.free(_length(columns)))
        if len(self.directions) == 1 and entries:
            self._linear_steps(rows, direction, form, coefficient, (row, col), other)
        self._matrix_steps(rows, columns, coefficient, place, other)

    def _coefficient(
        self, part: LinearPart, direction: Symbol, place: Position, letters: Letters
    ) -> tuple[Expr, Index | None]:
        """Return the coefficient of one entry of the direction, and which entry that is."""
        coefficient = part.coefficient
        inner = [index for index in part.bound if not _stands_at(part.atom, index)]
        for index in reversed(inner):
            coefficient = Total(index, coefficient)
        at = next((i for i in _positions(part.atom) if isinstance(i, Index)), None)
        if at is not None and at == place:
            other = _index(letters.free(at.dim))
            return coefficient * delta(at.dim, at, other), other
        return coefficient, at

    def _linear_steps(
        self,
        rows: Symbol,
        direction: Symbol,
        form: Expr,
        coefficient: Expr,
        place: tuple[Position, Position],
        other: Index | None,
    ) -> None:
        left = Partial(self.product.model.objective, entry(rows, *place))
        self.places[rows] = place
        before = self.gradients[rows.name].matrix
        assert before is not None
        self.record.add(
            Phase.CURVATURE,
            "one entry of the product",
            left,
            before,
            form,
            f"written out, it is linear in {direction.name}",
        )
        linear: Expr = coefficient * along(direction, other)
        linear = linear if other is None else Total(other, linear)
        if linear is not form:
            self.record.add(
                Phase.CURVATURE,
                "sorted by the entries of the direction",
                left,
                form,
                linear,
                f"the product of the Hessian with {direction.name} reads like this: what stands "
                f"in front of an entry of {direction.name} is an entry of the Hessian",
            )

    def _matrix_steps(
        self, rows: Symbol, columns: Symbol, form: Expr, row: Position, col: Index | None
    ) -> None:
        shape = (_length(rows), _length(columns))
        options = [_collapsed(form, shape, row, col)]
        if rows is columns:  # symmetric, so the entry may be read either way
            options.append(_collapsed(form, shape, col, row))
        best = min(options, key=lambda option: option.cost)
        at_row, at_col = best.row, best.col
        symbol = Symbol(self._fresh(rows, columns), shape)
        gradient = self.named[rows]
        hessian = Hessian(
            symbol, gradient, rows, columns, form, best.matrix, at_row, at_col, best.no_matrix_form
        )
        self.hessians[symbol] = hessian
        self.places[symbol] = (at_row, at_col)
        at = entry(symbol, at_row, at_col)
        self.record.add(
            Phase.CURVATURE,
            "the Hessian, entry by entry",
            at,
            form,
            form,
            layout_sentence(hessian, self.first.model.objective)
            + (f"; no matrix form: {best.no_matrix_form}" if best.no_matrix_form else ""),
            claim=Claim.CURVATURE,
        )
        for rule, why, left, before, after in best.lines(at, symbol):
            self.record.add(Phase.CURVATURE, rule, left, before, after, why)

    def _fresh(self, rows: Symbol, columns: Symbol) -> str:
        plain = "H" if len(self.directions) == 1 else f"H_{rows.name}{columns.name}"
        return unused((plain + "'" * primes for primes in count(0)), self.names)

    def _letters(self, *taken: Position) -> Letters:
        model = self.product.model
        dims = {dim for symbol in model.symbols for dim in symbol.shape}
        names = {symbol.name for symbol in model.symbols}
        return Letters(dims, [*names, *(str(dim) for dim in dims), *taken])


@dataclass(frozen=True)
class _Collapsed:
    """One way to write a Hessian as a matrix: its row index, and its lines."""

    form: Expr
    row: Position
    col: Position
    plain: Expr | None
    firings: tuple[tuple[str, str, Expr], ...]
    no_matrix_form: str = ""

    @property
    def matrix(self) -> Expr | None:
        """The matrix form, with diagonal matrices."""
        return None if self.plain is None else DIAGONALS.becomes(self.plain) or self.plain

    @property
    def cost(self) -> int:
        """The display cost."""
        return 10**9 if self.matrix is None else display_cost(self.matrix)

    def lines(self, at: Expr, whole: Symbol) -> Iterator[tuple[str, str, Expr, Expr, Expr]]:
        """Yield rule, reason, left side, before and after of every line."""
        before = self.form
        for rule, because, after in self.firings:
            if after is not before:
                yield rule, because, at, before, after
                before = after
        if self.plain is not None and self.plain is not before:
            yield STACK.name, "entry by entry, this is one matrix", whole, before, self.plain
            before = self.plain
        if self.matrix is not None and self.matrix is not before:
            yield DIAGONALS.name, DIAGONALS.because, whole, before, self.matrix


def _collapsed(form: Expr, shape: Shape, row: Position, col: Position) -> _Collapsed:
    try:
        matrix, firings = collapse_entry(form, shape, (row, col))
    except DerivationError as reason:
        return _Collapsed(form, row, col, None, (), str(reason))
    shown = tuple((firing.rule, firing.because, firing.after) for firing in firings)
    return _Collapsed(form, row, col, matrix, shown)


def layout_sentence(hessian: Hessian, objective: Symbol) -> str:
    """Return the sentence about rows and columns of a Hessian."""
    rows, columns = hessian.rows.name, hessian.columns.name
    shape = written(hessian.symbol.shape)
    if hessian.symbol.shape == SCALAR:
        return f"the second derivative of {objective.name} with respect to {rows}" + (
            f" and {columns}" if columns != rows else ""
        )
    if hessian.rows is hessian.columns:
        return (
            f"{hessian.symbol.name} is {shape}: its entry in row {hessian.row} and column "
            f"{hessian.col} is the second derivative of {objective.name} with respect to "
            f"{rows}_{hessian.row} and {rows}_{hessian.col}"
        )
    return (
        f"{hessian.symbol.name} is {shape}: its rows count the entries of {rows}, its columns "
        f"those of {columns}"
    )


def _positions(atom: Expr) -> tuple[Position, ...]:
    return (atom.row, atom.col) if isinstance(atom, Entry) else ()


def _stands_at(atom: Expr, index: Index) -> bool:
    return index in _positions(atom)


def _at(form: Expr, index: Index | None, other: Index | None) -> Expr:
    """Rename an index, so that all coefficients refer to the same entry."""
    if index is None or other is None or index == other:
        return form
    return renamed(form, index, other)


def _length(vector: Symbol) -> Dim:
    return next((dim for dim in vector.shape if dim != 1), 1)


def _index(position: Position) -> Index:
    assert isinstance(position, Index)
    return position


__all__ = ["layout_sentence", "second_derivation"]
