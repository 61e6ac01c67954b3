"""Macros for costs: what a name on the board stands for, in ops that have rows.

Examples are columns throughout.
"""

from __future__ import annotations

from chainrule.calculus.graph.node import Expr, Operand
from chainrule.calculus.ops.elementwise import power
from chainrule.calculus.ops.functions import EXP, LOG, RELU, SIGMOID, apply
from chainrule.calculus.ops.linear import matmul, transpose
from chainrule.calculus.ops.probability import log_softmax
from chainrule.calculus.ops.reduction import COLUMNS, ROWS, reduce_mean, reduce_sum
from chainrule.calculus.ops.square import diag


def reparametrise(mean: Expr, logvar: Expr, noise: Expr) -> Expr:
    """Draw from a Gaussian with noise that is an input: mean + e^(logvar/2) noise."""
    return mean + apply(EXP, logvar / 2) * noise


def kl_gaussian(mean: Expr, logvar: Expr) -> Expr:
    """Return the Kullback-Leibler divergence of a diagonal Gaussian from the standard one."""
    return reduce_sum(apply(EXP, logvar) + power(mean, 2) - 1 - logvar) / 2


def info_nce(a: Expr, b: Expr, temperature: Operand = 1) -> Expr:
    """Let every column of `a` find its partner among the columns of `b`."""
    scores = matmul(transpose(a), b) / temperature
    return -reduce_mean(diag(log_softmax(scores, COLUMNS)))


def triplet(anchor: Expr, near: Expr, far: Expr, margin: Operand = 1) -> Expr:
    """Ask that every anchor be nearer to its partner than to the other, by a margin."""
    close = reduce_sum(power(anchor - near, 2), ROWS)
    apart = reduce_sum(power(anchor - far, 2), ROWS)
    return reduce_sum(apply(RELU, close - apart + margin))


def multiclass_hinge(y: Expr, scores: Expr, margin: Operand = 1) -> Expr:
    """Ask that the score of the right class be larger than every other by a margin."""
    right = reduce_sum(y * scores, ROWS)
    return reduce_sum(apply(RELU, scores - right + (1 - y) * margin))


def negative_sampling(v: Expr, u: Expr, others: Expr) -> Expr:
    """Tell the word that was seen (`u`) from those that were drawn (the columns of `others`)."""
    seen = apply(LOG, apply(SIGMOID, matmul(transpose(u), v)))
    drawn = apply(LOG, 1 - apply(SIGMOID, matmul(transpose(others), v)))
    return -(seen + reduce_sum(drawn))
