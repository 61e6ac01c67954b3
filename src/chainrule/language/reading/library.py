"""Forward passes from files, and the examples that come with chainrule."""

from __future__ import annotations

import os
from pathlib import Path

from chainrule.calculus.graph.model import Model
from chainrule.errors import ModelError, ParseError
from chainrule.language.reading.models import read_model
from chainrule.language.reading.statements import MAX_TEXT
from chainrule.text_files import TextError, read_text

SUFFIX = ".cr"
_EXAMPLES = Path(__file__).parents[2] / "examples"
_LOSSES = _EXAMPLES / "losses"


def example_names() -> tuple[str, ...]:
    """Return the names of the examples that come with chainrule.

    >>> "logistic_batch" in example_names()
    True
    """
    return tuple(sorted(path.stem for path in _EXAMPLES.glob(f"*{SUFFIX}")))


def loss_names() -> tuple[str, ...]:
    """Return the names of the losses among the examples, each under ``losses/``.

    >>> "losses/poisson" in loss_names()
    True
    """
    return tuple(sorted(f"losses/{path.stem}" for path in _LOSSES.glob(f"*{SUFFIX}")))


def load_model(path_or_name: str | Path) -> Model:
    """Read a forward pass from a file, or an example by its name.

    Parameters
    ----------
    path_or_name : str or Path
        A file, the same without its ``.cr``, ``NAME`` or ``examples/NAME`` of an example, or
        ``losses/NAME`` of a loss.

    Returns
    -------
    Model

    Raises
    ------
    ModelError
        When there is no such file or example; the message names the nearest ones.
    ParseError
        When the file cannot be read as a forward pass.

    Examples
    --------
    >>> load_model("logistic_batch").title
    'logistic regression, many examples'
    """
    return _read(_find(path_or_name))


def load_text(path_or_name: str | Path) -> str:
    """Return the text of a forward pass, found as `load_model` finds it.

    >>> load_text("losses/squared").splitlines()[0]
    '# least squares'
    """
    return _text(_find(path_or_name))


def _find(path_or_name: str | Path) -> Path:
    wanted = str(path_or_name)
    stem = wanted.removesuffix(SUFFIX).removeprefix("examples/")
    for path in (Path(wanted), Path(wanted + SUFFIX)):
        if _is_file(path):
            return path
    if stem in (*example_names(), *loss_names()):
        return _EXAMPLES / f"{stem}{SUFFIX}"
    if os.path.lexists(wanted):  # a folder, a pipe, or a link that leads nowhere
        return Path(wanted)
    raise ModelError(f"there is no file {wanted}, nor an example of that name; {_nearest(stem)}")


def _read(path: Path) -> Model:
    try:
        return read_model(_text(path), name=path.stem)
    except ParseError as error:
        error.file = path.name
        raise


def _is_file(path: Path) -> bool:
    try:
        return path.is_file()
    except OSError:  # a name that the system does not accept
        return False


def _text(path: Path) -> str:
    try:
        # A character takes at most four bytes; the reader refuses the rest by its own limit.
        return read_text(path, 4 * MAX_TEXT + 4)
    except TextError as error:
        raise ModelError(str(error)) from None


def _nearest(stem: str) -> str:
    from difflib import get_close_matches  # only on the way to an error

    names = example_names()
    if stem.startswith("losses/"):
        names = loss_names()
    close = get_close_matches(stem, names, 3, 0.5)
    return f"did you mean {' or '.join(close)}?" if close else f"examples: {', '.join(names)}"
