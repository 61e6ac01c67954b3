"""The calls of the board: pure functions with JSON in and out.

No call reads or writes a file that the page names, and none keeps a state. The same table serves
the loopback server, the export, and a worker that runs Python in the browser, so this module and
everything it imports need numpy and mpmath alone.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from chainrule.board import (
    answers,
    derivations,
    downloads,
    forwards,
    gallery,
    picture,
    points,
    practising,
    schema,
    training,
    why,
)
from chainrule.board.coding import RequestError, decoded, encoded
from chainrule.board.failures import failure
from chainrule.errors import ChainruleError


@dataclass(frozen=True)
class Call:
    """One call.

    Parameters
    ----------
    run : callable
        The function: a dataclass of arguments in, a dataclass out.
    args, result : type
        The two dataclasses of `schema`.
    """

    run: Callable[[Any], Any]
    args: type
    result: type


CALLS: Mapping[str, Call] = {
    "gallery": Call(gallery.gallery, schema.NoArgs, schema.Gallery),
    "read": Call(forwards.read, schema.ReadArgs, schema.Forward),
    "derive": Call(derivations.derived, schema.DeriveArgs, schema.DerivationInfo),
    "why": Call(why.why, schema.WhyArgs, schema.Card),
    "numbers": Call(points.numbers, schema.PointArgs, schema.Numbers),
    "graph": Call(picture.graph, schema.PointArgs, schema.Graph),
    "understood": Call(answers.understood, schema.UnderstoodArgs, schema.Understood),
    "grade": Call(answers.grade, schema.GradeArgs, schema.GradeInfo),
    "audit": Call(answers.audited, schema.AuditArgs, schema.AuditInfo),
    "topics": Call(practising.topics, schema.NoArgs, schema.Topics),
    "question": Call(practising.question, schema.QuestionArgs, schema.QuestionInfo),
    "reply": Call(practising.reply, schema.ReplyArgs, schema.ReplyInfo),
    "hint": Call(practising.hint, schema.HintArgs, schema.HintInfo),
    "show": Call(practising.show, schema.ShowArgs, schema.Solution),
    "progress": Call(practising.progress, schema.ProgressArgs, schema.Progress),
    "train": Call(training.train, schema.TrainArgs, schema.Training),
    "export": Call(downloads.export, schema.ExportArgs, schema.Download),
}
"""The calls that run anywhere, by name."""


def answer(call: object, args: object, calls: Mapping[str, Call] = CALLS) -> dict[str, Any]:
    """Run a call.

    Parameters
    ----------
    call, args : object
        The name of the call, and its arguments as plain data.
    calls : mapping of str to Call, optional
        The calls there are.

    Returns
    -------
    dict
        ``{"result": ...}`` or ``{"error": ...}``, ready for ``json.dumps``.

    Examples
    --------
    >>> answer("read", {"text": "L = )"})["error"]["column"]
    5
    >>> answer("reed", {})["error"]["kind"]
    'request'
    """
    try:
        if not isinstance(call, str) or call not in calls:
            shown = repr(call)[:40]
            raise RequestError(f"there is no call {shown}; there are {', '.join(calls)}")
        row = calls[call]
        return {"result": encoded(row.run(decoded(row.args, args)))}
    except ChainruleError as error:
        return {"error": encoded(failure(error, _text(args)))}
    except RecursionError:
        said = (
            "this has too many definitions one upon another, or a formula is nested too deeply; "
            "write fewer layers, or give inner parts names of their own"
        )
        return {"error": encoded(schema.Failure("limit", said))}
    except MemoryError:
        said = "this needs more memory than there is; choose smaller sizes"
        return {"error": encoded(schema.Failure("limit", said))}


def _text(args: object) -> str:
    found = args.get("text") if isinstance(args, dict) else None
    return found if isinstance(found, str) else ""
