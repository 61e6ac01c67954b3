"""Errors injected into a whole derivation give what the reverse sweep with them gives."""

from __future__ import annotations

import numpy as np
import pytest

from chainrule.calculus.evaluation.forward import assignments, sample
from chainrule.calculus.evaluation.numeric import FLOATS, Evaluator
from chainrule.calculus.graph.dims import SCALAR
from chainrule.calculus.graph.node import Apply, walk
from chainrule.calculus.ops import TABLE
from chainrule.errors import ChainruleError
from chainrule.teaching.diagnosis.catalogue import rule_errors
from chainrule.teaching.diagnosis.injection import derivation_with, with_errors
from chainrule.teaching.exercises.loading import find


@pytest.mark.slow
@pytest.mark.parametrize("name", ["logistic-batch", "two-layers", "skip", "softmax-upstream"])
def test_both_ways_to_inject_a_wrong_rule_agree(name: str) -> None:
    derivation = find(name).derivation
    model = derivation.model
    compared = 0
    for error in rule_errors(model):
        made = derivation_with(derivation, error)
        if made is None:
            continue
        for variable, gradient in made.gradients.items():
            form = None if gradient.matrix is None else made.without_layers(gradient.matrix)
            try:
                swept = with_errors(model, model.objective, model.symbol(variable), (error,))
            except ChainruleError:
                continue
            if form is None or swept.shape not in (form.shape, SCALAR):
                continue
            for sizes in assignments(model, 2):
                values = sample(model, sizes, np.random.default_rng(4))
                found, wanted = (Evaluator(values, sizes, FLOATS).value(e) for e in (form, swept))
                np.testing.assert_allclose(found, wanted, rtol=1e-9, atol=1e-12)
            compared += 1
    assert compared > 3


def test_a_derivation_with_an_error_holds_the_right_operations_again() -> None:
    derivation = find("two-layers").derivation
    made = [derivation_with(derivation, error) for error in rule_errors(derivation.model)]
    steps = [step for each in made if each is not None for step in each.steps]
    assert steps
    for step in steps:
        for node in walk(step.after):
            assert not isinstance(node, Apply) or TABLE.get(node.op.name, node.op) is node.op
