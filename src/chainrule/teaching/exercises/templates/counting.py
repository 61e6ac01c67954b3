"""Counting: parameters, multiplications and memory of layers."""

from __future__ import annotations

from random import Random

from chainrule.teaching.exercises.answer_readers import AnswerKey
from chainrule.teaching.exercises.content import Prose
from chainrule.teaching.exercises.templates.template import Draft

FLOAT32 = 4
MEGABYTE = 10**6


def _draft(
    ask: str, sizes: str, right: int, wrong: dict[str, tuple[int, str]], hints: tuple[str, ...]
) -> Draft:
    mistakes = tuple(
        (str(value), f"count {name}", message)
        for name, (value, message) in wrong.items()
        if value != right
    )
    key = AnswerKey("count", str(right), mistakes=mistakes)
    solution = (Prose(f"{sizes} = {right:,}."),)
    return Draft((Prose(ask),), key, hints, solution)


def _dense(rng: Random) -> tuple[int, int, int]:
    return rng.choice((784, 256, 300, 1024)), rng.choice((50, 100, 128, 200)), 10


def dense_parameters(rng: Random) -> Draft:
    """Ask for the parameters of a network of two dense layers."""
    n, h, k = _dense(rng)
    right = h * n + h + k * h + k
    return _draft(
        f"A network for {n} inputs has one hidden layer of {h} ReLU units and {k} outputs with a "
        "softmax. Every unit has a bias. How many parameters does it have?",
        f"{h}·{n} + {h} + {k}·{h} + {k}",
        right,
        {
            "without biases": (h * n + k * h, "every unit also has a bias"),
            "without output biases": (right - k, "the output units have biases as well"),
            "units": (n + h + k, "these are the units; each connection is a parameter"),
            "activations too": (right + h, "ReLU and softmax have no parameters"),
        },
        (
            "Count one layer at a time: its weight matrix, then its bias vector.",
            f"W1 has one row per hidden unit and one column per input: ({h}, {n}).",
            f"The first layer has {h * n + h:,}. Now the second.",
        ),
    )


def forward_multiplications(rng: Random) -> Draft:
    """Ask for the multiplications of a forward pass for a batch."""
    n, h, k = _dense(rng)
    m = rng.choice((16, 32, 64))
    return _draft(
        f"A network {n}-{h}-{k} is evaluated for a batch of {m} examples. How many "
        "multiplications do its two matrix products take?",
        f"{m}·({h}·{n} + {k}·{h})",
        m * (h * n + k * h),
        {
            "one example": (h * n + k * h, "this is one example; the batch has more"),
            "biases too": (m * (h * n + h + k * h + k), "adding a bias multiplies nothing"),
            "input only": (m * h * n, "the second layer multiplies too"),
        },
        (
            "Each entry of a product of (a, b) and (b, c) takes b multiplications.",
            f"W1 X has {h}·{m} entries.",
            f"W1 X takes {h * n * m:,}. Now W2 A1.",
        ),
    )


def backward_multiplications(rng: Random) -> Draft:
    """Ask for the multiplications of the backward pass of one inner layer."""
    n, h = rng.choice((100, 200, 300)), rng.choice((50, 64, 128))
    m = rng.choice((16, 32, 64))
    return _draft(
        f"An inner layer computes Z = W X with W of shape ({h}, {n}) and X of shape ({n}, {m}). "
        "Its backward pass gets dZ and computes dW and dX by one matrix product each. How many "
        "multiplications do these two take together?",
        f"{h}·{m}·{n} + {n}·{h}·{m}",
        2 * n * h * m,
        {
            "weights only": (n * h * m, "that is one of dW and dX; both are needed here"),
            "with forward": (3 * n * h * m, "the forward product is not part of the backward pass"),
            "one example": (2 * n * h, "there are several examples in the batch"),
        },
        (
            "Write down both products: which shapes meet?",
            f"dW = dZ X^T: ({h}, {m}) times ({m}, {n}).",
            "Each of the two takes as many as the forward product W X.",
        ),
    )


def cache_memory(rng: Random) -> Draft:
    """Ask for the bytes of a cache."""
    n, h, k = _dense(rng)
    m = rng.choice((32, 64, 128))
    right = FLOAT32 * m * (n + h + k)
    return _draft(
        f"For a network {n}-{h}-{k} with ReLU and softmax, a batch of {m} examples keeps X, A1 and "
        "P for the backward pass, in float32 (4 bytes per number). How many bytes is that?",
        f"4·{m}·({n} + {h} + {k})",
        right,
        {
            "numbers": (right // FLOAT32, "this is the number of values; each takes 4 bytes"),
            "one example": (right // m, "this is one example; the batch has more"),
            "float64": (2 * right, "float32 takes 4 bytes, not 8"),
            "without input": (right - FLOAT32 * m * n, "dW1 = dZ1 X^T reads X"),
        },
        (
            "Write down the shape of each array that is kept.",
            f"X is ({n}, {m}) and A1 is ({h}, {m}).",
            f"X takes {FLOAT32 * n * m:,} bytes.",
        ),
    )


def _convolution(rng: Random) -> tuple[int, int, int]:
    return rng.choice((3, 16, 32)), rng.choice((8, 32, 64)), rng.choice((3, 5))


def convolution_parameters(rng: Random) -> Draft:
    """Ask for the parameters of a convolutional layer."""
    c, f, k = _convolution(rng)
    right = f * (k * k * c + 1)
    return _draft(
        f"A convolutional layer has {f} filters of {k} by {k} on an input of {c} channels, and one "
        "bias per filter. How many parameters does it have?",
        f"{f}·({k}·{k}·{c} + 1)",
        right,
        {
            "without biases": (f * k * k * c, "every filter has a bias"),
            "one channel": (f * (k * k + 1), "a filter has weights for every input channel"),
            "one bias": (f * k * k * c + 1, "every filter has a bias of its own"),
            "per channel bias": (f * (k * k + 1) * c, "one bias per filter, not per channel"),
        },
        (
            "How many numbers does one filter hold?",
            f"A filter covers {k} by {k} pixels in all {c} channels.",
            f"One filter has {k * k * c} weights and a bias.",
        ),
    )


def convolution_size(rng: Random) -> Draft:
    """Ask for the width of the output of a convolution."""
    k, s, p = rng.choice((3, 5, 7)), rng.choice((1, 2)), rng.choice((0, 1, 2))
    w = k + s * rng.choice((10, 13, 14, 27)) - 2 * p
    right = (w + 2 * p - k) // s + 1
    return _draft(
        f"An image {w} pixels wide is convolved by filters of width {k}, stride {s}, padding {p} "
        "on both sides. How wide is the output?",
        f"({w} + 2·{p} - {k})/{s} + 1",
        right,
        {
            "off by one": (right - 1, "the first position counts too: add 1"),
            "one side": ((w + p - k) // s + 1, "padding is added on both sides"),
            "without stride": (w + 2 * p - k + 1, "the filter moves by the stride"),
            "input width": (w, "the width is kept only with matching padding and stride 1"),
        },
        (
            "How many positions can the left edge of the filter take?",
            f"The padded image is {w + 2 * p} pixels wide.",
            f"The left edge moves over {w + 2 * p - k} pixels, {s} at a time.",
        ),
    )


def convolution_multiplications(rng: Random) -> Draft:
    """Ask for the multiplications of a convolution."""
    c, f, k = _convolution(rng)
    side = rng.choice((14, 28, 32))
    return _draft(
        f"A convolution with {f} filters of {k} by {k} maps {c} channels of {side} by {side} to "
        f"{f} channels of {side} by {side}. How many multiplications does one image take?",
        f"{side}·{side}·{f}·{k}·{k}·{c}",
        side * side * f * k * k * c,
        {
            "parameters": (f * k * k * c, "these are the weights; each is used at every pixel"),
            "one channel": (side * side * f * k * k, "each filter reads every input channel"),
            "one filter": (side * side * k * k * c, "there are several filters"),
        },
        (
            "How many multiplications does one output pixel take?",
            f"One output pixel takes {k}·{k}·{c} = {k * k * c}.",
            f"There are {side}·{side}·{f} output pixels.",
        ),
    )


def recurrent_parameters(rng: Random) -> Draft:
    """Ask for the parameters of a recurrent layer."""
    n, h, t = rng.choice((10, 50, 100)), rng.choice((20, 64, 100)), rng.choice((5, 20, 30))
    right = h * n + h * h + h
    return _draft(
        f"A recurrent layer computes h_t = tanh(W x_t + U h_(t-1) + b) with {n} inputs and {h} "
        f"units, over sequences of length {t}. How many parameters does it have?",
        f"{h}·{n} + {h}·{h} + {h}",
        right,
        {
            "per step": (t * right, "all time steps share the same W, U and b"),
            "without recurrence": (h * n + h, "U maps the state to the state"),
            "without biases": (h * n + h * h, "there is a bias per unit"),
        },
        (
            "What does the length of the sequence change?",
            f"W is ({h}, {n}); U maps {h} numbers to {h}.",
            f"U has {h * h:,} entries.",
        ),
    )


def attention_memory(rng: Random) -> Draft:
    """Ask for the entries of the attention weights."""
    t, heads, m = rng.choice((128, 256, 512)), rng.choice((4, 8)), rng.choice((8, 16))
    right = m * heads * t * t
    return _draft(
        f"Self-attention with {heads} heads runs on {m} sequences of {t} tokens. How many "
        "attention weights does it compute?",
        f"{m}·{heads}·{t}·{t}",
        right,
        {
            "linear": (m * heads * t, "each token attends to every token"),
            "one head": (m * t * t, "each head has weights of its own"),
            "one sequence": (heads * t * t, "this is one sequence"),
        },
        (
            "For one head and one sequence: what is the shape of softmax(Q K^T)?",
            f"It is ({t}, {t}).",
            f"One sequence has {heads}·{t}·{t} = {heads * t * t:,}.",
        ),
    )


def embedding_parameters(rng: Random) -> Draft:
    """Ask how many rows of an embedding get a gradient."""
    words, d = rng.choice((10_000, 30_000)), rng.choice((64, 100, 300))
    sentence = rng.sample(range(20, 90), 4)
    ids = [*sentence, sentence[0]]
    rng.shuffle(ids)
    return _draft(
        f"An embedding table holds {words:,} words by {d} numbers. A batch looks up the ids {ids}. "
        "How many entries of the gradient of the table can differ from zero?",
        f"4·{d}",
        4 * d,
        {
            "repeated": (5 * d, "one id occurs twice: its two gradients add in the same row"),
            "whole table": (words * d, "rows that were not looked up get the gradient 0"),
            "rows": (4, "each row that was looked up has several entries"),
        },
        (
            "Which rows of the table does the loss depend on?",
            "How many different ids are there?",
            f"Each row has {d} entries.",
        ),
    )


def normalisation_parameters(rng: Random) -> Draft:
    """Ask for the trained parameters of batch normalization."""
    h = rng.choice((64, 128, 256))
    return _draft(
        f"Batch normalization on {h} features has a scale γ and a shift β per feature, and keeps a "
        "running mean and a running variance per feature for prediction. How many parameters does "
        "gradient descent train here?",
        f"2·{h}",
        2 * h,
        {
            "running statistics": (4 * h, "running mean and variance are averages, not trained"),
            "scale only": (h, "the shift is trained as well"),
            "shared": (2, "every feature has its own scale and shift"),
        },
        (
            "Which of the four get a gradient?",
            "Running statistics are averages of batch statistics.",
            "γ and β are trained, each with one entry per feature.",
        ),
    )


def difference_evaluations(rng: Random) -> Draft:
    """Ask how often a numerical gradient evaluates the loss."""
    n, h = rng.choice((20, 30, 50)), rng.choice((5, 10))
    count = h * n + h + h + 1
    return _draft(
        f"A network {n}-{h}-1 with biases is checked by central differences: every parameter is "
        "moved up and down once. How often is the loss evaluated?",
        f"2·({h}·{n} + {h} + {h} + 1)",
        2 * count,
        {
            "one side": (count, "central differences evaluate the loss on both sides"),
            "per batch": (2, "every parameter is moved by itself"),
            "without biases": (2 * (h * n + h), "biases are parameters too"),
        },
        (
            "First count the parameters.",
            f"The hidden layer has {h * n + h} parameters.",
            "Each parameter takes two evaluations.",
        ),
    )


COUNTS = (
    ("count-dense", "parameters of two dense layers", "C", dense_parameters),
    ("count-forward", "multiplications of a forward pass", "C", forward_multiplications),
    ("count-backward", "multiplications of a backward pass", "D", backward_multiplications),
    ("count-cache", "memory of the cache", "D", cache_memory),
    ("count-conv", "parameters of a convolution", "D", convolution_parameters),
    ("count-conv-size", "output size of a convolution", "D", convolution_size),
    ("count-conv-cost", "multiplications of a convolution", "E", convolution_multiplications),
    ("count-recurrent", "parameters of a recurrent layer", "E", recurrent_parameters),
    ("count-attention", "attention weights", "E", attention_memory),
    ("count-embedding", "gradient of an embedding", "E", embedding_parameters),
    (
        "count-batch-norm",
        "trained parameters of batch normalization",
        "E",
        normalisation_parameters,
    ),
    ("count-differences", "cost of a numerical gradient", "B", difference_evaluations),
)
"""Id, title, level and template of every exercise on counting."""
