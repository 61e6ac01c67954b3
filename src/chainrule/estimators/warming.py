"""Load what is compiled before it is needed."""

from __future__ import annotations

import os


def warm_up(dtype: str = "float64", loss: str | os.PathLike[str] | None = None) -> float:
    """Load the compiled passes now, so that the first large fit does not wait for them.

    Passes that were never used on this machine are compiled, which takes half a minute once; a new
    loss is derived and its kernel compiled, which takes about two seconds.
    Without numba there is nothing to load.

    Parameters
    ----------
    dtype : {'float64', 'float32'}
        Of the data to come.
    loss : str or path, optional
        A loss, as `LinearModel` takes it; by default those of classes.

    Returns
    -------
    float
        The seconds that it took.

    Raises
    ------
    DataError, ModelError
        When there is no such loss.

    Examples
    --------
    >>> from chainrule import warm_up
    >>> warm_up(loss="poisson") >= 0
    True
    """
    from chainrule.engine.warming import load_passes
    from chainrule.estimators.losses import resolve_loss

    return load_passes(dtype, None if loss is None else resolve_loss(loss))
