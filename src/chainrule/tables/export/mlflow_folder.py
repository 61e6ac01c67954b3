"""A model as a folder that MLflow loads: code of the standard library, and no pickle.

The folder holds the exported Python module (`write_python`) and what MLflow calls a loader module.
Neither imports chainrule. Both are named by a digest of the model: MLflow puts the code of every
loaded model on one path of imports.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from typing import Any, Final

from chainrule.errors import ProofError
from chainrule.tables.export.checking import Results, Row
from chainrule.tables.export.python_code import write_python
from chainrule.tables.export.scoring import ScoringPlan

_LOADER: Final = '''"""Loads a model for MLflow. Written by chainrule export."""

import {module} as scores

WORDS = {{column for column, *_ in scores.CATEGORIES}}


class Model:
    """Predicts rows of a data frame, or mappings of column to value."""

    def predict(self, model_input, params=None):
        """Return the columns `scores.OUTPUTS`; NaN where there is no prediction."""
        is_frame = hasattr(model_input, "to_dict")
        names = list(model_input.columns) if is_frame else [n for r in model_input[:1] for n in r]
        lacking = [name for name in scores.COLUMNS if name not in names]
        if lacking:
            raise ValueError(f"the model needs columns that are not there: {{', '.join(lacking)}}")
        rows = model_input[scores.COLUMNS].to_dict("records") if is_frame else model_input
        none = dict.fromkeys(scores.OUTPUTS, float("nan"))
        found = [scores.predict(_plain(row)) or none for row in rows]
        if not is_frame:
            return found
        import pandas

        return pandas.DataFrame(found, columns=scores.OUTPUTS, index=model_input.index)


def _plain(row):
    """Return a row whose missing values are None, and whose labels are no decimal numbers."""
    return {{name: _value(name, value) for name, value in row.items()}}


def _value(name, value):
    if _is_missing(value):
        return None
    if name in WORDS and isinstance(value, float) and value.is_integer():
        return int(value)
    return value


def _is_missing(value):
    return value is None or type(value).__name__ == "NAType" or value != value


def _load_pyfunc(path):
    return Model()
'''

_RUNNER: Final = """
import importlib, json, sys
folder, code, loader = sys.argv[1:]
asked = json.load(sys.stdin)
try:
    from mlflow import __version__
    from mlflow.pyfunc import load_model
    import pandas
    frame = pandas.DataFrame(asked["rows"]).astype(asked["types"])
    answer, by = load_model(folder).predict(frame).to_dict("records"), f"MLflow {__version__}"
except ImportError:
    sys.path.insert(0, code)
    model = importlib.import_module(loader)._load_pyfunc(folder)
    answer, by = model.predict(asked["rows"]), ""
print("\\n" + json.dumps({"by": by, "rows": answer}))
"""


def mlflow_files(plan: ScoringPlan) -> dict[str, str]:
    """Return the files of the folder by their place in it."""
    text = write_python(plan)
    digest = sha256(text.encode()).hexdigest()
    module, loader = f"chainrule_scores_{digest[:12]}", f"chainrule_loader_{digest[:12]}"
    python = f"{sys.version_info.major}.{sys.version_info.minor}"
    about = {
        "flavors": {
            "python_function": {
                "loader_module": loader,
                "code": "code",
                "env": {"virtualenv": "python_env.yaml"},
                "python_version": python,
            }
        },
        "model_uuid": digest[:32],
        # No signature: MLflow would reject whole numbers in a column of doubles.
        "metadata": {"columns": list(plan.columns), "outputs": list(plan.outputs)},
        "utc_time_created": datetime.now(UTC).strftime("%Y-%m-%d %H:%M:%S.%f"),
    }
    return {
        "MLmodel": json.dumps(about, indent=2, ensure_ascii=False) + "\n",
        "python_env.yaml": f'python: "{python}"\ndependencies:\n- -r requirements.txt\n',
        "requirements.txt": "mlflow\npandas\n",
        f"code/{module}.py": text,
        f"code/{loader}.py": _LOADER.format(module=module),
    }


def write_folder(files: dict[str, str], folder: Path) -> None:
    """Write the files of a folder that is there."""
    for place, text in files.items():
        path = folder / place
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")


def run_mlflow(folder: Path, plan: ScoringPlan, rows: Sequence[Row]) -> tuple[str, list[Results]]:
    """Load a folder in a process of its own and predict rows.

    Returns
    -------
    tuple of str and list
        What ran it: MLflow, or Python alone where MLflow is not installed.
    """
    (loader,) = (path.stem for path in (folder / "code").glob("chainrule_loader_*.py"))
    numbers = set(plan.number_columns)
    types = {name: "float64" if name in numbers else "object" for name in plan.columns}
    asked: dict[str, Any] = {"rows": [dict(row) for row in rows], "types": types}
    done = subprocess.run(
        [sys.executable, "-I", "-c", _RUNNER, str(folder), str(folder / "code"), loader],
        input=json.dumps(asked),
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    if done.returncode:
        raise ProofError(f"the exported MLflow model does not run: {done.stderr.strip()[-300:]}")
    found = json.loads(done.stdout.splitlines()[-1])
    by = found["by"] or "Python, for MLflow is not installed"
    answers = [[row[name] for name in plan.outputs] for row in found["rows"]]
    return by, [None if any(v is None or v != v for v in row) else row for row in answers]
