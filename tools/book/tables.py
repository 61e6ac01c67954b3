"""References of what the program lists in tables: operations, rules, losses, errors."""

from __future__ import annotations

import importlib
import inspect
import pkgutil
from collections.abc import Iterable, Iterator
from types import ModuleType

from tools.book.markdown import code, escaped, fenced, table

import chainrule.calculus.rewriting
from chainrule import errors
from chainrule.calculus.graph.op import Layout
from chainrule.calculus.ops import TABLE
from chainrule.calculus.rewriting.rule import Label, Rule
from chainrule.cli import endings
from chainrule.emission.shipped import SHIPPED
from chainrule.engine.losses.table import find_loss
from chainrule.tables.loss_facts import fact_lines

UNWRITTEN = {
    Layout.CHAIN: "side by side, or `@`",
    Layout.HIDDEN: "inserted where shapes need it",
    Layout.FUNCTION: "inserted by a rule",
}
"""How operations without a glyph come into a forward pass."""


def pages() -> dict[str, str]:
    """Return the pages of the tables by their paths."""
    return {
        "reference/operations.md": operations(),
        "reference/rules.md": rules(),
        "reference/losses.md": losses(),
        "reference/errors.md": error_page(),
    }


def operations() -> str:
    """Return the page of operations: notation, derivative rule, mistakes that are recognised."""
    blocks = [
        "# Operations",
        "All operations of the language, with the derivative rule that a step quotes and the "
        "mistakes that grading recognises. [The language](../language.md) describes the grammar.",
    ]
    rows = (
        (
            code(op.name),
            code(op.notation.plain.strip().replace("|", "x")) or UNWRITTEN[op.notation.layout],
            f"{op.rule}: {escaped(op.because)}" + (f" ({op.corner})" if op.corner else ""),
            "; ".join(mistake.name for mistake in op.mistakes),
        )
        for op in TABLE.values()
    )
    blocks.append(table(("name", "written", "derivative rule", "recognised mistakes"), rows))
    return "\n\n".join(blocks) + "\n"


def all_rules() -> Iterator[tuple[str, Label]]:
    """Yield every rewriting rule and named step with the module that defines it."""
    seen: set[tuple[str, str]] = set()
    package = chainrule.calculus.rewriting
    for info in pkgutil.iter_modules(package.__path__):
        module = importlib.import_module(f"{package.__name__}.{info.name}")
        for label in _labels(module):
            if (label.name, label.because) not in seen:
                seen.add((label.name, label.because))
                yield info.name, label


def _labels(module: ModuleType) -> Iterator[Label]:
    def inside(value: object) -> Iterator[Label]:
        if isinstance(value, Label):
            yield value
        elif isinstance(value, tuple | list | frozenset):
            for part in value:
                yield from inside(part)
        elif isinstance(value, dict):
            for part in value.values():
                yield from inside(part)

    for name, value in vars(module).items():
        if not name.startswith("__"):
            yield from inside(value)


def rules() -> str:
    """Return the page of rewriting rules."""
    blocks = [
        "# Rewriting rules",
        "The steps of a derivation name the rule that they apply. These are the rules of "
        "simplification, stabilisation and layout, with the reason that a step quotes.",
    ]
    modules: dict[str, list[Label]] = {}
    for name, label in all_rules():
        modules.setdefault(name, []).append(label)
    for name, labels in modules.items():
        rows = [(label.name, escaped(label.because)) for label in labels]
        what = "rule" if any(isinstance(label, Rule) for label in labels) else "step"
        blocks += [f"## {name.replace('_', ' ').capitalize()}", table((what, "reason"), rows)]
    return "\n\n".join(blocks) + "\n"


def losses() -> str:
    """Return the page of shipped losses with the facts proven of each."""
    blocks = [
        "# Losses",
        "The losses that `chainrule fit --loss NAME` and `LinearModel(loss=NAME)` accept. Each is "
        "a forward pass in the score Z and the target Y. The facts are proven from its derivation; "
        "a fact that is not proven is not used. See the proofs with `chainrule derive "
        "losses/NAME --facts`.",
    ]
    for shipped in SHIPPED.values():
        row = find_loss(shipped.name)
        constants = ", ".join(
            f"{name} = {constant.default:g} ({constant.range})"
            for name, constant in shipped.constants.items()
        )
        head = f"Targets: {shipped.targets}. Link: {shipped.link}."
        if constants:
            head += f" Constants: {constants}."
        facts = table(
            ("fact", "", "proven"),
            (
                (fact.name, escaped(fact.says), "yes" if fact.proven else "no")
                for fact in fact_lines(row)
            ),
        )
        blocks += [f"## {shipped.name}", fenced(shipped.text), head, facts]
    return "\n\n".join(blocks) + "\n"


def error_page() -> str:
    """Return the page of exceptions and exit statuses."""
    blocks = [
        "# Errors and exit status",
        "Every exception that chainrule raises on purpose is a `ChainruleError`. A message names "
        "what was found, the place, and the next action.",
        "## Exceptions",
    ]
    rows = (
        (code(each.__name__), code(base.__name__), (inspect.getdoc(each) or "").split("\n\n")[0])
        for base, each in _tree(errors.ChainruleError)
    )
    blocks.append(table(("exception", "is a", "meaning"), rows))
    statuses = (inspect.getdoc(endings) or "").partition("\n\n")[2]
    blocks += [
        "## Exit status",
        f"```{{eval-rst}}\n{statuses}\n```",
        f"`{endings.TRACEBACK_VARIABLE}=1` in the environment shows the traceback of a bug.",
    ]
    return "\n\n".join(blocks) + "\n"


def _tree(base: type[BaseException]) -> Iterable[tuple[type[BaseException], type[BaseException]]]:
    for each in base.__subclasses__():
        if each.__module__ == errors.__name__:
            yield base, each
            yield from _tree(each)
