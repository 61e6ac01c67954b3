"""Index form and matrix form: each way in named steps, and each letter bound once or free."""

from __future__ import annotations

from dataclasses import replace

import pytest
from tests.derivations import derived

from chainrule.calculus.derivation.steps import StepCertificate
from chainrule.calculus.graph.dims import Index
from chainrule.calculus.graph.node import Symbol, Total, entry, walk
from chainrule.calculus.indexing.expansion import expand
from chainrule.calculus.indexing.names import Letters
from chainrule.calculus.indexing.rules import EXPANSION
from chainrule.calculus.indexing.scope import scope_complaint
from chainrule.calculus.indexing.tensors import collapse_entry
from chainrule.calculus.ops import add, exp
from chainrule.calculus.ops import replace as exchanged
from chainrule.calculus.proof.certify import certify
from chainrule.calculus.proof.verifier import Verifier
from chainrule.calculus.rewriting.layout import laid_out
from chainrule.errors import ProofError
from chainrule.language.reading import example_names, load_model, read_model
from chainrule.language.typeset import plain

TWO_LAYERS = """
X : (n, m)
Y : (k, m)
W1 : (h, n)
b1 : (h, 1)
W2 : (k, h)
A = tanh(W1 X + b1)
P = softmax(W2 A, axis=0)
J = -1/m sum(Y .* log(P)) + norm(W2)^2/2
"""


MODELS = {
    **{name: load_model(name) for name in example_names()},
    "two layers": read_model(TWO_LAYERS),
}

OTHERWISE = {("info_nce", "tau"), ("transformer_block", "U")}
"""Gradients that come back in another form of equal value: a sum, a root that is repeated."""


@pytest.mark.parametrize("name", MODELS)
def test_every_step_of_the_way_back_holds(name: str) -> None:
    derivation = derived(MODELS[name])
    verifier = Verifier(derivation)
    for gradient in (*derivation.layers.values(), *derivation.gradients.values()):
        assert gradient.matrix is not None
        place = gradient.places
        letters = Letters({dim for s in derivation.model.symbols for dim in s.shape}, place)
        form, steps = expand(gradient.matrix, place, letters)
        before = gradient.matrix
        for step in steps:
            assert step.rule in {rule.name for rule in EXPANSION}
            assert isinstance(verifier.equal(before, step.after, *place), StepCertificate)
            before = step.after
        shape = gradient.variable.shape
        back, _ = collapse_entry(form, shape, place, frozenset(derivation.layers))
        again = laid_out(back)
        if (name, gradient.variable.name) in OTHERWISE:
            assert isinstance(verifier.equal(gradient.matrix, again, *place), StepCertificate)
        else:
            assert again is gradient.matrix


def test_the_steps_of_a_product() -> None:
    A, X = Symbol("A", (1, "m")), Symbol("X", ("n", "m"))
    p = Index("p", "n")
    _, steps = expand((X @ exp(A).T) / 2, (p, None), Letters(["n", "m"], [p]))
    assert [(step.rule, plain(step.after)) for step in steps] == [
        ("entry by entry", "(X exp(A)^T)_p/2"),
        ("write the sum out", "(sum_i X_pi(exp(A)^T)_i)/2"),
        ("entries by their places", "(sum_i X_pi(exp(A))_i)/2"),
        ("entry by entry", "(sum_i X_pi exp(a_i))/2"),
    ]


# ---- letters -------------------------------------------------------------------------------------

i, j = Index("i", "m"), Index("j", "m")
x, y = Symbol("x", ("m", 1)), Symbol("y", ("m", 1))
x_i, y_i, x_j = entry(x, i, None), entry(y, i, None), entry(x, j, None)


@pytest.mark.parametrize("name", MODELS)
def test_no_letter_of_a_derivation_is_bound_and_free(name: str) -> None:
    for step in derived(MODELS[name]):
        assert scope_complaint(step.before) == scope_complaint(step.after) == ""


@pytest.mark.parametrize(
    ("form", "said"),
    [
        (x_i * Total(i, y_i), "free in another"),
        (add(Total(i, x_i), y_i), "free in another"),
        (Total(i, x_i * Total(i, y_i)), "free in another"),
        (Total(i, Total(i, x_i)), "inside a sum over i"),
        (exp(Total(i, x_i)) / y_i, "free in another"),
        (Total(i, x_i) * Total(i, y_i), ""),
        (x_j * Total(i, y_i), ""),
        (Total(j, x_j * Total(i, y_i)), ""),
    ],
)
def test_a_letter_that_is_bound_and_free_is_found(form: Total, said: str) -> None:
    found = scope_complaint(form)
    assert said in found if said else found == ""


def test_a_derivation_that_sums_twice_over_one_letter_is_refused() -> None:
    derivation = derived(MODELS["logistic_batch"])
    steps = list(derivation.steps)
    number, total = next(
        (k, node)
        for k, step in enumerate(steps)
        for node in walk(step.after)
        if isinstance(node, Total)
    )
    wrong = exchanged(steps[number].after, {total: Total(total.index, total)})
    steps[number] = replace(steps[number], after=wrong)
    with pytest.raises(ProofError, match="inside a sum over"):
        certify(replace(derivation, steps=tuple(steps)))
