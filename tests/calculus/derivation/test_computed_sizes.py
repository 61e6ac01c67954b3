"""Forward passes with sizes such as m - 1 and 2h: read, proven, set, run and bound to data."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import numpy as np
import pytest

from chainrule.calculus.derivation.derive import derivation_of
from chainrule.calculus.derivation.program import program
from chainrule.calculus.evaluation.forward import assignments
from chainrule.calculus.graph.dims import times
from chainrule.calculus.graph.node import Total, walk
from chainrule.calculus.proof.checking import check_model
from chainrule.errors import DataError, DerivationError, ModelError
from chainrule.language.codegen import module_text
from chainrule.language.reading import read_model
from chainrule.language.typeset import latex, mathml, unicode
from chainrule.lecture import assign_roles, bind

PASSES = {
    "twice as many": """
        X : (n, m)
        W : (2h, n)
        v : (1, 2h)
        A = tanh(W X)
        J = sum(v A) / (2h) + 1/2 ||W||^2
    """,
    "one less": """
        X : (n, m - 1)
        w : (1, n)
        z = w X
        J = sum(z .* z) / (m - 1) + mean(z)
    """,
    "as many as fit": """
        V : (m - k + 1, k)
        u : (k, 1)
        J = 1/2 ||V u + ones(m - k + 1, 1)||^2 / m
    """,
    "heads": """
        Q : (h d, m)
        W : (d, h d)
        J = sum(sigmoid(W Q) + W eye(h d) Q) / h
    """,
    "a large number": "X : (20, m)\nW : (h, 20)\nV : (20 + h, h)\nJ = sum(tanh(V W X))",
}


@pytest.mark.parametrize("title", PASSES)
def test_every_step_holds_at_sizes_that_fit_each_other(title: str) -> None:
    report = check_model(read_model(PASSES[title]), sizes=2)
    assert report.passed
    assert all(gradient.sizes for gradient in report.gradients)


@pytest.mark.parametrize("title", [name for name in PASSES if name != "a large number"])
def test_the_module_reads_its_sizes_from_shapes(title: str, tmp_path: Path) -> None:
    path = tmp_path / "model.py"
    path.write_text(module_text(program(derivation_of(read_model(PASSES[title])))))
    spec = importlib.util.spec_from_file_location("computed", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    assert module.check() < 1e-6


def test_a_size_that_no_shape_tells_is_refused() -> None:
    model = read_model("X : (h k, m)\nJ = sum(X .* X) / k")
    with pytest.raises(DerivationError, match=r"the size k cannot be read .* declare an input"):
        module_text(program(derivation_of(model)))


def test_sums_over_a_computed_size_are_set_in_every_medium() -> None:
    derivation = derivation_of(read_model(PASSES["as many as fit"]), ["u"])
    sums = [
        node
        for step in derivation.steps
        for node in walk(step.after)
        if isinstance(node, Total) and str(node.index.dim) == "m - k + 1"
    ]
    assert sums
    assert r"=1}^{m - k + 1}" in latex(sums[0])
    assert "<mi>m</mi><mo>−</mo><mi>k</mi><mo>+</mo><mn>1</mn>" in mathml(sums[0])
    assert unicode(sums[0]).startswith("Σ")
    assert "/(m - 1)" in unicode(read_model(PASSES["one less"]).definitions[1].value)


def test_a_large_number_stays_itself_where_sizes_are_computed_from_it() -> None:
    for sizes in assignments(read_model(PASSES["a large number"]), 3):
        assert set(sizes) == {"h", "m"}


def test_sizes_that_no_numbers_fit_are_refused() -> None:
    with pytest.raises(ModelError, match=r"no sizes were found that make k - m and m - k"):
        assignments(read_model("X : (m - k, k - m)\nJ = sum(X)"), 1)


def test_columns_tell_the_name_behind_a_computed_size() -> None:
    layout = assign_roles(read_model("X : (2h, m)\nw : (1, h)\nW : (h, 2h)\nJ = sum(w W X)"), ["X"])
    assert bind(layout, {"X": np.ones((9, 6))}).sizes == {"h": 3}
    with pytest.raises(DataError, match="X is bound to 5 columns: no size h makes 2h equal 5"):
        bind(layout, {"X": np.ones((9, 5))})
    with pytest.raises(DataError, match=r"the size 2h is not clear: X is bound to 6 columns"):
        bind(layout, {"X": np.ones((9, 6))}, sizes={"h": 4})


def test_a_computed_size_multiplies_out() -> None:
    assert str(times(2, times("h", "d"))) == "2d h"
