"""`chainrule fit --path`: the file that it writes, and its lines in a terminal."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from chainrule.visible import visible

if TYPE_CHECKING:
    from chainrule.estimators.coefficient_paths import Path
    from chainrule.tables.fitting import FittedTable
    from chainrule.tables.fitting_regression import FittedRegression

_MOST_ENTRIES: Final = 20


def path_of_fit(
    fitted: FittedTable | FittedRegression, l1_ratio: float, file: str, *, relax: bool
) -> Path:
    """Fit a path of penalties to the rows of a fit, and write it."""
    from chainrule.tables.fitting import FittedTable
    from chainrule.tables.paths import path_of_table, write_path

    assert isinstance(fitted, FittedTable)
    path = path_of_table(fitted, l1_ratio or 1.0, relax=relax)
    write_path(path, file)
    return path


def path_in_words(path: Path) -> str:
    """Return which features enter first, line by line."""
    worst = float(path.relative_gap.max())
    lines = [
        f"path: {len(path)} penalties, {int(path.proven.sum())} proven; the largest relative gap "
        f"is {worst:.1g}. Features in the order in which they enter:"
    ]
    if path.relaxed is not None:
        separated = int(path.relaxed.separated.sum())
        lost = f"; {separated} have none, since their features separate the classes"
        lines.insert(
            0,
            f"refits of the chosen features: {int(path.relaxed.proven.sum())} of {len(path)} "
            f"proven{lost if separated else ''}",
        )
    lines += [
        f"  C = {entry.C:<10.4g} {visible(entry.full_name)}  ({entry.coef:+.4g} at the end)"
        for entry in path.entered()[:_MOST_ENTRIES]
    ]
    return "\n".join(lines)
