"""Write the parts of the documentation that come from runs: ``make docs``."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

from benchmarks.sparsity.report import written as pages_with_sparsity
from tools.speed import written as pages_with_speed

from chainrule.calculus.derivation.steps import Derivation
from chainrule.calculus.graph.dims import written
from chainrule.deriving import derive
from chainrule.language.reading import example_names, load_model
from chainrule.language.typeset import unicode

ROOT = Path(__file__).parents[1]
DERIVATIONS = ROOT / "docs" / "derivations.md"
FIGURES = ROOT / "docs" / "figures.md"
RESULTS = ROOT / "benchmarks" / "results.json"


def derivations() -> str:
    """Return the page of the shipped forward passes and their gradients."""
    lines = [
        "# The shipped forward passes and their gradients",
        "",
        "Written by `make docs` from the engine; every step behind it is verified. See the steps",
        "with `chainrule derive NAME`, verify them again with `chainrule check NAME`.",
    ]
    for name in example_names():
        lines += ["", *_example(name, derive(load_model(name)))]
    return "\n".join(lines) + "\n"


def _example(name: str, derivation: Derivation) -> Iterator[str]:
    model = derivation.model
    yield f"## {name}"
    yield ""
    yield f"{model.title[:1].upper()}{model.title[1:]}."
    yield ""
    yield "```text"
    for symbol in model.inputs:
        yield f"{symbol.name} : {written(symbol.shape)}"
    for definition in model.definitions:
        yield f"{unicode(definition.target)} = {unicode(definition.value)}"
    yield "```"
    yield ""
    yield "| gradient | matrix form | one entry | shape |"
    yield "|---|---|---|---|"
    named = {symbol.name: gradient for symbol, gradient in derivation.layers.items()}
    of = model.objective.name
    named |= {f"∂{of}/∂{key}": gradient for key, gradient in derivation.gradients.items()}
    for key, gradient in named.items():
        matrix = gradient.no_matrix_form if gradient.matrix is None else unicode(gradient.final)
        yield (
            f"| `{key}` | `{matrix}` | `{unicode(gradient.index)}` | "
            f"{written(gradient.variable.shape)} |"
        )
    yield ""
    if derivation.general:
        yield "For all rounds of the loop:"
        yield ""
        yield "| gradient | in every round | rounds |"
        yield "|---|---|---|"
        for step in derivation.general:
            rounds = f"{step.counter} = {step.span[0]}..{step.span[-1]}" if step.span else ""
            yield f"| `{unicode(step.left)}` | `{unicode(step.after)}` | {rounds} |"
        yield ""
    keep = ", ".join(f"`{unicode(symbol)}`" for symbol in derivation.cache)
    yield f"{len(derivation.steps)} verified steps. The forward pass must keep {keep}."


def figures() -> str:
    """Return the page of the measured figures, from the last ``make bench``."""
    results = json.loads(RESULTS.read_text(encoding="utf-8"))
    lines = [
        "# Measured figures",
        "",
        f"Written by `make docs` from the last `make bench` (Python {results['python']}, "
        f"{results['machine']}, {results['cores']} cores). The median counts.",
        "",
        "| what | median | slowest | promised |",
        "|---|---|---|---|",
    ]
    for row in results["figures"]:
        lines.append(
            f"| {row['name']} | {row['median'] * 1e3:.1f} ms | {row['slowest'] * 1e3:.1f} ms | "
            f"{row['bound'] * 1e3:.0f} ms |"
        )
    return "\n".join(lines) + "\n"


def main() -> None:
    """Write the pages."""
    pages = {DERIVATIONS: derivations(), FIGURES: figures(), **pages_with_speed()}
    pages |= pages_with_sparsity()
    for target, text in pages.items():
        target.write_text(text, encoding="utf-8")
        print(f"wrote {target.relative_to(ROOT)}")


if __name__ == "__main__":
    main()
