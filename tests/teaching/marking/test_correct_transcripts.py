"""Correct derivations in the notations people use: nobody is accused, and every line is read.

The transcripts stand in `transcripts/`, each under a line ``=== name``. They are right by
construction: gradients of the literature, written out by hand.
"""

from __future__ import annotations

import re
from collections import Counter
from pathlib import Path

import pytest

from chainrule.teaching.grading.audit import audit

TRANSCRIPTS = {
    name: text
    for file in sorted((Path(__file__).parent / "transcripts").glob("*.md"))
    for name, _, text in (
        part.partition("\n")
        for part in re.split(r"^=== ", file.read_text(encoding="utf-8"), flags=re.M)[1:]
    )
}

HONEST = {"proven", "unproven"}


@pytest.mark.parametrize("name", TRANSCRIPTS)
def test_no_correct_line_is_accused_and_none_is_unreadable(name: str) -> None:
    found = audit(TRANSCRIPTS[name])
    assert found.lines, "nothing was judged"
    assert [line for line in found.lines if line.verdict not in HONEST] == []


@pytest.mark.slow
def test_there_are_many_transcripts_and_nearly_every_line_of_them_is_proven() -> None:
    verdicts = Counter(line.verdict for text in TRANSCRIPTS.values() for line in audit(text).lines)
    said = f"{len(TRANSCRIPTS)} transcripts, {dict(verdicts)}"
    assert len(TRANSCRIPTS) >= 60, said
    assert verdicts["proven"] >= 0.97 * verdicts.total() >= 400 * 0.97, said
