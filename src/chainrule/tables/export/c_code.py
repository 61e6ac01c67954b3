"""A model as one C function without dependencies."""

from __future__ import annotations

from chainrule.tables.export.scoring import NumberTerm, ScoringPlan, Term

_LINKS = {
    "logit": "z >= 0 ? 1 / (1 + exp(-z)) : exp(z) / (1 + exp(z))",
    "identity": "z",
    "log": "exp(z)",
    "probit": "erfc(-z / sqrt(2.0)) / 2",
    "cloglog": "-expm1(-exp(z))",
}


def write_c(plan: ScoringPlan) -> str:
    """Return the text of a C99 file with the function ``chainrule_predict``."""
    numbers, words = plan.number_columns, [c for c in plan.columns if c not in plan.number_columns]
    lines = [
        f"/* Predict {_comment(plan.target)}. Written by chainrule export.",
        f"   {_comment(plan.certificate)}",
        "",
        "   int chainrule_predict(const double *numbers, const char *const *words,",
        "                         double *results);",
        "",
        "   numbers: NAN where missing; in this order:",
        *[f"     {k}: {_comment(name)}" for k, name in enumerate(numbers)],
        "   words: NULL where missing; UTF-8; in this order:",
        *[f"     {k}: {_comment(name)}" for k, name in enumerate(words)],
        "   results:",
        *[f"     {k}: {_comment(name)}" for k, name in enumerate(plan.outputs)],
        "   Returns 1, or 0 for no prediction: a missing value or an unknown category. */",
        "#include <math.h>",
        "#include <string.h>",
        "",
        "int chainrule_predict(const double *numbers, const char *const *words, double *results)",
        "{",
        f"    double score[{len(plan.intercepts)}] = {_array(plan.intercepts)};",
        "    double value;",
        "    const char *word;",
        "    int k;",
        "    (void)numbers; (void)words; (void)value; (void)word; (void)k;",
    ]
    for term in plan.terms:
        places = numbers if isinstance(term, NumberTerm) else words
        lines += _term(term, list(places).index(term.column), len(plan.intercepts))
    for name, form in ((plan.offset, "value"), (plan.exposure, "log(value)")):
        if name is not None:
            lines += [
                f"    value = numbers[{list(numbers).index(name)}];",
                "    if (isnan(value)) return 0;",
                f"    for (k = 0; k < {len(plan.intercepts)}; k++) score[k] += {form};",
            ]
    lines += _results(plan)
    return "\n".join([*lines, "    return 1;", "}", ""])


def _term(term: Term, place: int, n_outputs: int) -> list[str]:
    loop = f"for (k = 0; k < {n_outputs}; k++) score[k] +="
    if isinstance(term, NumberTerm):
        missing = "return 0;"
        if term.if_missing is not None:
            missing = f"{{ static const double add[] = {_array(term.if_missing)}; {loop} add[k]; }}"
        return [
            f"    value = numbers[{place}];",
            f"    if (isnan(value)) {missing}",
            "    else {",
            f"        static const double weight[] = {_array(term.weights)};",
            f"        {loop} (value - {term.mean!r}) / {term.scale!r} * weight[k];",
            "    }",
        ]
    lines = [f"    word = words[{place}];", f"    if (!word) {_add(term.if_missing, loop)}"]
    lines += [
        f"    else if (!strcmp(word, {_string(word)})) {_add(value, loop)}"
        for word, value in term.levels.items()
    ]
    return [*lines, f"    else {_add(term.if_unknown, loop)}"]


def _add(values: tuple[float, ...] | None, loop: str) -> str:
    if values is None:
        return "return 0;"
    return f"{{ static const double add[] = {_array(values)}; {loop} add[k]; }}"


def _results(plan: ScoringPlan) -> list[str]:
    n = len(plan.intercepts)
    if plan.link != "softmax":
        return [f"    {{ double z = score[0]; results[0] = {_LINKS[plan.link]}; }}"]
    return [
        "    {",
        "        double top = score[0], sum = 0;",
        f"        for (k = 1; k < {n}; k++) if (score[k] > top) top = score[k];",
        f"        for (k = 0; k < {n}; k++) sum += results[k] = exp(score[k] - top);",
        f"        for (k = 0; k < {n}; k++) results[k] /= sum;",
        "    }",
    ]


def _array(values: tuple[float, ...]) -> str:
    return "{" + ", ".join(repr(value) for value in values) + "}"


def _string(text: str) -> str:
    """Return a C string of the UTF-8 bytes, octal where they are not plain letters."""
    plain = [
        chr(byte) if 32 <= byte < 127 and chr(byte) not in '"\\?' else f"\\{byte:03o}"
        for byte in text.encode("utf-8")
    ]
    return '"' + "".join(plain) + '"'


def _comment(text: str) -> str:
    return " ".join(text.split()).replace("*/", "* /").replace("/*", "/ *")
