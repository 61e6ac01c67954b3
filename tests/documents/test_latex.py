"""LaTeX that pdflatex compiles: ASCII alone, whatever letters a document holds."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from chainrule.documents.blocks import (
    Code,
    Document,
    Options,
    Section,
    Space,
    Style,
    Styled,
    prose,
)
from chainrule.documents.blocks import Prose as Paragraph
from chainrule.documents.renderers import latex

LETTERS = "ŷ = σ(z), ẑ and ȳ, naïve Öçé, a ≥ b ≠ c, ∂J/∂w → 0, 50 % of _x_ & #1 {~^}\\ ✓ ∑ x̂"
DOCUMENT = Document(
    "Handout: ŷ",
    f"Of {LETTERS}",
    (
        Section(
            "one",
            "1. Where ŷ is α",
            (
                Space("Name"),
                prose(LETTERS),
                Paragraph((Styled(LETTERS, Style.CODE), Styled("ŷ", Style.STRONG))),
                Code(f"ŷ = f(x)  # {LETTERS}\n\n--out  -- two"),
                Options((prose("ŷ"), prose("y − ŷ"))),
                Space(),
            ),
        ),
    ),
)


def test_every_letter_is_ascii_and_braces_close() -> None:
    text = latex.render(DOCUMENT)
    assert text.isascii()
    bare = text.replace(r"\{", "").replace(r"\}", "")
    assert bare.count("{") == bare.count("}")
    assert text.count(r"$\hat{y}$") >= 8
    assert r"\^{x}" in text
    assert r"na\"{i}ve \"{O}\c{c}\'{e}" in text


@pytest.mark.skipif(shutil.which("pdflatex") is None, reason="there is no LaTeX here")
def test_it_compiles(tmp_path: Path) -> None:
    (tmp_path / "it.tex").write_text(latex.render(DOCUMENT), encoding="utf-8")
    run = ["pdflatex", "-interaction=nonstopmode", "-halt-on-error", "it.tex"]
    done = subprocess.run(run, cwd=tmp_path, capture_output=True, check=False)
    assert done.returncode == 0, done.stdout.decode(errors="replace")[-2000:]
