"""The kernels of logistic regression, from the lecture's forward pass."""

from __future__ import annotations

from chainrule.calculus.graph.dims import Index
from chainrule.calculus.graph.node import Expr, Symbol, entry
from chainrule.calculus.indexing.reading import linear_parts
from chainrule.calculus.ops import replace
from chainrule.calculus.rewriting.stabilisation import LESSON, MACHINE
from chainrule.emission.kernels import KernelDerivation
from chainrule.language.codegen.source import FunctionSource
from chainrule.language.reading import load_model


def binary() -> tuple[KernelDerivation, list[FunctionSource]]:
    """Return the kernels of logistic regression."""
    kernels = KernelDerivation(load_model("logistic_batch"), (LESSON, MACHINE))
    i = Index("i", "m")
    direction = Symbol("V", kernels.scores.shape)
    product, _ = kernels.curvature(direction)
    (part,) = linear_parts(product, direction)
    hessian = kernels.stable("hessian", part.coefficient)
    score = entry(kernels.scores, None, i)
    proba = kernels.stable(
        "proba", replace(kernels.model.values[kernels.model.symbol("A")], {kernels.scores: score})
    )
    names = {kernels.scores: "raw_prediction", kernels.labels: "y"}

    def function(name: str, doc: str, body: Expr, *parameters: str) -> FunctionSource:
        return FunctionSource(name, doc, body, names, {i: 0}, parameters)

    return kernels, [
        function(
            "binary_loss",
            "Return softplus(z) - y z for each example.",
            kernels.loss(),
            "raw_prediction",
            "y",
        ),
        function(
            "binary_gradient",
            "Return a - y for each example.",
            kernels.gradient(),
            "raw_prediction",
            "y",
        ),
        function("binary_hessian", "Return a (1 - a) for each example.", hessian, "raw_prediction"),
        function("binary_proba", "Return a for each example.", proba, "raw_prediction"),
    ]
