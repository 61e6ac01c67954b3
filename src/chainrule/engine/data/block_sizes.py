"""How many rows a block holds: by the shape of the data alone, so that fits keep their bits.

Compiled passes over sparse rows count entries instead (`fused_sparse_blocks.rows_per_block`).
"""

from __future__ import annotations

from typing import Final

import numpy as np

_BLOCK_BYTES: Final[int] = 2**22
_FUSED_BYTES: Final[int] = 2**24
_LEAST_BLOCKS: Final[int] = 16
_LEAST_ENTRIES: Final[int] = 2**17
_MOST_ROWS: Final[int] = 2**16
_TABLED_ROWS: Final[tuple[int, int]] = (2**11, 2**13)
_CLASS_PRODUCTS: Final[int] = 2**20


def common_rows_per_block(
    n_samples: int,
    n_features: int,
    n_classes: int,
    *,
    is_dense: bool,
    is_fused: bool,
    is_scattered: bool,
) -> int:
    """Return the rows of a block: a power of two.

    Parameters
    ----------
    n_samples, n_features, n_classes : int
    is_dense : bool
    is_fused : bool
        Whether compiled passes read the rows in place.
    is_scattered : bool
        Whether each block is gathered from rows that lie apart.
    """
    per_row = max(1, n_features) * 8
    block_bytes = _FUSED_BYTES if is_fused and not is_scattered else _BLOCK_BYTES
    rows = 2 ** int(np.log2(max(1, block_bytes // per_row)))
    if is_fused and n_classes == 2:
        # compiled passes keep nothing a row: blocks so many that threads end together, but so
        # large that neither Python nor a Hessian a block counts
        least = max(256, _LEAST_ENTRIES / max(1, n_features), 4 * n_features)
        most = 2 ** int(np.ceil(np.log2(max(n_samples / _LEAST_BLOCKS, least))))
        return int(min(max(rows, 2 ** int(np.ceil(np.log2(least)))), most, _MOST_ROWS))
    if is_dense and n_classes > 2:
        # so many blocks that threads end together, so large that Python does not count
        most = 2 ** int(np.ceil(np.log2(max(1, n_samples / _LEAST_BLOCKS))))
        fewest, longest = _TABLED_ROWS
        if is_fused:
            work = _CLASS_PRODUCTS // (max(1, n_features) * n_classes)
            fewest = 2 ** int(np.log2(np.clip(work, 256, longest)))
            return int(np.clip(rows, fewest, np.clip(most, fewest, longest)))
        return int(np.clip(rows, 256, np.clip(most, fewest, longest)))
    # vectors over the rows of a block stay in the cache, and below what malloc maps afresh
    most = max(256, 2 ** int(np.log2(8192 / max(1, n_classes - 1))))
    return int(max(256, min(rows, most)))
