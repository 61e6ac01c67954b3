"""Oracles of rules: both sides of every firing, as numbers.

The firings are recorded while models are derived, laid out to run and emitted. Each is evaluated
before and after at one random point of its forward pass. Evaluation applies no rule, and the value
of every op in it is held to a formula of its own by the table of ops.
"""

from __future__ import annotations

import ast
import importlib
import pkgutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any
from unittest.mock import patch

import numpy as np
from tests.architecture.tables import Oracle, Table
from tests.calculus.ops.samples import close

import chainrule.calculus
import chainrule.calculus.rewriting
from chainrule.calculus.derivation.curvature import second_derivation
from chainrule.calculus.derivation.derive import derivation_of
from chainrule.calculus.derivation.program import program
from chainrule.calculus.evaluation.forward import assignments, sample
from chainrule.calculus.evaluation.numeric import FLOATS, Evaluator
from chainrule.calculus.graph.model import Model
from chainrule.calculus.graph.node import Expr, Number, Symbol, partials, walk
from chainrule.calculus.ops import matmul, mul, stack, transpose
from chainrule.calculus.rewriting.blocks import filled
from chainrule.calculus.rewriting.diagonals import DIAGONALS
from chainrule.calculus.rewriting.pointwise import DIGITS, INVERSES, RECOGNISED
from chainrule.calculus.rewriting.rule import Fired, Label
from chainrule.emission.binary import binary
from chainrule.emission.softmax import softmax
from chainrule.errors import ChainruleError
from chainrule.language.reading import example_names, load_model, read_model
from chainrule.language.reading.expressions import read_expression
from chainrule.teaching.exercises.loading import exercises

MODELS = (
    "Z : (1, m)\nY : (1, m)\nJ = -sum(Y .* log(Phi(Z)) + (1 - Y) .* log(1 - Phi(Z)))",
    "X : (n, m)\nW : (k, n)\nY : (k, m)\nonehot: Y\nP = softmax(W X, axis=0)\n"
    "J = -sum(Y .* log(P))",
    "Z : (k, m)\nS : (k, m)\nT = softmax(S, axis=0)\nP = softmax(Z, axis=0)\n"
    "J = -sum(T .* log(P))\nwrt: Z",
    "Z : (k, m)\nS : (k, m)\nR = S ./ sum(S, axis=0)\n"
    "P = softmax(Z, axis=0)\nJ = -sum(R .* log(P))\nwrt: Z",
    "Z : (v, m)\nids : (1, m)\nP = softmax(Z, axis=0)\nJ = -sum(onehot(ids, v) .* log(P))\nwrt: Z",
    "Z : (k, m)\nY : (k, m)\nc : (1, 1)\nonehot: Y\nT = (1 - c) Y + c/k\nP = softmax(Z, axis=0)\n"
    "J = -sum(T .* log(P))\nwrt: Z",
    "x : (1, m)\np, u, v : (1, 1)\nf = exp(-(x - u)^2/2)\ng = exp(-(x - v)^2/2)\n"
    "J = -sum(log(p f + (1 - p) g))\nwrt: u, p",
    "X : (m, n)\ny : (m, 1)\nw : (n, 1)\np = 1 - exp(-exp(X w))\n"
    "J = -sum(y .* log(p) + (1 - y) .* log(1 - p))\nwrt: w",
    "x : (n, 1)\nJ = sum(1/(1 + exp(-x)))",
    "x : (n, 1)\nJ = sum((exp(x) - exp(-x))/(exp(x) + exp(-x)))",
    "z : (n, 1)\nt : (n, 1)\np = exp(z)/sum(exp(z))\nJ = t^T p\nwrt: z",
    "X : (n, m)\nG : (n, m)\nu = mean(X, axis=1)\nv = mean((X - u)^2, axis=1)\n"
    "H = (X - u)/sqrt(v + 0.1)\nJ = sum(G .* H)\nwrt: X",
)
"""Forward passes for rules that the examples and the exercises do not need."""


PARTS = (
    "log(1 + exp(A))",
    "log1p(exp(A))",
    "1/(1 + exp(A))",
    "sinh(A)/cosh(A)",
    "exp(A)/(1 + exp(A))",
    "1 - exp(A)",
    "exp(A) - 1",
    "log(cosh(A))",
    "1 - tanh(A)^2",
    "sqrt(1 + A) - 1",
    "log(1 + A)",
    "abs(A)^2",
    "sign(A) .* abs(A)",
    "1 - (A/sqrt(1 + A^2))^2",
    "log(1 - exp(-exp(A)))",
    "log(1)",
    "exp(log(A))",
    "exp(-log(A))",
)
"""Parts of losses, for rules that losses alone need."""

BUILDERS = ("Rule", "Label", "identity")
"""Calls that build a rule or name a step, with the name as their first argument."""

SIZES = {"n": 3, "m": 4}
A, X = (Symbol(name, ("n", "m")) for name in "AX")
SCALE = Symbol("d", (1, "m"))


def by_hand() -> None:
    """Fire the rules that no derivation records."""
    for text in PARTS:
        part = read_expression(text, {"A": A})
        for rule in (*RECOGNISED, *INVERSES, *DIGITS):
            became = rule.becomes(part)
            if became is not None:
                Fired(rule, part, became)
    zeros = Number(0, A.shape)
    filled(stack((A, zeros)) + stack((zeros, X)))
    before = matmul(mul(A, SCALE), transpose(X))
    after = DIAGONALS.becomes(before)
    assert after is not None
    Fired(DIAGONALS, before, after)


@dataclass(frozen=True)
class Firing:
    """One firing at a point: the rule's name, both sides, and the values of the symbols."""

    name: str
    before: Expr
    after: Expr
    values: Mapping[Symbol, Any]
    meanings: Mapping[Expr, Expr]
    sizes: Mapping[str, int]

    def difference(self) -> str:
        """Return how the two sides differ as numbers."""
        point = Evaluator(dict(self.values), self.sizes, FLOATS)
        for symbol, meaning in self.meanings.items():
            assert isinstance(symbol, Symbol)
            point.define(symbol, point.value(meaning))
        rng = np.random.default_rng(1)
        known = {*self.values, *self.meanings}
        for node in sorted(_symbols(self.before) | _symbols(self.after), key=lambda s: s.name):
            if node not in known:
                point.define(node, rng.uniform(0.5, 1.5, point.shape(node.shape)))
        before, after = (np.asarray(point.value(side)) for side in (self.before, self.after))
        before, after = np.broadcast_arrays(before, after)
        return "" if close(after, before, 1e-9) else f"{before} became {after}"


def _symbols(expr: Expr) -> set[Symbol]:
    return {node for node in walk(expr) if isinstance(node, Symbol)}


@contextmanager
def recorded() -> Iterator[list[Fired]]:
    """Record every firing of a rule."""
    log: list[Fired] = []
    made = Fired.__init__

    def init(self: Fired, *args: Any, **options: Any) -> None:
        made(self, *args, **options)
        log.append(self)

    with patch.object(Fired, "__init__", init):
        yield log


@cache
def firings() -> Mapping[str, list[Firing]]:
    """Return the firings of every rule over all models, by its name."""
    found: dict[str, list[Firing]] = {}

    def keep(log: list[Fired], model: Model | None, meanings: Mapping[Expr, Expr]) -> None:
        sizes = assignments(model, 1)[0] if model else SIZES
        values = sample(model, sizes, np.random.default_rng(2)) if model else {}
        for fired in log:
            if not (partials(fired.before) or partials(fired.after)):
                name = fired.rule.name
                firing = Firing(name, fired.before, fired.after, values, meanings, sizes)
                found.setdefault(name, []).append(firing)

    models = [load_model(name) for name in example_names()]
    models += [exercise.model for exercise in exercises()[::4]]
    models += [read_model(text) for text in MODELS]
    derivations = []
    for model in models:
        with recorded() as log:
            derivations.append(derivation := derivation_of(model))
            program(derivation)
        keep(log, derivation.model, {})  # with the names that the derivation gives to parts
    for derivation in derivations[: len(example_names())]:
        with recorded() as log:
            try:
                second_derivation(derivation)
            except ChainruleError:
                continue
        keep(log, derivation.model, {})
    for write in (binary, softmax):
        with recorded() as log:
            kernels, _ = write()
        keep(log, kernels.model, kernels.meanings)
    with recorded() as log:
        by_hand()
    keep(log, None, {})
    return found


@cache
def named_in_source() -> Mapping[str, str]:
    """Return the name of every rule that the package builds, with the file."""
    found: dict[str, str] = {}
    root = Path(chainrule.calculus.__path__[0])
    for info in pkgutil.iter_modules(chainrule.calculus.rewriting.__path__):
        module = importlib.import_module(f"{chainrule.calculus.rewriting.__name__}.{info.name}")
        held = [v for v in vars(module).values() if isinstance(v, Label)]
        found |= {rule.name: f"{info.name}.py" for rule in held}
    for path in root.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and ast.unparse(node.func) in BUILDERS:
                name = node.args[0]
                if isinstance(name, ast.Constant):
                    found[str(name.value)] = path.name
    return found


def rule_oracle(name: str) -> str:
    """Evaluate up to thirty firings of a rule, spread over all that were recorded."""
    log = firings()[name]
    for firing in log[:: 1 + len(log) // 30]:
        if wrong := firing.difference():
            return wrong
    return ""


def _oracle(name: str) -> Oracle | None:
    if name not in firings():
        return None
    return lambda row: rule_oracle(name)


RULES = Table("rule", named_in_source, _oracle)
