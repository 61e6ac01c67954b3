"""Judging the lines of a derivation one after another, each with the claims before it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import replace
from functools import cached_property, partial
from itertools import pairwise

from chainrule.calculus.graph.dims import SCALAR
from chainrule.calculus.graph.model import Model
from chainrule.calculus.graph.node import Entry, Expr, Number, Position, Symbol
from chainrule.calculus.ops import renamed
from chainrule.errors import ParseError, ScopeError, UnmetError
from chainrule.language.answers import Lexicon, spelled
from chainrule.language.reading.statements import MAX_LINE
from chainrule.language.reading.tree import Derivative, Name
from chainrule.teaching.diagnosis.explanation import SUM_MISSING, LineExplainer, WrongSide, asked_by
from chainrule.teaching.diagnosis.right_lines import NO_FORM, Quantity
from chainrule.teaching.grading.conventions import Convention, Ratio, conventions, transposed_names
from chainrule.teaching.grading.equation_chain import (
    EquationChain,
    guard_of,
    right_if_symmetric,
    says_nothing,
)
from chainrule.teaching.grading.line_verdicts import (
    FOLLOWS,
    GOES_ON,
    OPEN,
    RESTATED,
    UNMOVED,
    Verdict,
    in_own_function,
    is_slip,
    refused_line,
)
from chainrule.teaching.grading.own_values import defined_by_entries, redefined
from chainrule.teaching.grading.statement_kinds import is_condition, is_gradient, is_input
from chainrule.teaching.marking.differentials import (
    Differentials,
    in_one_form,
    is_differential,
    moves,
    with_directions,
)
from chainrule.teaching.marking.forward import is_size
from chainrule.teaching.marking.functional_notation import SCRIPT_L, in_plain_form
from chainrule.teaching.marking.judging import EqualityJudge, EqualityOutcome
from chainrule.teaching.marking.line_context import AskedDerivative, Claims, LineContext
from chainrule.teaching.marking.open_objective import UNNAMED, is_open, uses_gradients
from chainrule.teaching.marking.reading import (
    PARTIAL,
    Reading,
    expression,
    line_of,
    readings,
    tree,
)
from chainrule.teaching.marking.softmax_labels import with_softmax_labels
from chainrule.teaching.marking.transcript import TranscriptStatement, equals_signs
from chainrule.teaching.marking.verdicts import NamedMistake

_PARTIAL_SIGN = re.compile(r"∂|\\partial\b")
_DIAGONAL = re.compile(r"(?:\\partial|∂)\s*\\?\w+?(?:_\{?\w\}?)\s*(?:\^\s*\{?\s*2|²)")
_EVERY_LAYER = re.compile(r"\[\s*l\s*(?:[+\-−]\s*\d\s*)?\]")


class Auditor:
    """Judges lines one after another, with the claims of earlier lines.

    Parameters
    ----------
    model : Model
        The forward pass.
    convention : Convention, optional
        The convention in which the gradients are meant.
    explains : bool
        Whether wrong lines are explained.
    """

    def __init__(
        self, model: Model, convention: Convention | None = None, *, explains: bool = True
    ) -> None:
        self.explains = explains
        self.equality_judge = EqualityJudge(with_softmax_labels(model))
        self.model = self.equality_judge.model
        self.is_open = is_open(model)
        self.claims = Claims(scales={} if convention is None else dict(convention.scales))
        self.local: dict[str, Symbol] = {}
        if convention is not None and convention.rows:
            self.local = transposed_names(self.model, self.claims)
        self.last: EquationChain | None = None
        self.explainer = LineExplainer(self.equality_judge, self.claims)
        self.diagonal = False  # whether a line gives second derivatives by one entry twice
        self.in_motion = False  # whether lines are in differential form
        self.of_gradients: set[str] = set()  # names of the author's own for gradients
        self.ratios: list[Ratio] = []  # of wrong gradients, where each is one number

    @cached_property
    def differential_judge(self) -> EqualityJudge:
        """The judge of lines in differential form."""
        return EqualityJudge(with_directions(self.equality_judge.author))

    def judged(self, said: Iterable[TranscriptStatement]) -> list[Verdict | None]:
        """Judge statements in order; None for one that is not a claim."""
        said = list(said)
        name = self.model.objective.name
        open_ended = name == UNNAMED and not any(is_gradient(s.text, self.model) for s in said)
        self.in_motion = open_ended or any(is_differential(s.text, name) for s in said)
        return [self.judge(statement) for statement in said]

    def conventions(self, lines: Iterable[Verdict | None]) -> Iterator[Convention]:
        """Yield the conventions that the wrong lines suggest."""
        unmet = any(line is not None and line.verdict == "shape" for line in lines)
        return conventions(self.model, self.ratios, unmet=unmet)

    def judge(self, said: TranscriptStatement) -> Verdict | None:
        """Judge one statement; None when it is not a claim."""
        written = said.without_words(self._knows)
        said = self._in_plain_form(written)
        self.diagonal = self.diagonal or _DIAGONAL.search(said.text) is not None
        cuts = equals_signs(said.text)
        if not cuts or is_condition(said, self.model, self.local):
            return None
        if self._defines(said):
            if uses_gradients(said.text, self.model.objective.name):
                self.of_gradients.add(said.text[: cuts[0]].strip().partition("_")[0])
            if len(cuts) == 1:
                return None
            said = replace(
                said, text=said.text[cuts[0] + 1 :]
            )  # J_ij = ∂a_i/∂z_j = ... claims, too
        verdict = replace(self._of_layers(said), text=written.text)
        moved = self._is_moved(said.text) or (self.last is not None and self.last.moves)
        objective = self.model.objective.name
        settled = moved or not uses_gradients(said.text, objective)
        settled = settled or is_slip(said, verdict, objective, self.of_gradients)
        if verdict.accused and self.is_open and not settled:
            verdict = replace(verdict, verdict="unproven", why=OPEN, mistakes=(), right="")
        return in_own_function(said, verdict, self._knows)

    def _of_layers(self, said: TranscriptStatement) -> Verdict:
        """Judge a statement, for every layer where it is about layer l."""
        layers: tuple[int | None, ...] = (None,)
        if _EVERY_LAYER.search(said.text):
            layers = Lexicon(self.model).layers or layers  # a name such as Zs has no layers
        found: list[Verdict] = []
        for layer in layers:
            lexicon = Lexicon(self.model, self.local, layer)
            verdict = self._judged(said, lexicon)
            if verdict.verdict != "unreadable":
                found.append(verdict)
            elif len(layers) == 1 or (layer == layers[-1] and not found):
                return verdict
        return next((v for v in found if v.verdict != "proven"), found[0])

    def _in_plain_form(self, said: TranscriptStatement) -> TranscriptStatement:
        if said.code or len(said.text) > MAX_LINE:
            return said
        model = self.equality_judge.author
        parameters = [symbol.name for symbol in model.parameters()]
        text = said.text
        if model.objective.name in ("l", "L") and not self._knows("ell"):
            text = SCRIPT_L.sub(model.objective.name, text)
        text = in_plain_form(text, model.objective.name, partial(is_input, self.model), parameters)
        moved = self._is_moved(text)
        if moved or (said.continues and self.last is not None and self.last.moves):
            text = in_one_form(text)
        return replace(said, text=text)

    def _is_moved(self, text: str) -> bool:
        """Whether a line gives a differential, and no gradient."""
        if is_differential(text, self.model.objective.name):
            return True
        return self.in_motion and moves(text, self._knows)

    def _knows(self, word: str) -> bool:
        return Lexicon(self.model, self.local).find(word) is not None

    # ---- one line ----------------------------------------------------------------------------

    def _judged(self, said: TranscriptStatement, lexicon: Lexicon) -> Verdict:
        if said.continues and self.last is None:
            return Verdict(said.line, said.text, "unproven", GOES_ON)
        chain, error = self._read(said, lexicon)
        if chain is None:
            assert error is not None
            if not said.continues:
                self.last = None
            refused = refused_line(said, error)
            if refused.accused and self.explains:
                named, right = self.explainer.unread(said, lexicon, error)
                return replace(refused, mistakes=named, right=right)
            return refused
        self.last = chain
        failed = chain.failed
        if not failed:
            self._learned(chain, right=True)
            self._restated(chain)
            notes = " ".join(dict.fromkeys(f.note for f in chain.findings if f.note))
            if chain.context.held:
                notes = f"right as a partial derivative, with {chain.held} held fixed"
            why = chain.findings[-1].why if chain.findings else "a name for what stands behind it"
            return Verdict(said.line, said.text, "proven", notes or why)
        if self.claims.erred and not chain.moves and self._follows(chain):
            self._learned(chain, right=False)
            return Verdict(
                said.line,
                said.text,
                FOLLOWS,
                "follows from a line before it that is wrong; this step itself is right",
                alone=chain.alone,
            )
        if chain.unmoved and chain.findings[failed - 1].outcome is EqualityOutcome.SHAPE:
            return Verdict(said.line, said.text, "unproven", UNMOVED)
        if self._restates(chain):
            return Verdict(said.line, said.text, "unproven", RESTATED)
        quantity = Quantity(chain.sides[0], self._asked(chain), chain.context)
        written = WrongSide(said, lexicon, chain.reading, said.sides()[failed])
        verdict = self._wrong(chain, quantity, written)
        self._learned(chain, right=False)
        return verdict

    def _restated(self, chain: EquationChain) -> None:
        """Take ``f = M : M`` as the definition of f, where M is a name of the author's own."""
        if chain.moves:
            return
        found = redefined(self.equality_judge.author, chain.sides, self.claims.local)
        if found is None:
            return
        model, used = found
        self.equality_judge = EqualityJudge(model)
        self.model = self.equality_judge.model
        self.__dict__.pop("differential_judge", None)
        self.claims.truths.clear()
        for name in used:
            del self.claims.local[name]
        self.local = {key: value for key, value in self.local.items() if value not in used}
        self.explainer = LineExplainer(self.equality_judge, self.claims)

    def _restates(self, chain: EquationChain) -> bool:
        """Whether a line says of one example what the forward pass says of all, in other shapes."""
        outcome = chain.findings[chain.failed - 1].outcome
        first = chain.sides[0]
        whole = first.matrix if isinstance(first, Entry) else first
        met = outcome in (EqualityOutcome.SHAPE, EqualityOutcome.SCOPE)
        met = met and bool(chain.context.indices)
        return met and self._asked(chain) is None and whole in self.model.values and not chain.moves

    def _wrong(self, chain: EquationChain, quantity: Quantity, written: WrongSide) -> Verdict:
        """Return the verdict on a wrong line, explained where that is wanted."""
        said, failed = written.said, chain.failed
        finding = chain.findings[failed - 1]
        numbers = None
        if finding.left is not None and finding.right is not None:
            numbers = (finding.left, finding.right)
        verdict = Verdict(
            said.line, said.text, finding.outcome.value, finding.why, sign=failed, numbers=numbers
        )
        if not self.explains:
            return verdict
        why = finding.why
        if symmetric := right_if_symmetric(self.equality_judge, chain, failed):
            why += f"; right if {symmetric} is symmetric"
        if chain.partial is not None:
            why += f"; right as a partial derivative, with {chain.partial.held} held fixed: write ∂"
        if chain.moves:
            return replace(verdict, why=f"{why}; {NO_FORM}")
        claim = chain.sides[failed + chain.goes_on]
        mistakes: tuple[NamedMistake, ...] = (SUM_MISSING,)
        if finding.outcome is not EqualityOutcome.SCOPE:
            mistakes = self.explainer.mistakes(quantity, claim, written)
        right = self.explainer.right_lines.line(quantity)
        ratio = self.explainer.ratio(quantity, claim)
        if ratio is not None:
            self.ratios.append(ratio)
        return replace(
            verdict, why=why if right else f"{why}; {NO_FORM}", mistakes=mistakes, right=right
        )

    def _read(
        self, said: TranscriptStatement, lexicon: Lexicon
    ) -> tuple[EquationChain | None, ParseError | None]:
        """Read an equation in the first reading in which it holds, else in the plainest one."""
        first: EquationChain | None = None
        first_error: ParseError | None = None
        tried: set[tuple[Expr, ...]] = set()
        for reading in readings(said.text, code=said.code):
            try:
                chain = self._chain(said, lexicon, reading, tried)
            except ParseError as error:
                first_error = first_error or error
                continue
            if chain is None:
                continue  # another reading came to the same
            if not chain.failed:
                return chain, None
            first = first or chain
        if first is not None and (partial := self._partial(said, lexicon, tried)) is not None:
            asked = self._asked(first)
            whole = asked is None or asked.of is self.model.objective
            if whole or _PARTIAL_SIGN.search(said.text):
                return partial, None
            first.partial = partial
        if isinstance(first_error, ScopeError | UnmetError) and first is not None:
            return None, first_error  # the plain reading is out of scope or shape, no other holds
        return (first, None) if first is not None else (None, first_error)

    def _partial(
        self, said: TranscriptStatement, lexicon: Lexicon, tried: set[tuple[Expr, ...]]
    ) -> EquationChain | None:
        """Read an equation as one of partial derivatives, with other values held fixed."""
        for reading in PARTIAL:
            try:
                chain = self._chain(said, lexicon, reading, tried)
            except ParseError:
                continue
            if chain is None or chain.failed or not chain.context.held:
                continue
            # Where all that moves is held fixed, both sides are zero, which says nothing.
            zero = Number(0, chain.sides[0].shape)
            nothing = self.equality_judge.equal(chain.context, chain.sides[0], zero)
            if not nothing.holds:
                return chain
        return None

    def _chain(
        self,
        said: TranscriptStatement,
        lexicon: Lexicon,
        reading: Reading,
        tried: set[tuple[Expr, ...]],
    ) -> EquationChain | None:
        line = line_of(said.text, said.line)
        context = reading.context(self.model, lexicon, line, self.claims)
        goes_on = said.continues and self.last is not None and self.last.moves
        if goes_on or (not said.code and self._is_moved(said.text)):
            context.differentials = Differentials(context)
            before = self.last.context.differentials if goes_on and self.last else None
            if isinstance(before, Differentials):
                context.differentials.carried = [*before.named, *before.carried]
        sides: list[Expr] = []
        if said.continues and self.last is not None:
            context.indices, context.asked = (
                dict(self.last.context.indices),
                self.last.context.asked,
            )
            whole = self.last.unresolved or self.last.sides
            sides = [whole[0], whole[-1]]
        free: dict[str, object] | None = dict(context.indices) if sides else None
        for start, stop in said.sides():
            if start == stop == 0 or not said.text[start:stop].strip():
                if start == 0:
                    continue
                raise line.error("a side of this equation is missing", start)
            context.indices = dict(free) if free is not None else {}  # type: ignore[arg-type]
            node = tree(line, lexicon, reading, start, stop)
            sides.append(expression(node, context, reading))
            context.shape = sides[0].shape
            if len(sides) == 1 and isinstance(node, Derivative | Name):
                context.asked = context.derived
            if free is None:
                free = dict(context.indices)
        if not reading.apart and not any(context.has_placeholders(side) for side in sides):
            if tuple(sides) in tried:
                return None
            tried.add(tuple(sides))
        judge, unresolved = self.equality_judge, sides
        if context.differentials is not None:
            sides = [context.differentials.resolved(side) for side in sides]
            judge = self.differential_judge
        chain = EquationChain(sides, context, reading, said.continues and self.last is not None)
        chain.unresolved = unresolved
        guard = guard_of(context, said.condition, reading, diagonal=self.diagonal)
        for left, right in list(pairwise(sides))[chain.goes_on :]:
            name = context.gradients.get(sides[0]) if isinstance(sides[0], Symbol) else None
            finding = judge.equal(context, left, right, name, guard=guard)
            if not (finding.holds or chain.findings) and chain.goes_on and self._is_broken():
                first = judge.equal(context, sides[0], right, name, guard=guard)
                finding = first if first.holds else finding  # the row above is the wrong one
            chain.findings.append(finding)
            if not chain.findings[-1].holds:
                break
        return None if says_nothing(self.equality_judge, chain, guard) else chain

    def _is_broken(self) -> bool:
        """Whether the line before has a sign that does not hold."""
        return self.last is not None and bool(self.last.failed)

    def _follows(self, chain: EquationChain) -> bool:
        """Whether a line holds once the earlier wrong claims are assumed."""
        try:
            return all(
                self.equality_judge.equal(chain.context, left, right, carried=True).holds
                for left, right in pairwise(chain.sides)
            )
        except ParseError:  # such as a claim about entries inside a function of the whole
            return False

    # ---- memory ------------------------------------------------------------------------------

    def _defines(self, said: TranscriptStatement) -> bool:
        """Add a definition of a name that the answer introduces."""
        if is_size(said, {dim for symbol in self.model.symbols for dim in symbol.shape}):
            return True
        cut, *more = equals_signs(said.text)
        try:
            name = spelled(said.text[:cut])
        except ValueError:
            return False
        lexicon = Lexicon(self.model, self.local)
        known = lexicon.find(name)
        loose = known is not None and name not in lexicon.scope and known.is_whole
        if _EVERY_LAYER.search(name) or name.startswith("d") or (known is not None and not loose):
            return False
        line = line_of(said.text, said.line)
        for reading in readings(said.text, code=said.code):
            context = reading.context(self.model, lexicon, line, self.claims)
            try:
                stop = more[0] if more else None
                node = tree(line, lexicon, reading, cut + 1, stop)
                value = expression(node, context, reading)
            except ParseError:
                continue
            if known is not None and known.symbol.shape == value.shape:
                return False  # the value by another letter: a claim
            if self._defines_entries(name, value, context):
                return True
            symbol = Symbol(said.text[:cut].strip(), value.shape)
            self.local[name] = symbol
            self.claims.local[symbol] = value
            return True
        return False

    def _defines_entries(self, name: str, value: Expr, context: LineContext) -> bool:
        """Add a matrix that is defined by its entries."""
        found = defined_by_entries(name, value, context)
        if found is None or found[0].name in self.local:
            return False
        symbol, matrix = found
        self.local[symbol.name] = symbol
        self.claims.local[symbol] = matrix
        return True

    def _learned(self, chain: EquationChain, *, right: bool) -> None:
        """Record a wrong claim of a gradient."""
        asked = self._asked(chain)
        if asked is None:
            return
        if asked.of is self.model.objective:
            self.claims.named.add(asked.wrt)
        of, wrt, row, col = asked.of, asked.wrt, asked.row, asked.col
        if right:
            self.claims.wrong.pop(wrt, None)
            return
        claim = chain.sides[1] if len(chain.sides) > 1 else None
        if claim is None:
            return
        if (row or col) is not None and claim.shape == SCALAR:
            form = claim

            def recipe(at_row: Position, at_col: Position) -> Expr:
                moved = form
                for old, new in ((row, at_row), (col, at_col)):
                    if old is not None and not isinstance(old, int):
                        moved = renamed(moved, old, new)
                return moved

            claim = chain.context.placeholder("claim", wrt.shape, recipe)
        if of is self.model.objective and claim.shape == wrt.shape:
            self.claims.wrong[wrt] = claim
        elif claim.shape == of.shape == wrt.shape or of.shape == SCALAR:
            self.claims.slopes[of, wrt] = claim

    def _asked(self, chain: EquationChain) -> AskedDerivative | None:
        return None if chain.moves else asked_by(chain.sides[0], chain.context)
