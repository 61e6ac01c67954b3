"""Explanations of wrong answers: all pairs are seen, ties are named, and nothing is asserted."""

from __future__ import annotations

import json
from itertools import combinations
from time import process_time

import numpy as np
import pytest
from click.testing import CliRunner

from chainrule.cli.main import cli
from chainrule.errors import ChainruleError
from chainrule.teaching.diagnosis.injection import InjectedError, with_errors
from chainrule.teaching.diagnosis.sample_points import alike
from chainrule.teaching.diagnosis.search import MistakeSearch, Values
from chainrule.teaching.exercises.loading import find
from chainrule.teaching.grading.grader import Grader

CELL = """
x : (n, 1)
y : (h, 1)
W : (h, n)
V : (h, h)
b : (h, 1)
z = W x + b
a = tanh(z)
r = sigmoid(V a) .* a + b
L = ‖r - y‖^2 / 2
"""
TWO_LAYERS = """
X : (n, m)
Y : (1, m)
W1 : (h, n)
W2 : (1, h)
A1 = tanh(W1 X)
A2 = sigmoid(W2 A1)
J = -sum(Y .* log(A2) + (1 - Y) .* log(1 - A2))
"""


def search(model: str, wrt: str) -> MistakeSearch:
    grader = Grader(model)
    return grader._search(grader._variable(wrt))


def outcome(of: MistakeSearch, errors: tuple[InjectedError, ...]) -> Values | None:
    """Return what mistakes come to by running the whole sweep on expressions."""
    try:
        expr = with_errors(of.model, of.of, of.wrt, errors, of.finished)
    except ChainruleError:
        return None
    return of.samples.matrices(expr)


@pytest.mark.parametrize(("model", "wrt"), [(CELL, "b"), (CELL, "W"), (TWO_LAYERS, "W1")])
def test_the_chain_of_matrices_gives_what_the_sweep_gives(model: str, wrt: str) -> None:
    of = search(model, wrt)
    assert of.effects is not None
    assert of.truth is not None
    assert alike(of.effects.truth, of.truth[0])
    on_the_way = [candidate for candidate in of.singles if candidate.error.in_sweep]
    assert len(on_the_way) > 10
    for candidate in on_the_way:
        swept = outcome(of, (candidate.error,))
        assert swept is not None
        assert alike(swept[0], candidate.value), candidate.error


@pytest.mark.slow
@pytest.mark.parametrize(("model", "wrt"), [(CELL, "b"), (TWO_LAYERS, "W1")])
def test_every_pair_on_the_way_is_found(model: str, wrt: str) -> None:
    of = search(model, wrt)
    assert of.singles
    assert of.effects is not None  # those that keep shapes; a transpose is tried on the whole
    effects = of.effects.effects
    tried = 0
    for first, second in list(combinations(effects, 2))[::17]:
        one, two = first.error, second.error
        values = outcome(of, (one, two))
        if values is None or first.uses & second.uses:  # two errors at one place are one error
            continue
        tried += 1
        names = {(a.name, b.name) for a, b in of.effects.pairs(values[0])}
        assert {(one.name, two.name), (two.name, one.name)} & names, (one, two)
    assert tried > 5


def test_every_pair_in_the_last_line_is_found() -> None:
    of = search(TWO_LAYERS, "W1")
    errors = [candidate.error for candidate in of.singles if candidate.error.edit is not None]
    assert of.edit_pairs is not None
    tried = 0
    for one, two in list(combinations(errors, 2))[::5]:
        values = outcome(of, (one, two))
        if values is None or not np.isfinite(values[0]).all():
            continue
        if any(alike(values[0], candidate.value) for candidate in of.singles):
            continue
        tried += 1
        pairs = {frozenset((a.name, b.name)) for a, b in of.edit_pairs.pairs(values[0])}
        assert frozenset((one.name, two.name)) in pairs, (one, two)
    assert tried > 20
    assert not of.edit_pairs.cut


def test_what_was_not_tried_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    answer = "(W2^T (A2 - Y) .* exp(A1)) X^T"
    told = Grader(TWO_LAYERS).grade("W1", answer).diagnosis
    assert (told.head, told.complete) == ("no known mistake gives exactly this", True)
    monkeypatch.setattr("chainrule.teaching.diagnosis.effects.LARGEST", 1)
    untold = Grader(TWO_LAYERS).grade("W1", answer).diagnosis
    assert untold.head.endswith("; not every pair of mistakes was tried")


def test_a_tie_is_named_as_a_tie() -> None:
    found = Grader(TWO_LAYERS).grade("W1", "W2^T (A2 - Y) X^T").diagnosis
    assert found.tied == 3
    assert found.head.startswith("each of these gives exactly this answer")
    assert all("one of 3 explanations" in entry["message"] for entry in found.data())


def test_two_mistakes_are_told_as_made_together() -> None:
    found = Grader(TWO_LAYERS).grade("W2", "-(A2 - Y) A1^T / m").diagnosis
    assert found.tied == 1
    assert found.paragraphs[0] == "these together give exactly this answer:"
    assert {m.name for m in found.mistakes} == {"sign", "a constant factor: 1/m"}
    assert any("together with: sign" in entry["message"] for entry in found.data())


def test_two_factors_in_one_term_are_two_mistakes() -> None:
    found = Grader(TWO_LAYERS).grade("W2", "(-2 A2 - Y) A1^T").diagnosis
    names = [{m.name for m in each} for each in found.explanations]
    assert {"a term with a wrong factor", "sign of one term"} in names


def test_a_penalty_that_is_there_is_not_called_needless() -> None:
    grader = Grader("x, y, w, l : (1, 1)\nL = (w x - y)^2 / 2 + l/2 w^2")
    found = grader.grade("w", "(w x - y) x + 2 l w")
    assert found.mistakes
    assert all("none" not in mistake.name for mistake in found.mistakes)
    needless = Grader("x, y, w, b, l : (1, 1)\nL = (w x + b - y)^2 / 2 + l/2 w^2")
    names = {m.name for m in needless.grade("b", "w x + b - y + l b").mistakes}
    assert "regulariser where there is none" in names


def test_the_first_wrong_answer_about_a_large_cell_is_soon_judged() -> None:
    grader = Grader(find("lstm-step").model)
    begun = process_time()
    grade = grader.grade("b", "-" + grader.short_form("b").replace("1 - t^2", "1 + t^2"))
    assert grade.verdict == "wrong"
    assert process_time() - begun < 2.0  # a quarter of a second where nothing else runs


def test_json_has_the_promised_keys() -> None:
    typed = ["grade", "--exercise", "logistic-batch", "--wrt", "w", "--json", "--answer"]
    for answer in ("(A - Y) X^T", "(Y - A) X^T / m", "A - Y", "((", "dJ/dw"):
        done = CliRunner().invoke(cli, [*typed, answer])
        data = json.loads(done.output)
        keys = ["verdict", "understood", "shape", "rung", "mistakes", "short_form"]
        assert list(data) == keys, answer
        assert all(list(m) == ["name", "step", "message"] for m in data["mistakes"])


@pytest.mark.parametrize(
    ("answer", "name"),
    [
        ("2 [z > 0]", "a constant factor: 2"),
        ("-[z > 0]", "sign"),
        ("z [z > 0]", "value in place of the mask"),
    ],
)
def test_a_slope_of_zero_at_a_sample_point_hides_no_mistake(answer: str, name: str) -> None:
    found = Grader(find("relu-slope").model).grade("b", answer)
    assert name in {mistake.name for mistake in found.mistakes}
    assert "operands swapped, answer transposed" not in {m.name for m in found.mistakes}
