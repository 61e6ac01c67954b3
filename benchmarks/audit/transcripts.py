"""Transcripts as different people post them: which lines are read, accused and found.

The texts are written for this measure, in the manner of public courses, forums, papers and
homework; each names the kind of its source. A line that claims something is marked: ``✓`` where it
is right, ``✗`` where it is wrong. The marks are removed before the audit.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from chainrule.errors import ChainruleError
from chainrule.teaching.grading.audit import audit

FOLDER = Path(__file__).parent / "transcripts"
STYLES = Path(__file__).parent / "styles"
"""Texts in the notation of well-known lecture notes, books and homework; measured apart."""

RIGHT, WRONG = "✓", "✗"
_MARK = re.compile(rf"^([{RIGHT}{WRONG}]) ?", re.MULTILINE)
READ = frozenset({"proven", "wrong", "shape", "scope", "follows"})


@dataclass(frozen=True)
class Transcript:
    """One transcript with what is true of its lines.

    Parameters
    ----------
    name, source : str
        Its name, and the kind of its source.
    text : str
        Without marks.
    right, wrong : frozenset of int
        The numbers of the lines that claim something right, and something wrong.
    """

    name: str
    source: str
    text: str
    right: frozenset[int]
    wrong: frozenset[int]


def transcripts(folder: Path = FOLDER) -> Iterator[Transcript]:
    """Yield every transcript of a folder."""
    for file in sorted(folder.glob("*.md")):
        parts = re.split(r"^=== ", file.read_text(encoding="utf-8"), flags=re.MULTILINE)[1:]
        for part in parts:
            head, _, marked = part.partition("\n")
            name, _, source = head.partition(" | ")
            rows = marked.splitlines()
            found = {
                mark: frozenset(n for n, row in enumerate(rows, 1) if row.startswith(mark))
                for mark in (RIGHT, WRONG)
            }
            text = _MARK.sub("", marked)
            yield Transcript(name, source, text, found[RIGHT], found[WRONG])


@dataclass
class Figures:
    """What the audit makes of marked transcripts.

    Parameters
    ----------
    transcripts, right, wrong : int
        The number of transcripts, and of marked lines.
    read, found : int
        The lines that are read and judged, and the wrong lines that are found.
    unread, accused, missed, counted : list of str
        The lines that are not read, right lines that are accused, wrong lines that are not
        found, and lines that claim nothing and are judged.
    """

    transcripts: int = 0
    right: int = 0
    wrong: int = 0
    read: int = 0
    found: int = 0
    unread: list[str] = field(default_factory=list)
    accused: list[str] = field(default_factory=list)
    missed: list[str] = field(default_factory=list)
    counted: list[str] = field(default_factory=list)

    @property
    def share_read(self) -> float:
        """The share of claims that are read and judged."""
        return self.read / (self.right + self.wrong)

    @property
    def share_found(self) -> float:
        """The share of wrong lines that are found."""
        return self.found / self.wrong

    def __str__(self) -> str:
        lines = [
            f"{self.transcripts} transcripts, {self.right} right and {self.wrong} wrong lines: "
            f"{self.share_read:.1%} read, {len(self.accused)} right lines accused, "
            f"{self.share_found:.1%} of the wrong lines found, "
            f"{len(self.counted)} lines judged that claim nothing"
        ]
        for title, found in (
            ("not read", self.unread),
            ("accused", self.accused),
            ("missed", self.missed),
            ("judged", self.counted),
        ):
            lines += [f"  {title}: {line}" for line in found]
        return "\n".join(lines)


def figures(given: Iterable[Transcript]) -> Figures:
    """Audit transcripts, and count."""
    counts = Figures()
    for transcript in given:
        counts.transcripts += 1
        counts.right += len(transcript.right)
        counts.wrong += len(transcript.wrong)
        rows = transcript.text.splitlines()
        judged: dict[int, list[str]] = {}
        try:
            for verdict in audit(transcript.text).lines:
                judged.setdefault(verdict.line, []).append(verdict.verdict)
        except ChainruleError as error:
            judged = {}
            counts.unread.append(f"{transcript.name}: {error}")
        for number in sorted(transcript.right | transcript.wrong):
            said = f"{transcript.name}: {rows[number - 1].strip()}"
            verdicts = judged.pop(number, [])
            accused = any(v in ("wrong", "shape", "scope") for v in verdicts)
            if verdicts and all(v in READ for v in verdicts):
                counts.read += 1
            else:
                counts.unread.append(f"{said} ({', '.join(verdicts) or 'no verdict'})")
            if number in transcript.wrong:
                counts.found += accused
                if not accused:
                    counts.missed.append(said)
            elif accused:
                counts.accused.append(said)
        counts.counted += [f"{transcript.name}: {rows[n - 1].strip()}" for n in judged]
    return counts


if __name__ == "__main__":
    print(figures(transcripts()))
    print(figures(transcripts(STYLES)))
