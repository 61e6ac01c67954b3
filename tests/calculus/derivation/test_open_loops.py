"""Loops of any length: the general lines alone give autograd's gradients at another length."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import autograd
import autograd.numpy as anp
import numpy as np
import pytest
from numpy.typing import NDArray

from chainrule import derive
from chainrule.calculus.derivation.program import program
from chainrule.calculus.derivation.relative_names import at_round, with_rounds
from chainrule.calculus.derivation.steps import Claim, Derivation, Step
from chainrule.calculus.evaluation.forward import forward
from chainrule.calculus.evaluation.numeric import FLOATS, Evaluator
from chainrule.calculus.graph.loop_indices import counted, in_round
from chainrule.calculus.graph.node import Expr, Partial, RoundSum, Symbol, symbols
from chainrule.calculus.proof.certify import certify
from chainrule.errors import ModelError, ProofError
from chainrule.language.codegen import module_text
from chainrule.language.reading import read_model
from chainrule.language.typeset import latex, mathml, plain, spoken, unicode

Array = NDArray[np.float64]

RNN = """
h_0 : (h, 1)
W : (h, h)
U : (h, n)
v : (1, h)
for t = 1..T
  x_t : (n, 1)
  y_t : (1, 1)
  z_t = W h_{t-1} + U x_t
  h_t = tanh(z_t)
  e_t = v h_t - y_t
J = 1/(2 T) sum_{t=1}^{T} e_t^2
wrt: W, U, v, h_0
"""
GRU = """
h_0 : (h, m)
W_r, W_k, W_g : (h, n)
U_r, U_k, U_g : (h, h)
b_g : (h, 1)
V : (o, h)
for t = 1..T
  x_t : (n, m)
  Y_t : (o, m)
  r_t = sigmoid(W_r x_t + U_r h_{t-1})
  k_t = sigmoid(W_k x_t + U_k h_{t-1})
  g_t = tanh(W_g x_t + r_t .* (U_g h_{t-1}) + b_g)
  h_t = (1 - k_t) .* g_t + k_t .* h_{t-1}
J = 1/2 sum_{t=1}^{T} ||V h_t - Y_t||^2
wrt: W_r, U_k, U_g, b_g, V
"""
LSTM = """
h_0, c_0 : (h, 1)
W_i, W_f, W_o, W_g : (h, n)
U_i, U_f, U_o, U_g : (h, h)
v : (1, h)
y : (1, 1)
for t = 1..T
  x_t : (n, 1)
  i_t = sigmoid(W_i x_t + U_i h_{t-1})
  f_t = sigmoid(W_f x_t + U_f h_{t-1})
  o_t = sigmoid(W_o x_t + U_o h_{t-1})
  g_t = tanh(W_g x_t + U_g h_{t-1})
  c_t = f_t .* c_{t-1} + i_t .* g_t
  h_t = o_t .* tanh(c_t)
J = 1/2 (v h_T - y)^2
wrt: W_i, W_f, U_o, U_g, v
"""
SECOND_ORDER = """
a, b, h_0, h_1 : (1, 1)
for t = 2..T
  h_t = tanh(a h_{t-1} + b h_{t-2})
J = 1/2 h_T^2
wrt: a, b
"""
RESIDUAL = """
X_0 : (n, m)
W : (n, n)
for t = 0..T-1
  X_{t+1} = X_t + tanh(W X_t)
J = 1/2 ||X_T||^2
wrt: W
"""
LENGTH = 8


def sigmoid(x: Any) -> Any:
    return 1 / (1 + anp.exp(-x))


def rnn(v: dict[str, Any]) -> Any:
    h, total = v["h_0"], 0.0
    for t in range(1, LENGTH + 1):
        h = anp.tanh(v["W"] @ h + v["U"] @ v[f"x_{t}"])
        total = total + anp.sum((v["v"] @ h - v[f"y_{t}"]) ** 2)
    return total / (2 * LENGTH)


def gru(v: dict[str, Any]) -> Any:
    h, total = v["h_0"], 0.0
    for t in range(1, LENGTH + 1):
        x = v[f"x_{t}"]
        r, k = (sigmoid(v[f"W_{one}"] @ x + v[f"U_{one}"] @ h) for one in "rk")
        h = k * h + (1 - k) * anp.tanh(v["W_g"] @ x + r * (v["U_g"] @ h) + v["b_g"])
        total = total + anp.sum((v["V"] @ h - v[f"Y_{t}"]) ** 2) / 2
    return total


def lstm(v: dict[str, Any]) -> Any:
    h, c = v["h_0"], v["c_0"]
    for t in range(1, LENGTH + 1):
        i, f, o, g = (v[f"W_{one}"] @ v[f"x_{t}"] + v[f"U_{one}"] @ h for one in "ifog")
        c = sigmoid(f) * c + sigmoid(i) * anp.tanh(g)
        h = sigmoid(o) * anp.tanh(c)
    return anp.sum((v["v"] @ h - v["y"]) ** 2) / 2


def second_order(v: dict[str, Any]) -> Any:
    before, h = v["h_0"], v["h_1"]
    for _ in range(2, LENGTH + 1):
        before, h = h, anp.tanh(v["a"] * h + v["b"] * before)
    return anp.sum(h**2) / 2


def residual(v: dict[str, Any]) -> Any:
    X = v["X_0"]
    for _ in range(LENGTH):
        X = X + anp.tanh(v["W"] @ X)
    return anp.sum(X**2) / 2


PASSES: list[tuple[str, Callable[[dict[str, Any]], Any]]] = [
    (RNN, rnn),
    (GRU, gru),
    (LSTM, lstm),
    (SECOND_ORDER, second_order),
    (RESIDUAL, residual),
]


def rounds_of(step: Step, length: int) -> list[int]:
    """Return the rounds in which a general line holds at a length."""
    ends = [int(e) if e.isdecimal() else counted(e, {"T": length}) for e in step.span]
    assert ends[0] is not None
    assert ends[-1] is not None
    return list(range(ends[0], ends[-1] + 1))


def stated(derivation: Derivation, length: int) -> dict[Expr, Expr]:
    """Return every quantity that the general lines define at a length, with what it is."""
    found: dict[Expr, Expr] = {}
    everything = {
        s
        for step in derivation.general
        for side in (step.left, step.after)
        for s in symbols(side.wrt if isinstance(side, Partial) else side)
    }
    known = {
        Symbol(in_round(s.name, {"t": k, "T": length}), s.shape)
        for s in everything
        for k in range(length + 2)
    }
    for step in derivation.general:
        if step.claim is Claim.ROUND_SUM or step.span == ():
            sides = [(step.left, with_rounds(step.after, {"T": length}, known))]
        elif step.counter == "T":
            sides = [
                (at_round(step.left, "T", length, known), at_round(step.after, "T", length, known))
            ]
        else:
            sides = [
                (at_round(step.left, "t", k, known), at_round(step.after, "t", k, known))
                for k in rounds_of(step, length)
            ]
        for left, after in sides:
            assert left not in found, "two lines state one quantity"
            found[left] = after
    return found


def by_general_lines(text: str, seed: int = 0) -> tuple[dict[str, Array], dict[str, Array]]:
    """Evaluate the gradients from the general lines alone, at a length never derived."""
    fixed = text.replace("for t", f"T = {LENGTH}\nfor t")
    model = read_model(fixed)
    rng = np.random.default_rng(seed)
    sizes = {"h": 3, "n": 2, "m": 4, "o": 2, "T": LENGTH}
    drawn = {
        s: rng.normal(size=tuple(sizes.get(str(d), 1) for d in s.shape)) * 0.6 for s in model.inputs
    }
    values = dict(forward(model, drawn, sizes))
    derivation = derive(text)
    assert derivation.without_general == ()
    lines = stated(derivation, LENGTH)
    waiting, gradients = dict(lines), dict[str, Array]()
    while waiting:
        ready = [left for left, after in waiting.items() if symbols(after) <= values.keys()]
        assert ready, f"nothing states what is needed for {[unicode(e) for e in waiting]}"
        for left in ready:
            found = Evaluator(values, sizes, FLOATS).value(waiting.pop(left))
            if isinstance(left, Symbol):
                values[left] = found
            else:
                assert isinstance(left, Partial)
                assert isinstance(left.wrt, Symbol)
                gradients[left.wrt.name] = found
    return gradients, {s.name: drawn[s] for s in model.inputs}


@pytest.mark.slow
@pytest.mark.parametrize(("text", "by_hand"), PASSES)
def test_the_general_lines_give_autograds_gradients_at_another_length(
    text: str, by_hand: Callable[[dict[str, Any]], Any]
) -> None:
    gradients, inputs = by_general_lines(text)
    asked = text.partition("wrt: ")[2].strip().split(", ")
    assert set(gradients) == set(asked)
    for name, found in gradients.items():
        wanted = autograd.grad(lambda x, name=name: by_hand({**inputs, name: x}))(inputs[name])
        np.testing.assert_allclose(np.broadcast_to(found, wanted.shape), wanted, rtol=1e-9)


@pytest.fixture(scope="module")
def through_time() -> Derivation:
    return derive(RNN)


def test_backpropagation_through_time_reads_as_in_the_lecture(through_time: Derivation) -> None:
    assert through_time.proven
    assert [f"{unicode(s.left)} = {unicode(s.after)}" for s in through_time.general] == [
        "de_t = e_t/T",
        "dz_T = v^T de_T ⊙ (1 - h_T²)",
        "dz_t = dh_t ⊙ (1 - h_t²)",
        "dh_t = de_t v^T + W^T dz_{t+1}",
        "∂J/∂h_0 = W^T dz_1",
        "∂J/∂W = Σ_{t=1}^{T} dz_t h_{t-1}^T",
        "∂J/∂U = Σ_{t=1}^{T} dz_t x_t^T",
        "∂J/∂v = (Σ_{t=1}^{T} e_t h_t^T)/T",
    ]
    assert "derived for T = 4 and T = 5" in through_time.general[0].why
    assert any("T is any number of rounds" in said for said in through_time.reading)


def test_a_sum_over_rounds_in_every_medium(through_time: Derivation) -> None:
    total = next(s.after for s in through_time.general if isinstance(s.after, RoundSum))
    assert plain(total) == "sum_{t=1}^{T} dz_t h_{t-1}^T"
    assert latex(total).startswith(r"\sum_{t=1}^{T} \mathrm{d}z_{t}")
    assert spoken(total).startswith("the sum over t from 1 to T of dz sub t")
    assert "<mi>t</mi><mo>=</mo><mn>1</mn></mrow><mi>T</mi></munderover>" in mathml(total)


def test_a_general_line_that_is_wrong_is_not_certified(through_time: Derivation) -> None:
    place = next(k for k, s in enumerate(through_time.steps) if s.claim is Claim.ROUND_SUM)
    step, total = through_time.steps[place], through_time.steps[place].after
    assert isinstance(total, RoundSum)
    longer = through_time.longer
    assert longer is not None
    for wrong in (
        replace(step, after=2 * total),
        replace(step, after=RoundSum("t", "1", "T-1", total.body)),
        replace(step, before=2 * step.before, after=2 * total),
    ):
        steps = (*through_time.steps[:place], wrong, *through_time.steps[place + 1 :])
        with pytest.raises(ProofError):
            certify(replace(through_time, steps=steps))
        # True at one length, and not at the other.
        there = tuple(s for s in longer.steps if s.after is not total)
        with pytest.raises(ProofError, match="does not hold with more"):
            certify(replace(through_time, longer=replace(longer, steps=there)))


def test_a_fixed_number_of_rounds_has_the_sums_too() -> None:
    derivation = derive(RNN.replace("for t", "T = 3\nfor t"), ["W"])
    (total,) = [s for s in derivation.general if s.claim is Claim.ROUND_SUM]
    assert unicode(total.after) == "Σ_{t=1}^{3} dz_t h_{t-1}^T"
    assert derivation.longer is None


def test_terms_of_other_form_stay_beside_the_sum() -> None:
    text = RNN.replace("J = ", "q = sum(W)\nJ = 3 q + e_1 + e_T + ")
    derivation = derive(text, ["W", "v"])
    found = [unicode(s.after) for s in derivation.general if s.claim is Claim.ROUND_SUM]
    assert found == ["Σ_{t=1}^{T} dz_t h_{t-1}^T + dq", "Σ_{t=1}^{T} de_t h_t^T"]


def test_a_gradient_without_a_general_line_is_said() -> None:
    text = "h_0, a : (1, 1)\nfor t = 1..T\n  h_t = a h_{t-1}\nJ = prod_of\nwrt: a"
    derivation = derive(text.replace("prod_of", "h_T h_1 sin(h_2)"))
    assert "a" in [symbol.name for symbol in derivation.without_general]
    (said,) = [one for one in derivation.reading if "no line for any T was found" in one]
    assert "∂J/∂a" in said


def test_a_round_named_by_number_lies_apart_from_both_ends() -> None:
    text = "h_0 : (h, 1)\nW : (h, h)\nfor t = 1..T\n  h_t = W h_{t-1}\nJ = sum(h_T) + sum(h_5)"
    derivation = derive(text, ["W"])
    assert derivation.without_general == ()
    assert [f"{unicode(s.left)} = {unicode(s.after)}" for s in derivation.general] == [
        "dh_T = 1",
        "dh_t = W^T dh_{t+1}",
        "dh_t = W^T dh_{t+1}",
        "dh_5 = W^T dh_6 + 1",
        "∂J/∂W = Σ_{t=1}^{T} dh_t h_{t-1}^T",
    ]


def test_layers_of_any_number() -> None:
    derivation = derive(
        "A^[0] : (h^[0], m)\nY : (h^[L], m)\nfor l = 1..L\n  W^[l] : (h^[l], h^[l-1])\n"
        "  Z^[l] = W^[l] A^[l-1]\n  A^[l] = tanh(Z^[l])\nJ = 1/2 ||A^[L] - Y||^2"
    )
    assert [f"{unicode(s.left)} = {unicode(s.after)}" for s in derivation.general] == [
        "dZ^[L] = (A^[L] - Y) ⊙ (1 - A^[L]²)",
        "dZ^[l] = W^[l+1]^T dZ^[l+1] ⊙ (1 - A^[l]²)",
        "∂J/∂W^[l] = dZ^[l] A^[l-1]^T",
    ]


def test_code_and_training_ask_for_the_number_of_rounds(through_time: Derivation) -> None:
    with pytest.raises(ModelError, match="T has no value, and code needs one: write T = 3 above"):
        module_text(program(through_time))
