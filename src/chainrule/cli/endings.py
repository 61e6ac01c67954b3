"""How a command ends: one sentence and an exit status for whatever can go wrong.

======  ==========================================================================
status  meaning
======  ==========================================================================
0       done
1       the input is wrong, an answer is wrong, or the output cannot be written
2       an option is wrong
3       a bug of chainrule
130     stopped by Ctrl-C
141     the reader of the output has gone
======  ==========================================================================
"""

from __future__ import annotations

import errno
import os
import sys
from contextlib import suppress
from typing import Final

import click

from chainrule.cli.streams import set_up_streams
from chainrule.errors import ChainruleError, ProofError

TRACEBACK_VARIABLE: Final = "CHAINRULE_TRACEBACK"
"""The environment variable that shows where a bug is."""

NO_READER: Final = 141
_WRONG_INPUT, _BUG, _INTERRUPTED = 1, 3, 130


def run_to_the_end(command: click.Command) -> int:
    """Run a command with the arguments of the process and return the exit status."""
    set_up_streams()
    try:
        status = _run(command)
    except BaseException as error:
        if isinstance(error, Exception) and os.environ.get(TRACEBACK_VARIABLE):
            raise
        status, sentence = _ending(error)
        if sentence:
            _say(sentence)
    return _flushed(status)


def _run(command: click.Command) -> int:
    try:
        status = command.main(standalone_mode=False)
    except click.ClickException as error:
        error.show()
        return error.exit_code
    return status if isinstance(status, int) else 0


def _ending(error: BaseException) -> tuple[int, str]:
    """Return the exit status and the sentence for what ended a command."""
    if isinstance(error, SystemExit):
        if isinstance(error.code, str):
            return _WRONG_INPUT, error.code
        return error.code or 0, ""
    if isinstance(error, KeyboardInterrupt | click.Abort):
        return _INTERRUPTED, "stopped."
    if isinstance(error, ChainruleError):
        return (_BUG if isinstance(error, ProofError) else _WRONG_INPUT), str(error)
    if isinstance(error, OSError):
        return _of_the_system(error)
    if isinstance(error, RecursionError):
        return _WRONG_INPUT, "the input is nested too deeply. Write it in smaller parts."
    if isinstance(error, MemoryError):
        return _WRONG_INPUT, "the memory of this machine is not enough. Use less data at a time."
    if isinstance(error, UnicodeError):
        return _WRONG_INPUT, f"a text cannot be read or written ({error})."
    said = str(error).splitlines()[0][:300] if str(error) else ""
    return _BUG, (
        f"this is a bug of chainrule ({type(error).__name__}: {said}). Please report it with your "
        f"input; {TRACEBACK_VARIABLE}=1 shows where it happened."
    )


def _of_the_system(error: OSError) -> tuple[int, str]:
    if isinstance(error, BrokenPipeError) or error.errno == errno.EPIPE:
        return NO_READER, ""
    if error.filename is None and error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EIO):
        return _WRONG_INPUT, f"the output cannot be written: {error.strerror}."
    where = f"{error.filename}: " if error.filename else ""
    return _WRONG_INPUT, f"{where}{error.strerror or error}."


def _say(sentence: str) -> None:
    with suppress(OSError, ValueError):
        sys.stderr.write(f"Error: {sentence}\n")


def _flushed(status: int) -> int:
    """Write out what is buffered; a full disk shows only now."""
    try:
        sys.stdout.flush()
    except (OSError, ValueError) as error:
        if status == 0:
            status, sentence = _ending(error)
            if sentence:
                _say(sentence)
    with suppress(OSError, ValueError):
        sys.stderr.flush()
    for number, stream in ((1, sys.stdout), (2, sys.stderr)):
        try:
            stream.flush()
        except (OSError, ValueError):
            # Else the interpreter tries again on its way out, and prints a traceback.
            with suppress(OSError):
                os.dup2(os.open(os.devnull, os.O_WRONLY), number)
    return status
