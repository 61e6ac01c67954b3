"""The coursework of a first course, from a table to predictions, each held to a known answer."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner
from sklearn.datasets import load_digits

from chainrule.cli.main import cli

RNG = np.random.default_rng(2)


def train(*arguments: object) -> str:
    result = CliRunner().invoke(cli, ["train", *(str(a) for a in arguments)])
    assert result.exit_code == 0, result.output + result.stderr
    return result.stdout


def predict(values: Path, data: Path) -> list[list[str]]:
    result = CliRunner().invoke(cli, ["predict", str(values), str(data)])
    assert result.exit_code == 0, result.output + result.stderr
    return [line.split(",") for line in result.stdout.splitlines()]


def write(path: Path, header: list[str], rows: object) -> Path:
    lines = [",".join(header)]
    lines += [",".join(str(cell) for cell in row) for row in rows]  # type: ignore[attr-defined]
    path.write_text("\n".join(lines) + "\n")
    return path


def model(path: Path, text: str) -> Path:
    path.write_text(text)
    return path


@pytest.fixture
def digits(tmp_path: Path) -> Path:
    X, y = load_digits(return_X_y=True)
    keep = np.random.default_rng(0).permutation(len(X))[:500]
    header = [*(f"p{k}" for k in range(64)), "digit"]
    rows = [[*(v / 16 for v in X[k]), y[k]] for k in keep]
    return write(tmp_path / "digits.csv", header, rows)


SOFTMAX = """X : (n, m)
Y : (k, m)
W : (k, n)
b : (k, 1)
P = softmax(W X + b, axis=0)
J = cross_entropy(Y, P)/m
onehot: Y
"""


def test_linear_regression_reaches_least_squares(tmp_path: Path) -> None:
    x = RNG.normal(size=(80, 2))
    y = x @ [2.0, -1.0] + 0.5 + 0.1 * RNG.normal(size=80)
    data = write(tmp_path / "line.csv", ["a", "b", "y"], np.column_stack([x, y]))
    text = "X : (n, m)\nY : (1, m)\nw : (1, n)\nb : (1, 1)\nA = w X + b\nJ = mean((A - Y)^2)\n"
    out = tmp_path / "v.json"
    said = train(
        *(model(tmp_path / "line.cr", text), "--data", data, "--bind", "X=features"),
        *("--bind", "Y=y", "--raw", "--rate", 0.2, "--steps", 400, "--out", out),
    )
    exact = np.linalg.lstsq(np.column_stack([x, np.ones(80)]), y, rcond=None)[0]
    found = json.loads(out.read_text())["values"]
    np.testing.assert_allclose(found["w"][0], exact[:2], rtol=1e-6)
    assert "R²" in said
    rows = predict(out, data)
    assert rows[0] == ["A"]
    fitted = np.column_stack([x, np.ones(80)]) @ exact
    np.testing.assert_allclose([float(r[0]) for r in rows[1:]], fitted, rtol=1e-5)


def test_softmax_on_digits_whose_labels_are_numbers(tmp_path: Path, digits: Path) -> None:
    out, report = tmp_path / "v.json", tmp_path / "r.html"
    said = train(
        *(model(tmp_path / "s.cr", SOFTMAX), "--data", digits, "--bind", "X=features"),
        *("--bind", "Y=digit", "--raw", "--batch", 50, "--update", "adam", "--rate", 0.02),
        *("--steps", 300, "--holdout", 0.2, "--out", out, "--report", report),
    )
    assert "Y has a row for each of 0, 1, 2" in said
    known = json.loads(out.read_text())
    assert known["labels"]["Y"] == [str(k) for k in range(10)]
    assert known["shapes"]["W"] == [10, 64]  # raw: no pixel is dropped
    assert known["held_out_score"]["value"] > 0.85
    rows = predict(out, digits)
    assert rows[0] == ["label", *(f"P {k}" for k in range(10))]
    truth = [line.split(",")[-1] for line in digits.read_text().splitlines()[1:]]
    assert np.mean([row[0] == t for row, t in zip(rows[1:], truth, strict=True)]) > 0.9
    page = report.read_text()
    assert "held-out" in page
    assert 'download="costs.csv"' in page
    assert "Shapes and proof" in page
    assert "<math" in page.partition("The gradients")[2]  # typeset, as in a lesson


@pytest.mark.slow
@pytest.mark.parametrize("layers", [2, 3, 4, 5])
def test_networks_of_several_layers(tmp_path: Path, layers: int) -> None:
    rng = np.random.default_rng(7)
    angle = rng.uniform(0, 2 * np.pi, 120)
    inner = np.arange(120) % 2
    radius = np.where(inner, 1.0, 2.5) + 0.1 * rng.normal(size=120)
    rows = zip(
        radius * np.cos(angle), radius * np.sin(angle), np.where(inner, "in", "out"), strict=True
    )
    data = write(tmp_path / "rings.csv", ["x1", "x2", "ring"], rows)
    text = "A^[0] : (2, m)\nY : (1, m)\n"
    for k in range(1, layers + 1):
        size = 1 if k == layers else 12
        before = 2 if k == 1 else 12
        text += f"W^[{k}] : ({size}, {before})\nb^[{k}] : ({size}, 1)\n"
    for k in range(1, layers):
        text += f"A^[{k}] = tanh(W^[{k}] A^[{k - 1}] + b^[{k}])\n"
    text += f"P = sigmoid(W^[{layers}] A^[{layers - 1}] + b^[{layers}])\n"
    text += "J = -sum(Y .* log(P) + (1 - Y) .* log(1 - P))\n"
    report = tmp_path / "r.html"
    said = train(
        *(model(tmp_path / "n.cr", text), "--data", data, "--bind", "A^[0]=x1,x2"),
        *("--bind", "Y=ring", "--rate", 0.3, "--steps", 800, "--update", "momentum"),
        *("--report", report),
    )
    accuracy = float(said.partition("accuracy   ")[2].split()[0])
    assert accuracy > 0.97
    assert "Decision boundary" in report.read_text()


def test_dropout_is_drawn_anew_at_every_step(tmp_path: Path) -> None:
    rng = np.random.default_rng(1)
    x = rng.normal(size=(100, 3))
    label = (x @ [1, -1, 0.5] > 0).astype(int)
    data = write(tmp_path / "d.csv", ["a", "b", "c", "y"], np.column_stack([x, label]))
    text = (
        "X : (n, m)\nY : (1, m)\nD : (h, m)\nW : (h, n)\nc : (h, 1)\nv : (1, h)\nb : (1, 1)\n"
        "H = dropout(relu(W X + c), D, keep=4/5)\nA = sigmoid(v H + b)\n"
        "J = -sum(Y .* log(A) + (1 - Y) .* log(1 - A))\n"
    )
    file, out = model(tmp_path / "d.cr", text), tmp_path / "v.json"
    base = (file, "--data", data, "--bind", "X=a,b,c", "--bind", "Y=y", "--size", "h=8")
    rest = ("--mask", "D=0.8", "--rate", 0.5, "--steps", 200, "--batch", 20, "--out", out)
    said = train(*base, *rest)
    assert "1 with probability 0.8" in said
    assert float(said.partition("accuracy   ")[2].split()[0]) > 0.9
    first = [row[1] for row in predict(out, data)[1:]]
    assert first == [row[1] for row in predict(out, data)[1:]]  # no noise at prediction
    known = json.loads(out.read_text())["values"]
    H = np.maximum(np.array(known["W"]) @ x.T + known["c"], 0)  # the mean over masks
    A = 1 / (1 + np.exp(-(np.array(known["v"]) @ H + known["b"])))
    np.testing.assert_allclose([float(p) for p in first], A[0], rtol=1e-9)
    train(*base, "--bind", "D=1", "--rate", 0.5, "--steps", 20)  # a constant fills any shape


def test_batch_norm_predicts_a_row_by_itself(tmp_path: Path) -> None:
    rng = np.random.default_rng(3)
    x = rng.normal(size=(60, 2)) * [3, 0.5] + [1, -2]
    label = (x[:, 0] + x[:, 1] > -1).astype(int)
    data = write(tmp_path / "bn.csv", ["a", "b", "y"], np.column_stack([x, label]))
    text = (
        "X : (n, m)\nY : (1, m)\nW : (h, n)\ng : (h, 1)\nt : (h, 1)\nv : (1, h)\nb : (1, 1)\n"
        "Z = W X\nmu = mean(Z, axis=1)\ns = mean((Z - mu)^2, axis=1)\n"
        "H = tanh(g .* (Z - mu)/sqrt(s + 1/1000) + t)\nA = sigmoid(v H + b)\n"
        "J = -sum(Y .* log(A) + (1 - Y) .* log(1 - A))/m\n"
    )
    out = tmp_path / "v.json"
    said = train(
        *(model(tmp_path / "bn.cr", text), "--data", data, "--bind", "X=a,b", "--bind", "Y=y"),
        *("--size", "h=4", "--rate", 0.5, "--steps", 150, "--out", out),
    )
    assert "W (h, n) = (4, 2), g (h, 1) = (4, 1), t (h, 1) = (4, 1)" in said
    together = predict(out, data)
    one = write(tmp_path / "one.csv", ["a", "b"], [x[5]])
    assert predict(out, one)[1][1] == pytest.approx(together[6][1]) or float(
        predict(out, one)[1][1]
    ) == pytest.approx(float(together[6][1]), rel=1e-12)


def test_embeddings_of_words(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    words = ["ant", "bee", "cat", "dog", "elk"]
    legs = {"ant": 6, "bee": 6, "cat": 4, "dog": 4, "elk": 4}
    rows = [(w, legs[w]) for w in rng.choice(words, 60)]
    data = write(tmp_path / "w.csv", ["animal", "legs"], rows)
    text = (
        "ids : (1, m)\nY : (1, m)\nE : (d, v)\nw : (1, d)\nb : (1, 1)\n"
        "A = w lookup(E, ids) + b\nJ = mean((A - Y)^2)\n"
    )
    out = tmp_path / "v.json"
    said = train(
        *(model(tmp_path / "e.cr", text), "--data", data, "--bind", "ids=animal"),
        *("--bind", "Y=legs", "--size", "d=2", "--steps", 800, "--rate", 0.1, "--out", out),
    )
    assert "ids counts from 0: ant, bee, cat, dog, elk" in said
    assert json.loads(out.read_text())["cost"] < 1e-3


def test_convolution_on_images_that_keep_their_places(tmp_path: Path) -> None:
    rng = np.random.default_rng(4)
    rows = []
    for k in range(40):
        image = 0.1 * rng.normal(size=(5, 5))
        if k % 2:
            image[:, rng.integers(5)] += 1.0
        else:
            image[rng.integers(5), :] += 1.0
        rows.append([*image.ravel(), k % 2])
    data = write(tmp_path / "i.csv", [*(f"p{k}" for k in range(25)), "upright"], rows)
    text = (
        "X : (5, 5)\ny : (1, 1)\nK : (3, 3)\nw : (1, 9)\nb : (1, 1)\n"
        "C = conv2d(X, K)\nH = relu(C)\nz = sum(H)/9\na = sigmoid(b + w reshape(C, 9, 1) + z)\n"
        "L = -(y log(a) + (1 - y) log(1 - a))\n"
    )
    out = tmp_path / "v.json"
    said = train(
        *(model(tmp_path / "c.cr", text), "--data", data, "--bind", "X=features", "--raw"),
        *(
            "--bind",
            "y=upright",
            "--steps",
            300,
            "--rate",
            0.03,
            "--update",
            "adam",
            "--batch",
            10,
            "--out",
            out,
        ),
    )
    assert "K (3, 3)" in said
    assert float(said.partition("accuracy   ")[2].split()[0]) > 0.85
    assert len(predict(out, data)) == 41


def test_recurrence_over_a_sequence(tmp_path: Path) -> None:
    rng = np.random.default_rng(5)
    x = rng.normal(size=(80, 5))
    data = write(
        tmp_path / "r.csv",
        [*(f"x{k}" for k in range(1, 6)), "y"],
        np.column_stack([x, 0.5 * x.sum(axis=1)]),
    )
    text = "y : (1, m)\nh_0 : (h, m)\nW : (h, h)\nU : (h, 1)\nv : (1, h)\n"
    text += "".join(f"x_{t} : (1, m)\n" for t in range(1, 6))
    text += "for t = 1..5\n  h_t = tanh(W h_{t-1} + U x_t)\n"
    text += "A = v h_5\nJ = sum((A - y)^2)/m\n"
    binds = [part for t in range(1, 6) for part in ("--bind", f"x_{t}=x{t}")]
    said = train(
        *(model(tmp_path / "r.cr", text), "--data", data, *binds, "--bind", "y=y"),
        *("--bind", "h_0=0", "--size", "h=6", "--steps", 400, "--rate", 0.01),
        *("--update", "adam"),
    )
    assert "examples   80, along m" in said
    assert "W (h, h) = (6, 6), U (h, 1) = (6, 1), v (1, h) = (1, 6)" in said
    assert float(said.partition("R²")[2].split()[0]) > 0.9


def test_an_autoencoder(tmp_path: Path) -> None:
    rng = np.random.default_rng(6)
    hidden = rng.normal(size=(70, 2))
    x = hidden @ rng.normal(size=(2, 5))
    data = write(tmp_path / "a.csv", [f"c{k}" for k in range(5)], x)
    text = "X : (n, m)\nE : (d, n)\nD : (n, d)\nR = D (E X)\nJ = sum((R - X)^2)/m\n"
    out = tmp_path / "v.json"
    said = train(
        *(model(tmp_path / "a.cr", text), "--data", data, "--bind", "X=features"),
        *("--size", "d=2", "--steps", 800, "--rate", 0.02, "--out", out),
    )
    assert float(said.partition("R²")[2].split()[0]) > 0.999  # two directions hold everything
    rebuilt = predict(out, data)
    assert rebuilt[0] == [f"R c{k}" for k in range(5)]
    read = np.loadtxt(data, delimiter=",", skiprows=1)  # on the scale of the file
    np.testing.assert_allclose(np.array(rebuilt[1:], dtype=float), read, atol=0.1 * read.std())


def test_factorisation_of_a_table(tmp_path: Path) -> None:
    rng = np.random.default_rng(8)
    R = rng.normal(size=(12, 2)) @ rng.normal(size=(2, 7))
    data = write(tmp_path / "f.csv", [f"c{k}" for k in range(7)], R)
    text = "R : (u, i)\nM : (u, i)\nU : (u, k)\nV : (k, i)\nJ = norm(M .* (R - U V))^2\n"
    file = model(tmp_path / "f.cr", text)
    base = (file, "--data", data, "--bind", "R=features", "--bind", "M=1", "--size", "k=2")
    refused = CliRunner().invoke(cli, ["train", *map(str, base)])
    assert "--examples table" in refused.stderr
    out = tmp_path / "v.json"
    train(
        *(*base, "--raw", "--examples", "table", "--steps", 3000, "--rate", 0.01),
        *("--out", out),
    )
    known = json.loads(out.read_text())
    assert known["cost"] < 1e-6
    found = np.array(known["values"]["U"]) @ np.array(known["values"]["V"])
    np.testing.assert_allclose(found, R, atol=1e-3)


def test_word2vec_puts_words_of_one_context_together(tmp_path: Path) -> None:
    rng = np.random.default_rng(9)
    pairs = []
    for _ in range(400):
        kind = rng.integers(2)
        words = ["red", "blue", "green"] if kind else ["one", "two", "three"]
        rest = ["one", "two", "three"] if kind else ["red", "blue", "green"]
        centre, context = rng.choice(words, 2, replace=False)
        pairs.append((centre, context, rng.choice(rest)))
    data = write(tmp_path / "p.csv", ["centre", "context", "noise"], pairs)
    text = (
        "c : (1, m)\no : (1, m)\nq : (1, m)\nU : (d, v)\nV : (d, v)\n"
        "A = lookup(U, c)\nB = lookup(V, o)\nN = lookup(V, q)\n"
        "P = sum(A .* B, axis=0)\nQ = sum(A .* N, axis=0)\n"
        "J = sum(softplus(-P) + softplus(Q))/m\n"
    )
    out = tmp_path / "v.json"
    train(
        *(model(tmp_path / "w.cr", text), "--data", data, "--bind", "c=centre"),
        *("--bind", "o=context", "--bind", "q=noise", "--size", "d=3", "--steps", 200),
        *("--update", "adam", "--rate", 0.05, "--batch", 50, "--out", out),
    )
    known = json.loads(out.read_text())
    words, U = known["labels"]["c"], np.array(known["values"]["U"])
    U = U / np.linalg.norm(U, axis=0)
    near = U.T @ U
    place = {w: k for k, w in enumerate(words)}
    assert near[place["red"], place["blue"]] > near[place["red"], place["two"]]


@pytest.mark.slow
def test_two_transformer_blocks_on_characters(tmp_path: Path) -> None:
    """The label is the next character of a period of three, so that one look back decides it."""
    rng = np.random.default_rng(11)
    rows = []
    for _ in range(60):
        word = rng.permutation(list("abc"))
        rows.append([*(word[k % 3] for k in range(4)), word[4 % 3]])
    data = write(tmp_path / "t.csv", ["c1", "c2", "c3", "c4", "next"], rows)
    text = "ids : (1, 4)\ny : (1, 1)\nE : (d, v)\nP : (d, 4)\nO : (v, d)\n"
    for k in (1, 2):
        text += f"Q^[{k}], K^[{k}], V^[{k}] : (d, d)\nF^[{k}] : (h, d)\nG^[{k}] : (d, h)\n"
    text += "X^[0] = lookup(E, ids) + P\nfor l = 1..2\n"
    text += "  A^[l] = softmax((Q^[l] X^[l-1])^T (K^[l] X^[l-1]), axis=1)\n"
    text += "  H^[l] = X^[l-1] + V^[l] X^[l-1] A^[l]^T\n"
    text += "  X^[l] = H^[l] + G^[l] relu(F^[l] H^[l])\n"
    text += "S = softmax(O X^[2][:, 3:4], axis=0)\nL = cross_entropy(onehot(y, v), S)\n"
    out = tmp_path / "v.json"
    said = train(
        *(model(tmp_path / "t.cr", text), "--data", data, "--bind", "ids=c1,c2,c3,c4"),
        *("--bind", "y=next", "--size", "d=6", "--size", "h=8", "--steps", 150),
        *("--update", "adam", "--rate", 0.02, "--batch", 12, "--out", out),
    )
    assert float(said.partition("accuracy")[2].split()[0]) > 0.9
    assert {row[0] for row in predict(out, data)[1:]} <= {"a", "b", "c"}


@pytest.mark.parametrize("lying", [True, False], ids=["columns", "rows"])
def test_every_place_of_a_sequence_has_its_label(tmp_path: Path, lying: bool) -> None:
    """The label at a place is the letter after its own: a table of 4 x 4 learns it."""
    rng = np.random.default_rng(12)
    letters = "abcd"
    rows = []
    for _ in range(30):
        places = rng.integers(4, size=3)
        rows.append([*(letters[k] for k in places), *(letters[(k + 1) % 4] for k in places)])
    names = ["c1", "c2", "c3", "n1", "n2", "n3"]
    data = write(tmp_path / "t.csv", names, rows)
    text = {
        True: "ids : (1, t)\nnext : (1, t)\nW : (v, v)\nP : (v, t)\n"
        "S = softmax(lookup(W, ids) + P, axis=0)\nL = cross_entropy(onehot(next, v), S)",
        False: "ids : (t, 1)\nnext : (t, 1)\nW : (v, v)\nP : (t, v)\n"
        "S = softmax(lookup(W, ids) + P, axis=1)\nL = cross_entropy(onehot(next, v), S)",
    }[lying]
    out = tmp_path / "v.json"
    said = train(
        *(model(tmp_path / "t.cr", text), "--data", data, "--bind", "ids=c1,c2,c3"),
        *("--bind", "next=n1,n2,n3", "--rate", 1, "--steps", 200, "--batch", 30, "--out", out),
    )
    assert float(said.partition("accuracy")[2].split()[0]) == 1
    header, *found = predict(out, data)
    assert header == ["label n1", "label n2", "label n3"]
    assert found == [row[3:] for row in rows]


@pytest.mark.slow
def test_attention_on_characters(tmp_path: Path) -> None:
    """The label is the first character of four, wherever attention has to look for it."""
    rng = np.random.default_rng(10)
    letters = np.array(list("abc"))
    rows = [[*(s := rng.choice(letters, 4)), s[0]] for _ in range(60)]
    data = write(tmp_path / "t.csv", ["c1", "c2", "c3", "c4", "next"], rows)
    text = (
        "ids : (1, 4)\ny : (1, 1)\nE : (d, v)\nP : (d, 4)\nQ : (d, d)\nK : (d, d)\nV : (d, d)\n"
        "W^[1] : (h, d)\nW^[2] : (d, h)\nO : (v, d)\n"
        "X = lookup(E, ids) + P\n"
        "A = softmax((Q X)^T (K X), axis=1)\nH = X + V X A^T\n"
        "F = H + W^[2] relu(W^[1] H)\n"
        "S = softmax(O F[:, 3:4], axis=0)\n"
        "L = cross_entropy(onehot(y, v), S)\n"
    )
    said = train(
        *(model(tmp_path / "t.cr", text), "--data", data, "--bind", "ids=c1,c2,c3,c4"),
        *("--bind", "y=next", "--size", "d=6", "--size", "h=8", "--steps", 200),
        *("--update", "adam", "--rate", 0.02, "--batch", 20),
    )
    assert float(said.partition("accuracy")[2].split()[0]) > 0.9
