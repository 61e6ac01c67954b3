"""Passes on a cluster: sums over blocks of rows, computed by workers and added in one fixed tree.

A worker holds the rows of some blocks, is sent a point, and returns their partial sums: it adds up
whole subtrees of the tree, and the driver the rest. So the bits do not depend on how many workers
there are, which of them computes what, or who fails.

The scores of the rows stay with the worker that has computed them, for the next pass at the same
point. They are sent only where a solver or a proof needs them; a worker that lacks them computes
them again, by the same pass.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, Final
from weakref import WeakKeyDictionary

import numpy as np

from chainrule.engine.arrays import FloatArray, IntArray
from chainrule.engine.data.sources import InMemorySource
from chainrule.engine.losses.loss import Loss
from chainrule.engine.objective.accumulators import SparseObjective, objective_for
from chainrule.engine.objective.evaluation import Evaluation, Point
from chainrule.engine.objective.objective import Objective
from chainrule.engine.penalties.l2 import L2Penalty
from chainrule.engine.runtime.executors import Partial, TreeSum, add, tree_reduce
from chainrule.engine.runtime.workers import Cluster, current_cluster

_LEAST_BYTES: Final[int] = 2**22
"""Size of X from which sending points and sums takes less time than a pass."""

_FINENESS: Final[int] = 8
"""Parts are equal to within one of so many."""

Stack = list[tuple[int, Partial]]
"""Sums over whole subtrees of blocks, in order, with their numbers of blocks."""


def cluster_for(source: InMemorySource) -> Cluster | None:
    """Return the cluster in use, if there is one and passes over these rows pay there."""
    cluster = current_cluster()
    if cluster is None or not source.can_be_cut or source.n_bytes < _LEAST_BYTES:
        return None
    return cluster


def cluster_passes(source: InMemorySource) -> ClusterPasses | None:
    """Return the passes of the cluster in use, if there is one and it can do them."""
    cluster = cluster_for(source)
    return None if cluster is None else ClusterPasses(cluster)


@dataclass(frozen=True, eq=False)
class Part:
    """Some blocks of rows, as a worker holds them.

    Attributes
    ----------
    source : InMemorySource
        Their rows.
    blocks : range
        Their numbers among the blocks of all rows.
    """

    source: InMemorySource
    blocks: range

    def runs(self) -> Iterator[range]:
        """Yield the blocks as whole subtrees, by their numbers in this part."""
        first = self.blocks.start
        return (range(run.start - first, run.stop - first) for run in subtrees(self.blocks))


@dataclass(frozen=True)
class Problem:
    """The loss and the settings of an objective; its rows and penalty stay elsewhere.

    Attributes
    ----------
    loss : Loss
    fit_intercept : bool
    columns : ndarray or None
        The free columns.
    """

    loss: Loss
    fit_intercept: bool
    columns: IntArray | None

    def on(self, rows: InMemorySource) -> Objective:
        """Return the objective of some rows, without a penalty."""
        return objective_for(
            rows,
            self.loss,
            L2Penalty(np.zeros(rows.n_features)),
            fit_intercept=self.fit_intercept,
            columns=self.columns,
        )


@dataclass(frozen=True, eq=False)
class WorkerScores:
    """The raw predictions at a point, held by workers and fetched when they are called for."""

    passes: ClusterPasses
    objective: Objective
    point: Point

    def __call__(self) -> FloatArray:
        """Return the raw predictions, (n_samples, n_outputs)."""
        objective = self.objective
        return self.passes.rows(objective, scores_of, self.point, objective.loss.n_outputs)


class ClusterPasses:
    """Passes of an objective on the workers of a cluster.

    Parameters
    ----------
    cluster : Cluster
    """

    def __init__(self, cluster: Cluster) -> None:
        self._cluster = cluster

    def sums(
        self, objective: Objective, point: Point, *, with_hessian: bool, keep: bool
    ) -> Partial:
        """Return the sums of a pass, in the fixed order; workers keep the scores on demand."""
        return self._added(objective, partial_sums, point, with_hessian, keep)

    def scores(self, objective: Objective, point: Point) -> WorkerScores:
        """Return what fetches the raw predictions at a point that was kept."""
        return WorkerScores(self, objective, point)

    def holds(self, at: Evaluation) -> bool:
        """Tell whether workers hold the raw predictions of an evaluation."""
        return isinstance(at.scores, WorkerScores)

    def bends(self, objective: Objective, point: Point) -> FloatArray:
        """Return the curvatures that a pass over sparse rows has found at a point."""
        return self.rows(objective, bends_of, point, 1)[:, 0]

    def changes(self, objective: Objective, direction: Point) -> FloatArray:
        """Return the change of raw prediction along a direction."""
        return self.rows(objective, changes_of, direction, objective.loss.n_outputs)

    def sums_at(
        self,
        objective: Objective,
        at: Evaluation,
        function: Callable[..., Partial],
        arguments: Sequence[Any],
    ) -> Partial:
        """Return the sum of a function of blocks and their scores, which are held here."""
        assert isinstance(at.scores, WorkerScores)
        return self._added(objective, sums_with_scores, at.scores.point, function, *arguments)

    def rows(
        self,
        objective: Objective,
        function: Callable[[Part, Problem, Point], FloatArray],
        point: Point,
        width: int,
    ) -> FloatArray:
        """Return a table with the rows of all parts."""
        found = np.empty((objective.source.n_samples, width), order="F")
        start = 0
        for table in self._mapped(objective, function, point):
            found[start : start + len(table)] = table
            start += len(table)
        return found

    def note(self, objective: Objective) -> str:
        """Return what a pass sends and receives, as a phrase for `explain`."""
        groups = groups_of(objective.source.n_blocks, self._cluster.n_parts())
        point = 8 * objective.loss.n_outputs * (objective.source.n_features + 1)
        back = sum(len(subtrees(group)) for group in groups) * (point + 8)
        return (
            f"passes run on a cluster, in {len(groups)} parts: {len(groups) * point * 1e-3:.3g} kB "
            f"out and {back * 1e-3:.3g} kB back per gradient, X stays where it is"
        )

    def _mapped(
        self,
        objective: Objective,
        function: Callable[..., Any],
        *arguments: Any,  # noqa: ANN401
    ) -> Sequence[Any]:
        problem = Problem(objective.loss, objective.fit_intercept, objective.columns)
        return mapped(self._cluster, objective.source, function, problem, *arguments)

    def _added(
        self,
        objective: Objective,
        function: Callable[..., Stack],
        *arguments: Any,  # noqa: ANN401
    ) -> Partial:
        return added(self._mapped(objective, function, *arguments))


def mapped(
    cluster: Cluster,
    source: InMemorySource,
    function: Callable[..., Any],
    *arguments: Any,  # noqa: ANN401
) -> Sequence[Any]:
    """Return ``function(part, *arguments)`` for each part of some rows, in order."""

    def parts(count: int) -> Iterator[Part]:
        return (Part(source.part(group), group) for group in groups_of(source.n_blocks, count))

    return cluster.map(source, parts, function, *arguments)


def added(stacks: Iterable[Stack]) -> Partial:
    """Return the sum over all parts, in the fixed order."""
    tree = TreeSum(add)
    for stack in stacks:
        for size, partial in stack:
            tree.add(partial, size)
    return tree.result()


_kept: Final[WeakKeyDictionary[Part, tuple[bytes, FloatArray]]] = WeakKeyDictionary()
"""On a worker: the last table of scores of each part, by its point."""


def partial_sums(
    part: Part, problem: Problem, point: Point, with_hessian: bool, keep: bool
) -> Stack:
    """Return the sums of value, gradient and, on demand, Hessian over the blocks of a part."""
    objective, size = problem.on(part.source), part.source.n_samples
    if isinstance(objective, SparseObjective) and not with_hessian:
        return _sparse_sums(part, problem, point)
    table = np.empty((size, problem.loss.n_outputs), order="F") if keep else None
    found = stack_of(
        part, lambda k: objective.block_sums(k, point, table, with_hessian=with_hessian)
    )
    if table is not None:
        _kept[part] = _key(point), table
    return found


def _sparse_sums(part: Part, problem: Problem, point: Point) -> Stack:
    """Return the sums of value and gradient; scores and curvatures are kept."""
    source, found = part.source, []
    table = np.empty((source.n_samples, 2), order="F")
    for run in part.runs():
        objective = problem.on(source.part(run))
        assert isinstance(objective, SparseObjective)
        rows = slice(source.rows(run[0]).start, source.rows(run[-1]).stop)
        sums = objective.gradient_sums(point, table[rows, 0], table[rows, 1])
        found.append((len(run), sums))
    _kept[part] = _key(point), table
    return found


def sums_with_scores(
    part: Part,
    problem: Problem,
    point: Point,
    function: Callable[..., Partial],
    *arguments: Any,  # noqa: ANN401
) -> Stack:
    """Return the sums of ``function(objective, block, scores, *arguments)`` over blocks."""
    objective, source = problem.on(part.source), part.source
    scores = scores_of(part, problem, point)

    def one(index: int) -> Partial:
        block = source.block(index)
        return function(objective, block, scores[block.rows], *arguments)

    return stack_of(part, one)


def scores_of(part: Part, problem: Problem, point: Point) -> FloatArray:
    """Return the raw predictions of a part: those that are kept, or by the same pass again."""
    return _table_of(part, problem, point)[:, : problem.loss.n_outputs]


def bends_of(part: Part, problem: Problem, point: Point) -> FloatArray:
    """Return the weighted curvature of each example, where the pass over sparse rows has it."""
    return _table_of(part, problem, point)[:, problem.loss.n_outputs :]


def changes_of(part: Part, problem: Problem, direction: Point) -> FloatArray:
    """Return the change of raw prediction along a direction."""
    return problem.on(part.source).raw_direction(direction)


def _table_of(part: Part, problem: Problem, point: Point) -> FloatArray:
    kept = _kept.get(part)
    if kept is None or kept[0] != _key(point):
        partial_sums(part, problem, point, False, True)
        kept = _kept[part]
    return kept[1]


def stack_of(part: Part, function: Callable[[int], Partial]) -> Stack:
    """Return the sum of a function of blocks, for each whole subtree."""
    return [(len(run), tree_reduce(map(function, run), add)) for run in part.runs()]


def _key(point: Point) -> bytes:
    return point.coef.tobytes() + point.intercept.tobytes()


def groups_of(n_blocks: int, n_parts: int) -> Sequence[range]:
    """Return all blocks in about equal ranges that begin at multiples of one power of two."""
    unit = 2 ** (max(1, n_blocks // (_FINENESS * max(1, n_parts))).bit_length() - 1)
    n_units = -(-n_blocks // unit)
    count = min(max(1, n_parts), n_units)
    bounds = [min(n_blocks, n_units * k // count * unit) for k in range(count + 1)]
    return [range(*pair) for pair in pairwise(bounds)]


def subtrees(blocks: range) -> Sequence[range]:
    """Return a range of blocks as whole subtrees of the tree over all blocks, in order."""
    found, start = [], blocks.start
    while start < blocks.stop:
        size = start & -start or 2 ** blocks.stop.bit_length()
        while start + size > blocks.stop:
            size //= 2
        found.append(range(start, start + size))
        start += size
    return found
