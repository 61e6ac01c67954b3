"""A derivation as a program: one statement per value, forward and then backward.

The lines are the model's and the derived gradients, put through rewritings only: stored by rows
where that is asked for, in stable form, and without vectors of ones. Nothing is derived here.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from dataclasses import replace as with_changes

from chainrule.calculus.derivation.steps import Derivation, Gradient
from chainrule.calculus.graph.dims import is_tensor
from chainrule.calculus.graph.model import Definition, Model, OneHot
from chainrule.calculus.graph.node import Expr, Symbol, symbols
from chainrule.calculus.rewriting.stable_form import shares_of, stable_form, stable_value
from chainrule.calculus.rewriting.tidying import tidy
from chainrule.calculus.rewriting.transposition import stored, turned_symbol
from chainrule.errors import DerivationError


@dataclass(frozen=True)
class Program:
    """The statements of a derivation.

    Parameters
    ----------
    model : Model
        The forward pass as it is run, with every matrix in the shape in which it is stored.
    layers : tuple of Definition
        The gradients with names of their own that the others need, in order.
    gradients : mapping of Symbol to Expr
        By variable, in the shape of the variable.
    by_rows : str or None
        The dimension of the examples, when they are to be stored one per row.
    transposed : frozenset of Symbol
        The matrices that are stored as the transpose of the board's.
    reading : tuple of str
        How the forward pass was read: inferred shapes, and what is differentiated.
    """

    model: Model
    layers: tuple[Definition, ...]
    gradients: Mapping[Symbol, Expr]
    by_rows: str | None = None
    transposed: frozenset[Symbol] = frozenset()
    reading: tuple[str, ...] = ()

    @property
    def values(self) -> tuple[Expr, ...]:
        """Every value that is computed."""
        lines = (*self.model.definitions, *self.layers)
        return (*(line.value for line in lines), *self.gradients.values())

    @property
    def given(self) -> tuple[Symbol, ...]:
        """The variables that the forward pass defines, so that they can be passed in."""
        return tuple(symbol for symbol in self.gradients if symbol not in self.model.inputs)


def program(derivation: Derivation, by_rows: str | None = None) -> Program:
    """Return a derivation as statements to run.

    Parameters
    ----------
    derivation : Derivation
        The derivation of gradients with matrix forms.
    by_rows : str, optional
        The dimension of the examples: every matrix is then stored transposed, unless its examples
        are rows already.

    Raises
    ------
    DerivationError
        When a gradient has no matrix form.
    ModelError
        When a loop has any number of rounds.
    """
    model = derivation.model
    model.hold_lengths("code")
    names = (*model.symbols, *derivation.layers)
    transposed: dict[Symbol, Symbol] = {}
    if by_rows is not None and any(is_tensor(symbol.shape) for symbol in names):
        raise DerivationError(
            "tensors are stored with the dimensions that they are declared with; leave --rows out"
        )
    if by_rows is not None and any(s.shape[1] == by_rows for s in model.inputs):
        transposed = {s: turned_symbol(s) for s in names if s.shape[0] != by_rows}

    def kept(symbol: Symbol) -> Symbol:
        return transposed.get(symbol, symbol)

    def line(target: Symbol, value: Expr) -> Expr:
        return stored(value, transposed, target in transposed)

    plain = with_changes(
        model,
        inputs=tuple(kept(s) for s in model.inputs),
        definitions=tuple(
            with_changes(d, target=kept(d.target), value=line(d.target, d.value))
            for d in model.definitions
        ),
        objective=kept(model.objective),
        asked=(),
        onehot=tuple(
            OneHot(kept(known.symbol), 1 - known.axis if known.symbol in transposed else known.axis)
            for known in model.onehot
        ),
    )
    variables = [kept(g.variable) for g in derivation.gradients.values()]
    run, _ = stable_form(plain, variables)
    run = with_changes(
        run,
        definitions=tuple(with_changes(d, value=tidy(d.value)) for d in run.definitions),
    )
    shares = shares_of(run, variables)

    def gradient(target: Symbol, value: Expr) -> Expr:
        return tidy(stable_value(line(target, value), shares))

    gradients = {
        kept(g.variable): gradient(g.variable, _matrix(g, g.variable))
        for g in derivation.gradients.values()
    }
    layers = [
        Definition(kept(name), gradient(name, _matrix(layer, name)))
        for name, layer in derivation.layers.items()
    ]
    changed = frozenset(new for old, new in transposed.items() if new is not old)
    lines = _needed(layers, gradients.values())
    return Program(run, lines, gradients, by_rows, changed, derivation.reading)


def _matrix(gradient: Gradient, name: Symbol) -> Expr:
    if gradient.matrix is None:
        raise DerivationError(
            f"the gradient {name.name} has no matrix form, so it cannot be a line of array code: "
            f"{gradient.no_matrix_form}. Give what stands under its sums a line of its own in the "
            "forward pass, or ask for other variables: --wrt NAMES"
        )
    return gradient.matrix


def _needed(layers: list[Definition], roots: Iterable[Expr]) -> tuple[Definition, ...]:
    """Return the layers that the gradients use, directly or through later layers."""
    used = set().union(*(symbols(root) for root in roots))
    found: list[Definition] = []
    for layer in reversed(layers):
        if layer.target in used:
            found.append(layer)
            used |= symbols(layer.value)
    return tuple(reversed(found))
