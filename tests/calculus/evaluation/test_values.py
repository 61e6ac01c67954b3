"""The evaluators: float64, residues, fifty digits, finite differences, forward passes."""

from __future__ import annotations

from fractions import Fraction

import mpmath
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.entry_by_entry import gradient

from chainrule.calculus.evaluation.differences import along
from chainrule.calculus.evaluation.forward import assignments, downstream, forward, sample
from chainrule.calculus.evaluation.modular import MODULAR, PRIME, Residues, random_residues
from chainrule.calculus.evaluation.numeric import FLOATS, Evaluator
from chainrule.calculus.evaluation.precise import DIGITS, PRECISE, precise_number
from chainrule.calculus.graph.dims import Index
from chainrule.calculus.graph.model import Model
from chainrule.calculus.graph.node import Expr, Number, Partial, Symbol, Total, entry
from chainrule.calculus.graph.op import Op
from chainrule.calculus.ops import TABLE, apply, exp, log, mul, reduce_mean, sigmoid, size
from chainrule.errors import ChainruleError, ModelError
from chainrule.language.reading import read_model

whole = st.integers(-(10**12), 10**12)


def residues(*values: int) -> Residues:
    return Residues(np.array([[v % PRIME for v in values]], dtype=np.int64))


# ---- residues ------------------------------------------------------------------------------------


def test_the_modulus_is_prime() -> None:
    assert all(PRIME % d for d in range(2, 46_341))


@settings(max_examples=200, deadline=None)
@given(whole, whole)
def test_residues_follow_the_integers(a: int, b: int) -> None:
    x, y = residues(a), residues(b)

    def word(r: Residues) -> int:
        return int(r.words[0, 0])

    assert word(x + y) == (a + b) % PRIME
    assert word(x - y) == (a - b) % PRIME
    assert word(x * y) == (a * b) % PRIME
    assert word(-x) % PRIME == -a % PRIME
    assert word(x**5) == pow(a, 5, PRIME)
    assert word(x + 3) == word(3 + x) == (a + 3) % PRIME
    assert word(x * Fraction(1, 3)) * 3 % PRIME == a % PRIME
    if b % PRIME:
        assert word((x / y) * y) == a % PRIME
        assert word(1 / y) == pow(b, -1, PRIME)
    else:
        with pytest.raises(ZeroDivisionError):
            x / y


def test_negation_of_zero_is_zero() -> None:
    """A residue has one word: 0 and the prime must not both stand for zero."""
    assert (-residues(0)).words.tolist() == [[0]]
    assert not ((-residues(0)) - residues(0)).words.any()


@settings(max_examples=50, deadline=None)
@given(st.integers(1, 5), st.integers(1, 40), st.integers(1, 5), st.integers(0, 2**31))
def test_matrix_products_of_residues(n: int, k: int, m: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    a, b = random_residues(rng, (n, k)), random_residues(rng, (k, m))
    exact = a.words.astype(object) @ b.words.astype(object) % PRIME
    assert ((a @ b).words == exact).all()
    assert (a @ b).T.shape == (m, n)


def test_sums_of_large_residues_do_not_overflow() -> None:
    top = Residues(np.full((50, 50), PRIME - 1, dtype=np.int64))
    assert MODULAR.sum(top).words == -2500 % PRIME
    assert (MODULAR.sum(top, axis=0, keepdims=True).words == -50 % PRIME).all()


def test_functions_are_opaque_but_the_same_everywhere() -> None:
    x = residues(1, 2, 3, 1)
    for name in ("exp", "log", "tanh", "log1p", "sqrt"):
        values = getattr(MODULAR, name)(x).words[0]
        assert values[0] == values[3]
        assert len({*values}) == 3
        assert ((values > 0) & (values < PRIME)).all()
    assert (MODULAR.exp(x).words != MODULAR.log(x).words).all()


def test_order_is_modelled() -> None:
    x = residues(5, -5, 0)
    assert MODULAR.sign(x).words.tolist() == [[1, PRIME - 1, 0]]
    assert MODULAR.abs(x).words.tolist() == [[5, 5, 0]]
    assert MODULAR.maximum(x, 0).words.tolist() == [[5, 0, 0]]
    assert MODULAR.where(x > 0, 1.0, 0.0).words.tolist() == [[1, 0, 0]]


FUNCTIONS = [
    row
    for row in TABLE.values()
    if row.elementwise and len(row.domain) == 1 and row.name not in ("power", "polygamma")
]


@pytest.mark.parametrize("row", FUNCTIONS, ids=lambda row: row.name)
def test_every_function_runs_on_residues_and_on_digits(row: Op) -> None:
    x = Symbol("x", ("n", "m"))
    rng = np.random.default_rng(0)
    sizes = {"n": 2, "m": 3}
    exact = Evaluator({x: random_residues(rng, (2, 3))}, sizes, MODULAR).value(apply(row, x))
    assert exact.shape == (2, 3)
    at = rng.uniform(0.3, 0.9, (2, 3))
    with mpmath.workdps(DIGITS):
        many = np.vectorize(precise_number, otypes=[object])(at)
        digits = Evaluator({x: many}, sizes, PRECISE).value(apply(row, x))
        floats = Evaluator({x: at}, sizes, FLOATS).value(apply(row, x))
        assert max(abs(d - f) for d, f in zip(digits.flat, floats.flat, strict=True)) < 1e-14


# ---- fifty digits --------------------------------------------------------------------------------


def test_digits_are_not_rounded_through_float() -> None:
    x = Symbol("x")
    with mpmath.workdps(DIGITS):
        at = np.array([[precise_number(Fraction(1, 3))]], dtype=object)
        value = Evaluator({x: at}, {}, PRECISE).value(mul(Number(Fraction(1, 7)), x))
        assert abs(value.item() - mpmath.mpf(1) / 21) < mpmath.mpf(10) ** -50
        tenth = Evaluator({}, {}, PRECISE).value(Number(Fraction(1, 10)))
        assert abs(tenth.item() - mpmath.mpf(1) / 10) < mpmath.mpf(10) ** -50
        one = Evaluator({x: at}, {}, PRECISE).value(exp(log(x)) / x)
        assert abs(one.item() - 1) < mpmath.mpf(10) ** -48
        flat = Evaluator({x: at}, {}, PRECISE).value(1 / (1 + exp(-x)) - sigmoid(x))
        assert abs(flat.item()) < mpmath.mpf(10) ** -48


# ---- float64 -------------------------------------------------------------------------------------

i, j, p = Index("i", "m"), Index("j", "m"), Index("p", "n")
X = Symbol("X", ("n", "m"))
SIZES = {"n": 2, "m": 3}
GRID = np.arange(6.0).reshape(2, 3) + 1


@pytest.mark.parametrize(
    ("form", "expected"),
    [
        (Total(i, Total(p, entry(X, p, i))), GRID.sum()),
        (Total(i, Total(j, Total(p, entry(X, p, i) * entry(X, p, j)))), (GRID.sum(1) ** 2).sum()),
        (Total(i, Number(2)), 6.0),
        (Total(p, Total(i, entry(X, p, 2))), 3 * GRID[:, 1].sum()),
        (Total(i, entry(X, 1, i) * entry(X, 2, i)), GRID[0] @ GRID[1]),
        (Total(i, size("n") * size("m")), 18.0),
        (entry(X, 2, 3), 6.0),
    ],
)  # fmt: skip
def test_index_forms(form: Expr, expected: float) -> None:
    value = Evaluator({X: GRID}, SIZES).value(form)
    assert value.size == 1
    assert value.item() == pytest.approx(expected)


def test_a_free_index_has_an_axis_whatever_the_order_of_meeting() -> None:
    point = Evaluator({X: GRID}, SIZES)
    one = point.value(entry(X, p, i))
    other = Evaluator({X: GRID}, SIZES).value(entry(X.T, i, p))
    np.testing.assert_array_equal(np.sort(one.ravel()), np.sort(other.ravel()))
    np.testing.assert_array_equal(
        point.value(entry(X, p, i) - entry(X.T, i, p)), np.zeros_like(one)
    )


def test_a_diagonal_entry() -> None:
    Q = Symbol("Q", ("n", "n"))
    k = Index("k", "n")
    value = Evaluator({Q: np.array([[1.0, 2], [3, 4]])}, {"n": 2}).value(Total(k, entry(Q, k, k)))
    assert value.item() == 5


def test_what_has_no_value_says_so() -> None:
    with pytest.raises(ChainruleError, match="has no value"):
        Evaluator({}, {}).value(Symbol("q"))
    with pytest.raises(ChainruleError, match="has no value"):
        Evaluator({}, {}).value(Partial(Symbol("a"), Symbol("b")))


def test_a_point_evaluates_each_node_once() -> None:
    calls = []

    class Counting:
        def __getattr__(self, name: str) -> object:
            calls.append(name)
            return getattr(np, name)

    x = Symbol("x")
    node: Expr = exp(x)
    Evaluator({x: np.ones((1, 1))}, {}, Counting()).value(node * node + node)
    assert calls.count("exp") == 1


def test_means_count_named_sizes() -> None:
    point = Evaluator({X: GRID}, SIZES)
    for axis in (None, 0, 1):
        expected = GRID.mean(axis=axis, keepdims=True)
        np.testing.assert_allclose(point.value(reduce_mean(X, axis)), expected)


# ---- finite differences --------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("function", "at", "expected"),
    [
        (np.exp, 1.3, np.exp(1.3)),
        (np.sin, -0.4, np.cos(0.4)),
        (lambda x: x**7, 1.1, 7 * 1.1**6),
        (np.log, 0.011, 1 / 0.011),  # a pole close by
        (lambda x: 1 / x, 0.02, -1 / 0.02**2),
        (np.sqrt, 0.006, 0.5 / np.sqrt(0.006)),
        (np.abs, 0.0021, 1.0),  # a kink close by
        (lambda x: np.maximum(x, 0), -0.0021, 0.0),
        (lambda x: 0 * x + 5, 2.0, 0.0),
        (lambda x: np.tanh(40 * x), 0.05, 40 / np.cosh(2) ** 2),
    ],
)
def test_differences_know_textbook_derivatives(
    function: object, at: float, expected: float
) -> None:
    assert callable(function)
    with np.errstate(all="ignore"):
        found = along(function, np.array([[at]]), np.ones((1, 1))).item()
    assert found == pytest.approx(expected, rel=1e-8, abs=1e-9)


def test_differences_of_a_jump_or_of_nothing_finite_are_not_small() -> None:
    with np.errstate(all="ignore"):
        jump = along(np.sign, np.array([[1e-7]]), np.ones((1, 1))).item()
        nothing = along(lambda x: np.log(-np.abs(x) - 1), np.ones((1, 1)), np.ones((1, 1))).item()
    assert not abs(jump) < 1
    assert not np.isfinite(nothing)


def test_the_gradient_is_taken_entry_by_entry() -> None:
    A = np.arange(6.0).reshape(2, 3) / 7
    found = gradient(lambda x: float(np.sum(np.sin(x) * A)), A)
    np.testing.assert_allclose(found, np.cos(A) * A, rtol=1e-9, atol=1e-11)


# ---- forward passes ------------------------------------------------------------------------------

MODEL = read_model(
    "X : (n, m)\nw : (1, n)\nb : (1, 1)\nZ = w X + b\nA = sigmoid(Z)\nR = relu(Z)\n"
    "J = sum(A) + sum(R)"
)


def test_a_forward_pass_runs_and_keeps_what_it_is_given() -> None:
    inputs = {"X": np.ones((2, 3)), "w": np.array([[1.0, -2.0]]), "b": np.array([[0.5]])}
    values = {MODEL.symbol(name): array for name, array in inputs.items()}
    found = forward(MODEL, values, {"n": 2, "m": 3})
    z = np.full((1, 3), -0.5)
    np.testing.assert_allclose(found[MODEL.symbol("Z")], z)
    np.testing.assert_allclose(found[MODEL.objective], [[3 / (1 + np.exp(0.5))]])
    kept = {**values, MODEL.symbol("Z"): np.ones((1, 3))}
    again = forward(MODEL, kept, {"n": 2, "m": 3})
    np.testing.assert_allclose(again[MODEL.symbol("R")], np.ones((1, 3)))


def test_downstream_follows_uses() -> None:
    assert [s.name for s in downstream(MODEL, MODEL.symbol("w"))] == ["Z", "A", "R", "J"]
    assert [s.name for s in downstream(MODEL, MODEL.symbol("R"))] == ["J"]


def test_samples_are_finite_and_clear_of_kinks() -> None:
    for seed in range(20):
        values = sample(MODEL, {"n": 3, "m": 5}, np.random.default_rng(seed))
        assert all(np.isfinite(array).all() for array in values.values())
        assert np.abs(values[MODEL.symbol("Z")]).min() >= 0.02
        assert np.abs(values[MODEL.symbol("X")]).min() >= 0.05


def test_the_same_seed_draws_the_same_sample() -> None:
    one, other = (sample(MODEL, {"n": 3, "m": 5}, np.random.default_rng(4)) for _ in range(2))
    assert all((one[s] == other[s]).all() for s in one)


def test_no_sample_is_an_error_in_words() -> None:
    hopeless = read_model("x : (1, 1)\nL = log(0 - x^2)")
    with pytest.raises(ModelError, match="logarithm or a root"):
        sample(hopeless, {}, np.random.default_rng(0))


def with_dimensions(count: int) -> Model:
    text = "".join(f"v{k} : (d{k}, 1)\n" for k in range(count))
    return read_model(text + "L = " + " + ".join(f"sum(v{k})" for k in range(count)))


@pytest.mark.parametrize("count", [1, 2, 3, 4, 6, 8, 9, 12, 60])
def test_sizes_are_primes_that_tell_any_two_dimensions_apart(count: int) -> None:
    found = assignments(with_dimensions(count), 3)
    names = {f"d{k}" for k in range(count)}
    assert all(set(sizes) == names for sizes in found)
    assert len({tuple(sizes[name] for sizes in found) for name in names}) == count
    for n in {n for sizes in found for n in sizes.values()}:
        assert n > 1
        assert all(n % d for d in range(2, n))
    first, second, third = (tuple(sizes.values()) for sizes in found)
    assert len({first, second, third}) == 3


@pytest.mark.parametrize("count", [2, 3, 4, 6, 8])
def test_a_few_dimensions_are_told_apart_at_every_point(count: int) -> None:
    for sizes in assignments(with_dimensions(count), 3):
        assert len(set(sizes.values())) == count


@pytest.mark.parametrize("act", ["tanh", "relu"])
def test_a_deep_pass_is_drawn_layer_by_layer(act: str) -> None:
    depth = 40
    lines = ["A0 : (11, m)", *(f"W{k} : (11, 11)" for k in range(1, depth + 1))]
    for k in range(1, depth + 1):
        lines += [f"Z{k} = W{k} A{k - 1}", f"A{k} = {act}(Z{k})"]
    model = read_model("\n".join([*lines, f"J = sum(A{depth}^2)"]))
    values = sample(model, {"m": 5}, np.random.default_rng(0))
    assert list(values) == list(model.symbols)
    for k in range(1, depth + 1):
        gaps = np.abs(values[model.symbol(f"Z{k}")])
        assert 1e-3 < gaps.max() < 1e9
        assert act == "tanh" or gaps.min() >= 0.02 * 25 / gaps.size
