"""Setting expressions in type: text, LaTeX and MathML from one layout."""

from __future__ import annotations

from chainrule.interpreters.typeset.forward_pass import model_text
from chainrule.interpreters.typeset.latex import latex
from chainrule.interpreters.typeset.mathml import math_element, mathml
from chainrule.interpreters.typeset.spoken import spoken
from chainrule.interpreters.typeset.text import plain, unicode

__all__ = ["latex", "math_element", "mathml", "model_text", "plain", "spoken", "unicode"]
