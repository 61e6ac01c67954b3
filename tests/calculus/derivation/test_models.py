"""Gradients of many forward passes against HIPS autograd, by value, with every step certified.

The forward passes of the oracle are written in NumPy by hand, not evaluated by us.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import autograd
import autograd.numpy as np
import numpy
import pytest

from chainrule import derive
from chainrule.calculus.derivation.steps import Derivation
from chainrule.calculus.evaluation.forward import forward, sample
from chainrule.calculus.evaluation.numeric import FLOATS, Evaluator
from chainrule.calculus.graph.dims import Index, measured
from chainrule.calculus.graph.model import ModelBuilder
from chainrule.calculus.graph.node import Expr, Number, Symbol, Total, running, walk
from chainrule.calculus.ops import mul, reduce_sum, tanh
from chainrule.errors import DerivationError, ModelError
from chainrule.language.reading import read_model

SIZES = (
    {"n": 3, "m": 4, "h": 2, "k": 5},
    {"n": 5, "m": 2, "h": 3, "k": 4},
    {"n": 2, "m": 7, "h": 4, "k": 3},
)


def sigmoid(x: Any) -> Any:
    return 1 / (1 + np.exp(-x))


def softplus(x: Any) -> Any:
    return np.log(1 + np.exp(x))


BATCH = "X : (n, m)\nY : (1, m)\nw : (1, n)\nb : (1, 1)\n"
DEEP = "X : (n, m)\nY : (1, m)\nW1 : (h, n)\nb1 : (h, 1)\nW2 : (1, h)\nb2 : (1, 1)\n"
SCALARS = "x : (1, 1)\ny : (1, 1)\nw : (1, 1)\nb : (1, 1)\n"
VECTOR = "x : (n, 1)\ny : (1, 1)\nw : (1, n)\nb : (1, 1)\n"

Oracle = Callable[..., Any]

MODELS: Mapping[str, tuple[str, str, Oracle]] = {
    "squared error": (
        BATCH + "J = sum((w X + b - Y)^2)",
        "w b X",
        lambda X, Y, w, b: np.sum((w @ X + b - Y) ** 2),
    ),
    "half the squared error, named prediction": (
        BATCH + "P = w X + b\nJ = 1/2 norm(P - Y)^2",
        "w b Y",
        lambda X, Y, w, b: 0.5 * np.sum((w @ X + b - Y) ** 2),
    ),
    "mean squared error": (
        BATCH + "P = w X + b\nJ = mean((P - Y)^2)",
        "w b X",
        lambda X, Y, w, b: np.mean((w @ X + b - Y) ** 2),
    ),
    "one over m": (
        BATCH + "A = sigmoid(w X + b)\nJ = -1/m sum(Y .* log(A) + (1 - Y) .* log(1 - A))",
        "w b",
        lambda X, Y, w, b: -np.mean(
            Y * np.log(sigmoid(w @ X + b)) + (1 - Y) * np.log(1 - sigmoid(w @ X + b))
        ),
    ),
    "a penalty: w is used twice": (
        BATCH
        + "l : (1, 1)\nZ = w X + b\nA = sigmoid(Z)\n"
        + "J = -sum(Y .* log(A) + (1 - Y) .* log(1 - A)) + l/2 norm(w)^2",
        "w b l",
        lambda X, Y, w, b, l: (  # noqa: E741
            -np.sum(Y * np.log(sigmoid(w @ X + b)) + (1 - Y) * np.log(1 - sigmoid(w @ X + b)))
            + l / 2 * np.sum(w**2)
        ),
    ),
    "an absolute penalty": (
        BATCH + "J = sum((w X + b - Y)^2) + sum(abs(w))",
        "w b",
        lambda X, Y, w, b: np.sum((w @ X + b - Y) ** 2) + np.sum(np.abs(w)),
    ),
    "two layers of tanh, one example": (
        "x : (n, 1)\ny : (1, 1)\nW1 : (h, n)\nb1 : (h, 1)\nw2 : (1, h)\nb2 : (1, 1)\n"
        "z1 = W1 x + b1\na1 = tanh(z1)\nz2 = w2 a1 + b2\na2 = sigmoid(z2)\n"
        "L = -(y log a2 + (1 - y) log(1 - a2))",
        "W1 b1 w2 b2 x",
        lambda x, y, W1, b1, w2, b2: -np.sum(
            y * np.log(sigmoid(w2 @ np.tanh(W1 @ x + b1) + b2))
            + (1 - y) * np.log(1 - sigmoid(w2 @ np.tanh(W1 @ x + b1) + b2))
        ),
    ),
    "two layers, a batch, biases repeated": (
        DEEP
        + "Z1 = W1 X + b1\nA1 = tanh(Z1)\nZ2 = W2 A1 + b2\nA2 = sigmoid(Z2)\n"
        + "J = -sum(Y .* log(A2) + (1 - Y) .* log(1 - A2))",
        "W1 b1 W2 b2 X",
        lambda X, Y, W1, b1, W2, b2: -np.sum(
            Y * np.log(sigmoid(W2 @ np.tanh(W1 @ X + b1) + b2))
            + (1 - Y) * np.log(1 - sigmoid(W2 @ np.tanh(W1 @ X + b1) + b2))
        ),
    ),
    "two layers without names": (
        DEEP + "J = sum((W2 relu(W1 X + b1) + b2 - Y)^2)",
        "W1 b1 W2 b2",
        lambda X, Y, W1, b1, W2, b2: np.sum(
            (W2 @ np.maximum(W1 @ X + b1, 0.0) + b2 - Y) ** 2
        ),
    ),
    "three layers": (
        "X : (n, m)\nY : (k, m)\nW1 : (h, n)\nW2 : (h, h)\nW3 : (k, h)\n"
        "A1 = tanh(W1 X)\nA2 = sigmoid(W2 A1)\nA3 = W3 A2\nJ = norm(A3 - Y)^2",
        "W1 W2 W3",
        lambda X, Y, W1, W2, W3: np.sum((W3 @ sigmoid(W2 @ np.tanh(W1 @ X)) - Y) ** 2),
    ),
    "a skip connection": (
        "X : (n, m)\nY : (n, m)\nW : (n, n)\nZ = W X\nH = X + tanh(Z)\nV : (n, n)\n"
        "P = V H\nJ = norm(P - Y)^2",
        "W V X",
        lambda X, Y, W, V: np.sum((V @ (X + np.tanh(W @ X)) - Y) ** 2),
    ),
    "a skip over a named value": (
        "x : (n, 1)\nW : (n, n)\nu = W x\ns = tanh(u)\nL = sum(u .* s)",
        "W x",
        lambda x, W: np.sum((W @ x) * np.tanh(W @ x)),
    ),
    "shared weights": (
        "x : (n, 1)\nW : (n, n)\nh1 = tanh(W x)\nh2 = tanh(W h1)\nL = norm(h2)^2",
        "W x",
        lambda x, W: np.sum(np.tanh(W @ np.tanh(W @ x)) ** 2),
    ),
    "the same weights, three times": (
        SCALARS + "p = tanh(w x)\nq = tanh(w p)\nr = tanh(w q)\nL = (r - y)^2 + b w",
        "w b x",
        lambda x, y, w, b: np.sum(
            (np.tanh(w * np.tanh(w * np.tanh(w * x))) - y) ** 2 + b * w
        ),
    ),
    "examples in rows": (
        "X : (m, n)\ny : (m, 1)\nw : (n, 1)\nb : (1, 1)\nz = X w + b\na = sigmoid(z)\n"
        "J = -sum(y .* log(a) + (1 - y) .* log(1 - a))",
        "w b X",
        lambda X, y, w, b: -np.sum(
            y * np.log(sigmoid(X @ w + b)) + (1 - y) * np.log(1 - sigmoid(X @ w + b))
        ),
    ),
    "examples in rows, two layers": (
        "X : (m, n)\nY : (m, k)\nW : (n, h)\nc : (1, h)\nV : (h, k)\nd : (1, k)\n"
        "H = tanh(X W + c)\nP = H V + d\nJ = sum((P - Y)^2)",
        "W c V d",
        lambda X, Y, W, c, V, d: np.sum((np.tanh(X @ W + c) @ V + d - Y) ** 2),
    ),
    "softplus of the score": (
        BATCH + "Z = w X + b\nJ = sum(softplus(Z) - Y .* Z)",
        "w b",
        lambda X, Y, w, b: np.sum(softplus(w @ X + b) - Y * (w @ X + b)),
    ),
    "a root": (
        VECTOR + "z = w x + b\nL = sqrt(1 + z^2) - y z",
        "w b x",
        lambda x, y, w, b: np.sum(np.sqrt(1 + (w @ x + b) ** 2) - y * (w @ x + b)),
    ),
    "an absolute error": (
        BATCH + "J = sum(abs(w X + b - Y))",
        "w b",
        lambda X, Y, w, b: np.sum(np.abs(w @ X + b - Y)),
    ),
    "a norm": (
        BATCH + "P = w X + b\nJ = norm(P - Y)",
        "w b",
        lambda X, Y, w, b: np.sqrt(np.sum((w @ X + b - Y) ** 2)),
    ),
    "a ratio of norms": (
        "u : (n, 1)\nv : (n, 1)\nc = u^T v\nL = c/(norm(u) norm(v))",
        "u v",
        lambda u, v: np.sum(u * v) / np.sqrt(np.sum(u**2) * np.sum(v**2)),
    ),
    "a quadratic form": (
        "x : (n, 1)\nA : (n, n)\nL = x^T A x",
        "x A",
        lambda x, A: np.sum(x * (A @ x)),
    ),
    "a Gaussian": (
        VECTOR + "z = w x + b\nL = exp(-(z - y)^2/2)",
        "w b y",
        lambda x, y, w, b: np.sum(np.exp(-((w @ x + b - y) ** 2) / 2)),
    ),
    "a Poisson loss": (
        BATCH + "Z = w X + b\nJ = sum(exp(Z) - Y .* Z)",
        "w b",
        lambda X, Y, w, b: np.sum(np.exp(w @ X + b) - Y * (w @ X + b)),
    ),
    "weights of the examples": (
        BATCH + "s : (1, m)\nA = sigmoid(w X + b)\nJ = sum(s .* (A - Y)^2)",
        "w b s",
        lambda X, Y, w, b, s: np.sum(s * (sigmoid(w @ X + b) - Y) ** 2),
    ),
    "features scaled": (
        BATCH + "g : (n, 1)\nJ = sum((w (g .* X) + b - Y)^2)",
        "w g b",
        lambda X, Y, w, b, g: np.sum((w @ (g * X) + b - Y) ** 2),
    ),
    "a matrix factorisation": (
        "R : (n, m)\nU : (n, h)\nV : (h, m)\nJ = norm(U V - R)^2",
        "U V",
        lambda R, U, V: np.sum((U @ V - R) ** 2),
    ),
    "an autoencoder with tied weights": (
        "X : (n, m)\nW : (h, n)\nH = sigmoid(W X)\nP = W^T H\nJ = norm(P - X)^2",
        "W X",
        lambda X, W: np.sum((W.T @ sigmoid(W @ X) - X) ** 2),
    ),
    "sums along one axis": (
        "X : (n, m)\nr = sum(X, axis=1)\nc = sum(X, axis=0)\nJ = norm(r)^2 + sum(tanh(c))",
        "X",
        lambda X: np.sum(np.sum(X, axis=1) ** 2) + np.sum(np.tanh(np.sum(X, axis=0))),
    ),
    "means along one axis": (
        "X : (n, m)\nM = mean(X, axis=1)\nD = X - M\nJ = sum(tanh(D)^2)",
        "X",
        lambda X: np.sum(np.tanh(X - np.mean(X, axis=1, keepdims=True)) ** 2),
    ),
    "a soft maximum": (
        "z : (k, 1)\ny : (k, 1)\nE = exp(z)\nt = sum(E)\np = E/t\nL = -sum(y .* log(p))",
        "z",
        lambda z, y: -np.sum(y * np.log(np.exp(z) / np.sum(np.exp(z)))),
    ),
    "a soft maximum over a batch": (
        "X : (n, m)\nY : (k, m)\nW : (k, n)\nb : (k, 1)\nZ = W X + b\nE = exp(Z)\n"
        "T = sum(E, axis=0)\nP = E/T\nJ = -sum(Y .* log(P))",
        "W b",
        lambda X, Y, W, b: -np.sum(
            Y
            * (
                (W @ X + b)
                - np.log(np.sum(np.exp(W @ X + b), axis=0, keepdims=True))
            )
        ),
    ),
    "a product of three matrices": (
        "A : (n, h)\nB : (h, k)\nC : (k, m)\nJ = sum(tanh(A B C))",
        "A B C",
        lambda A, B, C: np.sum(np.tanh(A @ B @ C)),
    ),
    "a chain of transposes": (
        "A : (n, h)\nB : (m, h)\nJ = sum((A B^T)^3)",
        "A B",
        lambda A, B: np.sum((A @ B.T) ** 3),
    ),
    "a trace": (
        "A : (n, m)\nB : (n, m)\nJ = sum(A .* B) + norm(A)^2 norm(B)^2",
        "A B",
        lambda A, B: np.sum(A * B) + np.sum(A**2) * np.sum(B**2),
    ),
    "fractional and negative powers": (
        "x : (n, 1)\nu = 1 + x^2\nL = sum(u^(3/2)) + sum(1/u)",
        "x",
        lambda x: np.sum((1 + x**2) ** 1.5) + np.sum(1 / (1 + x**2)),
    ),
    "the logarithm of a sum of exponentials": (
        "X : (n, m)\nw : (1, n)\nJ = log(sum(exp(w X)))",
        "w X",
        lambda X, w: np.log(np.sum(np.exp(w @ X))),
    ),
    "a vector repeated and scaled": (
        "X : (n, m)\nb : (n, 1)\nY = X + b\nZ = Y .* b\nJ = sum(Z)",
        "b X",
        lambda X, b: np.sum((X + b) * b),
    ),
    "a sum over entries that do not vary": (
        "X : (n, m)\nb : (n, 1)\nC = X + b - X\nJ = sum(C .* b)",
        "b",
        lambda X, b: np.sum((X + b - X) * b),
    ),
    "the same matrix three times": (
        "X : (n, m)\nJ = sum(X X^T X)",
        "X",
        lambda X: np.sum(X @ X.T @ X),
    ),
    "a matrix and its transpose": (
        "X : (n, n)\nv : (n, 1)\nJ = sum(tanh(X) .* X^T) + v^T X X v",
        "X v",
        lambda X, v: np.sum(np.tanh(X) * X.T) + np.sum(v * (X @ X @ v)),
    ),
    "an outer product": (
        "a : (n, 1)\nb : (m, 1)\nM = a b^T\nJ = sum(exp(M))",
        "a b",
        lambda a, b: np.sum(np.exp(a @ b.T)),
    ),
    "a centred and scaled feature": (
        "X : (n, m)\nM = mean(X, axis=1)\nD = X - M\nV = mean(D^2, axis=1)\n"
        "S = D/sqrt(V + 1/100)\nJ = sum(tanh(S))",
        "X",
        lambda X: np.sum(
            np.tanh(
                (X - np.mean(X, axis=1, keepdims=True))
                / np.sqrt(np.var(X, axis=1, keepdims=True) + 0.01)
            )
        ),
    ),
    "powers of the mean and of the sum": (
        "X : (n, m)\nJ = mean(X)^2 + sum(X)^3",
        "X",
        lambda X: np.mean(X) ** 2 + np.sum(X) ** 3,
    ),
    "two biases repeated both ways": (
        "X : (n, m)\nr : (n, 1)\nc : (1, m)\nd : (1, 1)\nJ = sum(tanh(X + r + c + d))",
        "X r c d",
        lambda X, r, c, d: np.sum(np.tanh(X + r + c + d)),
    ),
    "a scalar scales a matrix": (
        "X : (n, m)\ns : (1, 1)\nJ = sum(sigmoid(s X)) + s^3",
        "s X",
        lambda X, s: np.sum(sigmoid(s * X)) + np.sum(s**3),
    ),
    "fixed sizes": (
        "x : (3, 1)\nW : (2, 3)\nb : (2, 1)\nL = sum(relu(W x + b))",
        "W b x",
        lambda x, W, b: np.sum(np.maximum(W @ x + b, 0.0)),
    ),
    "what the objective does not see": (
        VECTOR + "c : (n, m)\nL = (w x + b - y)^2",
        "c w",
        lambda x, y, w, b, c: np.sum((w @ x + b - y) ** 2) + 0 * np.sum(c),
    ),
    "a definition nobody uses": (
        VECTOR + "z = w x + b\nidle = exp(z)\nL = z^2\nobjective: L",
        "w",
        lambda x, y, w, b: np.sum((w @ x + b) ** 2),
    ),
    "the objective is an input, squared": ("x : (1, 1)\nL = x^2", "x", lambda x: np.sum(x**2)),
    "linear: the gradient is constant": (
        "X : (n, m)\nJ = sum(X)", "X", lambda X: np.sum(X)),
}  # fmt: skip


@pytest.fixture(scope="module")
def derivations() -> dict[str, Derivation]:
    return {}


def derived(known: dict[str, Derivation], name: str) -> Derivation:
    if name not in known:
        text, wrt, _ = MODELS[name]
        known[name] = derive(read_model(text), wrt.split())
    return known[name]


def value_of(derivation: Derivation, variable: str, sizes: Mapping[str, int], inputs: Any) -> Any:
    """Evaluate what was derived; an index form is laid out cell by cell."""
    gradient = derivation[variable]
    known = forward(derivation.model, inputs, sizes)
    for name, layer in derivation.layers.items():
        known[name] = cells(layer.index, layer.matrix, name, (layer.row, layer.col), known, sizes)
    place = (gradient.row, gradient.col)
    return cells(gradient.index, gradient.matrix, gradient.variable, place, known, sizes)


def cells(
    form: Expr,
    matrix: Expr | None,
    like: Symbol,
    place: tuple[Any, Any],
    known: Mapping[Symbol, Any],
    sizes: Mapping[str, int],
) -> Any:
    point = Evaluator(known, sizes, FLOATS)
    by_matrix = None if matrix is None else point.value(matrix)
    shape = point.shape(like.shape)
    laid = numpy.empty(shape)
    for r, c in numpy.ndindex(*shape):
        at = {p: k for p, k in zip(place, (r, c), strict=True) if isinstance(p, Index)}
        laid[r, c] = float(numpy.squeeze(one_cell(form, at, known, sizes)))
    if by_matrix is not None:
        numpy.testing.assert_allclose(by_matrix, laid, rtol=1e-9, atol=1e-11)
    return laid


def one_cell(
    form: Expr, at: Mapping[Index, int], known: Mapping[Symbol, Any], sizes: Mapping[str, int]
) -> Any:
    """Evaluate an index form at one place, by loops: slow, plain, and not the evaluator's way."""
    from chainrule.calculus.graph.node import Apply, Entry

    match form:
        case Number():
            return numpy.array([[float(form.value)]])
        case Symbol():
            return known[form]
        case Total():
            size = measured(form.index.dim, sizes)
            return sum(
                one_cell(form.body, {**at, form.index: k}, known, sizes) for k in range(size)
            )
        case Entry():
            matrix = one_cell(form.matrix, at, known, sizes)
            r, c = (
                0 if p is None else p - 1 if isinstance(p, int) else at[p]
                for p in (form.row, form.col)
            )
            return numpy.array([[matrix[r, c]]])
        case Apply():
            args = [one_cell(arg, at, known, sizes) for arg in form.args]
            shape = tuple(measured(d, sizes) for d in form.shape)
            attrs = tuple(sizes.get(a, a) if isinstance(a, str) else a for a in form.attrs)
            return form.op.value(numpy, *args, out_shape=shape, attrs=attrs)
    raise AssertionError(form)


@pytest.mark.parametrize("name", MODELS)
def test_gradients_agree_with_autograd(name: str, derivations: dict[str, Derivation]) -> None:
    text, wrt, oracle = MODELS[name]
    derivation = derived(derivations, name)
    model = read_model(text)
    assert derivation.proven
    for seed, sizes in enumerate(SIZES):
        values = sample(model, sizes, numpy.random.default_rng(seed))
        inputs = {s: values[s] for s in model.inputs}
        for variable in wrt.split():
            k = [s.name for s in model.inputs].index(variable)
            expected = autograd.grad(oracle, k)(*inputs.values())
            found = value_of(derivation, variable, sizes, inputs)
            assert derivation[variable].variable.shape == model.inputs[k].shape
            numpy.testing.assert_allclose(found, expected, rtol=1e-8, atol=1e-9)


@pytest.mark.parametrize("name", MODELS)
def test_no_line_holds_an_index_that_nobody_binds(
    name: str, derivations: dict[str, Derivation]
) -> None:
    derivation = derived(derivations, name)
    for gradient in (*derivation.layers.values(), *derivation.gradients.values()):
        own = {p for p in (gradient.row, gradient.col) if isinstance(p, Index)}
        assert running(gradient.index) <= own
        if gradient.matrix is not None:
            assert running(gradient.matrix) == frozenset()
            assert gradient.matrix.shape == gradient.variable.shape
        else:
            assert gradient.no_matrix_form
        for node in walk(gradient.index):
            if isinstance(node, Total):  # a sum over what is already summed or given
                assert node.index not in own
                assert all(
                    not (isinstance(inner, Total) and inner.index == node.index)
                    for inner in walk(node.body)
                )


@pytest.mark.parametrize(
    "name", [n for n, (text, _, _) in MODELS.items() if "soft maximum" not in n]
)
def test_all_but_the_hardest_have_a_matrix_form(
    name: str, derivations: dict[str, Derivation]
) -> None:
    for gradient in derived(derivations, name).gradients.values():
        assert gradient.matrix is not None, gradient.no_matrix_form


def test_what_is_not_reached_has_a_zero_gradient_of_its_shape() -> None:
    gradient = derive(VECTOR + "c : (n, m)\nL = (w x + b - y)^2", ["c"])["c"]
    assert gradient.matrix is Number(0, ("n", "m"))


def test_unknown_names_and_the_objective_itself_are_refused() -> None:
    with pytest.raises(ModelError, match="unknown name q"):
        derive(VECTOR + "L = (w x + b - y)^2", ["q"])
    with pytest.raises(DerivationError, match="is the objective"):
        derive(VECTOR + "L = (w x + b - y)^2", ["L"])
    with pytest.raises(DerivationError, match="no gradient with respect to x"):
        derive(VECTOR + "L = (w x + b - y)^2", ["w"])["x"]
    with pytest.raises(ModelError, match="needs a scalar"):
        derive(VECTOR + "L = x")


def test_many_skips_do_not_take_exponential_time() -> None:
    """Forty residual layers have 2^40 paths; nobody may walk them one by one."""
    m = ModelBuilder()
    h = m.input("w")
    value: Expr = h
    for k in range(40):
        value = m.define(f"h_{k}", value + tanh(value))
    derivation = derive(m.model(), ["w"])
    x = 0.01
    expected = 1.0
    for _ in range(40):
        expected *= 1 + (1 - numpy.tanh(x) ** 2)
        x += numpy.tanh(x)
    found = value_of(derivation, "w", {}, {h: numpy.array([[0.01]])})
    numpy.testing.assert_allclose(found.item(), expected, rtol=1e-9)


def test_a_model_built_in_python_reads_the_same() -> None:
    m = ModelBuilder()
    X, w = m.input("X", "n", "m"), m.input("w", 1, "n")
    Z = m.define("Z", w @ X)
    m.define("J", reduce_sum(mul(Z, Z)))
    by_hand = derive(m.model())["w"].matrix
    by_text = derive("X : (n, m)\nw : (1, n)\nZ = w X\nJ = sum(Z .* Z)")["w"].matrix
    assert by_hand is by_text
