"""Tables of speed for the README and the page of benchmarks, from one file of figures.

``benchmarks/speed.csv`` holds every figure that the README states. `make docs` writes the tables of
both pages from it, between the marks, so that neither has a figure of its own.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

ROOT = Path(__file__).parents[1]
SPEED = ROOT / "benchmarks" / "speed.csv"
PAGES = {"README.md": "yes", "docs/benchmarks.md": ""}
"""The pages, and the value of `readme` of the rows that each shows; empty for all."""

PEERS = {"nine": "nine solvers", "sixteen": "sixteen solvers"}
"""The peers of a row, in words."""

_MARKS = re.compile(r"(?<=<!-- speed -->\n).*?(?=<!-- end of speed -->)", re.DOTALL)

Row = Mapping[str, str]


def rows() -> list[Row]:
    """Return the figures, one row per data set."""
    with SPEED.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def table(wanted: Sequence[Row]) -> str:
    """Return the table of some rows; a ratio below 1 is bold."""
    return "".join(f"| {' | '.join(cells)} |\n" for cells in _lines(wanted))


def _lines(wanted: Sequence[Row]) -> Iterator[tuple[str, ...]]:
    yield "data", "chainrule", "fastest peer", "ratio", "without numba", "peers"
    yield ("---",) * 6
    for row in wanted:
        data = f"{row['kind']}, {row['data']}"
        data += " (held out)" if row["held_out"] == "yes" else ""
        data += " *" if row["run"] == "earlier" else ""
        ratio = row["ratio"] if float(row["ratio"]) >= 1 else f"**{row['ratio']}**"
        yield data, row["chainrule"], row["peer"], ratio, row["plain"], PEERS[row["peers"]]


def with_tables(text: str, readme: str) -> str:
    """Return a page with its table written again."""
    shown = [row for row in rows() if not readme or row["readme"] == readme]
    return _MARKS.sub(lambda _: f"\n{table(shown)}\n", text, count=1)


def written() -> Mapping[Path, str]:
    """Return the pages with tables of speed, by their paths."""
    return {
        ROOT / page: with_tables((ROOT / page).read_text(encoding="utf-8"), readme)
        for page, readme in PAGES.items()
    }
