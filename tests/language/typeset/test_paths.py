"""Paths in MathML: every element on the page names its sub-expression, and nothing else changes."""

from __future__ import annotations

import re
from xml.etree import ElementTree

import pytest
from tests.derivations import derived

from chainrule.calculus.graph.node import Entry, Expr, Number, Partial, Symbol
from chainrule.calculus.graph.paths import path_text, places
from chainrule.language.reading import read_model
from chainrule.language.typeset import mathml
from chainrule.teaching.exercises.loading import exercises

EXERCISES = {e.id: e.model for e in exercises() if e.level != "G"}
MORE = {
    "ones, parts, stacks": "X : (n, m)\nA : (n, n)\nx : (n, 1)\nL = sum(X) + trace(A A^T)\n"
    "+ sum([x; 2 x]) + sum(3 A[0:2, :]) - norm(x)^2 - log(det(A)) + x^T inv(A)^T x\n"
    "wrt: X, A, x",
}

DESCRIBED = re.compile(r' (?:tabindex|title|style|data-definition|data-shape)="[^"]*"')
"""What only a page without paths says of its symbols."""


def lines(name: str) -> list[Expr]:
    model = EXERCISES[name] if name in EXERCISES else read_model(MORE[name].replace("\n+", " +"))
    derivation = derived(model)
    sides = [side for step in derivation.steps for side in (step.before, step.after)]
    return list(dict.fromkeys([*sides, *model.values.values()]))


def marked(inside: str) -> list[ElementTree.Element]:
    tree = ElementTree.fromstring(f"<math>{inside.replace('&#x2061;', '')}</math>")
    return [element for element in tree.iter() if "data-path" in element.attrib]


@pytest.mark.parametrize("name", [*EXERCISES, *MORE])
def test_elements_name_their_sub_expressions(name: str) -> None:
    for expr in lines(name):
        inside = mathml(expr, paths=True)
        assert re.sub(r' data-path="[^"]*"', "", inside) == DESCRIBED.sub("", mathml(expr))
        named = {element.get("data-path") or "": element for element in marked(inside)}
        assert len(named) == len(marked(inside)), "a path stands on one element"
        known = {path_text(path): node for path, node in places(expr)}
        assert set(named) <= set(known)
        for path, element in named.items():
            node = known[path]
            if isinstance(node, Symbol) and element.tag == "mi":
                assert node.name[0] in (element.get("data-symbol") or "")
            if isinstance(node, Number) and element.tag == "mn":
                assert abs(node.value) == int(element.text or "")
            if isinstance(node, Partial):
                assert element.tag == "mfrac"
        for path, node in known.items():
            if isinstance(node, Symbol | Partial) and path not in named:
                above = [path[:k] for k, sign in enumerate(path) if sign == "."]
                assert any(isinstance(known[p], Entry) for p in ("", *above)), "the base of a cell"
