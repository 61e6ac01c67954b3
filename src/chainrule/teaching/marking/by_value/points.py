"""Random values of names at one point, under one reading."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import lru_cache
from random import Random

import numpy as np
import numpy.typing as npt

from chainrule.teaching.marking.by_value.arrays import (
    FIXED,
    SIZE,
    entry,
    place,
)
from chainrule.teaching.marking.by_value.functions import (
    NoValueError,
    Value,
)
from chainrule.teaching.marking.by_value.given_places import SAMPLED
from chainrule.teaching.marking.by_value.passage import Definition, Passage
from chainrule.teaching.marking.by_value.scripts import CLASS
from chainrule.teaching.marking.by_value.terms import (
    Index,
    Named,
    Term,
)

Key = tuple[str, tuple[str, ...]]
Environment = dict[str, int]

_LABELS = frozenset({"y", "t", "q", "y.hat", "T", "Y", "t.hat"})
_WEIGHTS = frozenset({"w", "W", "u", "U", "v", "V", "b", "theta", "Theta", "beta", "omega"})
"""Names of parameters, which may be negative."""

_SPREADS = frozenset({"Sigma", "Lambda", "Omega"})


@dataclass(frozen=True)
class Meaning:
    """One reading of a text.

    Parameters
    ----------
    ranks : mapping
        The number of indices of every name that is not defined.
    meet : str
        How vectors of one shape are multiplied: ``strict``, ``entries`` or ``inner``.
    layout : str
        The layout of derivatives: ``mixed``, ``gradient`` or ``jacobian``.
    direct : bool
        Whether a derivative holds fixed all but what stands in the definition itself.
    sigma : str
        The function that a sigma without a definition stands for.
    link : str
        The function that leads to a name that the text differentiates and does not define.
    labels : str
        What labels are: ``free``, ``shares`` (their sum is 1), ``class`` (1 at one place),
        ``signs`` or ``bits``.
    symmetric : bool
        Whether square matrices are symmetric.
    columns : bool
        Whether a vector with an index is a column of the matrix of its capital letter.
    rows : bool
        Whether vectors are rows, as in ``x W + b``.
    apart : bool
        Whether a place with a letter of its own, such as the ``o`` of ``u_o``, is in no sum.
    lengths : bool
        Whether the square of a difference of vectors is its squared length.
    """

    ranks: Mapping[Key, int] = field(default_factory=dict)
    meet: str = "strict"
    layout: str = "mixed"
    direct: bool = False
    sigma: str = "sigmoid"
    link: str = "sigmoid"
    labels: str = "free"
    symmetric: bool = False
    columns: bool = False
    rows: bool = False
    apart: bool = False
    lengths: bool = False

    @property
    def note(self) -> str:
        """The reading in words, where it is not the usual one."""
        said = []
        if self.meet == "entries":
            said.append("products of vectors of one shape entry by entry")
        if self.meet == "inner":
            said.append("products of two columns as inner products")
        if self.layout != "mixed":
            said.append(f"{self.layout} layout")
        if self.direct:
            said.append("partial derivatives, with the other values held fixed")
        if self.labels == "shares":
            said.append("labels that sum to 1")
        if self.labels == "class":
            said.append("one-hot labels")
        if self.labels in ("signs", "bits"):
            said.append("labels of two values")
        if self.rows:
            said.append("vectors as rows")
        if self.symmetric:
            said.append("symmetric matrices")
        if self.apart:
            said.append("a place with a letter of its own in no sum")
        return ", ".join(said)


@dataclass
class Budget:
    """The number of evaluations that a text has left.

    Parameters
    ----------
    left : int
        The number; negative once more were asked for.
    """

    left: int

    @property
    def is_spent(self) -> bool:
        """Whether more evaluations were asked for than there were."""
        return self.left < 0

    def take(self) -> None:
        """Count one evaluation.

        Raises
        ------
        NoValueError
            When none is left.
        """
        self.left -= 1
        if self.left < 0:
            raise NoValueError(SPENT)


Bumps = dict[tuple[Key, tuple[int, ...]], float]
"""What is added to entries of names."""

SPENT = "this text takes more evaluations than are made; shorten it, or judge it in parts"
"""Why a line is not judged once the budget of its text is spent."""


@lru_cache(maxsize=100_000)
def _number(name: str) -> float:
    """Return the number between 0 and 1 that belongs to a name."""
    return Random(name).random()


class Point(ABC):
    """Values of names for one reading.

    Parameters
    ----------
    passage : Passage
        The text.
    meaning : Meaning
        The reading.
    seed : int
        The number of the point.
    budget : Budget
        The evaluations that are left.
    """

    def __init__(self, passage: Passage, meaning: Meaning, seed: int, budget: Budget) -> None:
        self.budget = budget
        self.passage = passage
        self.meaning = meaning
        self.seed = seed
        self.order = 0
        self.only_shapes = False  # whether it is asked which terms have values, and not which
        self.bumps: Bumps = {}
        self.added: frozenset[object] = frozenset()  # the entries of `bumps`
        self.memory: dict[object, Value] = {}
        self.slopes: dict[object, tuple[npt.NDArray[np.float64], bool]] = {}
        self.open: dict[str, list[Named]] = {}
        self.moving: list[Named] = []
        self.reached = False
        self.loose = False
        self.opaque = False
        self.spent = 0
        self.busy: set[object] = set()
        self.through: set[object] = set()  # values that depend on what was added
        self.frozen: tuple[Key, ...] | None = None
        self.given: dict[str, list[Value]] = {}
        self.asked: dict[object, object] = {}  # what the values depend on, of the reading

    def ask(self, aspect: str) -> object:
        """Return an aspect of the reading, and note that a value depends on it."""
        found = getattr(self.meaning, aspect)
        self.asked[aspect] = found
        return found

    def rank(self, key: Key, least: int) -> int:
        """Return the rank of a name in the reading, and note that a value depends on it."""
        found = max(self.meaning.ranks.get(key, least), 0)
        self.asked[key] = self.meaning.ranks.get(key)
        return found

    def agrees(self, meaning: Meaning) -> bool:
        """Whether another reading gives the values that were computed here."""
        return all(
            (
                meaning.ranks.get(aspect)
                if isinstance(aspect, tuple)
                else getattr(meaning, str(aspect))
            )
            == answer
            for aspect, answer in self.asked.items()
        )

    # ---- names -------------------------------------------------------------------------------

    def at(self, index: Index, env: Environment) -> int:
        """Return the value of an index."""
        if index.text in env:
            return env[index.text] + index.offset
        if index.summands:
            one, other = (self.at(Index(letter), env) for letter in index.summands)
            return one + other if "+" in index.text else one - other
        if index.text in self.passage.fixed:
            if index.text in self.passage.alone and self.ask("apart"):
                return SIZE + 1 + index.offset
            return self.passage.given_places[index.text] + index.offset
        if CLASS.fullmatch(index.text):
            if index.text[0] in self.passage.samples:
                return SAMPLED + env.get(index.text[-1], FIXED)
            return FIXED + index.offset
        if index.text.isdigit():
            if int(index.text) == 0:
                raise NoValueError("places count from 1 here, and this text has a place 0")
            return int(index.text) + index.offset
        if index.text in ("L", "T", "N", "K"):
            return SIZE + index.offset
        raise NoValueError(f"the index {index.text} belongs to no sum")

    def named(self, name: Named, env: Environment) -> Value:
        """Return the value of a name."""
        stack = self.given.get(name.base)
        if stack and not name.above:
            given = stack[-1]
            ints = tuple(self.at(index, env) for index in self.passage.runs(name))
            if not ints:
                return given
            if isinstance(given, np.ndarray):
                return entry(given, ints)
        if name.base == "d" and not name.places and self.passage.moves:
            self.loose = True  # it may be a differential
        if name.base in self.passage.sizes and not name.places and not self._defined(name.base):
            return float(SIZE)
        if name.base == "pi" and not name.places and name.base not in self.passage.definitions:
            return float(np.pi)
        if name.base in ("1", "I") and not name.places and not self._defined(name.base):
            return np.eye(SIZE) if name.base == "I" else np.ones((SIZE, 1))
        key, runs = self.passage.parted(name)
        return self.look(key, tuple([self.at(index, env) for index in runs]))

    def _defined(self, base: str) -> bool:
        return base in self.passage.definitions

    def look(self, key: Key, ints: tuple[int, ...]) -> Value:
        """Return the value of a name at indices, with what was added to it."""
        frozen = self.frozen is not None and key not in self.frozen
        frozen = frozen or not self._moves(key) or self._is_before(key, ints)
        added = frozenset[object]() if frozen else self.added
        own = self.memory if added else self._still
        state = (key, ints, added, self.passage.epoch(self.order))
        if state in own:
            self.reached = self.reached or state in self.through
            return own[state]
        self.budget.take()
        if state in self.busy:
            raise NoValueError("a definition that refers to itself")
        self.busy.add(state)
        reached, self.reached = self.reached, False
        try:
            with self._without_bumps(frozen):
                found = self._looked(key, ints)
        finally:
            self.busy.discard(state)
            if self.reached:
                self.through.add(state)
            self.reached = reached or self.reached
        own[state] = found
        return found

    def _moves(self, key: Key) -> bool:
        """Whether a value may depend on what is added to others; its value as it is serves else."""
        if not self.bumps or key[0] in self.open or any(self.given.values()):
            return True
        sources = self.passage.sources(key)
        return sources is None or any(bumped in sources for bumped, _ in self.bumps)

    def _is_before(self, key: Key, ints: tuple[int, ...]) -> bool:
        """Whether all that is added is added at later times of a recurrence."""
        timed = self.passage.timed
        if not self.bumps or key not in timed or not ints or any(self.given.values()):
            return False
        return all(bumped in timed and at and at[0] > ints[0] for bumped, at in self.bumps)

    @property
    def _still(self) -> dict[object, Value]:
        found: dict[object, Value] = self.__dict__.setdefault("still", {})
        return found if not any(self.given.values()) else self.memory

    def add(self, bumps: Bumps) -> None:
        """Add to entries of names, and to no others."""
        self.bumps, self.added = bumps, frozenset(bumps.items())

    @contextmanager
    def _without_bumps(self, frozen: bool) -> Iterator[None]:
        if not frozen:
            yield
            return
        bumps, held, self.frozen = self.bumps, self.frozen, None
        self.add({})
        try:
            yield
        finally:
            self.frozen = held
            self.add(bumps)

    def _looked(self, key: Key, ints: tuple[int, ...]) -> Value:
        definition = self.definition(key, ints)
        if definition is not None:
            pattern = self.passage.runs(definition.name)
            count = len(pattern)
            if len(ints) > count:
                whole = self.look(key, ints[:count])
                if isinstance(whole, float):  # said of one example, used for each of them
                    self.loose = self.opaque = True
                    return self._input(key, ints)
                return entry(whole, ints[count:])
            if len(ints) < count:
                return self._stacked(key, ints, count)
            env = {
                index.text: value - index.offset
                for index, value in zip(pattern, ints, strict=True)
                if index.text in self.passage.letters
            }
            return self._bumped(key, ints, self.value(definition.body, env))
        if key[0] in self.open and not ints:
            return self._bumped(key, ints, self._objective(key[0]))
        return self._input(key, ints)

    def definition(self, key: Key, ints: tuple[int, ...]) -> Definition | None:
        """Return the definition of a name that holds at the current place of the text."""
        found = [
            one
            for one in self.passage.definitions.get(key[0], ())
            if self.passage.key(one.name) == key and self._fits(one, ints)
        ]
        exact = [one for one in found if len(self.passage.runs(one.name)) == len(ints)]
        found = exact or found
        before = [one for one in found if one.order <= self.order]
        return before[-1] if before else (found[0] if found else None)

    def _fits(self, one: Definition, ints: tuple[int, ...]) -> bool:
        pattern = self.passage.runs(one.name)
        lowest = {index.text: 1 - min(index.offset, 0) for index in pattern}
        for index, value in zip(pattern, ints, strict=False):
            if index.text.isdigit() and int(index.text) != value:
                return False
            if index.text in ("L", "T", "N", "K") and value != SIZE + index.offset:
                return False
            if index.text in lowest and value - index.offset < 1:
                return False
        return True

    def _stacked(self, key: Key, ints: tuple[int, ...], count: int) -> Value:
        missing = count - len(ints)
        if missing > 2:
            raise NoValueError("a value with more than two indices")
        rows = [self.look(key, (*ints, at)) for at in range(1, SIZE + 1)]
        if all(isinstance(row, float) for row in rows):
            return np.array(rows, dtype=float)[:, None]
        flat_rows = [np.ravel(row) for row in rows]
        if any(np.ndim(row) and 1 not in np.shape(row) for row in rows):
            raise NoValueError("a value with more than two indices")
        return np.array(flat_rows)

    def _bumped(self, key: Key, ints: tuple[int, ...], value: Value) -> Value:
        if not self.bumps:
            return value
        for (bumped, full), amount in self.bumps.items():
            if bumped != key:
                continue
            self.reached = True
            if full[: len(ints)] != ints:
                continue
            rest = full[len(ints) :]
            if isinstance(value, float):
                if rest:
                    raise NoValueError("an entry of a number")
                value = value + amount
                continue
            value = value.copy()
            try:
                value[place(value.shape, rest)] += amount
            except IndexError as error:
                raise NoValueError("a place outside of its matrix") from error
        return value

    def _input(self, key: Key, ints: tuple[int, ...]) -> Value:
        linked = self._linked(key)
        rank = 2 if linked is not None else self.rank(key, self._least(key, ints))
        rest = max(rank - len(ints), 0)
        if rest > 2:
            raise NoValueError("a value with more than two indices")
        if rest == 0:
            return self._drawn(key, ints, linked)
        span = range(1, SIZE + 1)
        if rest == 1:
            vector = np.array([self._drawn(key, (*ints, at), linked) for at in span])
            return vector[None, :] if self.ask("rows") else vector[:, None]
        return np.array([[self._drawn(key, (*ints, r, c), linked) for c in span] for r in span])

    def _least(self, key: Key, ints: tuple[int, ...]) -> int:
        """Return the number of indices that a name has in its definitions, or here."""
        known = self.passage.definitions.get(key[0], ())
        return max(len(ints), *(len(self.passage.runs(one.name)) for one in known), 0)

    def _linked(self, key: Key) -> Key | None:
        """Return the vectors whose matrix a capital letter is."""
        base, labels = key
        small = base.lower()
        if small == base or labels or len(base) != 1 or small not in self.passage.bases:
            return None
        rank = self.rank((small, ()), 0)
        indexed = bool(self.passage.running.get(small))
        is_data = base in ("X", "Y", "H", "T")
        defined = small in self.passage.definitions or base in self.passage.definitions
        return (small, ()) if rank == 2 and indexed and is_data and not defined else None

    def _drawn(self, key: Key, ints: tuple[int, ...], linked: Key | None) -> float:
        if linked is not None:
            at = ints[::-1] if self.ask("columns") else ints
            return float(np.asarray(self.look(linked, at)))
        labels = self.ask("labels") if key[0] in _LABELS else "free"
        if labels != "free" and ints:
            if labels == "class":
                value = float(ints[-1] == FIXED)
            elif labels == "shares":
                raw = [self._raw(key, (*ints[:-1], at)) for at in range(1, SIZE + 1)]
                value = raw[ints[-1] - 1] / sum(raw) if ints[-1] <= SIZE else raw[0]
            else:
                value = float(self._raw(key, ints) > 0.55)
                value = 2 * value - 1 if labels == "signs" else value
        else:
            can = len(ints) >= 2 and key[0] not in ("X", "x", "y", "w", "W")
            named = len(ints) >= 2 and key[0] in self.passage.symmetric
            if named or (can and (key[0] in _SPREADS or self.ask("symmetric"))):
                *head, row, column = ints
                value = self._raw(key, (*head, min(row, column), max(row, column)))
                value += 2.0 if row == column else 0.0
            else:
                value = self._raw(key, ints)
                if key[0] in _WEIGHTS and self.passage.has_kinks:
                    value = 2.4 * value - 1.2  # either side of a kink is met
                if len(ints) == 2 and ints[0] == ints[1] and key[0].isupper():
                    value += 1.0
        found = self._bumped(key, ints, value)
        assert isinstance(found, float)
        return found

    def _raw(self, key: Key, ints: tuple[int, ...]) -> float:
        self.budget.take()
        return 0.15 + 0.7 * _number(f"{self.seed} {key} {ints}")

    def _objective(self, base: str) -> float:
        """Return a smooth number of the values that an objective depends on."""
        total, mixed = 0.0, 0.0
        for name in self.open[base]:
            values = np.ravel(self.whole(name))
            for at, value in enumerate(values):
                weight = 0.3 + _number(f"{self.seed} {base} {name.base} {at}")
                total += weight * float(np.sin(0.8 * value + weight))
                mixed += (weight - 0.9) * float(value)
        return total + mixed**2

    def whole(self, name: Named) -> Value:
        """Return all entries of a name whose indices are left out."""
        ints = tuple(self.at(index, {}) for index in self.passage.runs(name))
        return self.look(self.passage.key(name), ints)

    @abstractmethod
    def value(self, term: Term, env: Environment) -> Value:
        """Return the value of a term where its free indices have these values."""
