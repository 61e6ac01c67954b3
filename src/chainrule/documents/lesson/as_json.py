"""A derivation as JSON: stable keys, expressions in the language and in LaTeX."""

from __future__ import annotations

from typing import Any

from chainrule.calculus.derivation.provenance import Provenance
from chainrule.calculus.derivation.steps import Derivation, Gradient, Hessian, Step, StepCertificate
from chainrule.calculus.graph.dims import Shape
from chainrule.calculus.graph.paths import path_text
from chainrule.calculus.graph.roles import roles
from chainrule.documents.lesson.outline import GradientForm, corners, derivation_sections
from chainrule.language.typeset import latex, plain

SCHEMA = 1


def as_data(derivation: Derivation, form: GradientForm = GradientForm.BOTH) -> dict[str, Any]:
    """Return a derivation as plain data, ready for ``json.dumps``."""
    model = derivation.model
    return {
        "schema": SCHEMA,
        "title": model.title,
        "objective": model.objective.name,
        "inputs": [
            {"name": s.name, "shape": _shape(s.shape), "note": model.notes.get(s.name, "")}
            for s in model.inputs
        ],
        "assumptions": [
            {"name": a.symbol.name, "shape": _shape(a.symbol.shape), "reason": a.reason}
            for a in model.assumptions
        ],
        "roles": {symbol.name: role.value for symbol, role in roles(model).items()},
        "functions": [function.text for function in model.functions],
        "forward": [
            {
                "name": d.target.name,
                "shape": _shape(d.target.shape),
                "value": plain(d.value),
                "latex": latex(d.value),
                "line": d.line,
            }
            for d in model.definitions
        ],
        "steps": [
            _step(step) for part in derivation_sections(derivation, form) for step in part.steps
        ],
        "gradients": {name: _gradient(g, form) for name, g in derivation.gradients.items()},
        "layers": {s.name: _gradient(g, form) for s, g in derivation.layers.items()},
        "hessians": {s.name: _hessian(h, form) for s, h in derivation.hessians.items()},
        "cache": [symbol.name for symbol in derivation.cache],
        "corners": list(corners(derivation)),
        "proven": derivation.proven,
    }


def _step(step: Step) -> dict[str, Any]:
    return {
        "id": step.id,
        "phase": step.phase.value,
        "rule": step.rule,
        "concludes": step.concludes,
        "question": None if step.question is None else plain(step.question),
        "left": plain(step.left),
        "before": plain(step.before),
        "after": plain(step.after),
        "latex": f"{latex(step.left)} = {latex(step.after)}",
        "factors": [plain(factor) for factor in step.factors],
        "shapes": {name: _shape(shape) for name, shape in step.shapes},
        "why": step.why,
        "reasons": [{"rule": r.rule, "because": r.because} for r in step.reasons],
        "check": None if step.check is None else _check(step.check),
        "provenance": _provenance(step.provenance),
    }


def _provenance(provenance: Provenance) -> dict[str, Any]:
    return {
        "recorded": provenance.recorded,
        "answered_in": provenance.answered_in,
        "origins": [
            {
                "path": path_text(path),
                "kind": origin.kind.value,
                "from": None if origin.source is None else path_text(origin.source),
            }
            for path, origin in provenance.origins.items()
        ],
        "cancelled": [path_text(path) for path in provenance.cancelled],
    }


def _check(check: StepCertificate) -> dict[str, Any]:
    return {
        "rung": check.method.value,
        "points": check.points,
        "error": check.error,
        "sizes": [dict(sizes) for sizes in check.sizes],
        "sentence": str(check),
    }


def _gradient(gradient: Gradient, form: GradientForm) -> dict[str, Any]:
    best = gradient.index if gradient.matrix is None else gradient.matrix
    data: dict[str, Any] = {"shape": _shape(gradient.variable.shape)}
    if form is not GradientForm.INDEX:
        data["matrix"] = None if gradient.matrix is None else plain(gradient.matrix)
        if gradient.opened is not None:
            data["opened"] = plain(gradient.opened)
    if form is not GradientForm.MATRIX:
        data["index"] = plain(gradient.index)
        data["entry"] = [None if p is None else str(p) for p in (gradient.row, gradient.col)]
    data["latex"] = latex(gradient.index if form is GradientForm.INDEX else best)
    if gradient.no_matrix_form:
        data["no_matrix_form"] = gradient.no_matrix_form
    if gradient.place is not None and gradient.asked is not None:
        data["asked"] = {"place": gradient.place, "index": plain(gradient.asked)}
    return data


def _hessian(hessian: Hessian, form: GradientForm) -> dict[str, Any]:
    best = hessian.index if hessian.matrix is None else hessian.matrix
    data: dict[str, Any] = {
        "shape": _shape(hessian.symbol.shape),
        "rows": hessian.rows.name,
        "columns": hessian.columns.name,
        "latex": latex(hessian.index if form is GradientForm.INDEX else best),
    }
    if form is not GradientForm.INDEX:
        data["matrix"] = None if hessian.matrix is None else plain(hessian.matrix)
    if form is not GradientForm.MATRIX:
        data["index"] = plain(hessian.index)
        data["entry"] = [None if p is None else str(p) for p in (hessian.row, hessian.col)]
    if hessian.no_matrix_form:
        data["no_matrix_form"] = hessian.no_matrix_form
    return data


def _shape(shape: Shape) -> list[str]:
    return [str(dim) for dim in shape]
