"""A client of Dask as the engine uses it, with workers in this process."""

from __future__ import annotations

import pickle
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import numpy as np

from chainrule.engine.runtime.workers import Piece


class LostError(Exception):
    """What a scheduler raises when a worker is lost."""


LostError.__module__ = "distributed.scheduler"


class Client:
    """A client whose workers are in this process, see pickles only, and may be lost.

    Parameters
    ----------
    n_threads : int
    lost : int
        How many maps lose a worker.
    forgets : bool
        Whether workers unpack a piece for every task, as those do that have just joined.
    """

    def __init__(self, n_threads: int, lost: int = 0, *, forgets: bool = False) -> None:
        self.n_threads, self.lost, self._forgets = n_threads, lost, forgets
        self.sets: list[int] = []

    def scheduler_info(self, n_workers: int = 5) -> Any:
        return {"workers": {f"tcp://{k}": {"nthreads": 1} for k in range(self.n_threads)}}

    def scatter(
        self, data: Sequence[Piece], *, hash: bool, timeout: float
    ) -> list[Callable[[], Piece]]:
        self.sets.append(len(data))
        sent = [pickle.dumps(piece) for piece in data]
        if self._forgets:
            return [partial(pickle.loads, piece) for piece in sent]
        held = [pickle.loads(piece) for piece in sent]
        return [partial(_same, piece) for piece in held]

    def map(
        self, function: Any, pieces: Sequence[Callable[[], Piece]], *, pure: bool
    ) -> list[Callable[[], Any]]:
        sent = pickle.dumps(function)
        return [partial(_applied, sent, piece) for piece in pieces]

    def gather(self, futures: Sequence[Callable[[], Any]]) -> list[Any]:
        if self.lost:
            self.lost -= 1
            raise LostError("a worker died")
        order = np.random.default_rng(0).permutation(len(futures))
        done = {int(k): futures[k]() for k in order}
        return [done[k] for k in range(len(futures))]


Client.__module__ = "distributed.client"


def _same(piece: Piece) -> Piece:
    return piece


def _applied(function: bytes, piece: Callable[[], Piece]) -> Any:
    return pickle.loads(pickle.dumps(pickle.loads(function)(piece())))
