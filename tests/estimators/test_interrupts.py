"""Ctrl-C in one of several fits ends them all: in folds, in refits, and in a pilot."""

from __future__ import annotations

from collections.abc import Callable
from signal import SIGINT, default_int_handler, pthread_kill, signal
from threading import Event, main_thread
from time import sleep
from typing import Any

import numpy as np
import pytest

from chainrule import LogisticRegression, LogisticRegressionCV, logistic_path
from chainrule.engine import fitting
from chainrule.engine.runtime.executors import map_in_order


def data(n_classes: int) -> tuple[Any, Any]:
    rng = np.random.default_rng(0)
    X = rng.normal(size=(400, 52))  # too many columns for a fit in one compiled call
    scores = X[:, :3] @ rng.normal(size=(3, n_classes)) + rng.gumbel(size=(400, n_classes))
    return X, np.argmax(scores, axis=1)


def fitted(model: Any) -> Callable[[int], Any]:
    return lambda n_classes: model.fit(*data(n_classes))


@pytest.mark.parametrize(
    ("fit", "n_classes", "place"),
    [
        (fitted(LogisticRegressionCV(Cs=[0.1, 1.0, 10.0], cv=3, n_jobs=1)), 3, 2),
        (fitted(LogisticRegressionCV(Cs=[1.0], l1_ratios=(1.0,), relax=True, n_jobs=1)), 3, 1),
        (fitted(LogisticRegression(l1_ratio=1.0, adaptive=True)), 3, 1),
        (lambda k: logistic_path(*data(k), adaptive=True, n_lambdas=4), 3, 1),
        (lambda k: logistic_path(*data(k), relax=True, n_lambdas=4), 3, 1),
    ],
    ids=["second fit of a fold", "refit in a fold", "pilot", "pilot of a path", "refit of a path"],
)
def test_an_interrupt_in_a_fit_is_not_lost(
    monkeypatch: pytest.MonkeyPatch, fit: Callable[[int], Any], n_classes: int, place: int
) -> None:
    solve, calls = fitting._solve_and_prove, []

    def interrupted(*given: Any, **choices: Any) -> Any:
        calls.append(given)
        found = solve(*given, **choices)
        if len(calls) == place:
            raise KeyboardInterrupt
        return found

    monkeypatch.setattr(fitting, "_solve_and_prove", interrupted)
    with pytest.raises(KeyboardInterrupt):
        fit(n_classes)
    assert len(calls) == place


def test_an_interrupt_of_the_thread_that_waits_ends_the_work_of_others() -> None:
    begun, is_over, told = Event(), Event(), []

    def work(chunk: int) -> None:
        if chunk == 0:  # of the thread that asks, which waits for the helper from here on
            assert begun.wait(10)
            return
        begun.set()
        sleep(0.05)
        pthread_kill(main_thread().ident or 0, SIGINT)
        told.append(is_over.wait(10))

    before = signal(SIGINT, default_int_handler)  # a shell may have it ignored
    try:
        with pytest.raises(KeyboardInterrupt):
            list(map_in_order(work, 2, 2, leaving=is_over.set))
    finally:
        signal(SIGINT, before)
    assert told == [True]
