"""Typesetting of expressions: text, LaTeX, MathML and speech from one layout."""

from __future__ import annotations

from chainrule.language.typeset.forward_pass import model_text
from chainrule.language.typeset.latex import latex
from chainrule.language.typeset.mathml import math_element, mathml
from chainrule.language.typeset.spoken import spoken
from chainrule.language.typeset.text import plain, unicode

__all__ = ["latex", "math_element", "mathml", "model_text", "plain", "spoken", "unicode"]
