"""How a fit reports on its way: a bar in a terminal, lines, and scikit-learn's callbacks."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from time import perf_counter
from typing import Any, Final, Protocol, TextIO, TypeVar

from chainrule.engine.monitor import OnIteration, Progress

DELAY: Final[float] = 2.0
"""Seconds that a fit may take before a bar appears."""

Method = TypeVar("Method", bound=Callable[..., Any])

_WIDTH: Final[int] = 24


class Reporter(Protocol):
    """Told the progress, and told when the fit is over."""

    def __call__(self, progress: Progress) -> bool | None:
        """Take note of one iteration; True ends the fit."""

    def close(self) -> None:
        """Take note that the fit is over, however it ended."""


class Bar:
    """A bar that fills with the reads of X, in a terminal, once a fit takes long.

    Parameters
    ----------
    stream : text stream, optional
        Where it is drawn; the standard error by default. Nothing is drawn unless it is a terminal.
    delay : float
    clock : callable
    """

    def __init__(
        self,
        stream: TextIO | None = None,
        *,
        delay: float = DELAY,
        clock: Callable[[], float] = perf_counter,
    ) -> None:
        self._stream = sys.stderr if stream is None else stream
        self._delay, self._clock = delay, clock
        self._start = clock()
        self._drawn = 0

    def __call__(self, progress: Progress) -> None:
        """Draw the bar again."""
        if self._clock() - self._start < self._delay or not self._stream.isatty():
            return
        done, expected = progress.passes, max(progress.expected_passes, progress.passes)
        filled = int(_WIDTH * done / expected) if expected > 0 else 0
        text = (
            f"fit [{'#' * filled}{'.' * (_WIDTH - filled)}] X read {done:.0f} of about "
            f"{expected:.0f} times, gradient {progress.gradient_norm:.2g}"
        )
        self._stream.write("\r" + text.ljust(self._drawn))
        self._stream.flush()
        self._drawn = len(text)

    def close(self) -> None:
        """Wipe the bar out."""
        if self._drawn:
            self._stream.write("\r" + " " * self._drawn + "\r")
            self._stream.flush()
            self._drawn = 0


class Lines:
    """One line an iteration, on the standard output."""

    def __call__(self, progress: Progress) -> None:
        """Print the line."""
        print(f"objective {progress.objective:.12g}  gradient {progress.gradient_norm:.3g}")

    def close(self) -> None:
        """Do nothing: lines stay."""


class Tasks:
    """Forwards the progress to scikit-learn's callbacks (`set_callbacks`, scikit-learn 1.9).

    Every iteration is a task; the last task is the proof.

    Parameters
    ----------
    estimator : object
        Whose callbacks they are.
    context : object
        The context of the whole fit.
    attributes : callable
        Returns what a fitted estimator would hold at the point of a progress.
    """

    def __init__(
        self,
        estimator: Any,  # noqa: ANN401
        context: Any,  # noqa: ANN401
        attributes: Callable[[Progress], dict[str, Any]],
    ) -> None:
        self._estimator, self._context = estimator, context
        self._attributes = attributes
        self._task: Any = None
        self._count = 0
        self._last: dict[str, Any] | None = None

    def __call__(self, progress: Progress) -> bool:
        """End the task of the iteration that led here, and begin the next."""
        here = self._attributes(progress)
        stop = self._end(here) if self._task is not None else False
        self._last = here
        self._begin()
        return stop

    def finish(self, attributes: dict[str, Any], n_iter: int) -> None:
        """End the task of the last iteration with what was fitted, and add that of the proof."""
        while self._count <= max(n_iter, 1):
            if self._task is not None:
                self._end(attributes)
                self._last = attributes
            self._begin()
        self._end(None)

    def close(self) -> None:
        """Do nothing: scikit-learn tears its callbacks down itself."""

    def _begin(self) -> None:
        self._task = self._context.subcontext(task_name="iteration")
        self._task.call_on_fit_task_begin(
            estimator=self._estimator, reconstruction_attributes=self._last
        )
        self._count += 1

    def _end(self, attributes: dict[str, Any] | None) -> bool:
        task, self._task = self._task, None
        return bool(
            task.call_on_fit_task_end(
                estimator=self._estimator, reconstruction_attributes=attributes
            )
        )


class NoCallbacks:
    """Stand-in for scikit-learn's callbacks in versions without them."""

    def _init_callback_context(self, **_: object) -> NoCallbacks:
        return self

    def call_on_fit_task_begin(self, **_: object) -> None:
        """Do nothing."""

    def call_on_fit_task_end(self, **_: object) -> None:
        """Do nothing."""


NOBODY: Final = NoCallbacks()


def is_watched(estimator: Any) -> bool:  # noqa: ANN401
    """Tell whether callbacks of scikit-learn, its own or a meta-estimator's, are to be told."""
    own = bool(getattr(estimator, "_skl_callbacks", None))
    return own or hasattr(estimator, "_parent_callback_ctx")


def same_method(method: Method) -> Method:
    """Return the method as it is."""
    return method


def reporters(verbose: int | None) -> list[Reporter]:
    """Return who reports at this verbosity: None a bar, 0 nobody, more one line an iteration."""
    if verbose is None:
        return [Bar()]
    return [Lines()] if verbose else []


def told_to_all(listeners: Sequence[Reporter]) -> OnIteration | None:
    """Return one callable that tells every listener, and stops if one of them says so."""
    if not listeners:
        return None

    def tell(progress: Progress) -> bool:
        answers = [listener(progress) for listener in listeners]  # all of them are told
        return any(answer is True for answer in answers)

    return tell
