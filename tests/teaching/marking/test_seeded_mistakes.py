"""Transcripts with one wrong line: it is found, it is named, and no right line is accused.

That the seeded line is wrong, and the others are right, is settled by `benchmarks.audit.seeds`
with finite differences in NumPy; the mistakes there know nothing of `chainrule.teaching.marking`.
"""

from __future__ import annotations

import pytest
from benchmarks.audit.formulas import tree
from benchmarks.audit.lessons import LESSONS, Lesson
from benchmarks.audit.measure import Counts, measured
from benchmarks.audit.seeds import places, seeds

EVERY = 10
"""One change in ten is audited here; ``python -m benchmarks.audit`` goes through them all."""


@pytest.fixture(scope="module")
def counts() -> Counts:
    return measured(seeds(EVERY))


@pytest.mark.parametrize("lesson", LESSONS, ids=lambda lesson: lesson.name)
def test_the_lessons_are_right_by_finite_differences(lesson: Lesson) -> None:
    for claimed, text in lesson.lines.items():
        assert all(place.holds(claimed, tree(text)) for place in places(lesson.name)), claimed


@pytest.mark.slow
def test_the_wrong_line_is_found(counts: Counts) -> None:
    assert counts.seeds.total() >= 90, counts
    assert counts.found.total() >= 0.97 * counts.seeds.total(), counts


@pytest.mark.slow
def test_no_right_line_is_accused(counts: Counts) -> None:
    assert not counts.accused, counts


@pytest.mark.slow
def test_the_mistake_is_named(counts: Counts) -> None:
    assert counts.named.total() >= 0.9 * counts.seeds.total(), counts


@pytest.mark.slow
def test_every_kind_of_mistake_is_found(counts: Counts) -> None:
    assert len(counts.seeds) >= 20, counts
    assert all(counts.found[kind] > 0 for kind in counts.seeds), counts
