"""What the engine may import: scikit-learn enters through the estimator alone."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

import chainrule.training

ROOM = Path(chainrule.training.__file__).parent


def test_the_engine_works_without_scikit_learn() -> None:
    program = (
        "import sys; sys.modules['sklearn'] = None\n"
        "import numpy as np\n"
        "from chainrule.training.fitting import fit_logistic\n"
        "from chainrule.training.sources import InMemorySource\n"
        "X = np.arange(8.0)[:, None]\n"
        "print(fit_logistic(InMemorySource(X, np.arange(8) % 2)).met)\n"
    )
    answer = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert answer.stdout.strip() == "True"


@pytest.mark.parametrize("path", sorted(ROOM.rglob("*.py")), ids=lambda p: p.name)
def test_only_the_estimator_names_scikit_learn(path: Path) -> None:
    imports = [line for line in path.read_text().splitlines() if "import" in line.split()]
    named = [line for line in imports if "sklearn" in line]
    assert bool(named) == (path.name == "estimator.py")


def test_a_small_fit_enters_no_room_that_it_does_not_use() -> None:
    program = (
        "import sys, numpy as np\n"
        "from chainrule import LogisticRegression\n"
        "X = np.arange(8.0)[:, None]\n"
        "LogisticRegression().fit(X, np.arange(8) % 2)\n"
        "print(*(name for name in sys.modules if name.startswith('chainrule.training')))"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    rooms = {name.removeprefix("chainrule.training.") for name in done.stdout.split()}
    assert "solvers.newton" in rooms
    assert not rooms & {
        "collinearity",
        "exactness",
        "programme",
        "separation",
        "solvers.class_newton",
        "solvers.dual",
        "solvers.newton_cg",
        "solvers.sampled",
    }
