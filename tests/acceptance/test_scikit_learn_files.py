"""scikit-learn's own test files, run from the installed package with our class in place of its own.

`in_place` is the plugin that puts it there, and lists what is left out and why.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from xml.etree import ElementTree

import pytest

pytest.importorskip("sklearn", minversion="1.9")

HERE = Path(__file__).parent
RUNS = {
    "logistic regression": ("sklearn.linear_model.tests.test_logistic", [], 110),
    "generalised linear models": (
        "sklearn.linear_model._glm.tests.test_glm",
        ["-k", "test_glm_regression and BinomialRegressor"],
        48,
    ),
}


@pytest.mark.parametrize("run", RUNS)
def test_scikit_learns_own_tests_pass(run: str, tmp_path: Path) -> None:
    module, chosen, fewest = RUNS[run]
    (tmp_path / "pytest.ini").write_text("[pytest]\n", encoding="utf-8")
    finished = subprocess.run(
        [
            *(sys.executable, "-m", "pytest", "-q", "-p", "in_place", "-p", "no:cacheprovider"),
            *("-c", str(tmp_path / "pytest.ini"), f"--junitxml={tmp_path / 'answers.xml'}"),
            *("-W", "error::sklearn.exceptions.ConvergenceWarning", "--pyargs", module, *chosen),
        ],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(HERE)},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert finished.returncode == 0, finished.stdout[-4000:] + finished.stderr[-2000:]
    answers = ElementTree.parse(tmp_path / "answers.xml").getroot().iter("testcase")
    passed = [case.get("name") for case in answers if not list(case)]
    assert len(passed) >= fewest
