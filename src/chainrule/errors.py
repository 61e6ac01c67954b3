"""Everything that can go wrong, drawn as a tree.

::

    ChainruleError
    ├── ModelError              a forward pass that makes no sense; its author can mend it
    │   ├── ParseError          the text cannot be read: line, column, caret, next action
    │   │   ├── UnmetError      it can, but two shapes in it do not meet
    │   │   ├── LimitError      it is too long, too deep or too large to be read
    │   │   ├── ScopeError      an index is bound and free at once, or bound nowhere
    │   │   └── UndecidedError  it can be read, but not be judged
    │   └── ShapeError          two shapes do not meet
    ├── DerivationError         a gradient that cannot be asked for
    ├── ProofError              a step of ours that could not be certified: a defect of chainrule
    ├── ExerciseError           an exercise: the file, the field, the next action
    ├── DataError               a table: the file, the column, the row, the next action
    │   └── ModelFileError      a saved model that is damaged, foreign or does not fit the data
    └── DivergenceError         gradient descent ran away; carries the last finite state

`DataError` is also a `ValueError`, since callers of estimators expect one.
"""

from __future__ import annotations


class ChainruleError(Exception):
    """The root: catch this to catch every error that chainrule raises on purpose."""


class ModelError(ChainruleError):
    """A forward pass that makes no sense as written."""


class ParseError(ModelError):
    """The text of a forward pass cannot be read.

    Parameters
    ----------
    message : str
        What is wrong, in words, with the next action.
    line, column : int
        Where, counted from 1.
    source : str
        The offending line as written, for the caret.

    Attributes
    ----------
    file : str
        The file, once somebody who knows it has filled it in.
    """

    file = ""

    def __init__(self, message: str, *, line: int = 1, column: int = 1, source: str = "") -> None:
        self.message = message
        self.line = line
        self.column = column
        self.source = source
        super().__init__(message)

    def __str__(self) -> str:
        where = f"line {self.line}, column {self.column}: {self.message}"
        if self.file:
            where = f"{self.file}, {where}"
        if not self.source:
            return where
        return f"{where}\n  {self.source}\n  {' ' * (self.column - 1)}^"


class UnmetError(ParseError):
    """Two shapes in a text do not meet; the message has the operands as they were written."""


class LimitError(ParseError):
    """A text is past a limit; no other way to read it would help."""


class ScopeError(ParseError):
    """An index in a text is bound and free at once, or belongs to no sum."""


class UndecidedError(ParseError):
    """A text that can be read and not be judged; the message says why."""


class ShapeError(ModelError):
    """Two shapes do not meet.

    Low floors raise the short fact; the reader, which knows how things were written, adds the
    operands and formats `mend`.

    Parameters
    ----------
    fact : str
        What does not meet, for example ``"the inner sizes n and m differ"``.
    mend : str, optional
        What the author may have meant, a template over the operands: ``"{0} {1}^T"``.
    """

    def __init__(self, fact: str, mend: str | None = None) -> None:
        self.fact = fact
        self.mend = mend
        super().__init__(fact)


class DerivationError(ChainruleError):
    """A gradient was asked for that does not exist or is not supported."""


class ProofError(ChainruleError):
    """A step could not be certified. This is a defect of chainrule, never the user's."""


class ExerciseError(ChainruleError):
    """An exercise that is not there, or that its author has not written as it must be."""


class DataError(ChainruleError, ValueError):
    """A table cannot be used as it is: names the file, column or row and the next action."""


class ModelFileError(DataError):
    """A saved model is damaged, of a foreign schema, or does not fit the data."""


class DivergenceError(ChainruleError):
    """Gradient descent ran away."""
