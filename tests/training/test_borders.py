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
