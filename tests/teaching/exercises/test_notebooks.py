"""The examples for Otter and nbgrader run, with neither of them installed."""

from __future__ import annotations

import doctest
import json
import runpy
from pathlib import Path

import pytest

FOLDER = Path(__file__).parents[3] / "examples" / "grading"
RIGHT, WRONG = "np.dot(A - Y, X.T)", "(Y - A) X^T"


@pytest.mark.parametrize(("answer", "failures"), [(RIGHT, 0), (WRONG, 1)])
def test_the_question_for_otter_passes_and_fails(answer: str, failures: int) -> None:
    made = runpy.run_path(str(FOLDER / "otter_q1.py"))["test"]
    for suite in made["suites"]:
        for case in suite["cases"]:
            parsed = doctest.DocTestParser().get_doctest(
                case["code"], {"answer_w": answer}, made["name"], None, None
            )
            said: list[str] = []
            found = doctest.DocTestRunner().run(parsed, out=said.append)
            assert found.failed == failures
            assert ("sign" in "".join(said)) == bool(failures)


@pytest.mark.parametrize("answer", [RIGHT, WRONG])
def test_the_notebook_for_nbgrader_passes_and_fails(answer: str) -> None:
    notebook = json.loads((FOLDER / "nbgrader.ipynb").read_text(encoding="utf-8"))
    cells = [cell for cell in notebook["cells"] if cell["cell_type"] == "code"]
    student, test = ("".join(cell["source"]) for cell in cells)
    names: dict[str, object] = {}
    exec(student, names)
    names["answer_w"] = answer
    if answer == RIGHT:
        exec(test, names)
    else:
        with pytest.raises(AssertionError, match="sign"):
            exec(test, names)
    assert cells[1]["metadata"]["nbgrader"]["points"] == 2
