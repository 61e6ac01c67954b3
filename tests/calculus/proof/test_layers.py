"""Deep passes are proven layer by layer; what goes wrong in one layer must not hide in another."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from fractions import Fraction

import pytest

from chainrule.calculus.derivation.derive import derivation_of
from chainrule.calculus.derivation.steps import (
    Claim,
    Derivation,
    Gradient,
    StepCertificate,
    VerificationMethod,
)
from chainrule.calculus.graph.node import Apply, Expr, Number, Symbol, substitute, walk
from chainrule.calculus.ops import TABLE, inverse, reduce_sum
from chainrule.calculus.proof.certify import certify, try_step
from chainrule.calculus.proof.evidence import Disagreement
from chainrule.calculus.proof.verifier import Verifier
from chainrule.errors import ProofError
from chainrule.language.reading import read_model

WIDTH = "h"


def network(depth: int, act: str = "tanh", *, skip: bool = False) -> str:
    """Write a network whose layers all have one width, so that their gradients could be mixed up.

    Parameters
    ----------
    depth : int
        How many layers.
    act : str
        The activation.
    skip : bool
        Whether every layer also hands on what came in, so that paths fork.
    """
    lines = [f"X : ({WIDTH}, m)", f"Y : ({WIDTH}, m)"]
    for k in range(1, depth + 1):
        lines += [f"W{k} : ({WIDTH}, {WIDTH})", f"b{k} : ({WIDTH}, 1)"]
    below = "X"
    for k in range(1, depth + 1):
        rest = f" + {below}" if skip else ""
        lines += [f"Z{k} = W{k} {below} + b{k}", f"A{k} = {act}(Z{k}){rest}"]
        below = f"A{k}"
    return "\n".join([*lines, f"J = sum((Y - {below})^2)"])


def made(text: str | None = None) -> Derivation:
    return derivation_of(read_model(text or network(3)))


def rewritten(d: Derivation, mapping: Mapping[Expr, Expr]) -> Derivation:
    """Exchange whole nodes in everything that a derivation says."""

    def changed(expr: Expr) -> Expr:
        return substitute(expr, mapping)

    def gradient(g: Gradient) -> Gradient:
        return replace(g, index=changed(g.index), matrix=g.matrix and changed(g.matrix))

    return replace(
        d,
        steps=tuple(
            replace(s, left=s.left, before=changed(s.before), after=changed(s.after))
            for s in d.steps
        ),
        answers={question: changed(answer) for question, answer in d.answers.items()},
        layers={name: gradient(g) for name, g in d.layers.items()},
        gradients={name: gradient(g) for name, g in d.gradients.items()},
    )


def layer(d: Derivation, name: str) -> Symbol:
    return next(symbol for symbol in d.layers if symbol.name == name)


def said(d: Derivation, name: str, gradient: Expr) -> Derivation:
    """Let the derivation of one layer consist of one line, its result."""
    symbol = layer(d, name)
    old = d.layers[symbol]
    last = next(s for s in d.steps if s.concludes and s.after is old.matrix)
    about = [s for s in d.steps if getattr(s.left, "wrt", None) in (old.variable, last.left)]
    about += [
        s
        for s in d.steps
        if getattr(getattr(s.left, "wrt", None), "matrix", None) is old.variable
        and getattr(s.left, "of", None) is d.model.objective
    ]
    steps = []
    for step in d.steps:
        if step is last:
            steps.append(replace(step, before=gradient, after=gradient))
        elif step not in about:
            steps.append(step)
    layers = {**d.layers, symbol: replace(old, index=gradient, matrix=gradient)}
    return replace(d, steps=tuple(steps), layers=layers)


# ---- what is true is certified -------------------------------------------------------------------


@pytest.mark.slow
@pytest.mark.parametrize("skip", [False, True])
@pytest.mark.parametrize("act", ["tanh", "relu", "sigmoid", "abs"])
def test_twelve_layers_are_proven(act: str, skip: bool) -> None:
    assert certify(made(network(12, act, skip=skip))).proven


def test_ten_layers_of_relu_under_a_softmax_are_proven() -> None:
    text = network(10, "relu").rsplit("\n", 3)[0]
    text += "\nP = softmax(W10 A9 + b10, axis=0)\nJ = cross_entropy(Y, P)\nonehot: Y"
    proven = certify(derivation_of(read_model(text)))
    assert proven.proven


def test_layers_of_many_widths_are_proven() -> None:
    widths = [f"n{k}" for k in range(13)]
    lines = [f"A0 : ({widths[0]}, m)"]
    lines += [f"W{k} : ({widths[k]}, {widths[k - 1]})" for k in range(1, 13)]
    lines += [f"A{k} = tanh(W{k} A{k - 1})" for k in range(1, 13)]
    assert certify(derivation_of(read_model("\n".join([*lines, "J = sum(A12^2)"])))).proven


def test_the_last_line_is_one_line() -> None:
    """The tampering below starts from lines that hold."""
    d = made()
    name = layer(d, "dZ2")
    matrix = d.layers[name].matrix
    assert matrix is not None
    assert certify(said(d, "dZ2", matrix)).proven


# ---- what is false is refused --------------------------------------------------------------------


def doubled_in_one_layer(d: Derivation) -> Derivation:
    matrix = d.layers[layer(d, "dZ2")].matrix
    assert matrix is not None
    return said(d, "dZ2", 2 * matrix)


def a_tiny_part_added(d: Derivation) -> Derivation:
    matrix = d.layers[layer(d, "dZ2")].matrix
    assert matrix is not None
    return said(d, "dZ2", matrix + matrix / Number(10**5, matrix.shape))


def by_its_own_name(d: Derivation) -> Derivation:
    return said(d, "dZ2", layer(d, "dZ2"))


def by_the_name_of_a_layer_below(d: Derivation) -> Derivation:
    """The gradient of Z2 by that of a layer which was got from it: true, and no proof."""
    back = inverse(d.model.symbol("W2").T)
    below = {symbol.name: symbol for symbol in d.layers}
    if "dA1" in below:
        return said(d, "dZ2", back @ (below["dA1"] - below["dA2"]))
    return said(d, "dZ2", back @ (below["dZ1"] / (1 - d.model.symbol("A1") ** 2)))


def by_the_name_of_a_layer_beside(d: Derivation) -> Derivation:
    return rewritten(d, {layer(d, "dZ3"): layer(d, "dZ2")})


def two_layers_exchanged(d: Derivation) -> Derivation:
    one, other = layer(d, "dZ3"), layer(d, "dZ2")
    return replace(d, layers={**d.layers, one: d.layers[other], other: d.layers[one]})


def a_layer_left_out(d: Derivation) -> Derivation:
    gone = d.layers[layer(d, "dZ2")]
    kept = [s for s in d.steps if s.after is not gone.matrix and s.after is not gone.index]
    return replace(d, steps=tuple(kept))


def the_slope_of_another_layer(d: Derivation) -> Derivation:
    return rewritten(d, {d.model.symbol("A1"): d.model.symbol("A2")})


def summed_over_the_examples(d: Derivation) -> Derivation:
    name = layer(d, "dZ3")
    whole = TABLE["broadcast"], (reduce_sum(name, 1),), name.shape
    return rewritten(d, {name: Apply(*whole)})


FALSE: list[Callable[[Derivation], Derivation]] = [
    doubled_in_one_layer,
    a_tiny_part_added,
    by_its_own_name,
    by_the_name_of_a_layer_below,
    by_the_name_of_a_layer_beside,
    two_layers_exchanged,
    a_layer_left_out,
    the_slope_of_another_layer,
    summed_over_the_examples,
]


@pytest.mark.parametrize("tamper", FALSE, ids=lambda tamper: tamper.__name__)
@pytest.mark.parametrize("skip", [False, True])
def test_a_tampered_network_is_refused(
    tamper: Callable[[Derivation], Derivation], skip: bool
) -> None:
    with pytest.raises(ProofError):
        certify(tamper(made(network(3, skip=skip))))


@pytest.mark.slow
@pytest.mark.parametrize("text", [network(3), network(3, "relu"), network(3, skip=True)])
def test_every_line_of_a_network_is_held_to_its_claim(text: str) -> None:
    """Every derivative that is claimed, negated or with a name of a gradient dropped."""
    d = made(text)
    verifier = Verifier(d)
    tried = 0
    for step in d.steps:
        if step.claim is not Claim.DERIVATIVE:
            continue
        assert isinstance(try_step(verifier, step), StepCertificate)
        names = [name for name in walk(step.after) if name in set(d.layers)]
        for wrong in (-step.after, *(substitute(step.after, {n: 2 * n}) for n in names)):
            tried += 1
            found = try_step(verifier, replace(step, after=wrong))
            assert isinstance(found, Disagreement), f"{step.id}: {found}"
    assert tried > 2 * len(d.layers)


@pytest.mark.parametrize("seed", range(4))
def test_a_mask_that_is_dropped_is_noticed_at_any_seed(seed: int) -> None:
    """Where an activation has a kink, enough entries lie on either side of it."""
    d = made(network(4, "relu"))
    verifier = Verifier(d, seed=seed)
    tried = 0
    for step in d.steps:
        masks = [n for n in walk(step.after) if isinstance(n, Apply) and n.op.name == "step"]
        for mask in masks:
            tried += 1
            wrong = replace(step, after=substitute(step.after, {mask: Number(1, mask.shape)}))
            assert isinstance(try_step(verifier, wrong), Disagreement)
    assert tried > 4


def test_all_gradients_are_held_together_by_the_objective() -> None:
    """One difference of the whole objective notices a wrong gradient by itself."""
    d = made()
    assert isinstance(Verifier(d).together(), StepCertificate)
    for name, gradient in d.gradients.items():
        assert gradient.matrix is not None
        wrong = replace(gradient, matrix=gradient.matrix * Number(2, gradient.matrix.shape))
        off = Verifier(replace(d, gradients={**d.gradients, name: wrong}))
        assert isinstance(off.together(), Disagreement)


def test_a_gradient_far_from_the_objective_is_judged_by_its_own_size() -> None:
    """Forty sigmoids leave next to nothing of a gradient; its lines are judged all the same."""
    d = made(network(40, "sigmoid"))
    verifier, objective = Verifier(d), d.model.objective
    gradient = d.gradients["W1"]
    assert gradient.matrix is not None
    right = verifier.derivative(objective, gradient.variable, gradient.matrix)
    assert isinstance(right, StepCertificate)
    assert right.method is VerificationMethod.DIFFERENCES
    nearly = gradient.matrix * Number(Fraction(10**5 + 1, 10**5), gradient.matrix.shape)
    wrong = verifier.derivative(objective, gradient.variable, nearly)
    assert isinstance(wrong, Disagreement)
