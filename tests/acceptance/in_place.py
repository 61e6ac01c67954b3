"""Puts chainrule's classes in the place of scikit-learn's, for runs of scikit-learn's own tests.

`InPlace` is a pytest plugin; `logistic_in_place` and `glm_in_place` register one each, with the
tests that are left out and why. A test that never fits one of our classes fails, because it would
show nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass
from functools import wraps
from types import ModuleType
from typing import Any

import pytest
import sklearn.linear_model


def function_of(item: pytest.Item) -> str:
    """Return the name of a test's function, without its parameters."""
    return item.name.partition("[")[0]


@dataclass
class InPlace:
    """The plugin.

    Attributes
    ----------
    estimators : mapping
        Names in ``sklearn.linear_model``, and the classes that take their place.
    left : mapping
        Full names of tests, or names of their functions, that are left out; each with the reason.
    stops_early : collection of str
        Functions that stop a fit after a few iterations on purpose: there our warning is right.
    never_fits : collection of str
        Functions about an estimator before it is fitted.
    adapt : callable or None
        Called once with each test module, before its tests run.
    """

    estimators: Mapping[str, type]
    left: Mapping[str, str]
    stops_early: Collection[str] = ()
    never_fits: Collection[str] = ()
    adapt: Callable[[ModuleType], None] | None = None
    fits: int = 0

    def put(self) -> None:
        """Replace the names; must happen before a test file is imported."""
        for name, estimator in self.estimators.items():
            setattr(sklearn.linear_model, name, estimator)
            estimator.fit = self.counted(estimator.fit)  # type: ignore[attr-defined]

    def counted(self, fit: Callable[..., Any]) -> Callable[..., Any]:
        """Return the method, counting its calls."""

        @wraps(fit)
        def counting(*args: Any, **kwargs: Any) -> Any:
            self.fits += 1
            return fit(*args, **kwargs)

        return counting

    def reason_to_leave(self, item: pytest.Item) -> str | None:
        """Return why a test is left out, if it is."""
        return self.left.get(item.name) or self.left.get(function_of(item))

    def pytest_collection_modifyitems(
        self, config: pytest.Config, items: list[pytest.Item]
    ) -> None:
        """Leave out what is listed, let early stops warn, and adapt the test modules."""
        names = {item.name for item in items} | {function_of(item) for item in items}
        if unknown := set(self.left) - names:
            raise pytest.UsageError(f"left out, but not in scikit-learn's file: {unknown}")
        left = [item for item in items if self.reason_to_leave(item)]
        items[:] = [item for item in items if not self.reason_to_leave(item)]
        config.hook.pytest_deselected(items=left)
        for item in items:
            if function_of(item) in self.stops_early:
                item.add_marker(
                    pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
                )
        if self.adapt is not None:
            modules = {getattr(item, "module", None) for item in items}
            for module in modules:
                if isinstance(module, ModuleType):
                    self.adapt(module)

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_call(self, item: pytest.Item) -> Iterator[None]:
        """Fail a test that passes without ever fitting one of our classes."""
        before = self.fits
        answer = yield
        if self.fits == before and function_of(item) not in self.never_fits:
            pytest.fail("this test never fits a class of chainrule: it shows nothing")
        return answer
