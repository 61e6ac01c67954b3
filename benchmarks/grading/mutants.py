"""Wrong answers, each with the mistakes that were made in it.

The finished line is changed as people do by oversight, or the reverse sweep is run with one wrong
step. Both are written here, apart from the diagnosis, and every mutant is shown by numbers to be
wrong, at sizes and values of its own.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from fractions import Fraction
from random import Random

import numpy as np
import numpy.typing as npt

from benchmarks.grading.questions import Question
from benchmarks.grading.rewritings import leading_ones
from chainrule.calculus.evaluation.forward import assignments, sample
from chainrule.calculus.evaluation.numeric import FLOATS, Evaluator
from chainrule.calculus.graph.dims import SCALAR
from chainrule.calculus.graph.node import Apply, Expr, Number, Symbol, symbols, walk
from chainrule.calculus.ops import TABLE, add, broadcast, mul, neg, power, replace, size, transpose
from chainrule.errors import ChainruleError
from chainrule.language.codegen.trees import is_hidden, spread
from chainrule.language.typeset import plain

Step = tuple[Symbol, Expr, int, str, str]
Values = list[npt.NDArray[np.float64]]
Change = tuple[str, Callable[[Expr], Expr]]

SEED = 77
LONGEST = 1200
DIFFERENT = 1e-6
SAME = 1e-10

NAMED = {
    "sign": ("sign",),
    "constant": (
        *("constant factor", "factor dropped", "factor too many", "counted twice", "1/m missing"),
        *("2 dropped", "1/2 doubled", "exponent not brought down", "wrong factor"),
    ),
    "term sign": ("sign",),
    "term dropped": ("term dropped", "path not added"),
    "term factor": ("wrong factor", "path counted twice", "constant factor"),
    "factor dropped": (
        *("factor dropped", "factor got lost", "activation derivative", "mask dropped", "half of"),
        "determinant dropped",
    ),
    "power": ("exponent", "square", "power"),
    "transposed": ("transpose", "operands swapped"),
    "wrong symbol": ("wrong variable", "for another", "wrong letter"),
    "mean or sum": ("mean", "1/m", "constant factor"),
    "slope dropped": ("derivative dropped", "slope dropped", "factor dropped", "mask dropped"),
    "slope doubled": ("doubled", "factor counted twice", "exponent not lowered"),
    "slope elsewhere": ("wrong variable", "treated as", "reciprocal missing"),
    "path dropped": ("path not added", "term dropped"),
    "path doubled": ("path counted twice", "wrong factor", "constant factor", "factor too many"),
    "path sign": ("sign",),
    "diagonal": ("diagonal only",),
}
"""The names under which the grader may speak of each of these mistakes."""


@dataclass(frozen=True)
class Mutant:
    """A wrong answer.

    Parameters
    ----------
    text : str
        As it would be typed.
    labels : tuple of tuple of str
        The mistakes that were made, one or two, each with all the names that it may have.
    """

    text: str
    labels: tuple[tuple[str, ...], ...]


class Mutator:
    """Makes wrong answers to one question."""

    def __init__(self, question: Question) -> None:
        self.model, self.variable = question.model, question.variable
        found = question.derivation
        matrix = found[question.wrt].matrix
        self.line = None if matrix is None else found.without_layers(matrix)
        draws = np.random.default_rng(SEED)
        self.points = [
            Evaluator(sample(self.model, sizes, draws), sizes, FLOATS)
            for sizes in assignments(self.model, 2)
        ]
        self.right = self._values(self.swept(None))
        assert self.right is not None
        self.certain = all(np.abs(value).max() > 1e-9 for value in self.right)
        self._single: list[tuple[str, Values]] | None = None

    def mutants(self, rng: Random, doubles: bool) -> Iterator[Mutant]:
        """Yield wrong answers without end."""
        for _ in range(4000 if self.certain else 0):  # a gradient of 0 has no wrong neighbours
            found = self._one(rng, 2 if doubles else 1)
            if found is not None:
                yield found

    def _one(self, rng: Random, count: int) -> Mutant | None:
        if self.line is not None and rng.random() < 0.6:
            form, labels = self.line, list[str]()
            for _ in range(count):
                changes = list(self._changes(form))
                if not changes:
                    return None
                label, form = rng.choice(changes)
                labels.append(label)
        else:
            steps = self._steps()
            if len(steps) < count:
                return None
            chosen = rng.sample(steps, count)
            if len({step[:3] for step in chosen}) < count:
                return None
            labels = [step[-1] for step in chosen]
            try:
                form = self.swept(chosen)
            except ChainruleError:
                return None
        if spread(form) != form.shape and not isinstance(form, Number):
            return None
        if leading_ones(form) or any(self._is_untold(node) for node in walk(form)):
            return None
        text = plain(form)
        values = self._values(form)
        if len(text) > LONGEST or values is None or not self.is_wrong(values):
            return None
        alone = self.labels(values)
        if count == 2:
            return None if alone else Mutant(text, tuple((label,) for label in labels))
        return Mutant(text, (tuple(sorted(alone)),))

    def _is_untold(self, node: Expr) -> bool:
        """Whether a node takes a size from what is repeated, which the page does not show."""
        if not isinstance(node, Apply) or node.op.elementwise or is_hidden(node):
            return False
        if self.line is not None and node in walk(self.line):
            return False
        return any(spread(arg) != arg.shape for arg in node.args)

    # ---- the finished line -------------------------------------------------------------------

    def _changes(self, form: Expr) -> Iterator[tuple[str, Expr]]:
        yield "sign", neg(form)
        for number in (2, Fraction(1, 2)):
            yield "constant", mul(Number(number), form)
        for dim in sorted({d for s in self.model.symbols for d in s.shape if isinstance(d, str)}):
            yield "constant", form / broadcast(size(dim), form.shape)
        if form.shape[0] == form.shape[1] != 1:
            yield "transposed", transpose(form)
        for node in walk(form):
            for label, new in self._changed(node):
                try:
                    yield label, replace(form, {node: new})
                except ChainruleError:
                    continue

    def _changed(self, node: Expr) -> Iterator[tuple[str, Expr]]:
        if isinstance(node, Symbol) and node.shape != SCALAR:
            others = [s for s in self.model.symbols if s.shape == node.shape and s is not node]
            yield from (("wrong symbol", other) for other in others[:3])
        if not isinstance(node, Apply):
            return
        args = node.args
        if node.op is TABLE["add"]:
            for k, term in enumerate(args):
                yield "term dropped", add(*args[:k], *args[k + 1 :])
                yield "term sign", add(*args[:k], neg(term), *args[k + 1 :])
                yield "term factor", add(*args[:k], mul(Number(2), term), *args[k + 1 :])
        if node.op is TABLE["mul"]:
            for k, factor in enumerate(args):
                label = "constant" if isinstance(factor, Number) else "factor dropped"
                yield label, mul(*args[:k], *args[k + 1 :])
        if node.op is TABLE["power"] and node.attrs[0] > 1:
            yield "power", power(args[0], node.attrs[0] - 1)
        if node.op is TABLE["mean"]:
            yield "mean or sum", Apply(TABLE["sum"], args, node.attrs)
        if node.op is TABLE["sum"]:
            yield "mean or sum", Apply(TABLE["mean"], args, node.attrs)

    # ---- the sweep ---------------------------------------------------------------------------

    def _steps(self) -> list[Step]:
        """Return every place of the sweep where a step can go wrong, and how."""
        found: list[Step] = []
        for target, node in self._nodes():
            inside = self._depending(self.model.values[target])
            for k, arg in enumerate(node.args):
                if arg not in inside:
                    continue
                name = node.op.name
                kinds = [("negate", "path sign" if name in ("add", "mul") else "sign")]
                if node.op.elementwise and node.op not in (TABLE["add"], TABLE["neg"]):
                    kinds += [("upstream", "slope dropped"), ("twice", "slope doubled")]
                    if len(node.args) == 1:
                        kinds.append(("elsewhere", "slope elsewhere"))
                if self._forks(arg, inside):
                    kinds += [("drop", "path dropped"), ("double", "path doubled")]
                elif name not in ("broadcast",):
                    kinds.append(("double", "constant"))
                if name == "mean":
                    kinds.append(("total", "mean or sum"))
                if name == "softmax":
                    kinds.append(("diagonal", "diagonal"))
                found += [(target, node, k, how, label) for how, label in kinds]
        return found

    def _nodes(self) -> Iterator[tuple[Symbol, Apply]]:
        for target, value in self.model.values.items():
            inside = self._depending(value)
            for node in walk(value):
                if isinstance(node, Apply) and node in inside:
                    yield target, node

    def _depending(self, value: Expr) -> set[Expr]:
        depends: set[Expr] = {self.variable}
        for target, definition in self.model.values.items():
            if symbols(definition) & depends and target is not self.variable:
                depends.add(target)
        for node in walk(value):
            if any(arg in depends for arg in node.args):
                depends.add(node)
        return depends

    def _forks(self, arg: Expr, inside: set[Expr]) -> bool:
        uses = 0
        for value in self.model.values.values():
            uses += sum(n.args.count(arg) for n in walk(value)) + (value is arg)
        return uses > 1

    def swept(self, wrong: list[Step] | None) -> Expr:
        """Run the reverse sweep, with these steps gone wrong."""
        upstream: dict[Expr, Expr] = {self.model.objective: Number(1)}
        mistaken = {step[:3]: step[3] for step in wrong or ()}
        for target, value in reversed(list(self.model.values.items())):
            if target not in upstream or target is self.variable:
                continue
            depends = self._depending(value)
            arrived: dict[Expr, list[Expr]] = {value: [upstream[target]]}
            for node in reversed(list(walk(value))):
                if node not in arrived or not isinstance(node, Apply):
                    continue
                g = add(*arrived[node])
                parts = list(node.op.vjp(g, node, node.args, node.attrs))
                for k, arg in enumerate(node.args):
                    how = mistaken.get((target, node, k))
                    if how is not None:
                        parts[k] = _mistaken(node, g, k, parts[k], how)
                    if arg in depends:
                        arrived.setdefault(arg, []).append(parts[k])
            for symbol in symbols(value) & depends:
                found = add(*arrived[symbol])
                upstream[symbol] = add(upstream[symbol], found) if symbol in upstream else found
        return upstream.get(self.variable, Number(0, self.variable.shape))

    # ---- numbers -----------------------------------------------------------------------------

    def _values(self, form: Expr) -> Values | None:
        with np.errstate(all="ignore"):
            try:
                found = [np.asarray(point.value(form), float) for point in self.points]
            except (ChainruleError, ValueError):
                return None
        return found if all(np.isfinite(value).all() for value in found) else None

    def is_wrong(self, values: Values) -> bool:
        """Whether the values differ clearly from the right ones, also from their transpose."""
        assert self.right is not None
        turned = self.variable.shape[0] != self.variable.shape[1]
        rights = [self.right, [value.T for value in self.right]] if turned else [self.right]
        return not any(_close(values, right, DIFFERENT) for right in rights)

    def labels(self, values: Values) -> set[str]:
        """Return every label under which one mistake gives these values."""
        if self._single is None:
            forms = list(self._changes(self.line)) if self.line is not None else []
            for step in self._steps():
                try:
                    forms.append((step[-1], self.swept([step])))
                except ChainruleError:
                    continue
            known = ((label, self._values(form)) for label, form in forms)
            self._single = [(label, found) for label, found in known if found is not None]
        return {label for label, found in self._single if _close(values, found, SAME)}


def named(labels: tuple[tuple[str, ...], ...], names: list[str]) -> bool:
    """Whether every mistake that was made is among those that are named."""
    return all(
        any(part in name for label in made for part in NAMED[label] for name in names)
        for made in labels
    )


def _mistaken(node: Apply, g: Expr, k: int, right: Expr, how: str) -> Expr:
    arg = node.args[k]
    if how == "negate":
        return neg(right)
    if how == "drop":
        return Number(0, arg.shape)
    if how == "double":
        return mul(Number(2), right)
    if how == "upstream":
        return g
    if how == "twice":
        return node.op.vjp(right, node, node.args, node.attrs)[k]
    if how == "elsewhere":
        return node.op.vjp(g, node.args[0], (node,), node.attrs)[k]
    if how == "total":
        return broadcast(g, arg.shape)
    assert how == "diagonal"
    return g * node * (1 - node)


def _close(a: Values, b: Values, tolerance: float) -> bool:
    return all(
        x.shape == y.shape and np.abs(x - y).max() <= tolerance * max(np.abs(x).max(), 1e-300)
        for x, y in zip(a, b, strict=True)
    )
