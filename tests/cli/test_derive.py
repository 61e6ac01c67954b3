"""``chainrule derive``: every format, every form, and wrong input."""

from __future__ import annotations

import json
import re
from html.parser import HTMLParser
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from chainrule.cli.main import cli
from chainrule.language.reading import example_names

FINAL = {
    "logistic_single": {"w": "(a - y) x^T", "b": "a - y"},
    "logistic_batch": {"w": "(A - Y) X^T", "b": "(A - Y) 1"},
    "board_b1": {"a^[1]": "W^[2]^T dz^[2]"},
    "board_b2": {"w": "2(yhat - y)(1 - yhat^2) s(1 - s) x^2"},
    "board_b3": {"w": "-(y/yhat) [z > 0] x"},
    "board_b4": {"x": "2(yhat - y) W^T .* s .* (1 - s)"},
}


def run(*arguments: str, keys: str | None = None) -> Result:
    """Run the command line in this process."""
    return CliRunner().invoke(cli, list(arguments), input=keys)


@pytest.mark.parametrize("name", FINAL)
def test_json_holds_the_final_forms(name: str) -> None:
    done = run("derive", f"examples/{name}", "--format", "json")
    assert done.exit_code == 0, done.output
    data = json.loads(done.output)
    assert {k: g["matrix"] for k, g in data["gradients"].items()} == FINAL[name]
    assert data["proven"] is True
    assert [step["id"] for step in data["steps"]] == list(range(1, len(data["steps"]) + 1))
    assert all(step["check"]["sentence"] and step["why"] for step in data["steps"])


def test_json_gives_shapes_as_words() -> None:
    data = json.loads(run("derive", "logistic_batch", "--format", "json").output)
    assert data["gradients"]["w"] == {
        "shape": ["1", "n"],
        "matrix": "(A - Y) X^T",
        "index": "sum_i (a_i - y_i) X_pi",
        "entry": [None, "p"],
        "latex": r"(A - Y)\,X^{\top}",
    }


def test_b1_lists_its_layers_and_its_cache() -> None:
    data = json.loads(run("derive", "board_b1", "--format", "json").output)
    assert data["layers"]["dz^[2]"]["matrix"] == "W^[3]^T dz^[3] .* a^[2] .* (1 - a^[2])"
    assert data["layers"]["dz^[3]"]["matrix"] == "a^[3] - y"
    assert data["cache"] == ["y", "W^[2]", "W^[3]", "a^[2]", "a^[3]"]
    assert data["steps"][-1]["left"] == "dL/da^[1]_1"
    assert data["steps"][-1]["after"] == "sum_j dz^[2]_j W^[2]_j1"


@pytest.mark.parametrize("name", example_names())
def test_text_fits_80_columns(name: str) -> None:
    done = run("derive", name)
    assert done.exit_code == 0, done.output
    assert max(len(line) for line in done.output.splitlines()) <= 80
    assert "every one verified" in done.output


def test_text_follows_the_lecture() -> None:
    text = run("derive", "logistic_batch").output
    order = [
        "∂J/∂w = Σ_i ∂J/∂a_i · ∂a_i/∂z_i · ∂z_i/∂w",
        "∂J/∂a_i = ?",
        "∂J/∂a_i = -y_i/a_i + (1 - y_i)/(1 - a_i)",
        "∂a_i/∂z_i = ?",
        "∂a_i/∂z_i = a_i(1 - a_i)",
        "z_i = Σ_j w_j X_ji + b",
        "∂z_i/∂w_p = X_pi",
        "∂J/∂w_p = Σ_i (a_i - y_i) X_pi",
        "∂J/∂w_p = (A - Y) X_p^T",
        "∂J/∂w = (A - Y) X^T",
        "∂J/∂b = (A - Y) 1",
    ]
    places = [text.index(line) for line in order]
    assert places == sorted(places)


@pytest.mark.parametrize(
    ("form", "has", "lacks"),
    [
        ("index", "Σ_i (a_i - y_i) X_pi", "(A - Y) X^T"),
        ("matrix", "(A - Y) X^T", "entry p:"),
        ("both", "entry p: Σ_i (a_i - y_i) X_pi", "nothing of the kind"),
    ],
)
def test_forms(form: str, has: str, lacks: str) -> None:
    text = run("derive", "logistic_batch", "--wrt", "w", "--form", form).output
    assert has in text
    assert lacks not in text


def test_wrt_chooses_variables() -> None:
    data = json.loads(run("derive", "logistic_batch", "--wrt", "X", "--format", "json").output)
    assert {k: g["matrix"] for k, g in data["gradients"].items()} == {"X": "w^T (A - Y)"}


@pytest.mark.parametrize("name", example_names())
def test_latex_is_balanced_amsmath(name: str) -> None:
    text = run("derive", name, "--format", "latex").output
    assert text.startswith(r"\documentclass{article}" + "\n" + r"\usepackage{amsmath}")
    assert text.rstrip().endswith(r"\end{document}")
    assert text.replace(r"\{", "").replace(r"\}", "").count("{") == text.replace(r"\{", "").replace(
        r"\}", ""
    ).count("}")
    begun, ended = (re.findall(rf"\\{word}{{(\w+\*?)}}", text) for word in ("begin", "end"))
    assert sorted(begun) == sorted(ended)
    assert text.isascii()


class _Page(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.ids: list[str] = []
        self.symbols = 0
        self.open: list[str] = []
        self.addresses: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        if "id" in given:
            self.ids.append(given["id"] or "")
        if "data-symbol" in given:
            self.symbols += 1
            assert given["data-shape"]
            assert given["title"]
        self.addresses += [v or "" for k, v in attrs if k in ("src", "href")]
        if tag.startswith("m"):
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        return None

    def handle_endtag(self, tag: str) -> None:
        if tag.startswith("m") and tag in self.open:
            assert self.open.pop() == tag


@pytest.mark.parametrize("name", example_names())
def test_html_is_one_page_with_a_symbol_an_element(name: str) -> None:
    done = run("derive", name, "--format", "html")
    assert done.exit_code == 0, done.output
    page = _Page()
    page.feed(done.output)
    assert len(page.ids) == len(set(page.ids))
    assert page.symbols > 20
    assert all(address.startswith(("#", "data:")) for address in page.addresses)
    assert "<math" in done.output


def test_out_writes_a_file_and_says_so(tmp_path: Path) -> None:
    target = tmp_path / "b1.tex"
    done = run("derive", "board_b1", "--format", "latex", "--out", str(target))
    assert done.exit_code == 0
    assert target.read_text(encoding="utf-8").startswith(r"\documentclass")


def test_reveal_shows_a_step_a_key_and_leaves_on_q() -> None:
    done = run("derive", "logistic_single", "--reveal", keys="  q")
    assert done.exit_code == 0
    assert "∂L/∂w = ∂L/∂a · ∂a/∂z · ∂z/∂w" in done.output
    assert "∂L/∂b" in done.output
    assert "∂L/∂a = ?" not in done.output


def test_reveal_to_the_end() -> None:
    done = run("derive", "logistic_single", "--reveal", keys=" " * 60)
    assert "∂L/∂a = ?" in done.output
    assert "every one verified" in done.output


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("logistic_batsh",), "did you mean logistic_batch"),
        (("logistic_batch", "--wrt", "q"), "unknown name q"),
        (("logistic_batch", "--wrt", "J"), "J is the objective"),
    ],
)
def test_wrong_input_is_told_in_words(arguments: tuple[str, ...], message: str) -> None:
    done = run("derive", *arguments)
    assert done.exit_code == 1
    assert message in done.output
    assert "Traceback" not in done.output


def test_an_error_names_file_line_and_place(tmp_path: Path) -> None:
    model = tmp_path / "my.cr"
    model.write_text("x : (n, 1)\nw : (n, 1)\nz = w x\n", encoding="utf-8")
    done = run("derive", str(model))
    assert done.exit_code == 1
    assert "my.cr, line 3, column" in done.output
    assert "w^T x" in done.output


def test_reveal_without_a_terminal_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    def no_terminal() -> str:
        raise OSError("no such device")

    monkeypatch.setattr("click.getchar", no_terminal)
    done = run("derive", "logistic_single", "--reveal")
    assert done.exit_code == 2
    assert "needs a terminal" in done.output


def test_reveal_does_not_pretend_to_write(tmp_path: Path) -> None:
    done = run("derive", "logistic_single", "--reveal", "--out", str(tmp_path / "x"))
    assert done.exit_code == 2
    assert "--reveal is for the terminal" in done.output


def test_the_index_form_alone_has_left_sides() -> None:
    text = run("derive", "logistic_batch", "--form", "index").output
    assert "∂J/∂w_p = Σ_i (a_i - y_i) X_pi   of (1, n)" in text
    assert "19 of 22 steps" in text


def test_the_entry_that_was_asked_for_is_in_the_summary() -> None:
    text = run("derive", "board_b1").output
    assert "  ∂L/∂a^[1]_1 = Σ_j dz^[2]_j W^[2]_j1" in text.split("The gradients:")[1]


def test_latex_prose_may_be_greek(tmp_path: Path) -> None:
    model = tmp_path / "greek.cr"
    model.write_text("# the rôle of λ\nθ : (n, 1)\nL = norm(θ)^2\nwrt: θ\n", encoding="utf-8")
    text = run("derive", str(model), "--format", "latex").output
    assert text.isascii()
    assert r"The r\^{o}le of $\lambda$" in text


def test_a_mistyped_command_names_the_nearest() -> None:
    done = run("derrive", "logistic_batch")
    assert done.exit_code == 2
    assert "Did you mean derive?" in done.output


@pytest.mark.parametrize("command", ["derive", "check", "code"])
def test_a_forward_pass_comes_through_the_standard_input(command: str) -> None:
    done = run(command, "-", keys="w : (1, n)\nx : (n, 1)\nJ = (w x)^2\n")
    assert done.exit_code == 0, done.output
    wrong = run(command, "-", keys="w : (1, n)\nJ = (w x\n")
    assert wrong.exit_code == 1
    assert "the standard input, line 2" in wrong.output
    image = CliRunner().invoke(cli, [command, "-"], input=b"\x89PNG\r\n")
    assert "the standard input is not text in UTF-8 (byte 0): it is an image" in image.output


def test_a_reveal_needs_the_keys_for_itself() -> None:
    assert "are for a FILE" in run("derive", "-", "--reveal", keys="J = x").output
