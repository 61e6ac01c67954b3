"""Display of values in notebooks, by renderers that are imported on first use.

Packages below `chainrule.documents` may not import it, so the renderers are found by name.
"""

from __future__ import annotations

from importlib import import_module

RENDERERS = "chainrule.documents.notebook"


class NotebookDisplay:
    """Mixin with the display methods of Jupyter."""

    def _repr_html_(self) -> str:
        return str(import_module(RENDERERS).as_html(self))

    def _repr_latex_(self) -> str:
        return str(import_module(RENDERERS).as_latex(self))
