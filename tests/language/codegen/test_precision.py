"""Emitted modules follow their inputs: float32 stays float32, and tensors stay on their device."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tests.language.codegen.node import NodeError, node
from tests.language.codegen.test_code import HARD, LIBRARY, formatted, into, text_of, written

from chainrule.calculus.graph.model import Model
from chainrule.language.reading import example_names, load_model, read_model

PASSES = {
    "a recurrence that starts at zero": """x_1 : (n, m)
x_2 : (n, m)
y : (1, m)
W : (h, n)
U : (h, h)
v : (1, h)
h_0 = zeros(h, m)
h_1 = tanh(W x_1 + U h_0)
h_2 = tanh(W x_2 + U h_1)
J = norm(v h_2 - y)^2/m
wrt: W, U, v
""",
    "a convolution": "X : (p, q)\nK : (2, 2)\nJ = sum(relu(conv2d(X, K))^2)\nwrt: K, X",
    "a look-up": """E : (d, v)
ids : (1, m)
y : (1, m)
w : (1, d)
Z = w lookup(E, ids)
J = norm(Z - y)^2
wrt: E, w
""",
    "a look-up by rows": "E : (v, d)\nids : (m, 1)\nJ = sum(tanh(lookup(E, ids)))\nwrt: E",
    "one-hot marks": """ids : (1, m)
Z : (k, m)
Y = onehot(ids, k)
J = -sum(Y .* log(softmax(Z, axis=0))) + sum(Y Z^T)
wrt: Z
""",
    "one-hot rows": "ids : (m, 1)\nZ : (m, k)\nJ = sum((onehot(ids, k) Z^T) .^ 2)\nwrt: Z",
    "constants": """X : (n, m)
W : (n, n)
J = trace(W) + sum(X)/2 + sqrt(n) norm(X) + log(2) sum(max(W)) + logdet(W) + exp(1) sum(W eye(n))
wrt: X, W
""",
    "ones and sizes": "X : (n, m)\nJ = sum(X ones(m, 2)) / sqrt(m) + sum(sqrt(2) X^3)\nwrt: X",
    "functions of numbers": """x : (1, m)
s = tanh(1/2)
J = sum(log(Phi(x))) + sum(Phi(x)) + s^2 sum(x) + maximum(2, sigmoid(3)) sum(x .* x) + s
wrt: x, s
""",
}
MODELS: dict[str, Model] = {
    **{name: load_model(name) for name in example_names()},
    **{title: read_model(text) for title, text in (PASSES | HARD).items()},
}


@pytest.mark.parametrize("library", LIBRARY)
@pytest.mark.parametrize("title", MODELS)
def test_a_module_computes_in_the_precision_of_its_inputs(
    title: str, library: str, tmp_path: Path
) -> None:
    """In float32 everything is float32, and what it should be to its digits."""
    enter = into(library)
    module = written(tmp_path, text_of(MODELS[title], library))
    inputs = {k: np.asarray(v) for k, v in module.draw().items()}
    single = {
        k: enter(v.astype(np.float32) if v.dtype.kind == "f" else v) for k, v in inputs.items()
    }
    cache = module.forward(**single)
    found = module.backward(cache)
    exact = module.backward(module.forward(**{k: enter(v) for k, v in inputs.items()}))
    for name, value in {**{k: v for k, v in cache.items() if k != "ids"}, **found}.items():
        assert str(value.dtype).endswith("float32"), name
    for name, value in found.items():
        size = 1 + np.max(np.abs(np.asarray(exact[name])))
        np.testing.assert_allclose(np.asarray(value), exact[name], atol=2e-3 * size)


@pytest.mark.parametrize("title", MODELS)
def test_a_module_of_torch_stays_on_the_device_of_its_inputs(title: str, tmp_path: Path) -> None:
    """The device without data: an operation with a tensor elsewhere fails."""
    torch = pytest.importorskip("torch")
    module = written(tmp_path, text_of(MODELS[title], "torch"))
    inputs = {k: v.to("meta") for k, v in module.draw().items()}
    if "ids" in inputs:
        pytest.skip("ids are checked by value, and this device has no values")
    cache = module.forward(**inputs)
    for value in {**cache, **module.backward(cache)}.values():
        assert value.device == torch.device("meta")


@pytest.mark.parametrize("library", LIBRARY)
@pytest.mark.parametrize("title", PASSES)
def test_a_module_checks_itself_and_is_formatted(title: str, library: str, tmp_path: Path) -> None:
    into(library)
    assert written(tmp_path, text_of(MODELS[title], library)).check() < 1e-6
    assert formatted(tmp_path) == []


def test_integers_are_inputs_too(tmp_path: Path) -> None:
    module = written(tmp_path, text_of(MODELS["constants"]))
    whole = {"X": np.array([[1, 2, 0]]), "W": np.array([[3]])}
    found = module.backward(module.forward(**whole))
    exact = module.backward(module.forward(**{k: v.astype(float) for k, v in whole.items()}))
    for name, value in exact.items():
        np.testing.assert_array_equal(found[name], value)


# ---- ids outside their table --------------------------------------------------------------------

WRONG = [(-1, "-1"), (7, "7"), (2**40, str(2**40))]
BY_ID = [title for title, model in MODELS.items() if model.numbered]


def with_an_id(module: Any, wrong: float) -> dict[str, Any]:
    inputs = {k: np.asarray(v).copy() for k, v in module.draw().items()}
    ids = inputs["ids"]
    if wrong != int(wrong):
        ids = inputs["ids"] = ids.astype(float)
    ids[-1, -1] = wrong
    return inputs


@pytest.mark.parametrize("library", LIBRARY)
@pytest.mark.parametrize(("wrong", "said"), WRONG)
@pytest.mark.parametrize("title", BY_ID)
def test_an_id_outside_the_table_raises(
    title: str, wrong: int, said: str, library: str, tmp_path: Path
) -> None:
    enter = into(library)
    module = written(tmp_path, text_of(MODELS[title], library))
    inputs = {k: enter(v) for k, v in with_an_id(module, wrong).items()}
    with pytest.raises(IndexError, match=f"the id {said} is not a whole number from 0 to"):
        module.forward(**inputs)


@pytest.mark.parametrize("library", LIBRARY)
@pytest.mark.parametrize("title", BY_ID)
def test_an_id_that_is_no_whole_number_raises(title: str, library: str, tmp_path: Path) -> None:
    enter = into(library)
    module = written(tmp_path, text_of(MODELS[title], library))
    inputs = {k: enter(v) for k, v in with_an_id(module, 0.5).items()}
    with pytest.raises(IndexError, match=r"the id 0\.5 is not a whole number from 0 to"):
        module.forward(**inputs)


@pytest.mark.parametrize(("wrong", "said"), [*WRONG, (0.5, "0.5"), (float("nan"), "NaN")])
@pytest.mark.parametrize("title", BY_ID)
def test_an_id_outside_the_table_throws_in_javascript(
    title: str, wrong: float, said: str, tmp_path: Path
) -> None:
    module = written(tmp_path, text_of(MODELS[title]))
    inputs = {k: np.asarray(v).astype(float) for k, v in module.draw().items()}
    inputs["ids"][-1, -1] = wrong
    with pytest.raises(NodeError, match=f"^RangeError: the id {said} is not a whole number"):
        node().call(text_of(MODELS[title], "javascript"), "forward", inputs)


@pytest.mark.parametrize("library", LIBRARY)
def test_no_ids_at_all_are_a_batch_of_none(library: str, tmp_path: Path) -> None:
    enter = into(library)
    module = written(tmp_path, text_of(MODELS["a look-up by rows"], library))
    table, ids = np.ones((3, 2)), np.zeros((0, 1), dtype=int)
    found = module.backward(module.forward(enter(table), enter(ids)))
    np.testing.assert_array_equal(np.asarray(found["E"]), np.zeros((3, 2)))


def test_a_compiled_module_of_jax_takes_ids(tmp_path: Path) -> None:
    jax = pytest.importorskip("jax")
    module = written(tmp_path, text_of(MODELS["a look-up"], "jax"))
    inputs = module.draw()
    plain = module.forward(**inputs)["J"]
    np.testing.assert_allclose(jax.jit(module.forward)(**inputs)["J"], plain, rtol=1e-6)
