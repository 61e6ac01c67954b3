"""``chainrule demo``: the whole way, and the page that it leaves."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from chainrule.cli.main import cli


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> tuple[Result, Path]:
    """Run the demo once."""
    folder = tmp_path_factory.mktemp("demo")
    return CliRunner().invoke(cli, ["demo", "--out", str(folder)]), folder


def test_it_derives_proves_fits_and_trains(demo: tuple[Result, Path]) -> None:
    done, _ = demo
    assert done.exit_code == 0, done.output
    assert "∂L/∂w = (a - y) x^T" in done.output
    assert "∂J/∂w = (A - Y) X^T" in done.output
    assert "all hold" in done.output
    assert "Proven: f - f*" in done.output
    assert "gradient descent" in done.output


def test_descent_approaches_the_fit(demo: tuple[Result, Path]) -> None:
    match = re.search(r"of the fit: (\S+) above it, relatively", demo[0].output)
    assert match is not None
    assert 0 <= float(match[1]) < 1e-3


def test_the_model_file_is_there(demo: tuple[Result, Path]) -> None:
    document = json.loads((demo[1] / "model.json").read_text(encoding="utf-8"))
    assert document["target"] == "diagnosis"


def test_the_page_needs_nothing_but_itself(demo: tuple[Result, Path]) -> None:
    page = (demo[1] / "report.html").read_text(encoding="utf-8")
    ids = re.findall(r'\sid="([^"]+)"', page)
    assert len(ids) == len(set(ids))
    for address in re.findall(r'(?:src|href)="([^"]+)"', page):
        assert address.startswith(("#", "data:")), address
    for anchor in ("single", "gradient", "fit", "certificate", "coefficients", "descent"):
        assert f'id="{anchor}"' in page
    assert 'class="numbers"' in page
