"""A forward pass: inputs, definitions in order, and the scalar that is differentiated.

A definition refers to earlier ones by their symbols, never by their contents, so that a
derivation can ask "dL/da = ?" and write its answers in the letters of the lecture.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from types import MappingProxyType

from chainrule.calculus.graph.dims import SCALAR, Dim, written
from chainrule.calculus.graph.node import Apply, Expr, Symbol, substitute, walk
from chainrule.calculus.graph.op import Op
from chainrule.calculus.graph.roles import differentiated
from chainrule.display import Displayed
from chainrule.errors import ModelError


@dataclass(frozen=True)
class Definition:
    """One line of a forward pass: ``target = value``.

    Parameters
    ----------
    target : Symbol
        The name that is defined.
    value : Expr
        Its value, in inputs and earlier targets.
    line : int
        The line number, from 1; 0 when it was built in Python or added by chainrule.
    opened : tuple of str
        The functions of the author's that were written out in it, with their arguments.
    """

    target: Symbol
    value: Expr
    line: int = 0
    opened: tuple[str, ...] = ()


@dataclass(frozen=True)
class Function:
    """A function that the author defines: ``f(z) = z sigmoid(z)``.

    Parameters
    ----------
    name : str
        As it was written.
    text : str
        The whole line, as it was written.
    line : int
        The line number, from 1.
    row : Op or None
        The row of a function that acts on each entry and stays closed; nothing for one that is
        written out where it is used.
    """

    name: str
    text: str
    line: int = 0
    row: Op | None = None


@dataclass(frozen=True)
class Loop:
    """Lines that the author writes once for several rounds: ``for l = 1..3``.

    Parameters
    ----------
    counter : str
        The loop counter.
    first, last : int
        The first and the last round.
    stems : tuple of str
        The text before the indices that it counts: ``W^[``, ``h_``.
    line : int
        The line number, from 1.
    length : str
        The name of the number that the last round depends on, where no line gives it a value:
        ``T``. The loop is then written out for a few rounds that stand for any number of them.
    value : int
        The value of that name for which it is written out.
    reach : int
        How far an index lies from the counter or from the last round, at most.
    spans : str
        The numbers of rounds that are derived, in words: ``T = 4 and T = 5``.
    """

    counter: str
    first: int
    last: int
    stems: tuple[str, ...]
    line: int = 0
    length: str = ""
    value: int = 0
    reach: int = 1
    spans: str = ""


@dataclass(frozen=True)
class Asked:
    """A variable that the author wants the gradient of, or one entry of it.

    `place` counts entries from 1 along the variable's only long dimension.
    """

    symbol: Symbol
    place: int | None = None


@dataclass(frozen=True)
class OneHot:
    """Labels that are declared one-hot: they add to one along an axis."""

    symbol: Symbol
    axis: int = 0


@dataclass(frozen=True)
class Mask:
    """An input that is drawn anew at every training step: 1 with a probability, else 0."""

    symbol: Symbol
    keep: float


@dataclass(frozen=True)
class Assumption:
    """The shape of an input that nobody declared, with the reason for it."""

    symbol: Symbol
    reason: str

    def __str__(self) -> str:
        return f"{self.symbol.name} is {written(self.symbol.shape)}, {self.reason}"


@dataclass(frozen=True)
class Model(Displayed):
    r"""A forward pass.

    Parameters
    ----------
    inputs : tuple of Symbol
        Data and parameters, in order of declaration.
    definitions : tuple of Definition
        In order; the objective is the target of one of them.
    objective : Symbol
        The scalar that is differentiated.
    asked : tuple of Asked
        The variables of differentiation, when the author names them.
    title : str
        The first comment of the file, or nothing.
    notes : mapping of str to str
        The meaning of each name, where the author notes it.
    onehot : tuple of OneHot
        The inputs that are declared one-hot.
    functions : tuple of Function
        The functions that the author defines, in order.
    loops : tuple of Loop
        The loops of the author.
    masks : tuple of Mask
        The inputs that training draws anew at every step.
    assumptions : tuple of Assumption
        The inputs whose shapes were inferred, with the reasons.
    prose : tuple of int
        The lines with words that were not read.
    raised : Dim or None
        The dimension whose indices the author writes above, as the example in ``y^(i)``; empty
        where all indices stand below, None where the author writes none.
    longer : Model or None
        The same forward pass with two more rounds, where a loop has any number of rounds: what is
        stated for all of them has to hold in both.

    Examples
    --------
    >>> from chainrule import read_model
    >>> model = read_model("x : (n, 1)\nw : (1, n)\nz = w x\nL = z^2")
    >>> [symbol.name for symbol in model.parameters()], model.symbol("w").shape
    (['w'], (1, 'n'))
    """

    inputs: tuple[Symbol, ...]
    definitions: tuple[Definition, ...]
    objective: Symbol
    asked: tuple[Asked, ...] = ()
    title: str = ""
    notes: Mapping[str, str] = field(default_factory=dict)
    onehot: tuple[OneHot, ...] = ()
    functions: tuple[Function, ...] = ()
    loops: tuple[Loop, ...] = ()
    masks: tuple[Mask, ...] = ()
    assumptions: tuple[Assumption, ...] = ()
    prose: tuple[int, ...] = ()
    raised: Dim | None = None
    longer: Model | None = field(default=None, repr=False)

    def __post_init__(self) -> None:
        if self.objective.shape != SCALAR:
            raise ModelError(
                f"the objective {self.objective.name} has shape {written(self.objective.shape)}; "
                "a gradient needs a scalar: sum it, or take its mean"
            )

    @cached_property
    def values(self) -> Mapping[Symbol, Expr]:
        """Every defined symbol with its definition, in order."""
        return MappingProxyType({d.target: d.value for d in self.definitions})

    @property
    def symbols(self) -> tuple[Symbol, ...]:
        """Inputs and targets, in order."""
        return (*self.inputs, *(d.target for d in self.definitions))

    @cached_property
    def numbered(self) -> Mapping[Symbol, Dim]:
        """The inputs that are integer indices, each with the number of places.

        Raises
        ------
        ModelError
            When such numbers are computed, or count two kinds of places.
        """
        found: dict[Symbol, Dim] = {}
        nodes = (node for d in self.definitions for node in walk(d.value))
        for node in nodes:
            if not isinstance(node, Apply):
                continue
            for arg, domain in zip(node.args, node.op.domain, strict=False):
                if not domain.whole:
                    continue
                if not isinstance(arg, Symbol) or arg not in self.inputs:
                    raise ModelError(
                        f"{node.op.name} takes an input of whole numbers, and this is computed; "
                        "declare the numbers as an input"
                    )
                count = node.attrs[-1]
                if found.setdefault(arg, count) != count:
                    raise ModelError(
                        f"{arg.name} counts the places of {found[arg]} and of {count}; "
                        "declare two inputs"
                    )
        return MappingProxyType(found)

    def symbol(self, name: str) -> Symbol:
        """Find a symbol by its name.

        Raises
        ------
        ModelError
            When there is none; the message lists the names there are.
        """
        for symbol in self.symbols:
            if symbol.name == name:
                return symbol
        raise ModelError(
            f"unknown name {name}; this forward pass has "
            + ", ".join(symbol.name for symbol in self.symbols)
        )

    @property
    def lengths(self) -> Mapping[str, int]:
        """The numbers of rounds that no line gives, each with the one that stands for it here."""
        return {loop.length: loop.value for loop in self.loops if loop.length}

    def hold_lengths(self, purpose: str) -> None:
        """Refuse a forward pass with a loop of any length.

        Raises
        ------
        ModelError
            When a loop has no number of rounds; the message names the `purpose` that needs one.
        """
        for name in self.lengths:
            raise ModelError(
                f"{name} has no value, and {purpose} needs one: write {name} = 3 above the loop"
            )

    def parameters(self) -> tuple[Symbol, ...]:
        """Return the variables of differentiation.

        Those that the author names; else the parameters by their role: the inputs that are neither
        data nor labels nor constants (`chainrule.calculus.graph.roles`).
        """
        if self.asked:
            return tuple(asked.symbol for asked in self.asked)
        return differentiated(self)

    def opened(self, expr: Expr) -> Expr:
        """Expand every defined symbol, down to the inputs."""
        meaning: dict[Expr, Expr] = {}
        for definition in self.definitions:
            meaning[definition.target] = substitute(definition.value, meaning)
        return substitute(expr, meaning)


class ModelBuilder:
    """Builds a forward pass in Python, with the operators that the lecture uses.

    Parameters
    ----------
    title : str, optional
        The title of derivations.

    Examples
    --------
    >>> from chainrule import ModelBuilder
    >>> from chainrule.calculus.ops import log, sigmoid
    >>> m = ModelBuilder("logistic regression, one example")
    >>> x, y = m.input("x", "n", 1), m.input("y")
    >>> w, b = m.input("w", 1, "n"), m.input("b")
    >>> z = m.define("z", w @ x + b)
    >>> a = m.define("a", sigmoid(z))
    >>> L = m.define("L", -(y * log(a) + (1 - y) * log(1 - a)))
    >>> [s.name for s in m.model().parameters()]
    ['w', 'b']
    """

    def __init__(self, title: str = "") -> None:
        self.title = title
        self._inputs: list[Symbol] = []
        self._definitions: list[Definition] = []

    def input(self, name: str, rows: Dim = 1, columns: Dim = 1) -> Symbol:
        """Declare a matrix of data or parameters.

        Parameters
        ----------
        name : str
        rows, columns : str or int, default=1
            The shape: names of dimensions, or numbers.

        Returns
        -------
        Symbol

        Raises
        ------
        ModelError
            When the name is already defined.

        Examples
        --------
        >>> from chainrule import ModelBuilder
        >>> m = ModelBuilder()
        >>> x, w = m.input("x", "n", 1), m.input("w", 1, "n")
        >>> x.shape, w.shape
        (('n', 1), (1, 'n'))
        """
        symbol = self._new(name, rows, columns)
        self._inputs.append(symbol)
        return symbol

    def define(self, name: str, value: Expr) -> Symbol:
        """Name an intermediate value.

        Parameters
        ----------
        name : str
        value : Expr
            An expression in the symbols declared and defined so far.

        Returns
        -------
        Symbol
            Of the shape of the value.

        Raises
        ------
        ModelError
            When the name is already defined.

        Examples
        --------
        >>> from chainrule import ModelBuilder
        >>> m = ModelBuilder()
        >>> x, w = m.input("x", "n", 1), m.input("w", 1, "n")
        >>> m.define("z", w @ x).shape
        (1, 1)
        """
        symbol = self._new(name, *value.shape)
        self._definitions.append(Definition(symbol, value))
        return symbol

    def model(self, objective: Symbol | None = None, wrt: tuple[Symbol, ...] = ()) -> Model:
        """Return the forward pass.

        Parameters
        ----------
        objective : Symbol, optional
            The scalar that is differentiated; by default the last definition.
        wrt : tuple of Symbol, optional
            The variables of differentiation; by default the parameters by their role.

        Returns
        -------
        Model

        Raises
        ------
        ModelError
            When nothing is defined, or the objective is not a scalar.

        Examples
        --------
        >>> from chainrule import ModelBuilder
        >>> m = ModelBuilder()
        >>> x, w = m.input("x", "n", 1), m.input("w", 1, "n")
        >>> z = m.define("z", w @ x)
        >>> m.model(wrt=(x,)).parameters()[0].name
        'x'
        """
        if not self._definitions:
            raise ModelError("a forward pass needs at least one definition")
        last = objective or self._definitions[-1].target
        return Model(
            tuple(self._inputs),
            tuple(self._definitions),
            last,
            tuple(Asked(symbol) for symbol in wrt),
            self.title,
        )

    def _new(self, name: str, rows: Dim, columns: Dim) -> Symbol:
        if any(s.name == name for s in (*self._inputs, *(d.target for d in self._definitions))):
            raise ModelError(f"{name} is already defined; give this one another name")
        return Symbol(name, (rows, columns))
