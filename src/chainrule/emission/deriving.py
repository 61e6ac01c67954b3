"""`derive_loss`: from the text of a loss to its row of facts and kernels."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache

import numpy as np

from chainrule.calculus.graph.node import Expr
from chainrule.emission.check import check, check_text
from chainrule.emission.derivatives import differentiate
from chainrule.emission.facts import prove
from chainrule.emission.forms import INPUTS, best, run
from chainrule.emission.formula import TARGET, read_formula, read_optimum
from chainrule.emission.links import find_link
from chainrule.emission.module import Parts, module_text
from chainrule.emission.samples import samples, true_values
from chainrule.emission.tape import Tape
from chainrule.engine.losses.facts import LossRow, Targets
from chainrule.engine.losses.modules import row_of_source


def derive_loss(
    text: str,
    *,
    name: str | None = None,
    constants: Mapping[str, float] | None = None,
    targets: Targets | None = None,
    link: str = "identity",
) -> LossRow:
    """Derive a loss of one score: its derivatives, proven facts and checked kernels.

    Parameters
    ----------
    text : str
        A formula in z, y and named constants, ``"log(cosh(z - y))"``, or the text of a forward
        pass with a score Z (or z) and a target Y (or y).
    name : str, optional
        By default the text itself.
    constants : mapping of str to float, optional
        Values of the named constants.
    targets : Targets, optional
        By default all numbers.
    link : str
        How the prediction follows from the score: "identity", "log", "logit" or "cloglog".

    Returns
    -------
    LossRow

    Raises
    ------
    ModelError
        When the text is not a loss of one score and one target.
    ProofError
        When the kernels do not pass their own check.

    Examples
    --------
    >>> row = derive_loss("exp(z) - y z", targets=Targets(0, has_low=True), link="log")
    >>> row.facts.convex, row.facts.self_concordance
    (True, 1.0)
    """
    named = tuple(sorted((constants or {}).items()))
    return row_of_source(_module(text, name, named, targets or Targets(), link))


@lru_cache(maxsize=256)
def _module(
    text: str,
    name: str | None,
    constants: tuple[tuple[str, float], ...],
    targets: Targets,
    link: str,
) -> str:
    """Return the module of a loss, derived once for equal arguments."""
    return loss_module(text, name, dict(constants), targets, link)


def loss_module(
    text: str,
    name: str | None,
    constants: Mapping[str, float] | None,
    targets: Targets,
    link: str,
    optimum: str = "",
) -> str:
    """Return the text of the module of a loss."""
    formula = read_formula(text, constants)
    derived = differentiate(formula.value)
    tape = Tape(INPUTS)
    roots = [tape.record(form) for form in derived.forms[:3]]
    z, y = samples(targets)
    true = [true_values(tape, roots, *at) for at in zip(z, y, strict=True)]
    check_text(formula.value, [values[0] for values in true], z, y)
    clamped = any(np.isnan(run(form, z, y, clamped=False)[0]).any() for form in derived.forms[:3])
    terms: list[Expr] = []
    for k in range(3):
        column = [values[k] for values in true]
        form, _ = best([derived.forms[k], derived.plain[k]], z, y, column, clamped=clamped)
        terms.append(form)
    found = find_link(link)
    optima = [read_optimum(optimum, constants)] if optimum else []
    optima += [found.score] if found.score is not None else []
    proven = prove(derived, terms[0], targets, [*optima, TARGET])
    parts = Parts(
        name or " ".join(formula.text.split()),
        formula.text,
        (terms[0], terms[1], terms[2]),
        found,
        targets,
        proven.facts,
        proven.least,
        clamped=clamped,
    )
    source = module_text(parts)
    check(row_of_source(source), z, y, true)
    return source
