"""Every op and every function word of the language, applied to products inside a network.

An expression is written over names for what a layer hands on: U is a product of matrices, (h, m);
P is positive, (h, m); S is square and far from singular, (h, h); v is a column of scores, (h, 1).
ids are numbers of places, (1, m), and c holds a number for every example, (m, 1). A row of the
table without an expression here fails `test_in_networks`, and so does a word of the language.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

PARTS = {
    "U": "(W {0} + b)",
    "P": "((W {0})^2 + 1/2)",
    "S": "(W {0} (W {0})^T + 2 eye(h))",
    "v": "(W {0} c)",
}
"""What the names stand for, in terms of what goes into the layer."""


def forward_pass(expression: str, *, deep: bool) -> str:
    """Return a forward pass in which an expression is applied to a product.

    Where it is `deep`, the product is that of a second layer, and the gradient goes on through it
    to the first.
    """
    into = "A" if deep else "X"
    body = expression.replace("W X", f"W {into}")
    for name, part in PARTS.items():
        body = re.sub(rf"\b{name}\b", part.format(into), body)
    lines = ["X : (n, m)", "W : (h, n)", "b : (h, 1)"]
    lines += ["ids : (1, m)"] if "ids" in body else []
    lines += ["c : (m, 1)"] if re.search(r"\bc\b", body) else []
    lines += ["K : (n, n)", "A = tanh(K X)"] if deep else []
    with_bias = re.search(r"\bb\b", body) is not None
    wanted = ["W", *(["b"] if with_bias else []), *(["K"] if deep else [])]
    return "\n".join([*lines, f"J = mean(softplus({body}))", f"wrt: {', '.join(wanted)}"])


ROWS: Mapping[str, tuple[str, ...]] = {
    "add": ("U + W X",),
    "neg": ("-U",),
    "mul": ("U .* (W X)",),
    "div": ("U / P", "U / sum(P, axis=0)"),
    "power": ("U^2", "P^{1/2}", "P^{-3}"),
    "matmul": ("U^T (W X)",),
    "transpose": ("U^T",),
    "eye": ("U^T eye(h) U",),
    "broadcast": ("U + sum(W X, axis=1)",),
    "sum": ("sum(U)", "sum(U, axis=0)", "sum(U, axis=1)"),
    "mean": ("mean(U)", "mean(U, axis=0)", "mean(U, axis=1)"),
    "size": ("U / (h m)",),
    "squared_norm": ("norm(U)^2",),
    "exp": ("exp(U)",),
    "log": ("log(P)",),
    "sqrt": ("sqrt(P)",),
    "sign": ("U .* sign(W X)",),
    "abs": ("abs(U)",),
    "step": ("U .* [W X > 0]", "U .* [W X <= 1/2]"),
    "sigmoid": ("sigmoid(U)",),
    "tanh": ("tanh(U)",),
    "relu": ("relu(U)",),
    "log1p": ("log1p(P)",),
    "expm1": ("expm1(U)",),
    "softplus": ("softplus(U)",),
    "sin": ("sin(U)",),
    "cos": ("cos(U)",),
    "sinh": ("sinh(U)",),
    "cosh": ("cosh(U)",),
    "inverse_mills": ("log_normal_cdf(U)",),  # its slope
    "normal_cdf": ("Phi(U)",),
    "log_normal_cdf": ("log_normal_cdf(U)",),
    "gumbel_mills": ("log_gumbel_cdf(U)",),  # its slope
    "log_gumbel_cdf": ("log_gumbel_cdf(U)",),
    "pi": ("π U",),
    "e": ("e U",),
    "max": ("max(U)", "max(U, axis=0)", "max(U, axis=1)"),
    "argmax": ("U .* argmax(W X, axis=0)",),
    "min": ("min(U)", "min(U, axis=0)", "min(U, axis=1)"),
    "argmin": ("U .* argmin(W X, axis=0)",),
    "maximum": ("max(U, W X)",),
    "minimum": ("min(U, W X)",),
    "softmax": ("softmax(U, axis=0)", "softmax(U, axis=1)"),
    "logsumexp": ("logsumexp(U, axis=0)", "logsumexp(U)"),
    "trace": ("trace(S)",),
    "diag": ("diag(v)",),
    "diagonal": ("diag(S)",),
    "inverse": ("S^-1", "inv(S)"),
    "det": ("det(S)",),
    "logdet": ("logdet(S)",),
    "part": ("U[0:1, :]", "U[:, 1:m]"),
    "stack": ("[U; W X]", "[U, W X]"),
    "reshape": ("reshape(U, m, h)", "vec(U)"),
    "onehot": ("U onehot(ids, h)^T",),
    "take": ("lookup(U, ids)",),  # the running form of the product
    "scatter_add": ("scatter_add(U, ids, h)",),
    "windows": ("windows(U, 1, 2)",),
    "fold": ("fold(windows(U, 1, 2), 1, 2, h, m)",),
    "silu": ("silu(U)",),
    "gelu": ("gelu(U)",),
    "leaky_relu": ("leaky_relu(U)", "leaky_relu(U, slope=P)"),
    "elu": ("elu(U)", "elu(U, alpha=P)"),
    "clip": ("clip(U, -1/2, 1/2)", "clip(U, -P, P)"),
    "log2": ("log2(P)",),
    "log10": ("log10(P)",),
    "tan": ("tan(sigmoid(U))",),
    "arctan": ("arctan(U)",),
    "floor": ("U .* floor(4 W X)",),
    "is_zero": ("U .* [W X == 1]", "U .* [W X != U]"),
    "pow": ("P^{1/(1 + U^2)}", "2^U", "P^{sum(U)}"),
    "erf": ("erf(U)",),
    "lgamma": ("lgamma(P)",),
    "digamma": ("digamma(P)",),
    "polygamma": ("polygamma(1, P)", "polygamma(2, P)"),
    "lower": ("lower(h) U", "tril(S)", "triu(U, 1)"),
    "sort": ("sort(U, axis=0)", "sort(v)"),
    "sort_by": ("sort_by(U, W X, axis=1)",),
    "unsort_by": ("unsort_by(U, W X, axis=0)",),
    "top_mask": ("U .* top_mask(W X, 1, axis=0)",),
    "prod": ("prod(P)", "prod(P, axis=0)", "prod(P, axis=1)"),
    "permute": ('permute(einsum("hm,hk->hmk", U, S), 2, 1, 0)',),
    "expand_dims": ("expand_dims(U, 0) + U",),
    "squeeze": ("squeeze(expand_dims(U, 2) .* expand_dims(W X, 2), 2)",),
    "trim": ("sum(U) + U",),
    "einsum": ('einsum("hm,nm,hn->hm", U, X, W)', 'einsum("hm,hk->", U, S)'),
    "interleave": ("kron(U, [1, 2])", "kron(v, U)", "interleave(U, h, 1, 1, m)"),
}
"""Expressions by the row that they are about."""

WORDS: Mapping[str, tuple[str, ...]] = {
    "outer": ("outer(v, tanh(v))",),
    "where": ("where([U > 0], U, W X)",),
    "cross_entropy": ("cross_entropy(P / sum(P), sigmoid(U))",),
    "ones": ("U ones(m, 1)",),
    "zeros": ("U + zeros(h, m)",),
    "concat": ("concat(U, W X, axis=1)",),
    "vstack": ("vstack(U, W X)",),
    "hstack": ("hstack(U, W X)",),
    "onehot": ("U onehot(ids, h)^T",),
    "lookup": ("lookup(U^T, ids)",),
    "scatter_add": ("scatter_add(U, ids, h)",),
    "norm": ("norm(U)", "norm(U, axis=0)", "norm(U, 1)"),
    "squared_norm": ("squared_norm(U)",),
    "layer_norm": ("layer_norm(U)", "layer_norm(U, eps=1/100)"),
    "batch_norm": ("batch_norm(U)", "batch_norm(U, eps=1/100)"),
    "rms_norm": ("rms_norm(U)",),
    "group_norm": ("group_norm([U; W X], 2)",),
    "cosine": ("cosine(U, W X)", "cosine(v, U c)"),
    "dropout": ("dropout(U, P, keep=4/5)",),
    "reparametrise": ("reparametrise(U, W X, P)",),
    "kl_gaussian": ("kl_gaussian(U, W X)",),
    "info_nce": ("info_nce(U, W X, 1/2)",),
    "triplet": ("triplet(U, W X, P)",),
    "multiclass_hinge": ("multiclass_hinge(P / sum(P, axis=0), U)",),
    "negative_sampling": ("negative_sampling(v, U c, U)",),
    "windows": ("windows(U, 1, 2)",),
    "fold": ("fold(windows(U, 1, 2), 1, 2, h, m)",),
    "conv1d": ("conv1d(U[0:1, :], [1, -2])",),
    "convolve": ("convolve(v^T, c^T)",),
    "conv2d": ("conv2d(U, [1, 2; 3, 4])",),
    "maxpool": ("maxpool(U, 1, 2, stride=1)",),
    "avgpool": ("avgpool(U, 1, 2, stride=1)",),
    "reshape": ("reshape(U, 1, -1)",),
    "vec": ("vec(U)",),
    "variance": ("variance(U, axis=1, ddof=1)", "variance(U)"),
    "std": ("std(U, axis=0)",),
    "log_softmax": ("log_softmax(U, axis=0)", "log_softmax(U, axis=1)"),
    "prelu": ("prelu(U, P)",),
    "selu": ("selu(U)",),
    "gelu_tanh": ("gelu_tanh(U)",),
    "mish": ("mish(U)",),
    "swish": ("swish(U)", "swish(U, P)"),
    "softplus": ("softplus(U, beta=2)", "softplus(U, P)"),
    "relu6": ("relu6(U)",),
    "hardtanh": ("hardtanh(U)",),
    "hinge": ("hinge(U)", "hinge(P, U)"),
    "ceil": ("U .* ceil(4 W X)",),
    "power": ("power(P, U)",),
    "outer_sum": ("outer_sum(v, sum(U, axis=0))",),
    "upper": ("U upper(m)",),
    "tril": ("tril(U)",),
    "triu": ("triu(U)",),
    "cumsum": ("cumsum(U, axis=0)", "cumsum(U, axis=1)", "cumsum(v)"),
    "masked_softmax": ("masked_softmax(S, tril(ones(h, h)), axis=1)",),
    "causal_softmax": ("causal_softmax(S, axis=0)", "causal_softmax(S, axis=1)"),
    "topk": ("topk(U, 1, axis=1)",),
    "matrix_power": ("matrix_power(S, 3)", "matrix_power(S, -1)"),
    "kron": ("kron(U, v)",),
    "swap": ('swap(einsum("hm,hk->hmk", U, S), 0, 2)',),
    "split": (),
}
"""Expressions by the function word that they are about, for words that are no op's own name."""


def every() -> Iterator[tuple[str, str]]:
    """Yield every expression with the row or the word that it is about."""
    for table in (ROWS, WORDS):
        for name, expressions in table.items():
            yield from ((name, expression) for expression in expressions)
