"""The rules of the collapse: one entry each."""

from __future__ import annotations

from typing import NamedTuple


class CollapseRule(NamedTuple):
    """One rule: its name, and the reason why it holds."""

    name: str
    because: str


ELEMENTWISE = CollapseRule(
    "same indices: elementwise product",
    "both factors carry the same index, so their entries meet one by one",
)
PRODUCT = CollapseRule(
    "sum over two factors: matrix product",
    "the summed index sits on exactly two factors, which is what a matrix product adds up",
)
TURNED_PRODUCT = CollapseRule(
    PRODUCT.name,
    f"{PRODUCT.because}; the transpose goes where the index sits on the wrong side",
)
ONES = CollapseRule(
    "sum over one factor: times a vector of ones",
    "the summed index sits on one factor alone; multiplying by a vector of ones adds its entries",
)
ALONG = CollapseRule(
    "sum over one factor: along an axis",
    "the summed index runs along one axis of one array, and the entries along it are added",
)
EVERYTHING = CollapseRule(
    "sum over both indices: all entries",
    "both summed indices sit on one factor alone, so all its entries are added",
)
TRACE = CollapseRule(
    "sum over a diagonal: trace",
    "the summed index sits on both places of one matrix: its diagonal entries add to the trace",
)
OUTER = CollapseRule(
    "two different indices: outer product",
    "one factor runs along the rows, the other along the columns, and nothing is summed",
)
SCALING = CollapseRule(
    "a vector meets a matrix: scaling",
    "the vector's index also sits on the matrix, so every row or column is scaled by its entry",
)
MISSING = CollapseRule(
    "an index that nobody carries: repeat",
    "the result has this index and the factors do not, so the value is repeated",
)
SPREAD = CollapseRule(
    "multiply out: no factor has three indices",
    "a bracket that runs along three indices is not a matrix, but each of its terms is, and the "
    "sum of a sum is the sum of the sums",
)
BATCHED = CollapseRule(
    "a stack of matrix products",
    "the summed index stands last on the left factor and last but one on the right one, and the "
    "dimensions before these two are carried along: one matrix product for each of their entries",
)
EINSUM = CollapseRule(
    "a sum over several indices: einsum",
    "no one matrix product sums over them all, so the sum keeps its indices as letters: those "
    "behind the arrow stay, and the others are summed",
)
STACK = CollapseRule(
    "all entries at once",
    "the gradient has the shape of its variable: entry by entry, this is one matrix",
)

ENTRYWISE = CollapseRule(
    "entry by entry",
    "the operation acts on every entry by itself, so the entry of the outcome is that of the parts",
)
SUMMED = CollapseRule(
    "write the sum out",
    "one entry of a product or a sum adds up entries, with a running index of its own",
)
PLACES = CollapseRule(
    "entries by their places",
    "the operation moves or repeats entries, so each is found where it came from",
)
EXPANSION = (ENTRYWISE, SUMMED, PLACES)
"""The rules of the expansion."""
