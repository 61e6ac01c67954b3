"""Plots as inline SVG; the only file that imports matplotlib.

The plots define no colours: ink is `currentColor` and the rest are variables of the page, so that
they follow light and dark. Text stays text. Every line is labelled or dashed, for colour is never
the only cue.
"""

from __future__ import annotations

import io
import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any
from xml.etree import ElementTree

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, LogLocator, MaxNLocator, NullLocator

from chainrule.tables.metrics import Curve, Floats
from chainrule.visible import visible

_SVG = "http://www.w3.org/2000/svg"
_XLINK = "http://www.w3.org/1999/xlink"

# Stand-ins that no plot would choose; `_paint` puts the variables of the page in their place.
_INK, _ACCENT, _SECOND, _RULE, _MUTED, _PAPER = (f"#{n:02x}fe{n:02x}" for n in range(1, 7))
_PAINT = {
    _INK: "currentColor",
    _ACCENT: "var(--accent)",
    _SECOND: "var(--accent-2)",
    _RULE: "var(--rule)",
    _MUTED: "var(--muted)",
    _PAPER: "var(--paper)",
}

# Any: the stubs of matplotlib spell out every key, and those of older releases do not.
_STYLE: Any = {
    "text.parse_math": False,  # a dollar sign in the name of a column is a dollar sign
    "svg.fonttype": "none",
    "svg.hashsalt": "chainrule",
    "font.family": "sans-serif",
    "font.size": 11,
    "text.color": _INK,
    "axes.edgecolor": _MUTED,
    "axes.labelcolor": _MUTED,
    "axes.facecolor": "none",
    "axes.linewidth": 0.8,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.titlesize": 11,
    "axes.titlelocation": "left",
    "axes.titlecolor": _INK,
    "figure.facecolor": "none",
    "xtick.color": _MUTED,
    "ytick.color": _MUTED,
    "xtick.labelcolor": _MUTED,
    "ytick.labelcolor": _MUTED,
    "grid.color": _RULE,
    "grid.linewidth": 0.7,
    "axes.grid": True,
    "axes.axisbelow": True,
    "lines.linewidth": 2,
    "lines.solid_capstyle": "round",
}


def objective_path(name: str, values: Floats) -> str:
    """Plot the objective per iteration."""
    said = f"It goes from {values[0]:.4g} to {values[-1]:.8g} in {len(values) - 1} iterations."
    with _figure(3.7, 3.0) as figure:
        axes = _over_iterations(figure, "objective J")
        axes.plot(np.arange(len(values)), values, color=_ACCENT, marker="o", markersize=4)
        if values.min() > 0 and values.max() > 100 * values.min():
            _log(axes)
        return _draw(figure, name, "The objective, iteration by iteration", said)


def cost_curves(name: str, title: str, curves: Mapping[str, Curve], said: str) -> str:
    """Plot costs over steps of several methods, with both axes logarithmic."""
    inks = (_ACCENT, _SECOND, _INK)
    styles: tuple[Any, ...] = ("-", (0, (5, 2)), (0, (1, 2)))
    with _figure(6.6, 3.4) as figure:
        axes = figure.add_subplot()
        axes.set_xlabel("steps taken, plus one")
        axes.set_ylabel("cost above the optimum")
        for (label, curve), ink, style in zip(curves.items(), inks, styles, strict=False):
            shown = curve.y > 0  # zero has no place on a logarithmic axis
            axes.plot(curve.x[shown], curve.y[shown], color=ink, linestyle=style, label=label)
        _log(axes, both=True)
        axes.legend(frameon=False, labelcolor=_INK)
        return _draw(figure, name, title, said)


def training_curves(name: str, curves: Mapping[str, Curve], said: str) -> str:
    """Plot costs over the steps of one descent, on training and held-out examples."""
    with _figure(6.6, 3.4) as figure:
        axes = figure.add_subplot()
        axes.set(xlabel="step", ylabel="cost per example")
        styles: tuple[Any, ...] = ("-", (0, (5, 2)))
        for (label, curve), ink, style in zip(
            curves.items(), (_ACCENT, _SECOND), styles, strict=False
        ):
            axes.plot(curve.x, curve.y, color=ink, linestyle=style, label=label)
        values = np.concatenate([curve.y for curve in curves.values()])
        if values.min() > 0 and values.max() > 30 * values.min():
            _log(axes)
        if len(curves) > 1:
            axes.legend(frameon=False, labelcolor=_INK)
        return _draw(figure, name, "Cost, step by step", said)


def decision_boundary(
    name: str,
    grid: tuple[Floats, Floats, Floats],
    points: Sequence[tuple[str, Floats, Floats]],
    axis_names: tuple[str, str],
) -> str:
    """Draw the predicted class over two features, with the examples of each class.

    Parameters
    ----------
    name : str
        The anchor of the figure.
    grid : tuple of array
        The values along both axes, and what is 0.5 between the first two predicted classes, 1.5
        between the next two, at each point.
    points : sequence of (str, array, array)
        The label of each class and its examples.
    axis_names : tuple of str
        The names of the features.
    """
    inks, markers = (_ACCENT, _SECOND, _INK, _MUTED), "oDs^v<>pPX"
    across, up, chosen = grid
    with _figure(5.4, 4.6) as figure:
        axes = figure.add_subplot()
        axes.set(xlabel=_short(axis_names[0]), ylabel=_short(axis_names[1]))
        levels = np.arange(len(points) - 1) + 0.5
        if chosen.min() < chosen.max():
            axes.contour(across, up, chosen, levels=levels, colors=[_INK], linewidths=1.4)
        for k, (label, x, y) in enumerate(points):
            axes.scatter(x, y, s=18, color=inks[k % 4], marker=markers[k % 10], label=_short(label))
        axes.legend(frameon=False, labelcolor=_INK)
        return _draw(
            figure,
            name,
            "Decision boundary",
            "The line separates the regions of the predicted classes; the marks are the examples.",
        )


def gradient_path(name: str, values: Floats) -> str:
    """Plot the norm of the gradient per iteration, on a logarithmic axis."""
    said = f"It goes from {values[0]:.2g} to {values[-1]:.2g} in {len(values) - 1} iterations."
    with _figure(3.7, 3.0) as figure:
        axes = _over_iterations(figure, "length of the gradient")
        shown = np.flatnonzero(values > 0)  # zero has no place on a logarithmic axis
        axes.plot(shown, values[shown], color=_SECOND, marker="s", markersize=4)
        _log(axes)
        return _draw(figure, name, "The length of the gradient", said)


def roc(name: str, curve: Curve, auc: float) -> str:
    """Plot the ROC curve."""
    with _figure(3.7, 3.6) as figure:
        axes = _unit_square(figure, "false positive rate", "true positive rate")
        axes.plot([0, 1], [0, 1], color=_MUTED, linewidth=1.2, linestyle=(0, (3, 3)))
        axes.text(0.62, 0.52, "chance", color=_MUTED, rotation=45, rotation_mode="anchor")
        axes.plot(curve.x, curve.y, color=_ACCENT)
        return _draw(figure, name, "ROC curve", f"The area under the curve is {auc:.4f}.")


def precision_recall(name: str, curve: Curve, average: float, share: float) -> str:
    """Plot precision over recall; the dashed line is the baseline of random guessing."""
    with _figure(3.7, 3.6) as figure:
        axes = _unit_square(figure, "recall", "precision")
        axes.axhline(share, color=_MUTED, linewidth=1.2, linestyle=(0, (3, 3)))
        axes.text(0.02, share + 0.02, "chance", color=_MUTED)
        axes.step(curve.x, curve.y, color=_ACCENT, where="pre")
        return _draw(
            figure,
            name,
            "Precision-recall curve",
            f"The average precision is {average:.4f}; chance would give {share:.4f}.",
        )


def calibration(name: str, curve: Curve) -> str:
    """Plot the observed frequency over the predicted probability."""
    assert curve.weight is not None
    with _figure(3.7, 3.6) as figure:
        axes = _unit_square(figure, "predicted probability", "share that happened")
        axes.plot([0, 1], [0, 1], color=_MUTED, linewidth=1.2, linestyle=(0, (3, 3)))
        axes.text(0.3, 0.2, "perfect", color=_MUTED, rotation=45, rotation_mode="anchor")
        axes.plot(curve.x, curve.y, color=_ACCENT, linewidth=1.2)
        sizes = 25 + 175 * curve.weight / curve.weight.max()
        axes.scatter(
            curve.x, curve.y, s=sizes, color=_ACCENT, edgecolor=_PAPER, zorder=3, clip_on=False
        )
        return _draw(
            figure,
            name,
            "Calibration",
            f"{len(curve.x)} groups of rows by predicted probability; larger dots hold more rows.",
        )


def predicted_observed(name: str, curve: Curve) -> str:
    """Draw the mean target over the mean prediction, group by group."""
    assert curve.weight is not None
    with _figure(4.4, 4.2) as figure:
        axes = figure.subplots()
        low = min(curve.x.min(), curve.y.min())
        high = max(curve.x.max(), curve.y.max())
        axes.set(xlabel="mean predicted", ylabel="mean observed")
        ends = [low, high]
        axes.plot(ends, ends, color=_MUTED, linewidth=1.2, linestyle=(0, (3, 3)), label="equal")
        axes.plot(
            curve.x, curve.y, color=_ACCENT, linewidth=1.2, marker="o", markersize=7, label="group"
        )
        axes.legend(frameon=False, labelcolor=_INK)
        return _draw(
            figure,
            name,
            "Predicted against observed",
            f"{len(curve.x)} groups of rows by prediction, {curve.weight.min()} rows or more each.",
        )


def coefficients(
    name: str,
    labels: Sequence[str],
    values: Sequence[float],
    axis: str = "coefficient for one step (left lowers the odds, right raises them)",
) -> str:
    """Draw coefficients as stems from zero, the first on top."""
    with _figure(6.4, 0.9 + 0.25 * len(labels)) as figure:
        axes = figure.subplots()
        places = np.arange(len(labels))[::-1]
        rising = np.asarray(values) >= 0
        axes.axvline(0, color=_MUTED, linewidth=1)
        for chosen, colour, marker in ((rising, _ACCENT, "o"), (~rising, _SECOND, "D")):
            at = np.asarray(values)[chosen]
            axes.hlines(places[chosen], 0, at, color=colour, linewidth=2)
            axes.plot(at, places[chosen], marker, color=colour, markersize=6)
        axes.set_yticks(places, [_short(label) for label in labels])
        axes.set_ylim(-0.7, len(labels) - 0.3)
        axes.tick_params(axis="y", length=0, labelcolor=_INK)
        axes.grid(axis="y", visible=False)
        axes.spines["left"].set_visible(False)
        axes.set_xlabel(axis)
        return _draw(
            figure,
            name,
            "The largest coefficients",
            "; ".join(f"{label} {value:+.3f}" for label, value in zip(labels, values, strict=True)),
        )


def penalties(
    name: str,
    Cs: Floats,
    named: Sequence[tuple[str, Floats]],
    others: Sequence[tuple[str, Floats]],
    chosen: float,
) -> str:
    """Draw coefficients over C, some with their names; a dashed line is at the chosen C."""
    with _figure(6.6, 3.8) as figure:
        axes = figure.subplots()
        axes.set(xlabel="C (the penalty is weaker to the right)", ylabel="coefficient")
        axes.axhline(0, color=_MUTED, linewidth=1)
        for _, values in others:
            axes.plot(Cs, values, color=_RULE, linewidth=1.2)
        for place, (label, values) in enumerate(named):
            axes.plot(Cs, values, color=(_ACCENT, _SECOND)[place % 2])
            at, room = (Cs[-1], values[-1]), (4, -3)
            axes.annotate(_short(label, 24), at, room, textcoords="offset points", color=_INK)
        if Cs[0] <= chosen <= Cs[-1]:
            axes.axvline(chosen, color=_MUTED, linewidth=1.2, linestyle=(0, (3, 3)))
        axes.set_xscale("log")
        said = ", ".join(label for label, _ in named)
        return _draw(figure, name, "Coefficients over penalties", f"First to enter: {said}.")


def forest(
    name: str,
    labels: Sequence[str],
    numbers: tuple[Floats, Floats, Floats],
    axis: str,
    *,
    is_ratio: bool,
    title: str = "Coefficients with intervals",
) -> str:
    """Draw estimates with their intervals, the first on top; diamonds where one holds no effect.

    Parameters
    ----------
    name : str
        The anchor of the figure.
    labels : sequence of str
        What each estimate is of.
    numbers : tuple of ndarray
        Estimates, lower and upper ends.
    axis : str
        What is on the axis.
    is_ratio : bool
        Whether the axis is logarithmic, and no effect is at 1 instead of 0.
    title : str
        Alternative text.
    """
    none = 1.0 if is_ratio else 0.0
    ends = _reach(np.concatenate([*numbers, [none]]), is_ratio=is_ratio)
    estimate, low, high = (np.clip(part, *ends) for part in numbers)
    with _figure(4.9, 0.95 + 0.3 * len(labels)) as figure:
        axes = figure.subplots()
        places = np.arange(len(labels))[::-1]
        axes.set_xlim(*ends)
        if is_ratio:
            axes.set_xscale("log")
            axes.xaxis.set_minor_locator(NullLocator())
            axes.set_xticks(_ratio_ticks(*ends))
        else:
            axes.xaxis.set_major_locator(MaxNLocator(5))
        axes.xaxis.set_major_formatter(FuncFormatter(lambda value, place: f"{value:.4g}"))
        axes.axvline(none, color=_MUTED, linewidth=1, linestyle=(0, (3, 3)))
        holds = (low <= none) & (none <= high)
        for chosen, colour, marker in ((~holds, _ACCENT, "o"), (holds, _MUTED, "D")):
            axes.hlines(places[chosen], low[chosen], high[chosen], color=colour, linewidth=2)
            axes.plot(estimate[chosen], places[chosen], marker, color=colour, markersize=6)
        axes.set_yticks(places, [_short(label, 24) for label in labels])
        axes.set_ylim(-0.6, len(labels) - 0.4)
        axes.tick_params(axis="y", length=0, labelcolor=_INK)
        axes.grid(axis="y", visible=False)
        axes.spines["left"].set_visible(False)
        axes.set_xlabel(axis)
        shown = zip(labels, *numbers, strict=True)
        return _draw(
            figure,
            name,
            title,
            "; ".join(f"{t} {e:.3g} ({a:.3g} to {b:.3g})" for t, e, a, b in shown),
        )


def influence(
    name: str, leverage: Floats, residual: Floats, cook: Floats, rows: Sequence[int]
) -> str:
    """Draw standardised residuals over leverages; the rows with the largest Cook's distance named.

    Parameters
    ----------
    name : str
        The anchor of the figure.
    leverage, residual, cook : ndarray
        Per row that is drawn.
    rows : sequence of int
        Their numbers.
    """
    with _figure(4.9, 3.6) as figure:
        axes = figure.subplots()
        axes.set(xlabel="leverage", ylabel="standardised residual")
        axes.axhline(0, color=_MUTED, linewidth=1)
        first = np.argsort(-cook, kind="stable")[:5]
        rest = np.setdiff1d(np.arange(len(cook)), first)
        axes.scatter(leverage[rest], residual[rest], s=12, color=_ACCENT, alpha=0.5, linewidth=0)
        axes.scatter(leverage[first], residual[first], s=34, color=_SECOND, marker="D")
        for k in first:
            at, room = (leverage[k], residual[k]), (6, 3)
            axes.annotate(str(rows[k]), at, room, textcoords="offset points", color=_INK)
        axes.margins(x=0.12)
        said = ", ".join(f"row {rows[k]} {cook[k]:.2g}" for k in first)
        return _draw(figure, name, "Influence", f"Largest Cook's distances: {said}.")


@contextmanager
def _figure(width: float, height: float) -> Iterator[Figure]:
    with mpl.rc_context(_STYLE):
        # No pyplot: it would keep every figure alive, and choose a window system.
        yield Figure(figsize=(width, height), layout="constrained")


def _over_iterations(figure: Figure, title: str) -> Axes:
    axes = figure.subplots()
    axes.set(xlabel="iteration", title=title)
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    return axes


def _unit_square(figure: Figure, x: str, y: str) -> Axes:
    axes = figure.subplots()
    axes.set(xlim=(-0.02, 1.02), ylim=(-0.02, 1.02), xlabel=x, ylabel=y, aspect="equal")
    axes.set_xticks(np.linspace(0, 1, 6))
    axes.set_yticks(np.linspace(0, 1, 6))
    return axes


def _reach(values: Floats, *, is_ratio: bool) -> tuple[float, float]:
    """Return the ends of an axis, near most values, so that one endless interval hides no other."""
    found = values[np.isfinite(values) & ((values > 0) | (not is_ratio))]
    at = np.log(found) if is_ratio else found
    middle = np.median(at)
    reach = 8 * max(float(np.median(np.abs(at - middle))), 1e-12)
    low, high = max(at.min(), middle - reach), min(at.max(), middle + reach)
    margin = 0.05 * (high - low) or 0.5
    low, high = low - margin, high + margin
    return (float(np.exp(low)), float(np.exp(high))) if is_ratio else (float(low), float(high))


def _ratio_ticks(low: float, high: float) -> list[float]:
    """Return round ratios between two ends: 1 and powers of ten first, others where there is room.

    >>> _ratio_ticks(0.7, 1.6)
    [0.75, 1.0, 1.2, 1.5]
    """
    powers = range(int(np.floor(np.log10(low))), int(np.ceil(np.log10(high))) + 1)
    groups = ((1.0,), (2.0, 5.0), (1.5, 3.0, 7.5), (1.2, 8.0), (1.1, 9.0), (1.05, 9.5))
    room = 0.13 * np.log(high / low)
    found: list[float] = []
    for steps in groups:
        for value in sorted(s * 10.0**k for k in powers for s in steps):
            far = all(abs(np.log(value / other)) >= room for other in found)
            if low <= value <= high and far:
                found.append(float(f"{value:.3g}"))
    return sorted(found)


def _log(axes: Axes, *, both: bool = False) -> None:
    axes.set_yscale("log")
    if both:
        axes.set_xscale("log")
    for axis in (axes.yaxis, axes.xaxis) if both else (axes.yaxis,):
        axis.set_major_locator(LogLocator(numticks=6))
        axis.set_minor_locator(NullLocator())
        # Plain text: the default sets powers as mathematics, which needs fonts of its own.
        axis.set_major_formatter(FuncFormatter(lambda value, place: f"{value:g}"))


def _short(label: str, length: int = 34) -> str:
    label = visible(label)
    return label if len(label) <= length else label[: length - 1] + "…"


def _draw(figure: Figure, name: str, title: str, description: str) -> str:
    """Return SVG for a page: unique ids, no metadata, alternative text."""
    title, description = visible(title), visible(description)
    buffer = io.StringIO()
    nothing: dict[str, Any] = dict.fromkeys(("Date", "Creator", "Format", "Type"))
    figure.savefig(buffer, format="svg", transparent=True, metadata=nothing)
    ElementTree.register_namespace("", _SVG)
    ElementTree.register_namespace("xlink", _XLINK)
    root = ElementTree.fromstring(buffer.getvalue())
    # A style sheet inside would reach the whole page.
    unwanted = {f"{{{_SVG}}}metadata", f"{{{_SVG}}}style"}
    for parent in list(root.iter()):
        for child in list(parent):
            if child.tag in unwanted:
                parent.remove(child)
    _rename_ids(root, name)
    root.attrib.pop("width", None)
    root.attrib.pop("height", None)
    root.set("style", f"stroke-linejoin: round; max-width: {96 * figure.get_figwidth():.0f}px")
    root.set("role", "img")
    root.set("aria-labelledby", f"{name}-title {name}-description")
    for place, (tag, text) in enumerate((("title", title), ("desc", description))):
        kind = "title" if tag == "title" else "description"
        node = ElementTree.Element(f"{{{_SVG}}}{tag}", {"id": f"{name}-{kind}"})
        node.text = text
        root.insert(place, node)
    return _paint(ElementTree.tostring(root, encoding="unicode"))


def _rename_ids(root: ElementTree.Element, name: str) -> None:
    """Prefix the ids that are referenced with the name of the plot, since pages hold several."""
    wanted: set[str] = set()
    for element in root.iter():
        if (link := element.attrib.pop(f"{{{_XLINK}}}href", None)) is not None:
            wanted.add(link[1:])
            element.set("href", f"#{name}-{link[1:]}")
        if (clip := element.get("clip-path")) is not None:
            wanted.add(clip[5:-1])
            element.set("clip-path", f"url(#{name}-{clip[5:-1]})")
    for element in root.iter():
        if (own := element.attrib.pop("id", None)) in wanted:
            element.set("id", f"{name}-{own}")


def _paint(svg: str) -> str:
    for stand_in, variable in _PAINT.items():
        svg = svg.replace(stand_in, variable)
    svg = re.sub(r"font-family: [^;\"]+", "font-family: var(--sans)", svg)
    return re.sub(r"\n\s*", "\n", svg)
