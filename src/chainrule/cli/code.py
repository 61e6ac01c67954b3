"""``chainrule code``: forward pass and gradients as a module."""

from __future__ import annotations

import click

from chainrule.cli.shared import forward_pass, names_in, out_option, write_text, wrt_option

TARGETS = ("numpy", "torch", "jax", "javascript")


_HELP = """Write the forward pass in FILE and its gradients as a module.

FILE is a path, the name of a shipped example, or '-' for the standard input. The module has
`forward(...)`, which returns the cache, `backward(cache)`, which returns every gradient, and
`check()`, which compares them with central differences. Every step of the derivation behind it is
verified first.

--target is numpy, torch or jax for a module in Python that imports this library and nothing else,
or javascript for an ES module without imports, which runs in Node and in browsers; name its file
.mjs. Arrays have the precision and the device of the inputs; in JavaScript a matrix is
{ shape: [rows, columns], data }, its numbers row by row in a Float64Array.

\b
chainrule code examples/logistic_batch
chainrule code examples/softmax_batch --target torch --rows --out model.py
chainrule code examples/softmax_batch --hvp W
chainrule code examples/logistic_batch --target javascript --out model.mjs
"""


@click.command("code", help=_HELP, short_help="Write forward pass and gradients as a module.")
@click.argument("file")
@click.option(
    "--target",
    type=click.Choice(TARGETS),
    default="numpy",
    help="Library or language of the module.",
)
@click.option("--rows", is_flag=True, help="Store one example per row (all matrices transposed).")
@click.option("--examples", metavar="DIM", help="Dimension of the examples, with --rows.")
@wrt_option
@click.option(
    "--hvp",
    metavar="NAMES",
    help="Write the Hessian-vector product instead, with respect to W or W,b.",
)
@out_option
def command(
    file: str,
    target: str,
    rows: bool,
    examples: str | None,
    wrt: str | None,
    hvp: str | None,
    out: str | None,
) -> None:
    """Write the forward pass in FILE and its gradients as a module."""
    from chainrule.calculus.derivation.program import program
    from chainrule.deriving import derive, derive_second
    from chainrule.language.codegen import module_text
    from chainrule.lecture import examples_of

    if wrt is not None and hvp is not None:
        raise click.UsageError("choose one of --wrt and --hvp")
    if examples is not None and not rows:
        raise click.UsageError("--examples says what the rows are; it goes with --rows")
    model = forward_pass(file)
    names = names_in(wrt if hvp is None else hvp) or None
    by_rows = examples_of(model, examples) if rows else None
    derivation = derive_second(model, names, hessian=False) if hvp else derive(model, names)
    text = module_text(program(derivation, by_rows), target)
    write_text(text, out or None)
