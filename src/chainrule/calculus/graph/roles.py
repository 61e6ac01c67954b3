"""The role of every input: a parameter, data, a label, a constant or an initial value.

What is differentiated by default follows from the roles. A note decides first ("features",
"bias"), then the structure (an entry per example, the first value of a
recurrence), then the letters that everybody uses for data and labels: x and y.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from enum import Enum
from typing import Any, Protocol

from chainrule.calculus.graph.dims import SCALAR, base_names, written
from chainrule.calculus.graph.node import Apply, Expr, Symbol, symbols
from chainrule.calculus.graph.op import Layout


class Role(Enum):
    """The role of an input; the value is the word for it."""

    PARAMETER = "parameter"
    DATA = "data"
    LABEL = "label"
    CONSTANT = "constant"
    START = "initial value"


_NOTED = (
    (
        Role.CONSTANT,
        r"weight of the penalty|strength|temperature|learning rate|step size|margin|hyper\w*"
        r"|quantile|small number|scale of|dispersion|power of|beyond|threshold|cut-?off",
    ),
    (Role.START, r"initial|at the start|before the first"),
    (
        Role.PARAMETER,
        r"weights?|bias(?:es)?|parameters?|coefficients?|intercepts?|slopes?|kernels?|filters?"
        r"|embeddings?|gains?|shifts?|scales?",
    ),
    (Role.LABEL, r"labels?|targets?|truth|responses?|outcomes?|classes"),
    (
        Role.DATA,
        r"features?|data|inputs?|observations?|masks?|noise|images?|pixels?|tokens?|words?|design",
    ),
)
_LETTERS = (
    (Role.DATA, re.compile(r"(?:x|X|inputs?|features|data|ids)(?=[\W\d_]|$).*", re.DOTALL)),
    (Role.LABEL, re.compile(r"(?:y|Y|t|labels?|targets?)(?=[\W\d_]|$).*", re.DOTALL)),
    (
        Role.CONSTANT,
        re.compile(r"(?:lambda|λ|eps|epsilon|ε|eta|η|tau|τ|delta|δ|lr)(?=[\W\d_]|$).*", re.DOTALL),
    ),
)
_COMMAND = re.compile(r"\\(?:math\w+|boldsymbol|bm|vec|text\w*|operatorname)|[{}\s$]")
_INDEX = re.compile(r"[_^]\{?\[?\(?\d+\)?\]?\}?")


class ForwardPass(Protocol):
    """The part of a `Model` that the roles depend on."""

    @property
    def inputs(self) -> tuple[Symbol, ...]:
        """Data and parameters."""

    @property
    def objective(self) -> Symbol:
        """The scalar that is differentiated."""

    @property
    def values(self) -> Mapping[Symbol, Expr]:
        """Every defined symbol with its definition."""

    @property
    def notes(self) -> Mapping[str, str]:
        """The meaning of each name."""

    @property
    def numbered(self) -> Mapping[Symbol, Any]:
        """The inputs that are integer indices."""

    @property
    def loops(self) -> tuple[Any, ...]:
        """The loops of the author."""

    @property
    def onehot(self) -> tuple[Any, ...]:
        """The inputs that are declared one-hot."""

    @property
    def assumptions(self) -> tuple[Any, ...]:
        """The inputs whose shapes were inferred."""

    @property
    def prose(self) -> tuple[int, ...]:
        """The lines with words that were not read."""


def roles(model: ForwardPass) -> Mapping[Symbol, Role]:
    """Return the role of every input of a forward pass."""
    found: dict[Symbol, Role] = {}
    noted: set[Symbol] = set()
    for symbol in model.inputs:
        role = _noted(model.notes.get(symbol.name, ""))
        if role is not None:
            noted.add(symbol)
        found[symbol] = role or _lettered(symbol)
    for symbol in model.numbered:
        found[symbol] = Role.DATA
    for known in model.onehot:
        found[known.symbol] = Role.LABEL
    for symbol in _starts(model):
        if symbol not in noted:
            found[symbol] = Role.START if found[symbol] is Role.PARAMETER else found[symbol]
    for symbol in _penalising(model, found):
        if symbol not in noted:
            found[symbol] = Role.CONSTANT
    _by_example(found, noted)
    _formula(model, found, noted)
    return found


def differentiated(model: ForwardPass) -> tuple[Symbol, ...]:
    """Return the inputs that are differentiated where nobody says which.

    The parameters; where there are none, every input that can move.
    """
    known = roles(model)
    movable = tuple(s for s in model.inputs if s not in model.numbered)
    for wanted in ((Role.PARAMETER,), (Role.PARAMETER, Role.CONSTANT, Role.START)):
        chosen = tuple(s for s in movable if known[s] in wanted)
        if chosen:
            return chosen
    return movable


def roles_sentence(model: ForwardPass, variables: Iterable[Symbol]) -> str:
    """Say what is differentiated and what is not: "for: w, b; not for: x, y (data)"."""
    chosen = list(dict.fromkeys(variables))
    known = roles(model)
    words = {Role.LABEL: Role.DATA.value, Role.PARAMETER: "not asked for"}
    groups: dict[str, list[str]] = {}
    for symbol in model.inputs:
        if symbol not in chosen:
            role = known[symbol]
            groups.setdefault(words.get(role, role.value), []).append(symbol.name)
    said = f"for: {', '.join(symbol.name for symbol in chosen)}"
    left = ", ".join(f"{', '.join(names)} ({word})" for word, names in groups.items())
    return f"{said}; not for: {left}" if left else said


def assumed_sentences(model: ForwardPass) -> tuple[str, ...]:
    """Say which shapes were inferred, and why."""
    said = []
    for reason in dict.fromkeys(assumption.reason for assumption in model.assumptions):
        shapes = [
            f"{a.symbol.name} is {written(a.symbol.shape)}"
            for a in model.assumptions
            if a.reason == reason
        ]
        *most, last = shapes
        together = f"{', '.join(most)} and {last}" if most else last
        said.append(f"taken: {together}, {reason}")
    return tuple(said)


def reading_sentences(model: ForwardPass, variables: Iterable[Symbol]) -> tuple[str, ...]:
    """Say how a forward pass was read: what was inferred, and what is differentiated."""
    said = list(assumed_sentences(model))
    if model.prose:
        lines = ", ".join(str(number) for number in model.prose)
        many = len(model.prose) > 1
        said.append(f"not read, as prose: words on line{'s' if many else ''} {lines}")
    for length, spans in {loop.length: loop.spans for loop in model.loops if loop.length}.items():
        said.append(
            f"{length} is any number of rounds: derived for {spans}, here with "
            f"{spans.partition(' and ')[0]}; what both have in common is stated for any {length}"
        )
    return (*said, roles_sentence(model, variables))


def _noted(note: str) -> Role | None:
    """Return the role that a note names first."""
    best: tuple[int, Role] | None = None
    for role, words in _NOTED:
        match = re.search(rf"\b(?:{words})\b", note, re.IGNORECASE)
        if match is not None and role is Role.CONSTANT:
            return role
        if match is not None and (best is None or match.start() < best[0]):
            best = match.start(), role
    return best[1] if best is not None else None


def _lettered(symbol: Symbol) -> Role:
    """Return the role that the letter of a name has by custom."""
    name = _COMMAND.sub("", symbol.name).lstrip("\\")
    for role, pattern in _LETTERS:
        if pattern.fullmatch(name) and (role is not Role.CONSTANT or symbol.shape == SCALAR):
            return role
    return Role.PARAMETER


def _starts(model: ForwardPass) -> Iterable[Symbol]:
    """Yield inputs whose name is defined at other indices: h_0 where h_1 is defined."""
    stems = {_INDEX.sub("#", target.name) for target in model.values if _INDEX.search(target.name)}
    for symbol in model.inputs:
        if _INDEX.search(symbol.name) and _INDEX.sub("#", symbol.name) in stems:
            yield symbol


def _penalising(model: ForwardPass, known: Mapping[Symbol, Role]) -> Iterable[Symbol]:
    """Yield the numbers that weigh terms of the objective which no data enter: penalties."""
    given = {s for s, role in known.items() if role in (Role.DATA, Role.LABEL)}
    terms = [_inputs(model, term) for term in _terms(model, model.objective)]
    for symbol, role in known.items():
        if symbol.shape == SCALAR and role is Role.PARAMETER and given:
            having = [term for term in terms if symbol in term]
            if having and all(len(term) > 1 and not term & given for term in having):
                yield symbol


def _terms(model: ForwardPass, expr: Expr) -> Iterable[Expr]:
    """Yield the terms that a number is the sum of, through its definitions."""
    if isinstance(expr, Symbol) and expr in model.values:
        yield from _terms(model, model.values[expr])
    elif isinstance(expr, Apply) and expr.op.notation.layout in (Layout.SUM, Layout.PREFIX):
        for arg in expr.args:
            yield from _terms(model, arg)
    else:
        yield expr


def _inputs(model: ForwardPass, expr: Expr) -> set[Symbol]:
    """Return the inputs that an expression depends on, through its definitions."""
    found: set[Symbol] = set()
    waiting = list(symbols(expr))
    while waiting:
        symbol = waiting.pop()
        if symbol in found:
            continue
        found.add(symbol)
        waiting += symbols(model.values[symbol]) if symbol in model.values else ()
    return found & set(model.inputs)


def _by_example(found: dict[Symbol, Role], noted: set[Symbol]) -> None:
    """Count as data what has an entry per example: masks, noise, weights of examples."""
    given = [s for s, role in found.items() if role in (Role.DATA, Role.LABEL)]
    others = [s for s, role in found.items() if role is Role.PARAMETER]
    for dim in dict.fromkeys(name for s in given for d in s.shape for name in base_names(d)):
        holders = [s for s in given if dim in _dims(s)]
        matrix = any(1 not in s.shape or s.shape[0] == 1 for s in holders)
        if not matrix or (len(holders) < 2 and len(given) > 1):
            continue
        having = [s for s in others if dim in _dims(s) and s not in noted]
        if len(having) < len(others) and not any(_usual(s) for s in having):
            for symbol in having:
                found[symbol] = Role.DATA


def _usual(symbol: Symbol) -> bool:
    """Whether a letter is one that everybody uses for weights and biases."""
    return symbol.name[:1] in "wWbθβγ" or symbol.name.lstrip("\\").startswith(("theta", "beta"))


def _formula(model: ForwardPass, found: dict[Symbol, Role], noted: set[Symbol]) -> None:
    """Count x as a variable in a formula such as ``1/2 x^T A x - b^T x``, which has no labels."""
    if Role.LABEL in found.values() or len(model.values) != 1:
        return
    data = [s for s, role in found.items() if role is Role.DATA and s not in model.numbered]
    others = {dim for s, role in found.items() if role is Role.PARAMETER for dim in _dims(s)}
    for symbol in data:
        if symbol not in noted and set(_dims(symbol)) <= others:
            found[symbol] = Role.PARAMETER


def _dims(symbol: Symbol) -> Sequence[str]:
    return [name for dim in symbol.shape for name in base_names(dim)]


__all__ = ["Role", "differentiated", "reading_sentences", "roles", "roles_sentence"]
