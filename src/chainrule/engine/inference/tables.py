"""A small table of named columns: what inference answers with; pandas is asked for, not needed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from importlib import import_module
from typing import Any

import numpy.typing as npt

Column = npt.NDArray[Any]


@dataclass(frozen=True)
class Table:
    """Named columns of equal length.

    Attributes
    ----------
    columns : mapping of str to ndarray

    Examples
    --------
    >>> import numpy as np
    >>> table = Table({"term": np.array(["a", "b"]), "estimate": np.array([1.5, -2.0])})
    >>> table["estimate"].sum()
    np.float64(-0.5)
    >>> print(table)
    term  estimate
    a          1.5
    b           -2
    """

    columns: Mapping[str, Column]

    def __getitem__(self, name: str) -> Column:
        return self.columns[name]

    def __len__(self) -> int:
        return len(next(iter(self.columns.values())))

    def rows(self) -> Iterator[dict[str, Any]]:
        """Yield the rows as dictionaries."""
        for k in range(len(self)):
            yield {name: column[k] for name, column in self.columns.items()}

    def to_pandas(self) -> Any:  # noqa: ANN401
        """Return a pandas data frame.

        Raises
        ------
        ImportError
            When pandas is not installed.
        """
        return import_module("pandas").DataFrame(dict(self.columns))

    def __str__(self) -> str:
        cells = {name: [_shown(v) for v in column] for name, column in self.columns.items()}
        widths = {n: max(len(n), *map(len, c)) if c else len(n) for n, c in cells.items()}
        is_text = {n: c.dtype.kind in "USO" for n, c in self.columns.items()}

        def line(values: Mapping[str, str]) -> str:
            return "  ".join(
                values[n].ljust(widths[n]) if is_text[n] else values[n].rjust(widths[n])
                for n in cells
            ).rstrip()

        lines = [line({n: n for n in cells})]
        lines += [line({n: c[k] for n, c in cells.items()}) for k in range(len(self))]
        return "\n".join(lines)


def _shown(value: Any) -> str:  # noqa: ANN401
    return value if isinstance(value, str) else f"{value:.6g}"
