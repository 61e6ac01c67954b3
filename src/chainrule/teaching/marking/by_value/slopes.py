"""Derivatives of posted mathematics, by differences of fourth order."""

from __future__ import annotations

from random import Random

import numpy as np
import numpy.typing as npt

from chainrule.teaching.marking.by_value.arrays import (
    STENCIL,
    STEP,
    place,
    squeezed,
    turned,
)
from chainrule.teaching.marking.by_value.functions import (
    NoValueError,
    Value,
)
from chainrule.teaching.marking.by_value.points import Environment, Key, Point
from chainrule.teaching.marking.by_value.terms import (
    Called,
    Combined,
    Named,
    Slope,
    Term,
)


class Slopes(Point):
    """Values of derivatives, gradients and differentials."""

    def _slope(self, term: Slope, env: Environment) -> Value:
        if term.bare or not term.wrt:
            term = self._completed(term)
        tensor = self.tensor(term, env)
        of = self.value(term.of, env)
        if len(term.wrt) == 2:
            return self._second(tensor, of)
        wrt = self.value(term.wrt[0], env)
        found = self._laid(tensor, np.ndim(squeezed(of)), wrt, of)
        return turned(found) if term.turned else found

    def _completed(self, term: Slope) -> Slope:
        """Return ``∇f`` by the one argument that f is shown with."""
        again = 2 if term.twice else 1
        if isinstance(term.of, Named):
            shown = self.passage.arguments.get(term.of.base, ())
            if len(shown) == 1:
                return Slope(term.of, (Named(shown[0].lstrip("\\")),) * again)
        if isinstance(term.of, Called) and len(term.of.arguments) == 1:
            inner = term.of.arguments[0]
            return Slope(term.of, (inner,) * again) if isinstance(inner, Named) else term
        raise NoValueError("a gradient that does not say of what")

    def _second(self, tensor: npt.NDArray[np.float64], of: Value) -> Value:
        if np.ndim(squeezed(of)):
            raise NoValueError("a second derivative of a vector")
        if tensor.ndim > 2:
            raise NoValueError("a second derivative with respect to a matrix")
        return float(tensor) if tensor.ndim == 0 else tensor.reshape(tensor.shape[0], -1)

    def _laid(self, tensor: npt.NDArray[np.float64], axes: int, wrt: Value, of: Value) -> Value:
        """Lay a derivative out as a matrix."""
        below = tensor.ndim - axes
        if tensor.ndim == 0:
            return float(tensor)
        if below == 0:
            return tensor.reshape(np.shape(of))
        if axes == 0:
            found = tensor.reshape(np.shape(wrt)) if np.ndim(wrt) == 2 else tensor[:, None]
            return found.T if self.ask("layout") == "jacobian" else found
        if axes == 1 and below == 1:
            return tensor.T if self.ask("layout") == "gradient" else tensor
        raise NoValueError("a derivative with more than two indices")

    def tensor(self, term: Slope, env: Environment) -> npt.NDArray[np.float64]:
        """Return a derivative with the indices of the value before those of the names."""
        scope = tuple(sorted((k, v) for k, v in env.items()))
        asked = (term.of, term.wrt, scope, self.added, self.order)
        if asked not in self.slopes or any(self.given.values()):
            reached, self.reached = self.reached, False
            found = self._differences(term.of, term.wrt, env)
            self.slopes[asked] = found, self.reached
            self.reached = reached or self.reached
        found, reached = self.slopes[asked]
        if not reached:
            self.loose = True
        return found

    def _differences(
        self, of: Term, wrt: tuple[Named, ...], env: Environment
    ) -> npt.NDArray[np.float64]:
        name = wrt[-1]
        base = self.value(name, env)
        key = self.passage.key(name)
        ints = tuple(self.at(index, env) for index in self.passage.runs(name))
        shape = np.shape(squeezed(base))
        slopes = []
        for at in np.ndindex(*shape):
            full = (*ints, *(k + 1 for k in at))
            if self.only_shapes:  # one value has the shape of all of them
                one = self._shifted(key, full, STEP, of, wrt[:-1], env)
                slopes = [one] * int(np.prod(shape))
                break
            total: npt.NDArray[np.float64] | None = None
            for steps, weight in STENCIL:
                value = self._shifted(key, full, steps * STEP, of, wrt[:-1], env)
                total = weight * value if total is None else total + weight * value
            assert total is not None
            slopes.append(total / STEP)
        stacked = np.array(slopes)
        rest = stacked.shape[1:]
        laid = stacked.reshape((*shape, *rest))
        return np.moveaxis(laid, list(range(len(shape))), list(range(-len(shape), 0)))

    def _shifted(
        self,
        key: Key,
        full: tuple[int, ...],
        amount: float,
        of: Term,
        wrt: tuple[Named, ...],
        env: Environment,
    ) -> npt.NDArray[np.float64]:
        kept, frozen = self.bumps, self.frozen
        self.add({**kept, (key, full): kept.get((key, full), 0.0) + amount})
        stack = self.given.get(key[0])
        if stack:
            given = stack[-1]
            self.reached = True
            if isinstance(given, float):
                stack[-1] = given + amount
            else:
                moved = given.copy()
                moved[place(given.shape, full)] += amount
                stack[-1] = moved
        if self.ask("direct"):
            of = self._opened(of, env)
            self.frozen = tuple(k for k, _ in self.bumps)
        try:
            if wrt:
                return self._differences(of, wrt, env)
            return squeezed(self.value(of, env))
        finally:
            self.add(kept)
            self.frozen = frozen
            if stack:
                stack[-1] = given

    def _opened(self, of: Term, env: Environment) -> Term:
        """Return the definition of a name, where its indices are those of the definition."""
        if not isinstance(of, Named):
            return of
        ints = tuple(self.at(index, env) for index in self.passage.runs(of))
        found = self.definition(self.passage.key(of), ints)
        return found.body if found is not None and found.name.places == of.places else of

    def _moved(self, of: Term, env: Environment) -> Value:
        """Return a differential: the slope along one direction of all names that move.

        Where a text has an objective and no differential of it, ``dX`` is its gradient.
        """
        objective = self.passage.objective
        if objective is not None:
            if isinstance(of, Combined) and of.operation == "^" and isinstance(of.parts[0], Named):
                root = of.parts[0]
                return self._slope(Slope(objective, (root,)), env) / (2 * self.named(root, env))
            if isinstance(of, Combined) and of.operation == "T":
                return turned(self._moved(of.parts[0], env))
            if not isinstance(of, Named):
                raise NoValueError("a differential in a text of gradients")
            return self._slope(Slope(objective, (of,)), env)
        if any(name.base in self.passage.definitions for name in self.moving):
            self.loose = self.opaque = True  # what moves it is left open
        if not self.moving:
            raise NoValueError("a differential of names that are held constant")
        kept = self.bumps
        total: Value | None = None
        for steps, weight in STENCIL[:1] if self.only_shapes else STENCIL:
            moved = dict(kept)
            for name in self.moving:
                key = self.passage.key(name)
                shape = np.shape(squeezed(self.look(key, ())))
                for at in np.ndindex(*shape):
                    full = tuple(k + 1 for k in at)
                    way = Random(f"way {self.seed} {key} {full}").random() - 0.4
                    moved[key, full] = kept.get((key, full), 0.0) + steps * STEP * way
                    self.add(dict(moved))
            value = self.value(of, env)
            total = weight * value if total is None else total + weight * value
            self.add(kept)
        assert total is not None
        found = total / STEP
        return float(found) if np.ndim(found) == 0 else np.asarray(found)
