"""The derivations into which mistakes are put: forward passes and their gradients, line by line."""

from __future__ import annotations

from dataclasses import dataclass, field

LOGISTIC = "-(sum(Y * log(A) + (1 - Y) * log(1 - A)))"


@dataclass(frozen=True)
class Lesson:
    """A forward pass and the lines of its derivation.

    Parameters
    ----------
    name : str
        What it is about.
    inputs : dict of str to tuple
        The shape of every input.
    forward : dict of str to str
        The definitions in order; the last is the objective.
    lines : dict of str to str
        What is claimed, in order: ``Z`` is the gradient at Z, ``a/z`` a slope entry by entry,
        ``w[p]`` the gradient at an entry.
    onehot : dict of str to int
        Labels that add to one, with the axis.
    letters : dict of str to str
        What each index runs over.
    more : dict of str to tuple
        Further wrong lines that no change of a tree gives: what is claimed, the line, and the
        mistake with the words that name it.
    """

    name: str
    inputs: dict[str, tuple[str | int, str | int]]
    forward: dict[str, str]
    lines: dict[str, str]
    onehot: dict[str, int] = field(default_factory=dict)
    letters: dict[str, str] = field(default_factory=dict)
    more: tuple[tuple[str, str, str], ...] = ()


N1, SCALAR = ("n", 1), (1, 1)

LESSONS = (
    Lesson(
        "one example",
        {"x": N1, "w": (1, "n"), "b": SCALAR, "y": SCALAR},
        {
            "z": "w @ x + b",
            "a": "sigmoid(z)",
            "L": "-(y * log(a) + (1 - y) * log(1 - a))",
        },
        {
            "a": "(1 - y) / (1 - a) - y / a",
            "a/z": "a * (1 - a)",
            "z": "a - y",
            "w": "(a - y) * x.T",
            "b": "a - y",
            "x": "w.T * (a - y)",
            "w[p]": "(a - y) * x[p]",
        },
        letters={"p": "n"},
    ),
    Lesson(
        "a batch",
        {"X": ("n", "m"), "w": (1, "n"), "b": SCALAR, "Y": (1, "m")},
        {"Z": "w @ X + b", "A": "sigmoid(Z)", "J": LOGISTIC},
        {
            "A": "(1 - Y) / (1 - A) - Y / A",
            "A/Z": "A * (1 - A)",
            "Z": "A - Y",
            "w": "(A - Y) @ X.T",
            "b": "sum(A - Y, axis=1)",
            "X": "w.T @ (A - Y)",
            "A[i]": "(1 - Y[i]) / (1 - A[i]) - Y[i] / A[i]",
            "Z[i]": "A[i] - Y[i]",
            "w[p]": "S(i, (A[i] - Y[i]) * X[p, i])",
            "X[p, i]": "w[p] * (A[i] - Y[i])",
        },
        letters={"p": "n", "i": "m"},
        more=(
            ("A[i]", "S(i, (1 - Y[i]) / (1 - A[i]) - Y[i] / A[i])", "sum kept: sum"),
            ("Z[i]", "S(i, A[i] - Y[i])", "sum kept: sum"),
        ),
    ),
    Lesson(
        "a mean with a penalty",
        {"X": ("n", "m"), "w": (1, "n"), "b": SCALAR, "lam": SCALAR, "Y": (1, "m")},
        {
            "Z": "w @ X + b",
            "A": "sigmoid(Z)",
            "J": "-(sum(Y * log(A) + (1 - Y) * log(1 - A)) / m) + lam / 2 * sum(w**2)",
        },
        {
            "Z": "(A - Y) / m",
            "w": "(A - Y) @ X.T / m + lam * w",
            "b": "sum(A - Y) / m",
            "w[p]": "S(i, (A[i] - Y[i]) * X[p, i]) / m + lam * w[p]",
        },
        letters={"p": "n", "i": "m"},
        more=(
            ("b", "sum(A - Y) / m + lam * b", "regulariser: term factor"),
            ("w", "(A - Y) @ X.T / m + lam / m * w", "regulariser: term factor"),
            ("w", "(A - Y) @ X.T / m", "regulariser: term factor"),
            ("w", "(A - Y) @ X.T / m + 2 * lam * w", "regulariser: term factor"),
            ("w", "(A - Y) @ X.T / n + lam * w", "size: variable confused factor"),
        ),
    ),
    Lesson(
        "a hidden layer",
        {
            "X": ("n", "m"),
            "W1": ("h", "n"),
            "b1": ("h", 1),
            "W2": (1, "h"),
            "b2": SCALAR,
            "Y": (1, "m"),
        },
        {
            "Z1": "W1 @ X + b1",
            "A1": "tanh(Z1)",
            "Z2": "W2 @ A1 + b2",
            "A2": "sigmoid(Z2)",
            "J": "-(sum(Y * log(A2) + (1 - Y) * log(1 - A2)))",
        },
        {
            "Z2": "A2 - Y",
            "W2": "dZ2 @ A1.T",
            "b2": "sum(dZ2)",
            "A1": "W2.T @ dZ2",
            "A1/Z1": "1 - A1**2",
            "Z1": "(W2.T @ dZ2) * (1 - A1**2)",
            "W1": "dZ1 @ X.T",
            "b1": "sum(dZ1, axis=1)",
            "X": "W1.T @ dZ1",
        },
    ),
    Lesson(
        "rectifiers and classes",
        {
            "X": ("n", "m"),
            "W1": ("h", "n"),
            "b1": ("h", 1),
            "W2": ("k", "h"),
            "b2": ("k", 1),
            "Y": ("k", "m"),
        },
        {
            "Z1": "W1 @ X + b1",
            "A1": "relu(Z1)",
            "Z2": "W2 @ A1 + b2",
            "P": "softmax(Z2, axis=0)",
            "J": "-(sum(Y * log(P)))",
        },
        {
            "P": "-(Y / P)",
            "Z2": "P - Y",
            "W2": "dZ2 @ A1.T",
            "b2": "sum(dZ2, axis=1)",
            "A1": "W2.T @ (P - Y)",
            "Z1": "(W2.T @ dZ2) * (Z1 > 0)",
            "W1": "dZ1 @ X.T",
            "b1": "sum(dZ1, axis=1)",
        },
        onehot={"Y": 0},
        more=(
            ("Z2", "-(Y / P) * P * (1 - P)", "softmax diagonal: diagonal"),
            ("P", "P - Y", "wrong variable: variable"),
            ("Z1", "(W2.T @ dZ2) * (dA1 > 0)", "mask: mask derivative"),
            ("Z1", "W2.T @ dZ2", "mask: mask derivative"),
        ),
    ),
    Lesson(
        "rows and squares",
        {"X": ("m", "n"), "W": ("n", "h"), "b": (1, "h"), "V": ("h", "k"), "T": ("m", "k")},
        {
            "Z": "X @ W + b",
            "H": "sigmoid(Z)",
            "O": "H @ V",
            "J": "sum((O - T)**2) / 2",
        },
        {
            "O": "O - T",
            "V": "H.T @ (O - T)",
            "H": "(O - T) @ V.T",
            "Z": "((O - T) @ V.T) * H * (1 - H)",
            "W": "X.T @ dZ",
            "b": "sum(dZ, axis=0)",
            "X": "dZ @ W.T",
        },
    ),
    Lesson(
        "a skip connection",
        {"x": N1, "W": ("n", "n"), "V": ("n", "n"), "t": N1},
        {"a": "tanh(W @ x)", "r": "x + V @ a", "L": "sum((r - t)**2) / 2"},
        {
            "r": "r - t",
            "a": "V.T @ (r - t)",
            "V": "(r - t) @ a.T",
            "W": "((V.T @ (r - t)) * (1 - a**2)) @ x.T",
            "x": "r - t + W.T @ ((V.T @ (r - t)) * (1 - a**2))",
        },
    ),
    Lesson(
        "tied weights",
        {"w": SCALAR, "x": SCALAR, "y": SCALAR},
        {"u": "sigmoid(w * x)", "v": "w * u", "L": "(v - y)**2"},
        {
            "v": "2 * (v - y)",
            "u": "2 * (v - y) * w",
            "w": "2 * (v - y) * (u + w * u * (1 - u) * x)",
            "x": "2 * (v - y) * w**2 * u * (1 - u)",
        },
    ),
    Lesson(
        "dropout",
        {
            "X": ("n", "m"),
            "W": ("h", "n"),
            "v": (1, "h"),
            "M": ("h", "m"),
            "q": SCALAR,
            "Y": (1, "m"),
        },
        {
            "H": "tanh(W @ X)",
            "D": "H * M / q",
            "O": "v @ D",
            "J": "sum((O - Y)**2) / 2",
        },
        {
            "O": "O - Y",
            "v": "(O - Y) @ D.T",
            "D": "v.T @ (O - Y)",
            "H": "dD * M / q",
            "W": "(dH * (1 - H**2)) @ X.T",
        },
    ),
    Lesson(
        "least squares",
        {"A": ("m", "n"), "x": N1, "c": ("m", 1), "mu": SCALAR},
        {"r": "A @ x - c", "f": "sum(r**2) + mu * sum(x**2)"},
        {
            "r": "2 * r",
            "x": "2 * A.T @ (A @ x - c) + 2 * mu * x",
            "A": "2 * r @ x.T",
            "c": "2 * (c - A @ x)",
        },
    ),
    Lesson(
        "a quadratic form",
        {"x": N1, "A": ("n", "n"), "c": N1},
        {"f": "x.T @ A @ x + c.T @ x"},
        {
            "x": "(A + A.T) @ x + c",
            "A": "x @ x.T",
            "x[k]": "S(j, A[k, j] * x[j]) + S(j, A[j, k] * x[j]) + c[k]",
        },
        letters={"k": "n", "j": "n"},
    ),
    Lesson(
        "attention",
        {"Q": ("t", "d"), "K": ("t", "d"), "V": ("t", "e"), "G": ("t", "e"), "c": SCALAR},
        {
            "S": "c * Q @ K.T",
            "P": "softmax(S, axis=1)",
            "O": "P @ V",
            "L": "sum(G * O)",
        },
        {
            "V": "P.T @ G",
            "P": "G @ V.T",
            "S": "P * (dP - sum(P * dP, axis=1))",
            "Q": "c * dS @ K",
            "K": "c * dS.T @ Q",
        },
        more=(
            ("S", "P * (1 - P) * dP", "softmax diagonal: diagonal"),
            ("S", "P * (dP - sum(P * dP, axis=0))", "wrong axis: axis"),
        ),
    ),
    Lesson(
        "batch norm",
        {"x": (1, "m"), "gamma": SCALAR, "beta": SCALAR, "eps": SCALAR, "T": (1, "m")},
        {
            "mu": "sum(x) / m",
            "v": "sum((x - mu)**2) / m",
            "s": "sqrt(v + eps)",
            "h": "(x - mu) / s",
            "o": "gamma * h + beta",
            "L": "sum((o - T)**2) / 2",
        },
        {
            "o": "o - T",
            "beta": "sum(do)",
            "gamma": "sum(do * h)",
            "h": "gamma * do",
            "x": "gamma / (m * s) * (m * do - sum(do) - h * sum(do * h))",
        },
        more=(
            ("x", "gamma / s * do", "mean constant: path factor dropped"),
            (
                "x",
                "gamma / (m * s) * (m * do - h * sum(do * h))",
                "mean constant: path factor dropped",
            ),
            ("x", "gamma / (m * s) * (m * do - sum(do))", "variance constant: path term factor"),
        ),
    ),
    Lesson(
        "scalars of the board",
        {"w": SCALAR, "x": SCALAR, "b": SCALAR, "y": SCALAR},
        {"u": "w * x**2 + b", "s": "sigmoid(u)", "p": "tanh(s)", "L": "(p - y)**2"},
        {
            "p": "2 * (p - y)",
            "p/s": "1 - p**2",
            "s/u": "s * (1 - s)",
            "u/w": "x**2",
            "w": "2 * (p - y) * (1 - p**2) * s * (1 - s) * x**2",
            "b": "2 * (p - y) * (1 - p**2) * s * (1 - s)",
        },
    ),
    Lesson(
        "rows of the board",
        {"x": (1, "n"), "W": ("n", "m"), "y": (1, "m")},
        {"s": "sigmoid(x)", "p": "s @ W", "L": "sum((p - y)**2)"},
        {
            "p": "2 * (p - y)",
            "s": "2 * (p - y) @ W.T",
            "W": "2 * s.T @ (p - y)",
            "x": "(2 * (p - y) @ W.T) * s * (1 - s)",
            "x[i]": "s[i] * (1 - s[i]) * S(j, 2 * (p[j] - y[j]) * W[i, j])",
        },
        letters={"i": "n", "j": "m"},
    ),
    Lesson(
        "a gated cell",
        {"c": N1, "i": N1, "f": N1, "g": N1, "o": N1, "t": N1},
        {"d": "f * c + i * g", "h": "o * tanh(d)", "L": "sum((h - t)**2) / 2"},
        {
            "h": "h - t",
            "o": "(h - t) * tanh(d)",
            "d": "(h - t) * o * (1 - tanh(d)**2)",
            "f": "dd * c",
            "g": "dd * i",
        },
    ),
    Lesson(
        "two steps in time",
        {"w": SCALAR, "u": SCALAR, "h0": SCALAR, "x1": SCALAR, "x2": SCALAR, "y": SCALAR},
        {"h1": "tanh(w * h0 + u * x1)", "h2": "tanh(w * h1 + u * x2)", "L": "(h2 - y)**2 / 2"},
        {
            "h2": "h2 - y",
            "h1": "(h2 - y) * (1 - h2**2) * w",
            "w": "(h2 - y) * (1 - h2**2) * (h1 + w * (1 - h1**2) * h0)",
            "u": "(h2 - y) * (1 - h2**2) * (x2 + w * (1 - h1**2) * x1)",
        },
    ),
)
