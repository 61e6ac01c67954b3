"""A derivation as a page of its own."""

from __future__ import annotations

from collections.abc import Sequence

from chainrule.calculus.derivation.steps import Derivation
from chainrule.documents.lesson.as_html import as_html
from chainrule.documents.lesson.outline import GradientForm
from chainrule.documents.page import Section, render_page


def lesson_page(
    derivation: Derivation, form: GradientForm = GradientForm.BOTH, more: Sequence[Section] = ()
) -> str:
    """Write a derivation, and more sections after it, as one self-contained HTML page."""
    title = derivation.model.title or "A derivation"
    lead = (
        f"The gradient of {derivation.model.objective.name} has the shape of its variable. "
        f"{len(derivation.steps)} steps, every one certified."
    )
    return render_page(
        title[:1].upper() + title[1:],
        lead,
        [
            Section("derivation", "The derivation", as_html(derivation, form, prefix="derivation")),
            *more,
        ],
    )
