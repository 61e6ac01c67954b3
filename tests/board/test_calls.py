"""The calls: JSON in, JSON or a typed error out; numbers against NumPy and finite differences."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression as Peer
from tests.board.samples import LECTURE, ONE, error, result

from chainrule.board import training
from chainrule.board.calls import CALLS, answer
from chainrule.board.native import NATIVE, declarations

FRONTEND = Path(__file__).parents[2] / "frontend" / "schema.d.ts"


def test_read_gives_shapes_and_roles() -> None:
    found = result("read", text=LECTURE)
    assert {i["name"]: (i["shape"], i["role"]) for i in found["inputs"]} == {
        "X": (["n", "m"], "data"),
        "Y": (["1", "m"], "label"),
        "w": (["1", "n"], "parameter"),
        "b": (["1", "1"], "parameter"),
    }
    assert found["asked"] == ["w", "b"]


@pytest.mark.parametrize(
    ("text", "kind", "line", "column", "mended"),
    [
        ("x : (n, 1)\nL = sum(sigmod(x))", "parse", 2, 9, "x : (n, 1)\nL = sum(sigmoid(x))"),
        ("x, w : (n, 1)\nL = sum(x w)", "shape", 2, 9, "x, w : (n, 1)\nL = sum(x .* w)"),
        ("L = )", "parse", 1, 5, None),
        ("X : (n, m)\nL = X", "parse", 2, 1, None),
    ],
)
def test_errors_have_a_place_and_a_repair_that_reads(
    text: str, kind: str, line: int, column: int, mended: str | None
) -> None:
    found = error("read", text=text)
    assert (found["kind"], found["line"], found["column"]) == (kind, line, column)
    mend = found["mend"]
    if mended is None:
        assert mend is None
        return
    lines = text.split("\n")
    wrong, start = lines[mend["line"] - 1], mend["column"] - 1
    lines[mend["line"] - 1] = wrong[:start] + mend["text"] + wrong[start + mend["length"] :]
    assert "\n".join(lines) == mended
    result("read", text=mended)


def test_every_line_of_a_derivation_is_proven_typeset_and_traced() -> None:
    found = result("derive", text=LECTURE)
    assert found["proven"]
    shown = [number for section in found["sections"] for number in section["steps"]]
    assert shown == [step["id"] for step in found["steps"]]
    for step in found["steps"]:
        assert step["check"]["points"] > 0
        assert step["line"]["mathml"].startswith("<math")
        paths = {origin["path"] for origin in step["provenance"] if origin["kind"] != "cancelled"}
        assert "" in paths
        for forbidden in ("tabindex", "style=", "title=", "<script"):
            assert forbidden not in step["line"]["mathml"]


def test_numbers_are_those_of_numpy() -> None:
    X, Y = np.array([[0.5, -1.0, 2.0], [1.5, 0.25, -0.5]]), np.array([[1.0, 0.0, 1.0]])
    w, b = np.array([[0.4, -0.3]]), np.array([[0.1]])
    inputs = {"X": X.tolist(), "Y": Y.tolist(), "w": w.tolist(), "b": b.tolist()}
    found = result("numbers", text=LECTURE, inputs=inputs, chosen={"m": 1})
    A = 1 / (1 + np.exp(-(w @ X + b)))
    np.testing.assert_allclose(found["values"]["A"], A)
    np.testing.assert_allclose(found["gradients"]["w"], (A - Y) @ X.T)
    assert found["sizes"] == {"n": 2, "m": 3}
    dz = next(
        s
        for s in result("derive", text=LECTURE)["steps"]
        if s["line"]["text"] == "da_i/dz_i = a_i(1 - a_i)"
    )
    value = next(s["value"] for s in found["steps"] if s["id"] == dz["id"])
    assert value == pytest.approx(A[0, 1] * (1 - A[0, 1]))


TENSORS = """
Q : (b, h, k)   # a batch of matrices
W : (h, k, n)   # one matrix for every row
Y : (b, n)
R = einsum("bhk,hkn->bn", Q, W) - Y
J = 1/2 sum(R^2)
wrt: W
"""


def test_tensors_are_shown_by_their_slices() -> None:
    """Slices stand below one another, and go back as they came."""
    drawn = result("numbers", text=TENSORS, sizes={"b": 3, "h": 2, "k": 4, "n": 2})
    found = result("numbers", text=TENSORS, sizes=drawn["sizes"], inputs=drawn["inputs"])
    assert found == drawn
    Q = np.reshape(drawn["inputs"]["Q"], (3, 2, 4))
    W = np.reshape(drawn["inputs"]["W"], (2, 4, 2))
    R = np.tensordot(Q, W, 2) - drawn["inputs"]["Y"]
    np.testing.assert_allclose(found["values"]["R"], R)
    gradient = np.tensordot(Q, R, (0, 0))
    np.testing.assert_allclose(found["gradients"]["W"], gradient.reshape(8, 2))
    derived = result("derive", text=TENSORS)
    assert derived["proven"]
    nodes = {node["id"]: node for node in result("graph", text=TENSORS)["nodes"]}
    assert np.shape(nodes["Q"]["value"])[1] == len(nodes["Q"]["value"][0])
    for step in derived["steps"]:
        assert result("why", text=TENSORS, step=step["id"])["title"]
    wrong = error("numbers", text=TENSORS, inputs={"Q": [[1.0, 2.0]]})
    assert "numbers were given" in wrong["message"]


def test_drawn_labels_are_zero_or_one() -> None:
    for seed in range(6):
        found = result("numbers", text=LECTURE, seed=seed, sizes={"m": 9})
        assert {v for row in found["inputs"]["Y"] for v in row} <= {0.0, 1.0}
        assert found["values"]["J"][0][0] is not None


def test_graph_gradients_are_finite_differences() -> None:
    found = result("graph", text=ONE)
    inputs = {n["id"]: n["value"] for n in found["nodes"] if n["kind"] == "input"}
    gradient = next(n["gradient"] for n in found["nodes"] if n["id"] == "w")
    for place in range(len(inputs["w"][0])):
        costs = []
        for nudge in (1e-6, -1e-6):
            moved = json.loads(json.dumps(inputs))
            moved["w"][0][place] += nudge
            costs.append(result("numbers", text=ONE, inputs=moved)["values"]["L"][0][0])
        slope = (costs[0] - costs[1]) / 2e-6
        assert gradient[0][place] == pytest.approx(slope, rel=1e-6)
    assert found["backward"][0][1] == "L"
    assert ["b", "z"] in found["backward"]


def test_why_explains_a_line_and_its_parts() -> None:
    steps = result("derive", text=LECTURE)["steps"]
    put = next(step for step in steps if step["phase"] == "substitute")
    assert result("why", text=LECTURE, step=put["id"])["reason"] == put["why"]
    origin = next(o for o in put["provenance"] if o["kind"] == "substituted")
    found = result("why", text=LECTURE, step=put["id"], path=origin["path"])
    assert found["origin"]["kind"] == "substituted"
    assert found["origin"]["formula"]["text"] == "dJ/da_i"
    assert error("why", text=LECTURE, step=put["id"], path="9.9")["kind"] == "request"
    assert error("why", text=LECTURE, step=999)["kind"] == "request"


def test_understood_does_not_judge() -> None:
    right = result("understood", text=LECTURE, typed="(A - Y) X^T", wrt="w")
    wrong = result("understood", text=LECTURE, typed="(Y - A) X^T", wrt="w")
    assert right.keys() == wrong.keys()
    assert (right["ok"], wrong["ok"]) == (True, True)
    assert wrong["math"]["text"] == "(Y - A) X^T"
    open_bracket = result("understood", text=LECTURE, typed="(A - Y X^T", wrt="w")
    assert (open_bracket["ok"], open_bracket["column"]) == (False, 1)


def test_a_grade_names_the_mistake_and_keeps_the_answer() -> None:
    found = result("grade", text=LECTURE, wrt="w", answer="(Y - A) X^T")
    assert (found["verdict"], found["mistakes"][0]["name"]) == ("wrong", "sign")
    assert found["numbers"]["right"] == pytest.approx(-found["numbers"]["yours"])
    assert "(A - Y) X^T" not in json.dumps(found)
    shown = result("grade", text=LECTURE, wrt="w", answer="(Y - A) X^T", reveal=True)
    assert shown["short_form"] == "(A - Y) X^T"


def test_an_audit_shows_the_two_numbers_that_differ() -> None:
    found = result("audit", text=LECTURE, transcript="dJ/dZ = A - Y\ndJ/db = sum(Y - A)\n")
    right, wrong = found["lines"]
    assert (right["verdict"], wrong["verdict"]) == ("proven", "wrong")
    assert wrong["numbers"]["right"] is not None
    assert error("audit", transcript="\n" * 5000, text=LECTURE)["kind"] == "limit"


def test_practice_goes_on_from_its_history() -> None:
    history: list[object] = []
    for _ in range(4):
        asked = result("question", history=history, seed=1)
        again = result("question", history=history, seed=1)
        assert asked["ticket"] == again["ticket"]
        found = result("reply", ticket=asked["ticket"], answer="0")
        shown = result("show", ticket=asked["ticket"])
        assert result("hint", ticket=asked["ticket"], number=1)["hint"]
        history.append(found["record"] or shown["record"])
    assert result("progress", history=history)["answered"] == 4
    assert error("reply", ticket="no/such/1/2", answer="1")["kind"] == "exercise"
    assert error("reply", ticket="nonsense", answer="1")["kind"] == "exercise"


def test_a_problem_in_parts_is_marked_part_by_part() -> None:
    asked = result("question", exercise="parts-relu", kinds=["parts"])
    assert asked["reader"] == "parts"
    prompt = " ".join(block["text"] for block in asked["prompt"])
    for name, label in zip(asked["choices"], asked["labels"], strict=True):
        assert f"{name} = ∂" in label  # each part is stated once, beside its field
        assert label not in prompt
    assert not any("semicolons" in block["text"] for block in asked["prompt"])
    right = {"dZ2": "A2 - Y", "dW2": "dZ2 A1", "db2": "dZ2 1"}
    answer_of_parts = "\n".join(f"{name} = {value}" for name, value in right.items())
    found = result("reply", ticket=asked["ticket"], answer=answer_of_parts)
    assert [part["held"] for part in found["parts"]] == [True, False, True, False, False, False]
    assert [part["answered"] for part in found["parts"]] == [True] * 3 + [False] * 3
    assert "transpose" in found["parts"][1]["said"]
    unread = result("reply", ticket=asked["ticket"], answer="dZ2 = (A2 - Y")
    assert not unread["read"]
    assert "column" not in unread["message"]


def test_a_circuit_is_data() -> None:
    asked = result("question", kinds=["circuit"], seed=3)
    circuit = next(block["circuit"] for block in asked["prompt"] if block["type"] == "circuit")
    names = [node["name"] for node in circuit["nodes"]]
    assert names[-1] == circuit["output"]
    for at, node in enumerate(circuit["nodes"]):
        assert set(node["uses"]) <= set(names[:at])


def test_a_cost_is_shown_as_the_sum_over_its_examples() -> None:
    *_, cost = result("read", text=LECTURE)["lines"]
    assert cost["summed"]["text"] == "J = -sum_i (y_i log(a_i) + (1 - y_i) log(1 - a_i))"
    assert '<mo stretchy="false">(</mo><mi>i</mi>' in cost["summed"]["mathml"]
    assert all(line["summed"] is None for line in result("read", text=ONE)["lines"])


def test_second_derivatives_are_derived_and_evaluated() -> None:
    found = result("derive", text=ONE, order=2)
    assert found["proven"]
    values = {one["id"] for one in result("numbers", text=ONE, order=2)["steps"]}
    assert {step["id"] for step in found["steps"]} >= values
    assert any(line["line"]["text"].startswith("H_ww") for line in found["gradients"])


@pytest.mark.parametrize("batch", [0, 50])
def test_training_reaches_the_optimum_of_another_library(batch: int) -> None:
    found = result("train", columns=[0, 1], batch=batch, rate=0.3, steps=60)
    data = training.shipped()
    X = data.X[[0, 1]].T
    X = (X - X.mean(axis=0)) / X.std(axis=0)
    peer = Peer(C=1.0, tol=1e-12, max_iter=10_000).fit(X, data.labels)
    np.testing.assert_allclose(found["optimum"]["w"], peer.coef_[0], rtol=1e-5)
    best = found["optimum"]["cost"]
    for path in (found["gradient"], found["newton"]):
        for cost, gap in zip(path["cost"], path["gap"], strict=True):
            assert gap >= cost - best - 1e-9  # the bound is above the true distance
    assert found["newton"]["gap"][-1] < 1e-8
    costs = found["newton"]["cost"]
    assert all(later <= earlier for earlier, later in pairwise(costs))


def test_training_on_own_data_refuses_what_makes_no_problem() -> None:
    features = [[0.0, 1.0, 2.0, 3.0], [1.0, 0.0, 1.0, 0.5]]
    assert result("train", features=features, labels=[0, 1, 0, 1], steps=5)["m"] == 4
    for labels in ([0, 0, 0, 0], [0, 1], [0, 1, 2, 1]):
        assert error("train", features=features, labels=labels)["kind"] == "request"
    assert error("train", features=[[1.0] * 4, features[1]], labels=[0, 1, 0, 1])


def test_the_certificate_is_the_engines() -> None:
    found = answer("certify", {"columns": [0, 1]}, NATIVE)["result"]
    assert found["certificate"].startswith("Proven")
    assert found["cost"] == pytest.approx(result("train", columns=[0, 1])["optimum"]["cost"])


@pytest.mark.parametrize("to", ["json", "latex", "text", "javascript", "numpy", "html"])
def test_downloads(to: str) -> None:
    found = answer("export", {"text": LECTURE, "to": to}, NATIVE)["result"]
    assert found["content"]
    assert "/" not in found["name"]


def test_unknown_calls_and_arguments_are_typed_errors() -> None:
    assert error("nothing")["kind"] == "request"
    assert "no field txt" in error("read", txt="")["message"]
    assert "args.text" in error("read", text=3)["message"]
    assert error("numbers", text=LECTURE, sizes={"m": 10**6})["kind"] == "request"
    assert error("numbers", text=LECTURE, inputs={"w": [[1, 2], [3]]})["kind"] == "request"
    assert error("derive", text=LECTURE, order=3)["kind"] == "request"
    assert "X, Y, w, b" in error("grade", text=LECTURE, wrt="?", answer="A")["message"]


def test_calls_need_numpy_and_mpmath_alone() -> None:
    code = (
        "import sys, chainrule.board.calls as c\n"
        f"c.answer('graph', {{'text': {ONE!r}}})\n"
        "c.answer('question', {})\n"
        "c.answer('train', {'columns': [0, 1], 'steps': 2})\n"
        "heavy = {'sklearn', 'scipy', 'pyarrow', 'sqlite3', 'jinja2', 'click', 'matplotlib',"
        " 'numba', 'starlette', 'uvicorn'}\n"
        "print(sorted(heavy & set(sys.modules)))\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_the_types_of_the_front_end_are_those_of_the_schema() -> None:
    assert FRONTEND.read_text(encoding="utf-8") == declarations(), "run `make board`"


def test_every_result_is_json_without_nan() -> None:
    for name in CALLS:
        text = json.dumps(answer(name, {"text": LECTURE}), allow_nan=False)
        assert set(json.loads(text)) <= {"result", "error"}, name


def test_too_deep_a_call_is_refused_in_words() -> None:
    def run(args: Any) -> Any:
        return run(args)

    row = replace(CALLS["gallery"], run=run)
    found = answer("gallery", {}, {"gallery": row})["error"]
    assert found["kind"] == "limit"
    assert "write fewer layers" in found["message"]


def test_many_layers_are_derived() -> None:
    count = 60
    layers = "".join(f"a_{k + 1} = tanh(a_{k})\n" for k in range(count))
    found = answer("derive", {"text": f"a_0 : (1, 1)\n{layers}L = a_{count}^2\n"})
    assert found["result"]["proven"] is True
