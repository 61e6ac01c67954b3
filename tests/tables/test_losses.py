"""The loss of a fit, by name, file or formula; and what is said of its facts."""

from __future__ import annotations

from pathlib import Path

import click
import numpy as np
import pytest

from chainrule.cli.fit import command
from chainrule.emission.links import LINKS
from chainrule.emission.shipped import FORWARD_PASSES, SHIPPED
from chainrule.engine.losses.facts import Targets
from chainrule.errors import DataError, ModelError
from chainrule.tables.effects import EFFECTS
from chainrule.tables.loss_facts import fact_lines
from chainrule.tables.losses import choose_loss, loss_of_text
from chainrule.tables.worked_regression import loss_lecture


@pytest.mark.parametrize("name", SHIPPED)
def test_a_shipped_loss_by_name_and_by_its_file_is_the_same(name: str) -> None:
    by_name = choose_loss(name)
    by_file = choose_loss(str(FORWARD_PASSES / f"{name}.cr"))
    assert by_file == by_name
    assert by_name.row.link_name in EFFECTS
    assert loss_of_text(by_name.text, {}) == by_name


@pytest.mark.parametrize("name", SHIPPED)
def test_a_shipped_loss_has_a_lecture_of_the_weights(name: str) -> None:
    derivation = loss_lecture(choose_loss(name))
    assert set(derivation.gradients) == {"w", "b"}
    assert derivation.proven


def test_every_link_has_words_and_an_option() -> None:
    (option,) = (p for p in command.params if p.name == "link")
    assert isinstance(option.type, click.Choice)
    assert set(LINKS) <= set(EFFECTS) == set(option.type.choices)


def test_a_formula_has_the_lecture_of_one_example() -> None:
    derivation = loss_lecture(choose_loss("sqrt(1 + (z - y)^2/d)", {"d": 2.0}))
    assert set(derivation.gradients) == {"w", "b"}
    assert [symbol.name for symbol in derivation.model.inputs] == ["x", "y", "w", "b", "d"]


def test_a_formula_takes_link_targets_and_constants() -> None:
    loss = choose_loss("exp(q z) - y z", {"q": 1.0}, "log", Targets(0, has_low=True))
    assert loss.row.link_name == "log"
    assert str(loss.row.targets) == "numbers >= 0"
    assert loss.constants == {"q": 1.0}
    assert loss.title == "exp(q z) - y z"
    np.testing.assert_allclose(loss.row.kernels.mean(np.array([0.5])), np.exp([0.5]))


@pytest.mark.parametrize(
    ("wanted", "constants", "link", "said"),
    [
        ("poison", {}, None, "unknown loss 'poison'. Did you mean poisson? Choose one of"),
        ("z +", {}, None, "the expression stops here"),
        ("exp(q z) - y z", {}, None, "unknown name q"),
        ("exp(q z) - y z", {}, None, "A named constant gets its value by --constant NAME=VALUE"),
        ("y^2", {}, None, "does not depend on the score z"),
        ("poisson", {"alpha": 1.0}, None, "poisson has no constant alpha"),
        ("tweedie", {"p": 3.0}, None, "p = 3 is out of range for tweedie: choose 1 < p < 2"),
        ("poisson", {}, "identity", "the loss poisson has a link and targets of its own"),
        ("exp(z) - y z", {}, "square", "unknown link square"),
        ("exp(q z) - y z", {"q": np.inf}, None, "give a name and a finite number"),
        ("exp(q z) - y z", {"q q": 1.0}, None, "give a name and a finite number"),
        ("nowhere.cr", {}, None, "cannot read the loss in nowhere.cr: No such file"),
        ("Z : (2, m)\nY : (1, m)\nJ = sum(Z)", {}, None, "more than one row"),
    ],
)
def test_wrong_losses_are_refused_in_words(
    wanted: str, constants: dict[str, float], link: str | None, said: str
) -> None:
    with pytest.raises((DataError, ModelError)) as caught:
        choose_loss(wanted, constants, link)
    assert said in str(caught.value)


def test_a_file_that_is_not_text(tmp_path: Path) -> None:
    path = tmp_path / "loss.cr"
    path.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(DataError, match="this is not text"):
        choose_loss(str(path))


@pytest.mark.parametrize("name", SHIPPED)
def test_every_proven_fact_has_its_proof(name: str) -> None:
    for line in fact_lines(choose_loss(name).row):
        assert line.says.endswith(".")
        assert bool(line.because) == line.proven, line


def test_targets_without_a_minimum_are_said() -> None:
    said = {line.name: line for line in fact_lines(choose_loss("probit").row)}
    existence = said["targets without a minimum"]
    assert existence.proven
    assert "at y = 0, as the score decreases, and at y = 1, as the score incr" in existence.says
    assert "l' > 0 at y = 0" in existence.because


def test_facts_that_are_absent_are_said_to_be() -> None:
    row = choose_loss("tukey").row
    said = {line.name: line for line in fact_lines(row)}
    assert not said["convexity"].proven
    assert "nothing is proven about a global optimum" in said["convexity"].says
    assert "lies between -0.8 and 1" in said["curvature"].says
    steep = {line.name: line for line in fact_lines(choose_loss("inverse_gaussian").row)}
    assert not steep["curvature"].proven


def test_a_fit_of_classes_loads_nothing_that_derives() -> None:
    import subprocess
    import sys

    code = (
        "import sys, chainrule.tables.fitting, chainrule.tables.predicting;"
        "deriving = ('chainrule.emission', 'chainrule.calculus.ops', 'chainrule.language');"
        "print([m for m in sys.modules if m.startswith(deriving)])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.stdout.strip() == "[]", done.stderr
