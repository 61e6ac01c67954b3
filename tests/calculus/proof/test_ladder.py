"""The ladder must reject: wrong steps, false identities, points where nothing is finite."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace as replaced
from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chainrule import derive
from chainrule.calculus.derivation.derive import derivation_of
from chainrule.calculus.derivation.steps import (
    Claim,
    Derivation,
    Step,
    StepCertificate,
    VerificationMethod,
)
from chainrule.calculus.graph.dims import SCALAR
from chainrule.calculus.graph.node import (
    Apply,
    Entry,
    Expr,
    Number,
    Symbol,
    Total,
    entry,
    substitute,
    transform,
    walk,
)
from chainrule.calculus.ops import TABLE, absolute, add, exp, log, mul, neg, power, sigmoid, tanh
from chainrule.calculus.proof.certify import certify, try_step
from chainrule.calculus.proof.evidence import Disagreement
from chainrule.calculus.proof.verifier import Verifier
from chainrule.errors import ModelError, ProofError
from chainrule.language.reading import load_model, read_expression, read_model

TEXT = """
X : (n, m)
D : (n, m)
w : (1, n)
v : (1, n)
x : (1, 1)
y : (1, 1)
z : (1, 1)
J = sum(w X) + x + y + z + sum(D) + sum(v)
"""


@pytest.fixture(scope="module")
def verifier() -> Verifier:
    return Verifier(derivation_of(read_model(TEXT), ["w"]))


def read(text: str) -> Expr:
    scope = {symbol.name: symbol for symbol in read_model(TEXT).inputs}
    return read_expression(text, scope)


def method(verifier: Verifier, left: str, right: str) -> VerificationMethod | None:
    found = verifier.equal(read(left), read(right))
    if isinstance(found, StepCertificate):
        return found.method
    assert isinstance(found, Disagreement)
    return None


TRUE: Mapping[tuple[str, str], VerificationMethod] = {
    ("(x + y)^2", "x^2 + 2 x y + y^2"): VerificationMethod.EXACT,
    ("x/y + y/x", "(x^2 + y^2)/(x y)"): VerificationMethod.EXACT,
    ("(w X)^T", "X^T w^T"): VerificationMethod.EXACT,
    ("sum(X)", "sum(sum(X, axis=0))"): VerificationMethod.EXACT,
    ("mean(X)", "sum(X)/(n m)"): VerificationMethod.EXACT,
    ("norm(X)^2", "sum(X .* X)"): VerificationMethod.EXACT,
    ("sigmoid(x) + y", "y + sigmoid(x)"): VerificationMethod.EXACT,
    ("sigmoid(2 x + 2 y)", "sigmoid(2 (x + y))"): VerificationMethod.EXACT,
    ("abs(x)^2", "x^2"): VerificationMethod.EXACT,
    ("relu(x)", "x [x > 0]"): VerificationMethod.EXACT,
    ("sigmoid(-x)", "1 - sigmoid(x)"): VerificationMethod.FLOAT,
    ("tanh(x)", "(1 - exp(-2 x))/(1 + exp(-2 x))"): VerificationMethod.FLOAT,
    ("log(exp(x))", "x"): VerificationMethod.FLOAT,
    ("exp(x + y)", "exp(x) exp(y)"): VerificationMethod.FLOAT,
    ("softplus(x)", "log(1 + exp(x))"): VerificationMethod.FLOAT,
    ("tanh(x)", "2 sigmoid(2 x) - 1"): VerificationMethod.FLOAT,
    # The row defines softplus by |x|, which the exact method sees through.
    ("softplus(x) - softplus(-x)", "x"): VerificationMethod.EXACT,
    ("sqrt(x^2)", "abs(x)"): VerificationMethod.FLOAT,
    ("exp(X .* D)", "1/exp(-X .* D)"): VerificationMethod.FLOAT,
    # Cancellation eats the digits of float64.
    ("log(1 + exp(x - 25)/10^6)", "log1p(exp(x - 25)/10^6)"): VerificationMethod.DIGITS,
    ("(exp(10^(-9) x) - 1) .* y", "y (exp(x/10^9) - 1)"): VerificationMethod.EXACT,
    # What is left of the parts is rounding, and nothing else.
    ("exp(x + y) - exp(x) exp(y)", "0"): VerificationMethod.DIGITS,
}

FALSE = [
    ("x", "-x"),
    ("x y", "x"),
    ("x + y", "x y"),
    ("(x + y)^2", "x^2 + y^2"),
    ("x/y", "y/x"),
    ("w X", "v X"),
    ("X D^T", "D X^T"),
    ("sum(X)", "mean(X)"),
    ("sum(X, axis=0)", "mean(X, axis=0)"),
    ("norm(X)^2", "sum(X)^2"),
    ("sigmoid(x)", "sigmoid(-x)"),
    ("sigmoid(x)", "tanh(x)"),
    ("sigmoid(-x)", "1 + sigmoid(x)"),
    ("exp(x + y)", "exp(x) + exp(y)"),
    ("log(x y)", "log(x) log(y)"),
    ("abs(x + y)", "abs(x) + abs(y)"),
    ("relu(x) - relu(y)", "relu(x - y)"),
    ("sign(x) sign(y)", "sign(x + y)"),
    ("abs(x)", "x"),
    ("abs(x)", "-x"),
    ("[x > 0]", "1"),
    ("[x > 0]", "0"),
    ("[x > 0] [y > 0] [z > 0]", "0"),
    ("relu(x) x", "x^2"),
    ("x^2", "abs(x)"),
    ("x", "x + 1/1000"),
    ("x", "x + x/10^6"),
    ("sigmoid(x)", "sigmoid(x + 1/10^7)"),
    # Zero modulo the prime, and nowhere else.
    ("2147483647 x", "0"),
    ("x + 2147483647 y", "x"),
    ("x/2147483647 + 2147483647 y", "4294967294 y + x/2147483647"),
]


@pytest.mark.parametrize(("sides", "expected"), TRUE.items(), ids=str)
def test_identities_by_the_rung_that_decides(
    verifier: Verifier, sides: tuple[str, str], expected: VerificationMethod
) -> None:
    assert method(verifier, *sides) is expected
    assert method(verifier, *reversed(sides)) is expected


@pytest.mark.parametrize(("left", "right"), FALSE)
def test_false_identities_are_refused(verifier: Verifier, left: str, right: str) -> None:
    assert method(verifier, left, right) is None
    assert method(verifier, right, left) is None


@pytest.mark.parametrize("seed", range(1, 8))
def test_no_seed_makes_the_false_true(seed: int) -> None:
    tried = Verifier(derivation_of(read_model(TEXT), ["w"]), seed=seed)
    assert all(method(tried, *sides) is None for sides in FALSE)


# ---- points where nothing is finite --------------------------------------------------------------


@pytest.mark.parametrize(
    ("left", "right"),
    [
        ("log(-x^2 - 1)", "log(-x^2 - 1) + 1"),
        ("log(-x^2 - 1)", "x"),
        ("x", "log(-x^2 - 1)"),
        ("sqrt(-1 - y^2)", "2 sqrt(-1 - y^2)"),
        ("exp(exp(exp(exp(9 + x^2))))", "exp(exp(exp(exp(10 + x^2))))"),
        ("1/(x - x)", "2/(x - x)"),
    ],
)
def test_what_is_not_finite_is_never_agreement(verifier: Verifier, left: str, right: str) -> None:
    assert method(verifier, left, right) is None


@pytest.mark.parametrize(
    "text",
    [
        "x : (1, 1)\nL = log(-x^2 - 1)",
        "x : (1, 1)\nL = sqrt(-exp(x))",
        "X : (n, m)\nJ = sum(log(-abs(X)))",
        "x : (1, 1)\ny = x - x\nL = x/y",
    ],
)
def test_a_model_that_is_finite_nowhere_is_its_author_s_to_mend(text: str) -> None:
    with pytest.raises(ModelError, match="no point was found"):
        derive(text, [text[0]])


# ---- random polynomials --------------------------------------------------------------------------

x, y, z = Symbol("x"), Symbol("y"), Symbol("z")
POINT: dict[Expr, Fraction] = {
    x: Fraction(10**30 + 57),
    y: Fraction(10**45 + 9, 7),
    z: Fraction(-(10**37) - 3, 11),
}


def polynomials() -> st.SearchStrategy[Expr]:
    leaves = st.one_of(st.sampled_from([x, y, z]), st.integers(-4, 4).map(Number))
    return st.recursive(
        leaves,
        lambda inner: st.one_of(
            st.lists(inner, min_size=2, max_size=3).map(lambda xs: add(*xs)),
            st.lists(inner, min_size=2, max_size=3).map(lambda xs: mul(*xs)),
            inner.map(neg),
            st.tuples(inner, st.integers(2, 3)).map(lambda pair: power(*pair)),
        ),
        max_leaves=8,
    )


def exact(expr: Expr) -> Fraction:
    if expr in POINT:
        return POINT[expr]
    if isinstance(expr, Number):
        return expr.value
    assert isinstance(expr, Apply)
    values = [exact(arg) for arg in expr.args]
    match expr.op.name:
        case "add":
            return sum(values, Fraction(0))
        case "neg":
            return -values[0]
        case "mul":
            first, *rest = values
            for value in rest:
                first *= value
            return first
        case _:
            return Fraction(values[0] ** int(expr.attrs[0]))


@pytest.mark.slow
@settings(max_examples=300, deadline=None)
@given(polynomials(), polynomials())
def test_the_exact_rung_never_certifies_a_false_polynomial_identity(
    left: Expr, right: Expr
) -> None:
    tried = Verifier(derivation_of(read_model(TEXT), ["w"]))
    found = tried.equal(left, right)
    if isinstance(found, StepCertificate) and found.method is VerificationMethod.EXACT:
        assert exact(left) == exact(right)
    assert tried.equal(left, left)


@pytest.mark.slow
@settings(max_examples=150, deadline=None)
@given(polynomials(), st.sampled_from([x, y, z]))
def test_a_true_identity_is_always_exact(expr: Expr, name: Symbol) -> None:
    tried = Verifier(derivation_of(read_model(TEXT), ["w"]))
    rewritten = add(mul(name, expr), mul(1 - name, expr))
    found = tried.equal(rewritten, expr)
    assert isinstance(found, StepCertificate)
    assert found.method is VerificationMethod.EXACT


# ---- mutated steps -------------------------------------------------------------------------------


def flip(expr: Expr) -> Expr:
    return -expr


def drop_a_factor(expr: Expr) -> Expr | None:
    order = list(walk(expr))
    for node in reversed(order):
        if sum(arg is node for user in order for arg in user.args) > 1:
            continue  # it stands in two places, and what is dropped in both may cancel
        if isinstance(node, Apply) and node.op.name == "mul" and len(node.args) > 1:
            return substitute(expr, {node: mul(*node.args[1:])})
        if isinstance(node, Apply) and node.op.name == "matmul":
            (rows, inner), columns = node.args[0].shape, node.args[1].shape[1]
            ones = Number(1, (inner, columns))
            if node.args[1] is not ones:
                return substitute(expr, {node: Apply(node.op, (node.args[0], ones))})
            del rows
    return None


def wrong_letter(expr: Expr) -> Expr | None:
    names = {node.name: node for node in walk(expr) if isinstance(node, Symbol)}
    for one, other in (("a", "y"), ("A", "Y")):
        if one in names and other in names:
            return substitute(expr, {names[one]: names[other]})
    return None


def drop_the_sum(expr: Expr) -> Expr | None:
    found = next((n for n in walk(expr) if isinstance(n, Total)), None)
    return None if found is None else substitute(expr, {found: found.body})


def an_added_one(expr: Expr) -> Expr:
    return expr + 1


def double(expr: Expr) -> Expr:
    return 2 * expr


def another_entry(expr: Expr) -> Expr | None:
    def moved(node: Expr) -> Expr:
        if isinstance(node, Entry) and node.row is not None:
            return entry(node.matrix, 1, node.col)
        return node

    changed = transform(expr, moved)
    return None if changed is expr else changed


MUTATIONS: tuple[Callable[[Expr], Expr | None], ...] = (
    flip,
    drop_a_factor,
    wrong_letter,
    drop_the_sum,
    an_added_one,
    double,
    another_entry,
)


@pytest.fixture(scope="module")
def derivations() -> dict[str, tuple[Derivation, Verifier]]:
    found = {}
    for name in ("logistic_single", "logistic_batch", "board_b1", "board_b4"):
        derivation = derive(load_model(name))
        found[name] = (derivation, Verifier(derivation))
    return found


@pytest.mark.parametrize("mutate", MUTATIONS, ids=lambda f: f.__name__)
@pytest.mark.parametrize("name", ["logistic_single", "logistic_batch", "board_b1", "board_b4"])
def test_a_wrong_step_is_refused(
    name: str,
    mutate: Callable[[Expr], Expr | None],
    derivations: dict[str, tuple[Derivation, Verifier]],
) -> None:
    derivation, verifier = derivations[name]
    tried = 0
    for step in derivation:
        assert isinstance(try_step(verifier, step), StepCertificate)
        wrong = mutate(step.after)
        if wrong is None or not provably_wrong(step):
            continue
        tried += 1
        found = try_step(verifier, replaced(step, after=wrong))
        assert isinstance(found, Disagreement), f"{step.id}: {found}"
        assert str(found)
    assert tried or mutate in (wrong_letter, drop_the_sum, another_entry)


def provably_wrong(step: Step) -> bool:
    """A letter of its own can be given any name: naming steps and zeros prove nothing."""
    return step.after is not Number(0, step.after.shape)


def test_a_transposed_answer_is_refused() -> None:
    text = "x : (n, 1)\nA : (n, n)\nL = x^T A^T x + sum(A x)"
    derivation = derive(text, ["x", "A"])
    verifier = Verifier(derivation)
    for name in ("A", "x"):
        gradient = derivation[name]
        assert gradient.matrix is not None
        swap: dict[Expr, Expr] = {Symbol("A", ("n", "n")): Symbol("A", ("n", "n")).T}
        wrong = gradient.matrix.T if name == "A" else substitute(gradient.matrix, swap)
        claim = verifier.derivative(derivation.model.objective, gradient.variable, wrong)
        right = verifier.derivative(derivation.model.objective, gradient.variable, gradient.matrix)
        assert isinstance(right, StepCertificate)
        assert isinstance(claim, Disagreement)


def test_certify_raises_at_the_wrong_step_and_names_it() -> None:
    derivation = derivation_of(load_model("logistic_batch"))
    steps = tuple(
        replaced(step, after=-step.after) if step.id == 3 else step for step in derivation.steps
    )
    with pytest.raises(ProofError, match=r"step 3 .* could not be certified"):
        certify(replaced(derivation, steps=steps))


def test_certificates_say_their_rung_and_their_error(verifier: Verifier) -> None:
    found = verifier.equal(sigmoid(-x), 1 - sigmoid(x))
    assert isinstance(found, StepCertificate)
    assert found.error < 1e-12
    assert "float64" in str(found)
    proof = verifier.equal(x + y, y + x)
    assert isinstance(proof, StepCertificate)
    assert "exact" in str(proof)
    assert "no difference" in str(proof)
    assert all(1 not in sizes.values() for sizes in proof.sizes)


def test_a_derivative_is_judged_by_the_loss_and_not_by_a_rule() -> None:
    derivation = derivation_of(read_model("x : (1, 1)\nu = tanh(x)\nL = exp(u) + log(u^2)"))
    judge = Verifier(derivation)
    source, value = derivation.model.symbol("x"), derivation.model.symbol("u")
    right = judge.derivative(value, source, 1 - value**2)
    assert isinstance(right, StepCertificate)
    assert right.method is VerificationMethod.DIFFERENCES
    for wrong in (
        1 - value,
        1 + value**2,
        tanh(source),
        Number(1),
        1 - value**2 + Fraction(1, 10**5),
    ):
        assert isinstance(judge.derivative(value, source, wrong), Disagreement)


def test_every_step_of_every_claim_is_one_of_two_kinds() -> None:
    kinds = {step.claim for step in derive(load_model("logistic_batch"))}
    assert kinds == {Claim.EQUAL, Claim.DERIVATIVE}
    assert TABLE["sign"].value is not None
    assert absolute(x).shape == exp(x).shape == log(x).shape == SCALAR
