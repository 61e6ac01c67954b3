"""Every command under every fault of its surroundings: one sentence, and never half a file.

`CHAINRULE_TORTURE_SECONDS` makes the part with seeded moments longer (make torture).
"""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from chainrule.cli.main import COMMANDS

_LIMIT = 120
_TORTURE = float(os.environ.get("CHAINRULE_TORTURE_SECONDS", "0"))

_ASCII = {"LANG": "C", "LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}
_FORWARD = "x : (n, 1)\nw : (1, n)\ny : (1, 1)\nz = w x\na = sigmoid(z)\nL = -y log(a)\n"
_HOMEWORK = "Z = w X + b\nA = sigmoid(Z)\nJ = sum(A)\ndw = A .* (1 - A) X^T\n"
_TABLE = "x,c,t\n" + "".join(f"{k % 7},{'uv'[k % 2]},{'ab'[k * k % 3 % 2]}\n" for k in range(60))
_LINE = "X : (n, m)\nY : (1, m)\nw : (1, n)\nb : (1, 1)\nZ = w X + b\nJ = 1/m sum((Z - Y)^2)\n"

WRITES: Mapping[str, Sequence[str]] = {
    "derive": ["derive", "pass.cr"],
    "check": ["check", "pass.cr"],
    "audit": ["audit", "homework.md", "--forward", "logistic_batch"],
    "grade": ["grade", "--forward", "pass.cr", "--wrt", "w", "--answer", "(a - 1) y x^T"],
    "code": ["code", "pass.cr"],
    "practice": ["practice"],
    "exercise": ["exercise", "--help"],
    "progress": ["progress"],
    "fit": ["fit", "table.csv", "--target", "t", "--holdout", "0"],
    "columns": ["columns", "table.csv"],
    "predict": ["predict", "model.json", "table.csv"],
    "compare": ["compare", "model.json", "model.json", "--data", "table.csv"],
    "report": ["report", "model.json"],
    "export": ["export", "model.json", "written.py"],
    "calibrate": ["calibrate", "--show"],
    "train": [
        *("train", "line.cr", "--data", "numbers.csv"),
        *("--bind", "X=features", "--bind", "Y=t", "--steps", "5"),
    ],
}
"""Per command, arguments with which it prints something."""

MAKES: Mapping[str, tuple[Sequence[str], str]] = {
    "derive": (["derive", "pass.cr", "--out", "out.txt"], "out.txt"),
    "code": (["code", "pass.cr", "--out", "out.py"], "out.py"),
    "fit": (["fit", "table.csv", "--target", "t", "--out", "out.json"], "out.json"),
    "columns": (["columns", "table.csv", "--out", "out.toml"], "out.toml"),
    "predict": (["predict", "model.json", "table.csv", "--out", "out.csv"], "out.csv"),
    "report": (["report", "model.json", "--format", "md", "--out", "card.md"], "card.md"),
    "export": (["export", "model.json", "out.sql"], "out.sql"),
}
"""Per command that writes a file, its arguments, and the file."""

NOT_RUN = {"demo", "board"}
"""The first is a fit, a training and a page, which are run; the second serves until it is stopped,
and has tests of its own."""


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("place")
    (folder / "pass.cr").write_text(_FORWARD)
    (folder / "line.cr").write_text(_LINE)
    (folder / "homework.md").write_text(_HOMEWORK)
    (folder / "table.csv").write_text(_TABLE)
    (folder / "numbers.csv").write_text("x,t\n" + "".join(f"{k},{2 * k}\n" for k in range(20)))
    done = subprocess.run(
        command(["fit", "table.csv", "--target", "t", "--out", "model.json"]),
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return folder


def command(arguments: Sequence[str]) -> list[str]:
    return [sys.executable, "-m", "chainrule", *arguments]


def surroundings(**changes: str | None) -> dict[str, str]:
    known = {**os.environ, "XDG_DATA_HOME": "/nonexistent", **changes}
    return {name: value for name, value in known.items() if value is not None}


def ended_well(arguments: Sequence[str], code: int, stderr: str) -> None:
    assert "Traceback" not in stderr, f"{arguments}: {stderr}"
    assert "Exception ignored" not in stderr, f"{arguments}: {stderr}"
    assert "bug of chainrule" not in stderr, f"{arguments}: {stderr}"
    assert code != 3, f"{arguments}: {stderr}"


def each(run: object, cases: Sequence[Sequence[str]]) -> None:
    assert callable(run)
    with ThreadPoolExecutor(2) as pool:
        for _ in pool.map(run, cases):
            pass


def test_every_command_is_run() -> None:
    assert set(WRITES) | NOT_RUN == set(COMMANDS)


@pytest.mark.slow
def test_a_full_disk_is_said(place: Path) -> None:
    def run(arguments: Sequence[str]) -> None:
        with open("/dev/full", "w") as full:
            done = subprocess.run(
                command(arguments),
                cwd=place,
                stdin=subprocess.DEVNULL,
                stdout=full,
                stderr=subprocess.PIPE,
                text=True,
                timeout=_LIMIT,
                check=False,
                env=surroundings(),
            )
        ended_well(arguments, done.returncode, done.stderr)
        assert done.returncode == 1, (arguments, done.stderr)
        assert "No space left" in done.stderr, (arguments, done.stderr)

    each(run, list(WRITES.values()))


@pytest.mark.slow
def test_poor_surroundings(place: Path) -> None:
    """No home, no standard input, a narrow terminal, and an ASCII locale."""

    def run(arguments: Sequence[str]) -> None:
        done = subprocess.run(
            ["sh", "-c", 'exec "$@" <&-', "sh", *command(arguments)],
            cwd=place,
            capture_output=True,
            timeout=_LIMIT,
            check=False,
            env=surroundings(HOME=None, COLUMNS="20", **_ASCII),
        )
        ended_well(arguments, done.returncode, done.stderr.decode("utf-8", "replace"))
        assert done.returncode in (0, 1), (arguments, done.stderr)

    each(run, list(WRITES.values()))


@pytest.mark.slow
def test_a_reader_that_goes(place: Path) -> None:
    def run(arguments: Sequence[str]) -> None:
        process = subprocess.Popen(
            command(arguments),
            cwd=place,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env=surroundings(),
        )
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.close()
        stderr = process.stderr.read().decode()
        process.stderr.close()
        ended_well(arguments, process.wait(_LIMIT), stderr)
        assert process.returncode in (1, 141), arguments

    each(run, list(WRITES.values()))


@pytest.mark.slow
def test_closed_output(place: Path) -> None:
    ended = []

    def run(arguments: Sequence[str]) -> None:
        done = subprocess.run(
            ["sh", "-c", 'exec "$@" >&-', "sh", *command(arguments)],
            cwd=place,
            stdin=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
            timeout=_LIMIT,
            check=False,
            env=surroundings(),
        )
        ended_well(arguments, done.returncode, done.stderr)
        ended.append(arguments)

    each(run, list(WRITES.values())[-4:])
    assert len(ended) == 4


def stopped_at(
    place: Path, name: str, number: int, seconds: float, folder: Path
) -> tuple[str, str, str]:
    """Stop a command at a moment; return what its file holds, its name, and what was said."""
    arguments, made = MAKES[name]
    folder.mkdir()
    target = folder / made
    target.write_text("as before")
    shown = [str(target) if word == made else word for word in arguments]
    process = subprocess.Popen(
        command(shown),
        cwd=place,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        env=surroundings(),
    )
    assert process.stderr is not None
    time.sleep(seconds)
    process.send_signal(number)
    stderr = process.stderr.read().decode()
    process.stderr.close()
    code = process.wait(_LIMIT)
    if number == signal.SIGINT and code not in (-signal.SIGINT, 0):
        # Before the first line of chainrule runs, the interpreter speaks for itself.
        early = "chainrule/cli/endings.py" not in stderr and "<frozen" in stderr
        stderr = "" if early else stderr
    return target.read_text(), made, stderr


def whole(text: str, made: str) -> bool:
    ends = {".json": "}\n", ".sql": ") AS scored\n"}
    return len(text) > 20 and text.endswith(ends.get(Path(made).suffix, "\n"))


@pytest.mark.slow
def test_stopped_at_seeded_moments(place: Path, tmp_path: Path) -> None:
    draw = random.Random(15)
    end = time.monotonic() + _TORTURE
    case = 0
    while case < 10 or time.monotonic() < end:
        name = draw.choice(sorted(MAKES))
        number = draw.choice([signal.SIGKILL, signal.SIGINT, signal.SIGTERM])
        text, made, stderr = stopped_at(
            place, name, number, draw.uniform(0.05, 1.5), tmp_path / str(case)
        )
        assert text == "as before" or whole(text, made), (name, text[-200:])
        assert number != signal.SIGINT or "Traceback" not in stderr, stderr
        case += 1


@pytest.mark.slow
@pytest.mark.parametrize("name", MAKES)
def test_places_that_cannot_be_written(place: Path, name: str) -> None:
    arguments, made = MAKES[name]
    shown = [f"/proc/no/{made}" if word == made else word for word in arguments]
    done = subprocess.run(
        command(shown), cwd=place, capture_output=True, text=True, timeout=_LIMIT, check=False
    )
    ended_well(shown, done.returncode, done.stderr)
    assert done.returncode == 1
    assert "cannot be written" in done.stderr
