"""Questions about code: read it as mathematics, write mathematics as code."""

from __future__ import annotations

import ast
import re

from chainrule.calculus.derivation.program import program
from chainrule.calculus.derivation.steps import Derivation
from chainrule.calculus.graph.dims import written
from chainrule.calculus.graph.model import Model
from chainrule.calculus.graph.node import symbols
from chainrule.deriving import derive
from chainrule.errors import ChainruleError
from chainrule.language.codegen import module_text
from chainrule.language.codegen.names import identifier
from chainrule.teaching.exercises.answer_forms import answer_form
from chainrule.teaching.exercises.answer_readers import judge
from chainrule.teaching.exercises.content import Code, Content, Equation, Prose
from chainrule.teaching.exercises.hints import chain_line, chain_steps
from chainrule.teaching.exercises.kinds.formulas import formula_key, solution
from chainrule.teaching.exercises.questions import Question, Subject
from chainrule.teaching.exercises.sections import GradientSection

_BACKWARD = re.compile(r"^def backward\(.*?\n(?=\n\n)", re.MULTILINE | re.DOTALL)
_STATEMENT = re.compile(r"^    (?P<name>\w+) = (?P<code>.*)$", re.MULTILINE)
_WORD = re.compile(r"\b[^\W\d]\w*")
_LOAD = re.compile(r"^    (?P<name>\w+) = cache\[.*$", re.MULTILINE)
_DOCSTRING = re.compile(r'^    """.*?"""\n', re.MULTILINE | re.DOTALL)

MOST_STATEMENTS = 9
"""The most lines of code that are to be read as one formula, those included that read the cache."""

IN_NUMPY: tuple[Content, ...] = (
    (
        Prose(
            "A matrix product is @, a product entry by entry is *, a transpose is .T, a sum along "
            "an axis is np.sum(..., axis=..., keepdims=True)."
        ),
    ),
)
"""The first hint of a question that asks for code."""

IN_MATHEMATICS: tuple[Content, ...] = (
    (
        Prose(
            "Read from the last line back: @ is a matrix product, * a product entry by entry, .T a "
            "transpose; axis=1 adds along the rows."
        ),
    ),
)
"""The first hint of a question that shows code."""


def is_window(text: str) -> bool:
    """Whether a formula contains sliding windows, for which a first course has no notation."""
    return re.search(r"\b(fold|windows)\(", text) is not None


def code_to_maths(subject: Subject) -> Question | None:
    """Ask for the gradient that backward code computes."""
    section = subject.variable()
    code = _backward(subject, section)
    if code is None or len(_STATEMENT.findall(code)) > MOST_STATEMENTS or is_window(code):
        return None
    prompt: Content = (
        Prose("This code computes a gradient:"),
        Code(code),
        Prose("Write it as on the board, in one line:"),
        Equation(subject.whole(section), None),
    )
    steps = tuple(
        chain_line(part, step) for part in subject.needed(section) for step in chain_steps(part)
    )
    hints = (*IN_MATHEMATICS, steps or _shapes(subject, section), _last_line(code))
    return _question(subject, section, ("code-to-maths", "maths", ""), prompt, code, hints)


def maths_to_code(subject: Subject) -> Question | None:
    """Show a gradient, and ask for it as an expression in NumPy."""
    section = subject.variable()
    code = _backward(subject, section)
    answer = None if code is None else _expression(subject, section, code)
    if code is None or answer is None or is_window(answer):
        return None
    if not judge(formula_key(subject.exercise, section, "code", answer), answer).right:
        return None  # it takes more than the expressions that a student can type
    prompt: Content = (
        *subject.naming([section.answer]),
        subject.gradient(section),
        Prose(
            f"Write it as one expression in NumPy; the shape of {section.variable.name} is "
            f"{written(section.variable.shape)}."
        ),
    )
    used = sorted({name for name in ("np.sum", "np.mean", "keepdims", ".T", "@") if name in answer})
    third = (
        f"The expression uses {', '.join(used)}." if used else "Every product is entry by entry."
    )
    hints = (*IN_NUMPY, _shapes(subject, section), (Prose(third),))
    return _question(subject, section, ("maths-to-code", "code", answer), prompt, code, hints)


def _question(
    subject: Subject,
    section: GradientSection,
    form: tuple[str, str, str],
    prompt: Content,
    code: str,
    hints: tuple[Content, ...],
) -> Question:
    """Make a question of a kind, with a reader and an answer."""
    kind, reader, answer = form
    return Question(
        subject.exercise,
        kind,
        subject.exercise.model,
        prompt,
        formula_key(subject.exercise, section, reader, answer),
        hints,
        (*solution(subject, section), Code(code)),
        subject.rules(section),
    )


def _shapes(subject: Subject, section: GradientSection) -> Content:
    """Return a hint with the shapes of everything that the answer is made of."""
    names = sorted(symbols(answer_form(subject.exercise, section)), key=lambda s: s.name)
    shapes = ", ".join(f"{s.name} {written(s.shape)}" for s in names)
    return (Prose(f"The shapes: {shapes}." if shapes else "The answer is a constant."),)


def _last_line(code: str) -> Content:
    """Return a hint that counts the operations of the last line."""
    line = code.splitlines()[-2].split("#")[0]
    computed = [each for each in code.splitlines()[1:-1] if "= cache[" not in each]
    products, turned = line.count("@"), line.count(".T")
    more = "; put the lines before it in" if len(computed) > 1 else ""
    if not products and not turned:
        return (Prose(f"The last computed line has no matrix product and no transpose{more}."),)
    return (
        Prose(
            f"The last computed line has {products} matrix product{'s' * (products != 1)} and "
            f"{turned} transpose{'s' * (turned != 1)}{more}."
        ),
    )


def _backward(subject: Subject, section: GradientSection) -> str | None:
    """Return the backward code for one variable; None where there is no array code."""
    model = subject.exercise.model
    return backward_code(derive(model, [section.variable.name]), model)


def backward_code(derivation: Derivation, shown: Model | None = None) -> str | None:
    """Return the backward code of a derivation; None where there is no array code.

    Parameters
    ----------
    derivation : Derivation
        The derivation.
    shown : Model, optional
        The forward pass that is shown. A value that has no name there is computed, instead
        of being read from the cache.
    """
    try:
        text = module_text(program(derivation))
    except ChainruleError:
        return None
    found = _BACKWARD.search(text)
    if found is None:
        return None
    code = _DOCSTRING.sub("", found[0]).rstrip()
    if shown is None:
        return code
    known = {identifier(symbol.name) for symbol in shown.symbols}
    forward = {m["name"]: m for m in _STATEMENT.finditer(text[: found.start()])}
    written: set[str] = set()

    def opened_up(name: str) -> list[str]:
        """Return the statements of a value without a name, those that it needs first."""
        if name in known or name in written or name not in forward:
            return []
        written.add(name)
        before = [line for n in _WORD.findall(forward[name]["code"]) for line in opened_up(n)]
        return [*before, forward[name][0]]

    def put(load: re.Match[str]) -> str:
        return load[0] if load["name"] in known else "\n".join(opened_up(load["name"]))

    return re.sub(r"\n\n+", "\n", _LOAD.sub(put, code))


def _expression(subject: Subject, section: GradientSection, code: str) -> str | None:
    """Return what the code returns as one expression in the names that the question shows."""
    body = ast.parse(code).body[0]
    assert isinstance(body, ast.FunctionDef)
    model = subject.exercise.model
    layers = symbols(section.answer) & set(subject.derivation.layers)
    shown = {identifier(s.name) for s in (*model.symbols, *layers)}
    known: dict[str, ast.expr] = {}
    inline = _Inline(known)
    for line in body.body:
        if isinstance(line, ast.Return) and isinstance(line.value, ast.Dict):
            return ast.unparse(inline.visit(line.value.values[0]))
        if not (isinstance(line, ast.Assign) and isinstance(line.targets[0], ast.Name)):
            return None
        if line.targets[0].id not in shown:
            known[line.targets[0].id] = inline.visit(line.value)
    return None


class _Inline(ast.NodeTransformer):
    """Replaces names by the expressions that they stand for, and cached values by their names."""

    def __init__(self, known: dict[str, ast.expr]) -> None:
        self.known = known

    def visit_Name(self, node: ast.Name) -> ast.expr:
        return self.known.get(node.id, node)

    def visit_Subscript(self, node: ast.Subscript) -> ast.AST:
        if isinstance(node.value, ast.Name) and node.value.id == "cache":
            assert isinstance(node.slice, ast.Constant)
            return ast.Name(str(node.slice.value).rstrip("_"))
        return self.generic_visit(node)
