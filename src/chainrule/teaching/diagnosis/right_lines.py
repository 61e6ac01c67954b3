"""The right line in place of a wrong one: the same quantity, in the author's letters, verified.

A gradient is answered in short form, an entry of it as an entry. The derivative of one vector or
matrix with respect to another is answered as a Jacobian: its diagonal, its entries, or the whole
matrix where there is one. Names that the derivation introduces are replaced by their values, and
no form is shown that was not verified to equal the reference.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace

from chainrule.calculus.derivation.sensitivity import pulled
from chainrule.calculus.derivation.steps import Derivation, StepCertificate
from chainrule.calculus.graph.dims import SCALAR, Index, is_tensor
from chainrule.calculus.graph.node import (
    Apply,
    Entry,
    Expr,
    Number,
    Position,
    Positions,
    Symbol,
    Total,
    entry,
    replaced,
    running,
    symbols,
    transform,
    walk,
)
from chainrule.calculus.indexing.collapse import collapse
from chainrule.calculus.indexing.reading import read_entry
from chainrule.calculus.ops import TABLE, mul, rebuild, renamed, size
from chainrule.calculus.rewriting.cost import display_cost
from chainrule.calculus.rewriting.simplification import simplify
from chainrule.errors import ChainruleError, DerivationError
from chainrule.language.typeset import plain
from chainrule.teaching.marking.derivation_cache import derived
from chainrule.teaching.marking.judging import EqualityJudge
from chainrule.teaching.marking.line_context import (
    AskedDerivative,
    Claims,
    JacobianLayout,
    LineContext,
    Place,
)
from chainrule.teaching.marking.reading import line_of

LETTERS = "ijklpqrstuvabcdefg"
"""Letters of the entries of a derivative, in the order of their use."""

SUMMED = "ijklrstuvqpabcdefgh"
"""Letters of sums, in the order of their use."""

READABLE = 80
"""The largest display cost of a form that helps a reader."""

NO_FORM = "no right side in short form was found for this quantity"


@dataclass(frozen=True)
class Quantity:
    """The quantity that a line is about.

    Parameters
    ----------
    left : Expr
        The left side, as it was read.
    asked : AskedDerivative or None
        The derivative that it is, if it is one.
    context : LineContext
        The context in which it was read.
    """

    left: Expr
    asked: AskedDerivative | None
    context: LineContext

    @property
    def is_swept(self) -> bool:
        """Whether one reverse sweep gives it: the gradient of a number, or a slope per entry."""
        asked = self.asked
        if asked is None:
            return False
        return asked.of.shape == SCALAR or self.is_slope

    @property
    def is_slope(self) -> bool:
        """Whether it is one slope for each entry of a matrix."""
        asked = self.asked
        if asked is None or asked.of_at is not None or asked.wrt_at is not None:
            return False
        same = asked.of.shape == asked.wrt.shape
        entries = self.context.layout is JacobianLayout.ENTRIES
        return same and entries and self.context.is_entrywise(asked.of, asked.wrt)


class RightLines:
    """Writes the right line for a quantity.

    Parameters
    ----------
    equality_judge : EqualityJudge
        Over the forward pass.
    claims : Claims
        The names and claims of earlier lines.
    """

    def __init__(self, equality_judge: EqualityJudge, claims: Claims) -> None:
        self.judge, self.claims, self.model = equality_judge, claims, equality_judge.model
        self._certified: dict[tuple[Symbol, Symbol], bool] = {}
        self._derivations: dict[Symbol, Derivation] = {}

    def derivation(self, wrt: Symbol) -> Derivation:
        """Return the derivation of the objective with respect to one variable."""
        if wrt not in self._derivations:
            self._derivations[wrt] = derived(self.model, wrt.name)
        return self._derivations[wrt]

    def finished(self, of: Symbol, wrt: Symbol) -> Expr | None:
        """Return a derivative in short form, in values of the forward pass; None if there is none.

        Of a matrix, it is one slope for each entry.
        """
        if of is wrt:
            return Number(1, of.shape)
        if of is self.model.objective:
            derivation = self.derivation(wrt)
            matrix = derivation[wrt.name].matrix
            return None if matrix is None else derivation.without_layers(matrix)
        plainest = pulled(self.model, of, wrt, Number(1, of.shape))
        return min(plainest, simplify(plainest)[0], key=display_cost)

    def line(self, quantity: Quantity) -> str:
        """Return the right line for a quantity; an empty text where there is none."""
        left, asked = quantity.left, quantity.asked
        context = _with_free_letters(quantity.context)
        try:
            if asked is None:
                return self._value(left, context)
            if asked.of is self.model.objective:
                return self._gradient(asked, context)
            if quantity.is_swept:
                return self._pulled(asked, context)
            return self._jacobian(asked, context)
        except ChainruleError:
            return ""

    # ---- the kinds of quantity ---------------------------------------------------------------

    def _value(self, left: Expr, context: LineContext) -> str:
        """Return the value of a name of the forward pass, or of an entry of one."""
        whole = left.matrix if isinstance(left, Entry) else left
        if not isinstance(whole, Symbol) or whole not in self.model.values:
            return ""
        value = self._in_authors_names(self.model.values[whole], self.model.values, context)
        if isinstance(left, Entry):
            value = context.opened(value, left.row, left.col)
        return _plain(value, context)

    def _gradient(self, asked: AskedDerivative, context: LineContext) -> str:
        """Return a gradient of the objective, or one entry of it."""
        wrt = asked.wrt
        if wrt is self.model.objective:
            return "1"
        derivation = self.derivation(wrt)
        gradient = derivation[wrt.name]
        truth = context.truth(wrt)
        if asked.wrt_at is None and gradient.matrix is not None:
            for shown, full in self._forms(gradient.matrix, wrt, derivation, context):
                if self.judge.equal(context, truth, full).holds:
                    return _plain(shown, context)
            return ""
        place = asked.wrt_at or gradient.places
        form = gradient.index
        if gradient.matrix is not None:
            form = context.opened(gradient.matrix, *place)
        elif asked.wrt_at is not None:
            for old, new in zip(gradient.places, place, strict=True):
                form = renamed(form, old, new) if isinstance(old, Index) else form
        cell = context.opened(truth, *place)
        for shown, full in self._forms(form, wrt, derivation, context):
            if self.judge.equal(context, cell, full).holds:
                head = "" if asked.wrt_at is not None else self._head(asked, None, place)
                return head + _plain(shown, context)
        return ""

    def _forms(
        self, form: Expr, wrt: Symbol, derivation: Derivation, context: LineContext
    ) -> Iterator[tuple[Expr, Expr]]:
        """Yield a form as it is shown, and without names of gradients, the shortest first."""
        scales = self.claims.scales
        meaning: dict[Symbol, Expr] = {}
        kept: dict[Symbol, Expr] = {}  # names of gradients that the author uses, by their scale
        once = form
        for name, gradient in reversed(list(derivation.layers.items())):
            of = gradient.variable
            meaning[name] = context.gradient(of) if gradient.matrix is None else gradient.matrix
            if of in self.claims.named:
                kept[name] = scales.get(of, Number(1))
            else:
                once = self._opened(once, {name: meaning[name]}, context)
        values = dict(derivation.model.values)
        once = self._in_authors_names(once, values, context, keeping=meaning)
        inverse = {name: name / scale for name, scale in kept.items()}
        drafts = [self._opened(once, inverse, context), *self._from_names(form, wrt, context)]
        common = set(kept.values())
        if len(common) == 1:  # the factor stands once, for the whole
            drafts.insert(0, once / common.pop())
        scale = scales.get(wrt, Number(1))
        scaled = {name: mul(kept.get(name, Number(1)), value) for name, value in meaning.items()}
        shown = [one for draft in drafts for one in self._shortened(mul(scale, draft), context)]
        for one in sorted(dict.fromkeys(shown), key=display_cost):
            yield one, self._whole(one, scaled, kept, meaning, values, context)

    def _from_names(self, form: Expr, wrt: Symbol, context: LineContext) -> Iterator[Expr]:
        """Yield a gradient from those that the author has named, where it is a matrix."""
        named = [s for s in self.claims.named if s is not wrt and s is not self.model.objective]
        if form.shape != wrt.shape or not named:
            return
        known = {s: self.claims.unscaled(s, context.gradient(s)) for s in named}
        found = pulled(self.model, self.model.objective, wrt, Number(1), known=known)
        yield self._in_authors_names(found, self.model.values, context, keeping=known)

    def _whole(
        self,
        shown: Expr,
        scaled: Mapping[Symbol, Expr],
        kept: Collection[Symbol],
        meaning: Mapping[Symbol, Expr],
        values: Mapping[Symbol, Expr],
        context: LineContext,
    ) -> Expr:
        """Return what a form says without names of gradients, each in the author's scale."""
        first = {name: scaled[name] for name in kept}
        whole = self._opened(shown, first, context)
        return self._in_authors_names(whole, dict(values) | dict(meaning), context)

    def _pulled(self, asked: AskedDerivative, context: LineContext) -> str:
        """Return the derivative of a number, or the slope of every entry."""
        ones = Number(1, asked.of.shape)
        found = pulled(context.between(asked.of, asked.wrt), asked.of, asked.wrt, ones)
        if asked.wrt_at is not None:
            found = context.opened(found, *asked.wrt_at)
        found = self._in_authors_names(found, self.model.values, context)
        return self._first(found, found, context)

    def _jacobian(self, asked: AskedDerivative, context: LineContext) -> str:
        """Return the derivative of one vector or matrix with respect to another."""
        of, wrt = asked.of, asked.wrt
        if len(of.shape) > 2 or len(wrt.shape) > 2:  # entries of tensors have no short line
            return ""
        of_at, wrt_at = _places(asked, context)
        if not self._is_certified(of, wrt, context):
            return ""
        form = self._in_authors_names(
            context.partial(of, of_at, wrt, wrt_at), self.model.values, context
        )
        if asked.of_at is not None and asked.wrt_at is not None:
            return self._first(form, form, context)
        if _vectors(of, wrt) and asked.of_at is None and asked.wrt_at is None:
            matrix = self._matrix(form, of_at, wrt_at, context)
            if matrix:
                return matrix
        shown = self._first(form, form, context)
        return self._head(asked, of_at, wrt_at) + shown if shown else ""

    def _matrix(self, form: Expr, of_at: Place, wrt_at: Place, context: LineContext) -> str:
        """Return the Jacobian of two vectors as a matrix, in the layout of the line."""
        row, col = (at[0] or at[1] for at in (of_at, wrt_at))
        if context.layout is JacobianLayout.DENOMINATOR:
            row, col = col, row
        assert isinstance(row, Index)
        assert isinstance(col, Index)
        best = min(self._shortened(form, context), key=display_cost)
        try:
            matrix = collapse(best, (row.dim, col.dim), row, col)[0]
        except DerivationError:
            return ""
        if display_cost(matrix) > 2 * display_cost(best):
            return ""  # such as a diagonal matrix around a scaled identity
        cell = context.opened(matrix, row, col)
        return _plain(matrix, context) if self.judge.equal(context, form, cell).holds else ""

    def _is_certified(self, of: Symbol, wrt: Symbol, context: LineContext) -> bool:
        """Whether the entries of a derivative agree with finite differences."""
        if (of, wrt) not in self._certified:
            of_at, wrt_at = _places(AskedDerivative(of, wrt), context)
            claim = context.partial(of, of_at, wrt, wrt_at)
            one, other = entry(of, *of_at), entry(wrt, *wrt_at)
            found = self.judge.verifier.derivative(one, other, claim, total=True)
            self._certified[of, wrt] = isinstance(found, StepCertificate)
        return self._certified[of, wrt]

    # ---- the form ----------------------------------------------------------------------------

    def _first(self, form: Expr, truth: Expr, context: LineContext) -> str:
        """Return the shortest form that is verified to equal the reference."""
        for shown in self._shortened(form, context):
            if display_cost(shown) <= READABLE and self.judge.equal(context, truth, shown).holds:
                return _plain(shown, context)
        return ""

    def _shortened(self, form: Expr, context: LineContext) -> list[Expr]:
        """Return a form and its simplifications, the shortest first."""
        found = [form, simplify(form)[0]]
        if form.shape == SCALAR:
            found.append(self._of_entries(found[1]))
        elif not is_tensor(form.shape):
            row, col = (context.letters.free(dim) for dim in form.shape)
            cell = self._of_entries(simplify(context.opened(form, row, col))[0])
            with suppress(ChainruleError):
                found.append(collapse(cell, form.shape, row, col)[0])
        return sorted(dict.fromkeys(found), key=display_cost)

    def _of_entries(self, form: Expr) -> Expr:
        """Simplify an index form with the means of the forward pass, around its Kronecker delta."""
        deltas = {node for node in walk(form) if isinstance(node, Entry) and is_eye(node.matrix)}
        if len(deltas) != 1:
            return simplify(self._with_means(form))[0]
        (delta,) = deltas
        off = self._of_entries(replaced(form, {delta: Number(0)}, rebuild))
        on = self._of_entries(replaced(form, {delta: Number(1)}, rebuild))
        return simplify(on - off)[0] * delta + off

    def _with_means(self, form: Expr) -> Expr:
        """Write ``n mu`` for ``sum_i x_i``, where the forward pass has ``mu = mean(x)``.

        Sums of deviations from a mean are zero.
        """
        means = {
            value.args[0]: target
            for target, value in self.model.values.items()
            if isinstance(value, Apply) and value.op is TABLE["mean"] and target.shape == SCALAR
            if 1 in value.args[0].shape
        }
        mapping: dict[Expr, Expr] = {}
        for node in walk(form):
            if not isinstance(node, Total):
                continue
            for vector, mean in means.items():
                at = (None, node.index) if vector.shape[0] == 1 else (node.index, None)
                if node.body is entry(vector, *at):
                    mapping[node] = size(node.index.dim) * mean
                elif _is_multiple(node, entry(vector, *at) - mean):
                    mapping[node] = Number(0)
        return replaced(form, mapping, rebuild)

    def _in_authors_names(
        self,
        form: Expr,
        values: Mapping[Symbol, Expr],
        context: LineContext,
        keeping: Collection[Symbol] = (),
    ) -> Expr:
        """Replace the names that the derivation introduces by their values."""
        known = {*self.judge.author.symbols, *keeping}
        while own := {s: values[s] for s in symbols(form) if s in values and s not in known}:
            form = self._opened(form, own, context)
        return form

    def _opened(self, form: Expr, values: Mapping[Symbol, Expr], context: LineContext) -> Expr:
        """Replace names by their values, entries of them included."""
        mapping = dict[Expr, Expr](values.items())
        for node in walk(form):
            if isinstance(node, Entry) and node.matrix in values:
                assert isinstance(node.matrix, Symbol)
                mapping[node] = read_entry(values[node.matrix], node.row, node.col, context.letters)
        return replaced(form, mapping, rebuild)

    def _head(self, asked: AskedDerivative, of_at: Place | None, wrt_at: Positions) -> str:
        """Return the left side of an answer for the entries of a whole."""
        one = plain(asked.of if of_at is None else entry(asked.of, *of_at))
        return f"d{one}/d{plain(entry(asked.wrt, *wrt_at))} = "


def is_eye(matrix: Expr) -> bool:
    """Whether a matrix is the identity, whose entries are Kronecker deltas."""
    return isinstance(matrix, Apply) and matrix.op is TABLE["eye"]


def _places(asked: AskedDerivative, context: LineContext) -> tuple[Place, Place]:
    """Return the entries of a derivative: those of the line, and new letters for the others."""
    letters = iter(_free_letters(context))

    def place(symbol: Symbol) -> Place:
        row, col = (None if dim == 1 else Index(next(letters), dim) for dim in symbol.shape)
        return row, col

    return asked.of_at or place(asked.of), asked.wrt_at or place(asked.wrt)


def _with_free_letters(context: LineContext) -> LineContext:
    """Return a context in which only the names and the indices of a line are taken."""
    names = {symbol.name for symbol in context.model.symbols if len(symbol.name) == 1}
    taken = sorted({*context.indices, *names, *_free_letters(context)})
    return replace(context, line=line_of(" ".join(taken)))


def _free_letters(context: LineContext) -> list[str]:
    """Return letters for the four places of a derivative."""
    taken = {*context.indices, *(str(d) for s in context.model.symbols for d in s.shape)}
    taken |= {symbol.name for symbol in context.model.symbols}
    return [letter for letter in LETTERS if letter not in taken][:4]


def _is_multiple(total: Total, deviation: Expr) -> bool:
    """Whether a sum is a constant times the sum of this."""
    if deviation not in set(walk(total.body)):
        return False
    return total.index not in running(simplify(total.body / deviation)[0])


def _plain(form: Expr, context: LineContext) -> str:
    """Write a form, with letters of one character for what it sums over."""
    dims = {str(dim) for symbol in context.model.symbols for dim in symbol.shape}
    names = {symbol.name for symbol in context.model.symbols}
    free = {index.name for index in running(form)}
    pool = (letter for letter in SUMMED if letter not in dims | names | free)
    bound = dict.fromkeys(node.index for node in walk(form) if isinstance(node, Total))
    letters = {old: Index(new, old.dim) for old, new in zip(bound, pool, strict=False)}

    def moved(place: Position) -> Position:
        return letters.get(place, place) if isinstance(place, Index) else place

    def change(node: Expr) -> Expr:
        if isinstance(node, Entry):
            return entry(node.matrix, moved(node.row), moved(node.col))
        return (
            Total(letters.get(node.index, node.index), node.body)
            if isinstance(node, Total)
            else node
        )

    return plain(transform(form, change))


def _vectors(*sides: Symbol) -> bool:
    return all(1 in side.shape and side.shape != SCALAR for side in sides)


def free_indices(form: Expr) -> list[Index]:
    """Return the free indices of an index form, in the order of their letters."""
    return sorted(running(form), key=lambda index: index.name)
