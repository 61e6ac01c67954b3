"""A benchmark as data: its problems, its solvers, and where its results go."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from benchmarks.engine.peers import Peer
    from benchmarks.engine.problems import Problem
    from benchmarks.engine.runner import Runner

ROOT: Final = Path(__file__).parents[2]


def _nothing(_: list[dict[str, Any]]) -> Iterator[str]:
    yield from ()


@dataclass(frozen=True)
class Suite:
    """What is compared with what.

    Attributes
    ----------
    name : str
        Of the package below ``benchmarks``, of its page in ``docs``, of its make target.
    title : str
        Heading of the page.
    baseline : str
        The peer that all others are compared with.
    peers, problems : mapping
        By name, in the order of what a run short of time should do first.
    lambdas : tuple of str
        Strengths of the penalty: numbers, or numbers per row such as '1e-3m'.
    premise : str
        What the page says about the measure beyond what all pages say.
    references : mapping
        Fits, measured first and not compared, that may supply the lowest objective.
    before : callable or None
        Measures once, before all fits.
    once : callable or None
        (runner, problem) -> None; measures once per problem, before its fits.
    more : callable
        Records -> the lines of further sections.
    """

    name: str
    title: str
    baseline: str
    peers: Mapping[str, Peer]
    problems: Mapping[str, Problem]
    lambdas: tuple[str, ...] = ("1", "1e-3m", "0")
    premise: str = ""
    references: Mapping[str, Peer] = field(default_factory=dict)
    before: Callable[[Runner], None] | None = None
    once: Callable[[Runner, Problem], None] | None = None
    more: Callable[[list[dict[str, Any]]], Iterator[str]] = _nothing

    @property
    def kinds(self) -> tuple[str, ...]:
        """The kinds of its problems, in their order."""
        return tuple(dict.fromkeys(problem.kind for problem in self.problems.values()))

    @property
    def worker(self) -> str:
        """The module that does one job in a process of its own."""
        return f"benchmarks.{self.name}.worker"

    @property
    def log(self) -> Path:
        """The file of its measurements."""
        return ROOT / "benchmarks" / self.name / "runs.jsonl"

    @property
    def image(self) -> str:
        """Its plot, relative to ``docs``."""
        return f"images/{self.name}.png"
