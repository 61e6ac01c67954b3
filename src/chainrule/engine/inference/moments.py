"""Sums over the rows that covariances are made of: information, squares of scores, clusters.

Sums go block by block in a fixed tree, so the numbers are the same for any number of threads.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from chainrule.engine.arrays import FloatArray, IntArray
from chainrule.engine.inference.design import Design, Piece
from chainrule.engine.inference.likelihoods import Likelihood, RowTerms
from chainrule.engine.objective.clusters import Part, Stack, added, cluster_for, mapped, stack_of
from chainrule.engine.runtime.executors import Partial, sum_over_chunks
from chainrule.engine.runtime.machine import single_threaded_algebra

PieceSum = Callable[..., Partial]
"""(estimate, piece, *arguments) -> sums of some arrays."""


@dataclass(frozen=True)
class Estimate:
    """A fitted model at its rows.

    Attributes
    ----------
    design : Design
    likelihood : Likelihood
    parameters : ndarray of shape (n_terms, n_outputs)
        In the units of the design.
    n_threads : int
    weights : ndarray of shape (n_rows,), optional
        In place of those of the source.
    targets : ndarray of shape (n_rows,) or (n_rows, n_classes), optional
        In place of those of the source.
    """

    design: Design
    likelihood: Likelihood
    parameters: FloatArray
    n_threads: int = 1
    weights: FloatArray | None = None
    targets: FloatArray | None = None

    def scores(self, piece: Piece) -> FloatArray:
        """Return the scores of a piece, shape (n_rows, n_outputs)."""
        return piece.design @ self.parameters + piece.offset

    def terms(self, piece: Piece) -> RowTerms:
        """Return what the rows of a piece add."""
        return self.likelihood.terms(self.scores(piece), piece.y)

    def sums_of(self, function: PieceSum, *arguments: Any) -> Partial:  # noqa: ANN401
        """Return the sums of ``function(estimate, piece, *arguments)`` over all pieces.

        The function belongs to a module: workers of a cluster are sent its name.
        """
        source = self.design.source
        cluster = None if self.weights is not None else cluster_for(source)
        if cluster is None or self.targets is not None:
            return self.sums(lambda piece: function(self, piece, *arguments))
        bare = replace(self, design=self.design.on(None))
        return added(mapped(cluster, source, _sums_of_part, bare, function, *arguments))

    def block_sums(self, index: int, part: Callable[[Piece], Partial]) -> Partial:
        """Return the sums of some arrays over the pieces of a block."""
        total: Partial | None = None
        for piece in self._pieces(index):
            found = part(piece)
            total = found if total is None else tuple(map(np.add, total, found))
        assert total is not None
        return total

    def sums(self, part: Callable[[Piece], Partial]) -> Partial:
        """Return the sums of some arrays over all pieces."""

        def of_block(index: int) -> Partial:
            return self.block_sums(index, part)

        with ExitStack() as stack:
            stack.enter_context(np.errstate(over="ignore", under="ignore"))
            if self.n_threads > 1:
                stack.enter_context(single_threaded_algebra())
            return sum_over_chunks(of_block, self.design.source.n_blocks, self.n_threads)

    def pieces(self) -> Iterator[Piece]:
        """Yield all rows in order."""
        for index in range(self.design.source.n_blocks):
            yield from self._pieces(index)

    def _pieces(self, index: int) -> Iterator[Piece]:
        for piece in self.design.pieces(index):
            changed: dict[str, FloatArray] = {}
            if self.weights is not None:
                changed["weight"] = self.weights[piece.rows]
            if self.targets is not None:
                changed["y"] = self.targets[piece.rows]
            yield replace(piece, **changed) if changed else piece  # type: ignore[arg-type]


def _sums_of_part(
    rows: Part,
    estimate: Estimate,
    function: PieceSum,
    *arguments: Any,  # noqa: ANN401
) -> Stack:
    """Return the sums of a function of pieces over the blocks of a part, on a worker."""
    here = replace(estimate, design=estimate.design.on(rows.source))
    return stack_of(
        rows,
        lambda index: here.block_sums(index, lambda piece: function(here, piece, *arguments)),
    )


def gram(design: FloatArray, weights: FloatArray) -> FloatArray:
    """Return design^T diag(weights) design, symmetric up to rounding.

    Of weights that are not negative it is the square of one matrix, which BLAS computes in half the
    time.
    """
    if (weights >= 0).all():
        scaled = design * np.sqrt(weights)[:, None]
        return np.asarray(scaled.T @ scaled)
    return np.asarray(design.T @ (design * weights[:, None]))


def grams(design: FloatArray, tables: FloatArray) -> FloatArray:
    """Return sum_i tables_i (x) x_i x_i^T, (n_outputs n_terms) squared, output by output."""
    n_outputs, n_terms = tables.shape[1], design.shape[1]
    if n_outputs == 1:
        return gram(design, tables[:, 0, 0])
    found = np.empty((n_outputs, n_terms, n_outputs, n_terms))
    for a in range(n_outputs):
        for b in range(a + 1):
            block = gram(design, tables[:, a, b])
            found[a, :, b, :] = block
            found[b, :, a, :] = block.T
    return found.reshape(n_outputs * n_terms, n_outputs * n_terms)


def scores_of(design: FloatArray, slope: FloatArray) -> FloatArray:
    """Return the score vector of each row, shape (n_rows, n_outputs n_terms)."""
    return (slope[:, :, None] * design[:, None, :]).reshape(len(design), -1)


def cluster_sums(estimate: Estimate, codes: IntArray, n_clusters: int) -> FloatArray:
    """Return the sums of the rows' score vectors by cluster, (n_clusters, n_parameters)."""
    total: FloatArray | None = None
    for piece in estimate.pieces():
        vectors = scores_of(piece.design, estimate.terms(piece).slope * piece.weight[:, None])
        here = codes[piece.rows]
        order = np.argsort(here, kind="stable")
        firsts = np.flatnonzero(np.diff(here[order], prepend=-1))
        if total is None:
            total = np.zeros((n_clusters, vectors.shape[1]))
        total[here[order][firsts]] += np.add.reduceat(vectors[order], firsts, axis=0)
    assert total is not None
    return total
