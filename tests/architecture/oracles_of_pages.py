"""Oracles of renderers: parsers of other libraries, and lines typed as the lecture has them."""

from __future__ import annotations

import json
import pkgutil
from collections.abc import Callable, Mapping
from functools import cache
from html.parser import HTMLParser
from types import ModuleType
from typing import Any
from xml.etree import ElementTree

from matplotlib.mathtext import MathTextParser
from tests.architecture.tables import Oracle, Table

import chainrule.documents.exercises
import chainrule.documents.lesson
import chainrule.language.typeset
from chainrule import derive
from chainrule.calculus.derivation.steps import Derivation
from chainrule.calculus.graph.node import Expr, Symbol
from chainrule.calculus.ops import sigmoid
from chainrule.language.reading import load_model
from chainrule.tables.loss_facts import FactLine
from chainrule.teaching.exercises.kinds import ask
from chainrule.teaching.exercises.loading import find
from chainrule.teaching.exercises.sets import Problem, ProblemSet

A, Y = Symbol("A", (1, "m")), Symbol("Y", (1, "m"))
X, Z = Symbol("X", ("n", "m")), Symbol("Z", (1, "m"))
SHOWN = ((A - Y) @ X.T, sigmoid(Z) * (1 - sigmoid(Z)), -Y / A)

TYPED: Mapping[str, tuple[str, ...]] = {
    "plain": ("(A - Y) X^T", "sigmoid(Z) .* (1 - sigmoid(Z))", "-Y/A"),
    "unicode": ("(A - Y) X^T", "σ(Z) ⊙ (1 - σ(Z))", "-Y/A"),
    "latex": (
        r"(A - Y)\,X^{\top}",
        r"\sigma(Z) \odot (1 - \sigma(Z))",
        r"-\frac{Y}{A}",
    ),
    "spoken": (
        "bracket A minus Y end bracket times X transposed",
        "sigmoid of Z times bracket 1 minus sigmoid of Z end bracket",
        "minus Y over A",
    ),
}
"""Three expressions of the lecture, typed by hand in each medium."""


def typeset_oracle(name: str) -> Oracle | None:
    """Return the oracle of a medium, if there is one."""
    if name == "mathml":
        return _mathml
    if name == "model_text":
        return _model_text
    if name == "math_element":
        return _math_element
    if name not in TYPED:
        return None

    def oracle(render: Callable[[Expr], str]) -> str:
        for expr, typed in zip(SHOWN, TYPED[name], strict=True):
            if render(expr) != typed:
                return f"wrote {render(expr)!r}, not {typed!r}"
            if name == "latex":
                MathTextParser("path").parse(f"${render(expr)}$")
        return ""

    return oracle


def _letters(xml: str) -> str:
    return "".join(ElementTree.fromstring(f"<math>{xml}</math>").itertext())


def _mathml(render: Callable[[Expr], str]) -> str:
    wanted = ("(A−Y)X⊤", "σ\u2061(Z)⊙(1−σ\u2061(Z))", "−YA")
    found = tuple(_letters(render(expr)) for expr in SHOWN)
    return "" if found == wanted else f"its letters are {found}, not {wanted}"


def _math_element(render: Callable[..., str]) -> str:
    element = ElementTree.fromstring(render("<mi>A</mi>", 'say "A" & B'))
    whole = element.tag == "math" and element.get("alttext") == 'say "A" & B'
    return "" if whole else f"wrote {ElementTree.tostring(element)!r}"


def _model_text(render: Callable[..., str]) -> str:
    text = render(load_model("logistic_batch"))
    wanted = ("X : (n, m)", "Z = w X + b", "A = sigmoid(Z)")
    return "".join(f"{line!r} is missing; " for line in wanted if line not in text)


@cache
def lesson() -> Derivation:
    """Return the derivation that every page shows."""
    return derive(load_model("logistic_batch"))


@cache
def problems() -> ProblemSet:
    """Return a set of one problem, for the pages of exercises."""
    question = ask(find("logistic-batch"), "gradient", 3)
    assert question is not None
    return ProblemSet("Homework", 0, (Problem(1, question, 10),))


class _Balance(HTMLParser):
    """Reads HTML and notes tags that do not close in order."""

    VOID = frozenset({"meta", "link", "br", "hr", "img", "input"})

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.wrong = ""
        self.text = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if not self.open or self.open.pop() != tag:
            self.wrong = self.wrong or f"</{tag}> closes nothing"

    def handle_data(self, data: str) -> None:
        self.text += data


def _html(text: str) -> str:
    reader = _Balance()
    reader.feed(text)
    reader.close()
    if reader.wrong or reader.open:
        return reader.wrong or f"<{reader.open[-1]}> is never closed"
    return "" if "(A−Y)" in "".join(reader.text.split()) else "it does not show (A - Y)"


def _tex(text: str) -> str:
    if text.count("{") != text.count("}") or text.count(r"\begin") != text.count(r"\end"):
        return "its braces or environments do not close"
    return "" if r"(A - Y)\,X^{\top}" in text or r"\partial J" in text else "no gradient in it"


def _brief(module: Any) -> str:
    """Hold the short page to one line typed by hand, for the terminal and as HTML."""
    text = module.brief_text(lesson())
    if "∂z_i/∂w_p = X_pi" not in text:
        return f"no factor in {text!r}"
    return _text(text) or _html(module.brief_page(lesson()))


def _data(value: object) -> str:
    again = json.loads(json.dumps(value))
    found = again["gradients"]["w"] if isinstance(again["gradients"], dict) else again["gradients"]
    return "" if "(A - Y) X^T" in json.dumps(found) else f"its gradient of w is {found}"


def _text(text: str) -> str:
    return "" if "(A - Y) X^T" in text or "∂J/∂b = ?" in text else f"no gradient in {text!r}"


FACT = FactLine("convexity", "The loss is convex.", "l'' = 1 >= 0 & true.", proven=True)


def _facts(module: Any) -> str:
    """Compare one fact, typed by hand, in every medium."""
    reader = _Balance()
    reader.feed(module.facts_section([FACT]).html)
    reader.close()
    if reader.wrong or reader.open:
        return reader.wrong or f"<{reader.open[-1]}> is never closed"
    if "l'' = 1 ≥ 0 & true." not in reader.text:
        return f"the page says {reader.text!r}"
    text = "\n".join(module.facts_text([FACT]))
    if text.split("\n")[1:] != [
        "  ✓ convexity: The loss is convex.",
        "      proof: l'' = 1 ≥ 0 & true.",
    ]:
        return f"the text is {text!r}"
    tex = "\n".join(module.facts_latex([FACT]))
    if r"\item[convexity] The loss is convex. Proof: l'' = 1 $\geq$ 0 \& true." not in tex:
        return f"the LaTeX is {tex!r}"
    (data,) = json.loads(json.dumps(module.facts_data([FACT])))
    return "" if data == vars(FACT) else f"the data are {data}"


PAGES: Mapping[str, Callable[[Any], str]] = {
    "lesson.as_html": lambda module: _html(module.as_html(lesson())),
    "lesson.as_json": lambda module: _data(module.as_data(lesson())),
    "lesson.as_latex": lambda module: _tex(module.as_latex(lesson())),
    "lesson.as_text": lambda module: _text(module.as_text(lesson())),
    "lesson.brief": _brief,
    "lesson.facts": _facts,
    "lesson.page": lambda module: _html(module.lesson_page(lesson())),
    "lesson.slides": lambda module: _html(module.slides(lesson())),
    "exercises.as_html": lambda module: _html(module.set_page(problems(), solved=True)),
    "exercises.as_latex": lambda module: _tex(module.set_latex(problems(), solved=True)),
    "exercises.as_text": lambda module: _text(
        module.question_text(problems().problems[0].question)
    ),
}
PARTS = frozenset({"lesson.numbers", "lesson.outline"})
"""Modules of these packages that render nothing whole by themselves."""


def _pages() -> Mapping[str, ModuleType]:
    found = {}
    for package in (chainrule.documents.lesson, chainrule.documents.exercises):
        for info in pkgutil.iter_modules(package.__path__):
            name = f"{package.__name__.rpartition('.')[2]}.{info.name}"
            if name not in PARTS:
                found[name] = __import__(f"{package.__name__}.{info.name}", fromlist=["_"])
    return found


def _typeset() -> Mapping[str, Any]:
    module = chainrule.language.typeset
    return {name: getattr(module, name) for name in module.__all__}


MEDIA = Table("medium of expressions", _typeset, typeset_oracle)
RENDERERS = Table("renderer of documents", _pages, PAGES.get)
