"""Cost of a fit to rows in files: reads, bytes, seconds and memory, by counting what it does.

The counts are those of the sampled start: a gradient on all rows per read, curvatures of a
sixteenth of them. Seconds follow from rates that the caller measures or assumes.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from chainrule.engine.data.block_sizes import common_rows_per_block
from chainrule.engine.objective.clusters import groups_of, subtrees
from chainrule.engine.runtime.workers import PARTS_PER_THREAD
from chainrule.engine.solvers.limits import FRACTIONS

READS = 5.0
"""Reads of all rows in a fit from a sampled start: samples, and four gradients."""

_NUMBER = 8
_VECTORS = 3


@dataclass(frozen=True)
class Rates:
    """Speeds of a machine per second.

    Attributes
    ----------
    disk : float
        Bytes that one worker reads.
    entries : float
        Entries of X that one worker takes through a gradient.
    products : float
        Multiplications and additions of a Hessian, in the driver.
    network : float
        Bytes that the driver receives.
    latency : float
        Seconds, not per second: what one part costs the driver in each read, to send and receive.
    samples : float
        Bytes per second of the rows of samples: picked from the file, sent, and put together.
    """

    disk: float = 2e9
    entries: float = 1e9
    products: float = 5e10
    network: float = 1e9
    latency: float = 1e-3
    samples: float = 5e8


@dataclass(frozen=True)
class StreamCost:
    """The expected cost of a fit.

    Attributes
    ----------
    bytes_per_read : float
    seconds_of_reads, seconds_of_samples : float
        Reading all rows and computing gradients; Hessians of the samples, in the driver.
    seconds_of_network : float
        Parts and partial sums of all reads, targets, and the largest sample; 0 without workers.
    bytes_per_pass : float
        What travels from the workers to the driver in a pass; 0 without workers.
    driver_bytes : float
        Memory of the driver: vectors over the rows, Hessians, and a block of rows.
    sample_bytes : float
        The largest sample, in memory or in a file of the driver.
    """

    bytes_per_read: float
    seconds_of_reads: float
    seconds_of_samples: float
    seconds_of_network: float
    bytes_per_pass: float
    driver_bytes: float
    sample_bytes: float

    @property
    def seconds(self) -> float:
        """All seconds, without the conversion."""
        return self.seconds_of_reads + self.seconds_of_samples + self.seconds_of_network


def stream_cost(
    n_rows: float, n_columns: int, n_workers: int = 0, rates: Rates | None = None
) -> StreamCost:
    """Return what a fit of two classes takes.

    Parameters
    ----------
    n_rows : float
    n_columns : int
    n_workers : int
        Workers of a cluster; 0 for this machine alone.
    rates : Rates, optional
    """
    rates = rates or Rates()
    machines, entries = max(1, n_workers), n_rows * n_columns
    size = _NUMBER * entries
    one = max(size / rates.disk, entries / rates.entries) / machines
    travels = network = 0.0
    sample = size / FRACTIONS[-1]
    if n_workers:
        kind = {"is_dense": True, "is_fused": True, "is_scattered": False}
        blocks = -(-int(n_rows) // common_rows_per_block(int(n_rows), n_columns, 2, **kind))
        groups = groups_of(blocks, PARTS_PER_THREAD * n_workers)
        partials = sum(len(subtrees(group)) for group in groups)
        travels = partials * _NUMBER * (n_columns + 2.0)
        once = _NUMBER * n_rows / rates.network + sample / rates.samples
        network = READS * (travels / rates.network + len(groups) * rates.latency) + once
    drawn = sum(n_rows / fraction for fraction in FRACTIONS)
    return StreamCost(
        size,
        READS * one,
        drawn * n_columns**2 / rates.products,
        network,
        travels,
        _VECTORS * _NUMBER * n_rows + 4 * _NUMBER * n_columns**2 + 2**24,
        sample,
    )


def cost_table(cases: Sequence[tuple[float, int, int]], rates: Rates | None = None) -> str:
    """Return the costs of some cases (rows, columns, workers) as a table of text."""
    head = (
        *("rows", "columns", "workers", "GB/read", "reads s"),
        *("samples s", "network s", "kB/pass", "driver GB", "sample GB"),
    )
    lines = ["".join(f"{word:>11}" for word in head)]
    for n_rows, n_columns, n_workers in cases:
        cost = stream_cost(n_rows, n_columns, n_workers, rates)
        cells = (
            f"{n_rows:.3g}",
            str(n_columns),
            str(n_workers or "-"),
            f"{cost.bytes_per_read * 1e-9:.4g}",
            f"{cost.seconds_of_reads:.3g}",
            f"{cost.seconds_of_samples:.2g}",
            f"{cost.seconds_of_network:.2g}" if n_workers else "-",
            f"{cost.bytes_per_pass * 1e-3:.3g}" if n_workers else "-",
            f"{cost.driver_bytes * 1e-9:.2g}",
            f"{cost.sample_bytes * 1e-9:.2g}",
        )
        lines.append("".join(f"{cell:>11}" for cell in cells))
    return "\n".join(lines)
