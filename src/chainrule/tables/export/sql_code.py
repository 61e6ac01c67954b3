"""A model as one SQL query, in the dialects of DuckDB, PostgreSQL, SQLite, Spark and BigQuery."""

from __future__ import annotations

from typing import Final

from chainrule.errors import DataError
from chainrule.tables.export.scoring import CategoryTerm, NumberTerm, ScoringPlan, Term

DIALECTS: Final[tuple[str, ...]] = ("duckdb", "postgres", "sqlite", "spark", "bigquery")
_DOUBLE: Final = {
    "duckdb": "DOUBLE",
    "postgres": "DOUBLE PRECISION",
    "sqlite": "REAL",
    "spark": "DOUBLE",
    "bigquery": "FLOAT64",
}
_TEXT: Final = {"bigquery": "STRING", "spark": "STRING"}
_FAR: Final[int] = 700
"""Scores beyond this would leave the range of EXP, which is an error in some databases."""


def write_sql(plan: ScoringPlan, dialect: str, table: str = "data") -> str:
    """Return a query that adds the results to all columns of a table.

    Parameters
    ----------
    plan : ScoringPlan
    dialect : str
        One of `DIALECTS`.
    table : str
        The table to score.

    Raises
    ------
    DataError
        For an unknown dialect, or a link that SQL has no function for.
    """
    if dialect not in DIALECTS:
        raise DataError(f"unknown dialect {dialect!r}; these are known: {', '.join(DIALECTS)}")
    writer = _Writer(plan, dialect)
    scores = [
        f"{writer.score(k)} AS {writer.name(f'score_{k}')}" for k in range(len(plan.intercepts))
    ]
    results = [
        f"{text} AS {writer.name(out)}"
        for text, out in zip(writer.results(), plan.outputs, strict=True)
    ]
    inner = ",\n    ".join(scores)
    outer = ",\n  ".join(results)
    return (
        f"-- Predict {_comment(plan.target)}. Written by chainrule export.\n"
        f"-- {_comment(plan.certificate)}\n"
        f"SELECT scored.*,\n  {outer}\nFROM (\n  SELECT {writer.name(table)}.*,\n    {inner}\n"
        f"  FROM {writer.name(table)}\n) AS scored\n"
    )


class _Writer:
    def __init__(self, plan: ScoringPlan, dialect: str) -> None:
        self._plan, self._dialect = plan, dialect

    def name(self, text: str) -> str:
        """Return an identifier, quoted."""
        if self._dialect == "bigquery":
            return "`" + text.replace("\\", "\\\\").replace("`", "\\`") + "`"
        mark = "`" if self._dialect == "spark" else '"'
        return mark + text.replace(mark, mark * 2) + mark

    def word(self, text: str) -> str:
        """Return a string, quoted."""
        if self._dialect in ("spark", "bigquery"):
            return "'" + text.replace("\\", "\\\\").replace("'", "\\'") + "'"
        return "'" + text.replace("'", "''") + "'"

    def number(self, value: float) -> str:
        """Return a number as a double, all its digits."""
        return f"CAST({value!r} AS {_DOUBLE[self._dialect]})"

    def score(self, k: int) -> str:
        """Return the expression of score number k."""
        parts = [self.number(self._plan.intercepts[k])]
        parts += [self._term(term, k) for term in self._plan.terms]
        if self._plan.offset is not None:
            parts.append(self.name(self._plan.offset))
        if self._plan.exposure is not None:
            parts.append(f"LN({self.name(self._plan.exposure)})")
        return "\n      + ".join(parts)

    def results(self) -> list[str]:
        """Return the expressions of the results, in terms of the scores."""
        link = self._plan.link
        scores = [self.name(f"score_{k}") for k in range(len(self._plan.intercepts))]
        if link == "softmax":
            return [self._share(k, scores) for k in range(len(scores))]
        z = scores[0]
        if link == "identity":
            return [z]
        if link == "logit":
            return [
                f"CASE WHEN {z} >= {_FAR} THEN {self.number(1.0)} WHEN {z} <= -{_FAR} THEN "
                f"{self.number(0.0)} WHEN {z} >= 0 THEN 1 / (1 + EXP(-{z})) "
                f"ELSE EXP({z}) / (1 + EXP({z})) END"
            ]
        if link == "log":
            return [
                f"CASE WHEN {z} <= -{_FAR} THEN {self.number(0.0)} "
                f"WHEN {z} >= {_FAR} THEN NULL ELSE EXP({z}) END"
            ]
        raise DataError(f"SQL has no function for the link {link}: export to Python or C")

    def _share(self, k: int, scores: list[str]) -> str:
        """Return a class's share: over the sum of exponentials of differences, kept in range."""
        terms = []
        for other in scores:
            gap = f"({other} - {scores[k]})"
            terms.append(
                f"CASE WHEN {gap} <= -{_FAR} THEN {self.number(0.0)} "
                f"WHEN {gap} >= {_FAR} THEN {self.number(1e300)} ELSE EXP({gap}) END"
            )
        total = "\n    + ".join(terms)
        return f"1 / (\n    {total})"

    def _term(self, term: Term, k: int) -> str:
        column = self.name(term.column)
        if isinstance(term, NumberTerm):
            mean, scale, weight = (self.number(v) for v in (term.mean, term.scale, term.weights[k]))
            value = f"(CAST({column} AS {_DOUBLE[self._dialect]}) - {mean}) / {scale} * {weight}"
            if term.if_missing is None:
                return value
            missing = self.number(term.if_missing[k])
            return f"CASE WHEN {column} IS NULL THEN {missing} ELSE {value} END"
        return self._category(term, column, k)

    def _category(self, term: CategoryTerm, column: str, k: int) -> str:
        text = f"CAST({column} AS {_TEXT.get(self._dialect, 'VARCHAR')})"
        missing = self._or_null(term.if_missing, k)
        unknown = self._or_null(term.if_unknown, k)
        cases = [f"WHEN {column} IS NULL THEN {missing}"]
        cases += [
            f"WHEN {text} = {self.word(word)} THEN {self.number(value[k])}"
            for word, value in term.levels.items()
        ]
        return "CASE " + "\n        ".join([*cases, f"ELSE {unknown} END"])

    def _or_null(self, values: tuple[float, ...] | None, k: int) -> str:
        return "NULL" if values is None else self.number(values[k])


def _comment(text: str) -> str:
    return " ".join(text.split())
