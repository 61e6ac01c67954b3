"""Problems in parts (a) to (f), as a midterm sets them: one network, one gradient per part."""

from __future__ import annotations

from functools import partial
from random import Random

from chainrule.calculus.graph.dims import written
from chainrule.calculus.graph.model import Model
from chainrule.calculus.graph.node import Expr, symbols
from chainrule.calculus.ops import replace
from chainrule.deriving import derive
from chainrule.language.typeset import model_text, plain
from chainrule.teaching.exercises.answer_forms import opened, with_sums
from chainrule.teaching.exercises.answer_readers import AnswerKey
from chainrule.teaching.exercises.content import Prose
from chainrule.teaching.exercises.questions import LETTERS
from chainrule.teaching.exercises.sections import section_of
from chainrule.teaching.exercises.templates.evaluation import model_of
from chainrule.teaching.exercises.templates.template import Draft

LOGISTIC = """
X : (n, m)  # features, one column per example
Y : (1, m)  # labels, 0 or 1
w : (1, n)
b : (1, 1)
l : (1, 1)  # strength of the penalty
Z = w X + b
A = sigmoid(Z)
J = -sum(Y .* log(A) + (1 - Y) .* log(1 - A)) + l/2 w w^T
wrt: w, b
"""
NETWORK = """
X : (n, m)  # features, one column per example
Y : (1, m)  # labels, 0 or 1
W1 : (h, n)
b1 : (h, 1)
W2 : (1, h)
b2 : (1, 1)
Z1 = W1 X + b1
A1 = {activation}(Z1)
Z2 = W2 A1 + b2
A2 = sigmoid(Z2)
J = -sum(Y .* log(A2) + (1 - Y) .* log(1 - A2))
wrt: W1, b1, W2, b2
"""
REGRESSION = """
X : (n, m)  # features, one column per example
Y : (k, m)  # targets
W1 : (h, n)
W2 : (k, h)
Z1 = W1 X
A1 = relu(Z1)
E = W2 A1 - Y
J = sum(E .* E)/m
wrt: W1, W2
"""
SKIP = """
X : (n, m)  # features, one column per example
Y : (n, m)  # targets
W : (n, n)
V : (n, n)
Z = W X
A = tanh(Z)
H = V A + X
J = sum((H - Y) .* (H - Y))/2
wrt: W, V, X
"""
ROWS = """
X : (m, n)  # features, one row per example
Y : (m, 1)  # targets
W : (n, h)
b : (1, h)
v : (h, 1)
Z = X W + b
A = sigmoid(Z)
P = A v
J = sum((P - Y) .* (P - Y))/m
wrt: W, b, v
"""

PROBLEMS = (
    ("parts-logistic", "logistic regression with a penalty", "C", LOGISTIC, ("Z", "w", "b")),
    (
        "parts-tanh",
        "a tanh network",
        "D",
        NETWORK.format(activation="tanh"),
        ("Z2", "W2", "b2", "A1", "Z1", "W1"),
    ),
    (
        "parts-relu",
        "a ReLU network",
        "D",
        NETWORK.format(activation="relu"),
        ("Z2", "W2", "b2", "A1", "Z1", "W1"),
    ),
    (
        "parts-regression",
        "a hidden layer of ReLU",
        "D",
        REGRESSION,
        ("E", "W2", "A1", "Z1", "W1"),
    ),
    ("parts-skip", "a block with a skip connection", "D", SKIP, ("H", "V", "A", "Z", "W", "X")),
    ("parts-rows", "examples as rows", "D", ROWS, ("P", "v", "A", "Z", "W", "b")),
)
"""Id, title, level, forward pass and the values of the parts, in order."""


def problem(text: str, values: tuple[str, ...], rng: Random) -> Draft:
    """Ask for the gradients at some values of a network, each with marks of its own."""
    del rng  # a problem has no numbers to draw
    model = model_of(text)
    names = tuple(f"d{value}" for value in values)
    answers = {f"d{value}": _answer(model, value, values) for value in values}
    objective = model.objective.name
    parts = [
        Prose(
            f"({LETTERS[k]}) {name} = ∂{objective}/∂{value}, of shape "
            f"{written(model.symbol(value).shape)}",
            part=name,
        )
        for k, (name, value) in enumerate(zip(names, values, strict=True))
    ]
    key = AnswerKey(
        "parts",
        "; ".join(f"{name} = {answer}" for name, answer in answers.items()),
        model_text(model),
        choices=names,
    )
    users = {value: _users(model, value) for value in values[:3]}
    return Draft(
        (
            Prose(
                "Give these gradients. A part may use the earlier ones by name, and gets its marks "
                "if it follows from them."
            ),
            *parts,
            Prose(
                f"One line per part, or separated by semicolons: {names[0]} = ...; ...",
                of_form=True,
            ),
        ),
        key,
        (
            f"Start at {objective} and go back one definition at a time. Which definitions use "
            f"{values[0]}?",
            "Each gradient has the shape of its variable: let the shapes place the transposes. "
            + "; ".join(f"{v} is used by {', '.join(users[v])}" for v in values[:3])
            + ".",
            "Put the gradients through these lines: "
            + "; ".join(f"({LETTERS[k]}) {_through(model, v)}" for k, v in enumerate(values[:3]))
            + ".",
        ),
        tuple(Prose(f"({LETTERS[k]}) {n} = {answers[n]}") for k, n in enumerate(names)),
        model=model,
    )


def _users(model: Model, value: str) -> list[str]:
    symbol = model.symbol(value)
    return [d.target.name for d in model.definitions if symbol in symbols(d.value)]


def _through(model: Model, value: str) -> str:
    """Return the definitions that use a value, as they are written."""
    users = [model.symbol(name) for name in _users(model, value)]
    return " and ".join(f"{s.name} = {plain(model.values[s])}" for s in users)


def _answer(model: Model, value: str, asked: tuple[str, ...]) -> str:
    """Return the gradient at a value, in terms of those at the values that use it."""
    users = [name for name in _users(model, value) if name in asked]
    cut = _cut(model, value, users) if users else model
    derivation = derive(cut, [value])
    section = section_of(derivation, value)
    names: dict[Expr, Expr] = {each: symbol for symbol, each in model.values.items()}
    given: dict[Expr, Expr] = {
        s: names[value] for s, value in derivation.model.values.items() if value in names
    }
    return plain(with_sums(replace(opened(derivation, section.answer), given)))


def _cut(model: Model, value: str, users: list[str]) -> Model:
    """Return the end of a forward pass: the gradients at the users of a value are given.

    The objective is what the users add to it to first order, and what it has of the value itself.
    """
    objective = model.objective
    terms = [f"sum(d{name} .* ({plain(model.values[model.symbol(name)])}))" for name in users]
    if objective.name in _users(model, value):
        terms.append(plain(model.values[objective]))
    given = [f"{s.name} : {written(s.shape)}" for s in model.symbols if s is not objective]
    given += [f"d{name} : {written(model.symbol(name).shape)}" for name in users]
    return model_of("\n".join([*given, f"{objective.name} = {' + '.join(terms)}", f"wrt: {value}"]))


PROBLEM_ROWS = tuple(
    (identifier, title, level, partial(problem, text, values))
    for identifier, title, level, text, values in PROBLEMS
)
"""Id, title, level and template of every problem in parts."""
