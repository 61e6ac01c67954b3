"""Emitted modules, executed: they stand alone, agree with oracles, and stay finite.

The oracles: central differences inside each module, the derivation's own values, HIPS autograd of
forward passes written here, and ruff for the form.
"""

from __future__ import annotations

import ast
import importlib.util
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import autograd
import autograd.numpy as anp
import numpy as np
import pytest
from tests.derivations import derived

from chainrule.calculus.derivation.derive import derivation_of
from chainrule.calculus.derivation.program import program
from chainrule.calculus.evaluation.forward import sample
from chainrule.calculus.graph.dims import measured
from chainrule.calculus.graph.model import Model, ModelBuilder
from chainrule.calculus.ops import sigmoid
from chainrule.calculus.proof.gradients import gradient_values
from chainrule.emission.shipped import FORWARD_PASSES
from chainrule.errors import DerivationError, ModelError
from chainrule.language.codegen import module_text
from chainrule.language.codegen.dialects import DIALECTS
from chainrule.language.reading import example_names, load_model, read_model

BATCHES = ("logistic_batch", "logistic_l2", "softmax_batch")
LIBRARY = {name: name for name in DIALECTS}
"""The libraries of Python; `test_javascript` runs the modules in JavaScript."""
CASES = [(n, t, False) for n in example_names() for t in LIBRARY]
CASES += [(n, t, True) for n in BATCHES for t in LIBRARY]

LOSSES = {path.stem: load_model(str(path)) for path in sorted(FORWARD_PASSES.glob("*.cr"))}
"""The shipped forward passes of losses."""

HARD = {
    "a deep network with a mean": """X : (n, m)
Y : (1, m)
W1 : (h, n)
b1 : (h, 1)
W2 : (1, h)
b2 : (1, 1)
Z1 = W1 X + b1
A1 = ReLU(Z1)
Z2 = W2 A1 + b2
A2 = sigmoid(Z2)
J = -sum(Y .* log(A2) + (1 - Y) .* log(1 - A2)) / m
""",
    "softmax with names for its parts": """X : (n, m)
Y : (k, m)
W : (k, n)
Z = W X
P = exp(Z) / sum(exp(Z), axis=0)
J = -mean(sum(Y .* log(P), axis=0))
""",
    "a quadratic form": "x : (n, 1)\nA : (n, n)\nf = x^T A x\nwrt: x, A",
    "a mask in a matrix product": "X : (n, m)\nW : (h, n)\nJ = sum(ReLU(W X))",
    "nothing depends on b": "X : (n, m)\nw : (1, n)\nb : (1, m)\nJ = sum(tanh(w X))\nwrt: w, b",
    "a gradient that repeats": "W : (h, n)\nx : (n, 1)\ns = sum(W x)\nwrt: W, x",
    "a sum of one number": "X : (n, m)\nw : (1, n)\nb : (h, 1)\nJ = sum(b) + sum(w X)\nwrt: w, b",
    "a value on the way": """X : (n, m)
Y : (1, m)
w : (1, n)
A = sigmoid(w X)
J = -sum(Y .* log(A) + (1 - Y) .* log(1 - A))
wrt: A, w
""",
    "names that are no identifiers": """λ : (1, n)
l : (n, m)
np : (1, m)
J' : (1, 1)
z_1 = λ l + np J'
a^[1] = softplus(z_1)
sum_2 = sum(a^[1] .* a^[1])
wrt: λ, l, np, J'
""",
    "a line too long for a page": "first : (1, m)\nsecond : (1, m)\nw : (1, m)\n"
    "J = sum("
    + " + ".join(f"{k}(first .* w) .* (second - {k})^2 / (1 + exp(second))" for k in range(2, 9))
    + ")",
    "many plain terms": "".join(f"{c}{c}{c}{c}{c} : (1, m)\n" for c in "abcdefghkmnopqrstuv")
    + "J = sum(tanh("
    + " + ".join(c * 5 for c in "abcdefghkmnopqrstuv")
    + "))\nwrt: aaaaa",
    "roots, powers, norms": "X : (n, m)\nw : (1, n)\n"
    "J = sqrt(sum((w X)^4) + 1) + norm(w)^2/3 + mean(abs(w X), axis=1)^3 + sum(log(1 + exp(w X)))",
}


def written(tmp_path: Path, text: str) -> ModuleType:
    """Write a module to a file and import it."""
    path = tmp_path / "emitted.py"
    path.write_text(text, encoding="utf-8")
    spec = importlib.util.spec_from_file_location("emitted", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def text_of(model: Model, target: str = "numpy", *, rows: bool = False) -> str:
    return module_text(program(derived(model), "m" if rows else None), target)


def into(target: str) -> Callable[[np.ndarray], Any]:
    """Return how arrays get into a library, in double precision."""
    library = pytest.importorskip(LIBRARY[target])
    if target == "torch":
        return lambda array: library.from_numpy(np.array(array))
    if target == "jax":
        library.config.update("jax_enable_x64", True)
        return lambda array: library.numpy.asarray(array)
    return np.asarray


# ---- every shipped example, executed ------------------------------------------------------------


@pytest.mark.parametrize(("name", "target", "rows"), CASES)
def test_a_module_checks_itself(name: str, target: str, rows: bool, tmp_path: Path) -> None:
    pytest.importorskip(LIBRARY[target])
    module = written(tmp_path, text_of(load_model(name), target, rows=rows))
    assert module.check() < 1e-6
    assert module.check(seed=7) < 1e-6


@pytest.mark.parametrize("target", LIBRARY)
@pytest.mark.parametrize("name", LOSSES)
def test_the_module_of_a_loss_checks_itself(name: str, target: str, tmp_path: Path) -> None:
    pytest.importorskip(LIBRARY[target])
    assert written(tmp_path, text_of(LOSSES[name], target)).check() < 1e-6


@pytest.mark.parametrize(("name", "target", "rows"), CASES)
def test_gradients_are_those_of_the_derivation(
    name: str, target: str, rows: bool, tmp_path: Path
) -> None:
    enter = into(target)
    derivation = derived(load_model(name))
    laid = program(derivation, "m" if rows else None)
    module = written(tmp_path, module_text(laid, target))
    for number, sizes in enumerate(({"n": 3, "m": 4, "k": 2}, {"n": 2, "m": 5, "k": 3})):
        more = {"n": 3, "b": 2, "d": 4, "h": 5, "r": 2, "t": 3, "v": 4}
        point = sample(derivation.model, {**more, **sizes}, np.random.default_rng(number))
        turn = np.transpose if rows else np.asarray
        inputs = [enter(turn(point[s])) for s in derivation.model.inputs]
        found = module.backward(module.forward(*inputs))
        wanted = gradient_values(derivation, point, {**more, **sizes})
        for values, (variable, expected) in zip(found.values(), wanted.items(), strict=True):
            assert values.shape == turn(point[variable]).shape
            np.testing.assert_allclose(np.asarray(values), turn(expected), rtol=1e-10, atol=1e-12)


def _logistic(X: Any, Y: Any, w: Any, b: Any, penalty: float = 0.0) -> Any:
    a = 1 / (1 + anp.exp(-(anp.dot(w, X) + b)))
    cost = -anp.sum(Y * anp.log(a) + (1 - Y) * anp.log(1 - a))
    return cost + penalty * anp.sum(w**2)


@pytest.mark.parametrize(
    ("name", "penalty", "rows"),
    [
        ("logistic_single", 0.0, False),
        ("logistic_batch", 0.0, False),
        ("logistic_batch", 0.0, True),
        ("logistic_l2", 0.5, False),
        ("logistic_l2", 0.5, True),
    ],
)
def test_logistic_gradients_are_those_of_autograd(
    name: str, penalty: float, rows: bool, tmp_path: Path
) -> None:
    module = written(tmp_path, text_of(load_model(name), rows=rows))
    rng = np.random.default_rng(3)
    m = 1 if name == "logistic_single" else 6
    X, w, b = rng.normal(size=(4, m)), rng.normal(size=(1, 4)), rng.normal(size=(1, 1))
    Y = (rng.random((1, m)) < 0.5).astype(float)
    given = [a.T for a in (X, Y, w, b)] if rows else [X, Y, w, b]
    cache = module.forward(*given)
    found = module.backward(cache)
    assert float(cache[[*cache][-1]][0, 0]) == pytest.approx(_logistic(X, Y, w, b, penalty))
    for place, key in ((2, "w"), (3, "b")):
        wanted = autograd.grad(_logistic, place)(X, Y, w, b, penalty)
        np.testing.assert_allclose(found[key], wanted.T if rows else wanted, rtol=1e-10)


@pytest.mark.parametrize("target", LIBRARY)
@pytest.mark.parametrize(
    ("name", "rows"),
    [
        *((name, False) for name in ("logistic_single", *BATCHES, "board_b1", "board_b2")),
        *((name, True) for name in BATCHES),
    ],
)
def test_scores_of_ten_thousand_stay_finite(
    name: str, rows: bool, target: str, tmp_path: Path
) -> None:
    enter = into(target)
    model = load_model(name)
    module = written(tmp_path, text_of(model, target, rows=rows))
    for sign in (1.0, -1.0):
        for label in (0.0, 1.0):
            inputs = []
            for symbol in model.inputs:
                r, c = (measured(d, {"n": 2, "m": 3, "k": 4}) for d in symbol.shape)
                value = np.full((r, c), sign * 5e3 if symbol.name[0] in "Ww" else 1.0)
                if symbol.name in ("y", "Y"):
                    value = np.full((r, c), label)
                if symbol.name == "W":
                    value = np.linspace(-1, 1, r)[:, None] * value
                inputs.append(enter(value.T if rows else value))
            with np.errstate(over="raise", invalid="raise", divide="raise"):
                cache = module.forward(*inputs)
                found = module.backward(cache)
            cost = np.asarray(cache[[*cache][-1]])
            assert np.isfinite(cost).all()
            assert all(np.isfinite(np.asarray(g)).all() for g in found.values())


# ---- harder forward passes ----------------------------------------------------------------------


@pytest.mark.parametrize("target", LIBRARY)
@pytest.mark.parametrize("title", HARD)
def test_harder_models(title: str, target: str, tmp_path: Path) -> None:
    pytest.importorskip(LIBRARY[target])
    text = text_of(read_model(HARD[title]), target)
    assert written(tmp_path, text).check() < 1e-6
    assert formatted(tmp_path) == []


@pytest.mark.parametrize(
    "title",
    [
        "a deep network with a mean",
        "softmax with names for its parts",
        "roots, powers, norms",
        "a value on the way",
    ],
)
def test_harder_models_by_rows(title: str, tmp_path: Path) -> None:
    model = read_model(HARD[title])
    module = written(tmp_path, text_of(model, rows=True))
    assert module.check() < 1e-6
    plain = written(tmp_path, text_of(model))
    inputs = plain.draw()
    wanted = plain.backward(plain.forward(**inputs))
    found = module.backward(module.forward(**{k: v.T for k, v in inputs.items()}))
    for key, value in wanted.items():
        np.testing.assert_allclose(found[key], value.T, rtol=1e-12, atol=1e-14)


def test_what_two_gradients_share_is_computed_once() -> None:
    text = text_of(load_model("softmax_batch"))
    assert text.count("softmax(Z") == 1
    assert "dW = t1 @ X.T  # (k, n)" in text


def test_rows_of_a_model_that_has_rows_change_nothing() -> None:
    model = read_model("X : (m, n)\ny : (m, 1)\nw : (n, 1)\nJ = norm(X w - y)^2")
    assert text_of(model, rows=True) == text_of(model)


def test_a_gradient_without_matrix_form_is_refused_in_words() -> None:
    derivation = derivation_of(load_model("logistic_batch"))
    (name, gradient), *_ = derivation.gradients.items()
    from dataclasses import replace

    lost = replace(gradient, matrix=None, no_matrix_form="three factors share the index i")
    with pytest.raises(DerivationError, match=r"three factors share the index i.*line of its own"):
        program(replace(derivation, gradients={name: lost}))


def test_an_unknown_target_is_refused() -> None:
    with pytest.raises(ModelError, match="there are numpy, torch, jax, javascript"):
        module_text(program(derivation_of(load_model("board_b2"))), "fortran")


# ---- what somebody writes cannot leave its place ------------------------------------------------


def test_words_of_a_model_stay_in_their_docstring(tmp_path: Path) -> None:
    m = ModelBuilder('a title """\nimport os\n# \\')
    x = m.input('x\n"""; import os #')
    m.define("L\nimport os", sigmoid(x) * x)
    text = text_of(m.model())
    assert imports(text) == {"numpy"}
    assert written(tmp_path, text).check() < 1e-6


def test_a_name_of_the_module_is_not_taken_away(tmp_path: Path) -> None:
    names = ("cache", "sigmoid", "np", "forward", "sum")
    m = ModelBuilder()
    inputs = [m.input(name) for name in names]
    total = inputs[0]
    for other in inputs[1:]:
        total = m.define(f"t{len(m._definitions) + 1}", sigmoid(total * other))
    module = written(tmp_path, text_of(m.model(wrt=tuple(inputs))))
    assert module.check() < 1e-6


# ---- the form -----------------------------------------------------------------------------------


def imports(text: str) -> set[str]:
    """Return the libraries that a module imports."""
    found = set()
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Import):
            found |= {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            found.add(node.module or "")
    return found


def formatted(folder: Path) -> list[str]:
    """Return what ruff would change or complain about, at its own defaults."""
    complaints = []
    for arguments in (
        ("format", "--diff"),
        ("format", "--diff", "--line-length", "100"),
        ("check", "--select", "F,E"),
    ):
        done = subprocess.run(
            [
                sys.executable,
                "-m",
                "ruff",
                arguments[0],
                "--isolated",
                "--no-cache",
                *arguments[1:],
                str(folder),
            ],
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode:
            complaints.append(done.stdout + done.stderr)
    return complaints


@pytest.mark.slow
def test_every_module_is_formatted_and_stands_alone(tmp_path: Path) -> None:
    for number, (name, target, rows) in enumerate(CASES):
        text = text_of(load_model(name), target, rows=rows)
        assert imports(text) == {LIBRARY[target]}
        assert "chainrule" not in text.replace("Written by chainrule", "")
        (tmp_path / f"module_{number}.py").write_text(text, encoding="utf-8")
    assert formatted(tmp_path) == []


@pytest.mark.parametrize(("name", "target", "rows"), CASES)
def test_every_value_says_its_shape(name: str, target: str, rows: bool) -> None:
    text = text_of(load_model(name), target, rows=rows)
    body = text[text.index("def forward") : text.index("def draw")]
    values = [
        line
        for line in body.splitlines()
        if re.match(r" +\w+ = (?!\w+\.(?:shape|result_type)|\{)", line)
    ]
    assert values
    assert all(re.search(r"  # \(\w+(, \w+)+\)$", line) for line in values)


GOLDEN = '''"""Logistic regression, many examples: forward pass and gradients.

Written by chainrule from its derivation. Every gradient has the shape of its
variable; `check()` compares them all with central differences.

for: w, b; not for: X, Y (data)
"""

import numpy as np


def sigmoid(z):
    """Return 1 / (1 + e^(-z)); no exponent is ever positive, so nothing overflows."""
    return np.exp(-np.maximum(-z, 0)) / (1 + np.exp(-np.abs(z)))


def softplus(z):
    """Return log(1 + e^z); no exponent is ever positive, so nothing overflows."""
    return np.maximum(z, 0) + np.log1p(np.exp(-np.abs(z)))


def forward(X, Y, w, b):
    """Return what the gradients need, and the cost J, by name.

    X: (n, m), features, one column per example
    Y: (1, m), labels, 0 or 1
    w: (1, n), weights
    b: (1, 1), bias
    """
    Z = w @ X + b  # (1, m)
    A = sigmoid(Z)  # (1, m)
    J = np.sum(Y * softplus(-Z) + (1 - Y) * softplus(Z), keepdims=True)  # (1, 1)
    return {"X": X, "Y": Y, "A": A, "J": J}


def backward(cache):
    """Return the gradient of J with respect to every variable, in its shape."""
    X = cache["X"]  # (n, m)
    Y = cache["Y"]  # (1, m)
    A = cache["A"]  # (1, m)
    dw = (A - Y) @ X.T  # (1, n)
    db = np.sum(A - Y, keepdims=True)  # (1, 1)
    return {"w": dw, "b": db}


def draw(seed=0):
    """Return small random inputs at which the cost is a finite number."""
    rng = np.random.default_rng(seed)

    def uniform(low, *shape):
        return rng.uniform(low, 1, shape)

    for low in [-1.0] * 50 + [0.1] * 50:  # only positive numbers, if others fail
        inputs = {
            "X": uniform(low, 3, 5),
            "Y": uniform(low, 1, 5),
            "w": uniform(low, 1, 3),
            "b": uniform(low, 1, 1),
        }
        with np.errstate(all="ignore"):
            cost = forward(**inputs)["J"]
        if np.isfinite(cost).all():
            return inputs
    raise ValueError("no inputs were found at which the cost is finite")


def check(seed=0, step=1e-5):
    """Compare every gradient with central differences; return the largest difference.

    Differences are relative to the largest entry of a gradient.
    """
    inputs = draw(seed)
    cache = forward(**inputs)
    worst = 0.0
    for name, gradient in backward(cache).items():
        value = inputs[name] if name in inputs else cache[name]
        gap, size = 0.0, 1e-3
        for i in range(value.shape[0]):
            for j in range(value.shape[1]):
                nudge = np.zeros_like(value)
                nudge[i, j] = step
                ahead = forward(**{**inputs, name: value + nudge})["J"]
                behind = forward(**{**inputs, name: value - nudge})["J"]
                slope = float((ahead - behind)[0, 0]) / (2 * step)
                gap = max(gap, abs(slope - float(gradient[i, j])))
                size = max(size, abs(slope))
        print(f"{name}: {gap / size:.1e}")
        worst = max(worst, gap / size)
    return worst


if __name__ == "__main__":
    check()
'''


def test_logistic_batch_in_full() -> None:
    assert text_of(load_model("logistic_batch")) == GOLDEN


PARTS_OF_A_LIBRARY = """A : (n, n)
x : (n, 1)
b : (n, 1)
s = x^T A^-1 b/sqrt(n)
L = tanh(s) + logdet(A)
wrt: A, x
"""


@pytest.mark.parametrize("target", LIBRARY)
def test_a_module_names_no_library_but_its_own(target: str) -> None:
    text = module_text(program(derivation_of(read_model(PARTS_OF_A_LIBRARY))), target)
    tree = ast.parse(text)
    bound = {
        a.asname or a.name for n in ast.walk(tree) if isinstance(n, ast.Import) for a in n.names
    }
    used = {
        n.value.id
        for n in ast.walk(tree)
        if isinstance(n, ast.Attribute) and isinstance(n.value, ast.Name)
    }
    assert used & {"np", "torch", "jax", "jnp"} <= bound


def test_torch_takes_no_root_of_a_size() -> None:
    text = module_text(program(derivation_of(read_model(PARTS_OF_A_LIBRARY))), "torch")
    assert "torch.sqrt(n)" not in text
    assert "n**0.5" in text
