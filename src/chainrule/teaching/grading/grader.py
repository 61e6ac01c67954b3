"""Grading of an answer: whether it is the gradient in some form, and which mistake explains it."""

from __future__ import annotations

from contextlib import suppress
from itertools import islice
from typing import Any

from chainrule.calculus.derivation.derive import derivation_of
from chainrule.calculus.derivation.steps import Derivation, Gradient
from chainrule.calculus.graph.dims import SCALAR, Index, written
from chainrule.calculus.graph.model import Model
from chainrule.calculus.graph.node import Entry, Expr, Position, Symbol, running, symbols
from chainrule.calculus.ops import transpose
from chainrule.calculus.rewriting.cost import display_cost
from chainrule.errors import (
    ChainruleError,
    LimitError,
    ParseError,
    ScopeError,
    UndecidedError,
    UnmetError,
)
from chainrule.language.answers import Lexicon
from chainrule.language.reading import canonical, read_model
from chainrule.language.reading.names import split_place
from chainrule.language.reading.statements import too_long
from chainrule.language.reading.tokens import Line
from chainrule.language.reading.tree import Node
from chainrule.language.typeset import plain, unicode
from chainrule.teaching.diagnosis.search import MOST_TIED, MistakeSearch
from chainrule.teaching.diagnosis.shape_repairs import shape_repairs
from chainrule.teaching.grading.conventions import transposed_names
from chainrule.teaching.marking.judging import EqualityJudge, EqualityOutcome, Finding
from chainrule.teaching.marking.line_context import Claims, LineContext
from chainrule.teaching.marking.reading import Reading, expression, line_of, readings, tree
from chainrule.teaching.marking.softmax_labels import with_softmax_labels
from chainrule.teaching.marking.transcript import equals_signs
from chainrule.teaching.marking.verdicts import NOTHING, Diagnosis, Grade, NamedMistake

SHAPE_REPAIRS = 60
"""The most repairs of shapes that are tried."""

LONGEST = 4000
"""The most characters of an answer."""

SHORT = 1.3
"""The largest ratio of an answer to the short form that still counts as short."""


class Grader:
    """Grades answers about one forward pass; derivations are cached between answers.

    Parameters
    ----------
    model : Model or str
        The forward pass, or its text.

    Examples
    --------
    >>> grader = Grader('''
    ... x, w, b, y : (1, 1)
    ... a = sigmoid(w x + b)
    ... L = -(y log a + (1 - y) log(1 - a))
    ... ''')
    >>> grader.grade("w", "(yhat - y) x").verdict
    'correct'
    >>> wrong = grader.grade("w", "(y - a) x")
    >>> wrong.verdict, wrong.mistakes[0].name
    ('wrong', 'sign')
    """

    def __init__(self, model: Model | str) -> None:
        whole = read_model(model) if isinstance(model, str) else model
        self.equality_judge = EqualityJudge(with_softmax_labels(whole))
        self.model = self.equality_judge.model
        self._derivations: dict[Symbol, Derivation] = {}
        self._searches: dict[Symbol, MistakeSearch] = {}

    def grade(self, wrt: str, text: str) -> Grade:
        """Grade an answer to "what is the gradient with respect to `wrt`?".

        Parameters
        ----------
        wrt : str
            The variable, or any other value of the forward pass, or one entry: ``a^[1]_1``.
        text : str
            The answer, in any notation; a left side such as ``dL/dw =`` may stand in front.

        Raises
        ------
        ModelError
            When the forward pass has no such variable.
        """
        variable, place = self._asked(wrt)
        if place is not None and not equals_signs(text[:LONGEST]):
            text = f"d{self.model.objective.name}/d{canonical(wrt)} = {text}"
        first: tuple[Finding, LineContext, Expr] | None = None
        refused: ParseError | None = None
        for finding, context, expr in self._tried(variable, text):
            if isinstance(finding, ParseError):
                refused = refused or finding
            elif expr is None:
                refused = refused or UndecidedError(finding.why)
            elif finding.holds:
                if variable in (context.gradients.get(s) for s in symbols(expr)):
                    return self._restated(variable, context, expr)
                return self._right(variable, finding, context, expr)
            elif first is None:
                first = finding, context, expr
        if first is None or isinstance(refused, ScopeError | UnmetError):
            return self._refused(variable, refused or ParseError("this cannot be judged"), text)
        return self._wrong(variable, *first)

    def read(self, wrt: str, text: str) -> Expr:
        """Return an answer as it is read, in the reading that `grade` judges.

        Parameters
        ----------
        wrt : str
            The variable, or any other value of the forward pass, or one entry.
        text : str
            The answer, in any notation.

        Raises
        ------
        ModelError
            When the forward pass has no such variable.
        ParseError
            When the answer cannot be read, with the column.
        """
        variable, _ = self._asked(wrt)
        first: tuple[LineContext, Expr] | None = None
        refused: ParseError | None = None
        for finding, context, expr in self._tried(variable, text):
            if isinstance(finding, ParseError):
                refused = refused or finding
            elif expr is not None and (first is None or finding.holds):
                first = context, expr
                if finding.holds:
                    break
        if first is None:
            raise refused or UndecidedError("this cannot be judged")
        return self._shown(*first)

    def about(self, text: str) -> str | None:
        """Return the value whose gradient the left side of a line names; None if none."""
        with suppress(ChainruleError):
            line = line_of(text[:LONGEST])
            cuts = equals_signs(line.text)
            if cuts:
                context = LineContext(self.model, Lexicon(self.model), line)
                reading = Reading()
                node = tree(line, context.lexicon, reading, 0, cuts[0])
                left = expression(node, context, reading)
                whole = left.matrix if isinstance(left, Entry) else left
                named = context.gradients.get(whole) if isinstance(whole, Symbol) else None
                return None if named is None else named.name
        return None

    def short_form(self, wrt: str) -> str:
        """Return the right answer in short form."""
        return self._short(self._variable(wrt))

    # ---- readings ----------------------------------------------------------------------------

    def _asked(self, wrt: str) -> tuple[Symbol, int | None]:
        """Return the variable, and the one entry of it that is asked for."""
        names = {canonical(s.name) for s in self.model.symbols}
        try:
            whole, place = split_place(canonical(wrt))
        except ValueError:  # not a name at all: the error lists those there are
            return self.model.symbol(wrt), None
        entry = canonical(wrt) not in names and whole in names and place is not None
        return (self._variable(whole), place) if entry else (self._variable(wrt), None)

    def _variable(self, wrt: str) -> Symbol:
        known = {canonical(s.name): s for s in self.model.symbols}
        found = known.get(canonical(wrt))
        return found if found is not None else self.model.symbol(wrt)

    def _tried(self, variable: Symbol, text: str) -> Any:  # noqa: ANN401
        """Yield the judgement of every reading, those in other layouts last."""
        try:
            if len(text) > LONGEST:
                raise too_long(1, len(text), LONGEST)
            line = line_of(text)
        except ParseError as error:
            yield error, None, None
            return
        cuts = equals_signs(line.text)
        start = cuts[-1] + 1 if cuts else 0
        left_end = cuts[0] if cuts else 0
        tried: set[tuple[Expr, bool]] = set()
        trees: dict[tuple[bool, bool, bool], Node | ParseError] = {}
        plain_lexicon = Lexicon(self.model)
        for rows in (False, True):
            for reading in readings(line.text[start:], ones=variable.shape[0]):
                try:
                    node = _parsed(trees, line, plain_lexicon, reading, start)
                except LimitError as error:
                    yield error, None, None
                    return
                except ParseError as error:
                    yield error, None, None
                    continue
                claims = Claims()
                local = transposed_names(self.model, claims) if rows else {}
                lexicon = Lexicon(self.model, local)
                context = LineContext(self.model, lexicon, line, reading.layout, claims=claims)
                try:
                    row, col = self._entry(variable, context, reading, left_end)
                    expr = expression(node, context, reading)
                    if (expr, rows) in tried or (rows and not _depends_on_layout(expr)):
                        continue
                    tried.add((expr, rows))
                    yield self._judged(variable, context, expr, row, col, rows=rows), context, expr
                except LimitError as error:
                    yield error, None, None
                    return
                except ParseError as error:
                    if not rows:
                        yield error, None, None
                except ChainruleError as error:
                    if not rows:
                        yield Finding(EqualityOutcome.UNPROVEN, str(error)), None, None

    def _entry(
        self,
        variable: Symbol,
        context: LineContext,
        reading: Reading,
        end: int,
    ) -> tuple[Position, Position]:
        """Return the entry that a left side names."""
        if not end:
            return None, None
        try:
            left = expression(
                tree(context.line, context.lexicon, reading, 0, end), context, reading
            )
        except ParseError:
            if not context.lexicon.local:
                raise
            return None, None  # in another convention the left side says no more than before
        return getattr(left, "row", None), getattr(left, "col", None)

    def _judged(
        self,
        variable: Symbol,
        context: LineContext,
        expr: Expr,
        row: Position,
        col: Position,
        *,
        rows: bool,
    ) -> Finding:
        truth: Expr = self._truth(variable)
        if expr.shape == SCALAR and variable.shape != SCALAR:
            # An index form is one entry: its free indices say which.
            free = self._places(variable, context, expr, row, col)
            long = variable.shape
            if free is not None:
                found = self._entry_judged(context, truth, expr, free)
                same = isinstance(free[0], Index) and isinstance(free[1], Index)
                if found.holds or row is not None or not same or long[0] != long[1]:
                    return found
                # Nobody said which of the two indices runs over the rows.
                other = self._entry_judged(context, truth, expr, (free[1], free[0]))
                return other if other.holds else found
        if not rows:
            return self.equality_judge.equal(context, truth, expr, variable)
        if truth.shape == SCALAR:
            return Finding(EqualityOutcome.WRONG, "no other convention to read this in")
        found = self.equality_judge.equal(context, transpose(truth), expr, variable)
        if found.holds and not found.note:
            note = "right in the other convention, with the examples in rows"
            return Finding(found.outcome, found.why, certificate=found.certificate, note=note)
        return Finding(EqualityOutcome.WRONG, found.why, found.left, found.right)

    def _entry_judged(
        self, context: LineContext, truth: Expr, form: Expr, at: tuple[Position, Position]
    ) -> Finding:
        return self.equality_judge.equal(context, context.opened(truth, *at), form)

    def _places(
        self, variable: Symbol, context: LineContext, expr: Expr, row: Position, col: Position
    ) -> tuple[Position, Position] | None:
        """Return the entry of the gradient that an index form is meant to be."""
        if row is not None or col is not None:
            return row, col
        form = context.opened(expr, None, None)
        free = sorted(running(form), key=lambda index: context.line.text.find(index.name))
        long = [axis for axis in (0, 1) if variable.shape[axis] != 1]
        places: list[Position] = [None, None]
        found = not long
        for axis in long:  # two of one dimension: the first that is written runs over the rows
            match = [index for index in free if index.dim == variable.shape[axis]]
            # What is the same along an axis has no index for it.
            places[axis] = match[0] if match else context.letters.free(variable.shape[axis])
            if match:
                free.remove(match[0])
                found = True
        return (places[0], places[1]) if found and not free else None

    # ---- verdicts ----------------------------------------------------------------------------

    def _right(self, variable: Symbol, finding: Finding, context: LineContext, expr: Expr) -> Grade:
        short = self._short(variable)
        best = self._gradient(variable)
        limit = SHORT * display_cost(best.index if best.matrix is None else best.matrix)
        exact = finding.certificate is not None and finding.certificate.error == 0
        brief = not finding.note and exact and display_cost(expr) <= max(limit, 6)
        return Grade(
            "correct" if brief else "correct_other_form",
            self._understood(context, expr),
            expr.shape,
            "" if finding.certificate is None else finding.certificate.method.value,
            finding.note or finding.why,
            short_form=short,
        )

    def _restated(self, variable: Symbol, context: LineContext, expr: Expr) -> Grade:
        why = (
            "this names the gradient that is asked for; write it in the values of the forward pass"
        )
        return Grade("unsure", self._understood(context, expr), expr.shape, why=why)

    def _wrong(self, variable: Symbol, finding: Finding, context: LineContext, expr: Expr) -> Grade:
        verdicts = {
            EqualityOutcome.SHAPE: "wrong_shape",
            EqualityOutcome.UNPROVEN: "unsure",
            EqualityOutcome.SCOPE: "wrong",
        }
        verdict, why = verdicts.get(finding.outcome, "wrong"), finding.why
        diagnosis = NOTHING
        asked = f"the gradient has the shape of {variable.name}, {written(variable.shape)}"
        if finding.outcome is EqualityOutcome.SHAPE:
            why = f"the answer is {written(expr.shape)}; {asked}"
        if finding.outcome in (EqualityOutcome.WRONG, EqualityOutcome.SHAPE):
            values = self._values(variable, context, expr)
            if values is not None and expr.shape == variable.shape[::-1] != variable.shape:
                # The other layout is no mistake; what else there is may be one.
                transposed = tuple(value.T for value in values)
                diagnosis = self._search(variable).diagnose(transposed)
                if diagnosis.explanations:
                    verdict, why = "wrong", f"this is read in Jacobian layout; {asked}"
            if values is not None and not diagnosis.explanations:
                diagnosis = self._search(variable).diagnose(values)
            place = None if values is None else self._search(variable).entry(values)
            if place is not None and finding.outcome is EqualityOutcome.SHAPE:
                why = f"this is entry {place} of the gradient; all of it is asked for; {asked}"
        numbers = (
            None if finding.left is None or finding.right is None else (finding.left, finding.right)
        )
        return Grade(
            verdict,
            self._understood(context, expr),
            expr.shape,
            why=why,
            diagnosis=diagnosis,
            short_form=self._short(variable),
            numbers=numbers,
        )

    def _refused(self, variable: Symbol, error: ParseError, text: str) -> Grade:
        kinds = ((ScopeError, "wrong"), (UnmetError, "wrong_shape"), (UndecidedError, "unsure"))
        verdict = next((name for kind, name in kinds if isinstance(error, kind)), "unreadable")
        hopeless = isinstance(error, LimitError)
        mistakes = () if hopeless else tuple(self._shape_mistakes(variable, text))
        if verdict == "unreadable" and not mistakes:
            return Grade(verdict, str(error), why=error.message)
        # The mend of shapes that do not meet is often the answer: it is for authors, not here.
        unmet = isinstance(error, UnmetError)
        return Grade(
            "wrong_shape" if verdict == "unreadable" else verdict,
            why=error.message.partition("; did you mean ")[0] if unmet else error.message,
            diagnosis=Diagnosis(tuple((mistake,) for mistake in mistakes)),
            short_form=self._short(variable),
        )

    def _shape_mistakes(self, variable: Symbol, text: str) -> list[NamedMistake]:
        """Return the mistakes whose repair makes an answer of unfitting shapes right."""
        found: dict[str, NamedMistake] = {}
        with suppress(ParseError):
            line = line_of(text)
            cuts = equals_signs(line.text)
            start = cuts[-1] + 1 if cuts else 0
            reading = Reading()
            lexicon = Lexicon(self.model)
            for mistake, node in islice(
                shape_repairs(tree(line, lexicon, reading, start)), SHAPE_REPAIRS
            ):
                context = LineContext(self.model, lexicon, line)
                try:
                    expr = expression(node, context, reading)
                    finding = self._judged(variable, context, expr, None, None, rows=False)
                except ChainruleError:
                    continue
                if finding.holds:
                    found.setdefault(mistake.name, mistake)
        return list(found.values())[:MOST_TIED]

    def _understood(self, context: LineContext, expr: Expr) -> str:
        try:
            return unicode(self._shown(context, expr))
        except ParseError:
            return context.line.text

    def _shown(self, context: LineContext, expr: Expr) -> Expr:
        """Return an answer in names that can be written, without placeholders."""
        if not context.has_placeholders(expr):
            return expr
        row, col = (context.letters.free(dim) for dim in expr.shape)
        return context.opened(expr, row, col)

    def _values(self, variable: Symbol, context: LineContext, expr: Expr) -> Any:  # noqa: ANN401
        samples = self._search(variable).samples
        row: Position = None
        col: Position = None
        shape = expr.shape
        try:
            if shape == SCALAR and variable.shape != SCALAR:
                places = self._places(variable, context, expr, None, None)
                if places is not None and any(place is not None for place in places):
                    (row, col), shape = places, variable.shape
                    expr = context.opened(expr, None, None)
            elif context.has_placeholders(expr):
                row, col = (context.letters.free(dim) for dim in shape)
                expr = context.opened(expr, row, col)
            return samples.answered(context.meant(expr), shape, row, col)
        except ChainruleError:
            return None

    # ---- what is derived once ----------------------------------------------------------------

    def _derivation(self, variable: Symbol) -> Derivation:
        if variable not in self._derivations:
            self._derivations[variable] = derivation_of(self.model, [variable.name])
        return self._derivations[variable]

    def _gradient(self, variable: Symbol) -> Gradient:
        return self._derivation(variable)[variable.name]

    def _finished(self, variable: Symbol) -> Expr | None:
        """Return the gradient as a matrix of values of the forward pass; None where it has none."""
        matrix = self._gradient(variable).matrix
        return None if matrix is None else self._derivation(variable).without_layers(matrix)

    def _truth(self, variable: Symbol) -> Expr:
        blank = LineContext(self.model, Lexicon(self.model), line_of(""))
        matrix = self._finished(variable)
        return blank.truth(variable) if matrix is None else matrix

    def _short(self, variable: Symbol) -> str:
        gradient = self._gradient(variable)
        return plain(gradient.index if gradient.matrix is None else gradient.matrix)

    def _search(self, variable: Symbol) -> MistakeSearch:
        if variable not in self._searches:
            self._searches[variable] = MistakeSearch(
                self.model, self.model.objective, variable, self._finished(variable)
            )
        return self._searches[variable]


def _parsed(
    trees: dict[tuple[bool, bool, bool], Node | ParseError],
    line: Line,
    lexicon: Lexicon,
    reading: Reading,
    start: int,
) -> Node:
    """Return the syntax tree of an answer, cached per reading; raise its error again."""
    key = (reading.greedy, reading.flat, reading.below)
    if key not in trees:
        try:
            trees[key] = tree(line, lexicon, reading, start)
        except ParseError as error:
            trees[key] = error
    found = trees[key]
    if isinstance(found, ParseError):
        raise found
    return found


def _depends_on_layout(expr: Expr) -> bool:
    """Whether an answer depends on the layout of examples."""
    return any(rows != columns for rows, columns in (s.shape for s in symbols(expr)))
