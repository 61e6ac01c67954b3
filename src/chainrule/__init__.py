"""Logistic regression you can see through: derive it, check it, train it.

The public names, imported when first used, so that ``import chainrule`` stays light:

- `derive`, `derive_second`: gradients and Hessian-vector products of a forward pass, step by step,
  every step verified.
- `read_model`, `load_model`, `ModelBuilder`: a forward pass from text, from a file, in Python.
- `grade`: whether an answer to an exercise is right in any form, and which mistake it comes from.
- `plain`, `unicode`, `latex`: write an expression.
- `LogisticRegression`: a scikit-learn estimator with a certificate in every fit.
- `LinearModel`: the same for any loss; `PoissonRegressor`, `GammaRegressor`, `TweedieRegressor`.
- `LogisticRegressionCV`, `LinearModelCV`, ...: the same with the penalty chosen by
  cross-validation.
- `fit_logistic`: the same for plain arrays, without scikit-learn.
- `logistic_path`: L1 and elastic-net paths, every point with its gap.
- `fit_many`: bootstraps, simulations, one fit per segment, in one call.
- `warm_up`: load its compiled passes beforehand.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any, cast

from chainrule.display import Renderer, display_with

if TYPE_CHECKING:
    from chainrule.calculus.derivation.steps import Derivation, Step
    from chainrule.calculus.graph.model import Model, ModelBuilder
    from chainrule.deriving import derive, derive_second
    from chainrule.engine.data.streams import Stream
    from chainrule.errors import ChainruleError
    from chainrule.estimators.classifier import LogisticRegression
    from chainrule.estimators.classifier_cv import LogisticRegressionCV
    from chainrule.estimators.functional import fit_logistic
    from chainrule.estimators.glm import GammaRegressor, PoissonRegressor, TweedieRegressor
    from chainrule.estimators.linear_model import LinearModel
    from chainrule.estimators.many import fit_many
    from chainrule.estimators.paths import logistic_path
    from chainrule.estimators.regressors_cv import (
        GammaRegressorCV,
        LinearModelCV,
        PoissonRegressorCV,
        TweedieRegressorCV,
    )
    from chainrule.estimators.warming import warm_up
    from chainrule.language.reading import load_model, read_model
    from chainrule.language.typeset import latex, plain, unicode
    from chainrule.teaching.exercises.grading import grade

__version__ = "0.1.0"

_DOORS = {
    "ChainruleError": "chainrule.errors",
    "Derivation": "chainrule.calculus.derivation.steps",
    "GammaRegressor": "chainrule.estimators.glm",
    "GammaRegressorCV": "chainrule.estimators.regressors_cv",
    "LinearModel": "chainrule.estimators.linear_model",
    "LinearModelCV": "chainrule.estimators.regressors_cv",
    "LogisticRegression": "chainrule.estimators.classifier",
    "LogisticRegressionCV": "chainrule.estimators.classifier_cv",
    "Model": "chainrule.calculus.graph.model",
    "ModelBuilder": "chainrule.calculus.graph.model",
    "PoissonRegressor": "chainrule.estimators.glm",
    "PoissonRegressorCV": "chainrule.estimators.regressors_cv",
    "Step": "chainrule.calculus.derivation.steps",
    "Stream": "chainrule.engine.data.streams",
    "TweedieRegressor": "chainrule.estimators.glm",
    "TweedieRegressorCV": "chainrule.estimators.regressors_cv",
    "derive": "chainrule.deriving",
    "derive_second": "chainrule.deriving",
    "fit_logistic": "chainrule.estimators.functional",
    "fit_many": "chainrule.estimators.many",
    "grade": "chainrule.teaching.exercises.grading",
    "latex": "chainrule.language.typeset",
    "logistic_path": "chainrule.estimators.paths",
    "load_model": "chainrule.language.reading",
    "plain": "chainrule.language.typeset",
    "read_model": "chainrule.language.reading",
    "unicode": "chainrule.language.typeset",
    "warm_up": "chainrule.estimators.warming",
}

__all__ = [
    "ChainruleError",
    "Derivation",
    "GammaRegressor",
    "GammaRegressorCV",
    "LinearModel",
    "LinearModelCV",
    "LogisticRegression",
    "LogisticRegressionCV",
    "Model",
    "ModelBuilder",
    "PoissonRegressor",
    "PoissonRegressorCV",
    "Step",
    "Stream",
    "TweedieRegressor",
    "TweedieRegressorCV",
    "derive",
    "derive_second",
    "fit_logistic",
    "fit_many",
    "grade",
    "latex",
    "load_model",
    "logistic_path",
    "plain",
    "read_model",
    "unicode",
    "warm_up",
]


def __getattr__(name: str) -> Any:  # noqa: ANN401
    """Import a public name when it is first used, and keep it."""
    if name not in _DOORS:
        raise AttributeError(f"module 'chainrule' has no attribute {name!r}")
    if name == "ModelBuilder":  # its symbols get their operators from the registry
        import_module("chainrule.calculus.ops")
    found = getattr(import_module(_DOORS[name]), name)
    globals()[name] = found
    return found


def _notebook() -> Renderer:
    return cast(Renderer, import_module("chainrule.documents.notebook"))


display_with(_notebook)


def __dir__() -> list[str]:
    return [*__all__, "__version__"]
