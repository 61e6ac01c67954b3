"""``chainrule derive --facts``: the lecture of a loss, and what is proven of it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from chainrule.cli.main import cli
from chainrule.language.reading import loss_names


def run(*arguments: str | Path) -> Result:
    return CliRunner().invoke(cli, [str(argument) for argument in arguments])


@pytest.mark.parametrize("name", loss_names())
def test_every_shipped_loss_shows_its_facts_with_proofs(name: str) -> None:
    done = run("derive", name, "--facts")
    assert done.exit_code == 0, done.output
    lecture, _, facts = done.stdout.partition("Facts of this loss")
    assert "The gradients: each has the shape of its variable" in lecture
    assert "convexity: " in facts
    assert facts.count("proof: ") == facts.count("✓ ")
    assert done.stdout.startswith(run("derive", name).stdout)


def test_json_holds_the_facts() -> None:
    data = json.loads(run("derive", "losses/poisson", "--facts", "--format", "json").stdout)
    facts = {fact["name"]: fact for fact in data["facts"]}
    assert facts["convexity"]["proven"] is True
    assert facts["convexity"]["because"].startswith("l'' = exp(z) >= 0")
    assert facts["curvature"]["proven"] is False
    assert "facts" not in json.loads(run("derive", "losses/poisson", "--format", "json").stdout)


@pytest.mark.parametrize("kind", ["html", "latex"])
def test_pages_and_documents_hold_the_facts(kind: str) -> None:
    out = run("derive", "losses/huber", "--facts", "--format", kind).stdout
    plain = run("derive", "losses/huber", "--format", kind).stdout
    assert "Facts of this loss" in out
    assert "Facts of this loss" not in plain
    if kind == "latex":
        assert out.rstrip().endswith(r"\end{document}")
        assert out.count(r"\begin{description}") == out.count(r"\end{description}") == 1


def test_ones_own_loss_with_a_constant(tmp_path: Path) -> None:
    path = tmp_path / "loss.cr"
    path.write_text("Z, Y : (1, m)\nq : (1, 1)\nJ = sum(exp(q Z) - Y .* Z)\n")
    refused = run("derive", path, "--facts")
    assert refused.exit_code == 1
    assert "--constant NAME=VALUE" in refused.stderr
    done = run("derive", path, "--facts", "--constant", "q=3")
    assert done.exit_code == 0, done.output
    assert "M = 3" in done.stdout


@pytest.mark.parametrize(
    ("arguments", "status", "said"),
    [
        (["board_b1", "--facts"], 1, "this forward pass has no Z"),
        (["losses/poisson", "--constant", "q=1"], 2, "--constant is for --facts"),
        (["losses/poisson", "--facts", "--constant", "q=1"], 1, "poisson has no constant q"),
        (["losses/poisson", "--facts", "--reveal"], 2, "omit --reveal and slides"),
        (["losses/poisson", "--facts", "--format", "slides"], 2, "omit --reveal and slides"),
        (["losses/poison"], 1, "did you mean losses/poisson"),
    ],
)
def test_wrong_input_is_refused_in_words(arguments: list[str], status: int, said: str) -> None:
    done = run("derive", *arguments)
    assert done.exit_code == status, done.output
    assert said in done.stderr
    assert done.stdout == ""


def test_a_derivation_without_facts_loads_no_engine() -> None:
    import subprocess
    import sys

    code = (
        "import sys; from click.testing import CliRunner; from chainrule.cli.main import cli;"
        "done = CliRunner().invoke(cli, ['derive', 'losses/poisson']);"
        "print(done.exit_code, [m for m in sys.modules if m.startswith('chainrule.engine')])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.stdout.strip() == "0 []", done.stderr
