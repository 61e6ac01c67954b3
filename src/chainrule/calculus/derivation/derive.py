"""The derivation itself: the chain rule, the factors, the substitutions, the short form.

The order is the lecture's. First the chain rule for every variable; then each factor is asked as
"= ?" and answered, once; then, variable by variable, the answers are put in one at a time, the
product is shortened by named steps, and the index form is collapsed to a matrix of the
variable's shape. In a deep network the gradients at the layers get names first (``dz^[2]``) and
each is a short derivation of the same kind.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace as replace_fields
from itertools import count

from chainrule.calculus.derivation.chain import (
    ChainFactor,
    ChainRule,
    Paths,
    chain_rule,
)
from chainrule.calculus.derivation.folding import called, folded
from chainrule.calculus.derivation.lines import fixed
from chainrule.calculus.derivation.matrix_form import matrix_form
from chainrule.calculus.derivation.opening import OwnLetters, in_own_letters
from chainrule.calculus.derivation.own import function_steps, own_rows
from chainrule.calculus.derivation.recognition import Recognition
from chainrule.calculus.derivation.record import StepRecord, unused
from chainrule.calculus.derivation.recursion import recursion_steps
from chainrule.calculus.derivation.sentences import (
    chain_sentence,
    factor_sentence,
)
from chainrule.calculus.derivation.solving import as_written, solved
from chainrule.calculus.derivation.staging import staged
from chainrule.calculus.derivation.steps import Claim, Derivation, Gradient, Phase
from chainrule.calculus.derivation.trail import told, with_sums_as_written
from chainrule.calculus.graph.dims import SCALAR, Index, written
from chainrule.calculus.graph.model import Definition, Model
from chainrule.calculus.graph.node import (
    Entry,
    Expr,
    Number,
    Partial,
    Positions,
    Symbol,
    entry,
    partials,
    running,
    symbols,
)
from chainrule.calculus.graph.replacement import Replacement
from chainrule.calculus.ops import broadcast, replace
from chainrule.calculus.rewriting.blocks import filled
from chainrule.calculus.rewriting.relations import side_relations
from chainrule.calculus.rewriting.simplification import shorten, simplify
from chainrule.errors import DerivationError


def derivation_of(
    model: Model,
    wrt: Sequence[str] | None = None,
    *,
    prefix: str = "d",
    named: bool = True,
) -> Derivation:
    """Derive the gradients of a model's objective, step by step, without verification.

    `chainrule.derive` calls this and then verifies every step.

    Parameters
    ----------
    model : Model
        The forward pass.
    wrt : sequence of str, optional
        Names of the variables; by default the parameters.
    prefix : str, optional
        The prefix that turns the name of a value into that of its gradient: ``dz``.
    named : bool, optional
        Whether written-out functions, such as a softmax, are called by their names. Kernels are
        emitted from what is written out, which has a stable form of its own.

    Raises
    ------
    DerivationError
        When the objective itself is asked for.
    ModelError
        When a name is unknown.
    """
    asked = [model.symbol(name) for name in wrt] if wrt else list(model.parameters())
    variables = tuple(dict.fromkeys(asked))
    if model.objective in variables:
        raise DerivationError(
            f"{model.objective.name} is the objective; ask for the gradient with respect to "
            "something that it depends on"
        )
    places = {a.symbol: a.place for a in model.asked}
    longer = None
    if model.longer is not None:
        longer = derivation_of(model.longer, _asked_again(model, wrt), prefix=prefix, named=named)
    return _Derivation(model, variables, places, prefix, named, longer).run()


def _asked_again(model: Model, wrt: Sequence[str] | None) -> list[str] | None:
    """Return the variables that the forward pass with more rounds has, too."""
    assert model.longer is not None
    known = {symbol.name for symbol in model.longer.symbols}
    return [name for name in wrt if name in known] if wrt else None


class _Derivation:
    def __init__(
        self,
        model: Model,
        variables: tuple[Symbol, ...],
        places: dict[Symbol, int | None],
        prefix: str,
        named: bool,
        longer: Derivation | None,
    ) -> None:
        self.longer = longer
        self.original = model
        self.prefix = prefix
        self.named = named
        self.model, self.added = staged(model)
        self.variables = variables
        self.asked_places = places
        self.paths = Paths(self.model)
        self.record = StepRecord(lambda: (*self.model.symbols, *self.layer_gradients))
        self.answers: dict[Expr, Expr] = {}
        self.places: dict[Symbol, Positions] = {}
        self.layers: dict[Symbol, Expr] = {}
        self.layer_gradients: dict[Symbol, Gradient] = {}
        self.own_letters = OwnLetters()
        self.gradients: dict[str, Gradient] = {}
        self.opened: set[Expr] = set()
        self.answered_at: dict[Expr, int] = {}
        self.shortened: dict[Expr, Expr] = {}
        self.relations = side_relations(self.model)
        self.recognition = Recognition(self.model, self.relations)

    def run(self) -> Derivation:
        for row in own_rows(self.model.values.values()):
            self.record.extend(function_steps(row, self.record.next))
        for definition in self.added:
            self._name(definition)
        for definition in self.model.definitions:
            self._write_out(definition)
        if self.paths.needs_layers(self.variables):
            for symbol in self.paths.named_layers(self.variables):
                self._layer(symbol)
        found = {
            variable: self._opened(gradient)
            for variable, gradient in self._block(self.variables).items()
        }
        self.gradients = {symbol.name: gradient for symbol, gradient in found.items()}
        self.record.extend(
            recursion_steps(
                self.model,
                self.layer_gradients,
                found.values(),
                tuple(self.record.steps),
                self.longer,
            )
        )
        return Derivation(
            self.model,
            tuple(self.record.steps),
            self.gradients,
            self.layer_gradients,
            self.answers,
            self.places,
            self._cache(),
            self.original,
            longer=self.longer,
        )

    def _layer(self, symbol: Symbol) -> None:
        """Derive the gradient at a layer, and give it a name unless it is a number."""
        begins = len(self.record)
        gradient = self._block((symbol,))[symbol]
        constant = _is_constant(gradient.index, symbol)
        if constant and not self.model.loops:  # a recursion has names throughout
            self.layers[symbol] = broadcast(gradient.index, symbol.shape)
            return
        name = self._gradient_name(symbol)
        self.record.introduce(name, begins)
        self.layer_gradients[name] = gradient
        self.own_letters.add(name, gradient.matrix)
        self.layers[symbol] = name

    def _block(self, variables: Iterable[Symbol]) -> dict[Symbol, Gradient]:
        """Derive the gradients of a few variables together, with each factor once."""
        chains = [chain_rule(self.paths, v, self.layers, self.paths.letters()) for v in variables]
        for chain in chains:
            self.places[chain.variable] = chain.places
            self._chain_step(chain)
        for link in self._unanswered(chains):
            self._factor_steps(link)
        return {chain.variable: self._gradient(chain) for chain in chains}

    def _unanswered(self, chains: Iterable[ChainRule]) -> list[ChainFactor]:
        links: dict[Expr, ChainFactor] = {}
        for chain in chains:
            for link in chain.links:
                if link.partial not in self.answers:
                    links.setdefault(link.partial, link)
        return list(links.values())

    def _opened(self, gradient: Gradient) -> Gradient:
        """Write a gradient without the names of others, where that is short."""
        matrix = gradient.matrix
        named = matrix is not None and symbols(matrix) & set(self.layer_gradients)
        if matrix is None or not named or gradient.place is not None:
            return gradient
        opened = in_own_letters(gradient, self.own_letters, self._shortest)
        if opened is None:
            return gradient
        left = Partial(self.model.objective, gradient.variable)
        said = " and ".join(name.name for name in self.layer_gradients if name in named)
        self.record.add(
            Phase.OPENED,
            "the names of gradients opened",
            left,
            matrix,
            opened,
            f"{said} is replaced by what it stands for",
            claim=Claim.OPENED,
        )
        return replace_fields(gradient, opened=opened)

    def _shortest(self, form: Expr) -> Expr:
        """Shorten an index form by all means."""
        short, _ = simplify(form, self.shortened, self.relations)
        return self.recognition.recognise(short)[0]

    # ---- the steps, one kind a method ------------------------------------------------------

    def _name(self, definition: Definition) -> None:
        target, value = definition.target, definition.value
        self.record.add(
            Phase.STAGE,
            "name what is nested",
            target,
            value,
            value,
            f"{target.name} gets a name, so that its derivative can be asked for by itself",
        )

    def _write_out(self, definition: Definition) -> None:
        """Show a line in which the author's functions are expanded."""
        if definition.opened:
            self.record.add(
                Phase.STAGE,
                "write the function out",
                definition.target,
                definition.value,
                definition.value,
                "; ".join(definition.opened),
            )

    def _chain_step(self, chain: ChainRule) -> None:
        variable, objective = chain.variable, self.model.objective
        if self._is_direct(chain):
            return  # the factor that is asked next is the whole question
        form = self._whole(chain)
        at = entry(variable, *chain.places)
        left = Partial(objective, at if running(form) else variable)
        if isinstance(chain.form, Number):
            form = Number(chain.form.value, variable.shape)
        why = chain_sentence(chain, self.paths, self.layers)
        rule = "chain rule" if len(chain.links) > 1 or self.layers else "what is asked"
        used = {r.rule: r.because for reasons in chain.moved.values() for r in reasons}
        if used:
            rule = ", ".join((rule, *used) if rule == "chain rule" else used)
            why = "; ".join((why, *used.values()))
        self.record.add(
            Phase.CHAIN,
            rule,
            left,
            left,
            form,
            why,
            claim=Claim.DERIVATIVE,
        )

    def _factor_steps(self, link: ChainFactor) -> None:
        if link.opened is not None and link.opened not in self.opened:
            self.opened.add(link.opened)
            at = link.partial.of
            places = at.places if isinstance(at, Entry) else (None, None)
            value = self.model.values[link.target]
            self.record.add(
                Phase.FACTOR,
                "write one entry out",
                at,
                entry(value, *places),
                link.opened,
                f"one entry of {link.target.name}, by the meaning of its operations",
            )
        why = factor_sentence(link, self.model)
        self.answers[link.partial] = link.answer
        self.answered_at[link.partial] = self.record.next
        self.record.add(
            Phase.FACTOR,
            ", ".join(dict.fromkeys(r.rule for r in link.reasons)) or "definition",
            link.partial,
            link.partial,
            link.answer,
            why,
            question=link.partial,
            reasons=link.reasons,
            claim=Claim.DERIVATIVE,
        )

    def _gradient(self, chain: ChainRule) -> Gradient:
        variable = chain.variable
        left = Partial(self.model.objective, entry(variable, *chain.places))
        form = self._whole(chain)
        direct = self._is_direct(chain)
        if variable.shape != SCALAR and form is not chain.form and not direct:
            free = [i for i in chain.places if isinstance(i, Index)]
            span = " and ".join(f"{i.name} = 1..{i.dim}" for i in free)
            self.record.add(
                Phase.ENTRY,
                "one entry at a time",
                left,
                form,
                chain.form,
                f"{variable.name} is {written(variable.shape)}: take its entry {span}",
            )
        form = self.answers[chain.form] if direct else chain.form
        while asked := partials(form):
            partial = asked[0]
            put_in = self._put_in(form, partial)
            after = put_in.around(put_in.after)
            self.record.add(
                Phase.SUBSTITUTE,
                "put the answer in",
                left,
                form,
                after,
                f"this factor was answered in step {self.answered_at[partial]}",
                factors=partials(after),
                replacement=put_in,
            )
            form = after
        form, fired = shorten(form, self.shortened, self.relations)
        form, named = folded(form, self.model)
        if not named:
            form, named = simplify(form, self.shortened, self.relations)
        fired = [*fired, *named]
        if self.named:
            for rename in (
                self.recognition.recognise,
                lambda f: called(f, self.model),
                lambda f: solved(f, self.model, self._shortest),
            ):
                form, seen = rename(form)
                fired += seen
            form, fired = with_sums_as_written(form, fired, as_written(form, self.model))
        form, blocks = filled(form)
        for firing in told([*fired, *blocks]):
            self.record.add(
                Phase.SIMPLIFY,
                firing.rule.name,
                left,
                firing.before,
                firing.after,
                firing.rule.because,
                replacement=firing.replacement,
            )
        gradient = matrix_form(
            chain, form, self.record, self.paths, self.layers, self.asked_places.get(variable)
        )
        self._result_step(chain, gradient)
        return gradient

    def _put_in(self, form: Expr, partial: Partial) -> Replacement:
        """Return the replacement of a derivative in a line by its answer."""
        return Replacement(
            partial,
            self.answers[partial],
            lambda e: replace(form, {partial: e}),
            self.answered_at[partial],
        )

    def _result_step(self, chain: ChainRule, gradient: Gradient) -> None:
        variable, objective = chain.variable, self.model.objective
        final = gradient.matrix if gradient.matrix is not None else gradient.index
        left: Expr = Partial(objective, variable)
        if gradient.matrix is None:
            left = Partial(objective, entry(variable, *chain.places))
        self.record.conclude(
            left,
            final,
            "the gradient",
            f"the gradient of {objective.name} has the shape of {variable.name}, "
            f"{written(variable.shape)}",
            gradient.no_matrix_form,
        )
        if gradient.place is not None:
            self._place_step(chain, gradient)

    def _place_step(self, chain: ChainRule, gradient: Gradient) -> None:
        index, at = chain.long_index, gradient.asked
        assert gradient.place is not None
        assert at is not None
        whole = entry(chain.variable, *chain.places)
        self.record.add(
            Phase.RESULT,
            "the entry that was asked for",
            Partial(self.model.objective, fixed(whole, index, gradient.place)),
            at,
            at,
            f"{index.name} = {gradient.place}",
            claim=Claim.DERIVATIVE,
        )

    def _is_direct(self, chain: ChainRule) -> bool:
        """Whether a variable enters only the objective: one factor, no chain."""
        at = entry(chain.variable, *chain.places)
        return chain.form is Partial(self.model.objective, at)

    # ---- helpers ---------------------------------------------------------------------------

    def _whole(self, chain: ChainRule) -> Expr:
        """Write the chain with the variable as a whole, as the lecture's first line does.

        Where an index of the variable stays free in other factors, only an entry makes sense.
        """
        at = entry(chain.variable, *chain.places)
        if at is chain.variable:
            return chain.form
        mapping: dict[Expr, Expr] = {
            p: Partial(p.of, chain.variable) for p in partials(chain.form) if p.wrt is at
        }
        whole = replace(chain.form, mapping)
        return chain.form if running(whole) else whole

    def _gradient_name(self, symbol: Symbol) -> Symbol:
        taken = {s.name for s in self.model.symbols}
        taken |= {name.name for name in self.layer_gradients}
        names = (self.prefix * times + symbol.name for times in count(1))
        return Symbol(unused(names, taken), symbol.shape)

    def _cache(self) -> tuple[Symbol, ...]:
        used: set[Symbol] = set()
        for gradient in (*self.layer_gradients.values(), *self.gradients.values()):
            used |= symbols(gradient.index)
        return tuple(s for s in self.model.symbols if s in used)


def _is_constant(form: Expr, variable: Symbol) -> bool:
    """Whether a gradient is a number, or a scalar made of sizes: a name for it says less."""
    return isinstance(form, Number) or (variable.shape == SCALAR and not symbols(form))
