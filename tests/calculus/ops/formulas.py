"""The value of every op, written down again with autograd, NumPy and SciPy: an outside oracle.

A formula is called with the arrays, the attributes with numbers for sizes, and the shape of the
result. A row of the table without a formula here fails `tests/architecture`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import autograd.numpy as anp
from autograd.scipy import special
from autograd.scipy.stats import norm
from autograd.tracer import getval


def corners(shape: tuple[int, ...], attrs: tuple[int, ...]) -> list[tuple[int, int]]:
    """Where the windows of a matrix begin."""
    (rows, columns), (height, width, down, across) = shape, attrs[:4]
    return [
        (r, c)
        for r in range(0, rows - height + 1, down)
        for c in range(0, columns - width + 1, across)
    ]


def ordered(x: Any, keys: Any, axis: int, *, back: bool) -> Any:
    """Sort by keys with a matrix of permutation for each line, or undo it."""
    lines, marks = (x.T, keys.T) if axis == 0 else (x, keys)
    done = []
    for line, key in zip(lines, marks, strict=True):
        moves = anp.eye(len(key))[sorted(range(len(key)), key=key.__getitem__)]
        done.append(anp.dot(moves.T if back else moves, line))
    whole = anp.array(done)
    return (whole.T if axis == 0 else whole) + 0.0 * keys


FORMULAS: Mapping[str, Callable[..., Any]] = {
    "add": lambda *xs, attrs, shape: sum(xs[1:], start=xs[0]),
    "neg": lambda x, *, attrs, shape: anp.negative(x),
    "mul": lambda *xs, attrs, shape: xs[0] * xs[1] * (xs[2] if len(xs) > 2 else 1.0),
    "div": lambda a, b, *, attrs, shape: anp.true_divide(a, b),
    "power": lambda x, *, attrs, shape: anp.power(x, float(attrs[0])),
    "matmul": lambda a, b, *, attrs, shape: anp.matmul(a, b),
    "transpose": lambda x, *, attrs, shape: anp.einsum("...ij->...ji", x),
    "permute": lambda x, *, attrs, shape: anp.einsum(x, [*range(x.ndim)], [*attrs]),
    "expand_dims": lambda x, *, attrs, shape: anp.reshape(x, shape),
    "squeeze": lambda x, *, attrs, shape: anp.reshape(x, shape),
    "trim": lambda x, *, attrs, shape: anp.reshape(x, shape),
    "einsum": lambda *xs, attrs, shape: anp.reshape(
        anp.einsum(f"{','.join(attrs[0][0])}->{attrs[0][1]}", *xs), shape
    ),
    "broadcast": lambda x, *, attrs, shape: x + anp.zeros(shape),
    "sum": lambda x, *, attrs, shape: anp.reshape(anp.sum(x, axis=attrs[0]), shape),
    "mean": lambda x, *, attrs, shape: anp.reshape(anp.mean(x, axis=attrs[0]), shape),
    "squared_norm": lambda x, *, attrs, shape: anp.reshape(anp.linalg.norm(x) ** 2, shape),
    "exp": lambda x, *, attrs, shape: anp.exp(x),
    "log": lambda x, *, attrs, shape: anp.log(x),
    "log1p": lambda x, *, attrs, shape: anp.log(1.0 + x),
    "sqrt": lambda x, *, attrs, shape: anp.power(x, 0.5),
    "abs": lambda x, *, attrs, shape: anp.abs(x),
    "sign": lambda x, *, attrs, shape: anp.sign(x),
    "step": lambda x, *, attrs, shape: anp.where(x > 0, 1.0, 0.0),
    "sigmoid": lambda x, *, attrs, shape: 1.0 / (1.0 + anp.exp(-x)),
    "tanh": lambda x, *, attrs, shape: (anp.exp(x) - anp.exp(-x)) / (anp.exp(x) + anp.exp(-x)),
    "relu": lambda x, *, attrs, shape: anp.where(x > 0, x, 0.0),
    "softplus": lambda x, *, attrs, shape: anp.log(1.0 + anp.exp(x)),
    "sin": lambda x, *, attrs, shape: anp.cos(x - anp.pi / 2),
    "cos": lambda x, *, attrs, shape: 1 - 2 * anp.sin(x / 2) ** 2,
    "sinh": lambda x, *, attrs, shape: anp.sinh(x),
    "cosh": lambda x, *, attrs, shape: anp.cosh(x),
    "expm1": lambda x, *, attrs, shape: anp.expm1(x),
    "normal_cdf": lambda x, *, attrs, shape: norm.cdf(x),
    "log_normal_cdf": lambda x, *, attrs, shape: norm.logcdf(x),
    "gumbel_mills": lambda x, *, attrs, shape: anp.exp(x) / anp.expm1(anp.exp(x)),
    "log_gumbel_cdf": lambda x, *, attrs, shape: anp.log(-anp.expm1(-anp.exp(x))),
    "inverse_mills": lambda x, *, attrs, shape: norm.pdf(x) / norm.cdf(x),
    "silu": lambda x, *, attrs, shape: x * special.expit(x),
    "gelu": lambda x, *, attrs, shape: x * (1 + special.erf(x / anp.sqrt(2.0))) / 2,
    "leaky_relu": lambda x, a, *, attrs, shape: anp.where(x > 0, x, a * x),
    "elu": lambda x, a, *, attrs, shape: anp.where(x > 0, x, a * (anp.exp(x) - 1.0)),
    "clip": lambda x, low, high, *, attrs, shape: anp.where(
        x < low, low, anp.where(x > high, high, x)
    ),
    "log2": lambda x, *, attrs, shape: anp.log(x) / anp.log(2.0),
    "log10": lambda x, *, attrs, shape: anp.log(x) / anp.log(10.0),
    "tan": lambda x, *, attrs, shape: anp.sin(x) / anp.cos(x),
    "arctan": lambda x, *, attrs, shape: anp.arcsin(x / anp.sqrt(1.0 + x * x)),
    "floor": lambda x, *, attrs, shape: x - x % 1.0,
    "is_zero": lambda x, *, attrs, shape: anp.where(x == 0, 1.0, 0.0),
    "pow": lambda x, a, *, attrs, shape: anp.exp(a * anp.log(x)),
    "erf": lambda x, *, attrs, shape: special.erf(x),
    "lgamma": lambda x, *, attrs, shape: special.gammaln(x),
    "digamma": lambda x, *, attrs, shape: special.digamma(x),
    "polygamma": lambda x, *, attrs, shape: special.polygamma(attrs[0], x),
    "lower": lambda *, attrs, shape: anp.tri(*attrs),
    "sort": lambda x, *, attrs, shape: ordered(x, getval(x), attrs[0], back=False),
    "sort_by": lambda x, keys, *, attrs, shape: ordered(x, keys, attrs[0], back=False),
    "unsort_by": lambda x, keys, *, attrs, shape: ordered(x, keys, attrs[0], back=True),
    "top_mask": lambda x, *, attrs, shape: anp.where(
        x >= anp.sort(x, axis=attrs[0]).take([max(-attrs[1], -x.shape[attrs[0]])], attrs[0]),
        1.0,
        0.0,
    ),
    "prod": lambda x, *, attrs, shape: anp.reshape(anp.prod(x, axis=attrs[0]), shape),
    "interleave": lambda x, *, attrs, shape: anp.reshape(
        anp.einsum("ijkl->ikjl", anp.reshape(x, attrs)), shape
    ),
    "pi": lambda *, attrs, shape: anp.full(shape, anp.pi),
    "e": lambda *, attrs, shape: anp.full(shape, anp.e),
    "max": lambda x, *, attrs, shape: anp.reshape(anp.max(x, axis=attrs[0]), shape),
    "min": lambda x, *, attrs, shape: anp.reshape(anp.min(x, axis=attrs[0]), shape),
    "maximum": lambda a, b, *, attrs, shape: anp.where(a > b, a, b),
    "minimum": lambda a, b, *, attrs, shape: anp.where(a > b, b, a),
    "softmax": lambda x, *, attrs, shape: (
        anp.exp(x) / anp.sum(anp.exp(x), axis=attrs[0], keepdims=True)
    ),
    "logsumexp": lambda x, *, attrs, shape: anp.reshape(
        anp.log(anp.sum(anp.exp(x), axis=attrs[0])), shape
    ),
    "trace": lambda x, *, attrs, shape: anp.reshape(anp.trace(x), shape),
    "diag": lambda x, *, attrs, shape: anp.einsum("i,ik->ik", anp.ravel(x), anp.eye(anp.size(x))),
    "diagonal": lambda x, *, attrs, shape: anp.reshape(anp.diag(x), shape),
    "inverse": lambda x, *, attrs, shape: anp.linalg.solve(x, anp.eye(len(x))),
    "det": lambda x, *, attrs, shape: anp.reshape(anp.linalg.det(x), shape),
    "part": lambda x, *, attrs, shape: anp.dot(
        anp.dot(anp.eye(len(x))[slice(*attrs[:2])], x), anp.eye(x.shape[1])[:, slice(*attrs[2:])]
    ),
    "stack": lambda a, b, *, attrs, shape: (anp.vstack if attrs[0] == 0 else anp.hstack)((a, b)),
    "reshape": lambda x, *, attrs, shape: anp.array(
        [
            [x[divmod(r * attrs[1] + c, x.shape[1])] for c in range(attrs[1])]
            for r in range(attrs[0])
        ]
    ),
    "onehot": lambda x, *, attrs, shape: anp.array(
        [
            [float(x.flat[(c, r)[attrs[0]]] == (r, c)[attrs[0]]) for c in range(shape[1])]
            for r in range(shape[0])
        ]
    ),
    "take": lambda x, at, *, attrs, shape: (
        x[:, at.astype(int)[0]] if attrs[0] == 0 else x[at.astype(int)[:, 0]]
    ),
    "scatter_add": lambda x, at, *, attrs, shape: anp.array(
        [
            [
                sum(
                    (x[r, i] if attrs[0] == 0 else x[i, c])
                    for i, k in enumerate(at.flat)
                    if k == (c if attrs[0] == 0 else r)
                )
                for c in range(shape[1])
            ]
            for r in range(shape[0])
        ]
    ),
    "windows": lambda x, *, attrs, shape: anp.array(
        [
            [x[r + i, c + j] for r, c in corners(x.shape, attrs)]
            for i in range(attrs[0])
            for j in range(attrs[1])
        ]
    ),
    "fold": lambda x, *, attrs, shape: anp.array(
        [
            [
                sum(
                    x[(r - top) * attrs[1] + c - left, k]
                    for k, (top, left) in enumerate(corners(shape, attrs))
                    if 0 <= r - top < attrs[0] and 0 <= c - left < attrs[1]
                )
                for c in range(shape[1])
            ]
            for r in range(shape[0])
        ]
    ),
    "argmax": lambda x, *, attrs, shape: anp.where(
        x == anp.max(x, axis=attrs[0], keepdims=True), 1.0, 0.0
    ),
    "argmin": lambda x, *, attrs, shape: anp.where(
        x == anp.min(x, axis=attrs[0], keepdims=True), 1.0, 0.0
    ),
    "size": lambda *, attrs, shape: anp.full(shape, float(len(range(attrs[0])))),
    "eye": lambda *, attrs, shape: anp.diag(anp.ones(attrs[0])),
    "logdet": lambda x, *, attrs, shape: anp.reshape(anp.linalg.slogdet(x)[1], shape),
}
