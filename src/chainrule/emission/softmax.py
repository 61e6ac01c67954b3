"""The kernels of softmax regression, from the lecture's forward pass, whole and part by part."""

from __future__ import annotations

from dataclasses import replace as replace_fields

from chainrule.calculus.graph.dims import Index, Shape
from chainrule.calculus.graph.model import OneHot
from chainrule.calculus.graph.node import Entry, Expr, Number, Symbol, Total, entry, running, walk
from chainrule.calculus.ops import argmax, exp, reduce_max, replace
from chainrule.calculus.proof.verifier import Verifier
from chainrule.calculus.rewriting.polynomial import polynomial, written_out
from chainrule.calculus.rewriting.stabilisation import shift_rules
from chainrule.calculus.rewriting.top_class import level_direction, top_class_rules
from chainrule.emission.kernels import KernelDerivation
from chainrule.language.codegen.source import FunctionSource, numpy_function
from chainrule.language.reading import load_model

SHIFT = "shift = np.max(raw_prediction, axis=1, keepdims=True)"
TOP_CLASS = (
    "best, classes = np.argmax(raw_prediction, axis=1), np.arange(raw_prediction.shape[1])",
    "top_class = (best == classes[:, None]).T * 1.0",
)


def softmax() -> tuple[KernelDerivation, list[FunctionSource]]:
    """Return the kernels of softmax regression."""
    model = load_model("softmax_batch")
    scores, labels = model.symbol("Z"), model.symbol("Y")
    shift = Symbol("shift", (1, "m"))
    top_class, direction = (Symbol(name, scores.shape) for name in ("top_class", "V"))
    kernels = KernelDerivation(
        # labels and proportions add to one, which the lesson does not need and digits do
        replace_fields(model, onehot=(OneHot(labels),)),
        (
            shift_rules(shift),
            top_class_rules(shift, top_class, labels),
            (level_direction(top_class, direction, Index("f", "k")),),
        ),
        {shift: reduce_max(scores, 0), top_class: argmax(scores, 0)},
    )
    product, derivation = kernels.curvature(direction)
    product = kernels.stable("hessian_product", product, Verifier(derivation))
    gradient = kernels.gradient()
    taught = kernels.slope()
    proba = _without_labels(taught + entry(labels, *_place(taught, labels)))
    proba = kernels.stable("proba", proba)
    names = {
        kernels.scores: "raw_prediction",
        kernels.labels: "y",
        direction: "direction",
        shift: "shift",
        top_class: "top_class",
    }

    def function(
        name: str, doc: str, body: Expr, *parameters: str, ending: str = ""
    ) -> FunctionSource:
        ordered = sorted(_indices(body), key=lambda index: index.name)
        axes = {index: 0 if index.dim == "m" else 1 for index in ordered}
        return FunctionSource(name, doc, body, names, axes, parameters, (SHIFT, *TOP_CLASS), ending)

    return kernels, [
        function(
            "softmax_loss",
            "Return log(sum_k exp(z_k)) - sum_k y_k z_k for each example.",
            kernels.loss(),
            "raw_prediction",
            "y",
            ending="[:, 0]",
        ),
        function(
            "softmax_gradient", "Return p - y for each example.", gradient, "raw_prediction", "y"
        ),
        function(
            "softmax_hessian_product",
            "Return (diag(p) - p p^T) u for each example.",
            product,
            "raw_prediction",
            "direction",
        ),
        function("softmax_proba", "Return p for each example.", proba, "raw_prediction"),
    ]


def _place(form: Expr, matrix: Symbol) -> tuple[Index | int | None, Index | int | None]:
    found = next(n for n in walk(form) if isinstance(n, Entry) and n.matrix is matrix)
    return found.row, found.col


def _without_labels(form: Expr) -> Expr:
    return written_out(polynomial(form), form)


def _indices(form: Expr) -> set[Index]:
    return set(running(form)) | {n.index for n in walk(form) if isinstance(n, Total)}


def softmax_parts() -> str:
    """Return the text of the softmax formulas, part by part."""
    kernels, functions = softmax()
    i, (c, other, f) = Index("i", "m"), (Index(letter, "k") for letter in "cdf")
    table, row = kernels.scores.shape, (1, "m")
    shapes: dict[str, Shape] = {"raw_prediction": table, "shift": row, "top_class": table}
    shapes |= {"relative": table, "relative_l": table, "distance": row, "others": row}
    shapes |= {"lead": table, "drift": row}
    named = {name: Symbol(name, shape) for name, shape in shapes.items()}
    named["raw_prediction"], direction = kernels.scores, Symbol("V", table)

    def of(name: str, index: Index | None = None) -> Expr:
        return entry(named[name], index, i)

    def share(index: Index) -> Expr:
        return exp(of("raw_prediction", index) - of("shift"))

    def in_parts(form: Expr) -> Expr:
        """Name the exponentials, and their sum over all but the top class."""
        every = {index for index in _indices(form) if index.dim == "k"}
        for k in every:
            form = replace(form, {Total(k, (1 - of("top_class", k)) * share(k)): of("others")})
        return replace(form, {share(k): of("relative", k) for k in every})

    def labelled(form: Expr, label: int) -> Expr:
        """Put in a label."""
        cells = [n for n in walk(form) if isinstance(n, Entry) and n.matrix is kernels.labels]
        return replace(form, dict.fromkeys(cells, Number(label)))

    loss, gradient, product = (function.body for function in functions[:3])
    (picked,) = (n for n in walk(loss) if isinstance(n, Total) and n is not labelled(n, 1))

    # the Hessian of two different classes: what a direction along one does to the other
    def lead(index: Index) -> Expr:
        return entry(direction, index, i) - Total(f, of("top_class", f) * entry(direction, f, i))

    level = lead(other)
    (through,) = (n for n in walk(product) if isinstance(n, Total) and level in walk(n.body))
    pair = in_parts(replace(through.body, {level: Number(1)}))
    drift = in_parts(replace(through.body, {level: of("lead", other)}))
    pull = replace(product, {through: of("drift"), lead(c): of("lead", c)})
    pair = replace(pair, {of("relative", other): of("relative_l", other)})
    forms = {
        "softmax_relative": ("exp(z - shift)", share(c)),
        "softmax_other": (
            "what is summed for `others`",
            (1 - of("top_class", c)) * of("relative", c),
        ),
        "softmax_distance": ("shift - z, for the label's score", labelled(picked.body, 1)),
        "softmax_loss": (
            "log(sum_k exp(z_k)) - z, for the label's score",
            in_parts(replace(loss, {picked: of("distance")})),
        ),
        "softmax_proba": ("p, the gradient where no label is", in_parts(labelled(gradient, 0))),
        "softmax_doubt": ("p - 1, the gradient at the label", in_parts(labelled(gradient, 1))),
        "softmax_pair": ("-p_k p_l, the Hessian of two classes", of("relative", c) * pair),
        "softmax_drift": ("what is summed for `drift`", drift),
        "softmax_pull": ("(diag(p) - p p^T) u", in_parts(pull)),
    }
    symbols = {symbol: name for name, symbol in named.items()}
    text = ""
    for name, (doc, form) in forms.items():
        used = {n.matrix for n in walk(form) if isinstance(n, Entry)}
        parameters = tuple(label for label, symbol in named.items() if symbol in used)
        axes = {index: 0 if index.dim == "m" else 1 for index in _indices(form)}
        function = FunctionSource(name, f"Return {doc}.", form, symbols, axes, parameters)
        text += f"\n\n{numpy_function(function)}"
    return text
