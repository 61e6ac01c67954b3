"""Values of posted mathematics at one random point, under one reading of its names."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from dataclasses import replace
from functools import lru_cache

import numpy as np

from chainrule.teaching.marking.by_value.arrays import (
    SIZE,
    diagonal_of,
    entry,
    jacobian,
    sloped,
    squeezed,
    turned,
)
from chainrule.teaching.marking.by_value.functions import (
    FUNCTIONS,
    NoValueError,
    Value,
    gaussian,
    joined,
    power,
    product,
    stand_in,
    together,
)
from chainrule.teaching.marking.by_value.points import Environment
from chainrule.teaching.marking.by_value.slopes import Slopes
from chainrule.teaching.marking.by_value.terms import (
    Called,
    Cases,
    Combined,
    Condition,
    Constant,
    EntryOf,
    Index,
    Moved,
    Named,
    Over,
    Slope,
    Term,
)

MOST = 60_000
"""The most terms that are evaluated for one line at one point under one reading."""


class World(Slopes):
    """Values of all terms at one point, under one reading."""

    def value(self, term: Term, env: Environment) -> Value:
        """Return the value of a term where its free indices have these values."""
        self.spent += 1
        self.budget.take()
        if self.spent > MOST:
            raise NoValueError("more terms than are evaluated")
        match term:
            case Constant(value):
                return value
            case Named():
                return self.named(term, env)
            case Combined():
                return self._combined(term, env)
            case Called():
                return self._called(term, env)
            case Over():
                return self._over(term, env)
            case Slope():
                return self._slope(term, env)
            case Cases(rows):
                for one, conditions in rows:
                    if conditions is None or all(self.holds(c, env) for c in conditions):
                        return self.value(one, env)
                raise NoValueError("a case that is not given")
            case EntryOf(of, places):
                whole = self.value(of, env)
                return entry(whole, tuple(self.at(index, env) for index in places))
            case Moved(of):
                return self._moved(of, env)
        raise NoValueError("a term without a value")

    def holds(self, condition: Condition | Called, env: Environment) -> bool:
        """Whether a comparison of indices or of numbers holds."""
        if isinstance(condition, Called):
            found = self._indicated(condition, condition.function.partition("|")[2], env)
            if not isinstance(found, float):
                raise NoValueError("a condition on a vector")
            return found > 0
        left, right = self.at(condition.left, env), self.at(condition.right, env)
        signs: dict[str, bool] = {
            "=": left == right, "!=": left != right, "<": left < right, ">": left > right,
            "<=": left <= right, ">=": left >= right, "in": True,
        }  # fmt: skip
        return signs[condition.sign]

    def _combined(self, term: Combined, env: Environment) -> Value:
        operation = term.operation
        if operation in ("*", "cdot"):
            return self._product(term, env)
        if operation == "^" and term.parts[1] == Named("T"):
            return turned(self.value(term.parts[0], env))
        values = [self.value(part, env) for part in term.parts]
        if operation == "neg":
            return -values[0]
        if operation == "T":
            return turned(values[0])
        left, right = values
        if operation == "+":
            return self._added(left, right)
        if operation == "odot":
            return together(diagonal_of(left, right), diagonal_of(right, left), np.multiply)
        if operation == "/":
            if isinstance(right, np.ndarray) and self.ask("meet") == "strict":
                raise NoValueError("a division by a vector")
            with np.errstate(all="ignore"):
                return together(left, right, np.divide)
        if operation == "frobenius":
            if np.shape(left) != np.shape(right):
                raise NoValueError("an inner product of two shapes")
            return float(np.sum(np.multiply(left, right)))
        of_vectors = right == 2.0 and _is_difference(term.parts[0]) and 1 in np.shape(left)
        if of_vectors and self.ask("lengths"):
            return float(np.sum(np.square(left)))
        return power(left, right)

    def _added(self, left: Value, right: Value) -> Value:
        return together(left, right, np.add)

    def _product(self, term: Combined, env: Environment) -> Value:
        found: Value | None = None
        for operation, run in chains(
            term
        ):  # derivatives of a chain are summed over what they share
            factor = self._chain(run, env) if len(run) > 1 else self.value(run[0], env)
            dotted = operation == "cdot"
            found = factor if found is None else self._times(found, factor, dotted=dotted)
        assert found is not None
        return found

    def _times(self, left: Value, right: Value, *, dotted: bool = False) -> Value:
        if isinstance(left, float) or isinstance(right, float):
            return left * right
        meet = str(self.ask("meet"))
        return product(left, right, "inner" if dotted and meet == "strict" else meet)

    def _chain(self, run: tuple[Term, ...], env: Environment) -> Value:
        first = run[0]
        assert isinstance(first, Slope)
        total = self.tensor(first, env)
        for link in run[1:]:
            assert isinstance(link, Slope)
            assert isinstance(link.of, Named)
            shared = np.ndim(squeezed(self.value(link.of, env)))
            total = np.asarray(np.tensordot(total, self.tensor(link, env), axes=shared))
        last = run[-1]
        assert isinstance(last, Slope)
        of = np.ndim(squeezed(self.value(first.of, env)))
        return self._laid(total, of, self.value(last.wrt[-1], env), self.value(first.of, env))

    def _over(self, term: Over, env: Environment) -> Value:
        if term.letters == ("*",):
            body = self.value(term.body, env)
            if isinstance(body, float):
                raise NoValueError("a sum without an index")
            return float(np.sum(body))
        if term.operation == "stack":
            (letter,) = term.letters
            rows = [self.value(term.body, {**env, letter: at}) for at in range(1, SIZE + 1)]
            if not all(isinstance(row, float) for row in rows):
                raise NoValueError("a diagonal of vectors")
            return np.array(rows, dtype=float)[:, None]
        total: Value | None = None
        upper = SIZE
        if term.upper is not None and term.upper.text in env:
            upper = self.at(term.upper, env)
        for values in itertools.product(range(1, upper + 1), repeat=len(term.letters)):
            inner = {**env, **dict(zip(term.letters, values, strict=True))}
            if not all(self.holds(condition, inner) for condition in term.conditions):
                continue
            value = self.value(term.body, inner)
            if total is None:
                total = value
            elif term.operation == "sum":
                total = self._added(total, value)
            else:
                total = self._times(total, value)
        if total is None:
            return 0.0 if term.operation == "sum" else 1.0
        return total

    # ---- functions ---------------------------------------------------------------------------

    def _called(self, term: Called, env: Environment) -> Value:
        if term.function == "kronecker":
            left, right = term.arguments
            assert isinstance(left, Index)
            assert isinstance(right, Index)
            return float(self.at(left, env) == self.at(right, env))
        name, _, labels = term.function.partition("|")
        if name == "indicator":
            return self._indicated(term, labels, env)
        own = self.passage.functions.get(name)
        if own is not None:
            return self._own(own, term, env)
        if name == "link":
            name = str(self.ask("link"))
            if name == "any":
                name = "link any"
        if name == "softmax" or (name == "sigma" and self.ask("sigma") == "softmax"):
            one = term.arguments[0]
            if isinstance(one, Named) and (runs := self.passage.runs(one)) and one.below:
                whole = replace(one, below=one.below[:-1])
                if not isinstance(found := self._softmax(whole, term.order, env), float):
                    return entry(found, (self.at(runs[-1], env),))
            return self._softmax(one, term.order, env)
        if name in ("max", "min"):
            values = [self.value(argument, env) for argument in term.arguments]
            if len(values) == 1:
                return float(np.max(values[0]) if name == "max" else np.min(values[0]))
            return together(values[0], values[1], np.maximum if name == "max" else np.minimum)
        if name == "N.cal" and len(term.arguments) == 3:
            return gaussian(*(self.value(one, env) for one in term.arguments))
        if name in ("crossentropy", "bce") and len(term.arguments) == 2:
            return self._cross_entropy(name, *(self.value(one, env) for one in term.arguments))
        if name == "joined":
            return joined([self.value(one, env) for one in term.arguments])
        if len(term.arguments) != 1:
            return self._open_number(name + labels, term, env)
        function = self._function(name, labels)
        argument = self.value(term.arguments[0], env)
        return sloped(function, argument, term.order)

    def _cross_entropy(self, name: str, labels: Value, shares: Value) -> float:
        """Return the cross-entropy, of two classes where it is called binary."""
        y, p = np.ravel(labels), np.ravel(shares)
        if y.shape != p.shape:
            raise NoValueError("labels in another shape than the probabilities")
        with np.errstate(all="ignore"):
            total = float(-np.sum(y * np.log(p)))
            return total - float(np.sum((1 - y) * np.log(1 - p))) if name == "bce" else total

    def _open_number(self, name: str, term: Called, env: Environment) -> float:
        """Return a smooth number of several arguments, for a function that is not defined."""
        if term.order:
            raise NoValueError("the slope of a function of several arguments")
        self.loose = self.opaque = True
        total = 0.0
        for at, argument in enumerate(term.arguments):
            value = np.ravel(self.value(argument, env))
            weights = np.linspace(0.6, 1.7, len(value)) + 0.3 * at
            total += float(np.sum(weights * np.asarray(stand_in(f"{name} {at}")(value))))
        return total + 0.1 * total**2

    def _indicated(self, term: Called, sign: str, env: Environment) -> Value:
        """Return 1 where a comparison holds, and 0 elsewhere."""
        said = term.arguments[0]
        if isinstance(said, Condition):
            return float(self.holds(said, env))
        left, right = (self.value(one, env) for one in term.arguments)
        compared = {"<": np.less, "<=": np.less_equal, ">": np.greater, ">=": np.greater_equal}
        if sign not in compared:
            raise NoValueError("an indicator of this comparison")
        found = compared[sign](left, right)
        return float(found) if np.ndim(found) == 0 else np.asarray(found, dtype=float)

    def _softmax(self, one: Term, order: int, env: Environment) -> Value:
        if order:
            raise NoValueError("the slope of a softmax in one letter")
        return FUNCTIONS["softmax"](self.value(one, env))

    def _function(self, name: str, labels: str) -> Callable[[Value], Value]:
        if name in FUNCTIONS:
            return FUNCTIONS[name]
        if name == "sigma" and (meant := str(self.ask("sigma"))) != "any":
            return FUNCTIONS[meant]
        self.loose = self.opaque = True  # it stands for no function in particular
        return stand_in(name + labels)

    def _own(self, own: tuple[tuple[str, ...], Term], term: Called, env: Environment) -> Value:
        letters, body = own
        if len(letters) != len(term.arguments):
            raise NoValueError("a function with another number of arguments")
        arguments = [self.value(argument, env) for argument in term.arguments]
        runs = dict(env)

        def applied(first: Value) -> Value:
            for letter, value in zip(letters, [first, *arguments[1:]], strict=True):
                self.given.setdefault(letter, []).append(value)
            memory, self.memory = self.memory, {}
            try:
                return self.value(body, runs)
            finally:
                self.memory = memory
                for letter in letters:
                    self.given[letter].pop()

        if term.order == 0:
            return applied(arguments[0])
        if term.order == 1 and isinstance(arguments[0], np.ndarray) and 1 in arguments[0].shape:
            return jacobian(applied, arguments[0])
        return sloped(applied, arguments[0], term.order)


def _is_difference(term: Term) -> bool:
    return isinstance(term, Combined) and term.operation == "+"


def flat(term: Term, operation: str = "*") -> list[tuple[str, Term]]:
    """Return the factors of a product from left to right."""
    if isinstance(term, Combined) and term.operation in ("*", "cdot"):
        left, right = term.parts
        return [*flat(left, operation), (term.operation, right)]
    return [(operation, term)]


@lru_cache(maxsize=10_000)
def chains(term: Combined) -> tuple[tuple[str, tuple[Term, ...]], ...]:
    """Return the factors of a product from left to right, derivatives that make a chain as one."""
    factors = flat(term)
    found: list[tuple[str, tuple[Term, ...]]] = []
    at = 0
    while at < len(factors):
        run = _run(factors[at:], _meets) or _run(factors[at:], _meets_backward)[::-1]
        run = run or [factors[at][1]]
        found.append((factors[at][0], tuple(run)))
        at += len(run)
    return tuple(found)


def _run(factors: list[tuple[str, Term]], meets: Callable[[Term, Term], bool]) -> list[Term]:
    """Return the factors at the start that make a chain; none where it is one factor alone."""
    run = [factors[0][1]]
    while len(run) < len(factors) and meets(run[-1], factors[len(run)][1]):
        run.append(factors[len(run)][1])
    return run if len(run) > 1 else []


def _meets_backward(left: Term, right: Term) -> bool:
    return _meets(right, left)


def _meets(left: Term, right: Term) -> bool:
    """Whether two derivatives follow one another in a chain."""
    return (
        isinstance(left, Slope)
        and isinstance(right, Slope)
        and len(left.wrt) == len(right.wrt) == 1
        and isinstance(right.of, Named)
        and (left.wrt[0].base, left.wrt[0].places) == (right.of.base, right.of.places)
    )
