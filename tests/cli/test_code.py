"""``chainrule code``: where the module goes, what is chosen, and what is refused."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from chainrule.cli.code import TARGETS
from chainrule.cli.main import cli
from chainrule.language import codegen as code
from chainrule.language.codegen.dialects import DIALECTS
from chainrule.language.reading import example_names


def run(*arguments: str) -> Result:
    """Run the command line in this process."""
    return CliRunner().invoke(cli, ["code", *arguments])


@pytest.mark.slow
@pytest.mark.parametrize("name", example_names())
def test_a_written_module_runs_by_itself(name: str, tmp_path: Path) -> None:
    target = tmp_path / "model.py"
    done = run(f"examples/{name}", "--out", str(target))
    assert done.exit_code == 0, done.output
    assert "wrote" in done.output
    alone = subprocess.run(
        [sys.executable, "-I", "-W", "error", str(target)],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert alone.returncode == 0, alone.stderr
    found = dict(line.split(": ") for line in alone.stdout.splitlines())
    assert found
    assert max(map(float, found.values())) < 1e-6


def test_the_module_is_printed_unless_a_file_is_named() -> None:
    done = run("logistic_batch")
    assert done.exit_code == 0
    assert "    dw = (A - Y) @ X.T  # (1, n)\n" in done.stdout
    assert done.stdout.startswith('"""')
    assert done.stdout.endswith("    check()\n")


@pytest.mark.parametrize(
    ("target", "line"),
    [
        ("numpy", "db = np.sum(A - Y, keepdims=True)  # (1, 1)"),
        ("torch", "db = torch.sum(A - Y, dim=(0, 1), keepdim=True)  # (1, 1)"),
        ("jax", "db = jnp.sum(A - Y, keepdims=True)  # (1, 1)"),
        ("javascript", "const db = sum(sub(A, Y), { keepdims: true }); // (1, 1)"),
    ],
)
def test_targets(target: str, line: str) -> None:
    assert line in run("logistic_batch", "--target", target).stdout


def test_the_command_offers_every_target() -> None:
    assert code.TARGETS == TARGETS


def test_rows_turns_data_weights_and_gradients() -> None:
    text = run("logistic_batch", "--rows").stdout
    for line in (
        "X: (m, n), transposed; features",
        "Z = X @ w + b  # (m, 1)",
        "dw = X.T @ (A - Y)  # (n, 1)",
    ):
        assert line in text
    assert text.count(".T") == 1


def test_wrt_chooses_variables() -> None:
    text = run("logistic_batch", "--wrt", "X").stdout
    assert "dX = w.T @ (A - Y)  # (n, m)" in text
    assert "dw" not in text


def test_rows_of_a_gradient_of_data() -> None:
    text = run("logistic_batch", "--wrt", "X", "--rows").stdout
    assert "dX = (A - Y) @ w.T  # (m, n)" in text


@pytest.mark.parametrize(
    ("arguments", "message", "status"),
    [
        (("board_b1", "--rows"), "has one example, so there are no rows", 1),
        (("logistic_batch", "--rows", "--examples", "q"), "not a dimension of all the data", 1),
        (("logistic_batch", "--examples", "m"), "goes with --rows", 2),
        (("logistic_batch", "--target", "fortran"), "'numpy', 'torch', 'jax', 'javascript'", 2),
        (("logistic_batch", "--wrt", "J"), "J is the objective", 1),
        (("nothing_here",), "there is no file nothing_here", 1),
    ],
)
def test_wrong_input_is_told_in_words(
    arguments: tuple[str, ...], message: str, status: int
) -> None:
    done = run(*arguments)
    assert done.exit_code == status
    assert message in done.output
    assert "Traceback" not in done.output


def test_examples_says_which_dimension_the_rows_are(tmp_path: Path) -> None:
    model = tmp_path / "my.cr"
    model.write_text("X : (k, m)\nw : (1, 1)\nJ = w sum(X .* X)\n", encoding="utf-8")
    asked = run(str(model), "--rows")
    assert asked.exit_code == 1
    assert "--examples m" in asked.output
    done = run(str(model), "--rows", "--examples", "m")
    assert done.exit_code == 0, done.output
    assert "X: (m, k), transposed" in done.stdout


def test_no_data_no_rows(tmp_path: Path) -> None:
    model = tmp_path / "my.cr"
    model.write_text("w : (1, n)\nJ = norm(w)^2\n", encoding="utf-8")
    done = run(str(model), "--rows")
    assert done.exit_code == 1
    assert "no input looks like data" in done.output


@pytest.mark.parametrize("rows", [False, True])
@pytest.mark.parametrize("target", DIALECTS)
def test_a_module_of_products_with_the_hessian(target: str, rows: bool, tmp_path: Path) -> None:
    """Its `backward` is the product; `check` holds it to differences of the slope."""
    pytest.importorskip(target)
    written = tmp_path / "product.py"
    done = run(
        "logistic_l2", "--hvp", "w,b", "--target", target, "--out", str(written), *["--rows"] * rows
    )
    assert done.exit_code == 0, done.output
    alone = subprocess.run(
        [sys.executable, "-I", str(written)], capture_output=True, text=True, check=False
    )
    assert alone.returncode == 0, alone.stderr
    found = dict(line.split(": ") for line in alone.stdout.splitlines())
    assert set(found) == {"w", "b"}
    assert max(map(float, found.values())) < 1e-6


def test_gradients_and_products_are_not_asked_together() -> None:
    assert "choose one of --wrt and --hvp" in run("logistic_l2", "--hvp", "w", "--wrt", "w").output


@pytest.mark.parametrize("name", example_names())
@pytest.mark.parametrize("more", [(), ("--rows",), ("--hvp", "w")])
def test_a_written_module_in_javascript_runs_by_itself(
    name: str, more: tuple[str, ...], tmp_path: Path
) -> None:
    """The file alone, started as a program through a link, checks itself."""
    if shutil.which("node") is None:
        pytest.skip("node is not installed, so no JavaScript can be run")
    target = tmp_path / "model #1.mjs"
    done = run(name, "--target", "javascript", "--out", str(target), *more)
    if done.exit_code == 1 and more:
        pytest.skip(f"{name} has no examples or no such variable: {done.output}")
    link = tmp_path / "link.mjs"
    link.symlink_to(target)
    alone = subprocess.run(["node", str(link)], capture_output=True, text=True, check=False)
    assert alone.returncode == 0, alone.stderr
    found = dict(line.split(": ") for line in alone.stdout.splitlines())
    assert found
    assert max(map(float, found.values())) < 1e-6


def test_a_module_in_javascript_needs_nothing_of_node(tmp_path: Path) -> None:
    """Without the globals that browsers lack, it is imported and checks itself."""
    if shutil.which("node") is None:
        pytest.skip("node is not installed, so no JavaScript can be run")
    target = tmp_path / "model.mjs"
    run("softmax_batch", "--target", "javascript", "--out", str(target))
    page = (
        "const write = process.stdout.write.bind(process.stdout);"
        "for (const name of ['process', 'Buffer', 'global', 'setImmediate', 'require'])"
        "  delete globalThis[name];"
        f"import({target.as_uri()!r}).then((model) => write(String(model.check())));"
    )
    done = subprocess.run(
        ["node", "--input-type=module", "-e", page], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert float(done.stdout.splitlines()[-1]) < 1e-6
