"""Options of ``fit`` that exclude each other: one sentence, no file, and never a defect."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner, Result

from chainrule.cli.main import cli

random = np.random.default_rng(9)
N = 90


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    x, share = random.normal(size=N), np.round(random.uniform(size=N) * 8) / 8
    rows = [
        f"{'uvw'[k % 3]},{'ny'[k % 2]},{k % 4},4,{share[k]},{x[k]:.3f},{'rgb'[k % 5 % 3]}"
        for k in range(N)
    ]
    path = tmp_path_factory.mktemp("combined") / "d.csv"
    path.write_text("\n".join(["three,two,s,k,share,x,g", *rows]) + "\n")
    return path


def fit(data: Path, *options: str) -> Result:
    names = {"three", "two", "s", "k", "share"}
    names -= set(" ".join(options).split())
    ignored = [word for name in sorted(names) for word in ("--ignore", name)]
    return CliRunner().invoke(cli, ["fit", str(data), *options, *ignored])


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("--formula", "two ~ x*g", "--stream"), "--formula takes rows in memory"),
        (("--formula", "two ~ x*g", "--stream", "--rare", "3"), "--formula takes rows in memory"),
        (("--target", "s", "--trials", "k", "--path", "{}"), "not of trials"),
        (("--target", "three", "--cov", "HC3"), "--cov HC3 corrects by leverages.*--cov HC1"),
        (("--target", "three", "--cov", "CR2", "--clusters", "share"), "use --cov CR1"),
        (("--target", "x", "--loss", "huber", "--inference"), "ask for --cov HC0"),
        (("--target", "share"), "9 distinct numbers, such as 0.125, .* --category share"),
        (("--target", "share", "--loss", "logistic"), "which look measured"),
    ],
)
def test_what_excludes_each_other_is_refused(
    data: Path, tmp_path: Path, options: tuple[str, ...], said: str
) -> None:
    if "--formula" in options:
        pytest.importorskip("formulaic")
    given = [option.format(tmp_path / "p.csv") for option in options]
    done = fit(data, *given, "--out", str(tmp_path / "m.json"))
    assert done.exit_code in (1, 2), done.output
    assert isinstance(done.exception, SystemExit)
    assert not list(tmp_path.iterdir())
    assert re.search(said, " ".join(done.stderr.split())), done.stderr


def test_labels_that_look_measured_can_be_declared(data: Path) -> None:
    assert fit(data, "--target", "share", "--category", "share").exit_code == 0


def test_the_logistic_loss_by_its_name_has_a_path(data: Path, tmp_path: Path) -> None:
    path = tmp_path / "p.csv"
    assert fit(data, "--target", "two", "--loss", "logistic", "--path", str(path)).exit_code == 0
    assert len(path.read_text().splitlines()) == 101
