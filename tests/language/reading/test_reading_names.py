import pytest

from chainrule.language.reading import canonical

SAME = [
    ("yhat", "ŷ", "y\u0302", r"\hat{y}", r"\hat y", "y_hat", r"\widehat{y}", r"\hat{\mathbf{y}}"),
    ("W^[1]", "W^{[1]}", r"\mathbf{W}^{[1]}", "W^{ [1] }"),
    ("z_1", "z_{1}", "z₁", "z_{ 1 }"),
    ("σ", r"\sigma", "sigma"),
    ("ε", r"\varepsilon", r"\epsilon", "ϵ"),
    ("λ", r"\lambda", "lambda"),
    ("Σ", r"\Sigma", "Sigma"),
    ("a^[1]_1", "a_1^[1]", "a^{[1]}_{1}", "a₁^[1]"),
    ("x^{(i)}", "x^(i)", "x⁽ⁱ⁾"),
    ("x'", "x′"),
    ("ReLU", r"\operatorname{ReLU}", r"\mathrm{ReLU}"),
    ("xbar", "x̄", r"\bar x"),
    ("dz^[l-1]", "dz^{[l−1]}"),
]
DIFFERENT = [("W1", "W_1"), ("a", "A"), ("x'", "x"), ("z_1", "z_2"), ("W^[1]", "W^[2]")]
NO_NAMES = [
    "",
    "1",
    "a b",
    "a+b",
    "^[1]",
    "_",
    "a_",
    "²",
    r"\hat",
    r"\hat{1}",
    "a_{}",
    "x^2",
    "w^T",
]


@pytest.mark.parametrize("spellings", SAME, ids=lambda s: s[0])
def test_spellings_of_one_name_agree(spellings: tuple[str, ...]) -> None:
    assert len({canonical(text) for text in spellings}) == 1


@pytest.mark.parametrize(("a", "b"), DIFFERENT)
def test_different_names_stay_apart(a: str, b: str) -> None:
    assert canonical(a) != canonical(b)


@pytest.mark.parametrize("text", NO_NAMES)
def test_what_is_no_name_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="is not a name"):
        canonical(text)


@pytest.mark.parametrize("spellings", SAME, ids=lambda s: s[0])
def test_the_canonical_form_is_stable(spellings: tuple[str, ...]) -> None:
    once = canonical(spellings[0])
    assert canonical(once) == once
