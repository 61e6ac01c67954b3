"""Layers by repetition: unrolled as written by hand, and their recursion as one proven line."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chainrule import derive
from chainrule.calculus.derivation.steps import Derivation, Phase
from chainrule.calculus.graph.loop_indices import in_round, index_of, with_index
from chainrule.calculus.proof.certify import certify
from chainrule.calculus.proof.checking import check_model
from chainrule.errors import ParseError, ProofError
from chainrule.language.reading import read_model
from chainrule.language.typeset import unicode

DEEP = """
A^[0] : (h^[0], m)
Y : (h^[3], m)
f(z) = z sigmoid(z)
for l = 1..3
    W^[l] : (h^[l], h^[l-1])   # weights
    b^[l] : (h^[l], 1)

    Z^[l] = W^[l] A^[l-1] + b^[l]
    A^[l] = f(Z^[l])
J = 1/2 ||A^[3] - Y||^2 / m
"""
BY_HAND = "\n".join(
    [
        "A^[0] : (h^[0], m)\nY : (h^[3], m)\nf(z) = z sigmoid(z)",
        *(
            f"W^[{k}] : (h^[{k}], h^[{k - 1}])\nb^[{k}] : (h^[{k}], 1)\n"
            f"Z^[{k}] = W^[{k}] A^[{k - 1}] + b^[{k}]\nA^[{k}] = sigmoid(Z^[{k}])"
            for k in (1, 2, 3)
        ),
        "J = 1/2 ||A^[3] - Y||^2 / m",
    ]
)
RECURRENT = """
h_0 : (h, 1)
W : (h, h)
U : (h, n)
v : (1, h)
T = 3
for t = 1..T
  x_t : (n, 1)
  y_t : (1, 1)
  z_t = W h_{t-1} + U x_t
  h_t = tanh(z_t)
  e_t = v h_t - y_t
J = 1/2 (e_1^2 + e_2^2 + e_T^2)
wrt: W, U, v
"""


def general(derivation: Derivation) -> list[str]:
    """Return the general lines of a derivation."""
    return [
        f"{unicode(step.left)} = {unicode(step.after)}"
        for step in derivation
        if step.phase is Phase.RECURSION
    ]


def test_a_loop_reads_as_its_rounds_written_by_hand() -> None:
    model = read_model(DEEP.replace("f(Z^[l])", "sigmoid(Z^[l])"))
    other = read_model(BY_HAND)
    assert set(model.inputs) == set(other.inputs)
    assert dict(model.values) == dict(other.values)
    assert [d.line for d in model.definitions] == [9, 10] * 3 + [11]
    assert model.notes["W^[2]"] == "weights"
    assert [(loop.counter, loop.first, loop.last) for loop in model.loops] == [("l", 1, 3)]


def test_the_recursion_is_one_line() -> None:
    derivation = derive(DEEP)
    assert derivation.proven
    assert general(derivation) == [
        "dZ^[l] = W^[l+1]^T dZ^[l+1] ⊙ f'(Z^[l])",
        "∂J/∂W^[l] = dZ^[l] A^[l-1]^T",
        "∂J/∂b^[l] = dZ^[l] 1",
    ]
    first = next(step for step in derivation if step.phase is Phase.RECURSION)
    assert [number for number, _ in first.rounds] == [1, 2]
    assert "round 3" in first.why


def test_what_is_nested_in_a_round_belongs_to_it() -> None:
    derivation = derive(
        "A_0 : (h, m)\nfor l = 1..3: W_l : (h, h)\n"
        "for l = 1..3: A_l = tanh(W_l A_{l-1})\nJ = sum(A_3)"
    )
    assert general(derivation) == [
        "dZ_l = W_{l+1}^T dZ_{l+1} ⊙ (1 - A_l²)",
        "∂J/∂W_l = dZ_l A_{l-1}^T",
    ]


def test_a_general_line_that_is_wrong_in_one_round_is_not_certified() -> None:
    derivation = derive(DEEP)
    place = next(k for k, step in enumerate(derivation.steps) if step.phase is Phase.RECURSION)
    step = derivation.steps[place]
    ((first, _), *_), other = step.rounds, derivation.steps[place + 1].rounds[0][1]
    for wrong in (
        replace(step, after=2 * step.after),
        replace(step, rounds=((first, other), *step.rounds[1:])),
        replace(step, rounds=tuple((number + 1, line) for number, line in step.rounds)),
    ):
        steps = (*derivation.steps[:place], wrong, *derivation.steps[place + 1 :])
        with pytest.raises(ProofError, match="the same in every round"):
            certify(replace(derivation, steps=steps))


def test_gradients_of_shared_weights_add_over_time() -> None:
    report = check_model(read_model(RECURRENT), sizes=2)
    assert report.passed
    derivation = report.derivation
    assert unicode(derivation["W"].matrix) == "dz_1 h_0^T + dz_2 h_1^T + dz_3 h_2^T"  # type: ignore[arg-type]
    assert "dh_t = de_t v^T + W^T dz_{t+1}" in general(derivation)


SUMS = [
    ("J = 1/2 (e_1^2 + e_2^2 + e_3^2)", r"J = 1/2 sum_{t=1}^{T} e_t^2"),
    ("J = 1/2 (e_1^2 + e_2^2 + e_3^2)", "J = 1/2 sum_t e_t^2   # all rounds"),
    ("J = (e_1^2 + e_2^2 + e_3^2)/T", r"$J = \frac{1}{T} \sum_{t=1}^{T} e_t^2$"),
    ("J = (e_1^2 + e_2^2 + e_3^2)/T + e_1", "J = 1/T Σ_{t=1}^T e_t^2 + e_1"),
    ("J = 1/2 ||h_1 - h_2 + h_2 - h_3||^2", r"J = 1/2 || \sum_{t=1}^{T-1} (h_t - h_{t+1}) ||^2"),
    ("J = -(log(1 - p_2) + log(1 - p_3))", r"J = -\sum_{s=2}^{T} \log \left( 1 - p_s \right)"),
    ("J = v (h_1 + (h_1 + h_2) + (h_1 + h_2 + h_3))", "J = v sum_t sum_{s=1}^{t} h_s"),
    ("J = -log(p_1) - log(p_2) - log(p_3)", "J = sum_t -log(p_t)"),
    ("J = ||h_1 - h_2||^2 + sum(v) + e_1", "J = sum_{t=1}^1 ||h_t - h_{t+1}||^2 + sum_i v_i + e_1"),
]


@pytest.mark.parametrize(("by_hand", "text"), SUMS)
def test_a_sum_over_the_rounds_is_its_terms_written_by_hand(by_hand: str, text: str) -> None:
    before = RECURRENT.split("J =")[0] + "  p_t = sigmoid(e_t)\n"
    model, other = read_model(before + text), read_model(before + by_hand)
    assert model.inputs == other.inputs
    assert dict(model.values) == dict(other.values)


def test_gradients_of_tied_weights_add() -> None:
    text = "X : (n, m)\nW : (h, n)\nC = tanh(W X)\nR = W^T C\nJ = 1/2 ||R - X||^2"
    report = check_model(read_model(text), ["W"], sizes=2)
    assert report.passed
    chain = [
        s for s in report.derivation if s.phase is Phase.CHAIN and unicode(s.left).endswith("W_kp")
    ]
    assert any("along several paths; paths add" in step.why for step in chain)


REFUSED = [
    ("for l = 1..2\nJ = 1", 1, "this loop has no lines; indent"),
    ("for l = 3..2\n  W_l : (h, h)\nJ = 1", 1, "3..2 counts nowhere"),
    ("L : (1, 1)\nfor l = 1..L\n  W_l : (h, h)\nJ = 1", 2, "L is not a number here; write one"),
    ("for l in 3\n  W_l : (h, h)\nJ = 1", 1, "a loop reads for l = 1..3"),
    ("for l = 1..3\n  W : (h, h)\nJ = 1", 2, "W is the same in every round; move this line"),
    ("for l = 1..90000\n  W_l : (h, h)\nJ = 1", 1, "past the limit of 2000 lines"),
    (
        "X : (h, m)\nfor l = 1..2\n  W_l : (h, h)\n  A_l = W_l A_{l-1}\nJ = sum(A_2)",
        4,
        "A_0 comes before the first round of the loop on line 2; declare it or define it",
    ),
    ("for t = 1..2\n  e_t : (1, 1)\nJ = sum_{t=1}^{K} e_t", 3, "K is not a number here"),
    (
        "for t = 1..2\n  e_t : (1, 1)\nJ = sum_{t=1}^{90000} e_t",
        3,
        "more than 2000 terms",
    ),
]


@pytest.mark.parametrize(("text", "line", "said"), REFUSED)
def test_a_loop_that_cannot_be_read_says_so(text: str, line: int, said: str) -> None:
    with pytest.raises(ParseError) as caught:
        read_model(text)
    assert said in caught.value.message
    assert caught.value.line == line


def test_loops_within_loops() -> None:
    model = read_model(
        "X : (n, m)\nfor k = 1..2\n  W_k : (h, n)\n  for l = 1..2\n    V^[l]_k : (h, h)\n"
        "J = sum(V^[1]_1 W_1 X) + sum(V^[2]_2 W_2 X)"
    )
    names = {symbol.name for symbol in model.inputs}
    assert names == {"X", "W_1", "W_2", "V^[1]_1", "V^[2]_1", "V^[1]_2", "V^[2]_2"}


@given(st.integers(0, 60), st.integers(-3, 3), st.sampled_from(["Z^[%s]", "z_{%s}", "Z^{[%s]}"]))
def test_an_index_put_relative_and_back_is_itself(number: int, offset: int, form: str) -> None:
    name = form % max(number + offset, 0)
    known = frozenset({"Z^[", "z_"})
    found = index_of(name, known)
    assert found == max(number + offset, 0)
    relative = with_index(name, known, lambda n: f"l{n - number:+d}" if n != number else "l")
    assert index_of(in_round(relative, {"l": number}), known) == found
