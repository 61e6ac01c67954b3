"""What the engine imports: no scikit-learn, and no module that a fit does not use."""

from __future__ import annotations

import subprocess
import sys

import pytest


def test_the_engine_works_without_scikit_learn() -> None:
    program = (
        "import sys; sys.modules['sklearn'] = None\n"
        "import numpy as np\n"
        "from chainrule.engine.fitting import fit_linear_model\n"
        "from chainrule.engine.data.sources import InMemorySource\n"
        "X = np.arange(8.0)[:, None]\n"
        "print(fit_linear_model(InMemorySource(X, np.arange(8) % 2)).met)\n"
    )
    answer = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert answer.stdout.strip() == "True"


@pytest.mark.slow
def test_a_small_fit_enters_no_room_that_it_does_not_use() -> None:
    program = (
        "import sys, numpy as np\n"
        "from chainrule import LogisticRegression\n"
        "X = np.arange(8.0)[:, None]\n"
        "LogisticRegression().fit(X, np.arange(8) % 2)\n"
        "print(*(name for name in sys.modules if name.startswith('chainrule.engine')))"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    rooms = {name.removeprefix("chainrule.engine.") for name in done.stdout.split()}
    assert "fitting" in rooms
    assert not rooms & {
        "certificates.collinearity",
        "certificates.exact_arithmetic",
        "certificates.linear_programme",
        "certificates.separation",
        "solvers.class_newton",
        "solvers.dual",
        "solvers.newton_cg",
        "solvers.sampled",
    }
