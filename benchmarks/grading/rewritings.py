"""Right answers as other people would write them.

A right line is rewritten by identities drawn at random, then spelled in a notation drawn at
random: plain, Unicode, LaTeX, NumPy or Torch, in index form, in the other layout, with the
examples in rows, in other letters. The identities stand here and nowhere in the grader.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from fractions import Fraction
from random import Random

from benchmarks.grading.questions import Question
from chainrule.calculus.derivation.sensitivity import pulled
from chainrule.calculus.graph.dims import SCALAR, Size, base_names
from chainrule.calculus.graph.node import Apply, Expr, Number, Symbol, substitute, symbols, walk
from chainrule.calculus.ops import TABLE, broadcast, exp, log, reduce_sum, size, transpose
from chainrule.errors import ChainruleError
from chainrule.language.answers import Lexicon
from chainrule.language.codegen.dialects import DIALECTS, spelled
from chainrule.language.codegen.module import target_named
from chainrule.language.codegen.trees import Trees, is_hidden, spread
from chainrule.language.reading import canonical
from chainrule.language.typeset import latex, plain, unicode

ADD, MUL, DIV, NEG, POWER = (TABLE[name] for name in ("add", "mul", "div", "neg", "power"))
MATMUL, SUM, MEAN = (TABLE[name] for name in ("matmul", "sum", "mean"))
STACK = TABLE["stack"]
LONGEST = 700
"""Nobody types more; a longer line is drawn again."""

WORDS = {"ln", "tr", "mu", "nu", "xi", "pi"}
"""Two letters that are a word."""

Move = Callable[[Apply, Random], Expr | None]


@dataclass(frozen=True)
class Rewriting:
    """A right answer.

    Parameters
    ----------
    text : str
        As somebody would type it.
    how : tuple of str
        What was done to the short form.
    """

    text: str
    how: tuple[str, ...]


# ---- identities --------------------------------------------------------------------------------


def commuted(node: Apply, rng: Random) -> Expr | None:
    """Put terms and factors into another order."""
    if node.op not in (ADD, MUL):
        return None
    numbers = [arg for arg in node.args if isinstance(arg, Number) and node.op is MUL]
    args = [arg for arg in node.args if arg not in numbers]
    rng.shuffle(args)
    return Apply(node.op, (*numbers, *args))


def turned(node: Apply, rng: Random) -> Expr | None:
    """Write ``a - b`` as ``-(b - a)``."""
    if node.op is not ADD:
        return None
    terms = [t.args[0] if isinstance(t, Apply) and t.op is NEG else _minus(t) for t in node.args]
    return _minus(Apply(ADD, tuple(reversed(terms))))


def expanded(node: Apply, rng: Random) -> Expr | None:
    """Multiply a sum out, of numbers or of matrices."""
    if node.op not in (MUL, MATMUL):
        return None
    for place, arg in enumerate(node.args):
        inner, shape = arg, arg.shape
        if isinstance(inner, Apply) and inner.op is TABLE["broadcast"]:
            inner = inner.args[0]
        if isinstance(inner, Apply) and inner.op is ADD:
            before, after = node.args[:place], node.args[place + 1 :]
            products = []
            for term in inner.args:
                bare = term.args[0] if isinstance(term, Apply) and term.op is NEG else term
                product = _product(node, (*before, broadcast(bare, shape), *after))
                products.append(product if bare is term else _minus(product))
            return Apply(ADD, tuple(products))
    return None


def factored(node: Apply, rng: Random) -> Expr | None:
    """Take a common factor out of a sum of products."""
    if node.op is not ADD:
        return None
    lists = []
    for term in node.args:
        bare = term.args[0] if isinstance(term, Apply) and term.op is NEG else term
        lists.append(list(bare.args) if isinstance(bare, Apply) and bare.op is MUL else [bare])
    common = [f for f in lists[0] if all(f in other for other in lists)]
    if not common or isinstance(common[0], Number):
        return None
    rest = []
    for term, factors in zip(node.args, lists, strict=True):
        left = list(factors)
        left.remove(common[0])
        product = (
            Number(1, node.shape)
            if not left
            else left[0]
            if len(left) == 1
            else Apply(MUL, tuple(left))
        )
        rest.append(_minus(product) if isinstance(term, Apply) and term.op is NEG else product)
    return Apply(MUL, (common[0], Apply(ADD, tuple(rest))))


def squared(node: Apply, rng: Random) -> Expr | None:
    """Write a square as a product."""
    if node.op is POWER and node.attrs == (Fraction(2),):
        return Apply(MUL, (node.args[0], node.args[0]))
    return None


def divided(node: Apply, rng: Random) -> Expr | None:
    """Write a fraction as a product with a reciprocal."""
    if node.op is not DIV or isinstance(node.args[0], Number):
        return None
    below = Apply(DIV, (Number(1, node.shape), node.args[1]))
    return Apply(MUL, (below, node.args[0]) if rng.random() < 0.5 else (node.args[0], below))


def doubled(node: Apply, rng: Random) -> Expr | None:
    """Write ``2x`` as ``x + x``."""
    if node.op is MUL and isinstance(node.args[0], Number) and node.args[0].value == 2:
        rest = node.args[1] if len(node.args) == 2 else Apply(MUL, node.args[1:])
        return Apply(ADD, (rest, rest))
    return None


def padded(node: Apply, rng: Random) -> Expr | None:
    """Write ``x`` as ``2x - x``."""
    if rng.random() < 0.7 or node.op not in (ADD, MUL):
        return None
    return Apply(ADD, (Apply(MUL, (Number(2, node.shape), node)), _minus(node)))


def reversed_product(node: Apply, rng: Random) -> Expr | None:
    """Write ``A B`` as ``(B^T A^T)^T``."""
    if node.op is not MATMUL or isinstance(node.args[0], Number):
        return None
    return transpose(Apply(MATMUL, tuple(transpose(arg) for arg in reversed(node.args))))


def repeated(node: Apply, rng: Random) -> Expr | None:
    """Write an outer product entry by entry."""
    if node.op is not MATMUL or len(node.args) != 2 or node.args[0].shape[1] != 1:
        return None
    if SCALAR in (node.args[0].shape, node.args[1].shape):
        return None
    if any(isinstance(arg, Number) for arg in node.args):
        return None
    return Apply(MUL, tuple(broadcast(arg, node.shape) for arg in node.args))


def summed(node: Apply, rng: Random) -> Expr | None:
    """Write a product with ones as a sum, and a sum over rows as a product with ones."""
    if node.op is MATMUL and len(node.args) == 2:
        left, right = node.args
        if isinstance(right, Number) and right.value == 1 and right.shape[1] == 1:
            return reduce_sum(left, 1)
    if node.op is SUM and node.attrs == (1,):
        inner = node.args[0]
        return Apply(MATMUL, (inner, Number(1, (inner.shape[1], 1))))
    return None


def opened(node: Apply, rng: Random) -> Expr | None:
    """Write a function by simpler ones."""
    name, args = node.op.name, node.args
    one = Number(1, node.shape)
    if name == "sigmoid":
        if rng.random() < 0.5:
            return one / (one + exp(-args[0]))
        return exp(args[0]) / (one + exp(args[0]))
    if name == "tanh":
        return (exp(args[0]) - exp(-args[0])) / (exp(args[0]) + exp(-args[0]))
    if name == "relu":
        return args[0] * Apply(TABLE["step"], args)
    if name == "softplus":
        return log(one + exp(args[0]))
    if name == "sqrt":
        return Apply(POWER, args, (Fraction(1, 2),))
    if name == "squared_norm":
        return reduce_sum(Apply(POWER, args, (Fraction(2),)))
    if name == "mean" and node.attrs:
        return _mean(node)
    if name == "softmax":
        raised = exp(args[0])
        return raised / broadcast(reduce_sum(raised, node.attrs[0]), node.shape)
    return None


MOVES: tuple[Move, ...] = (
    commuted,
    turned,
    expanded,
    factored,
    squared,
    divided,
    doubled,
    padded,
    reversed_product,
    repeated,
    summed,
    opened,
)


def _mean(node: Apply) -> Expr:
    total = Apply(SUM, node.args, node.attrs)
    inner = node.args[0].shape
    below: Expr = Number(1)
    for dim, kept in zip(inner, node.shape, strict=True):
        if dim != kept:
            below = below * size(dim)
    return total / broadcast(below, node.shape)


def _blank(node: Apply) -> bool:
    return any(isinstance(arg, Number) for arg in node.args)


def untold(node: Expr) -> bool:
    """Whether a node takes a size from what is repeated, which the page does not show."""
    if not isinstance(node, Apply) or node.op.elementwise or is_hidden(node):
        return False
    if any(isinstance(arg, Number) for arg in node.args):
        return False  # a vector of ones is written as one
    return any(spread(arg) != arg.shape for arg in node.args)


def leading_ones(form: Expr) -> bool:
    """Whether a column of ones stands in front, whose length the page does not show."""
    products = (n for n in walk(form) if isinstance(n, Apply) and n.op is MATMUL)
    return any(isinstance(n.args[0], Number) and n.args[0].shape[1] == 1 for n in products)


def _minus(expr: Expr) -> Expr:
    return Apply(NEG, (expr,))


def _product(node: Apply, args: tuple[Expr, ...]) -> Expr:
    """Multiply as a node does, without the ones that nobody writes."""
    if node.op is not MUL:
        return node.rebuilt(args)
    kept = tuple(arg for arg in args if not (isinstance(arg, Number) and arg.value == 1))
    if not kept:
        return Number(1, node.shape)
    return kept[0] if len(kept) == 1 else Apply(MUL, kept)


# ---- forms -------------------------------------------------------------------------------------


class Rewriter:
    """Rewrites the right answer to one question."""

    def __init__(self, question: Question) -> None:
        self.model, self.variable = question.model, question.variable
        self.gradient = question.derivation[question.wrt]
        self.layers = question.derivation.layers
        self.values = self.model.values
        self.known = set(self.model.symbols)

    def rewritings(self, rng: Random) -> Iterator[Rewriting]:
        """Yield rewritings without end."""
        while True:
            try:
                found = self._one(rng)
            except ChainruleError:
                continue  # this form cannot be written so
            if found is not None and len(found.text) <= LONGEST:
                yield found

    def _one(self, rng: Random) -> Rewriting | None:
        matrix = self.gradient.matrix
        if matrix is None or rng.random() < 0.15:
            text = rng.choice((plain, unicode, latex))(self.gradient.index)
            if re.search(r"_\d,", text):
                text = latex(self.gradient.index)  # an entry of z_1 has braces below
            if "_(" in text or "_{(" in text:
                return None  # an index that is computed: no way to type it here
            return Rewriting(self._spelled(text, rng), ("index form",))
        form, how = matrix, list[str]()
        if rng.random() < 0.2:
            form, how = (
                pulled(self.model, self.model.objective, self.variable, Number(1)),
                ["sweep"],
            )
        for _ in range(rng.randrange(4)):
            changed = self._moved(form, rng)
            if changed is not None:
                form = changed[1]
                how.append(changed[0])
        if spread(form) != form.shape or any(untold(node) for node in walk(form)):
            return None  # written down, it would have the shape of what is repeated
        layout = rng.random()
        square = self.variable.shape[0] == self.variable.shape[1]
        if square or "repeated" in how or leading_ones(form):
            layout = 1.0  # one layout alone is said so
        if layout < 0.08:
            form = transpose(form)
            how.append("Jacobian layout")
        elif layout < 0.16:
            rows: dict[Expr, Expr] = {
                s: transpose(Symbol(s.name, s.shape[::-1])) for s in symbols(form)
            }
            form = transpose(substitute(form, rows))
            how.append("rows")
        written = self._written(form, rng, how)
        return None if written is None else Rewriting(written, tuple(how))

    def _moved(self, form: Expr, rng: Random) -> tuple[str, Expr] | None:
        nodes = [n for n in walk(form) if isinstance(n, Apply)]
        names = [s for s in symbols(form) if s in self.values or s in self.layers]
        if names and rng.random() < 0.25:
            name = rng.choice(sorted(names, key=lambda s: s.name))
            if name in self.values:
                return f"{name.name} opened", substitute(form, {name: self.values[name]})
            layer = self.layers[name].matrix
            return None if layer is None else (name.name, substitute(form, {name: layer}))
        rng.shuffle(nodes)
        moves = list(MOVES)
        rng.shuffle(moves)
        for move in moves:
            for node in nodes:
                new = move(node, rng)
                if new is not None and new is not node:
                    return move.__name__, substitute(form, {node: new})
        return None

    # ---- notation ----------------------------------------------------------------------------

    def _written(self, form: Expr, rng: Random, how: list[str]) -> str | None:
        surfaces = ("plain", "unicode", "latex", "numpy", "torch")
        surface = rng.choice(surfaces[3:] if "repeated" in how else surfaces)
        how.append(surface)
        if surface in ("numpy", "torch"):
            # A gradient's own name, dz^[2], is no variable of code that somebody has.
            if any(s not in self.known for s in symbols(form)) and "rows" not in how:
                return None
            text = _code(form, surface)
            return None if "==" in text else text  # extremes: their code is for machines
        if any(isinstance(n, Apply) and n.op is STACK and _blank(n) for n in walk(form)):
            return None  # the size of a 0 in a stack is told by code alone
        setter = {"plain": plain, "unicode": unicode, "latex": latex}[surface]
        return self._spelled(setter(form), rng, how)

    def _spelled(self, text: str, rng: Random, how: list[str] | None = None) -> str:
        """Change the letters and marks of a text, as people do."""
        done = [] if how is None else how
        if rng.random() < 0.3:
            text = text.replace("^T", rng.choice((".T", "'", "^\\top", "^{T}", "ᵀ")))
        if rng.random() < 0.3 and " .* " in text:
            text = text.replace(" .* ", rng.choice((" ⊙ ", " * ", " \\odot ", " ∘ ")))
        if rng.random() < 0.2:
            text = text.replace("^2", rng.choice(("**2", "²")))
        if rng.random() < 0.2:
            text = self._side_by_side(text)
        if rng.random() < 0.2 and "rows" not in done:
            letters = self._other_letters(text, rng)
            if letters != text:
                done.append("letters")
                text = letters
        if rng.random() < 0.25:
            of, wrt = self.model.objective.name, self.variable.name
            entry = "index form" in done or how is None
            if not entry:
                sides = (f"d{of}/d{wrt} = ", f"∂{of}/∂{wrt} = ", f"d{wrt} = ")
                text = rng.choice(sides) + text
                done.append("left side")
        return text

    def _side_by_side(self, text: str) -> str:
        """Write ``wx`` for ``w x``, where that is no name of its own."""
        known = {canonical(s.name) for s in self.known} | WORDS

        def glued(found: re.Match[str]) -> str:
            pair = found[1] + found[2]
            return found[0] if pair in known or found[1] in "dI" else pair

        return re.sub(r"(?<![\w\\^'}\].])([A-Za-z]) ([A-Za-z])(?![\w(\[])", glued, text)

    def _other_letters(self, text: str, rng: Random) -> str:
        """Write ``W1`` for ``W^[1]``, and ``yhat`` for the output of the network."""
        text = re.sub(r"\^\[(\d)\]", r"\1", text)
        output = Lexicon(self.model).output()
        scope = {canonical(s.name) for s in self.model.symbols}
        if output is not None and "yhat" not in scope:
            name = re.escape(output.name)
            text = re.sub(rf"(?<![\\\w]){name}(?![\w'^\[])", "yhat", text)
        return text


def _code(form: Expr, target: str) -> str:
    names = {s: canonical(s.name).replace("^", "").translate(_FLAT) for s in symbols(form)}
    sizes: dict[str, str] = {}
    for symbol, name in names.items():
        for axis, dim in enumerate(symbol.shape):
            if isinstance(dim, str):
                sizes.setdefault(dim, f"{name}.shape[{axis}]")
    dims = {d for n in walk(form) for d in (*n.shape, *getattr(n, "attrs", ()))}
    for dim in dims:
        if isinstance(dim, str | Size):
            for part in base_names(dim):
                sizes.setdefault(part, part)
    tree = Trees(names, sizes, target_named(target)).tree(form, exact=False)
    return spelled(tree, DIALECTS[target])


_FLAT = str.maketrans("", "", "[]{}")
