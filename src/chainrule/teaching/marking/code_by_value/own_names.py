"""Names of the author's own that serve the gradients alone, such as ``error = p - y``."""

from __future__ import annotations

import ast
import re
from collections.abc import Sequence

from chainrule.teaching.marking.code_by_value.naming import Names, is_label, is_size, words_in

_HELPER = re.compile(r"d_?\w+|(?i:\w*(?:err|resid|diff|delta|sigma)\w*)")


def helpers_of(names: Names, statements: Sequence[ast.stmt]) -> set[str]:
    """Return the names, such as ``error``, that read the labels and serve gradients alone.

    Parameters
    ----------
    names : Names
        The names of the code.
    statements : sequence of ast.stmt
        The code.
    """
    values: dict[str, list[ast.expr]] = {}
    users: dict[str, set[str]] = {}
    for node in (sub for whole in statements for sub in ast.walk(whole)):
        if isinstance(node, ast.Assign | ast.AugAssign):
            target = node.targets[0] if isinstance(node, ast.Assign) else node.target
            while isinstance(target, ast.Subscript):
                target = target.value
            name = getattr(target, "id", getattr(target, "attr", ""))
            values.setdefault(name, []).append(node.value)
            for used in words_in(node):
                users.setdefault(used, set()).add(name)
        elif isinstance(node, ast.Return | ast.Expr | ast.If | ast.While):
            held = node.test if isinstance(node, ast.If | ast.While) else node.value
            for used in words_in(held) if held is not None else ():
                users.setdefault(used, set()).add("")
    found: set[str] = set()
    for _ in range(3):
        fresh = {
            name for name, given in values.items()
            if name not in found and not names.is_gradient(name) and name not in names.labels
            and not all(map(is_size, given))
            and (_HELPER.fullmatch(name) or any(
                word in found or word in names.labels or is_label(word)
                for one in given for word in words_in(one)
            ))
            and (others := users.get(name, set()) - {name})
            and all(names.is_gradient(one) or one in found or one in names.stepped
                    for one in others)
        }  # fmt: skip
        if not fresh:
            break
        found |= fresh
    return found


__all__ = ["helpers_of"]
