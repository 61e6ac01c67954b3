"""Starting values, values in files, and the curve."""

from __future__ import annotations

import json
import math
from pathlib import Path

import numpy as np
import pytest

from chainrule.descent.curve import curve
from chainrule.descent.descend import descend
from chainrule.descent.initial import initial_values
from chainrule.descent.result import DescentResult
from chainrule.descent.saving import load_values, save_values
from chainrule.descent.value_documents import SCHEMA
from chainrule.errors import DataError
from chainrule.language.reading import read_model
from chainrule.lecture import assign_roles, bind

LINE = """# a line
X : (n, m)  # what is known
Y : (1, m)
W^[1] : (1, n)
b : (1, 1)
J = norm(W^[1] X + b - Y)^2"""


def descent() -> DescentResult:
    return descend(LINE, {"X": [[0.0], [1.0], [2.0]], "Y": [1, 3, 5]}, rate=0.1, steps=30)


def test_biases_start_at_zero_and_weights_by_shape() -> None:
    text = "X : (n, m)\nW : (h, n)\nc : (h, 1)\nv : (1, h)\nJ = norm(v tanh(W X + c))^2"
    roles = assign_roles(read_model(text), ["X"], wrt=["W", "c", "v"])
    binding = bind(roles, {"X": np.ones((2, 300))}, sizes={"h": 500})
    values = {symbol.name: value for symbol, value in initial_values(binding, 0).items()}
    assert not values["c"].any()
    assert values["W"].shape == (500, 300)
    assert values["W"].std() == pytest.approx(math.sqrt(2 / 800), rel=0.02)
    again = {symbol.name: value for symbol, value in initial_values(binding, 0).items()}
    np.testing.assert_array_equal(values["W"], again["W"])
    other = {symbol.name: value for symbol, value in initial_values(binding, 1).items()}
    assert not np.array_equal(values["W"], other["W"])


@pytest.mark.parametrize("ending", ["npz", "json"])
def test_values_come_back(tmp_path: Path, ending: str) -> None:
    path = tmp_path / f"values.{ending}"
    result = descent()
    save_values(path, result, read_model(LINE))
    back = load_values(path)
    assert list(back) == ["W^[1]", "b"]
    for name, value in result.values.items():
        np.testing.assert_array_equal(back[name], value)
    assert [p.name for p in tmp_path.iterdir()] == [path.name]


def test_what_the_files_say(tmp_path: Path) -> None:
    result, model = descent(), read_model(LINE)
    save_values(tmp_path / "v.json", result, model)
    known = json.loads((tmp_path / "v.json").read_text())
    assert known["schema"] == SCHEMA
    assert known["shapes"] == {"W^[1]": [1, 1], "b": [1, 1]}
    assert known["settings"]["seed"] == 0
    assert known["costs"][0] == [0, result.start_cost]
    assert read_model(known["model"]).values == model.values
    save_values(tmp_path / "v.npz", result, model)
    with np.load(tmp_path / "v.npz", allow_pickle=False) as archive:
        about = json.loads(str(archive["about"]))
    assert about["report"] == result.report


def test_a_file_keeps_what_the_author_asked_for_and_declared(tmp_path: Path) -> None:
    text = "X : (n, m)\nY : (k, m)\nW : (k, n)\nZ = W X\n"
    text += "J = sum(log(sum(exp(Z), axis=0)) - sum(Y .* Z, axis=0))\nwrt: W\nonehot: Y"
    model = read_model(text)
    data = {"X": np.eye(2, 3), "Y": np.eye(2, 3)}
    data["Y"][0, 2] = 1
    result = descend(text, {name: value.T for name, value in data.items()}, steps=5)
    save_values(tmp_path / "v.json", result, model)
    again = read_model(json.loads((tmp_path / "v.json").read_text())["model"])
    assert (again.asked, again.onehot) == (model.asked, model.onehot)


def test_a_variable_may_have_any_name(tmp_path: Path) -> None:
    text = "x : (1, 1)\nfile : (1, 1)\nabout : (1, 1)\nL = (file x + about - 1)^2"
    result = descend(text, {"x": [1.0, 2.0]}, wrt=["file", "about"], steps=5)
    save_values(tmp_path / "v.npz", result, read_model(text))
    assert sorted(load_values(tmp_path / "v.npz")) == ["about", "file"]


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("v.json", b"{", "it is damaged"),
        ("v.json", b'{"values": 3}', "holds no values"),
        ("v.json", b"[]", "holds no values"),
        ("v.json", b'{"values": {"w": "x"}}', "it is damaged"),
        ("v.json", b"\xff\xfe", "it is damaged"),
        ("v.npz", b"PK nothing", "it is damaged"),
        ("v.npz", b"", "it is damaged"),
    ],
)
def test_a_damaged_file_is_said(tmp_path: Path, name: str, content: bytes, said: str) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(DataError, match=said):
        load_values(tmp_path / name)


def test_an_array_of_objects_is_never_loaded(tmp_path: Path) -> None:
    np.savez(tmp_path / "v.npz", w=np.array([{"a": 1}], dtype=object))
    with pytest.raises(DataError, match="no values can be read"):
        load_values(tmp_path / "v.npz")


def test_places_that_cannot_be_written_to(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"written as \.npz or \.json"):
        save_values(tmp_path / "v.txt", descent(), read_model(LINE))
    with pytest.raises(DataError, match="folder does not exist"):
        save_values(tmp_path / "no" / "v.json", descent(), read_model(LINE))


def test_the_curve_falls_from_the_top_left_to_the_bottom_right() -> None:
    lines = curve([(k, 100.0 - k) for k in range(101)], width=40, height=5)
    assert len(lines) == 6
    plots = [line.partition("│")[2] for line in lines[:5]]
    assert lines[0].startswith("100 │")
    assert lines[4].startswith("  0 │")
    assert plots[0][0] != "\u2800"
    assert plots[4][-1] != "\u2800"
    assert [len(plot) for plot in plots] == [40] * 5
    # The dots of a straight line lie on the diagonal: each row takes its fifth of the columns.
    for k, plot in enumerate(plots):
        assert {j * 5 // 40 for j, cell in enumerate(plot) if cell != "\u2800"} <= {k - 1, k, k + 1}
    assert lines[5].endswith("100 steps")


def test_the_curve_takes_a_log_scale_where_it_helps() -> None:
    costs = [(k, 10.0 ** (4 - k)) for k in range(5)]
    lines = curve(costs, width=20, height=4)
    assert "log scale" in lines[-1]
    straight = curve([(k, 4.0 - k) for k in range(5)], width=20, height=4)
    assert [line.partition("│")[2] for line in lines[:4]] == [
        line.partition("│")[2] for line in straight[:4]
    ]


@pytest.mark.parametrize(
    "costs", [[], [(0, math.nan)], [(0, 1.0)], [(0, 1.0), (1, 1.0)], [(0, 1.0), (1, math.inf)]]
)
def test_the_curve_of_little(costs: list[tuple[int, float]]) -> None:
    lines = curve(costs, width=10, height=3)
    assert len(lines) in (0, 4)


def test_the_curve_grows_towards_the_last_step() -> None:
    lines = curve([(0, 2.0), (10, 1.0)], width=40, height=3, until=100)
    assert lines[-1].endswith("100 steps")
    assert set(lines[2].partition("│")[2][8:]) == {"\u2800"}
