"""Transcripts in many hands, right and with a mistake: what is read, accused and found."""

from __future__ import annotations

import pytest
from benchmarks.audit.transcripts import Figures, Transcript, figures, transcripts

ALL = tuple(transcripts())


@pytest.fixture(scope="module")
def counts() -> Figures:
    return figures(ALL)


def test_there_are_enough_and_each_names_the_kind_of_its_source() -> None:
    assert len(ALL) >= 40
    assert all(one.source and (one.right or one.wrong) for one in ALL)
    assert len({one.name for one in ALL}) == len(ALL)


@pytest.mark.slow
def test_nearly_every_claim_is_read(counts: Figures) -> None:
    assert counts.share_read >= 0.95, counts


@pytest.mark.slow
def test_no_right_line_is_accused(counts: Figures) -> None:
    assert counts.accused == []


@pytest.mark.slow
def test_nearly_every_wrong_line_is_found(counts: Figures) -> None:
    assert counts.share_found >= 0.97, counts


@pytest.mark.slow
def test_bookkeeping_and_prose_are_not_judged(counts: Figures) -> None:
    assert counts.counted == []


def test_the_measure_counts_what_the_audit_does_not_see() -> None:
    forward = "x : (n, 1)\nJ = sum(x^2)\n"
    blind = Transcript(
        "blind", "none", forward + "dJ/dx = 2 x\ndJ/dx = 2 (((\n", frozenset({4}), frozenset({3})
    )
    found = figures([blind])
    assert (found.read, found.found, len(found.unread), len(found.missed)) == (1, 0, 1, 1)
