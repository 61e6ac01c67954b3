"""Worker processes: each runs the calls of one tab, and is killed when a call takes too long.

A call keeps no state, so a new tab is given the worker of a tab that waits for nothing, and that
tab another one when it calls again. Each has a worker of its own only while several call at once.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import sys
from collections import OrderedDict

from chainrule.board.coding import encoded
from chainrule.board.schema import Failure

SECONDS = 5.0
"""The most seconds of one call."""

START_SECONDS = 60.0
"""The most seconds until a worker is ready."""

MOST_TABS = 6
"""The most tabs whose calls run at once."""

MOST_WAITING = 32
"""The most calls of one tab that wait; the next one is refused."""

LONGEST_ANSWER = 32 * 2**20


class Worker:
    """One process; calls run one after the other."""

    def __init__(self) -> None:
        self.lock = asyncio.Lock()
        self.waiting = 0
        self.process: asyncio.subprocess.Process | None = None
        self._starting = asyncio.ensure_future(self._start())

    async def _start(self) -> None:
        threads = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"}
        self.process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "chainrule.board.worker",
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            env=os.environ | threads,
            limit=LONGEST_ANSWER,
        )
        assert self.process.stdout is not None
        await asyncio.wait_for(self.process.stdout.readline(), START_SECONDS)

    async def call(self, name: object, args: object, seconds: float) -> bytes | None:
        """Run a call and return its answer, a line of JSON; None when there was none in time."""
        await asyncio.shield(self._starting)
        process = self.process
        assert process is not None
        assert process.stdin is not None
        assert process.stdout is not None
        try:
            process.stdin.write(json.dumps({"call": name, "args": args}).encode() + b"\n")
            await process.stdin.drain()
            line = await asyncio.wait_for(process.stdout.readline(), seconds)
            return line if line.endswith(b"\n") else None
        except (TimeoutError, OSError, ValueError, asyncio.LimitOverrunError):
            return None

    async def stop(self) -> None:
        """Kill the process and wait until it is gone."""
        self._starting.cancel()
        with contextlib.suppress(asyncio.CancelledError, OSError, TimeoutError):
            await self._starting
        if self.process is not None and self.process.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                self.process.kill()
            await self.process.wait()


class Pool:
    """The workers of all tabs.

    Parameters
    ----------
    seconds : float, optional
        The most seconds of one call.
    """

    def __init__(self, seconds: float = SECONDS) -> None:
        self.seconds = seconds
        self.workers: OrderedDict[str, Worker] = OrderedDict()
        self._spare: Worker | None = None
        self._stopping: set[asyncio.Task[None]] = set()

    def start(self) -> None:
        """Start the spare worker, so that the first call finds it ready."""
        self._spare = Worker()

    async def call(self, tab: str, name: object, args: object) -> bytes:
        """Run a call in the worker of a tab; the answer is an object of JSON, passed on unread."""
        worker = self._of(tab)
        if worker.waiting >= MOST_WAITING:
            return _error("busy", "too many calls are waiting; wait for the answers")
        worker.waiting += 1
        try:
            async with worker.lock:
                found = await worker.call(name, args, self.seconds)
                if found is None and self.workers.get(tab) is worker:
                    del self.workers[tab]
                    self._end(worker)
        finally:
            worker.waiting -= 1
        if found is not None:
            return found
        return _error(
            "timeout",
            f"this took longer than {self.seconds:g} seconds and was stopped; choose smaller "
            "sizes, or split the forward pass",
        )

    async def stop(self) -> None:
        """End every worker."""
        for worker in (*self.workers.values(), *([self._spare] if self._spare else [])):
            self._end(worker)
        self.workers.clear()
        self._spare = None
        await asyncio.gather(*self._stopping, return_exceptions=True)

    def _of(self, tab: str) -> Worker:
        """Return the worker of a tab, a new tab's from the tab that was quiet longest."""
        if tab in self.workers:
            self.workers.move_to_end(tab)
            return self.workers[tab]
        idle = next((one for one, worker in self.workers.items() if not worker.waiting), None)
        if idle is not None:
            self.workers[tab] = self.workers.pop(idle)
            return self.workers[tab]
        while len(self.workers) >= MOST_TABS:
            _, oldest = self.workers.popitem(last=False)
            self._end(oldest)
        worker = self.workers[tab] = self._spare or Worker()
        self._spare = Worker()
        return worker

    def _end(self, worker: Worker) -> None:
        task = asyncio.ensure_future(worker.stop())
        self._stopping.add(task)
        task.add_done_callback(self._stopping.discard)


def _error(kind: str, message: str) -> bytes:
    return json.dumps({"error": encoded(Failure(kind, message))}).encode()
