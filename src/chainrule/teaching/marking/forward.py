r"""The forward pass at the head of a transcript, also in index form and in LaTeX.

``X : (n, m)``, ``x \in \mathbb{R}^{n \times m}`` and ``Shapes: X (n, m), w (1, n)`` declare;
``z_i = \sum_j w_j X_{ji} + b`` and ``J = -\sum_i ...`` define, and are collapsed to matrices.
"""

from __future__ import annotations

import re
from collections.abc import Container
from dataclasses import dataclass, field

from chainrule.calculus.graph.dims import SCALAR, Dim, Index, Shape
from chainrule.calculus.graph.model import Definition, Model, OneHot
from chainrule.calculus.graph.node import Expr, Symbol, Total, walk
from chainrule.calculus.indexing.collapse import collapse
from chainrule.errors import DerivationError, ModelError, ParseError
from chainrule.language.answers import Lexicon, NameMeaning, spelled
from chainrule.language.reading import canonical
from chainrule.language.reading import statements as language
from chainrule.language.reading.tokens import Line
from chainrule.teaching.marking.functional_notation import defined_name
from chainrule.teaching.marking.line_context import LineContext
from chainrule.teaching.marking.open_objective import UNNAMED
from chainrule.teaching.marking.reading import Reading, expression, line_of, readings, tree
from chainrule.teaching.marking.softmax_labels import with_softmax_labels
from chainrule.teaching.marking.transcript import TranscriptStatement, equals_signs

_IN_SPACE = re.compile(
    r"^(?P<names>[^=]{1,120}?)(?:\\in\b|∈|\bin\b)\s*(?:\\mathbb\s*\{?R\}?|ℝ|R|\\?\{\s*0\s*,\s*1\s*\\?\}|"
    r"[(\[]\s*0\s*,\s*1\s*[)\]])\s*(?:\^\s*\{?\(?(?P<size>[^{}()]*)\)?\}?)?\s*$"
)
_SAID = re.compile(
    r"^(?P<names>[\w^\[\]{}, ]{1,80}?)"
    r"(?::\s*|\s+(?:is|are|has shape|have shape|of shape|of size)\s+)"
    r"(?:(?:a|an|of shape|of size)\s+)?\(?\s*"
    r"(?P<size>[^\W_]\w*\s*(?:,|×|\\times|x|by)\s*[^\W_]\w*)\s*\)?"
    r"(?:\s+(?:matrix|matrices|vector|row|column|array)s?)?$"
)
MAX_DEFINITIONS = 300
NOT_YET = UNNAMED
OBJECTIVES = frozenset(
    {"J", "L", "loss", "Loss", "cost", "Cost", "E", "C", "ell", "ℓ", "NLL", "MSE"}
)
"""The usual names of an objective."""

_TIMES = re.compile(r"\\times|×|\bx\b|,|\*|\bby\b")
_SHAPES = re.compile(r"^\s*(?:shapes?|dimensions|sizes|dims)\s*(?:of)?\s*:?\s*", re.IGNORECASE)
_SHAPED = re.compile(r"([^,;()\s][^,;()]*(?:,\s*[^,;()\s]+)*?)\s*\(([^()]*)\)")
_ONLY_SHAPES = re.compile(
    r"^[^\W\d_][\w^\[\]]*\s*\([^()=]*,[^()=]*\)"
    r"(?:\s*(?:,|;|and)\s*[^\W\d_][\w^\[\]]*\s*\([^()=]*\))*$"
)
_DECLARED = re.compile(r"([^\W\d_][\w^\[\]{}]*)\s*[:=]\s*\(([^()]*)\)")
_SEVERAL = re.compile(rf"\s*{_DECLARED.pattern}(?:\s*(?:,|;|and)\s*{_DECLARED.pattern})+\s*")
_SIZE = re.compile(r"^\w+\s*=\s*(?:\w+\.shape\[[01]\]|len\(\w+\)|\w+\.size\(\d\))$")
NEAR = 400
_PLACES = re.compile(
    r"^(?P<base>[^_^]+(?:\^\[[^\]]*\])?)(?:\^\((?P<up>\w)\))?(?:_(?P<down>[a-z\d],?[a-z\d]?))?$"
)


@dataclass
class ForwardPassReader:
    """Collects a forward pass, line by line."""

    inputs: list[Symbol] = field(default_factory=list)
    definitions: list[Definition] = field(default_factory=list)
    onehot: list[OneHot] = field(default_factory=list)
    refused: list[tuple[TranscriptStatement, ParseError]] = field(default_factory=list)
    named: str = ""  # the objective, where a directive says so

    @property
    def partial(self) -> Model:
        """The forward pass so far, without a real objective."""
        return Model(tuple(self.inputs), tuple(self.definitions), Symbol(NOT_YET))

    @property
    def known(self) -> dict[str, Symbol]:
        """Every symbol so far by its canonical name."""
        return Lexicon(self.partial).scope

    def model(self) -> Model:
        """Return the complete forward pass.

        Raises
        ------
        ModelError
            When there is no scalar to differentiate.
        """
        scalars = [d.target for d in self.definitions if d.target.shape == SCALAR]
        if self.named:
            scalars = [s for s in scalars if spelled(s.name) == canonical(self.named)]
        if not scalars and self.refused:
            raise self.refused[0][1]
        if not scalars:
            raise ModelError(
                "the transcript needs its forward pass first: shapes such as X : (n, m), "
                "definitions such as Z = w X + b, and a scalar objective; or give it with --forward"
            )
        if self.refused and all(s.name.startswith("d") for s in scalars):
            raise self.refused[0][1]
        usual = [s for s in scalars if _stem(s) in OBJECTIVES]
        objective = (usual or scalars)[-1]
        return with_softmax_labels(
            Model(
                tuple(self.inputs),
                tuple(self.definitions),
                objective,
                onehot=tuple(self.onehot),
            )
        )

    def takes(self, said: TranscriptStatement) -> bool:
        """Add a statement if it belongs to the forward pass; return whether it does.

        A definition that cannot be read is stored with its error.
        """
        said = said.without_words(self.knows)
        try:
            return self._directs(said) or self._declares(said) or self._defines(said)
        except ParseError as error:
            self.refused.append((said, error))
            return True

    def knows(self, word: str) -> bool:
        """Whether a word is a name so far."""
        return Lexicon(self.partial).find(word) is not None

    # ---- declarations ------------------------------------------------------------------------

    def _declares(self, said: TranscriptStatement) -> bool:
        line = Line(said.text, said.line)
        if equals_signs(said.text) or len(said.text) > NEAR:
            return False
        match = _SHAPES.match(said.text)
        if match or _ONLY_SHAPES.match(said.text):
            found = list(_SHAPED.finditer(said.text, match.end() if match else 0))
            for shaped in found:
                self._declare(line, shaped[1], _dims(line, shaped[2], shaped.start(2)))
            return bool(found)
        if match := _IN_SPACE.match(said.text) or _SAID.match(said.text):
            size = match["size"] or ""
            if not all(is_name(text) for text in re.split(r",|\band\b", match["names"])):
                return False
            self._declare(line, match["names"], _dims(line, size, 0))
            return True
        if _SEVERAL.fullmatch(said.text):
            for one in _DECLARED.finditer(said.text):
                self._declare(line, one[1], _dims(line, one[2], one.start(2)))
            return True
        if ":" not in said.text or "(" not in said.text.partition(":")[2]:
            return False
        stated = language.statement(line)
        if stated is None or stated.sign != ":" or stated.directive:
            return False
        if not all(is_name(text) for text in stated.target.split(",")):
            return False  # prose, such as "The slope:"
        self._declare(line, stated.target, language.shape(stated))
        return True

    def _declare(self, line: Line, names: str, shape: Shape) -> None:
        for text in re.split(r",|\band\b", names):
            known = language.name(line, text, 0)
            if known not in self.known:
                self.inputs.append(Symbol(text.strip(), shape))

    def _directs(self, said: TranscriptStatement) -> bool:
        word, colon, rest = said.text.partition(":")
        if not colon or word.strip().lower() not in language.DIRECTIVES:
            return False
        if word.strip().lower() == "objective":
            self.named = rest.strip()
        if word.strip().lower() == "onehot":
            for name in rest.split(","):
                bare = name.strip().removesuffix("^T")
                axis = 0 if bare == name.strip() else 1
                if not is_name(bare) or canonical(bare) not in self.known:
                    raise Line(said.text, said.line).error(
                        f"onehot: {bare or 'this'} is not declared above; write its shape first, "
                        f"such as {bare or 'Y'} : (k, m)",
                        max(said.text.find(bare), 0),
                    )
                self.onehot.append(OneHot(self.known[canonical(bare)], axis))
        return True

    # ---- definitions -------------------------------------------------------------------------

    def _defines(self, said: TranscriptStatement) -> bool:
        cuts = equals_signs(said.text)
        if not cuts:
            return False
        target = defined_name(said.text[: cuts[0]].strip(), self._is_input)
        if target.startswith(("∇", "\\nabla")):
            return False
        if is_size(said, self.dims):
            return True
        try:
            name = spelled(target)
        except ValueError:
            return False
        found = Lexicon(self.partial).find(name)
        if found is not None and not self._is_new_in_this_case(said, cuts, name, found):
            return False
        base, letters = name, list[str]()
        if places := _PLACES.match(name):
            base = places["base"]
            letters = [*(places["down"] or "").replace(",", ""), *(places["up"] or "")]
        if all(letter.isdigit() for letter in letters):
            base, letters = name, []  # a number below belongs to the name
        if base in self.known or canonical_base(target, base) is None:
            return False
        if len(self.definitions) >= MAX_DEFINITIONS:
            raise Line(said.text, said.line).error(
                f"a forward pass may have {MAX_DEFINITIONS} definitions; audit it in parts", 0
            )
        self._define(said, cuts, target, base, letters)
        return True

    def _is_new_in_this_case(
        self, said: TranscriptStatement, cuts: list[int], name: str, found: NameMeaning
    ) -> bool:
        """Whether ``S = ...`` after s defines a second name, as in a forward pass of its own.

        Behind the objective, a letter in another case denotes the value that is there.
        """
        known = found.symbol
        if spelled(known.name) == name or found.below or found.example or found.of is not None:
            return False
        if spelled(known.name).swapcase() != name or self.has_objective:
            return False
        line = line_of(said.text[: cuts[1] if len(cuts) > 1 else len(said.text)], said.line)
        context = LineContext(self.partial, Lexicon(self.partial), line)
        reading = next(readings(line.text[cuts[0] :]))
        try:
            value = expression(tree(line, context.lexicon, reading, cuts[0] + 1), context, reading)
        except ParseError:
            return False
        return value is not self.partial.values.get(known)

    def _is_input(self, name: str) -> bool:
        try:
            return self.known.get(spelled(name)) in self.inputs
        except ValueError:
            return False

    @property
    def has_objective(self) -> bool:
        """Whether a number with the usual name of an objective is defined."""
        return any(
            d.target.shape == SCALAR and _stem(d.target) in OBJECTIVES for d in self.definitions
        )

    @property
    def dims(self) -> set[Dim]:
        """The dimensions so far."""
        return {dim for symbol in self.inputs for dim in symbol.shape}

    def _define(
        self, said: TranscriptStatement, cuts: list[int], target: str, base: str, letters: list[str]
    ) -> None:
        at, stop = cuts[0], cuts[1] if len(cuts) > 1 else len(said.text)
        line = line_of(said.text[:stop], said.line)
        first: ParseError | None = None
        for reading in readings(line.text[at:]):
            context = LineContext(self.partial, Lexicon(self.partial), line, reading.layout)
            try:
                value = self._value(line, at, context, reading, letters)
            except ParseError as error:
                first = first or error
                continue
            if not any(letter in context.indices for letter in letters):
                base = spelled(target)  # h_t: the letter belongs to the name
            shown = canonical_base(target, base) or base
            self.definitions.append(Definition(Symbol(shown, value.shape), value, said.line))
            return
        raise first or line.error("this definition cannot be read", 0)

    def _value(
        self, line: Line, at: int, context: LineContext, reading: Reading, letters: list[str]
    ) -> Expr:
        """Read the right side; an index form becomes the matrix whose entry it is."""
        node = tree(line, context.lexicon, reading, at + 1)
        value = expression(node, context, reading)
        indexed = any(isinstance(part, Total) for part in walk(value))
        if not letters and not indexed and not context.has_placeholders(value):
            return value
        dims: list[Dim] = [
            context.indices[letter] for letter in letters if letter in context.indices
        ]
        if len(dims) < len(letters) and value.shape != SCALAR:
            return value
        rows, columns = _laid(dims)
        row, col = (
            next((Index(k, d) for k, d in context.indices.items() if d == dim and dim != 1), None)
            for dim in (rows, columns)
        )
        try:
            form = context.opened(value, row, col)
            return collapse(form, (rows, columns), row, col)[0]
        except DerivationError as error:
            raise line.error(f"this index form has no matrix form: {error}", at) from None


def _stem(symbol: Symbol) -> str:
    return re.split("[_^]", symbol.name)[0]


def canonical_base(target: str, base: str) -> str | None:
    """Return the letters of a target without its indices; None when it is not a name."""
    shown = target
    while shown:
        try:
            if spelled(shown) == base:
                return shown
        except ValueError:
            pass
        shown = shown[:-1]
    return None


def is_name(text: str) -> bool:
    """Whether a text is one name."""
    try:
        spelled(text)
    except ValueError:
        return False
    return True


def is_size(said: TranscriptStatement, dims: Container[Dim]) -> bool:
    """Whether a line gives the name of a dimension to a size, as in ``m = X.shape[1]``."""
    return bool(_SIZE.match(said.text)) and said.text.partition("=")[0].strip() in dims


def _laid(dims: list[Dim]) -> Shape:
    """Return the shape of a new value with examples along the columns."""
    if not dims:
        return SCALAR
    if len(dims) == 1:
        return (1, dims[0]) if dims[0] == "m" else (dims[0], 1)
    return dims[0], dims[1]


def _dims(line: Line, text: str, at: int) -> Shape:
    """Return the shape ``n × m``, ``n`` (a column) or of an empty text (a number)."""
    parts = [part.strip() for part in _TIMES.split(text) if part.strip()]
    shape = f"({', '.join(parts)})" if len(parts) != 1 else f"({parts[0]}, 1)"
    stated = language.statement(Line(f"x : {shape}", line.number))
    assert stated is not None
    return language.shape(stated)
