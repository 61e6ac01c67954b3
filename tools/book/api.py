"""The reference of Python names, from their docstrings."""

from __future__ import annotations

import inspect
from collections.abc import Iterator
from dataclasses import dataclass
from importlib import import_module
from typing import Any

import chainrule


@dataclass(frozen=True)
class Group:
    """Names that belong together.

    Parameters
    ----------
    title : str
    about : str
        One sentence.
    names : tuple of str
        Public names of `chainrule`, or full paths of what they return.
    """

    title: str
    about: str
    names: tuple[str, ...]


GROUPS = (
    Group(
        "Derivations",
        "From a forward pass to its gradients, step by step.",
        (
            "derive",
            "derive_second",
            "Derivation",
            "Step",
            "chainrule.calculus.derivation.steps.Gradient",
            "chainrule.calculus.derivation.steps.Hessian",
            "chainrule.calculus.derivation.steps.StepCertificate",
            "chainrule.calculus.derivation.steps.VerificationMethod",
        ),
    ),
    Group(
        "Forward passes",
        "Reading and building models.",
        ("read_model", "load_model", "Model", "ModelBuilder", "plain", "unicode", "latex"),
    ),
    Group(
        "Grading",
        "Judging answers and transcripts.",
        (
            "grade",
            "chainrule.teaching.marking.verdicts.Grade",
            "chainrule.teaching.grading.grader.Grader",
            "chainrule.teaching.grading.audit.audit",
            "chainrule.teaching.grading.audit.Audit",
        ),
    ),
    Group(
        "Estimators",
        "scikit-learn estimators, and the same without scikit-learn.",
        (
            "LogisticRegression",
            "LogisticRegressionCV",
            "logistic_path",
            "LinearModel",
            "LinearModelCV",
            "PoissonRegressor",
            "PoissonRegressorCV",
            "GammaRegressor",
            "GammaRegressorCV",
            "TweedieRegressor",
            "TweedieRegressorCV",
            "Stream",
            "fit_logistic",
            "fit_many",
            "warm_up",
        ),
    ),
    Group(
        "Results of fits",
        "The certificate and the inference of a fit, paths, many fits.",
        (
            "chainrule.engine.certificates.certificate.Certificate",
            "chainrule.engine.inference.results.Inference",
            "chainrule.engine.inference.tables.Table",
            "chainrule.engine.inference.hypotheses.TestResult",
            "chainrule.engine.inference.statistics.FitStatistics",
            "chainrule.engine.inference.diagnostics.Influence",
            "chainrule.engine.inference.bootstrap.Bootstrap",
            "chainrule.estimators.coefficient_paths.Path",
            "chainrule.estimators.coefficient_paths.Entry",
            "chainrule.engine.many.ManyFits",
            "chainrule.estimators.functional.LogisticFit",
        ),
    ),
    Group("Errors", "What is raised.", ("ChainruleError",)),
)


def groups() -> tuple[Group, ...]:
    """Return the groups, and one of public names that stand in no other."""
    rest = tuple(sorted(set(chainrule.__all__) - {n for g in GROUPS for n in g.names}))
    return (*GROUPS, Group("More names", "The other public names.", rest)) if rest else GROUPS


def pages() -> dict[str, str]:
    """Return one page per group, and their list."""
    found = {}
    lines = [
        "# Python",
        "",
        "The public names of `chainrule`, and the results that they return. Arrays have the shape",
        "`(n_samples, n_features)` in estimators; derivations name their dimensions.",
        "",
    ]
    files = []
    for group in groups():
        file = group.title.lower().replace(" ", "-")
        files.append(file)
        found[f"reference/api/{file}.rst"] = _page(group)
        names = ", ".join(f"`{name.rpartition('.')[2]}`" for name in group.names)
        lines += [f"[{group.title}]({file}.rst)", f": {group.about} {names}", ""]
    tree = "\n".join(files)
    lines += [f"```{{toctree}}\n:hidden:\n\n{tree}\n```", ""]
    return {"reference/api/index.md": "\n".join(lines), **found}


def documented() -> Iterator[tuple[str, Any]]:
    """Yield the path and the object of every documented name."""
    for group in groups():
        for name in group.names:
            path = name if "." in name else f"chainrule.{name}"
            module, _, last = path.rpartition(".")
            yield path, getattr(import_module(module), last)


def _page(group: Group) -> str:
    lines = [group.title, "=" * len(group.title), "", group.about, ""]
    for name in group.names:
        path = name if "." in name else f"chainrule.{name}"
        module, _, last = path.rpartition(".")
        found = getattr(import_module(module), last)
        lines += [last, "-" * len(last), ""]
        if not inspect.isclass(found):
            lines += [f".. autofunction:: {path}", ""]
            continue
        lines += [f".. autoclass:: {path}", ""]
        for member, kind in members(found):
            lines += [f"   .. auto{kind}:: {path}.{member}", ""]
    return "\n".join(lines)


def members(cls: type) -> Iterator[tuple[str, str]]:
    """Yield the public methods and properties that chainrule itself defines for a class."""
    seen: set[str] = set()
    for base in cls.__mro__:
        if not base.__module__.startswith("chainrule"):
            continue
        for name, value in vars(base).items():
            if name.startswith("_") or name in seen or not _is_own(value):
                continue
            seen.add(name)
            if isinstance(value, property) or hasattr(value, "attrname"):
                yield name, "property"
            elif inspect.isroutine(value) or isinstance(value, classmethod | staticmethod):
                yield name, "method"


def _is_own(value: object) -> bool:
    """Whether a member has a docstring of chainrule's, not one of a library it inherits."""
    if isinstance(value, type) or not getattr(value, "__doc__", None):
        return False
    of = getattr(value, "fget", None) or getattr(value, "func", None) or value
    of = getattr(of, "__func__", of)
    return str(getattr(of, "__module__", "")).startswith("chainrule")
