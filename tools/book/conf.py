"""Configuration of Sphinx for the site."""

from __future__ import annotations

import re
from importlib.metadata import version as installed
from typing import Any

project = "chainrule"
author = "The chainrule founders"
copyright = "The chainrule founders; BSD-3-Clause"
release = version = installed("chainrule")

extensions = ["myst_parser", "sphinx.ext.autodoc", "sphinx.ext.napoleon"]
source_suffix = {".md": "markdown", ".rst": "restructuredtext"}
# One backtick in a docstring is a name: a link where it is documented, code where it is not.
default_role = "py:obj"
myst_enable_extensions = ["deflist", "colon_fence"]
myst_heading_anchors = 3
napoleon_google_docstring = False
napoleon_numpy_docstring = True
napoleon_use_rtype = False
napoleon_use_ivar = True
autodoc_typehints = "none"
autodoc_class_signature = "mixed"
python_use_unqualified_type_names = True
# Console sessions and forward passes quote what no lexer knows.
suppress_warnings = ["misc.highlighting_failure"]
highlight_language = "text"
smartquotes = False  # options begin with two hyphens

html_theme = "furo"
html_title = "chainrule"
html_static_path = ["static"]
html_css_files = ["book.css"]
html_copy_source = False
html_show_sourcelink = False
html_show_sphinx = False
html_theme_options = {
    "light_css_variables": {
        "color-brand-primary": "#1d4ed8",
        "color-brand-content": "#1d4ed8",
        "color-brand-visited": "#1d4ed8",
    },
    "dark_css_variables": {
        "color-brand-primary": "#93b4ff",
        "color-brand-content": "#93b4ff",
        "color-brand-visited": "#93b4ff",
    },
}

_CODE = re.compile(r"(``.*?``|`[^`]*`)")
_MARKUP = re.compile(r"(?<=\w)_(?!\w)|\|")


def without_markup(lines: list[str]) -> None:
    """Escape what docstrings mean literally and reStructuredText reads as markup: coef_, |x|."""
    for number, line in enumerate(lines):
        if line.lstrip().startswith((">>>", "..")):
            continue
        parts = _CODE.split(line)
        parts[::2] = [_MARKUP.sub(lambda m: "\\" + m[0], part) for part in parts[::2]]
        lines[number] = "".join(parts)


def setup(app: Any) -> None:  # noqa: ANN401
    """Register what docstrings need."""

    def join(*arguments: Any) -> None:  # noqa: ANN401
        """Write names of parameters that stand on several lines on one, as napoleon reads them."""
        lines = arguments[-1]
        for number in range(len(lines) - 2, -1, -1):
            if re.fullmatch(r"(?:\w+, )*\w+,", lines[number]):
                lines[number : number + 2] = [f"{lines[number]} {lines[number + 1]}"]

    def process(*arguments: Any) -> None:  # noqa: ANN401
        without_markup(arguments[-1])

    app.connect("autodoc-process-docstring", join, priority=100)

    # After napoleon, which reads the sections as they are written.
    app.connect("autodoc-process-docstring", process, priority=900)
