"""The audit of the lecture itself: its two slips, and nothing else."""

from __future__ import annotations

import json

import pytest
from click.testing import CliRunner

from chainrule.cli.main import cli
from chainrule.errors import ModelError
from chainrule.teaching.grading.audit import audit

LECTURE = """
# Many examples
Shapes: X (n, m), w (1, n), b (1, 1), Y (1, m)
Z = w X + b
A = sigma(Z)
J = -sum_i (y_i log a_i + (1 - y_i) log(1 - a_i))

1. dJ/dw = dJ/da_i . da_i/dz_i . dz_i/dw      (chain rule)
2. dJ/da_i = sum_i -(y_i/a_i) + (1-y_i)/(1-a_i)
3. da_i/dz_i = a_i(1-a_i)
4. z_i = sum_j w_j X_ji + b, so dz_i/dw_p = X_pi
5. dJ/dw_p = sum_i (a_i - y_i) X_pi
6. dJ/dw_p = (A-Y) X_p^T, dJ/dw = (A-Y) X^T, dJ/db = (A-Y) 1
"""


def test_the_misplaced_sums_of_the_lecture_are_flagged_and_nothing_else() -> None:
    found = audit(LECTURE)
    assert [(v.line, v.verdict) for v in found.lines if v.verdict != "proven"] == [
        (8, "scope"),
        (9, "scope"),
    ]
    missing, kept = found.wrong
    assert "a sum over i is missing" in missing.why
    assert "no sum over i belongs here" in kept.why
    assert len(found.lines) == 9


@pytest.mark.parametrize(
    ("right", "wrong", "line"),
    [
        ("dJ/da_i . da_i/dz_i . dz_i/dw", "sum_i dJ/da_i . da_i/dz_i . dz_i/dw", 8),
        ("sum_i -(y_i/a_i)", "-(y_i/a_i)", 9),
    ],
)
def test_mended_the_lines_of_the_lecture_are_proven(right: str, wrong: str, line: int) -> None:
    found = audit(LECTURE.replace(right, wrong))
    assert [v.verdict for v in found.lines if v.line == line] == ["proven"]


def test_errors_that_cancel_are_found_on_their_line() -> None:
    found = audit(
        """
        x, w, b, y : (1, 1)
        z = w x + b
        a = sigmoid(z)
        L = -(y log a + (1 - y) log(1 - a))
        dL/dz = (y/a - (1-y)/(1-a)) a (1-a) = a - y
        """
    )
    (line,) = found.lines
    assert (line.verdict, line.sign) == ("wrong", 1)


def test_what_follows_from_a_wrong_line_is_not_wrong_again() -> None:
    found = audit(
        """
        X : (n, m)
        Y : (1, m)
        w : (1, n)
        b : (1, 1)
        Z = w X + b
        A = sigmoid(Z)
        J = -sum(Y .* log(A) + (1 - Y) .* log(1 - A))
        dZ = Y - A
        dw = (Y - A) X^T
        db = sum(Y - A, axis=1)
        dw = (Y - A) X^T + w
        """
    )
    assert [v.verdict for v in found.lines] == ["wrong", "follows", "follows", "wrong"]
    assert found.lines[0].mistake == "sign"


def test_a_transcript_without_a_forward_pass_says_what_it_needs() -> None:
    with pytest.raises(ModelError, match="needs its forward pass first"):
        audit("dL/dw = (a - y) x")


def test_the_command_prints_verdicts_and_its_status_says_whether_a_line_is_wrong() -> None:
    runner = CliRunner()
    wrong = runner.invoke(cli, ["audit", "-"], input=LECTURE)
    assert wrong.exit_code == 1
    assert "9 lines judged: 7 proven, 2 wrong" in wrong.output
    given = ["audit", "-", "--json", "--forward", "examples/logistic_batch"]
    right = runner.invoke(cli, given, input="dw = np.dot(A - Y, X.T)\n")
    assert right.exit_code == 0
    assert json.loads(right.output)["lines"][0]["verdict"] == "proven"
