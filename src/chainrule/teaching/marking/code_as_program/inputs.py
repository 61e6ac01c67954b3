"""Random data in place of what a program reads from files or gets as arguments."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from chainrule.teaching.marking.code_as_program.values import RESHAPED, Misshapen, Value
from chainrule.teaching.marking.code_by_value.naming import is_label
from chainrule.teaching.marking.code_by_value.updates import is_rate

EXAMPLES = 7
HEADS = 2
_FEATURES = re.compile(
    r"(?i)x_?\w{0,12}|\w+_x|(?:train|test|val|input|batch|sample|raw)?_?(?:data|inputs?|features|"
    r"images?|img|samples?|examples?)(?:_(?:train|test|batch|set|arr\w*|data))?|a_?prev|a0|batch"
)
_TARGETS = re.compile(
    r"(?i)y_?\w{0,12}|\w+_y|t|(?:train|test|val)_?(?:labels?|targets?|y)|answers?"
)
_ANSWERS = re.compile(
    r"(?i)(?:train(?:ing)?_)?outputs?|expected\w*|desired\w*|validation|actual\w*"
)
"""Names that labels have as arguments."""

_PLAIN = frozenset({"features", "inputs", "input", "labels", "targets", "target", "data", "images",
                    "outputs", "output", "training_outputs", "train_outputs"})  # fmt: skip
"""Names of data that could also be those of lengths."""

_SHIFTS = frozenset({"gamma", "beta", "mu", "nu"})
"""Names of rates that are more often those of parameters."""

_WEIGHTS = frozenset({"alpha", "eps", "epsilon", "step"})
"""Names of rates that are also those of other numbers, where a step has a rate of its own."""

_LISTS = re.compile(
    r"(?i)layers?(?:_?(?:dims?|sizes?|units?|structure|nodes|config))?|sizes|dims|architecture"
    r"|structure|layers?_\w+|nn_\w*|hidden_(?:sizes|layers|dims|units)"
)
_INS = re.compile(
    r"(?i)(?:n|num|dim|size|d|no)?_?(?:of_)?(?:in|inputs?|features?|x|visible)(?:_?(?:size|dim|nodes|units"
    r"|layer|features?|len|neurons|n))?|n_?x|d|in_features|input_\w+|fan_in|num_in\w*|nin|num_features"
)
_HIDDEN = re.compile(r"(?i)\w*hid\w*|n_?h|h|n_neurons|units|latent\w*|embed\w*|num_neurons")
_OUTS = re.compile(
    r"(?i)(?:n|num|dim|size|no)?_?(?:of_)?(?:out|outputs?|class(?:es)?|labels?|y|targets?)(?:_?(?:size"
    r"|dim|nodes|units|layer|features|neurons))?|n_?y|k|c|out_features|output_\w+|fan_out|nout"
    r"|nodes|num_labels|n_classes|(?:n|num|number)_of_neurons"
)
_PENALTY = re.compile(r"(?i)lam\w*|reg\w*|l2\w*|weight_decay|\w*lambda\w*|wd")
_VOCABULARY = re.compile(r"(?i)(?:n_?|len_)?vocab\w*|word_dim|char_dim")
_WIDTH = re.compile(r"(?i)d_?model|model_?dim|embed_?dim|d_embed")
_ROUNDS = re.compile(r"(?i)\w*(?:epoch|iter|step|pass)\w*|n_rounds")
_FLAGS = re.compile(r"(?i)\w*(?:verbose|print|plot|debug|show|log)\w*")
_KEEP = re.compile(r"(?i)\w*(?:keep|drop)\w*|p_\w+")
_COUNTS = re.compile(
    r"(?i)(?:n|num|number)_?(?:of_)?(?:data|examples|samples|training\w*)|data_num|m|n"
)
_BATCH = re.compile(r"(?i)_?(?:mini_?)?batch_?size|bs")


def is_count(name: str) -> bool:
    """Whether a name is one of those given to the number of examples."""
    return _COUNTS.fullmatch(name) is not None


class Relearned(Exception):  # noqa: N818
    """Data of another length are needed, and the run starts again.

    Parameters
    ----------
    what : str
        ``features``, ``classes`` or ``examples``.
    length : int
        The length that is needed.
    """

    def __init__(self, what: str, length: int) -> None:
        super().__init__(what)
        self.what, self.length = what, length


@dataclass(frozen=True)
class Reading:
    """How data that a program does not define are laid out.

    Parameters
    ----------
    rows : bool
        Whether examples stand in rows.
    labels : str
        ``flat`` (m,), ``column`` (m, 1), ``row`` (1, m), ``one-hot`` or ``classes``.
    single : bool
        Whether the data are one example.
    numbers : bool
        Whether an example is one number.
    sequence : str
        Of a recurrence, ``codes`` (places in a vocabulary) or ``columns``; else empty.
    """

    rows: bool = True
    labels: str = "column"
    single: bool = False
    numbers: bool = False
    sequence: str = ""


READINGS = (
    Reading(labels="column"), Reading(labels="flat"), Reading(labels="flat", numbers=True),
    Reading(labels="one-hot"),
    Reading(labels="classes"), Reading(rows=False, labels="row"),
    Reading(rows=False, labels="one-hot"), Reading(rows=False, labels="classes"),
    Reading(rows=False, labels="one-hot", single=True), Reading(labels="one-hot", single=True),
)  # fmt: skip

SEQUENCES = (
    Reading(labels="classes", sequence="codes"), Reading(labels="one-hot", sequence="columns"),
    Reading(rows=False, labels="classes", sequence="columns"),
)  # fmt: skip
"""Readings of recurrences."""

LENGTH = 4
"""The length of a sequence."""

_AXES = (
    (re.compile(r"(?i)n|m|b|bs|batch\w*|n_?samples|num_\w*(?:examples|images)"), 2),
    (re.compile(r"(?i)t|time\w*|seq\w*|n_?steps"), 3),
    (re.compile(r"(?i)f|hh|ww|k|kh|kw|fh|fw|f_?[hw]|k_?[hw]|filter_?\w*|kernel\w*"), 2),
    (re.compile(r"n_?C|F|(?:num_?)?filters?|out_?c\w*|n_?f|FN"), 3),
    (re.compile(r"(?i)h|w|\w*_?height|\w*_?width|n_?[hw]_?\w*|in_?[hw]|h_?\w|w_?\w"), 4),
    (re.compile(r"(?i)\w*_?c|c\w*|n_?c_?\w*|\w*channels?\w*|_|depth|d"), 2),
)
"""Lengths by the names that axes get in ``n, c, h, w = x.shape``, the first that fits."""


@dataclass
class Inputs:
    """Data, sizes and numbers for the names that a program does not define.

    Parameters
    ----------
    reading : Reading
        The layout.
    features, classes, examples : int
        Lengths.
    """

    reading: Reading = field(default_factory=Reading)
    features: int = 4
    classes: int = 3
    examples: int = EXAMPLES
    asked: set[str] = field(default_factory=set)
    rates: frozenset[str] = frozenset()
    heads: frozenset[str] = frozenset()  # what divides a width
    made: dict[str, Value] = field(default_factory=dict)
    learned: bool = False
    regression: bool = False
    penalty: float = 0.3
    seed: int = 0

    def __post_init__(self) -> None:
        self.source = np.random.default_rng(5 + self.seed)

    def again(self) -> Inputs:
        """Return the same data for another run."""
        return replace(self, asked=set(), made={})

    @property
    def outputs(self) -> int:
        """The number of outputs."""
        return self.classes if self.reading.labels in ("one-hot", "classes") else 1

    def data(self, name: str) -> Value | None:
        """Return data for a name; None where the name is not one of data."""
        plain = name.rpartition(".")[2]
        if is_label(plain) or _TARGETS.fullmatch(plain):
            return self._held(name, self._labels)
        if _FEATURES.fullmatch(plain):
            return self._held(name, self._examples)
        return None

    def _held(self, name: str, make: Value) -> Value:
        self.asked.add(name)
        if name not in self.made:
            self.made[name] = make()
        held = self.made[name]
        return list(held) if isinstance(held, list) else np.array(held)

    def of_axes(self, name: str, axes: Sequence[str]) -> np.ndarray:
        """Return an array with three or more axes, whose names say their lengths."""
        filters = [axis for axis in axes if axis in ("F", "FN", "n_C", "num_filters", "out_c")]
        shape = tuple(
            3 if axis in filters
            else next((length for pattern, length in _AXES if pattern.fullmatch(axis)), 2)
            for axis in axes
        )  # fmt: skip
        self.asked.add(name)
        return self._random(name, shape)

    def _sequence(self) -> Value:
        codes = [one % self.features for one in (1, 3, 0, 2, 1, 0, 3)][:LENGTH]
        if self.reading.sequence == "codes":
            return codes
        return self.source.normal(0.2, 0.8, (LENGTH, self.features, 1))

    def _examples(self) -> Value:
        if self.reading.sequence:
            return self._sequence()
        if self.reading.numbers:
            shape: tuple[int, ...] = (self.examples,)
        elif self.reading.single:
            shape = (self.features,) if self.reading.rows else (self.features, 1)
        elif self.reading.rows:
            shape = (self.examples, self.features)
        else:
            shape = (self.features, self.examples)
        return self.source.normal(0.2, 0.8, shape)

    def _labels(self) -> Value:
        if self.reading.sequence and self.reading.labels == "classes":
            return [one % self.features for one in (2, 0, 3, 1, 2, 2, 1)][:LENGTH]
        count = LENGTH if self.reading.sequence else self.examples
        kind = self.reading.labels
        places = np.resize([0, 2, 1, 0, 1, 2, 0], count) % self.classes
        if kind == "classes":
            return np.asarray(places) if self.classes > 2 else np.resize([0, 1, 1, 0], count)
        if kind == "one-hot":
            if self.reading.single:
                hot: np.ndarray = np.eye(self.classes)[1]
                return hot if self.reading.rows else hot[:, None]
            every: np.ndarray = np.eye(self.classes)[places]
            return every if self.reading.rows else every.T
        if self.regression:
            flat: np.ndarray = self.source.normal(0.3, 0.7, count)
        else:
            flat = np.resize([0.0, 1.0, 1.0, 0.0, 1.0, 0.0, 0.0], count)
        shapes = {"flat": (count,), "column": (count, 1), "row": (1, count)}
        return flat.reshape(shapes[kind])

    def in_place_of(self, name: str, value: np.ndarray) -> np.ndarray:
        """Return random data in place of numbers that the code writes; labels stay."""
        if is_label(name) or value.ndim == 0 or value.dtype.kind != "f":
            return value
        return self._random(name, value.shape)

    def _random(self, name: str, shape: tuple[int, ...]) -> np.ndarray:
        seed = sum(ord(letter) * (at + 1) for at, letter in enumerate(name))
        return np.random.default_rng(seed + self.seed).normal(0.1, 0.7, shape)

    def start(self, name: str, value: Value) -> Value:
        """Return random numbers in place of zeros at which a parameter starts."""
        found = self._random(name, np.shape(value))
        return float(found) if np.ndim(value) == 0 else found

    def scaled(self, value: Value) -> Value:
        """Return random numbers in a scale in which slopes and masks show."""
        size = float(np.sqrt(np.mean(np.square(value))))
        return value if size == 0 or 0.3 < size < 1.2 else value * (0.7 / size)

    def number(self, name: str, value: Value) -> Value:
        """Return a number; the rate of a step is so small that a step changes nothing."""
        if name in self.rates and isinstance(value, float | int) and not isinstance(value, bool):
            return 1e-9
        if _PENALTY.fullmatch(name) and isinstance(value, float):
            return self.penalty
        if _BATCH.fullmatch(name) and isinstance(value, int):
            return 64  # one batch has all examples
        return value

    def in_place_of_default(self, name: str, default: Value) -> Value:
        """Return a value for an argument with a default one."""
        if isinstance(default, str | bool):
            return default
        if self._is_rate(name) or _ROUNDS.fullmatch(name) or _BATCH.fullmatch(name) or (
            _PENALTY.fullmatch(name)
        ):  # fmt: skip
            return self.argument(name)
        return default

    def _is_rate(self, name: str) -> bool:
        if name in self.rates:
            return True
        plain = name.lower()
        return is_rate(name) and plain not in _SHIFTS and not (self.rates and plain in _WEIGHTS)

    def argument(self, name: str, function: str = "") -> Value | None:
        """Return a value for an argument, by its name; None where the name does not say it."""
        if name in self.heads and name not in ("stride", "strides", "s"):
            return HEADS
        if function not in ("", "__init__") and name.lower() in _PLAIN:
            return self._held(name, self._labels) if _ANSWERS.fullmatch(name) else self.data(name)
        if self._is_rate(name):
            return 1e-9
        if _FLAGS.fullmatch(name):
            return False
        if _ROUNDS.fullmatch(name):
            return 1
        if _PENALTY.fullmatch(name):
            return self.penalty
        if _BATCH.fullmatch(name):
            return 64
        if _KEEP.fullmatch(name):
            return 0.8
        if "activation" in name:
            return "sigmoid"
        if len(name) == 1 and name in "xXyY":
            return self.data(name)
        if (found := self._length(name)) is not None:
            return found
        if (data := self.data(name)) is None and _ANSWERS.fullmatch(name):
            return self._held(name, self._labels)
        return data

    def _length(self, name: str) -> Value | None:
        self.asked.add("a length")
        if re.fullmatch(r"(?i)hidden_?(?:layer_?)?(?:sizes|dims|units_list)", name):
            return [6]
        if is_count(name) and name.lower() != "n":
            return self.examples
        if _LISTS.fullmatch(name):
            return [self.features, 6, self.outputs]
        if _WIDTH.fullmatch(name):
            return self.features
        if re.fullmatch(r"(?i)(?:n|num)_?heads?|heads", name):
            return HEADS
        if _VOCABULARY.fullmatch(name):
            return self.features
        if re.fullmatch(r"(?i)stride|pad(?:ding)?|strides", name):
            return 1
        if re.fullmatch(r"(?i)pool_\w+|(?:filter|kernel)_?(?:size|height|width)", name):
            return 2
        if _HIDDEN.fullmatch(name):
            return 6
        if _OUTS.fullmatch(name):
            return self.outputs
        if _INS.fullmatch(name):
            return self.features
        return None

    def learn(self, error: Misshapen) -> None:
        """Take another number of features or classes, where lengths do not meet because of it."""
        if self.learned or not self.asked:
            return
        reshaped = str(error) == RESHAPED  # m = 300 and Y.reshape(1, m)
        for one, other in _unequal(error.one, error.other, product=not reshaped):
            for mine, its in ((one, other),) if reshaped else ((one, other), (other, one)):
                if its in (self.examples, 1, 0) or not 0 < its <= 200:
                    continue
                if mine == self.features:
                    raise Relearned("features", its)
                if mine == self.classes:
                    raise Relearned("classes", its)
                if reshaped and mine == self.examples:
                    raise Relearned("examples", its)


def _unequal(
    one: tuple[int, ...], other: tuple[int, ...], *, product: bool
) -> Iterator[tuple[int, int]]:
    """Yield the lengths of two shapes that do not meet."""
    if len(one) and len(other):
        if product:
            yield one[-1], other[max(0, len(other) - 2)]
        for a, b in zip(one[::-1], other[::-1], strict=False):
            if a != b:
                yield a, b


__all__ = ["EXAMPLES", "READINGS", "SEQUENCES", "Inputs", "Reading", "Relearned", "is_count"]
