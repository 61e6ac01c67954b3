"""A page of one descent: roles, derivation of the update, curves, scores, decision boundary."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from markupsafe import Markup

from chainrule.calculus.graph.node import Symbol, symbols
from chainrule.descent.binding import BoundTable
from chainrule.descent.columns import Reading
from chainrule.descent.initial import explained
from chainrule.descent.listing import role_lines
from chainrule.descent.loop import Descent
from chainrule.descent.prediction import Prediction
from chainrule.descent.result import DescentResult
from chainrule.documents import plots
from chainrule.documents.page import Section, render, render_page
from chainrule.language.typeset import unicode
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
    objective = model.objective.name
    gradients = [
        (f"d{objective}/d{name}", unicode(found.matrix or found.index))
        for name, found in result.derivation.gradients.items()
    ]
    layers = [
        (name.name, unicode(layer.matrix or layer.index))
        for name, layer in result.derivation.layers.items()
    ]
    scores = [
        (score.name, where, score.value)
        for score, where in (
            (result.score, "examples trained on"),
            (result.held_score, "held-out examples"),
        )
        if score is not None
    ]
    model_section = render(
        "lesson/training_model.html",
        roles=role_lines(bound),
        lines=[(d.target.name, unicode(d.value)) for d in result.derivation.model.definitions],
        gradients=[*layers, *gradients],
        check=str(result.check or "not possible: the forward pass is not finite at the start"),
    )
    update_section = render(
        "lesson/training_update.html",
        rule=str(descent.update),
        lines=descent.update.lines(),
        step=descent.scaling.sentence(objective),
        schedule=str(descent.schedule),
        initial=explained(initial),
        settings={
            "rate": f"{descent.rate:g}",
            "steps": str(result.taken),
            "batch": f"{result.batch} of {result.examples} examples",
            "seed": str(result.seed),
        },
    )
    result_section = render(
        "lesson/training_result.html",
        report=result.report[:1].upper() + result.report[1:],
        figure=Markup(_curves(descent, result)),
        start=result.start_cost,
        cost=result.cost,
        gradient=result.gradient_norm,
        scores=scores,
        held_out=bool(result.held_costs),
    )
    sections = [
        Section("result", "Where the descent arrived", result_section),
        Section("model", "Forward pass, roles and gradients", model_section),
        Section("update", "How a step is taken", update_section),
    ]
    boundary = _boundary(descent, result, bound)
    if boundary:
        sections.insert(1, Section("boundary", "Decision boundary", boundary))
    lead = f"Gradient descent with the derived gradient on {result.examples} examples."
    return render_page(model.title or objective, lead, sections)


def _curves(descent: Descent, result: DescentResult) -> str:
    """Plot the cost per example, or the cost itself where it is a mean."""

    def curve(costs: tuple[tuple[int, float], ...], count: int) -> Curve:
        shown = [(step, cost) for step, cost in costs if np.isfinite(cost)]
        steps, values = np.array(shown, dtype=float).reshape(-1, 2).T
        return Curve(steps, values / (count if descent.scaling.divides else 1))

    curves = {"trained on": curve(result.costs, result.examples)}
    if result.held_costs and descent.held_out is not None:
        curves["held out"] = curve(result.held_costs, descent.held_out.binding.count)
    said = f"From {result.start_cost:.4g} to {result.cost:.4g} in {result.taken} steps."
    return plots.training_curves("training-costs", curves, said)


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
        "training-boundary",
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
