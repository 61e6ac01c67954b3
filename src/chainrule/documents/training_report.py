"""A page of one descent: roles, derivation of the update, curves, scores, decision boundary."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np

from chainrule.calculus.graph.node import Symbol, symbols
from chainrule.descent.binding import BoundTable
from chainrule.descent.columns import Reading
from chainrule.descent.initial import explained
from chainrule.descent.listing import role_lines
from chainrule.descent.loop import Descent
from chainrule.descent.prediction import Prediction
from chainrule.descent.result import DescentResult
from chainrule.documents import plots
from chainrule.documents.blocks import (
    Block,
    Bullets,
    Document,
    Figure,
    Heading,
    Section,
    Table,
    prose,
)
from chainrule.documents.lesson.brief import gradient_lines
from chainrule.documents.lesson.building import forward_blocks
from chainrule.documents.renderers import html
from chainrule.documents.report.figures import data_of
from chainrule.lecture import Array
from chainrule.tables.metrics import Curve

_GRID = 90


def training_report(
    descent: Descent, result: DescentResult, bound: BoundTable, initial: str
) -> str:
    """Return the page of a descent.

    Parameters
    ----------
    descent : Descent
        What ran.
    result : DescentResult
        What came of it.
    bound : BoundTable
        Model and table.
    initial : str
        How the initial values were drawn.
    """
    model = bound.binding.roles.model
    sections = [
        Section("result", "Where the descent arrived", tuple(_result(descent, result))),
        Section("model", "Forward pass, roles and gradients", tuple(_model(result, bound))),
        Section("update", "How a step is taken", tuple(_update(descent, result, bound, initial))),
    ]
    boundary = _boundary(descent, result, bound)
    if boundary:
        where = "Lines where the prediction changes, among the examples trained on."
        drawn = (Figure(boundary, where),)
        sections.insert(1, Section("boundary", "Decision boundary", drawn))
    lead = f"Gradient descent with the derived gradient on {result.examples} examples."
    title = model.title or model.objective.name
    return html.render(Document(title, lead, tuple(sections), result.derivation.model))


def _result(descent: Descent, result: DescentResult) -> Iterator[Block]:
    yield prose(result.report[:1].upper() + result.report[1:])
    curves = _curves(descent, result)
    said = f"From {result.start_cost:.4g} to {result.cost:.4g} in {result.taken} steps."
    yield Figure(
        plots.training_curves("result-costs", curves, said),
        f"The cost{' per example' * descent.scaling.divides} at each step.",
        data_of("costs.csv", ["rows", "step", "cost"], _points(curves)),
    )
    scores = [
        (f"{score.name}, {where}", f"{score.value:.4f}")
        for score, where in (
            (result.score, "examples trained on"),
            (result.held_score, "held-out examples"),
        )
        if score is not None
    ]
    cells = (
        ("cost at the start", f"{result.start_cost:.6g}"),
        ("cost of the values kept", f"{result.cost:.6g}"),
        ("length of the gradient there", f"{result.gradient_norm:.3g}"),
        *scores,
    )
    yield Table("Cost and score", (), cells, frozenset({1}))
    if not result.held_costs:
        yield prose("No rows were held out, so nothing here says how the model does on new rows.")


def _model(result: DescentResult, bound: BoundTable) -> Iterator[Block]:
    """Yield the roles, and forward pass and gradients as in a lesson."""
    yield Table("Roles of the inputs", (), tuple(role_lines(bound)))
    yield from forward_blocks(result.derivation)
    yield Heading("The gradients")
    yield from gradient_lines(result.derivation)
    check = result.check or "not possible: the forward pass is not finite at the start"
    yield prose(f"Gradient check before the first step: {check}.")


def _update(
    descent: Descent, result: DescentResult, bound: BoundTable, initial: str
) -> Iterator[Block]:
    objective = bound.binding.roles.model.objective.name
    yield prose(f"Update rule: {descent.update}. {descent.scaling.sentence(objective)}.")
    yield Bullets(tuple(descent.update.lines()))
    if schedule := str(descent.schedule):
        yield prose(f"Schedule: {schedule}.")
    yield prose(f"Initial values: {explained(initial)}.")
    settings = (
        ("rate", f"{descent.rate:g}"),
        ("steps", str(result.taken)),
        ("batch", f"{result.batch} of {result.examples} examples"),
        ("seed", str(result.seed)),
    )
    yield Table("Settings", (), settings)


def _curves(descent: Descent, result: DescentResult) -> dict[str, Curve]:
    """Return the cost per example over the steps, or the cost itself where it is a mean."""

    def curve(costs: tuple[tuple[int, float], ...], count: int) -> Curve:
        shown = [(step, cost) for step, cost in costs if np.isfinite(cost)]
        steps, values = np.array(shown, dtype=float).reshape(-1, 2).T
        return Curve(steps, values / (count if descent.scaling.divides else 1))

    curves = {"trained on": curve(result.costs, result.examples)}
    if result.held_costs and descent.held_out is not None:
        curves["held out"] = curve(result.held_costs, descent.held_out.binding.count)
    return curves


def _points(curves: dict[str, Curve]) -> Iterator[tuple[str, int, float]]:
    for name, curve in curves.items():
        for step, cost in zip(curve.x.tolist(), curve.y.tolist(), strict=True):
            yield name, int(step), cost


def _boundary(descent: Descent, result: DescentResult, bound: BoundTable) -> str:
    """Draw the decision boundary of two features; nothing where there is none."""
    predictor = descent.predictor
    label = None if predictor is None else predictor.prediction.label
    if predictor is None or label is None:
        return ""
    prediction = predictor.prediction
    words = bound.labels.get(label.name, ())
    used = symbols(prediction.roles.model.opened(prediction.value)) & set(prediction.roles.data)
    if len(used) != 1 or result.score is None or result.score.name != "accuracy":
        return ""
    (source,) = used
    table = bound.binding.data[source]
    columns = next((c for c in bound.inputs if c.name == source.name), None)
    if table.shape[1] != 2 or columns is None or columns.reading is Reading.PLACES:
        return ""
    axes = [_axis(table[:, k]) for k in (0, 1)]
    mesh = np.meshgrid(*axes)
    data = {source: np.column_stack([m.ravel() for m in mesh])}
    grid = replace(bound.binding, data=data, count=_GRID**2)
    values = _values(descent, result)
    statistics = dict(zip(predictor.names, result.statistics, strict=True))
    found = _classes(prediction, predictor.predict(grid, values, statistics))
    truth = bound.binding.data[label]
    actual = truth.argmax(axis=1) if truth.shape[1] > 1 else (truth[:, 0] > 0).astype(int)
    names = list(words) or [f"{label.name} = {k}" for k in range(int(actual.max()) + 1)]
    centre = [f.mean for f in columns.features] or [0.0, 0.0]
    scale = [f.scale for f in columns.features] or [1.0, 1.0]
    shown = table * scale + centre
    points = [(n, shown[actual == k, 0], shown[actual == k, 1]) for k, n in enumerate(names)]
    titles = [f.name for f in columns.features] or list(columns.columns)
    return plots.decision_boundary(
        "boundary-plot",
        (
            axes[0] * scale[0] + centre[0],
            axes[1] * scale[1] + centre[1],
            found.reshape(_GRID, _GRID).astype(float),
        ),
        points,
        (titles[0], titles[1]),
    )


def _classes(prediction: Prediction, found: Array) -> Array:
    """Return the number of the predicted class; of two classes, smoothly, 0.5 at the boundary."""
    if found.shape[1] > 1:
        return np.asarray(found.argmax(axis=1), dtype=float)
    return np.clip(found[:, 0] - prediction.threshold, -10, 10) + 0.5


def _values(descent: Descent, result: DescentResult) -> dict[Symbol, Array]:
    return {s: result.values[s.name] for s in descent.objective.learned}


def _axis(values: Array) -> Array:
    low, high = float(values.min()), float(values.max())
    margin = 0.08 * (high - low or 1.0)
    return np.linspace(low - margin, high + margin, _GRID)
