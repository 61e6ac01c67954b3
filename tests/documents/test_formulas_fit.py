"""In a real browser no formula is cut: on slides at 1280 x 720, on a phone of 360 px."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from chainrule.calculus.graph.model import Model
from chainrule.deriving import derive
from chainrule.documents.blocks import Document
from chainrule.documents.lesson.building import lesson
from chainrule.documents.lesson.outline import GradientForm
from chainrule.documents.renderers import html, slides
from chainrule.language.reading import load_model

BROWSER = next(filter(None, map(shutil.which, ("chromium", "google-chrome", "chrome"))), None)
DEEP = """# a network of two layers
X : (n, m)
Y : (1, m)
W^[1] : (h, n)
b^[1] : (h, 1)
W^[2] : (1, h)
b^[2] : (1, 1)
Z^[1] = W^[1] X + b^[1]
A^[1] = tanh(Z^[1])
Z^[2] = W^[2] A^[1] + b^[2]
A^[2] = sigmoid(Z^[2])
J = -1/m sum(Y .* log(A^[2]) + (1 - Y) .* log(1 - A^[2])) + 1/2 norm(W^[1])^2 + 1/2 norm(W^[2])^2
"""
# A window of a headless browser is 500 px wide at least, so the page itself is made narrow.
PROBE = """<style>html {{ width: {width}px }}</style><script>
addEventListener("load", () => {{
  const cut = [];
  const look = (root) => {{
    for (const math of root.querySelectorAll("math")) {{
      const box = math.getBoundingClientRect();
      const outside = box.right > {width} + 1 || box.left < -1;
      if (box.width && outside) cut.push(math.getAttribute("alttext"));
    }}
  }};
  const deck = document.querySelectorAll(".slide");
  for (let k = 0; k < 2 * deck.length; k++) {{
    location.hash = "#" + (k + 1);
    dispatchEvent(new HashChangeEvent("hashchange"));
    look(document.querySelector(".slide.shown"));
  }}
  if (!deck.length) {{ fitFormulas(document); look(document); }}
  const broken = document.querySelectorAll("math > mtable").length;
  document.documentElement.innerHTML = "<pre></pre>";
  document.querySelector("pre").textContent = "FOUND " + JSON.stringify([cut, broken]) + " END";
}});
</script></body>"""


def documents() -> dict[str, Document]:
    models: dict[str, Model | str] = {"lecture": load_model("logistic_batch"), "deep": DEEP}
    return {name: lesson(derive(model)) for name, model in models.items()}


@pytest.fixture(scope="module")
def made() -> dict[str, Document]:
    return documents()


@pytest.mark.slow
@pytest.mark.skipif(BROWSER is None, reason="no Chromium on this machine: formulas not measured")
@pytest.mark.parametrize("name", ["lecture", "deep"])
@pytest.mark.parametrize("medium", [slides, html], ids=["slides", "page"])
@pytest.mark.parametrize("width", [1280, 360])
def test_no_formula_is_cut(
    made: dict[str, Document], name: str, medium: object, width: int, tmp_path: Path
) -> None:
    page = medium.render(made[name])  # type: ignore[attr-defined]
    path = tmp_path / "page.html"
    path.write_text(page.replace("</body>", PROBE.format(width=width)), encoding="utf-8")
    assert BROWSER is not None
    options = ["--headless", "--no-sandbox", "--disable-gpu", f"--user-data-dir={tmp_path / 'p'}"]
    size = [f"--window-size={width},720", "--virtual-time-budget=8000", "--dump-dom"]
    done = subprocess.run(
        [BROWSER, *options, *size, path.as_uri()],
        capture_output=True,
        text=True,
        timeout=120,
        check=True,
    )
    found = re.search(r"FOUND (.*) END", done.stdout)
    assert found is not None, done.stdout[-500:]
    cut, broken = json.loads(found[1])
    assert cut == []
    assert broken > 0 or width > 360


def test_a_loss_is_set_as_the_lecture_sets_it(made: dict[str, Document]) -> None:
    page = html.render(made["lecture"])
    by_entry, whole = page.index('class="formula by-entry"'), page.index('class="formula whole"')
    assert by_entry < whole
    said = re.findall(r'alttext="(J equals[^"]*)"', page)
    assert said[0].startswith("J equals minus the sum over i of bracket y sub i")
    assert said[1].startswith("J equals minus the sum of Y times log of A")


@pytest.mark.parametrize(
    ("form", "shown"),
    [
        (GradientForm.BOTH, ("the sum over i of bracket", "the sum of Y times")),
        (GradientForm.INDEX, ("the sum over i of bracket",)),
        (GradientForm.MATRIX, ("the sum of Y times",)),
    ],
)
def test_the_form_chooses_how_the_loss_is_set(form: GradientForm, shown: tuple[str, ...]) -> None:
    page = html.render(lesson(derive(load_model("logistic_batch")), form))
    names = page[page.index('class="names"') : page.index("</table>")]
    said = re.findall(r'alttext="J equals minus ([^"]*)"', names)
    assert [text[: len(begin)] for text, begin in zip(said, shown, strict=True)] == list(shown)


def test_headers_have_words_and_regions_take_the_focus(made: dict[str, Document]) -> None:
    page = html.render(made["lecture"])
    heads = re.findall(r'<th scope="row"([^>]*)><math', page)
    assert heads
    assert all("aria-label=" in head for head in heads)
    assert '<div class="forward" tabindex="0"' in page
