"""Oracles of commands: each has help, a test that calls it, and an example that is run here."""

from __future__ import annotations

import ast
from collections.abc import Mapping
from contextlib import chdir
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

import click
from click.testing import CliRunner
from tests.architecture.tables import Oracle, Table

from chainrule.cli.main import COMMANDS, cli

TESTS = Path(__file__).parents[1]


@dataclass(frozen=True)
class Example:
    """One call of a command: the arguments, what is typed, and a part of what it must print."""

    arguments: tuple[str, ...]
    shown: str
    typed: str = ""


HOMEWORK = """Z = w X + b
A = sigmoid(Z)
J = -sum(Y .* log(A) + (1 - Y) .* log(1 - A))
dw = (A - Y) X^T
"""
GRADE = ("grade", "--forward", "logistic_batch", "--wrt", "w")
TRAIN = ("train", "logistic_l2", "--data", "@breast_cancer", "--bind", "X=features")
FIT = ("fit", "@breast_cancer", "--target", "diagnosis", "--out", "model.json")

EXAMPLES: Mapping[str, tuple[Example, ...]] = {
    "derive": (Example(("derive", "logistic_batch"), "(A - Y) X^T"),),
    "check": (Example(("check", "board_b2"), "finite differences"),),
    "audit": (Example(("audit", "homework.md", "--forward", "logistic_batch"), "dw"),),
    "grade": (Example((*GRADE, "--answer", "(A - Y) X^T"), "Right."),),
    "code": (Example(("code", "logistic_batch", "--target", "jax"), "(A - Y) @ X.T"),),
    "board": (Example(("board", "--help"), "127.0.0.1"),),
    "practice": (Example(("practice", "--progress", "p.sqlite"), "0 of 0 right."),),
    "exercise": (Example(("exercise", "list"), "logistic-batch"),),
    "progress": (Example(("progress", "--progress", "p.sqlite"), ""),),
    "fit": (Example(FIT, "0.9"),),
    "columns": (Example(("columns", "@breast_cancer"), "category: its cells are text"),),
    "predict": (
        Example(FIT, ""),
        Example(("predict", "model.json", "@breast_cancer"), "probability_malignant"),
    ),
    "compare": (
        Example(FIT, ""),
        Example(("compare", "model.json", "model.json", "--data", "@breast_cancer"), "McNemar"),
    ),
    "report": (
        Example(FIT, ""),
        Example(("report", "model.json", "--format", "md"), "multiplies the odds"),
    ),
    "export": (
        Example(FIT, ""),
        Example(("export", "model.json", "model.sql"), "largest difference"),
    ),
    "calibrate": (Example(("calibrate", "--show"), "compiled_entry"),),
    "train": (
        Example(
            (*TRAIN, "--bind", "Y=diagnosis", "--steps", "5"),
            "J",
        ),
    ),
    "demo": (Example(("demo", "--out", "demo"), "demo"),),
}
"""What is called, in a folder of its own that holds `homework.md`."""


def command_oracle(name: str, group: click.Group = cli) -> str:
    """Ask a command for help, look for its test, and run its examples."""
    runner = CliRunner()
    command = group.get_command(click.Context(group), name)
    if command is None or not (command.help or "").strip():
        return "it has no help"
    helped = runner.invoke(group, [name, "--help"])
    if helped.exit_code or len(helped.output.split()) < 12:
        return f"--help ends with {helped.exit_code} and says {helped.output!r}"
    silent = [p.name for p in command.params if isinstance(p, click.Option) and not p.help]
    if silent:
        return f"options without help: {', '.join(map(str, silent))}"
    if name not in called():
        return "no test calls it"
    with TemporaryDirectory() as folder, chdir(folder):
        Path("homework.md").write_text(HOMEWORK, encoding="utf-8")
        for example in EXAMPLES[name]:
            done = runner.invoke(group, list(example.arguments), input=example.typed)
            if done.exit_code or example.shown not in done.output:
                return f"{' '.join(example.arguments)} ends with {done.exit_code}: {done.output}"
    return ""


@cache
def called() -> frozenset[str]:
    """Return what tests hand to the command line, and the commands that they import."""
    found: set[str] = set()
    for path in TESTS.rglob("test_*.py"):
        text = path.read_text(encoding="utf-8")
        if path.parent == Path(__file__).parent or "CliRunner" not in text:
            continue
        for node in ast.walk(ast.parse(text)):
            if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("chainrule.cli"):
                found.add(str(node.module).rpartition(".")[2])
            given = getattr(node, "args" if isinstance(node, ast.Call) else "elts", [])
            found |= {str(part.value) for part in given if isinstance(part, ast.Constant)}
    return frozenset(found)


def _oracle(name: str) -> Oracle | None:
    return (lambda row: command_oracle(name)) if name in EXAMPLES else None


COMMAND_TABLE = Table("command", lambda: COMMANDS, _oracle)
