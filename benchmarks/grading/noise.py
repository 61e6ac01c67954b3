"""Noise: what nobody means as an answer, and what somebody may send to do harm."""

from __future__ import annotations

from collections.abc import Iterator
from random import Random

TOKENS = (
    *("A", "Y", "X", "w", "b", "Z", "a_i", "x^{(i)}", "dZ", "∂J/∂w", "yhat", "W^[1]", "J", "m"),
    *("+", "-", "*", ".*", "@", "/", "^", "^T", "'", "⊙", "·", "=", ",", ":", ";", ".", "|", "‖"),
    *("(", ")", "[", "]", "{", "}", "\\frac", "\\sum_{i=1}^m", "\\left(", "\\right)", "\\top"),
    *("sum(", "np.dot(", "einsum('ij,jk->ik',", "softmax(", "log", "exp", "axis=1"),
    *("0", "1", "2", "9", "1e9", "1/m", "0.5", "²", "ᵀ", "\\mathrm{d}", "\\begin{bmatrix}", "&"),
    *("[Z > 0]", "where(", ".T", ".sum()", "shape[0]", "lambda", "__import__('os')", "𝟏", "δ_ij"),
)
HARMFUL = (
    "9^9^9^9",
    "2^(2^(2^(2^64)))",
    "(" * 10_000,
    "(" * 10_000 + "A" + ")" * 10_000,
    "[" * 5_000,
    "{" * 5_000,
    "-" * 10_000 + "A",
    "A" + "'" * 10_000,
    "A" + "^T" * 5_000,
    "A" + "^2" * 5_000,
    "\\frac" * 200_000,
    "\\frac{1}{" * 2_000 + "2" + "}" * 2_000,
    "sum(" * 3_000,
    "\\sum_i " * 1_000 + "a_i",
    "A " * 3_000,
    "A + " * 3_000 + "A",
    "A*" * 2_000 + "A",
    "1/" * 3_000 + "3",
    "exp(" * 39 + "9" + ")" * 39,
    "1e30*1e30*1e30*1e30*1e30*1e30*1e30*1e30*1e30*1e30*1e30*1e30",
    "1e99999999",
    "9" * 5_000,
    "a_" * 3_000,
    "|" * 5_000,
    "‖" * 5_000 + "A",
    "x̂" * 3_000,
    "=" * 5_000,
    "d" * 10_000,
    "\\" * 10_000,
    "'" * 10_000,
    "ones(99999999, 99999999)",
    "np.full((10**9, 10**9), 1.0)",
    "sum(ones(9999999, m))",
    "einsum('" + "ij," * 500 + "->ij', A)",
    "(A + A) (A + A)" * 200,
    "((((A+Y).*(A+Y)).*((A+Y).*(A+Y))).*(((A+Y).*(A+Y)).*((A+Y).*(A+Y))))^64",
    "\u202e\u0000\ufeff",
    "A_prime(*A)",
    "g'()",
    "∂" * 3_000,
    "∂J/" * 1_000,
)


def noise(rng: Random, answers: tuple[str, ...]) -> Iterator[str]:
    """Yield inputs without end: soups of tokens and characters, and damaged answers."""
    while True:
        kind = rng.random()
        if kind < 0.4:
            glue = rng.choice(("", " "))
            yield glue.join(rng.choice(TOKENS) for _ in range(rng.randrange(1, 25)))
        elif kind < 0.5:
            yield "".join(chr(rng.randrange(32, 0x2300)) for _ in range(rng.randrange(1, 40)))
        else:
            text = list(rng.choice(answers))
            for _ in range(rng.randrange(1, 5)):
                at = rng.randrange(len(text) + 1)
                change = rng.random()
                if change < 0.3 and at < len(text):
                    del text[at]
                elif change < 0.7:
                    text.insert(at, rng.choice(TOKENS))
                elif at < len(text):
                    text[at : at + rng.randrange(1, 6)] = text[: rng.randrange(1, 12)]
            yield "".join(text)[:400]
