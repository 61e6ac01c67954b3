"""The rules of style that can be checked: on sentences with a known verdict, and on the project."""

from __future__ import annotations

import pytest
from tools.english import ALLOWED, Kind, Text, complaints, texts

WRONG = (
    (1, Kind.PAGE, "It stores one row a class."),
    (1, Kind.DOCSTRING, "Compiled once a machine."),
    (2, Kind.MESSAGE, "the slope by an entry of the factor"),
    (2, Kind.PAGE, "the derivative of the loss by the score"),
    (3, Kind.SUMMARY, "What the solver returns."),
    (4, Kind.PAGE, "Of two labels, the last is taken."),
    (4, Kind.PAGE, "Stored are the means."),
    (5, Kind.HELP, "Of the split."),
    (6, Kind.PAGE, "The engine knows nothing of graphs."),
    (6, Kind.MESSAGE, "chainrule wants a number"),
    (7, Kind.PAGE, "It takes weights that mean repetition."),
    (8, Kind.PAGE, "Rooms of the house"),
    (8, Kind.DOCSTRING, "The door to inference."),
    (9, Kind.MESSAGE, "the other factors do not move"),
    (10, Kind.MESSAGE, "w is no matrix"),
    (10, Kind.HELP, "Prove every step of FILE."),
    (10, Kind.PAGE, "22 certified steps."),
)

RIGHT = (
    (Kind.PAGE, "One row per class, as one of a pair."),
    (Kind.PAGE, "The derivative of the loss with respect to the score, by hand or by rules."),
    (Kind.PAGE, "What does proven mean?"),
    (Kind.SUMMARY, "Return the result of a solver."),
    (Kind.PAGE, "There is no optimum, and it is no longer looked for."),
    (Kind.HELP, "Seed for the split."),
    (Kind.PAGE, "Every step is verified; the bound is proven."),
    (Kind.PAGE, "A window leaves room for formulas."),
)


@pytest.fixture(scope="module")
def project() -> list[Text]:
    return list(texts())


def rules(words: str, kind: Kind) -> list[str]:
    return list(complaints([Text(words, "a.md", 1, kind)]))


@pytest.mark.parametrize(("rule", "kind", "words"), WRONG, ids=[words for _, _, words in WRONG])
def test_a_sentence_that_a_rule_excludes_is_found(rule: int, kind: Kind, words: str) -> None:
    assert any(f"rule {rule}:" in found for found in rules(words, kind)), rules(words, kind)


@pytest.mark.parametrize(("kind", "words"), RIGHT, ids=[words for _, words in RIGHT])
def test_a_plain_sentence_passes(kind: Kind, words: str) -> None:
    assert rules(words, kind) == []


@pytest.mark.slow
def test_the_text_of_the_project_follows_the_rules(project: list[Text]) -> None:
    assert {text.kind for text in project} == set(Kind)
    assert len(project) > 5000
    assert list(complaints(project)) == []


def test_every_exception_is_still_needed_and_has_a_reason(project: list[Text]) -> None:
    files = {text.file for text in project}
    for place, reason in ALLOWED.items():
        assert place.split(": ")[0] in files, place
        assert len(reason) > 10, place
