"""The plugin that replaces scikit-learn's classes, on tests that show something and that do not."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
from tests.acceptance.in_place import InPlace


class Model:
    """Fits nothing."""

    def fit(self) -> Model:
        return self


def run(plugin: InPlace, name: str, fits: int) -> bool:
    """Run a test of this name that fits so often; tell whether the plugin let it pass."""
    item: Any = SimpleNamespace(name=name)
    steps = plugin.pytest_runtest_call(item)
    next(steps)
    for _ in range(fits):
        plugin.counted(Model.fit)(Model())
    return next(steps, "passed") == "passed"


def test_a_test_that_fits_passes() -> None:
    assert run(InPlace({}, {}), "test_a[1]", fits=1)


def test_a_test_that_never_fits_fails() -> None:
    with pytest.raises(pytest.fail.Exception, match="it shows nothing"):
        run(InPlace({}, {}), "test_a[1]", fits=0)


def test_a_listed_test_need_not_fit() -> None:
    assert run(InPlace({}, {}, never_fits=("test_a",)), "test_a[1]", fits=0)


@pytest.mark.parametrize("name", ["test_a", "test_a[1]"])
def test_what_is_listed_is_left_out(name: str) -> None:
    left: list[Any] = []
    hook = SimpleNamespace(pytest_deselected=lambda items: left.extend(items))
    config: Any = SimpleNamespace(hook=hook)
    items: list[Any] = [SimpleNamespace(name="test_a[1]"), SimpleNamespace(name="test_b")]
    InPlace({}, {name: "a reason"}).pytest_collection_modifyitems(config, items)
    assert [item.name for item in items] == ["test_b"]
    assert [item.name for item in left] == ["test_a[1]"]


def test_a_list_that_names_no_test_is_an_error() -> None:
    config: Any = SimpleNamespace()
    with pytest.raises(pytest.UsageError, match="test_c"):
        InPlace({}, {"test_c": "a reason"}).pytest_collection_modifyitems(config, [])
