"""scikit-learn's own test files, run from the installed package with our classes in their place.

`logistic_in_place` and `glm_in_place` are the plugins that replace the classes, and list the tests
that are left out and why.
"""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from xml.etree import ElementTree

import pytest

import chainrule

pytest.importorskip("sklearn", minversion="1.9")

ROOT = Path(__file__).parents[2]


@dataclass(frozen=True)
class Run:
    """A test file of scikit-learn's, how it is run, and how many of its tests must pass at least.

    Attributes
    ----------
    module, plugin : str
    fewest : int
    chosen : str
        An expression for pytest's -k.
    needs : tuple of str
        Public names of chainrule without which it is skipped.
    """

    module: str
    plugin: str
    fewest: int
    chosen: str = ""
    needs: tuple[str, ...] = ("LogisticRegression",)


_GLM = ("sklearn.linear_model._glm.tests.test_glm", "tests.acceptance.glm_in_place")
RUNS = {
    "logistic regression": Run(
        "sklearn.linear_model.tests.test_logistic", "tests.acceptance.logistic_in_place", 150
    ),
    "binomial model": Run(*_GLM, 48, "test_glm_regression and BinomialRegressor"),
    "Poisson, Gamma, Tweedie": Run(
        *_GLM,
        180,
        "not BinomialRegressor",
        ("PoissonRegressor", "GammaRegressor", "TweedieRegressor"),
    ),
}


@pytest.mark.slow
@pytest.mark.parametrize("run", RUNS.values(), ids=RUNS)
def test_scikit_learns_own_tests_pass(run: Run, tmp_path: Path) -> None:
    if missing := set(run.needs) - set(chainrule.__all__):
        pytest.skip(f"chainrule does not have {', '.join(sorted(missing))} yet")
    (tmp_path / "pytest.ini").write_text("[pytest]\n", encoding="utf-8")
    paths = [str(ROOT), *filter(None, [os.environ.get("PYTHONPATH")])]
    finished = subprocess.run(
        [
            *(sys.executable, "-m", "pytest", "-q", "-p", run.plugin, "-p", "no:cacheprovider"),
            *("-c", str(tmp_path / "pytest.ini"), f"--junitxml={tmp_path / 'answers.xml'}"),
            *("-W", "error::sklearn.exceptions.ConvergenceWarning", "--pyargs", run.module),
            *(["-k", run.chosen] if run.chosen else []),
        ],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(paths)},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert finished.returncode == 0, finished.stdout[-4000:] + finished.stderr[-2000:]
    answers = ElementTree.parse(tmp_path / "answers.xml").getroot().iter("testcase")
    passed = [case.get("name") for case in answers if not list(case)]
    assert len(passed) >= run.fewest
