"""Parts of a text of code that are judged by themselves: a layer, a pair of functions, the rest.

A layer has a forward and a backward pass, and the gradient of what it returns comes from outside.
Its gradients are those of the sum of the entries of its output times that incoming gradient.
"""

from __future__ import annotations

import ast
import copy
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from chainrule.teaching.marking.code_by_value.naming import is_label, is_objective

_FORWARD = re.compile(r"(?i)_*(?:forward|feed_?forward|fprop|call|fwd)(?:_?(?:pass|prop\w*))?_*")
_BACKWARD = re.compile(r"(?i)_*(?:backward|back_?prop\w*|bprop|bwd|grad|gradient)(?:_?pass)?_*")
_PAIR = re.compile(r"(?i)_?(?:backward|back_?prop(?:agation)?|bprop|bwd)_?")
_ACTIVATION = re.compile(r"(?P<word>relu|sigmoid|tanh|softmax)_?(?:backward|bwd|back|bprop)")
_INCOMING = re.compile(
    r"d\w+|D[A-Z]\w*|\w*grad\w*|\w*delta\w*|upstream\w*|\w*error\w*|g|gy|gout|dvalues|nabla\w*"
)
_NO_GRADIENT = frozenset({"data", "dim", "dims", "dtype", "device", "dropout", "decay", "debug"})


@dataclass(frozen=True)
class Unit:
    """A part of a text of code.

    Parameters
    ----------
    statements : tuple of ast.stmt
        Its statements, those of the forward pass first.
    incoming : mapping
        The gradients that come from outside, and of which values they are.
    """

    statements: tuple[ast.stmt, ...]
    incoming: Mapping[str, str] = field(default_factory=dict)


def units(statements: Sequence[ast.stmt]) -> list[Unit]:
    """Return the parts of a text of code that are judged by themselves.

    Parameters
    ----------
    statements : sequence of ast.stmt
        The code.
    """
    statements = [_with_result(one) for one in _apart(statements)]
    found: list[Unit] = []
    rest: list[ast.stmt] = []
    functions = [one for one in statements if isinstance(one, ast.FunctionDef)]
    paired: set[str] = set()
    for forward, backward in _pairs(functions):
        unit = _unit(forward, backward, _others(functions, forward, backward))
        if unit is not None:
            found.append(unit)
            paired.add(backward.name)
    for backward in functions:
        activation = _ACTIVATION.fullmatch(backward.name.lower())
        if backward.name in paired or activation is None:
            continue
        unit = _unit(_activation(activation["word"], backward), backward, ())
        if unit is not None:
            found.append(unit)
            paired.add(backward.name)
    for alone in _with_own_losses([one for one in functions if one.name not in paired]):
        found.append(Unit((*_others(functions, alone), alone)))
        paired.add(alone.name)
    for statement in statements:
        if isinstance(statement, ast.ClassDef):
            layer = _layer(statement, functions)
            if layer is not None:
                found.append(layer)
                continue
        if isinstance(statement, ast.FunctionDef) and statement.name in paired:
            continue
        rest.append(statement)
    if not found:
        return [Unit(tuple(statements))]
    if any(not isinstance(one, ast.Import | ast.ImportFrom) for one in rest):
        found.append(Unit(tuple(rest)))
    return found


class _Renamed(ast.NodeTransformer):
    """Give a name another one."""

    def __init__(self, old: str, new: str) -> None:
        self.old, self.new = old, new

    def visit_Name(self, node: ast.Name) -> ast.Name:
        """Return the name, another one where it is the old one."""
        if node.id == self.old:
            return ast.copy_location(ast.Name(self.new, node.ctx), node)
        return node


def _apart(statements: Sequence[ast.stmt]) -> list[ast.stmt]:
    """Return the code with other names for outputs that are the labels of another function."""
    found = [copy.deepcopy(one) for one in statements]
    functions = [node for one in found for node in ast.walk(one)
                 if isinstance(node, ast.FunctionDef)]  # fmt: skip
    given = {arg.arg for one in functions for arg in one.args.args if is_label(arg.arg)}
    for function in functions:
        own = {arg.arg for arg in function.args.args}
        made = {node.id for node in ast.walk(function)
                if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)}  # fmt: skip
        for name in (made & given) - own:
            function.body = [_Renamed(name, f"{name}_made").visit(one) for one in function.body]
    return found


_GRADIENTS = re.compile(
    r"(?i)(?:compute_?|calc\w*_?|get_?|cost_?|loss_?)?grad(?:ient)?s?"
    r"(?:_?(?:reg|J|f|fn|func\w*|loss|cost)\w*)?"
)
"""Names of functions that return the gradient of a cost."""


def _with_result(statement: ast.stmt) -> ast.stmt:
    """Return a function that returns a gradient with a name for it: ``grad = X.T @ (p - y)``."""
    if not isinstance(statement, ast.FunctionDef) or not _GRADIENTS.fullmatch(statement.name):
        return statement
    last = statement.body[-1]
    value = last.value if isinstance(last, ast.Return) else None
    if not isinstance(value, ast.BinOp | ast.Call) or any(
        _INCOMING.fullmatch(arg.arg) and not is_label(arg.arg) for arg in statement.args.args
    ) or not any(isinstance(node, ast.BinOp) for node in ast.walk(value)):  # fmt: skip
        return statement
    named = ast.copy_location(ast.Assign([ast.Name("grad", ast.Store())], value), last)
    again = ast.copy_location(ast.Return(ast.Name("grad", ast.Load())), last)
    statement.body[-1:] = [ast.fix_missing_locations(one) for one in (named, again)]
    return statement


def _pairs(
    functions: Sequence[ast.FunctionDef],
) -> Iterator[tuple[ast.FunctionDef, ast.FunctionDef]]:
    """Yield a forward function and its backward one, found by their names."""
    by_name = {one.name.lower(): one for one in functions}
    for backward in functions:
        name = backward.name.lower()
        match = _PAIR.search(name)
        if match is None:
            continue
        stems = [name[: match.start()] + put + name[match.end() :] for put in ("", "_")]
        candidates = [
            name.replace("backward", "forward").replace("bwd", "fwd").replace("bprop", "fprop"),
            re.sub(r"back_?prop\w*", "forward", name),
            *stems,
        ]
        found = next((by_name[c] for c in candidates if c in by_name and c != name), None)
        if found is None:  # batchnorm_backward_alt belongs to batchnorm_forward
            found = next((one for key, one in by_name.items() if "forward" in key and
                          candidates[0].startswith(key)), None)  # fmt: skip
        if found is not None:
            yield found, backward


def _activation(word: str, backward: ast.FunctionDef) -> ast.FunctionDef:
    """Return the forward function of an activation that the text does not define."""
    assignments = [one for one in ast.walk(backward) if isinstance(one, ast.Assign)]
    kept = next((one.targets[0] for one in assignments
                 if isinstance(one.value, ast.Name) and "cache" in one.value.id), None)  # fmt: skip
    name = kept.id if isinstance(kept, ast.Name) else "Z"
    if kept is None and len(backward.args.args) > 1:
        name = backward.args.args[-1].arg
    made = ast.parse(f"def {word}({name}):\n    A = {word}({name})\n    return A").body[0]
    assert isinstance(made, ast.FunctionDef)
    return made


def _with_own_losses(functions: Sequence[ast.FunctionDef]) -> list[ast.FunctionDef]:
    """Return the functions that name the same gradient, each of a loss that it computes itself."""
    known = {one.name for one in functions}
    gradients: dict[str, set[str]] = {}
    for function in functions:
        computed = {
            node.targets[0].id for node in ast.walk(function)
            if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name)
            and not known & {sub.id for sub in ast.walk(node.value) if isinstance(sub, ast.Name)}
        }  # fmt: skip
        if any(is_objective(name) for name in computed):
            gradients[function.name] = {
                name for name in computed - _NO_GRADIENT if _INCOMING.fullmatch(name)
            }
    return [
        function
        for function in functions
        if any(
            name != function.name and named & gradients.get(function.name, set())
            for name, named in gradients.items()
        )
    ]


def _others(functions: Sequence[ast.FunctionDef], *own: ast.FunctionDef) -> list[ast.FunctionDef]:
    names = {one.name for one in own}
    found: list[ast.FunctionDef] = []
    stack = list(own)
    while stack:  # the functions that these two call, and those that they call
        called = {node.func.id if isinstance(node.func, ast.Name) else
                  getattr(node.func, "attr", "")
                  for node in ast.walk(stack.pop()) if isinstance(node, ast.Call)}  # fmt: skip
        fresh = [one for one in functions if one.name in called - names]
        names |= {one.name for one in fresh}
        found += fresh
        stack += fresh
    return found


def _layer(layer: ast.ClassDef, helpers: Sequence[ast.FunctionDef]) -> Unit | None:
    """Return the unit of a class with a forward and a backward method."""
    methods = [one for one in layer.body if isinstance(one, ast.FunctionDef)]
    forward = next((one for one in methods if _FORWARD.fullmatch(one.name)), None)
    backward = next((one for one in methods if _BACKWARD.fullmatch(one.name)), None)
    if forward is None or backward is None:
        return None
    others = [one for one in methods if one not in (forward, backward) and one.name != "__init__"]
    return _unit(forward, backward, _others([*helpers, *others], forward, backward))


def _unit(
    forward: ast.FunctionDef, backward: ast.FunctionDef, helpers: Sequence[ast.FunctionDef]
) -> Unit | None:
    """Return the unit of two functions; None where no gradient comes from outside."""
    given = {one.arg for one in forward.args.args}
    incoming = [
        one.arg
        for one in backward.args.args
        if one.arg not in given and one.arg not in _NO_GRADIENT and _INCOMING.fullmatch(one.arg)
    ]
    if not incoming:
        return None
    body = [copy.deepcopy(one) for one in forward.body]
    output = _name_output(body)
    if output is None:
        return None
    first = next((one.arg for one in forward.args.args if one.arg != "self"), "x")
    claims = [_with_claims(copy.deepcopy(one), first) for one in backward.body]
    return Unit((*helpers, *body, *claims), dict.fromkeys(incoming, output))


class _Output(ast.NodeTransformer):
    """Give what a forward pass returns a name."""

    def __init__(self) -> None:
        self.name: str | None = None

    def visit_Return(self, node: ast.Return) -> ast.stmt:
        """Return an assignment of the first value, where it has no name."""
        value = node.value
        if isinstance(value, ast.Tuple) and value.elts:
            value = value.elts[0]
        if isinstance(value, ast.Name):
            self.name = value.id
        elif isinstance(value, ast.Attribute) and isinstance(value.value, ast.Name):
            self.name = value.attr
        elif value is not None:
            self.name = "output_"
            target = ast.Name("output_", ast.Store())
            return ast.copy_location(ast.Assign([target], value), node)
        return ast.copy_location(ast.Pass(), node)

    def visit_FunctionDef(self, node: ast.FunctionDef) -> ast.stmt:
        """Return a function inside as it is."""
        return node


def _name_output(body: list[ast.stmt]) -> str | None:
    """Name what a forward pass returns; without a return it is the last value it assigns."""
    output = _Output()
    body[:] = [output.visit(one) for one in body]
    for one in body:
        ast.fix_missing_locations(one)
    if output.name is not None:
        return output.name
    for one in reversed(body):
        target = one.targets[0] if isinstance(one, ast.Assign) else None
        if isinstance(target, ast.Name):
            return target.id
        if isinstance(target, ast.Attribute):
            return target.attr
    return None


def _with_claims(statement: ast.stmt, first: str) -> ast.stmt:
    """Return a statement; what a backward pass returns first is the gradient of its first input."""
    if not isinstance(statement, ast.Return):
        return statement
    value = statement.value
    if isinstance(value, ast.Tuple) and value.elts:
        value = value.elts[0]
    if value is None or isinstance(value, ast.Name | ast.Attribute | ast.Dict | ast.Constant):
        return statement
    target = ast.Name(f"d{first}", ast.Store())
    return ast.fix_missing_locations(ast.copy_location(ast.Assign([target], value), statement))


__all__ = ["Unit", "units"]
