"""The call `gallery`: forward passes to start from."""

from __future__ import annotations

from functools import cache

from chainrule.board.schema import Gallery, GalleryGroup, GalleryItem, NoArgs
from chainrule.board.training import data_info
from chainrule.language.reading import example_names, load_model, load_text
from chainrule.language.typeset import model_text
from chainrule.teaching.exercises.loading import bank

LECTURE = ("logistic_batch", "logistic_single", "softmax_batch", "logistic_l2")
"""The forward passes of the lecture."""

EXERCISES = ("board_b1", "board_b2", "board_b3", "board_b4")
"""The exercises at the board."""


@cache
def examples() -> tuple[GalleryGroup, ...]:
    """Return the shipped examples: the lecture, its exercises, networks of today."""
    rest = tuple(name for name in example_names() if name not in (*LECTURE, *EXERCISES))
    groups = (("The lecture", LECTURE), ("Exercises B1-B4", EXERCISES), ("Networks of today", rest))
    return tuple(
        GalleryGroup(title, tuple(_example(name) for name in names)) for title, names in groups
    )


@cache
def bank_groups() -> tuple[GalleryGroup, ...]:
    """Return the exercises of the bank, one group per topic."""
    return tuple(
        GalleryGroup(
            f"{topic.level}: {topic.title}",
            tuple(
                GalleryItem(each.id, each.title, model_text(each.model), each.level)
                for each in topic.exercises
            ),
        )
        for topic in bank()
    )


def gallery(args: NoArgs) -> Gallery:
    """Return every forward pass to start from, and the data set that ships."""
    return Gallery((*examples(), *bank_groups()), data_info())


def _example(name: str) -> GalleryItem:
    title = load_model(name).title or name
    return GalleryItem(name, title, load_text(name), "")
