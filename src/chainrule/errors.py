"""The tree of exceptions.

::

    ChainruleError
    ├── ModelError              invalid forward pass (user error)
    │   ├── ParseError          invalid text: line, column, caret, next action
    │   │   ├── UnmetError      two shapes in it do not fit
    │   │   ├── LimitError      it is too long, too deep or too large
    │   │   ├── ScopeError      an index is bound and free at once, or bound nowhere
    │   │   └── UndecidedError  it is valid, but cannot be judged
    │   └── ShapeError          two shapes do not fit
    ├── DerivationError         a gradient that does not exist or is not supported
    ├── ProofError              a step that cannot be verified: a bug of chainrule
    ├── ExerciseError           an exercise: the file, the field, the next action
    ├── DataError               a table: the file, the column, the row, the next action
    │   └── ModelFileError      a saved model that is damaged, foreign or does not fit the data
    └── DivergenceError         gradient descent diverged; the message has the last finite state

`DataError` is also a `ValueError`, since callers of estimators expect one.
"""

from __future__ import annotations

from chainrule.visible import visible


class ChainruleError(Exception):
    """The base class of every error that chainrule raises on purpose.

    Parameters
    ----------
    message : str
        What was found, what was expected, and the next action, in a sentence.

    Examples
    --------
    >>> import chainrule
    >>> try:
    ...     chainrule.load_model("logistic_bach")
    ... except chainrule.ChainruleError as error:
    ...     print(type(error).__name__)
    ModelError
    """

    def __str__(self) -> str:
        """Return the message; control characters in what it quotes are shown as escapes."""
        return visible(super().__str__())


class ModelError(ChainruleError):
    """Invalid forward pass (user error)."""


class ParseError(ModelError):
    """Invalid text of a forward pass.

    Parameters
    ----------
    message : str
        The error and the next action, in a sentence.
    line, column : int
        The position, counted from 1.
    source : str
        The offending line as written, for the caret.

    Attributes
    ----------
    file : str
        The file, where it is known.
    """

    file = ""

    def __init__(self, message: str, *, line: int = 1, column: int = 1, source: str = "") -> None:
        self.message = message
        self.line = line
        self.column = column
        self.source = source
        super().__init__(message)

    def __str__(self) -> str:
        where = f"line {self.line}, column {self.column}: {visible(self.message)}"
        if self.file:
            where = f"{self.file}, {where}"
        if not self.source:
            return where
        return f"{where}\n  {visible(self.source)}\n  {' ' * (self.column - 1)}^"


class UnmetError(ParseError):
    """Two shapes in a text do not fit; the message contains the operands as written."""


class LimitError(ParseError):
    """A text exceeds a limit; no other interpretation can help."""


class ScopeError(ParseError):
    """An index in a text is bound and free at once, or bound by no sum."""


class UndecidedError(ParseError):
    """A valid text that cannot be judged; the message contains the reason."""


class ShapeError(ModelError):
    """Two shapes do not fit.

    Operations raise the short fact; the reader adds the operands as written and formats `mend`.

    Parameters
    ----------
    fact : str
        The mismatch, for example ``"the inner sizes n and m differ"``.
    mend : str, optional
        The suggested repair, a template over the operands: ``"{0} {1}^T"``.
    """

    def __init__(self, fact: str, mend: str | None = None) -> None:
        self.fact = fact
        self.mend = mend
        super().__init__(fact)


class DerivationError(ChainruleError):
    """A gradient that does not exist or is not supported."""


class ProofError(ChainruleError):
    """A step cannot be verified: a bug of chainrule, never a user error."""


class ExerciseError(ChainruleError):
    """An exercise that does not exist or is invalid."""


class DataError(ChainruleError, ValueError):
    """An invalid table; the message names the file, the column or row, and the next action."""


class ModelFileError(DataError):
    """A saved model that is damaged, has a foreign schema, or does not fit the data."""


class DivergenceError(ChainruleError):
    """Gradient descent diverged."""
