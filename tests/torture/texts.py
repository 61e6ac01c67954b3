"""Damaged forward passes, answers and derivations: each command ends with an exit status it has."""

from __future__ import annotations

import signal
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import cache
from importlib.resources import files
from pathlib import Path
from random import Random

from click.testing import CliRunner

from chainrule.cli.main import cli

_SECONDS = 60
_PIECES = [
    *("+", "-", "*", ".*", "/", "^", "^T", "(", ")", "[", "]", ",", ":", "=", "==", "!", "'", '"'),
    *(
        "sum(",
        "exp(",
        "log(",
        "softmax(",
        "sigmoid(",
        "norm(",
        "||",
        "for i = 1..3\n",
        "end",
        "wrt:",
    ),
    *(
        "x",
        "X",
        "W",
        "b",
        "y",
        "J",
        "n",
        "m",
        "0",
        "1",
        "2.5",
        "1e999",
        "-1",
        "∇",
        "∂",
        "σ",
        "ŷ",
        "²",
    ),
    *(
        "\n",
        "\t",
        " ",
        "#",
        "\\frac{",
        "}",
        "$",
        "\x1b[31m",
        "\x00",
        "\u202e",
        "日",
        "e\u0301",
        "_",
    ),
]
_TRANSCRIPTS = Path(__file__).parents[2] / "benchmarks" / "audit" / "transcripts"


class TooSlowError(BaseException):
    """A case that takes more than a minute."""


@contextmanager
def at_most(seconds: float) -> Iterator[None]:
    """Raise `TooSlowError` in the block after some seconds."""

    def stop(number: int, frame: object) -> None:
        raise TooSlowError(f"more than {seconds:g} s")

    before = signal.signal(signal.SIGALRM, stop)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


def forward_pass(rng: Random, folder: Path) -> str:
    """Derive, verify or emit a damaged forward pass."""
    path = folder / "pass.cr"
    path.write_text(_damaged(rng, rng.choice(_passes())), "utf-8", errors="surrogatepass")
    command = rng.choice([["derive"], ["derive", "--brief"], ["check"], ["code"]])
    return _ended([*command, str(path)])


def answer(rng: Random, folder: Path) -> str:
    """Grade a damaged answer."""
    path = folder / "pass.cr"
    path.write_text("x : (n, 1)\nw : (1, n)\ny : (1, 1)\nz = w x\na = sigmoid(z)\nL = -y log(a)\n")
    text = _damaged(rng, rng.choice(["(a - 1) y x^T", "-(1 - a) y x'", "y (a - 1) .* x^T"]))
    asked = ["grade", "--forward", str(path), "--wrt", "w", f"--answer={text}"]
    return _ended(asked)


def derivation(rng: Random, folder: Path) -> str:
    """Audit a damaged derivation."""
    path = folder / "homework.md"
    path.write_text(_damaged(rng, rng.choice(_derivations())), "utf-8", errors="surrogatepass")
    return _ended(["audit", str(path)])


def _ended(arguments: Sequence[str]) -> str:
    with at_most(_SECONDS):
        result = CliRunner().invoke(cli, list(arguments))
    error = result.exception
    if error is not None and not isinstance(error, SystemExit):
        raise error
    said = result.output
    assert "Traceback" not in said, said
    assert result.exit_code in (0, 1, 2), (result.exit_code, said)
    assert result.exit_code == 0 or said.strip(), f"status {result.exit_code}, and no word"
    return {0: "done", 1: "refused or wrong", 2: "refused"}[result.exit_code]


@cache
def _passes() -> tuple[str, ...]:
    shipped = files("chainrule.examples")
    small = ("board_b1", "board_b2", "logistic_batch", "logistic_single", "softmax_batch", "focal")
    return tuple((shipped / f"{name}.cr").read_text("utf-8") for name in small)


@cache
def _derivations() -> tuple[str, ...]:
    texts: list[str] = []
    for path in sorted(_TRANSCRIPTS.glob("*.md")):
        parts = path.read_text("utf-8").split("\n=== ")
        texts += [part.split("\n", 1)[1].replace("✓ ", "").replace("✗ ", "") for part in parts]
    return tuple(texts)


def _damaged(rng: Random, text: str) -> str:
    for _ in range(rng.choice([1, 1, 2, 3, 6])):
        place = rng.randrange(len(text) + 1)
        kind = rng.choice(["insert", "insert", "remove", "repeat", "swap", "line"])
        if kind == "insert":
            text = text[:place] + rng.choice(_PIECES) + text[place:]
        elif kind == "remove":
            text = text[:place] + text[place + rng.randint(1, 8) :]
        elif kind == "repeat":
            text = text[:place] + text[place : place + rng.randint(1, 20)] * 3 + text[place:]
        elif kind == "swap":
            lines = text.split("\n")
            rng.shuffle(lines)
            text = "\n".join(lines)
        else:
            lines = text.split("\n")
            lines.insert(rng.randrange(len(lines) + 1), rng.choice(lines))
            text = "\n".join(lines)
    return text
