"""Names that a derivation adds say which value they are, in lines of entries too."""

from __future__ import annotations

from chainrule import read_model
from chainrule.calculus.derivation.staging import staged

ORDINAL = """X : (n, m)
w : (1, n)
c, d : (1, 1)
z = w X
P = sigmoid(d - z) - sigmoid(c - z)
J = -sum(log(P))
"""
LAYERS = """X : (n, m)
U : (k, h^[2])
T : (k, m)
A^[0] : (h^[0], m)
for l = 1..2
  W^[l] : (h^[l], h^[l-1])
  V^[l] : (h^[l], h^[l-1])
  Z^[l] = V^[l] A^[l-1]
  A^[l] = Z^[l] + tanh(W^[l] A^[l-1])
J = 1/2 ||U A^[2] - T||^2
"""


def test_an_entry_belongs_to_one_vector() -> None:
    _, added = staged(read_model(ORDINAL))
    names = [definition.target.name for definition in added]
    assert names  # z_i is an entry of z, so nothing added is called Z
    entries = [name.lower() for name in (*names, "z", "P")]
    assert len(set(entries)) == len(entries)


def test_a_layer_has_letters_that_mean_nothing_without_it() -> None:
    _, added = staged(read_model(LAYERS))
    bases = {definition.target.name.partition("^")[0] for definition in added}
    assert added
    assert not bases & {"U", "T", "X"}
