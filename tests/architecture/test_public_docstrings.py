"""Docstrings of the public names: an example that runs, and every parameter by its name."""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterator

import pytest
from tools.book.api import members

import chainrule
from chainrule.engine.inference.results import Inference
from chainrule.estimators.coefficient_paths import Path

CLASSES = (
    chainrule.LogisticRegression,
    chainrule.LogisticRegressionCV,
    chainrule.LinearModel,
    Inference,
    Path,
)
ROUTING = "get_metadata_routing"
"""Called by scikit-learn."""


def public() -> Iterator[tuple[str, object]]:
    """Yield names and objects: what `chainrule` offers, and the members of the main classes."""
    for name in chainrule.__all__:
        yield name, getattr(chainrule, name)
    for cls in CLASSES:
        for name, _ in members(cls):
            if name != ROUTING:
                yield f"{cls.__name__}.{name}", inspect.getattr_static(cls, name)


PUBLIC = dict(public())


def plainly(value: object) -> object:
    """Return the function of a property or class method."""
    found = getattr(value, "fget", None) or getattr(value, "func", None) or value
    return getattr(found, "__func__", found)


@pytest.mark.parametrize("name", PUBLIC)
def test_a_public_name_has_an_example(name: str) -> None:
    text = inspect.getdoc(plainly(PUBLIC[name])) or ""
    assert "Examples\n--------" in text
    assert ">>> " in text


@pytest.mark.parametrize("name", PUBLIC)
def test_a_public_name_describes_its_parameters_and_its_result(name: str) -> None:
    found = plainly(PUBLIC[name])
    assert callable(found)
    text = inspect.getdoc(found) or ""
    if inspect.isclass(found) and issubclass(found, Exception):
        return  # a message, whose signature is Python's
    described = text.partition("Parameters\n----------\n")[2].partition("\n\n")[0]
    described += text.partition("Attributes\n----------\n")[2]
    for parameter in inspect.signature(found).parameters.values():
        if parameter.name not in ("self", "cls", "args", "kwargs"):
            assert re.search(rf"^[*\w, ]*\b{parameter.name}\b", described, re.MULTILINE), parameter
    if not inspect.isclass(found) and inspect.signature(found).return_annotation != "None":
        assert "Returns\n-------" in text
