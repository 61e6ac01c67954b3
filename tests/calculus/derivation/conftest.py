"""What the tests of derivations share: the way from a matrix form to its entries and back."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from chainrule.calculus.derivation.steps import Derivation, StepCertificate
from chainrule.calculus.graph.node import Apply, Entry, walk
from chainrule.calculus.indexing.collapse import collapse
from chainrule.calculus.indexing.expansion import expand
from chainrule.calculus.indexing.names import Letters
from chainrule.calculus.indexing.scope import scope_complaint
from chainrule.calculus.proof.verifier import Verifier
from chainrule.calculus.rewriting.layout import laid_out


@pytest.fixture
def assert_there_and_back() -> Callable[[Derivation], None]:
    """Expand every gradient of a derivation to an index form, and collapse it to what it was."""

    def check(derivation: Derivation) -> None:
        dims = {dim for symbol in derivation.model.symbols for dim in symbol.shape}
        names = [symbol.name for symbol in derivation.model.symbols]
        for gradient in (*derivation.layers.values(), *derivation.gradients.values()):
            if gradient.matrix is None:
                assert gradient.no_matrix_form.startswith("no matrix form")
                continue
            place = gradient.row, gradient.col
            letters = Letters(dims, [*names, *place])
            form, steps = expand(gradient.matrix, place, letters)
            for node in walk(form):
                assert not (isinstance(node, Entry) and _is_elementwise(node))
            assert all(scope_complaint(step.after) == "" for step in steps)
            layers = frozenset(derivation.layers)
            back, _ = collapse(form, gradient.variable.shape, *place, layers)
            if laid_out(back) is not gradient.matrix:  # laid out in another order, but the same
                found = Verifier(derivation).equal(back, gradient.matrix, *place)
                assert isinstance(found, StepCertificate), (back, gradient.matrix)

    return check


def _is_elementwise(cell: Entry) -> bool:
    return isinstance(cell.matrix, Apply) and cell.matrix.op.elementwise
