"""The records of the benchmark of L1 penalties, and the tables made of them."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from textwrap import fill

ROOT = Path(__file__).parents[2]
RECORDS = ROOT / "benchmarks" / "sparsity.json"
PAGE = ROOT / "docs" / "sparsity.md"
OURS = "chainrule"
SHARES = (0.5, 0.1, 0.05, 0.01)
TARGETS = ("1e-06", "1e-10")
PATH = "path"
_BEGIN, _END = "<!-- measured -->\n", "<!-- end of measured -->"


@dataclass
class Record:
    """What one solver took for the tasks of one problem.

    Attributes
    ----------
    problem, solver : str
    seconds : dict
        By task: ``"0.1: 1e-06"`` is a share of lambda_max and a relative gap, ``"path"`` a path.
        What was not reached in time is not there.
    megabytes, megabytes_of_data : float or None
        The peak of memory beyond what was held before the tasks, and the size of X.
    """

    problem: str
    solver: str
    seconds: dict[str, float] = field(default_factory=dict)
    megabytes: float | None = None
    megabytes_of_data: float | None = None

    def keep_least(self, task: str, seconds: float) -> None:
        """Keep the time of a task if it is the least so far."""
        self.seconds[task] = min(seconds, self.seconds.get(task, math.inf))


def task_of(share: float, target: str) -> str:
    """Return the name of a task."""
    return f"{share:g}: {target}"


def save(records: Sequence[Record], machine: Mapping[str, object], path: Path = RECORDS) -> None:
    """Write records and a description of the machine."""
    content = {"machine": dict(machine), "records": [asdict(record) for record in records]}
    path.write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")


def load(path: Path = RECORDS) -> tuple[list[Record], Mapping[str, object]]:
    """Return what `save` wrote; nothing where no run was kept."""
    if not path.exists():
        return [], {}
    content = json.loads(path.read_text(encoding="utf-8"))
    return [Record(**record) for record in content["records"]], content["machine"]


def tables(records: Sequence[Record]) -> str:
    """Return a table per relative gap, one row per problem, and the geometric means."""
    return "\n".join(_lines(records))


def _lines(records: Sequence[Record]) -> Iterator[str]:
    problems = list(dict.fromkeys(record.problem for record in records))
    of_fits: list[float] = []
    of_paths: list[float] = []
    for target in TARGETS:
        tasks = [task_of(share, target) for share in SHARES]
        heads = [f"{share:g} lambda_max" for share in SHARES]
        if target == TARGETS[0]:
            tasks, heads = [*tasks, PATH], [*heads, "path"]
        yield f"Relative gap {target}:"
        yield ""
        yield f"| data | {' | '.join(heads)} |"
        yield "|---" * (len(heads) + 1) + "|"
        for problem in problems:
            cells = []
            for task in tasks:
                ours, peer, name = _of_task(records, problem, task)
                cells.append(_cell(ours, peer, name))
                if ours < math.inf and peer < math.inf:
                    (of_paths if task == PATH else of_fits).append(peer / ours)
            yield f"| {problem} | {' | '.join(cells)} |"
        yield ""
    for what, ratios in (("fits", of_fits), ("paths", of_paths)):
        if ratios:
            mean = math.exp(sum(map(math.log, ratios)) / len(ratios))
            slower = sum(ratio < 1 for ratio in ratios)
            yield (
                f"Geometric mean over {len(ratios)} {what}: the fastest peer takes {mean:.1f} "
                f"times as long; it is faster in {slower}."
            )
            yield ""

    held = [
        f"{record.problem}: {record.megabytes:.0f} ({record.megabytes_of_data:.0f})"
        for record in records
        if record.solver == OURS and record.megabytes is not None
    ]
    if held:
        yield "Peak of chainrule's memory beside X, results included, in MB (X itself):"
        yield ""
        yield from (f"- {line}" for line in held)
        yield ""


def _of_task(records: Sequence[Record], problem: str, task: str) -> tuple[float, float, str]:
    """Return the seconds of chainrule and of the fastest peer, and its name."""
    found = {r.solver: r.seconds.get(task, math.inf) for r in records if r.problem == problem}
    ours = found.pop(OURS, math.inf)
    peer, name = min(((s, n) for n, s in found.items()), default=(math.inf, ""))
    return ours, peer, name


def _cell(ours: float, peer: float, name: str) -> str:
    if ours == peer == math.inf:
        return ""
    times = f"{_time(ours)}, {name} {_time(peer)}" if peer < math.inf else f"{_time(ours)}, none"
    if math.inf in (ours, peer):
        return times
    ratio = f"{peer / ours:.1f}"
    return f"{ratio if peer >= ours else f'**{ratio}**'} ({times})"


def _time(seconds: float) -> str:
    if seconds == math.inf:
        return "not reached"
    return f"{seconds * 1e3:.3g} ms" if seconds < 0.9995 else f"{seconds:.3g} s"


def written() -> dict[Path, str]:
    """Return the page with the tables of the kept run, by its path."""
    text = PAGE.read_text(encoding="utf-8")
    records, machine = load()
    if not records or _BEGIN not in text:
        return {}
    before, _, rest = text.partition(_BEGIN)
    _, _, after = rest.partition(_END)
    told = (
        f"Written by `make docs` from the last `python -m benchmarks.sparsity` ({machine['date']}, "
        f"{machine['processor']}, {machine['cores']} cores): how many times as long the fastest "
        "peer takes, and both times. celer and snapml are given problems without an intercept. "
        f"Measured: {', '.join(dict.fromkeys(r.solver for r in records))}."
    )
    return {PAGE: f"{before}{_BEGIN}{_wrapped(told)}\n\n{tables(records)}{_END}{after}"}


def _wrapped(text: str) -> str:
    return fill(text, 100, break_long_words=False, break_on_hyphens=False)
