"""The page: sound HTML that needs nothing but itself, and its plots."""

from __future__ import annotations

import itertools
import re
from collections import Counter
from html.parser import HTMLParser
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pytest

from chainrule.data import BREAST_CANCER
from chainrule.documents import plots
from chainrule.documents.page import Section, render_page
from chainrule.documents.renderers.html import section_html
from chainrule.documents.report.building import fit_sections
from chainrule.documents.report.overview import lead_of
from chainrule.documents.report.subject import Subject
from chainrule.tables.fitting import FitOptions, FittedTable, fit_file
from chainrule.tables.metrics import Curve

DERIVATION = (Path(__file__).parent / "derivation.html").read_text(encoding="utf-8")
VOID = {"meta", "br", "link", "img", "hr", "input", "source", "wbr"}


def sections_of(fitted: FittedTable) -> list[Section]:
    return [section_html(section) for section in fit_sections(fitted)]


def fit_lead(fitted: FittedTable, source: str) -> str:
    return lead_of(Subject(fitted.model, fitted), source)


class Page(HTMLParser):
    """Reads a page as a browser would, and minds what a browser forgives."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.text: dict[str, str] = {}
        self.faults: list[str] = []
        self.feed(html)
        self.close()
        self.faults += [f"<{tag}> stays open" for tag in self.open]

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        if not self.open or self.open.pop() != tag:
            self.faults.append(f"</{tag}> closes nothing")

    def handle_data(self, data: str) -> None:
        for tag in set(self.open):
            self.text[tag] = self.text.get(tag, "") + data

    def values(self, name: str) -> list[str]:
        return [attrs[name] or "" for _, attrs in self.tags if name in attrs]


@pytest.fixture(scope="module")
def fitted() -> FittedTable:
    return fit_file(BREAST_CANCER, FitOptions("diagnosis"))


@pytest.fixture(scope="module")
def html(fitted: FittedTable) -> str:
    sections = [*sections_of(fitted), Section("derivation", "The derivation", DERIVATION)]
    return render_page("A fit & its proof", fit_lead(fitted, "breast_cancer.csv"), sections)


@pytest.fixture(scope="module")
def page(html: str) -> Page:
    return Page(html)


def test_every_tag_closes(page: Page) -> None:
    assert page.faults == []
    assert page.tags[0] == ("html", {"lang": "en"})


def test_ids_are_unique_and_references_hit(page: Page) -> None:
    ids = page.values("id")
    assert [name for name, count in Counter(ids).items() if count > 1] == []
    referred = [href[1:] for href in page.values("href") if href.startswith("#")]
    referred += [
        match for clip in page.values("clip-path") for match in re.findall("#(.*)\\)", clip)
    ]
    for attribute in ("aria-labelledby", "aria-describedby", "for"):
        referred += [name for names in page.values(attribute) for name in names.split()]
    assert len(referred) > 50
    assert set(referred) <= set(ids)


def test_nothing_comes_from_the_network(html: str, page: Page) -> None:
    for attribute in ("href", "src", "action", "data", "poster", "srcset", "xlink:href"):
        local = ("#", "data:text/csv;")
        assert [value for value in page.values(attribute) if not value.startswith(local)] == []
    assert "@import" not in html
    assert re.findall(r"url\((?!#)", html) == []
    assert {tag for tag, _ in page.tags} & {"link", "iframe", "img", "object", "embed"} == set()
    policy = [attrs["content"] for _, attrs in page.tags if attrs.get("http-equiv")]
    assert policy[0] is not None
    assert policy[0].startswith("default-src 'none'")


def test_landmarks_and_headings(page: Page) -> None:
    tags = [tag for tag, _ in page.tags]
    assert [tags.count(tag) for tag in ("header", "nav", "main", "footer", "h1")] == [1] * 5
    levels = [int(tag[1]) for tag in tags if re.fullmatch("h[1-6]", tag)]
    assert all(after - before <= 1 for before, after in itertools.pairwise(levels))
    assert tags.index("a") < tags.index("header")  # the skip link comes first
    assert page.tags[tags.index("a")][1]["href"] == "#main"
    for tag, attrs in page.tags:
        if tag == "svg":
            assert attrs["role"] == "img"


def test_it_is_escaped_and_says_what_was_fitted(fitted: FittedTable, html: str, page: Page) -> None:
    assert "<h1>A fit &amp; its proof</h1>" in html
    assert fitted.metrics is not None
    assert f"right on {fitted.metrics.accuracy:.1%} of 113 rows" in html
    assert fitted.model.certificate.sentence.replace("<=", "≤") in page.text["p"]
    rows = {feature.name for feature in fitted.model.features}
    assert rows <= set(re.findall(r'<th scope="row">([^<]*)</th>', html))


def test_names_of_the_table_cannot_smuggle_markup(tmp_path: Path) -> None:
    evil = '<script>alert("x")</script>'
    path = tmp_path / "evil.csv"
    path.write_text(
        f'target,"{evil.replace(chr(34), chr(34) * 2)}",cost in $ or $\n'
        + (
            "<b>a</b>,1,3\n<i>c</i>,2,1\n<b>a</b>,3,4\n<i>c</i>,4,9\n<i>c</i>,1,2\n<b>a</b>,5,5\n"
            * 5
        )
    )
    found = fit_file(path, FitOptions("target"))
    html = render_page("t", fit_lead(found, evil), sections_of(found))
    page = Page(html)
    assert page.faults == []
    assert [tag for tag, _ in page.tags].count("script") == 1
    tags = [tag for tag, _ in page.tags]
    assert (tags.count("i"), tags.count("b")) == (0, 2)  # right answers are bold
    assert "cost in $ or $" in page.text["text"]


def test_more_than_two_classes(tmp_path: Path) -> None:
    path = tmp_path / "three.csv"
    path.write_text("kind,x,c\n" + "a,1,u\nb,2,v\nc,3,u\nb,1,u\nc,2,v\na,2,v\n" * 8)
    found = fit_file(path, FitOptions("kind"))
    html = render_page("t", fit_lead(found, "three.csv"), sections_of(found))
    assert Page(html).faults == []
    assert "geometric mean of all" in html
    assert html.count("<svg") == 5  # coefficients of three classes, the path twice; no ROC


def test_a_fit_without_held_out_rows() -> None:
    found = fit_file(BREAST_CANCER, FitOptions("diagnosis", holdout=0))
    assert [section.id for section in sections_of(found)] == [
        "fit",
        "coefficients",
        "quality",
        "columns",
        "certificate",
        "path",
    ]
    assert "never saw" not in fit_lead(found, "x")


def test_sections_must_differ() -> None:
    with pytest.raises(ValueError, match="section ids must differ"):
        render_page("t", "l", [Section("a", "A", ""), Section("a", "B", "")])


def test_the_derivation_reads_without_the_script(html: str) -> None:
    # Nothing is hidden until the script hides it.
    assert "<noscript" not in html
    static = html[html.index('<div class="derivation"') : html.index("</main>")]
    assert "hidden" not in static
    assert "concealed" not in static


def test_the_plots_follow_the_page() -> None:
    drawn = {
        "p": plots.objective_path("p", np.array([9.0, 3.0, 1.0])),
        "g": plots.gradient_path("g", np.array([5.0, 1e-3, 0.0])),
        "r": plots.roc("r", Curve(np.array([0.0, 0.0, 1.0]), np.array([0.0, 1.0, 1.0])), 1.0),
        "c": plots.coefficients("c", ["one", "two"], [1.0, -2.0]),
        "k": plots.calibration(
            "k", Curve(np.array([0.2, 0.8]), np.array([0.1, 0.9]), np.array([3, 9]))
        ),
        "q": plots.precision_recall(
            "q", Curve(np.array([0.0, 1.0]), np.array([1.0, 0.5])), 0.5, 0.4
        ),
    }
    for name, svg in drawn.items():
        root = ElementTree.fromstring(svg)
        ids = [element.get("id", "") for element in root.iter() if element.get("id")]
        assert len(ids) == len(set(ids))
        assert all(own.startswith(f"{name}-") for own in ids)
        # No colour of its own: everything is ink or a variable of the page.
        assert re.findall(r"#[0-9a-f]{6}\b", svg) == []
        assert "var(--accent" in svg
        assert len(list(root.iter("{http://www.w3.org/2000/svg}text"))) > 5
        assert len(list(root.iter("{http://www.w3.org/2000/svg}style"))) == 0
    assert "two −2.000" in drawn["c"] or "two -2.000" in drawn["c"]
    again = plots.coefficients("c", ["one", "two"], [1.0, -2.0])
    assert again == drawn["c"]
