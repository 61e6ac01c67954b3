"""What a forward pass predicts where it writes its residual in one piece; columns by a counter."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from tests.descent.test_coursework import model, predict, train, write

from chainrule import derive, read_model


def factors(tmp_path: Path) -> tuple[Path, np.ndarray]:
    rng = np.random.default_rng(4)
    stars = 3 + np.outer(rng.normal(size=6), rng.normal(size=5))
    rows = [[f"u{i}", f"f{j}", stars[i, j]] for i in range(6) for j in range(5)]
    return write(tmp_path / "r.csv", ["user", "film", "stars"], rows), stars.ravel()


@pytest.mark.parametrize("label_first", [False, True])
@pytest.mark.parametrize(
    "lines",
    [
        "e = sum(lookup(P, u) .* lookup(Q, v), axis=0) + mu - r\nJ = 1/(2 m) ||e||^2\n",
        "d = mu - r\ne = d + sum(lookup(P, u) .* lookup(Q, v), axis=0)\nJ = 1/(2 m) ||e||^2\n",
        "J = mean((r - sum(lookup(P, u) .* lookup(Q, v), axis=0) - mu)^2)/2\n",
    ],
)
def test_all_terms_beside_a_label_are_predicted(
    tmp_path: Path, lines: str, *, label_first: bool
) -> None:
    data, stars = factors(tmp_path)
    text = "u, v, r : (1, m)\nP : (1, users)\nQ : (1, films)\nmu : (1, 1)\n" + lines
    out = tmp_path / "v.json"
    binds = ["u=user", "v=film", "r=stars"]
    binds = binds[::-1] if label_first else binds
    train(
        *(model(tmp_path / "f.cr", text), "--data", data, "--rate", 1, "--steps", 600),
        *(part for bind in binds for part in ("--bind", bind)),
        *("--out", out),
    )
    found = np.array([row[0] for row in predict(out, data)[1:]], dtype=float)
    np.testing.assert_allclose(found, stars, atol=0.05)


def test_a_factorised_table_is_predicted_under_its_own_names(tmp_path: Path) -> None:
    rng = np.random.default_rng(2)
    R = rng.normal(size=(7, 2)) @ rng.normal(size=(2, 4))
    data = write(tmp_path / "t.csv", list("abcd"), R)
    text = "R : (u, v)\nP : (u, k)\nQ : (v, k)\nJ = 1/2 ||P Q^T - R||^2\n"
    out = tmp_path / "v.json"
    train(
        *(model(tmp_path / "m.cr", text), "--data", data, "--bind", "R=features", "--raw"),
        *("--examples", "table", "--size", "k=2", "--rate", 0.05, "--steps", 1500, "--out", out),
    )
    header, *rows = predict(out, data)
    assert header == [f"prediction {c}" for c in "abcd"]
    np.testing.assert_allclose(np.array(rows, dtype=float), R, atol=1e-3)


LOOP = """X : (T, m)
y : (1, m)
h_0 : (h, m)
W : (h, h)
U : (h, 1)
v : (1, h)
for t = 1..5
  h_t = tanh(W h_{t-1} + U X[t-1, :])
J = mean((v h_5 - y)^2)
"""


def test_places_that_a_loop_counts_in_a_dimension_of_any_size() -> None:
    found = derive(read_model(LOOP), ["W", "U", "v"])
    assert found.proven
    assert found.model.symbol("h_5") is not None


def test_a_recurrence_over_the_rows_of_its_data(tmp_path: Path) -> None:
    rng = np.random.default_rng(1)
    x = rng.normal(size=(60, 5))
    state = np.zeros(60)
    for t in range(5):
        state = np.tanh(0.5 * state + x[:, t])
    rows = np.column_stack([x, state])
    data = write(tmp_path / "s.csv", [*"abcde", "y"], rows)
    file, out = model(tmp_path / "l.cr", LOOP), tmp_path / "v.json"
    fixed = ("--data", data, "--bind", "y=y", "--bind", "h_0=0", "--size", "h=3", "--raw")
    said = train(file, *fixed, "--bind", "X=a,b,c,d,e", "--rate", 0.2, "--out", out)
    assert float(said.partition("R²")[2].split()[0]) > 0.95
    found = np.array([row[0] for row in predict(out, data)[1:]], dtype=float)
    assert np.corrcoef(found, state)[0, 1] > 0.97
    with pytest.raises(AssertionError, match=r"X has 3 rows here, and .* takes rows up to 3"):
        train(file, *fixed, "--bind", "X=a,b,c")
