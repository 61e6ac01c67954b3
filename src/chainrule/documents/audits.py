"""An audit as a document: the forward pass, and a verdict per line."""

from __future__ import annotations

from collections.abc import Iterator

from chainrule.documents.blocks import Block, Document, Role, Section, Table, prose
from chainrule.documents.exercises.building import forward_names
from chainrule.teaching.grading.audit import Audit, Verdict

NO_FORWARD = "No forward pass was found; the lines are judged as they stand."
"""The sentence in place of a forward pass."""


def audit_document(found: Audit) -> Document:
    """Return an audit as a document."""
    blocks = tuple(audit_blocks(found))
    return Document(
        (found.model and found.model.title) or "An audit",
        count_sentence(found),
        (Section("audit", "The lines", blocks),),
        found.model,
    )


def audit_blocks(found: Audit) -> Iterator[Block]:
    """Yield the forward pass, the verdicts, and the convention in which gradients are meant."""
    if found.model is None:
        yield prose(NO_FORWARD, Role.NOTE)
    else:
        yield forward_names(found.model)
    rows = tuple(
        (str(line.line), line.verdict, line.text, "; ".join(remarks(line))) for line in found.lines
    )
    if rows:
        head = ("line", "verdict", "written", "remark")
        yield Table(count_sentence(found), head, rows, frozenset({0}))
    else:
        yield prose(count_sentence(found))
    if found.convention:
        yield prose(f"Convention: {found.convention}", Role.NOTE)


def remarks(line: Verdict) -> list[str]:
    """Return what is said of a line, its mistakes, and the right line."""
    if line.verdict == "proven":
        return [line.why] if line.why.startswith(("right ", "taken: ")) else []
    said = [f"at equals sign {line.sign}: {line.why}" if line.sign > 1 else line.why]
    for mistake in dict.fromkeys(line.mistakes):
        said.append(f"{mistake.name} ({mistake.step}): {mistake.message}")
    if line.right:
        said.append(f"right: {line.right}")
    return said


def count_sentence(found: Audit) -> str:
    """Return how many lines are judged, proven and wrong."""
    lines = len(found.lines)
    if not lines:
        return "Nothing here claims anything: write equations such as dJ/dw = (A - Y) X^T."
    proven = sum(line.verdict == "proven" for line in found.lines)
    return f"{lines} line{'s' * (lines != 1)} judged: {proven} proven, {len(found.wrong)} wrong"


__all__ = ["NO_FORWARD", "audit_blocks", "audit_document", "count_sentence", "remarks"]
