"""A cost curve for the terminal, in braille dots: 2 by 4 per character."""

from __future__ import annotations

from collections.abc import Sequence
from math import isfinite, log10

_DOTS = ((0x01, 0x08), (0x02, 0x10), (0x04, 0x20), (0x40, 0x80))
_BLANK = 0x2800
_LOG_FROM = 30.0


def curve(
    costs: Sequence[tuple[int, float]],
    width: int = 60,
    height: int = 8,
    until: int | None = None,
) -> list[str]:
    """Return costs over steps as lines of text.

    Parameters
    ----------
    costs : sequence of (int, float)
        Steps and costs; what is not finite is left out.
    width, height : int
        The size of the plot in characters, without labels.
    until : int, optional
        The step at the right edge; by default the last one.

    Returns
    -------
    list of str
        `height` lines and one line of steps below; the cost axis is logarithmic where the costs
        span more than a factor of 30, and says so.

    Examples
    --------
    >>> for line in curve([(0, 4.0), (1, 2.0), (2, 1.0)], width=6, height=2):
    ...     print(line)
    4 │⠑⠤⡀⠀⠀⠀
    1 │⠀⠀⠈⠒⠤⣀
      └ 0   2 steps
    """
    points = [(step, cost) for step, cost in costs if isfinite(cost)]
    if not points:
        return []
    values = [cost for _, cost in points]
    low, high = min(values), max(values)
    logarithmic = low > 0 and high / low > _LOG_FROM
    end = max(points[-1][0], points[-1][0] if until is None else until)
    cells = _cells(points, end, logarithmic, width, height)
    labels = [f"{high:.4g}", *[""] * (height - 2), f"{low:.4g}"] if height > 1 else [f"{high:.4g}"]
    margin = max(len(label) for label in labels)
    lines = [
        f"{label:>{margin}} │" + "".join(chr(_BLANK + cell) for cell in row)
        for label, row in zip(labels, cells, strict=True)
    ]
    first, last = str(points[0][0]), str(end)
    axis = f"{first}{last:>{max(width - 1 - len(first), len(last) + 1)}} steps"
    lines.append(f"{'':>{margin}} └ {axis}" + (", cost on a log scale" if logarithmic else ""))
    return lines


def _cells(
    points: Sequence[tuple[int, float]], end: int, logarithmic: bool, width: int, height: int
) -> list[list[int]]:
    heights = [log10(cost) if logarithmic else cost for _, cost in points]
    low, span = min(heights), (max(heights) - min(heights)) or 1.0
    first, long = points[0][0], (end - points[0][0]) or 1
    right, bottom = 2 * width - 1, 4 * height - 1
    places = [
        (round((step - first) / long * right), round((low + span - h) / span * bottom))
        for (step, _), h in zip(points, heights, strict=True)
    ]
    cells = [[0] * width for _ in range(height)]
    for (x0, y0), (x1, y1) in zip([places[0], *places], places, strict=False):
        reach = max(abs(x1 - x0), abs(y1 - y0), 1)
        for k in range(reach + 1):
            x, y = round(x0 + (x1 - x0) * k / reach), round(y0 + (y1 - y0) * k / reach)
            cells[y // 4][x // 2] |= _DOTS[y % 4][x % 2]
    return cells
