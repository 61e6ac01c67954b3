"""The plot of a benchmark: one bar per problem, the fastest peer's time over chainrule's."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Final

from benchmarks.engine.results import Result, is_divided, kinds

_MEMBERS: Final = ("tuned", "held-out")
_TITLES: Final = {"tuned": "tuned on", "held-out": "held out"}


def least_ratios(found: Sequence[Result], member: str) -> list[tuple[float, Result]]:
    """Return each problem's least ratio over its lambdas, from the smallest."""
    least: dict[str, tuple[float, Result]] = {}
    for result in found:
        ratio = result.ratio()
        if ratio is None or result.problem.member != member:
            continue
        name = result.problem.name
        if name not in least or ratio < least[name][0]:
            least[name] = (ratio, result)
    return sorted(least.values(), key=lambda pair: pair[0])


def plot(found: Sequence[Result], target: Path) -> None:
    """Draw the ratios, sorted, coloured by kind, with a line at 1."""
    import matplotlib as mpl

    mpl.use("agg")
    import matplotlib.pyplot as plt
    from matplotlib.patches import Rectangle

    columns = [(member, least_ratios(found, member)) for member in _MEMBERS]
    columns = [(member, pairs) for member, pairs in columns if pairs] or [("tuned", [])]
    longest = max(len(pairs) for _, pairs in columns)
    figure, all_axes = plt.subplots(
        ncols=len(columns),
        figsize=(7.5 * len(columns), 1.6 + 0.2 * longest),
        layout="constrained",
        squeeze=False,
        sharex=True,
    )
    names = list(dict.fromkeys(kind for kind, _ in kinds(found)))
    colours = {kind: f"C{place}" for place, kind in enumerate(names)}
    for axes, (member, pairs) in zip(all_axes[0], columns, strict=True):
        for place, (ratio, result) in enumerate(pairs):
            # on a logarithmic axis a bar begins at 1 and goes to the ratio
            axes.barh(place, ratio - 1.0, left=1.0, color=colours[result.problem.kind])
            axes.annotate(
                f"{ratio:.2g}",
                (ratio, place),
                xytext=(3 if ratio >= 1 else -3, 0),
                textcoords="offset points",
                ha="left" if ratio >= 1 else "right",
                va="center",
                fontsize=7,
            )
        labels = [f"{result.problem.name}, λ = {result.lam:g}" for _, result in pairs]
        axes.set_yticks(range(len(pairs)), labels, fontsize=7)
        axes.set_ylim(len(pairs) - 0.3, -0.7)
        axes.set_xscale("log")
        axes.axvline(1.0, color="black", linewidth=1)
        axes.margins(x=0.15)
        axes.grid(axis="x", alpha=0.3)
        if is_divided(found):
            axes.set_title(f"Data sets {_TITLES[member]}")
        axes.xaxis.set_major_formatter("{x:g}")
        axes.set_xlabel(
            "← a peer is faster      chainrule is faster →\n"
            "time of the fastest peer / time of chainrule, to 1e-10"
        )
    handles = [Rectangle((0, 0), 1, 1, color=colours[kind]) for kind in names]
    figure.legend(handles, names, loc="outside upper center", ncols=len(names), frameon=False)
    target.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(target, dpi=110)
    plt.close(figure)
