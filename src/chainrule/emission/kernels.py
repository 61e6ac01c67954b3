"""The kernels of one forward pass, from its derivation.

The loss is the objective, read as one term of its sum; the gradient is what `chainrule.derive`
proves; the curvature is the derivative of that gradient. Each is stabilised by recorded rules, and
every rewriting is certified before a line is written.
"""

from __future__ import annotations

from collections.abc import Mapping

from chainrule.calculus.derivation.derive import derivation_of
from chainrule.calculus.derivation.steps import Derivation, StepCertificate
from chainrule.calculus.graph.dims import Dim
from chainrule.calculus.graph.model import Model, ModelBuilder
from chainrule.calculus.graph.node import Entry, Expr, Symbol, entry, walk
from chainrule.calculus.indexing.names import Letters
from chainrule.calculus.indexing.reading import read_entry
from chainrule.calculus.ops import reduce_sum, replace
from chainrule.calculus.proof.certify import certify
from chainrule.calculus.proof.verifier import Verifier
from chainrule.calculus.rewriting.rule import Fired, Rule
from chainrule.calculus.rewriting.stabilisation import stabilise
from chainrule.emission.formula import added_up
from chainrule.emission.opening import opened
from chainrule.errors import ProofError


class KernelDerivation:
    """Derives the kernels of one model: its scores `Z` in, one term of the objective out.

    Parameters
    ----------
    model : Model
    rules : tuple of tuples of Rule
        Applied in turn.
    meanings : mapping of Symbol to Expr, optional
        What symbols that the rules bring in stand for.
    """

    def __init__(
        self,
        model: Model,
        rules: tuple[tuple[Rule, ...], ...],
        meanings: Mapping[Expr, Expr] | None = None,
    ) -> None:
        self.model = model
        self.rules = rules
        self.meanings = meanings or {}
        self.scores = model.symbol("Z")
        self.labels = model.symbol("Y")
        self.derivation = certify(derivation_of(model, ["Z"], named=False))
        self.verifier = Verifier(self.derivation)
        self.traces: dict[str, list[Fired]] = {}

    def loss(self) -> Expr:
        """Return one term of the objective, in the scores."""
        value = self._in_scores(self.derivation, self.model.objective)
        form = read_entry(value, None, None, Letters(self._dims()))
        return self.stable("loss", added_up(form))

    def slope(self) -> Expr:
        """Return the derivative of that term with respect to a score, as it is taught."""
        return self._opened(self.derivation)

    def gradient(self) -> Expr:
        """Return the same, to be run."""
        return self.stable("gradient", self.slope())

    def curvature(self, direction: Symbol) -> tuple[Expr, Derivation]:
        """Return the derivative of the gradient along a direction, an index form linear in it."""
        m = ModelBuilder("the slope of the gradient")
        matrix = self.derivation["Z"].matrix
        assert matrix is not None
        gradient = self._in_scores(self.derivation, matrix)
        for symbol in (self.scores, self.labels, direction):
            m.input(symbol.name, *symbol.shape)
        m.define("G", reduce_sum(direction * gradient))
        derivation = certify(derivation_of(m.model(), ["Z"], named=False))
        return self._opened(derivation), derivation

    def stable(self, name: str, form: Expr, verifier: Verifier | None = None) -> Expr:
        """Stabilise an index form, and certify every rewriting."""
        judge = verifier or self.verifier
        trace: list[Fired] = []
        for rules in self.rules:
            form, fired = stabilise(form, rules)
            trace += fired
        for step in trace:
            found = judge.equal(self._in_words(step.before), self._in_words(step.after))
            if not isinstance(found, StepCertificate):
                raise ProofError(f"{name}: {step.rule.name} could not be certified: {found}")
        self.traces[name] = trace
        return form

    def _opened(self, derivation: Derivation) -> Expr:
        """Return a derivation's slope, its names (a_i) by what they are in the scores (σ(z_i)).

        A name is looked up in the derivation that has it: another may mean something else by it.
        """
        form = derivation["Z"].index
        known = {*derivation.model.values, *derivation.layers}
        mapping: dict[Expr, Expr] = {}
        for node in walk(form):
            if isinstance(node, Entry) and node.matrix in known and node.matrix is not self.scores:
                value = self._in_scores(derivation, node.matrix)
                mapping[node] = read_entry(value, node.row, node.col, Letters(self._dims()))
        return replace(form, mapping)

    def _in_scores(self, derivation: Derivation, value: Expr) -> Expr:
        return opened(derivation, value, keep=self.scores)

    def _in_words(self, form: Expr) -> Expr:
        """Say what chosen symbols, such as the shift, are in terms that the verifier knows."""
        mapping: dict[Expr, Expr] = {
            node: entry(self.meanings[node.matrix], node.row, node.col)
            for node in walk(form)
            if isinstance(node, Entry) and node.matrix in self.meanings
        }
        return replace(form, mapping)

    def _dims(self) -> set[Dim]:
        return {dim for symbol in self.model.symbols for dim in symbol.shape}
