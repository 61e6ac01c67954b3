"""Oracles of ops, and of the targets that their code is written for."""

from __future__ import annotations

import ast
import importlib
import importlib.util
import shutil
from collections.abc import Mapping
from typing import Any

import numpy as np
from tests.architecture.tables import Oracle, Table
from tests.calculus.ops.formulas import FORMULAS
from tests.calculus.ops.samples import Sample, close, quotient, samples
from tests.language.codegen.library_names import RECORDED
from tests.language.codegen.node import node
from tests.language.codegen.numpy_samples import EXPRESSIONS, difference, direct_calls

from chainrule.calculus.graph.node import Symbol
from chainrule.calculus.graph.op import Op
from chainrule.calculus.ops import TABLE
from chainrule.errors import DerivationError
from chainrule.language import codegen
from chainrule.language.codegen.dialects import DIALECTS
from chainrule.language.codegen.javascript.functions import NUMPY
from chainrule.language.codegen.javascript.target import JAVASCRIPT

CONSTANT = frozenset({"sign", "step", "argmax", "argmin", "floor", "is_zero", "top_mask"})
"""Constant between their jumps, so finite differences of a sum over ties say nothing."""


def op_oracle(row: Op) -> str:
    """Compare value, code and slope of a row with a formula that is not its own."""
    for s in samples(row):
        wanted = _formula(row, s, s.arrays)
        if not close(s.at(s.node), wanted, 1e-12):
            return f"its value is {s.at(s.node)}, not {wanted}"
        space: dict[str, Any] = {
            "__builtins__": {"range": range, "float": float},
            "np": np,
            **s.sizes,
        }
        texts = [symbol.name for symbol in s.arguments]
        space |= dict(zip(texts, s.arrays, strict=True))
        for part in (*row.helpers, row):
            exec(part.helper, space)
        found = np.broadcast_to(eval(row.code(*texts, attrs=s.attrs), space), wanted.shape)
        if not close(found, wanted, 1e-12):
            return f"its code gives {found}, not {wanted}"
        if wrong := _slope(row, s):
            return wrong
        if wrong := _without_javascript(row, s):
            return wrong
    return ""


def _without_javascript(row: Op, s: Sample) -> str:
    """Say why an op has no JavaScript; `test_javascript` runs the code of those that have."""
    spelled = row.targets.get(JAVASCRIPT.name)
    written = row.code if spelled is None else spelled.code
    code = written(*(symbol.name for symbol in s.arguments), attrs=s.attrs)
    try:
        JAVASCRIPT.verify(row, ast.parse(code, mode="eval").body)
    except DerivationError as error:
        return str(error)
    return ""


def _formula(row: Op, s: Sample, arrays: tuple[np.ndarray, ...]) -> np.ndarray:
    shape = s.size(s.node.shape)
    return np.asarray(FORMULAS[row.name](*arrays, attrs=s.attrs, shape=shape), dtype=float)


def _slope(row: Op, s: Sample) -> str:
    """Compare a vjp with central differences of the outside formula."""
    g = Symbol("g", s.node.shape)
    G = np.random.default_rng(5).uniform(0.5, 1.5, s.size(g.shape))
    answers = row.vjp(g, s.node, s.node.args, s.node.attrs)
    for k, (answer, array) in enumerate(zip(answers, s.arrays, strict=True)):
        if array.dtype.kind == "i":  # numbers of places do not move
            continue

        def moved(x: np.ndarray, k: int = k) -> Any:
            arrays = (*s.arrays[:k], x, *s.arrays[k + 1 :])
            return np.sum(G * _formula(row, s, arrays))

        wanted = np.zeros(array.shape) if row.name in CONSTANT else quotient(moved, array)
        if not close(s.at(answer, {g: G}), wanted):
            return f"its slope is {s.at(answer, {g: G})}, not {wanted}"
    return ""


def target_oracle(name: str) -> str:
    """Look every recorded name of a library up, where the library is installed.

    JavaScript has no library: its runtime is held to NumPy where Node is installed.
    """
    if name == JAVASCRIPT.name:
        return _runtime_difference()
    dialect = DIALECTS[name]
    if importlib.util.find_spec(dialect.name) is None:
        return "" if RECORDED[dialect.name] else "no names of its library are recorded"
    for path in RECORDED[dialect.name]:
        root, *rest = path.replace("jnp.", "jax.numpy.").split(".")
        found: Any = importlib.import_module(root)
        for part in rest:
            found = getattr(found, part, None)
        if found is None:
            return f"{dialect.name} has no {path}"
    return ""


def _runtime_difference() -> str:
    called = {row.name for text in EXPRESSIONS for row in direct_calls(text)}
    if missing := set(NUMPY.values()) - called:
        return f"no expression calls {', '.join(sorted(missing))}"
    if shutil.which("node") is None:
        return ""
    engine = node()
    return next(filter(None, (difference(text, engine) for text in EXPRESSIONS)), "")


def _op(name: str) -> Oracle | None:
    return op_oracle if name in FORMULAS else None


def _target(name: str) -> Oracle | None:
    return target_oracle if name in (*RECORDED, JAVASCRIPT.name) else None


def _ops() -> Mapping[str, Op]:
    return TABLE


OPS = Table("op", _ops, _op)
TARGETS = Table("target", lambda: {name: name for name in codegen.TARGETS}, _target)
