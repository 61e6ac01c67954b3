"""Predictions of a trained forward pass: the last value before the labels enter, and its score.

A mean over the examples inside the forward pass (batch normalisation) is computed once from the
training examples and kept, so that the prediction for one row does not depend on the other rows.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from chainrule.calculus.graph.dims import Dim, base_names
from chainrule.calculus.graph.model import Definition, Model
from chainrule.calculus.graph.node import Apply, Expr, Symbol, substitute, symbols, walk
from chainrule.calculus.ops import TABLE
from chainrule.calculus.rewriting.stable_form import stable_form
from chainrule.descent.meaning import Meaning, inputs_below, meaning
from chainrule.descent.residuals import set_against
from chainrule.descent.tape import Tape, used_lines
from chainrule.lecture import Array, Binding, InputRoles, Rows

_SHARES = (TABLE["sigmoid"], TABLE["normal_cdf"])
_OF_A_SCORE = ("softplus", "log", "exp", "sigmoid", "log_normal_cdf", "normal_cdf")


@dataclass(frozen=True, eq=False)
class Prediction:
    """The value that a forward pass predicts, and the labels it is held to.

    Parameters
    ----------
    roles : InputRoles
        The forward pass, with the roles of its inputs.
    value : Expr
        The prediction.
    label : Symbol or None
        The input that it is held to.
    meaning : Meaning
        The meaning of that input.
    threshold : float
        Above it, a prediction of two classes says the upper one.
    """

    roles: InputRoles
    value: Expr
    label: Symbol | None
    meaning: Meaning
    threshold: float

    @property
    def name(self) -> str:
        """The name of the predicted value, if it has one."""
        return self.value.name if isinstance(self.value, Symbol) else "prediction"


@dataclass(frozen=True)
class Score:
    """How good predictions are.

    Parameters
    ----------
    name : str
        "accuracy", or "R²".
    value : float
        1 is perfect.
    """

    name: str
    value: float


def find_prediction(roles: InputRoles) -> Prediction | None:
    """Return what a forward pass predicts; nothing where it only compares its inputs.

    Parameters
    ----------
    roles : InputRoles
        The forward pass, with the roles of its inputs.
    """
    model = roles.model
    below = inputs_below(model)
    kinds = {s: meaning(roles, s) for s in roles.data}
    label = _label(roles, kinds, below)
    found: Expr | None = None
    if label is None and len(roles.data) == 1:  # an input that is rebuilt
        label = roles.data[0]
        found = _rebuilt(roles, label, below)
        label = label if found is not None else None
    elif label is not None:
        found = _against(roles, below, label)
    if found is None:
        found = _last_value(roles, below, label)
    if found is None:
        return None
    kind = kinds.get(label, Meaning.NUMBERS) if label is not None else Meaning.NUMBERS
    return Prediction(roles, found, label, kind, _threshold(model, found, kind))


class Predictor:
    """Computes predictions for given values.

    Parameters
    ----------
    prediction : Prediction
        What to compute.
    """

    def __init__(self, prediction: Prediction) -> None:
        self.prediction = prediction
        roles = prediction.roles
        stable, _ = stable_form(roles.model)
        self._out = Symbol("the prediction", prediction.value.shape)
        lines = [*stable.definitions, Definition(self._out, prediction.value)]
        self._statistics, using = _split_statistics(lines, roles)
        self._lines = used_lines(using, (self._out,))
        used = {s for line in self._lines for s in symbols(line.value)}
        defined = {line.target for line in using}
        self.names = tuple(
            d.target for d in self._statistics if d.target in used and d.target not in defined
        )

    def statistics(self, binding: Binding, values: Mapping[Symbol, Array]) -> dict[Symbol, Array]:
        """Return the means over the training examples that the prediction uses."""
        if not self.names:
            return {}
        with np.errstate(all="ignore"):
            ((inputs, sizes),) = binding.runs()
            tape = Tape(self._statistics, self.names, binding.roles.model.inputs, sizes)
            return {s: np.array(v) for s, v in tape.run({**inputs, **values}).items()}

    def predict(
        self,
        binding: Binding,
        values: Mapping[Symbol, Array],
        statistics: Mapping[Symbol, Array],
    ) -> Array:
        """Return the predictions, one row per example.

        Parameters
        ----------
        binding : Binding
            The examples; labels are not used.
        values, statistics : mapping of Symbol to array
            The learned values, and what `statistics` returned for them.
        """
        examples = binding.roles.examples
        nothing = np.zeros((0, 0))  # labels are not used
        given = dict.fromkeys((*binding.roles.model.inputs, *self.names), nothing)
        rows: list[Array] = []
        tape: Tape | None = None
        with np.errstate(all="ignore"):
            for inputs, sizes in binding.runs():
                if tape is None:
                    tape = Tape(self._lines, (self._out,), given, sizes)
                known = {**given, **inputs, **values, **statistics}
                found = np.asarray(tape.run(known)[self._out], dtype=np.float64)
                if examples is not None:
                    return found.T if self._out.shape[1] == examples else found
                rows.append(found if binding.roles.whole else found.reshape(1, -1))
        return np.vstack(rows)

    def score(
        self,
        binding: Binding,
        values: Mapping[Symbol, Array],
        statistics: Mapping[Symbol, Array],
    ) -> Score | None:
        """Return how well the labels of a binding are predicted; nothing where they do not meet."""
        label = self.prediction.label
        if label is None:
            return None
        return score_of(
            self.prediction, self.predict(binding, values, statistics), binding.data[label]
        )


def score_of(prediction: Prediction, found: Array, truth: Array) -> Score | None:
    """Compare predictions with labels, one row per example."""
    kind = prediction.meaning
    if not np.isfinite(found).all():
        return None
    if kind is Meaning.PLACES:
        return Score("accuracy", float((chosen(prediction, found, truth.shape[1]) == truth).mean()))
    if found.shape != truth.shape:
        return None
    one_each = np.isin(truth, (0.0, 1.0)).all() and (truth.sum(axis=1) == 1).all()
    if kind is Meaning.CLASSES and truth.shape[1] > 1 and one_each:
        return Score("accuracy", float((found.argmax(axis=1) == truth.argmax(axis=1)).mean()))
    two = kind in (Meaning.BINARY, Meaning.MARGIN) or _is_share(prediction)
    if two and np.isin(truth, (-1.0, 0.0, 1.0)).all():
        upper = found > prediction.threshold
        return Score("accuracy", float((upper == (truth > 0)).mean()))
    spread = float(((truth - truth.mean(axis=0)) ** 2).sum())
    if spread == 0:
        return None
    return Score("R²", 1 - float(((found - truth) ** 2).sum()) / spread)


def chosen(prediction: Prediction, found: Array, count: int) -> Rows:
    """Return the classes with the largest scores: a row per example, a column per label.

    Parameters
    ----------
    prediction : Prediction
        A prediction of places: of one of several classes, by its number.
    found : array
        The scores, one row per example.
    count : int
        The number of labels of an example: more than 1 in a sequence.
    """
    label = prediction.label
    standing = label is not None and label.shape[1] == 1
    if standing or count == 1:  # a column of labels: a row of scores for each
        best: Rows = found.reshape(len(found), count, -1).argmax(axis=2)
    else:
        best = found.reshape(len(found), -1, count).argmax(axis=1)
    return best


def _is_share(prediction: Prediction) -> bool:
    values = prediction.roles.model.values
    value = values.get(prediction.value, prediction.value)  # type: ignore[call-overload]
    return isinstance(value, Apply) and value.op in _SHARES


def _threshold(model: Model, found: Expr, kind: Meaning) -> float:
    value = model.values.get(found, found)  # type: ignore[call-overload]
    if isinstance(value, Apply) and value.op in _SHARES:
        return 0.5
    if kind is Meaning.MARGIN:
        return 0.0
    last = [d.value for d in model.definitions][-1]
    scored = any(isinstance(n, Apply) and n.op.name in _OF_A_SCORE for n in walk(last))
    return 0.0 if scored else 0.5


def _is_value(
    node: Expr,
    roles: InputRoles,
    below: Mapping[Symbol, frozenset[Symbol]],
    others: set[Symbol],
    label: Symbol | None,
) -> bool:
    """Whether this is computed for every example, from data and learned values, not from labels."""
    if node in roles.model.inputs or (roles.examples and not _has(node.shape, roles.examples)):
        return False
    used = frozenset[Symbol]().union(*(below[s] for s in symbols(node)))
    return bool(used & others) and bool(used & set(roles.learned)) and label not in used


def _label(
    roles: InputRoles,
    kinds: Mapping[Symbol, Meaning],
    below: Mapping[Symbol, frozenset[Symbol]],
) -> Symbol | None:
    """Return the input that predictions are held to: by its meaning, or the one that enters last.

    Of inputs that enter in one line, it is the one that the fewest operations depend on. One that
    enters earlier is it where the others predict it: ``d = mu - r``, ``e = d + p q``.
    """
    by_kind = [s for s, k in kinds.items() if k not in (Meaning.NUMBERS, Meaning.PLACES)]
    if by_kind:
        return by_kind[-1]
    if len(roles.data) < 2:
        return None
    last = max(roles.data, key=lambda s: (*_entry(roles.model, s), roles.data.index(s)))
    if _against(roles, below, last) is None:
        for earlier in roles.data:
            found = _against(roles, below, earlier) if kinds[earlier] is Meaning.NUMBERS else None
            if found is not None and any(last in below[s] for s in symbols(found)):
                return earlier
    return last


def _against(
    roles: InputRoles, below: Mapping[Symbol, frozenset[Symbol]], label: Symbol
) -> Expr | None:
    """Return the value of each example that a sum sets against a label."""
    others = {s for s in roles.data if s is not label}
    against = set_against(roles.model, label)
    return next((e for e in against if _is_value(e, roles, below, others, label)), None)


def _entry(model: Model, symbol: Symbol) -> tuple[int, int]:
    """Return the line where an input enters, and minus the operations there that depend on it."""
    for place, definition in enumerate(model.definitions):
        below = [node for node in walk(definition.value) if symbol in symbols(node)]
        if below:
            return place, -len(below)
    return -1, 0


def _rebuilt(
    roles: InputRoles, data: Symbol, below: Mapping[Symbol, frozenset[Symbol]]
) -> Expr | None:
    """Return what an autoencoder or a factorisation sets against its only input."""
    for found in set_against(roles.model, data):
        used = frozenset[Symbol]().union(*(below[s] for s in symbols(found)))
        if found.shape == data.shape and used & set(roles.learned):
            return found
    same = [
        d.target
        for d in roles.model.definitions
        if d.target.shape == data.shape and d.target is not roles.model.objective
    ]
    return same[-1] if same else None


def _last_value(
    roles: InputRoles, below: Mapping[Symbol, frozenset[Symbol]], label: Symbol | None
) -> Expr | None:
    """Return the last value of the forward pass that is computed before the labels enter."""
    model = roles.model
    found: Expr | None = None
    others = {s for s in roles.data if s is not label}
    for definition in model.definitions:
        if definition.target is model.objective and found is not None:
            continue
        inside = [
            node for node in walk(definition.value) if _is_value(node, roles, below, others, label)
        ]
        if _is_value(definition.target, roles, below, others, label):
            found = definition.target
        elif inside and (found is None or not isinstance(found, Symbol)):
            found = inside[-1]
    return found


def _has(shape: Sequence[Dim], name: str) -> bool:
    return any(name in base_names(dim) for dim in shape)


def _split_statistics(
    lines: Sequence[Definition], roles: InputRoles
) -> tuple[list[Definition], list[Definition]]:
    """Name every mean over the examples; return the lines that compute and that use them."""
    examples = roles.examples
    if examples is None:
        return [], list(lines)
    moving = {s for s in roles.model.inputs if _has(s.shape, examples)}
    computed: list[Definition] = []
    using: list[Definition] = []
    names: dict[Expr, Expr] = {}
    for line in lines:
        for node in walk(line.value):
            counts = isinstance(node, Apply) and any(
                isinstance(a, str) and a == examples for a in node.attrs
            )
            gathers = any(_has(arg.shape, examples) for arg in node.args) or counts
            if isinstance(node, Apply) and gathers and not _has(node.shape, examples):
                inner = replace_all(node, names)
                if symbols(inner) & moving or counts:
                    name = Symbol(f"mean {len(names) + 1}", node.shape)
                    names[node] = name
                    computed.append(Definition(name, inner))
        value = replace_all(line.value, names)
        if symbols(value) & moving and _has(line.target.shape, examples):
            moving.add(line.target)
        computed.append(replace(line, value=value))
        using.append(replace(line, value=value))
    return computed, using


def replace_all(value: Expr, names: Mapping[Expr, Expr]) -> Expr:
    """Put names in place of the values that they stand for."""
    return substitute(value, dict(names)) if names else value
