"""The module in Python around the statements of a plan."""

from __future__ import annotations

from chainrule.language.codegen.checking import check_text
from chainrule.language.codegen.dialects import Dialect, spelled_function
from chainrule.language.codegen.documentation import backward_line, forward_lines, title_lines
from chainrule.language.codegen.lines import one_line
from chainrule.language.codegen.plan import Plan
from chainrule.language.codegen.python_target import INDENT, PythonTarget, comment
from chainrule.language.codegen.target import WIDTH


def python_module(plan: Plan) -> str:
    """Write a plan as Python source, formatted."""
    assert isinstance(plan.target, PythonTarget)
    dialect = plan.target.dialect
    helpers = [spelled_function(plan.helpers[name], dialect) for name in sorted(plan.helpers)]
    helpers += [plan.own[name].strip() for name in sorted(plan.own)]
    pieces = [
        _head(plan, dialect),
        *(f"{helper}\n" for helper in helpers),
        _forward(plan, dialect),
        _backward(plan, dialect),
        check_text(dialect, plan.model, plan.names),
    ]
    return "\n\n".join(pieces)


def _head(plan: Plan, dialect: Dialect) -> str:
    lines = title_lines(plan, _quoted)
    if dialect.note:
        lines += ["", dialect.note]
    body = "\n".join(lines)
    imports = "\n".join([*dialect.imports, *sorted(plan.imports)])
    return f'"""{body}\n"""\n\n{imports}\n'


def _forward(plan: Plan, dialect: Dialect) -> str:
    inputs = [plan.names[s] for s in plan.model.inputs]
    inputs += [f"{plan.names[s]}=None" for s in plan.program.given]
    returned = [f'"{plan.names[s]}": {plan.names[s]}' for s in plan.cache]
    return "\n".join(
        [
            *_call("def forward(", inputs, "):", ""),
            *_docstring(forward_lines(plan, _quoted)),
            *(INDENT + line for line in plan.forward_sizes()),
            *_precision(plan.forward.statements, plan.names[plan.main_input], dialect),
            *plan.forward.statements,
            *_call("return {", returned, "}", INDENT),
            "",
        ]
    )


def _backward(plan: Plan, dialect: Dialect) -> str:
    names = plan.names
    returned = [f'"{names[s]}": {name}' for s, name in plan.gradients.items()]
    return "\n".join(
        [
            "def backward(cache):",
            *_docstring([backward_line(plan)]),
            *(f'{INDENT}{names[s]} = cache["{names[s]}"]{comment(s.shape)}' for s in plan.loads),
            *(INDENT + line for line in plan.backward_sizes()),
            *_precision(plan.backward.statements, f'cache["{plan.cost}"]', dialect),
            *plan.backward.statements,
            *_call("return {", returned, "}", INDENT),
            "",
        ]
    )


def _precision(statements: list[str], array: str, dialect: Dialect) -> list[str]:
    """Write where arrays that are made here take their precision and their device from."""
    precision = dialect.precision.replace("array", array)
    device = f"{array}.device"
    lines = {
        "dtype=dtype": f"dtype = {precision}",
        "device=device": f"device = {device}",
        f"**{dialect.options})": (
            f'{dialect.options} = {{"dtype": {precision}, "device": {device}}}'
        ),
    }
    return [
        INDENT + line
        for use, line in lines.items()
        if any(use in statement for statement in statements)
    ]


def _call(opening: str, parts: list[str], closing: str, indent: str) -> list[str]:
    """Write parts between brackets: on one line if they fit, else one per line."""
    line = f"{indent}{opening}{', '.join(parts)}{closing}"
    if len(line) <= WIDTH:
        return [line]
    inner = [f"{indent}{INDENT}{part}," for part in parts]
    return [f"{indent}{opening}", *inner, f"{indent}{closing}"]


def _docstring(lines: list[str]) -> list[str]:
    first, *rest = lines
    if not rest:
        return [f'{INDENT}"""{first}"""']
    body = [f"{INDENT}{line}" if line else "" for line in rest]
    return [f'{INDENT}"""{first}', *body, f'{INDENT}"""']


def _quoted(text: str) -> str:
    """Make somebody's words fit to stand in a docstring, which they must not end."""
    return one_line(text).replace("\\", "\\\\").replace('"', "'")
