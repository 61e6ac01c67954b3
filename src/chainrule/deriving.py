"""`derive` and `derive_second`: from a forward pass, or its text, to a verified derivation."""

from __future__ import annotations

from collections.abc import Sequence

from chainrule.calculus.derivation.curvature import second_derivation
from chainrule.calculus.derivation.derive import derivation_of
from chainrule.calculus.derivation.steps import Derivation
from chainrule.calculus.graph.model import Model
from chainrule.calculus.proof.certify import certify
from chainrule.language.reading import read_model


def derive(model: Model | str, wrt: Sequence[str] | None = None) -> Derivation:
    """Derive the gradients of a forward pass, step by step, and verify every step.

    Parameters
    ----------
    model : Model or str
        A forward pass, or its text.
    wrt : sequence of str, optional
        The variables; by default those that the text asks for, else the parameters.

    Returns
    -------
    Derivation
        Every step carries its certificate.

    Raises
    ------
    ModelError
        When the text cannot be read, or a name is unknown.
    DerivationError
        When a gradient is asked for that does not exist.
    ProofError
        When a step cannot be verified: a bug of chainrule.

    Examples
    --------
    >>> d = derive('''
    ... X : (n, m)
    ... Y : (1, m)
    ... w : (1, n)
    ... b : (1, 1)
    ... Z = w X + b
    ... A = sigmoid(Z)
    ... J = -sum(Y .* log(A) + (1 - Y) .* log(1 - A))
    ... ''')
    >>> from chainrule.language.typeset import plain
    >>> plain(d["w"].matrix), plain(d["b"].matrix)
    ('(A - Y) X^T', '(A - Y) 1')
    >>> d.proven
    True
    """
    read = read_model(model) if isinstance(model, str) else model
    return certify(derivation_of(read, wrt))


def derive_second(
    model: Model | str, wrt: Sequence[str] | None = None, *, hessian: bool = True
) -> Derivation:
    r"""Derive the Hessian-vector product, and the Hessian itself, and verify every step.

    Parameters
    ----------
    model : Model or str
        A forward pass, or its text.
    wrt : sequence of str, optional
        The variables; by default those that the text asks for, else the parameters.
    hessian : bool
        Whether to write out the Hessian, which has a matrix form for vectors, and not just its
        product with a direction.

    Returns
    -------
    Derivation
        The derivation of ``<dJ/dw, v>``: its gradients are the Hessian-vector products, each of the
        shape of its variable.
        Its `first` is the derivation of the gradients.

    Raises
    ------
    ModelError, DerivationError, ProofError
        As `derive`; also where a gradient or a variable has no form that can go on.

    Examples
    --------
    >>> d = derive_second("A : (n, n)\nx : (n, 1)\nJ = x^T A x", ["x"])
    >>> from chainrule.language.typeset import plain
    >>> [plain(hessian.matrix) for hessian in d.hessians.values()]
    ['A^T + A']
    """
    read = read_model(model) if isinstance(model, str) else model
    read.hold_lengths("a second derivative")
    first = derive(read, wrt)
    return certify(second_derivation(first, hessian=hessian))
