"""A derivation as slides: one self-contained page, one step per key press."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from markupsafe import Markup

from chainrule import __version__
from chainrule.calculus.derivation.steps import Derivation
from chainrule.documents.lesson.as_html import forward_html, gradients_html, step_html
from chainrule.documents.lesson.outline import GradientForm, derivation_sections, shown_phase
from chainrule.documents.page import asset, render


@dataclass(frozen=True)
class Slide:
    """One step of the derivation.

    Parameters
    ----------
    title : str
        The part of the derivation that it belongs to.
    html : Markup
        Question, answer, reason, shapes, proof, numbers.
    forms : str
        The forms that show it: ``index``, ``matrix`` or both.
    phase : str
        The purpose of the step.
    """

    title: str
    html: Markup
    forms: str
    phase: str


def slides(
    derivation: Derivation, numbers: Mapping[int, str] | None = None, place: str = ""
) -> str:
    """Return a derivation as slides.

    Space and the arrows go on and back, ``?`` opens the reason, ``s`` shows shapes, ``n`` numbers,
    ``i`` goes through the forms, ``p`` prints a handout, with blank answers after ``b``.

    Parameters
    ----------
    derivation : Derivation
        The derivation.
    numbers : mapping of int to str, optional
        HTML with numbers, by the id of the step.
    place : str, optional
        The description of the point.
    """
    title = derivation.model.title or "A derivation"
    lead = (
        f"The gradient of {derivation.model.objective.name} has the shape of its variable. "
        f"{len(derivation.steps)} steps, every one certified."
    )
    return render(
        "deck/deck.html",
        title=title[:1].upper() + title[1:],
        lead=lead,
        forward=Markup(forward_html(derivation)),
        slides=_slides(derivation, numbers or {}),
        gradients=Markup(gradients_html(derivation, GradientForm.BOTH)),
        place=place,
        style=asset("page.css") + asset("deck/deck.css"),
        script=asset("deck/deck.js"),
        version=__version__,
    )


def _slides(derivation: Derivation, numbers: Mapping[int, str]) -> list[Slide]:
    shown = {
        form.value: {
            step.id for part in derivation_sections(derivation, form) for step in part.steps
        }
        for form in (GradientForm.INDEX, GradientForm.MATRIX)
    }
    return [
        Slide(
            part.title,
            Markup(step_html(derivation, step, numbers.get(step.id, ""))),
            " ".join(name for name, ids in shown.items() if step.id in ids),
            shown_phase(step),
        )
        for part in derivation_sections(derivation, GradientForm.BOTH)
        for step in part.steps
    ]
