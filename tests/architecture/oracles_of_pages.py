"""Oracles of renderers: parsers of other libraries, and lines typed as the lecture has them."""

from __future__ import annotations

import json
import pkgutil
from collections.abc import Callable, Mapping
from functools import cache
from html.parser import HTMLParser
from importlib import import_module
from types import ModuleType
from typing import Any
from xml.etree import ElementTree

from matplotlib.mathtext import MathTextParser
from tests.architecture.tables import Oracle, Table

import chainrule.documents.renderers
import chainrule.language.typeset
from chainrule import derive
from chainrule.calculus.derivation.steps import Derivation
from chainrule.calculus.graph.node import Expr, Symbol
from chainrule.calculus.ops import sigmoid
from chainrule.documents import blocks
from chainrule.documents.blocks import Finding
from chainrule.documents.exercises.building import problem_set
from chainrule.documents.lesson.brief import brief
from chainrule.documents.lesson.building import lesson as lesson_document
from chainrule.language.reading import load_model
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


def _text(text: str) -> str:
    return "" if "(A - Y) X^T" in text or "∂J/∂b = ?" in text else f"no gradient in {text!r}"


FACT = Finding("convexity", "The loss is convex.", "l'' = 1 ≥ 0 & true.", proven=True)
TABLE = blocks.Table("Weights", ("name", "weight"), (("age", "0.5"), ("R&D", "-2")), frozenset({1}))
OTHER = blocks.Document(
    "Other", "", (blocks.Section("other", "Other", (blocks.Findings("", (FACT,)), TABLE)),)
)
"""Facts and a table, typed by hand."""


def _marked(number: int) -> blocks.Equation:
    return blocks.Equation((number * A,))


EVERY: Mapping[str, blocks.Block] = {
    "wprose": blocks.prose("wprose"),
    "wheading": blocks.Heading("wheading"),
    "7301": _marked(7301),
    "7302": blocks.Question(7302 * A),
    "wproof": blocks.Proof(("wproof",)),
    "wtable": blocks.Table("a table", ("name", "value"), (("age", "wtable"),)),
    "wfigure": blocks.Figure("<svg></svg>", "wfigure", text="a line"),
    "wfacts": blocks.Facts((blocks.Fact("fact", "wfacts"),)),
    "wbullets": blocks.Bullets(("wbullets",)),
    "wfold": blocks.Fold("more", (blocks.prose("wfold"),)),
    "wbeside": blocks.Beside((blocks.prose("wbeside"),)),
    "wcode": blocks.Code("wcode = 1"),
    "7303": blocks.Names("names", (blocks.NameRow(Z, right=7303 * A),)),
    "7304": blocks.Steps("steps", (blocks.Step(1, "", _marked(7304), "rule", "reason"),)),
    "7305": blocks.Result(_marked(7305)),
    "7306": blocks.Results("results", (blocks.Result(_marked(7306)),)),
    "woptions": blocks.Options((blocks.prose("woptions"), blocks.prose("another"))),
    "wspace": blocks.Space("wspace"),
    "wfindings": blocks.Findings("facts", (Finding("name", "wfindings", "", proven=True),)),
    "7307": blocks.Board((blocks.Results("results", (blocks.Result(_marked(7307)),)),)),
}
"""One block of every kind, by a word or a number that shows it."""

LEFT_OUT: Mapping[str, frozenset[str]] = {
    "markdown": frozenset({"wfigure"}),  # a drawing needs a file of its own
}
"""What a renderer leaves out on purpose."""


def unshown(name: str, module: Any) -> set[str]:
    """Return the blocks of `EVERY` that a renderer does not show, by their words."""
    section = blocks.Section("every", "Every block", tuple(EVERY.values()))
    shown = str(module.render(blocks.Document("Every block", "", (section,))))
    return {word for word in EVERY if word not in shown} - LEFT_OUT.get(name, frozenset())


def documents() -> Mapping[str, blocks.Document]:
    """Return the documents that every renderer is held to."""
    return {
        "lesson": lesson_document(lesson()),
        "brief": brief(lesson()),
        "problem set": problem_set(problems(), solved=True),
    }


def _terminal(module: Any) -> str:
    wrong = [_text(module.render(document)) for document in documents().values()]
    if "∂z_i/∂w_p = X_pi" not in module.render(documents()["brief"]):
        wrong.append("no factor in the brief page")
    lines = module.render(OTHER).splitlines()
    for wanted in ("  ✓ convexity: The loss is convex.", "      proof: l'' = 1 ≥ 0 & true."):
        wrong += [] if wanted in lines else [f"{wanted!r} is not in {lines}"]
    rows = ["  name   weight", "  age       0.5", "  R&D        -2"]
    wrong += [] if lines[-3:] == rows else [f"the table is {lines[-3:]}"]
    return "; ".join(filter(None, wrong))


def _page(module: Any) -> str:
    wrong = [_html(module.render(document)) for document in documents().values()]
    reader = _Balance()
    reader.feed(module.render(OTHER))
    reader.close()
    for wanted in ("l'' = 1 ≥ 0 & true.", "R&D"):
        wrong += [] if wanted in reader.text else [f"the page says {reader.text!r}"]
    return "; ".join(filter(None, wrong))


def _deck(module: Any) -> str:
    deck = module.render(documents()["lesson"])
    steps = deck.count("<section ")
    wanted = len(lesson().steps) + 3  # the cover, the forward pass, the gradients
    return _html(deck) or ("" if steps == wanted else f"{steps} slides, not {wanted}")


def _paper(module: Any) -> str:
    wrong = [_tex(module.render(document)) for document in documents().values()]
    other = module.render(OTHER)
    for wanted in (
        r"\item[convexity] The loss is convex. Proof: l'' = 1 $\geq$ 0 \& true.",
        "name & weight \\\\\nage & 0.5 \\\\\nR\\&D & -2",
    ):
        wrong += [] if wanted in other else [f"{wanted!r} is not in {other!r}"]
    if not other.isascii():
        wrong.append("pdflatex does not set what is not ASCII")
    return "; ".join(filter(None, wrong))


def _markdown(module: Any) -> str:
    texts = [module.render(document) for document in documents().values()]
    wrong = [f"no gradient in {text!r}" for text in texts if r"\partial J" not in text]
    other = module.render(OTHER).splitlines()
    for wanted in ("| name | weight |", "|---|---:|", "| R&D | -2 |"):
        wrong += [] if wanted in other else [f"{wanted!r} is not in {other}"]
    return "; ".join(filter(None, wrong))


def _cell(module: Any) -> str:
    (section, *_) = documents()["lesson"].sections
    frame = _Balance()
    frame.feed(module.html(section.blocks, lesson().model))
    formulas = module.tex(section.blocks)
    wrong = "" if r"&= (A - Y)\,X^{\top}" in formulas else f"no gradient in {formulas!r}"
    return wrong or frame.wrong


def _data(module: Any) -> str:
    found = [json.loads(json.dumps(module.render(document))) for document in documents().values()]
    texts = [json.dumps(each, ensure_ascii=False) for each in found]
    wanted = ('"plain": "(A - Y) X^T"', '"plain": "dJ/db"')
    return "" if all(any(w in text for w in wanted) for text in texts) else "no gradient in it"


PAGES: Mapping[str, Callable[[Any], str]] = {
    "html": _page,
    "json": _data,
    "latex": _paper,
    "markdown": _markdown,
    "notebook": _cell,
    "slides": _deck,
    "terminal": _terminal,
}


def _pages() -> Mapping[str, ModuleType]:
    package = chainrule.documents.renderers
    return {
        info.name: import_module(f"{package.__name__}.{info.name}")
        for info in pkgutil.iter_modules(package.__path__)
    }


def _typeset() -> Mapping[str, Any]:
    module = chainrule.language.typeset
    return {name: getattr(module, name) for name in module.__all__}


def _renderer(name: str) -> Callable[[Any], str] | None:
    if name not in PAGES:
        return None

    def oracle(module: Any) -> str:
        missing = unshown(name, module) if hasattr(module, "render") else set()
        return PAGES[name](module) or (f"it does not show {sorted(missing)}" if missing else "")

    return oracle


MEDIA = Table("medium of expressions", _typeset, typeset_oracle)
RENDERERS = Table("renderer of documents", _pages, _renderer)
