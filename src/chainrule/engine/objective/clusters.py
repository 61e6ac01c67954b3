"""Passes on a cluster: sums over blocks of rows, computed by workers and added in one fixed tree.

A worker holds the rows of some blocks, is sent a point, and returns their partial sums. The parts
begin at multiples of a power of two of blocks, so that a worker adds up whole subtrees, and the
driver the rest: the bits do not depend on how many workers there are, which of them computes what,
or who fails.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

import numpy as np

from chainrule.engine.arrays import FloatArray, IntArray
from chainrule.engine.data.sources import InMemorySource
from chainrule.engine.losses.loss import Loss
from chainrule.engine.objective.evaluation import Point
from chainrule.engine.objective.objective import Objective
from chainrule.engine.penalties.l2 import L2Penalty
from chainrule.engine.runtime.executors import Partial, TreeSum, add
from chainrule.engine.runtime.workers import Cluster, current_cluster

_LEAST_BYTES: Final[int] = 2**22
"""Size of X from which sending points and sums takes less time than a pass."""

Sums = tuple[list[tuple[int, Partial]], FloatArray | None]
"""Partial sums with their numbers of blocks; and the raw predictions of the rows, if asked for."""


def cluster_passes(source: InMemorySource) -> ClusterPasses | None:
    """Return the passes of the cluster in use, if there is one and it can do them."""
    cluster = current_cluster()
    if cluster is None or not source.is_dense or source.n_bytes < _LEAST_BYTES:
        return None
    return ClusterPasses(cluster)


class ClusterPasses:
    """Passes of an objective on the workers of a cluster.

    Parameters
    ----------
    cluster : Cluster
    """

    def __init__(self, cluster: Cluster) -> None:
        self._cluster = cluster

    def sums(
        self,
        objective: Objective,
        point: Point,
        table: FloatArray | None = None,
        *,
        with_hessian: bool,
    ) -> Partial:
        """Return the sums of a pass, in the fixed order, and fill in raw predictions."""
        source = objective.source

        def parts(count: int) -> Iterator[InMemorySource]:
            return (source.part(group) for group in groups_of(source.n_blocks, count))

        problem = objective.loss, objective.fit_intercept, objective.columns
        with_table = table is not None
        found = self._cluster.map(
            source, parts, partial_sums, *problem, point, with_hessian, with_table
        )
        tree, start = TreeSum(add), 0
        for stack, raw in found:
            for size, partial in stack:
                tree.add(partial, size)
            if table is not None:
                table[start : start + len(raw)] = raw
                start += len(raw)
        return tree.result()

    def note(self, objective: Objective) -> str:
        """Return what a pass sends and receives, as a phrase for `explain`."""
        groups = len(groups_of(objective.source.n_blocks, self._cluster.n_parts()))
        out = 8 * objective.loss.n_outputs * (objective.source.n_features + 1)
        return (
            f"passes run on a cluster, in {groups} parts: {groups * out * 1e-3:.3g} kB out and "
            f"{groups * (out + 8) * 1e-3:.3g} kB back per gradient, X stays where it is"
        )


def partial_sums(
    part: InMemorySource,
    loss: Loss,
    fit_intercept: bool,
    columns: IntArray | None,
    point: Point,
    with_hessian: bool,
    with_table: bool,
) -> Sums:
    """Return the partial sums of the blocks of a part: one, if they are a whole subtree."""
    objective = Objective(
        part,
        loss,
        L2Penalty(np.zeros(part.n_features)),
        fit_intercept=fit_intercept,
        columns=columns,
    )
    table = np.empty((part.n_samples, loss.n_outputs), order="F") if with_table else None
    tree = TreeSum(add)
    for index in range(part.n_blocks):
        tree.add(objective.block_sums(index, point, table, with_hessian=with_hessian))
    return tree.stack, table


def groups_of(n_blocks: int, n_parts: int) -> Sequence[range]:
    """Return all blocks in ranges that begin at multiples of one power of two, their size."""
    most = max(1, n_blocks // max(1, n_parts))
    size = 2 ** (most.bit_length() - 1)
    return [range(start, min(start + size, n_blocks)) for start in range(0, n_blocks, size)]
