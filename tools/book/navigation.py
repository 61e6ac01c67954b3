"""The table of contents: which page stands in which part of the site.

A page of ``docs/`` that no part names stands under the last part; a page that a part names and
that does not exist yet is left out, so a page can be written before or after its entry.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass


@dataclass(frozen=True)
class Part:
    """One part of the site.

    Parameters
    ----------
    title : str
    pages : tuple of str
        Pages by their paths without the suffix; ``folder/*`` takes the rest of a folder.
    """

    title: str
    pages: tuple[str, ...]


PARTS = (
    Part(
        "Tutorials",
        (
            "install",
            "first_gradient",
            "tutorial",
            "notebooks/student",
            "notebooks/teacher",
            "notebooks/analyst",
        ),
    ),
    Part(
        "How-to",
        (
            "language",
            "board",
            "course",
            "exercises",
            "grading",
            "lms",
            "audit",
            "code",
            "presenting",
            "gradient_descent",
            "fitting",
            "predicting",
            "weights",
            "trouble",
            "validation",
            "inference",
            "report",
            "sparsity",
            "streams",
            "clusters",
            "coming_from",
        ),
    ),
    Part(
        "Gallery",
        ("gallery/index", "derivations"),
    ),
    Part(
        "Reference",
        (
            "reference/cli/index",
            "reference/api/index",
            "reference/operations",
            "reference/rules",
            "reference/losses",
            "reference/errors",
            "reference/files",
            "glossary",
            "changelog",
        ),
    ),
    Part(
        "Explanation",
        ("verified", "questions", "certificates", "benchmarks", "engine", "losses", "figures"),
    ),
    Part(
        "Contributing",
        (
            "contributing",
            "architecture",
            "packages/README",
            "packages/*",
            "english",
            "release",
            "conduct",
            "security",
        ),
    ),
)


def contents(pages: Iterable[str]) -> Iterator[tuple[str, list[str]]]:
    """Yield the title and the pages of each part, out of the pages there are."""
    there = dict.fromkeys(sorted(pages))
    there.pop("index", None)
    named = {page for part in PARTS for page in part.pages}
    for part in PARTS:
        found: list[str] = []
        for page in part.pages:
            if page.endswith("/*"):
                folder = page.removesuffix("*")
                found += [p for p in there if p.startswith(folder) and p not in named]
            elif page in there:
                found.append(page)
        for page in found:
            there.pop(page, None)
        if part is PARTS[1]:
            found += [p for p in there if "/" not in p and p not in named]
        yield part.title, found


def toctrees(pages: Iterable[str]) -> str:
    """Return the table of contents as directives for the first page."""
    blocks = []
    for title, found in contents(pages):
        lines = "\n".join(found)
        blocks.append(f"```{{toctree}}\n:caption: {title}\n:hidden:\n\n{lines}\n```")
    return "\n\n".join(blocks) + "\n"
