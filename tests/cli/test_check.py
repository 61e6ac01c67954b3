"""``chainrule check``: what holds, what does not, and the exit status."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
from click.testing import CliRunner

from chainrule.calculus.derivation.derive import derivation_of
from chainrule.calculus.derivation.steps import Derivation
from chainrule.calculus.graph.model import Model
from chainrule.calculus.proof.checking import check_derivation
from chainrule.cli.main import cli
from chainrule.language.reading import example_names, load_model


@pytest.mark.parametrize("name", example_names())
def test_every_example_holds(name: str) -> None:
    done = CliRunner().invoke(cli, ["check", name, "--sizes", "1"])  # several: below
    assert done.exit_code == 0, done.output
    assert "everything holds" in done.output


def test_json_report() -> None:
    done = CliRunner().invoke(cli, ["check", "logistic_batch", "--sizes", "4", "--json"])
    data = json.loads(done.output)
    assert data["passed"] is True
    assert len(data["gradients"]) == 8
    assert all(g["error"] < 1e-9 for g in data["gradients"])
    assert {tuple(sorted(g["sizes"].items())) for g in data["gradients"]} == {
        (("m", 2), ("n", 3)), (("m", 3), ("n", 5)), (("m", 5), ("n", 7)), (("m", 7), ("n", 2))
    }  # fmt: skip


def broken(model: Model) -> Derivation:
    """Return a derivation whose gradient has lost its sign."""
    right = derivation_of(model)
    wrong = {k: replace(g, matrix=-g.matrix) for k, g in right.gradients.items() if g.matrix}
    return replace(right, gradients=wrong)


def test_a_wrong_gradient_is_caught() -> None:
    report = check_derivation(broken(load_model("logistic_batch")))
    assert not report.passed
    assert all(not comparison.passed for comparison in report.gradients)


def test_a_failure_sets_the_exit_status(monkeypatch: pytest.MonkeyPatch) -> None:
    def checked(model: Model, names: object, sizes: int) -> object:
        return check_derivation(broken(model), sizes)

    monkeypatch.setattr("chainrule.calculus.proof.checking.check_model", checked)
    done = CliRunner().invoke(cli, ["check", "logistic_batch"])
    assert done.exit_code == 1
    assert "something does not hold" in done.output
