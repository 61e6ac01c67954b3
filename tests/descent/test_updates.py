"""Update rules against their published formulas written out, schedules, clipping, continuation."""

from __future__ import annotations

import json
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

from chainrule.calculus.graph.node import Symbol
from chainrule.cli.main import cli
from chainrule.descent.descend import descend
from chainrule.descent.result import StopReason
from chainrule.descent.schedule import read_schedule
from chainrule.descent.updates import RULES, read_rule
from chainrule.errors import DataError

LINE = "X : (n, m)\nY : (1, m)\nw : (1, n)\nJ = mean((w X - Y)^2)\n"
RNG = np.random.default_rng(3)
X = RNG.normal(size=(50, 2))
Y = X @ [1.0, -2.0] + 0.1 * RNG.normal(size=50)
W = Symbol("w", (1, 2))


def unrolled(name: str, numbers: tuple[float, ...], gradients: np.ndarray) -> np.ndarray:
    """Return the last change of an update by its sum over all gradients, not by recursion."""
    t = len(gradients)
    back = np.arange(t)[::-1][:, None]
    last = gradients[-1]
    if name == "plain":
        return np.asarray(last)
    first = (numbers[0] ** back * gradients).sum(0)
    if name == "momentum":
        return np.asarray(first)
    if name == "rmsprop":
        mean = ((1 - numbers[0]) * numbers[0] ** back * gradients**2).sum(0)
        return np.asarray(last / (np.sqrt(mean) + 1e-8))
    weights, squares = numbers[0] ** back, numbers[1] ** back
    v = (weights * gradients).sum(0) / weights.sum()
    s = (squares * gradients**2).sum(0) / squares.sum()
    return np.asarray(v / (np.sqrt(s) + 1e-8))


@pytest.mark.parametrize("text", ["plain", "momentum:0.8", "rmsprop:0.7", "adam:0.6,0.95"])
def test_an_update_is_the_sum_that_its_derivation_says(text: str) -> None:
    rule = read_rule(text)
    gradients = np.random.default_rng(1).normal(size=(7, 2))
    values, slots = {W: np.zeros((1, 2))}, rule.start({W: np.zeros((1, 2))})
    for t, g in enumerate(gradients, 1):
        before = values
        values, slots = rule.move(values, {W: g[None, :]}, slots, 0.5, t)
    expected = unrolled(rule.name, rule.numbers, gradients)
    np.testing.assert_allclose((before[W] - values[W])[0] / 0.5, expected, rtol=1e-12)


@pytest.mark.parametrize("text", ["momentum:0.8", "rmsprop:0.9", "adam", "plain"])
def test_an_update_is_that_of_pytorch(text: str) -> None:
    torch = pytest.importorskip("torch")
    rule = read_rule(text)
    w = torch.zeros(2, dtype=torch.float64, requires_grad=True)
    made = {
        "plain": lambda: torch.optim.SGD([w], lr=0.1),
        "momentum": lambda: torch.optim.SGD([w], lr=0.1, momentum=rule.numbers[0]),
        "rmsprop": lambda: torch.optim.RMSprop([w], lr=0.1, alpha=rule.numbers[0]),
        "adam": lambda: torch.optim.Adam([w], lr=0.1, betas=rule.numbers),
    }[rule.name]()
    for _ in range(20):
        made.zero_grad()
        ((torch.tensor(X) @ w - torch.tensor(Y)) ** 2).mean().backward()
        made.step()
    start = {"w": np.zeros((1, 2))}
    ours = descend(LINE, {"X": X, "Y": Y}, rate=0.1, steps=20, start=start, update=text)
    last = next(iter(ours.state.values.values()))[0]
    np.testing.assert_allclose(last, w.detach().numpy(), rtol=1e-10)


@pytest.mark.parametrize("name", sorted(RULES))
def test_every_rule_is_derived_and_descends(name: str) -> None:
    rule = RULES[name]
    assert len(rule.lines()) >= 2
    assert not any("{" in line for line in rule.lines())
    result = descend(LINE, {"X": X, "Y": Y}, rate=0.02, steps=600, update=name)
    assert result.cost < 0.05


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("adagrad", "no update rule 'adagrad'; there are plain, momentum"),
        ("momentum:1.5", "takes 1 number from 0 to below 1"),
        ("adam:0.9", "takes 2 numbers from 0 to below 1"),
        ("plain:0.1", "takes 0 numbers"),
    ],
)
def test_what_is_said_about_a_rule(text: str, said: str) -> None:
    with pytest.raises(DataError, match=said):
        read_rule(text)


def test_schedules() -> None:
    half, cosine = read_schedule("half:10"), read_schedule("cosine:100")
    assert [half.factor(t) for t in (0, 9, 10, 20)] == [1, 1, 0.5, 0.25]
    assert [cosine.factor(t) for t in (0, 50, 100, 200)] == pytest.approx([1, 0.5, 0, 0], abs=1e-12)
    both = read_schedule("warmup:4,inverse:8")
    assert both.factor(0) == pytest.approx(0.25)
    assert both.factor(8) == pytest.approx(0.5)
    for wrong in ("half", "half:0", "step:3", "cosine:x"):
        with pytest.raises(DataError):
            read_schedule(wrong)


def test_clipping_shortens_and_keeps_the_direction() -> None:
    start = {"w": np.array([[30.0, -20.0]])}
    free = descend(LINE, {"X": X, "Y": Y}, rate=1e-3, steps=1, start=start)
    short = descend(LINE, {"X": X, "Y": Y}, rate=1e-3, steps=1, start=start, clip=0.5)
    one, other = (r.values["w"] - start["w"] for r in (free, short))
    assert np.linalg.norm(other) == pytest.approx(0.5e-3)
    np.testing.assert_allclose(other / np.linalg.norm(other), one / np.linalg.norm(one))


def test_early_stopping_keeps_the_best_held_out_values() -> None:
    rng = np.random.default_rng(0)
    wide = rng.normal(size=(40, 30))
    noisy = wide[:, 0] + 0.5 * rng.normal(size=40)
    result = descend(LINE, {"X": wide, "Y": noisy}, rate=0.1, steps=4000, holdout=0.4, early_stop=8)
    assert result.stopped is StopReason.HELD_OUT
    assert result.taken < 4000
    held = dict(result.held_costs)
    assert held[result.step] == min(held.values())
    assert result.examples == 24
    with pytest.raises(DataError, match="--holdout"):
        descend(LINE, {"X": wide, "Y": noisy}, early_stop=3)


# ---- continuation and growth -----------------------------------------------------------------


def spirals(path: Path) -> Path:
    rng = np.random.default_rng(0)
    rows = ["x1,x2,arm"]
    for k in range(120):
        t = 0.3 + 2.5 * (k // 2) / 60
        turn = t * 2 + np.pi * (k % 2)
        x = t * np.cos(turn) + 0.05 * rng.normal(), t * np.sin(turn) + 0.05 * rng.normal()
        rows.append(f"{x[0]},{x[1]},{k % 2}")
    path.write_text("\n".join(rows) + "\n")
    return path


NET = (
    "X : (2, m)\nY : (1, m)\nD : (h, m)\nW : (h, 2)\nc : (h, 1)\nv : (1, h)\nb : (1, 1)\n"
    "H = relu(W X + c) .* D\nA = sigmoid(v H + b)\n"
    "J = -sum(Y .* log(A) + (1 - Y) .* log(1 - A))\n"
)


@pytest.mark.slow
@pytest.mark.parametrize("batch", [(), ("--batch", "16"), ("--batch", "7")])
@pytest.mark.parametrize(
    "more",
    [
        ("--bind", "D=1"),
        ("--update", "adam", "--mask", "D=0.7"),
        ("--update", "momentum", "--bind", "D=1", "--schedule", "cosine:60", "--holdout", "0.2"),
    ],
)
@pytest.mark.parametrize("kind", ["json", "npz"])
def test_a_continued_descent_has_the_bits_of_one_run(
    tmp_path: Path, batch: tuple[str, ...], more: tuple[str, ...], kind: str
) -> None:
    (tmp_path / "n.cr").write_text(NET)
    data = spirals(tmp_path / "s.csv")
    base = ["train", str(tmp_path / "n.cr"), "--data", str(data), "--bind", "X=x1,x2"]
    base += ["--bind", "Y=arm", "--size", "h=6", "--rate", "0.05", *batch, *more]

    def run(*rest: str) -> dict[str, object]:
        out = tmp_path / f"{len(list(tmp_path.iterdir()))}.json"
        result = CliRunner().invoke(cli, [*base, "--out", str(out), *rest])
        assert result.exit_code == 0, result.output
        return {**json.loads(out.read_text()), "path": str(out)}

    whole = run("--steps", "75")
    first = tmp_path / f"first.{kind}"
    assert CliRunner().invoke(cli, [*base, "--out", str(first), "--steps", "31"]).exit_code == 0
    rest = run("--steps", "44", "--start", str(first))
    assert rest["continue"] == whole["continue"]  # the last values, the slots, the best so far
    assert rest["values"] == whole["values"]
    assert rest["steps_taken"] == 75


def test_a_start_of_other_sizes_is_refused_by_name(tmp_path: Path) -> None:
    (tmp_path / "n.cr").write_text(NET)
    data, out = spirals(tmp_path / "s.csv"), tmp_path / "v.json"
    base = ["train", str(tmp_path / "n.cr"), "--data", str(data), "--bind", "X=x1,x2"]
    base += ["--bind", "Y=arm", "--bind", "D=1", "--steps", "3"]
    runner = CliRunner()
    assert runner.invoke(cli, [*base, "--size", "h=3", "--out", str(out)]).exit_code == 0
    other = runner.invoke(cli, [*base, "--size", "h=4", "--start", str(out)])
    assert "W has 6 entries there, and here it is 4 x 2" in other.stderr
    known = json.loads(out.read_text())
    out.write_text(json.dumps({**known, "continue": {"step": 1}}))
    hurt = runner.invoke(cli, [*base, "--size", "h=3", "--start", str(out)])
    assert "the place to go on from is damaged" in hurt.stderr


def test_a_bump_in_the_cost_is_not_the_end(tmp_path: Path) -> None:
    (tmp_path / "n.cr").write_text(NET)
    data = spirals(tmp_path / "s.csv")
    base = ["train", str(tmp_path / "n.cr"), "--data", str(data), "--bind", "X=x1,x2", "--bind"]
    base += ["Y=arm", "--bind", "D=1", "--size", "h=16", "--rate", "1", "--steps", "1500"]
    result = CliRunner().invoke(cli, [*base, "--json", "--update", "momentum:0.95"])
    known = json.loads(result.stdout)
    costs = [cost for _, cost in known["costs"]]
    assert any(b > a for a, b in pairwise(costs))
    assert known["stopped"] == "all_steps"
    assert known["cost"] < costs[0]


def test_growth_that_lasts_is_the_end() -> None:
    patient = descend(LINE, {"X": X, "Y": Y}, rate=1.3, steps=4000, patience=60)
    quick = descend(LINE, {"X": X, "Y": Y}, rate=1.3, steps=4000, patience=5)
    for result in (patient, quick):
        assert result.stopped is StopReason.DIVERGED
        assert "Take a lower rate" in result.report
    assert quick.taken < patient.taken < 4000


def test_checkpoints_are_written_on_the_way(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from chainrule.descent import checkpoints

    written: list[int] = []
    monkeypatch.setattr(
        checkpoints, "save_values", lambda path, result, model, bound: written.append(result.taken)
    )
    (tmp_path / "n.cr").write_text(NET)
    data = spirals(tmp_path / "s.csv")
    base = ["train", str(tmp_path / "n.cr"), "--data", str(data), "--bind", "X=x1,x2", "--bind"]
    base += ["Y=arm", "--bind", "D=1", "--size", "h=3", "--steps", "100", "--checkpoint", "25"]
    assert "--checkpoint writes to the file of --out" in CliRunner().invoke(cli, base).stderr
    assert CliRunner().invoke(cli, [*base, "--out", str(tmp_path / "v.json")]).exit_code == 0
    assert len(written) in (3, 4)
    assert written == sorted(written)
