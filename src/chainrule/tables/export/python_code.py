"""A model as one Python function of the standard library."""

from __future__ import annotations

from chainrule.tables.export.scoring import CategoryTerm, NumberTerm, ScoringPlan

_LINKS = {
    "logit": "1 / (1 + math.exp(-z)) if z >= 0 else math.exp(z) / (1 + math.exp(z))",
    "identity": "z",
    "log": "math.exp(z) if z < 709 else math.inf",
    "probit": "math.erfc(-z / math.sqrt(2)) / 2",
    "cloglog": "-math.expm1(-math.exp(min(z, 700.0)))",
}


def write_python(plan: ScoringPlan) -> str:
    """Return the text of a module with a function ``predict(row)``."""
    lines = [
        f'"""Predict {_plain(plan.target)}. Written by chainrule export.',
        "",
        f"{_plain(plan.certificate)}",
        '"""',
        "",
        "import math",
        "",
        f"COLUMNS = {list(plan.columns)!r}",
        f"OUTPUTS = {list(plan.outputs)!r}",
        f"INTERCEPTS = {list(plan.intercepts)!r}",
    ]
    numbers = [term for term in plan.terms if isinstance(term, NumberTerm)]
    words = [term for term in plan.terms if isinstance(term, CategoryTerm)]
    lines += ["", "# column, mean, scale, weights, what a missing value adds (None: no prediction)"]
    lines += ["NUMBERS = ["]
    lines += [
        f"    ({t.column!r}, {t.mean!r}, {t.scale!r}, {t.weights!r}, {t.if_missing!r}),"
        for t in numbers
    ]
    lines += ["]", "", "# column, what each level adds, a missing string, an unknown one"]
    lines += ["CATEGORIES = ["]
    lines += [
        f"    ({t.column!r}, {dict(t.levels)!r}, {t.if_missing!r}, {t.if_unknown!r}),"
        for t in words
    ]
    lines += ["]", "", "", "def predict(row):"]
    lines += [
        f'    """Return {len(plan.outputs)} results by name for a mapping of column to value; None '
        'if it has none."""',
        "    scores = list(INTERCEPTS)",
        "    for column, mean, scale, weights, missing in NUMBERS:",
        "        value = row[column]",
        "        if value is None or value != value:",
        "            if missing is None:",
        "                return None",
        "            parts = missing",
        "        else:",
        "            parts = [(float(value) - mean) / scale * w for w in weights]",
        "        scores = [z + part for z, part in zip(scores, parts)]",
        "    for column, levels, missing, unknown in CATEGORIES:",
        "        value = row[column]",
        "        parts = missing if value is None else levels.get(str(value), unknown)",
        "        if parts is None:",
        "            return None",
        "        scores = [z + part for z, part in zip(scores, parts)]",
    ]
    if plan.offset is not None:
        lines += [f"    scores = [z + float(row[{plan.offset!r}]) for z in scores]"]
    if plan.exposure is not None:
        lines += [f"    scores = [z + math.log(row[{plan.exposure!r}]) for z in scores]"]
    if plan.link == "softmax":
        lines += [
            "    top = max(scores)",
            "    shares = [math.exp(z - top) for z in scores]",
            "    results = [share / sum(shares) for share in shares]",
        ]
    else:
        lines += ["    (z,) = scores", f"    results = [{_LINKS[plan.link]}]"]
    lines += ["    return dict(zip(OUTPUTS, results))", ""]
    return "\n".join(lines)


def _plain(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"', "'")
