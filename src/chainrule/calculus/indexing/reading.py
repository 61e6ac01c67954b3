"""Matrix form to index form: one entry of an expression."""

from __future__ import annotations

from dataclasses import dataclass

from chainrule.calculus.graph.dims import Index
from chainrule.calculus.graph.node import (
    Apply,
    Entry,
    Expr,
    Number,
    Position,
    Positions,
    Total,
    entry,
    running,
    walk,
)
from chainrule.calculus.indexing.names import Letters
from chainrule.calculus.ops import TABLE, add, delta, mul, rebuild, renamed
from chainrule.errors import DerivationError


def read_cell(expr: Expr, places: Positions, letters: Letters) -> Expr:
    """Return the entry at `places` of a matrix or tensor form as an index form.

    Parameters
    ----------
    expr : Expr
        The form.
    places : tuple of Position
        A position for each dimension.
    letters : Letters
        The source of names for running indices.
    """
    if not isinstance(expr, Apply):
        return entry(expr, *places)
    if expr.op.index is not None:
        node = expr

        def read(arg: int, /, *at: Position) -> Expr:
            return read_cell(node.args[arg], at, letters)

        return expr.op.index(read, expr, places, letters.bound)
    return rebuild(expr, tuple(read_cell(arg, places, letters) for arg in expr.args))


def read_entry(expr: Expr, row: Position, col: Position, letters: Letters) -> Expr:
    """Return entry (row, col) of a matrix form as an index form.

    >>> from chainrule.calculus.graph.node import Symbol
    >>> w, X = Symbol("w", (1, "n")), Symbol("X", ("n", "m"))
    >>> i = Letters(["n", "m"]).bound("m")
    >>> form = read_entry(w @ X, None, i, Letters(["n", "m"]))
    >>> form.index.name, form.body is entry(w, None, form.index) * entry(X, form.index, i)
    ('j', True)
    """
    return read_cell(expr, (row, col), letters)


@dataclass(frozen=True)
class LinearPart:
    """``sum over bound of coefficient * atom``: one path from an atom to an expression."""

    bound: tuple[Index, ...]
    atom: Expr
    coefficient: Expr


def linear_parts(form: Expr, matrix: Expr) -> list[LinearPart]:
    """Split an index form, linear in the entries of `matrix`, into coefficient times entry.

    Parts that share their entry and their bound indices are added.

    Raises
    ------
    DerivationError
        When the form is not linear in the entries of `matrix`.
    """
    merged: dict[tuple[tuple[Index, ...], Expr], Expr] = {}
    for part in _parts(form, matrix):
        key = (part.bound, part.atom)
        merged[key] = merged[key] + part.coefficient if key in merged else part.coefficient
    return [LinearPart(bound, atom, factor) for (bound, atom), factor in merged.items()]


def as_one(parts: list[LinearPart]) -> list[LinearPart]:
    """Merge several parts that differ only in their places.

    ``a_c g_c + sum_d b_d g_d`` is ``sum_d (a_d delta_dc + b_d) g_d``. Where no part runs over all
    that the others do, they stay apart.
    """
    if len(parts) < 2:
        return parts
    widest = max(parts, key=lambda part: len(part.bound))
    terms = [_over(part, widest) for part in parts]
    if any(term is None for term in terms):
        return parts
    return [LinearPart(widest.bound, widest.atom, add(*(t for t in terms if t is not None)))]


def _over(part: LinearPart, widest: LinearPart) -> Expr | None:
    """Return the coefficient of a part over the places of a wider one."""
    if not (isinstance(part.atom, Entry) and isinstance(widest.atom, Entry)):
        return None
    own, wide = part.atom, widest.atom
    places = list(zip(own.places, wide.places, strict=True))
    places = [(here, there) for here, there in places if here != there]
    coefficient, used, deltas = part.coefficient, set(part.bound), list[Expr]()
    moved: list[tuple[Index, Index, Index]] = []
    for here, there in places:
        if not isinstance(here, Index) or not isinstance(there, Index):
            return None
        if there not in widest.bound:
            return None
        moved.append((here, Index(f"{here} on its way to {there}", here.dim), there))
        if here not in used:
            deltas.append(delta(there.dim, there, here))
        used.discard(here)
    # All at once: where two places swap their letters, one after the other would make them one.
    for here, between, _ in moved:
        coefficient = renamed(coefficient, here, between)
    for _, between, there in moved:
        coefficient = renamed(coefficient, between, there)
    return None if used - set(widest.bound) else mul(coefficient, *deltas)


def _summed(index: Index, part: LinearPart) -> LinearPart:
    """Return a part summed over an index: a path if the atom has it, else in the coefficient."""
    if index in running(part.atom):
        return LinearPart((index, *part.bound), part.atom, part.coefficient)
    return LinearPart(part.bound, part.atom, Total(index, part.coefficient))


def _parts(form: Expr, matrix: Expr) -> list[LinearPart]:
    if form is matrix or (isinstance(form, Entry) and form.matrix is matrix):
        return [LinearPart((), form, Number(1))]
    if isinstance(form, Total):
        return [_summed(form.index, part) for part in _parts(form.body, matrix)]
    if isinstance(form, Number) and form.value == 0:
        return []
    if isinstance(form, Apply):
        if form.op is TABLE["add"]:
            return [part for arg in form.args for part in _parts(arg, matrix)]
        if form.op is TABLE["neg"]:
            return [
                LinearPart(part.bound, part.atom, -part.coefficient)
                for part in _parts(form.args[0], matrix)
            ]
        if form.op is TABLE["mul"]:
            inside = [arg for arg in form.args if matrix in set(walk(arg))]
            if len(inside) == 1:
                rest = mul(*(arg for arg in form.args if arg is not inside[0]))
                return [
                    LinearPart(part.bound, part.atom, part.coefficient * rest)
                    for part in _parts(inside[0], matrix)
                ]
        if form.op is TABLE["div"]:
            return [
                LinearPart(part.bound, part.atom, part.coefficient / form.args[1])
                for part in _parts(form.args[0], matrix)
            ]
    raise DerivationError("an adjoint must be linear in the upstream gradient")
