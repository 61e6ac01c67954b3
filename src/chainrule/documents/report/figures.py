"""The numbers behind figures, as CSV."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Sequence

from chainrule.documents.blocks import Data


def data_of(name: str, head: Sequence[str], rows: Iterable[Sequence[object]]) -> Data:
    """Return rows as CSV, numbers with all their digits.

    >>> data_of("a.csv", ["x", "y"], [(1.5, "b")]).text.split()
    ['x,y', '1.5,b']
    """
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(head)
    writer.writerows(rows)
    return Data(name, out.getvalue())
