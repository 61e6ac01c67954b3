"""The last check of a module before it ships: loss, slope and curvature against each other.

Two checks over the whole range of scores, from -1e4 to 1e4. The emitted text, run with 80 digits in
place of float64, has slopes and curvatures that are differences of its own losses and slopes. And
what it computes in float64 is as close to the true values as its own bounds say.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Sequence
from types import SimpleNamespace
from typing import Any, Final

import mpmath
import numpy as np

from chainrule.calculus.evaluation.numeric import Evaluator
from chainrule.calculus.evaluation.precise import PRECISE
from chainrule.calculus.graph.node import Expr
from chainrule.emission.formula import SCORE, TARGET
from chainrule.engine.arrays import FloatArray
from chainrule.engine.losses.facts import LossRow
from chainrule.errors import ProofError

DIGITS: Final = 80
_EVERY = 5
_NEAR = 8.0
_STEP = mpmath.mpf(10) ** -20
_CLOSE = mpmath.mpf(10) ** -12
_NOTHING = mpmath.mpf(10) ** -30

_NUMPY = SimpleNamespace(
    exp=mpmath.exp,
    expm1=mpmath.expm1,
    log=mpmath.log,
    log1p=mpmath.log1p,
    sqrt=mpmath.sqrt,
    hypot=mpmath.hypot,
    abs=abs,
    maximum=max,
    minimum=min,
    sign=mpmath.sign,
    tanh=mpmath.tanh,
    pi=mpmath.pi,
)
_SPECIAL = SimpleNamespace(
    log_ndtr=lambda x: mpmath.log1p(-mpmath.ncdf(-x)) if x > 0 else mpmath.log(mpmath.ncdf(x)),
    erfcx=lambda x: mpmath.exp(x * x) * mpmath.erfc(x),
)

PreciseTerms = Callable[[Any, Any], tuple[Any, Any, Any]]


def check(row: LossRow, z: FloatArray, y: FloatArray, true: Sequence[Sequence[Any]]) -> None:
    """Check a module.

    Parameters
    ----------
    row : LossRow
    z, y : ndarray
        Scores and targets.
    true : sequence
        Loss, slope and curvature at each, with many digits.

    Raises
    ------
    ProofError
        When the module fails; it must not be used.
    """
    _within_bounds(row, z, y, true)
    terms = precise_terms(row.source)
    bounds = np.array(row.kernels.errors(z, y))
    with mpmath.workdps(DIGITS):
        for k in range(0, len(z), _EVERY):
            if np.isfinite(bounds[:, k]).all():
                _differences(terms, row.name, mpmath.mpf(z[k]), mpmath.mpf(y[k]))


def check_text(written: Expr, read: Sequence[Any], z: FloatArray, y: FloatArray) -> None:
    """Check that the loss is what was written, before any rule named or rewrote a part of it.

    Parameters
    ----------
    written : Expr
        l as its text has it.
    read : sequence of mpmath numbers
        The values of l from which everything else follows.
    z, y : ndarray
        Where.

    Raises
    ------
    ProofError
        When they differ.
    """
    with mpmath.workdps(DIGITS):
        for k in np.flatnonzero((np.abs(z) > 1e-3) & (np.abs(z) < _NEAR))[::_EVERY]:
            at = {SCORE: z[k], TARGET: y[k]}
            values = {s: np.array([[mpmath.mpf(v)]], dtype=object) for s, v in at.items()}
            value = np.asarray(Evaluator(values, {}, PRECISE).value(written)).ravel()[0]
            if not abs(value - read[k]) <= _CLOSE**2 * (1 + abs(value)):
                raise ProofError(
                    f"the loss at z = {z[k]:g}, y = {y[k]:g} is {mpmath.nstr(value, 15)} as "
                    f"written, and {mpmath.nstr(read[k], 15)} after its functions were recognised"
                )


def precise_terms(source: str) -> PreciseTerms:
    """Return the function `terms` of a module for mpmath numbers, its constants exact."""
    tree = ast.parse(source)
    (function,) = (n for n in tree.body if isinstance(n, ast.FunctionDef) and n.name == "terms")
    function.returns = None
    for argument in function.args.args:
        argument.annotation = None
    module = ast.Module([_Exact().visit(function)], [])
    names: dict[str, Any] = {"np": _NUMPY, "special": _SPECIAL, "mpf": mpmath.mpf}
    exec(compile(ast.fix_missing_locations(module), "<terms>", "exec"), names)
    terms: PreciseTerms = names["terms"]
    return terms


class _Exact(ast.NodeTransformer):
    def visit_Constant(self, node: ast.Constant) -> ast.expr:
        """Make every number of the text one of mpmath."""
        if isinstance(node.value, int | float):
            return ast.Call(ast.Name("mpf", ast.Load()), [ast.Constant(node.value)], [])
        return node


def _within_bounds(
    row: LossRow, z: FloatArray, y: FloatArray, true: Sequence[Sequence[Any]]
) -> None:
    found, bounds = row.kernels.terms(z, y), row.kernels.errors(z, y)
    for k, (a, b) in enumerate(zip(z, y, strict=True)):
        for name, values, bound, exact in zip(_NAMES, found, bounds, true[k], strict=True):
            if not np.isfinite(bound[k]):
                off = abs(mpmath.mpf(values[k]) - exact) if np.isfinite(values[k]) else mpmath.inf
                if abs(exact) < _LARGE and not off <= _CLOSE * max(1, abs(exact)):
                    raise ProofError(
                        f"{row.name}: the {name} at z = {a:g}, y = {b:g} is {values[k]!r}, "
                        f"without a bound, and {mpmath.nstr(exact, 15)} is true"
                    )
            elif not abs(mpmath.mpf(values[k]) - exact) <= bound[k]:
                raise ProofError(
                    f"{row.name}: the {name} at z = {a:g}, y = {b:g} is {values[k]!r}, further "
                    f"than {bound[k]:.3g} from {mpmath.nstr(exact, 20)}"
                )


_NAMES = ("loss", "slope", "curvature")
_LARGE = 1e290
"""Values above it may have no bound: a part of them may be too large for float64."""


def _differences(terms: PreciseTerms, name: str, z: Any, y: Any) -> None:  # noqa: ANN401
    here = terms(z, y)
    near = [(h, terms(z + h, y), terms(z - h, y)) for h in (_STEP, _STEP / 3)]
    for order in (1, 2):
        first, second = ((up[order - 1] - down[order - 1]) / (2 * h) for h, up, down in near)
        left = (here[order - 1] - near[0][2][order - 1]) / _STEP
        scale = abs(here[order]) + abs(here[order - 1]) * _CLOSE + _NOTHING
        if abs(left - first) > 1e-6 * scale or abs(first - second) > 1e-6 * scale:
            continue  # a kink
        if abs(first - here[order]) > _CLOSE * scale + _NOTHING:
            raise ProofError(
                f"{name}: the {_NAMES[order]} at z = {mpmath.nstr(z, 5)}, y = {mpmath.nstr(y, 5)} "
                f"is {mpmath.nstr(here[order], 15)}, and differences of the "
                f"{_NAMES[order - 1]} give {mpmath.nstr(first, 15)}"
            )
