"""How data shows itself in a notebook: by a door that is opened when a notebook asks.

The rooms that hold expressions know nothing of type or pages, so the renderers are looked up by
name in the room of reports, and nothing is loaded before something is displayed.
"""

from __future__ import annotations

from importlib import import_module

RENDERERS = "chainrule.documents.notebook"


class Displayed:
    """Gives a class the methods by which Jupyter and its kin display a value."""

    def _repr_html_(self) -> str:
        return str(import_module(RENDERERS).as_html(self))

    def _repr_latex_(self) -> str:
        return str(import_module(RENDERERS).as_latex(self))
