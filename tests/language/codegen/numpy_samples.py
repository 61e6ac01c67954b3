"""Expressions in NumPy that every function of the JavaScript runtime is held to."""

from __future__ import annotations

import ast
from typing import Any

import numpy as np
from tests.language.codegen.node import Node

from chainrule.language.codegen.javascript.functions import RuntimeFunction, called
from chainrule.language.codegen.javascript.translation import expression
from chainrule.language.codegen.javascript.written import Kind, Scope

ARRAYS: dict[str, np.ndarray] = {
    "A": np.random.default_rng(1).uniform(-2, 2, (3, 4)),
    "B": np.random.default_rng(2).uniform(-2, 2, (4, 5)),
    "P": np.random.default_rng(3).uniform(0.1, 0.9, (3, 4)),
    "S": np.random.default_rng(4).uniform(-1, 1, (3, 3)) + 3 * np.eye(3),
    "r": np.random.default_rng(5).uniform(-2, 2, (1, 4)),
    "c": np.random.default_rng(6).uniform(-2, 2, (3, 1)),
    "v": np.random.default_rng(7).uniform(-2, 2, 4),
    "T": np.random.default_rng(8).uniform(-2, 2, (2, 3, 4)),
    "U": np.random.default_rng(9).uniform(-2, 2, (2, 4, 5)),
    "I": np.array([[2, 0, 1, 2]]),
    "H": np.array([[-1.5, -0.5, 0.5, 1.5, 2.5, 0.0, -0.0]]),
    "D": np.array([[3.0, 1.0, 2.0, 1.0]]),
}
SIZES = {"n": 3, "m": 4}

EVERYWHERE = """
    abs absolute ceil cos cosh exp exp2 expm1 floor isfinite isnan negative rint round sign sin
    sinh square tan tanh trunc arctan arcsinh logical_not ones_like zeros_like asarray
"""
BELOW_ONE = """
    arccos arcsin arctanh log log10 log1p log2 sqrt
"""
BINARY = """
    add subtract multiply divide true_divide maximum minimum arctan2 less less_equal greater
    greater_equal equal not_equal logaddexp logical_and logical_or logical_xor mod remainder
    floor_divide
"""
REDUCTIONS = ("sum", "mean", "max", "min", "amax", "amin", "prod", "any", "all")

EXPRESSIONS = (
    *(f"np.{name}(A)" for name in EVERYWHERE.split()),
    *(f"np.{name}(P)" for name in BELOW_ONE.split()),
    *(
        f"np.{name}({pair})"
        for name in BINARY.split()
        for pair in ("A, r", "c, A", "A, 2", "0.5, A", "H, H")
    ),
    *(
        f"np.{name}({array}{options})"
        for name in REDUCTIONS
        for array in ("A", "T")
        for options in ("", ", keepdims=True", ", axis=0", ", axis=1, keepdims=True", ", axis=-1")
    ),
    *(f"np.{name}(T, axis=(0, 2), keepdims=True)" for name in REDUCTIONS),
    *(f"np.{name}(H)" for name in ("round", "rint", "sign", "floor", "ceil", "trunc")),
    "np.arccosh(P + 1)",
    "np.power(P, A)",
    "np.float_power(P, r)",
    "np.power(1, A / 0.0)",
    "P ** (1 / 3)",
    "A ** 2",
    "A ** -1.0",
    "A % 0.7",
    "A // 0.7",
    "-A + 2 * A * 3 - A / (1 + n) + c + r",
    "2 - n / m * A - (n - (m - 1)) * A",
    "n ** 2 * A / -m ** 2",
    "(n // 2 - -m % 3) * A",
    "123456789012345678901234567890 / 400000000000000000000000000007 * A",
    "~(A > 0) | (A < -1) & (c != r) ^ (A >= 0.5)",
    "np.where(A > 0, np.log(np.abs(A)), r)",
    "np.where(A > 0, 1.0, 0.0)",
    "np.where(n < m, A, P)",
    "A if n < m <= 4 and not n == m else P",
    "np.clip(A, -1, 0.5)",
    "np.clip(A, None, r)",
    "np.sqrt(n) * A + np.log(2) + np.pi + np.e",
    "np.maximum(n, 5) * A",
    "A @ B",
    "T @ U",
    "T @ B",
    "np.matmul(A, B)",
    "np.dot(A, B)",
    "A.dot(B)",
    "np.outer(v, A)",
    "np.kron(A, B)",
    "np.einsum('ij,jk->ik', A, B)",
    "np.einsum('bij,bjk->bki', T, U)",
    "np.einsum('ii->i', S)",
    "np.einsum('ij,ij,kj->', A, P, S @ A)",
    "np.einsum('bij->jb', T)",
    "A.T",
    "T.T",
    "np.transpose(T, (1, 0, 2))",
    "T.transpose(2, 0, 1)",
    "np.swapaxes(T, 0, -1)",
    "A.reshape(2, 6)",
    "A.reshape(-1)",
    "A.reshape((6, -1))",
    "np.reshape(T, (6, m))",
    "np.ravel(T)",
    "T.flatten()",
    "np.expand_dims(A, 1)",
    "np.expand_dims(A, -1)",
    "np.squeeze(r)",
    "np.squeeze(T[:1], axis=0)",
    "np.broadcast_to(r, (n, m))",
    "np.broadcast_to(2.5, (n, m))",
    "np.full((n, m), 1 / 3)",
    "np.full((n, m), r)",
    "np.full_like(A, 2)",
    "np.zeros((n, m), dtype=A.dtype)",
    "np.ones(m)",
    "np.arange(5)",
    "np.arange(1, n + 4, 2)",
    "np.arange(m).reshape(-1, 1) == I",
    "np.eye(n)",
    "np.eye(n, m)",
    "np.eye(n, m, k=1)",
    "np.tril(S)",
    "np.tril(A, k=1)",
    "np.tril(T, -1)",
    "np.triu(S)",
    "np.triu(A, k=-1)",
    "np.diag(v)",
    "np.diag(A)",
    "np.diagonal(S)",
    "np.trace(S)",
    "np.concatenate((A, P), axis=0)",
    "np.concatenate((A, c, P), axis=1)",
    "np.concatenate((T, T * 2), axis=-1)",
    "np.stack((A, P))",
    "np.stack([v, 2 * v], axis=1)",
    "np.tile(r, (3, 2))",
    "np.cumsum(A, axis=0)",
    "np.cumsum(T, axis=-1)",
    "np.cumsum(A)",
    "np.cumprod(A, axis=1)",
    "np.cumprod(A)",
    "np.sort(A, axis=0)",
    "np.sort(A)",
    "np.argsort(A, axis=1)",
    'np.argsort(D, axis=1, kind="stable")',
    "np.take_along_axis(A, np.argsort(P, axis=0), axis=0)",
    "np.take_along_axis(T, np.argsort(T, axis=1), axis=1)",
    "np.take_along_axis(D, I, axis=1)",
    "np.take_along_axis(D, I[:, :3] - 1, axis=-1)",
    "np.flip(A)",
    "np.flip(T, axis=1)",
    "np.take(B, I, axis=0)",
    "np.take(B, I[0], axis=1)",
    "B[I[0]]",
    "A[:, I[0]]",
    "T[1, :, 2]",
    "T[..., -1]",
    "T[0]",
    "T[:, None, 1:3]",
    "T[:, ::-1, ::2]",
    "A[-2:, :-1]",
    "A[n - 1, 0]",
    "A.shape[0] * A.shape[-1] * A.ndim * A.size * A",
    "np.linalg.inv(S)",
    "np.linalg.det(S)",
    "np.linalg.slogdet(-S)[0]",
    "np.linalg.slogdet(S)[1]",
    "np.linalg.solve(S, A)",
    "np.linalg.matrix_power(S, 3)",
    "np.linalg.matrix_power(S, -2)",
    "np.stack([A[i : i + 2, j].reshape(-1) for i in range(n - 1) for j in range(m) if j != 1])",
    "float(np.sum(A)) * int(np.max(D)) * A",
    "len(A) * min(n, m) * abs(-n) * A",
    "A.sum(axis=0, keepdims=True) + A.mean() + A.max(axis=1).reshape(-1, 1)",
    "A.copy().astype(float)",
)


def translated(text: str) -> str:
    """Return a module with a function of the arrays above that is one expression."""
    tree = ast.parse(text, mode="eval").body
    kinds = dict.fromkeys(SIZES, Kind.NUMBER)
    code = f"asArray({expression(tree, Scope(kinds)).text})"
    names = ", ".join((*ARRAYS, *SIZES))
    body = f"export function value({{ {names} }}) {{\n  return {code};\n}}\n"
    return "\n".join([body, *(row.text for row in called([body]))])


def direct_calls(text: str) -> list[RuntimeFunction]:
    """Return the functions of the runtime that an expression calls, but not what those call."""
    body, *_ = translated(text).split("\n\n")
    return [row for row in called([body]) if f"{row.name}(" in body]


def difference(text: str, node: Node) -> str:
    """Say how an expression in Node differs from NumPy, or nothing."""
    with np.errstate(all="ignore"):
        wanted = np.asarray(eval(text, {"np": np, **ARRAYS, **SIZES}), dtype=float)
    found: Any = node.call(translated(text), "value", {**ARRAYS, **SIZES})
    if found.shape != wanted.shape:
        return f"{text} has the shape {found.shape}, not {wanted.shape}"
    if not np.allclose(found, wanted, rtol=1e-12, atol=1e-13, equal_nan=True):
        return f"{text} is {found}, not {wanted}"
    return ""
