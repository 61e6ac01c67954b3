"""Entry point of gradient descent: a forward pass and data in, learned values out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import numpy.typing as npt

from chainrule.calculus.derivation.steps import Derivation
from chainrule.calculus.graph.model import Model
from chainrule.deriving import derive
from chainrule.descent.binding import drawn_by
from chainrule.descent.facts import check_facts
from chainrule.descent.initial import given_values, initial_values
from chainrule.descent.loop import Callback, Descent
from chainrule.descent.meaning import Meaning, meaning
from chainrule.descent.objective import DescentObjective
from chainrule.descent.result import DescentResult
from chainrule.descent.schedule import read_schedule
from chainrule.descent.splitting import split
from chainrule.descent.updates import read_rule
from chainrule.descent.watching import PATIENCE
from chainrule.errors import DataError
from chainrule.language.reading import read_model
from chainrule.lecture import Draw, InputRoles, assign_roles, bind, find_input


def descend(
    model: Model | str,
    data: Mapping[str, npt.ArrayLike],
    *,
    rate: float = 0.1,
    steps: int = 500,
    batch: int | None = None,
    seed: int = 0,
    wrt: Sequence[str] | None = None,
    start: Mapping[str, npt.ArrayLike] | None = None,
    update: str = "plain",
    schedule: str = "",
    clip: float | None = None,
    patience: int = PATIENCE,
    initial: str = "xavier",
    holdout: float = 0.0,
    early_stop: int | None = None,
    callback: Callback | None = None,
    constants: Mapping[str, npt.ArrayLike] | None = None,
    sizes: Mapping[str, int] | None = None,
    examples: str | None = None,
    draws: Mapping[str, Draw] | None = None,
    derivation: Derivation | None = None,
) -> DescentResult:
    """Learn the values of a forward pass by gradient descent with the derived gradient.

    Parameters
    ----------
    model : Model or str
        A forward pass, or its text.
    data : mapping of str to array
        For each input that holds data one row an example, (n_samples, columns) or (n_samples,),
        whichever way the model lays its examples. Class labels of a softmax may be one number per
        example, from 0.
    rate : float
        For an objective that is a sum over examples, step = rate x gradient / examples in the
        batch; for a mean, step = rate x gradient.
    steps : int
        How many.
    batch : int, optional
        Examples a step, in a seeded order in which every pass sees each once; by default all of
        them, or one for a model of one example.
    seed : int
        Seed for the initial values and the order.
    wrt : sequence of str, optional
        The variables to learn; by default the model's parameters.
    start : mapping of str to array, optional
        Starting values, for some or all of what is learned.
    update : str
        The update rule: plain, momentum, rmsprop or adam, with numbers as in ``momentum:0.9``.
    schedule : str
        Factors of the rate, such as ``half:200`` or ``warmup:50,cosine:2000``.
    clip : float, optional
        The greatest length of a gradient; longer ones are shortened to it.
    patience : int
        Records of lasting growth after which the descent is given up.
    initial : str
        How weights are drawn: xavier, he, zeros, or ``normal:0.1``.
    holdout : float
        The share of the examples to keep aside.
    early_stop : int, optional
        Ends the descent after so many records without a lower held-out cost.
    callback : callable, optional
        Told every recorded cost.
    constants : mapping of str to array, optional
        Inputs that are neither data nor learned.
    sizes : mapping of str to int, optional
        Dimensions that the data do not determine.
    examples : str, optional
        The dimension of the examples, where the model leaves several possible.
    draws : mapping of str to Draw, optional
        Inputs that are drawn anew at every step, such as a dropout mask.
    derivation : Derivation, optional
        The derivation of this model, if there is one already.

    Returns
    -------
    DescentResult
        Ctrl-C ends the descent and keeps the best values so far.

    Raises
    ------
    DataError
        When model and data do not fit together.
    ProofError
        When the derived gradient and finite differences disagree at the start.

    Examples
    --------
    >>> line = '''
    ... X : (n, m)
    ... Y : (1, m)
    ... w : (1, n)
    ... b : (1, 1)
    ... Z = w X + b
    ... J = norm(Z - Y)^2
    ... '''
    >>> result = descend(line, {"X": [0, 1, 2, 3], "Y": [1, 3, 5, 7]}, rate=0.1, steps=400)
    >>> [round(float(result.values[name][0, 0]), 3) for name in ("w", "b")]
    [2.0, 1.0]
    """
    read = read_model(model) if isinstance(model, str) else model
    named = [find_input(read, name) for name in (*data, *(constants or {}))]
    draws = drawn_by(read, draws or {}, named)
    roles = assign_roles(
        read, data, constants=constants or (), drawn=draws, wrt=wrt, examples=examples
    )
    data = {name: _rows_per_class(roles, name, given, sizes or {}) for name, given in data.items()}
    binding = bind(roles, data, constants=constants, sizes=sizes, draws=draws)
    check_facts(binding)
    rows, held_out = split(binding.count, holdout, seed), None
    if len(rows.held):
        held_out = binding.taking(rows.held)
        binding = binding.taking(rows.fitted)
    found = derivation or derive(read, [s.name for s in roles.learned])
    objective = DescentObjective(found, binding)
    first = given_values(binding, start or {}, initial_values(binding, seed, initial))
    descent = Descent(
        objective,
        first,
        rate=rate,
        steps=steps,
        batch=batch,
        seed=seed,
        update=read_rule(update),
        schedule=read_schedule(schedule),
        clip=clip,
        patience=patience,
        early_stop=early_stop,
        held_out=held_out,
    )
    descent.check()
    return descent.run(callback)


def _rows_per_class(
    roles: InputRoles, name: str, given: npt.ArrayLike, sizes: Mapping[str, int]
) -> npt.ArrayLike:
    """Return class labels, whole numbers from 0, as one row per class; leave other data alone."""
    symbol = find_input(roles.model, name)
    table = np.asarray(given, dtype=np.float64)
    width = roles.width(symbol)
    if table.size != len(table) or width == 1 or meaning(roles, symbol) is not Meaning.CLASSES:
        return given
    labels = table.reshape(-1)
    count = width if isinstance(width, int) else sizes.get(str(width), 0)
    if not (np.isfinite(labels).all() and (labels == np.floor(labels)).all() and labels.min() >= 0):
        raise DataError(
            f"{symbol.name} holds class labels; give whole numbers from 0, or one row per class"
        )
    most = max(count, int(labels.max()) + 1)
    if count and most > count:
        raise DataError(f"{symbol.name} holds the class {int(labels.max())}, of {count} from 0")
    return np.asarray(labels[:, None] == np.arange(most), dtype=np.float64)
