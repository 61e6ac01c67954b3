"""The short page: the forward pass, the factors and the gradients, and nothing twice."""

from __future__ import annotations

import re
from pathlib import Path
from xml.etree import ElementTree

import pytest
from click.testing import CliRunner, Result
from tests.derivations import verified

from chainrule.cli.main import cli
from chainrule.deriving import derive
from chainrule.documents.lesson.brief import brief, factor_lines, gradient_lines
from chainrule.documents.lesson.outline import GradientForm
from chainrule.documents.renderers import html as page
from chainrule.documents.renderers import terminal
from chainrule.language.reading import example_names, load_model
from chainrule.language.typeset import unicode

BATCH = """The factors
  ∂J/∂a_i = -y_i/a_i + (1 - y_i)/(1 - a_i)   (sign rule, sum rule, product
        rule, log rule)
  ∂a_i/∂z_i = a_i(1 - a_i)   (sigmoid rule)
  ∂z_i/∂w_p = X_pi   (sum rule, product rule for matrices)
  ∂z_i/∂b = 1   (sum rule, un-broadcast)

The gradients
  ∂J/∂w = Σ_i ∂J/∂a_i · ∂a_i/∂z_i · ∂z_i/∂w = (A - Y) X^T   (1, n)
  ∂J/∂b = Σ_i ∂J/∂a_i · ∂a_i/∂z_i · ∂z_i/∂b = (A - Y) 1   (1, 1)
"""


def run(*arguments: str) -> Result:
    return CliRunner().invoke(cli, ["derive", *arguments])


def test_the_page_of_logistic_regression() -> None:
    shown = run("logistic_batch", "--brief").output
    assert BATCH in shown
    assert shown.startswith("logistic regression, many examples\n  X : (n, m)")
    assert "22 steps stand behind this page, every one verified." in shown
    assert "finite differences" not in shown
    assert len(shown.splitlines()) < 25


@pytest.mark.parametrize("name", example_names())
@pytest.mark.parametrize("form", GradientForm)
def test_nothing_is_said_twice(name: str, form: GradientForm) -> None:
    derivation = verified(load_model(name))
    lines = [*factor_lines(derivation), *gradient_lines(derivation, form)]
    lefts = [unicode(line.equation.sides[0]) for line in lines if line.equation.sides[0]]
    assert len(set(lefts)) == len(lefts)
    for line in lines:
        sides = [unicode(side) for side in line.equation.sides if side is not None]
        assert len(set(sides)) == len(sides)


@pytest.mark.parametrize("name", example_names())
def test_every_gradient_is_on_the_page(name: str) -> None:
    derivation = verified(load_model(name))
    text = " ".join(terminal.render(brief(derivation)).split())
    for gradient in derivation.gradients.values():
        assert unicode(gradient.final) in text


def test_proofs_and_shapes_are_one_option_away() -> None:
    shown = run("logistic_batch", "--brief", "--proofs").output
    assert shown.count("✓") == 6
    assert "shapes: X (n, m), Y (1, m), A (1, m)" in shown


def test_a_direct_question_is_answered_once(tmp_path: Path) -> None:
    path = tmp_path / "squares.cr"
    path.write_text("x : (n, 1)\nL = sum(x^2)\n")
    shown = run(str(path), "--brief").output
    assert "The factors" not in shown
    assert shown.count("2 x") == 1


def test_the_page_is_well_formed_and_folds_the_proofs() -> None:
    html = run("logistic_batch", "--brief", "--format", "html").output
    assert html == page.render(brief(derive(load_model("logistic_batch"))))
    board = html[html.index('<div class="derivation">') : html.rindex("</div>\n")]
    assert board.count("<details>") == board.count("</details>") == 6
    for math in board.split("<math")[1:]:
        ElementTree.fromstring(
            "<math" + math.split("</math>")[0].replace("&nbsp;", " ") + "</math>"
        )
    assert "http://" not in html.replace("http://www.w3.org", "")


@pytest.mark.parametrize(
    ("kind", "holds"),
    [
        ("latex", (r"\begin{document}", r"\frac{\partial J}{\partial w}", "(A - Y)")),
        ("markdown", ("# ", "## The derivation in brief", r"\frac{\partial J}{\partial w}")),
        ("slides", ("The forward pass", "The factors", "The gradients")),
    ],
)
def test_the_page_in_other_formats(kind: str, holds: tuple[str, ...]) -> None:
    shown = run("logistic_batch", "--brief", "--format", kind)
    assert shown.exit_code == 0
    for text in holds:
        assert text in shown.output
    assert "one entry at a time" not in shown.output


def test_a_long_page_of_gradients_takes_several_slides() -> None:
    shown = run("transformer_block", "--brief", "--format", "slides").output
    assert len(re.findall(r"<section\b", shown)) > 4


def test_the_names_of_layers_are_opened() -> None:
    shown = run("logistic_l2", "--brief").output
    assert "∂J/∂w = dZ X^T + w = (A - Y) X^T + w   (1, n)" in shown


def test_a_corner_is_said() -> None:
    assert "is not differentiable where its argument is 0" in " ".join(
        run("board_b3", "--brief").output.split()
    )


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--brief", "--format", "json"), "--brief is a page to read; omit it, or --format json"),
        (
            ("--brief", "--proofs", "--format", "latex"),
            "--proofs is for the formats text and html; omit --proofs or --format latex",
        ),
        (("--brief", "--hessian", "w"), "--brief shows the gradients alone"),
        (("--brief", "--reveal"), "--brief shows the gradients alone"),
        (("--proofs",), "--proofs is for --brief"),
    ],
)
def test_options_that_do_not_fit(arguments: tuple[str, ...], said: str) -> None:
    done = run("logistic_batch", *arguments)
    assert done.exit_code == 2
    assert said in done.output
