"""A derivation as data: steps, gradients, and the certificates from verification."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from enum import Enum
from functools import cached_property

from chainrule.calculus.derivation.provenance import Provenance, answered, traced
from chainrule.calculus.graph.dims import Shape
from chainrule.calculus.graph.model import Model
from chainrule.calculus.graph.node import (
    Expr,
    Partial,
    Position,
    Positions,
    Symbol,
    entry,
    substitute,
    symbols,
)
from chainrule.calculus.graph.replacement import Replacement
from chainrule.calculus.graph.roles import reading_sentences
from chainrule.display import Displayed
from chainrule.errors import DerivationError


class Phase(Enum):
    """The purpose of a step."""

    FUNCTION = "function"
    STAGE = "name"
    CHAIN = "chain"
    FACTOR = "factor"
    ENTRY = "entry"
    SUBSTITUTE = "substitute"
    SIMPLIFY = "simplify"
    COLLAPSE = "collapse"
    SHAPE = "shape"
    RESULT = "result"
    OPENED = "opened"
    CURVATURE = "curvature"
    RECURSION = "recursion"


class Claim(Enum):
    """The claim of a step, which decides how it is verified."""

    EQUAL = "before equals after"
    DERIVATIVE = "left is the derivative that after states"
    ROUNDS = "in every round, left and after are those of the line of that round"
    ROUND_SUM = "before equals after, once every round of its sums is written out"
    SLOPE = "left is the slope of a function that after states"
    OPENED = "before equals after, once the gradients with names are opened"
    CURVATURE = "left is the entry of the Hessian that after states"


class VerificationMethod(Enum):
    """The verification methods, strongest first."""

    EXACT = "exact modular arithmetic"
    FLOAT = "float64, with function definitions expanded"
    DIGITS = "fifty digits"
    DIFFERENCES = "finite differences"


@dataclass(frozen=True)
class StepCertificate:
    """The evidence for one step.

    Parameters
    ----------
    method : VerificationMethod
        The verification method that decided.
    points : int
        At how many random points.
    error : float
        The largest relative disagreement; 0 for exact arithmetic.
    sizes : tuple of mapping
        The sizes of the dimensions at those points.
    """

    method: VerificationMethod
    points: int
    error: float
    sizes: tuple[Mapping[str, int], ...]

    def __str__(self) -> str:
        at = f"{self.points} random point{'s' if self.points != 1 else ''}"
        if self.method is VerificationMethod.EXACT:
            return f"{self.method.value}, {at}: no difference"
        return f"{self.method.value}, {at}: agrees to {self.error:.0e}"


@dataclass(frozen=True)
class Reason:
    """One use of a derivative rule in a step.

    Parameters
    ----------
    rule : str
        The name of the rule.
    because : str
        Why it holds.
    slope : str
        Why it gives the derivative of one value w.r.t. another, and no gradient comes back.
    """

    rule: str
    because: str
    slope: str = ""

    @property
    def of_factor(self) -> Reason:
        """The same use of the rule, as the reason of a factor."""
        return Reason(self.rule, self.slope or self.because)


@dataclass(frozen=True)
class Step:
    """One line of a derivation.

    Parameters
    ----------
    id : int
        Counted from 1.
    phase : Phase
        The purpose of the step.
    rule : str
        The name of the rule.
    left : Expr
        The left side of the line.
    before, after : Expr
        The right side before and after; `after` is the right side of the line.
    why : str
        The reason, in a sentence.
    question : Expr or None
        What is asked, when the step answers "= ?".
    factors : tuple of Expr
        The derivatives that still stand unanswered in `after`.
    shapes : tuple of (str, Shape)
        The matrices on the line.
    reasons : tuple of Reason
        The derivative rules that were used, in order.
    claim : Claim
        The claim to verify.
    check : StepCertificate or None
        The proof, once it has been attached.
    rounds : tuple of (int, int)
        For a line that holds in several rounds of a loop: each round, and its line.
    counter : str
        The counter of these rounds, or the name of the last round of all.
    span : tuple of str
        The first and the last of these rounds, as the author counts: ``1`` and ``T-1``.
    concludes : bool
        Whether this is the last line about the gradient of a variable or layer. Its certificate is
        that of a derivative; what it rewrites is verified besides.
    replacement : Replacement or None
        The part of the right side that changed, where the rewriting recorded it.

    Examples
    --------
    >>> import chainrule
    >>> derivation = chainrule.derive(chainrule.load_model("logistic_single"))
    >>> step = next(step for step in derivation if step.question is not None)
    >>> chainrule.plain(step.after), str(step.check).split(",")[0]
    ('-y/a + (1 - y)/(1 - a)', 'finite differences')
    """

    id: int
    phase: Phase
    rule: str
    left: Expr
    before: Expr
    after: Expr
    why: str
    question: Expr | None = None
    factors: tuple[Expr, ...] = ()
    shapes: tuple[tuple[str, Shape], ...] = ()
    reasons: tuple[Reason, ...] = ()
    claim: Claim = Claim.EQUAL
    check: StepCertificate | None = None
    rounds: tuple[tuple[int, int], ...] = ()
    counter: str = ""
    span: tuple[str, ...] = ()
    concludes: bool = False
    replacement: Replacement | None = field(default=None, compare=False, repr=False)

    @cached_property
    def provenance(self) -> Provenance:
        """Where each sub-expression of the right side comes from in the right side before.

        Computed when it is first asked for. An answer to a question, where `before` is the left
        side itself, is the rule's as a whole.
        """
        if self.before is self.left and self.after is not self.left:
            return answered(self.rule, self.after)
        return traced(self.rule, self.before, self.after, self.replacement)


@dataclass(frozen=True)
class Gradient(Displayed):
    """The gradient of the objective with respect to one variable.

    Parameters
    ----------
    variable : Symbol
        The variable of differentiation.
    index : Expr
        One entry, as an index form.
    matrix : Expr or None
        All entries, in the shape of the variable; nothing when there is no matrix form.
    places : tuple of Position
        The position of the entry `index`.
    place : int or None
        The one entry that was asked for, from 1.
    no_matrix_form : str
        Why there is no matrix form.
    asked : Expr or None
        The one entry that was asked for.
    opened : Expr or None
        All entries, with the names of other gradients replaced by what they stand for, where that
        is short.
    """

    variable: Symbol
    index: Expr
    matrix: Expr | None
    places: Positions
    place: int | None = None
    no_matrix_form: str = ""
    asked: Expr | None = None
    opened: Expr | None = None

    @property
    def row(self) -> Position:
        """The position of the entry `index` along the rows."""
        return self.places[-2]

    @property
    def col(self) -> Position:
        """The position of the entry `index` along the columns."""
        return self.places[-1]

    @property
    def final(self) -> Expr:
        """The form to write down: in the letters of the forward pass where that is short."""
        found = self.matrix if self.opened is None else self.opened
        return self.index if found is None else found


@dataclass(frozen=True)
class Hessian:
    """The second derivatives of an objective with respect to the entries of two vectors.

    Row p counts the entries of `rows`, column j those of `columns`, for row and column vectors.

    Parameters
    ----------
    symbol : Symbol
        Its name and shape.
    gradient : Symbol
        The gradient that is differentiated again, of the shape of `rows`.
    rows, columns : Symbol
        The variables.
    index : Expr
        One entry, as an index form.
    matrix : Expr or None
        All entries; nothing when there is no matrix form.
    row, col : Position
        The position of the entry `index`.
    no_matrix_form : str
        Why there is no matrix form.
    """

    symbol: Symbol
    gradient: Symbol
    rows: Symbol
    columns: Symbol
    index: Expr
    matrix: Expr | None
    row: Position
    col: Position
    no_matrix_form: str = ""

    @property
    def entries(self) -> tuple[Expr, Expr]:
        """The entry of the gradient, and the entry of the variable."""
        return along(self.gradient, self.row), along(self.columns, self.col)


def along(vector: Symbol, place: Position) -> Expr:
    """Return an entry of a row or column vector."""
    return entry(vector, *((None, place) if vector.shape[0] == 1 else (place, None)))


@dataclass(frozen=True)
class Derivation(Displayed):
    """A model, its gradients, and every step on the way.

    Parameters
    ----------
    model : Model
        The forward pass, with names for what was nested.
    steps : tuple of Step
        In the order in which a lecture shows them.
    gradients : mapping of str to Gradient
        By the name of the variable.
    layers : mapping of Symbol to Gradient
        Gradients that got a name of their own on the way (``dz^[2]``), in order.
    answers : mapping of Expr to Expr
        The answer of every derivative that was asked.
    places : mapping of Symbol to tuple of Position
        The running entry by which each variable's gradient is derived.
    cache : tuple of Symbol
        The values that the forward pass must keep for the gradients.
    source : Model or None
        The forward pass as its author wrote it.
    hessians : mapping of Symbol to Hessian
        The second derivatives, by their names.
    first : Derivation or None
        For a derivation of second order, the gradients that its forward pass begins with.
    longer : Derivation or None
        The derivation with two more rounds, where a loop has any number of rounds. What is stated
        for all of them stands in both.

    Examples
    --------
    A derivation is a sequence of steps, and a gradient is found by the name of its variable:

    >>> import chainrule
    >>> derivation = chainrule.derive(chainrule.load_model("logistic_single"))
    >>> chainrule.plain(derivation["w"].matrix), derivation.proven
    ('(a - y) x^T', True)
    >>> [step.phase.value for step in derivation][:3]
    ['chain', 'chain', 'factor']
    """

    model: Model
    steps: tuple[Step, ...]
    gradients: Mapping[str, Gradient]
    layers: Mapping[Symbol, Gradient] = field(default_factory=dict)
    answers: Mapping[Expr, Expr] = field(default_factory=dict)
    places: Mapping[Symbol, Positions] = field(default_factory=dict)
    cache: tuple[Symbol, ...] = ()
    source: Model | None = None
    hessians: Mapping[Symbol, Hessian] = field(default_factory=dict)
    first: Derivation | None = None
    longer: Derivation | None = field(default=None, repr=False)

    @property
    def general(self) -> tuple[Step, ...]:
        """The lines for all rounds of a loop."""
        return tuple(step for step in self.steps if step.phase is Phase.RECURSION)

    @property
    def reading(self) -> tuple[str, ...]:
        """How the forward pass was read: inferred shapes, and what is differentiated."""
        first = self.first or self
        variables = [gradient.variable for gradient in first.gradients.values()]
        said = reading_sentences(first.source or first.model, variables)
        if missing := self.without_general:
            objective = self.model.objective.name
            names = " and ".join(f"∂{objective}/∂{variable.name}" for variable in missing)
            lengths = " and ".join(self.model.lengths)
            said += (f"no line for any {lengths} was found for {names}",)
        return said

    @property
    def without_general(self) -> tuple[Symbol, ...]:
        """The variables whose gradients are not stated for any number of rounds, where they are."""
        if self.longer is None:
            return ()
        rounds = {line for step in self.general for _, line in step.rounds}
        told = {step.left for step in self.steps if step.id in rounds}
        told |= {step.left for step in self.general}
        objective = self.model.objective
        return tuple(
            gradient.variable
            for gradient in (*self.layers.values(), *self.gradients.values())
            if Partial(objective, gradient.variable) not in told
        )

    def __iter__(self) -> Iterator[Step]:
        return iter(self.steps)

    def __getitem__(self, name: str) -> Gradient:
        try:
            return self.gradients[name]
        except KeyError:
            known = ", ".join(self.gradients)
            raise DerivationError(
                f"no gradient with respect to {name}; this derivation has {known}"
            ) from None

    def without_layers(self, form: Expr) -> Expr | None:
        """Replace the names of layer gradients by their matrix forms.

        Parameters
        ----------
        form : Expr
            A matrix form of this derivation.

        Returns
        -------
        Expr or None
            None where one of the layer gradients has no matrix form.
        """
        for symbol, gradient in reversed(list(self.layers.items())):
            if symbol in symbols(form):
                if gradient.matrix is None:
                    return None
                form = substitute(form, {symbol: gradient.matrix})
        return form

    @property
    def proven(self) -> bool:
        """Whether every step has a certificate."""
        return all(step.check is not None for step in self.steps)
