"""Entry point of the command line: lazy loading of commands, and errors as sentences."""

from __future__ import annotations

import signal
import sys
from importlib import import_module
from typing import Any

import click

from chainrule import __version__
from chainrule.errors import ChainruleError, ProofError

COMMANDS = {
    "derive": "Derive the gradients of a forward pass, step by step.",
    "check": "Verify every step, and compare the gradients with finite differences.",
    "audit": "Judge a derivation line by line: which is wrong, and why.",
    "grade": "Judge an answer: is this the gradient, and if not, which mistake?",
    "code": "Write forward pass and gradients as a module in Python or JavaScript.",
    "board": "The board in the browser: derive, ask why, practise, audit, train.",
    "practice": "Practise backpropagation: one question after the other.",
    "exercise": "The bank of exercises, problem sets, your own.",
    "progress": "Show, export or delete what was practised.",
    "fit": "Fit a table with any loss of one score, with a certificate.",
    "columns": "List the columns of a table: what each is read as, and why.",
    "predict": "Predict with a fitted model, streaming.",
    "compare": "Compare two fitted models on the same rows.",
    "report": "Show a saved model: a summary, a model card or a page.",
    "export": "Write a fitted model as SQL, Python, C, ONNX or PMML, compared first.",
    "calibrate": "Measure this machine, so that fits predict their seconds.",
    "train": "Gradient descent with the derived gradient, on any forward pass.",
    "demo": "Derive, verify, fit and train on real data, and write one page of it.",
}


_OF_TABLES = {"fit", "columns", "predict", "compare"}
"""Commands whose tables pyarrow reads."""


class Commands(click.Group):
    """A group whose commands are imported on call."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the names in the order of a first lesson."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import one command."""
        if cmd_name not in COMMANDS:
            return None
        module = import_module(f"chainrule.cli.{cmd_name}")
        command: click.Command = module.command
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """List the commands without importing them."""
        with formatter.section("Commands"):
            formatter.write_dl(list(COMMANDS.items()))

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Resolve a command; suggest the nearest for a misspelled one."""
        if args and args[0] not in COMMANDS and not args[0].startswith("-"):
            from difflib import get_close_matches

            near = get_close_matches(args[0], COMMANDS, n=1)
            hint = f" Did you mean {near[0]}?" if near else f" There are: {', '.join(COMMANDS)}."
            raise click.UsageError(f"No command {args[0]!r}.{hint}", ctx)
        return super().resolve_command(ctx, args)

    def invoke(self, ctx: click.Context) -> Any:  # noqa: ANN401
        """Run a command; turn a `ChainruleError` into a sentence and an exit status."""
        try:
            return super().invoke(ctx)
        except ProofError as error:
            raise _failure(error, status=3) from error
        except ChainruleError as error:
            raise _failure(error, status=1) from error
        except BrokenPipeError:  # click would make it 1, as if the input were wrong
            from chainrule.cli.endings import NO_READER

            raise SystemExit(NO_READER) from None


def _failure(error: ChainruleError, status: int) -> click.ClickException:
    class Failure(click.ClickException):
        exit_code = status

    return Failure(str(error))


_HELP = """Logistic regression you can see through. Derive it. Check it. Train it.

\b
chainrule derive examples/logistic_batch
chainrule check examples/board_b1
chainrule audit homework.md
chainrule code examples/logistic_batch --target torch
chainrule fit table.csv --target label --report report.html
chainrule demo
"""


@click.group(cls=Commands, help=_HELP, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="chainrule")
def cli() -> None:
    """Logistic regression you can see through. Derive it. Check it. Train it."""


def main() -> None:
    """Run the command line; whatever happens ends in one sentence and an exit status."""
    try:
        from chainrule.cli.endings import run_to_the_end

        if _OF_TABLES.intersection(sys.argv[1:2]):
            from chainrule.cli.data_files import import_arrow_alone

            import_arrow_alone()
    except KeyboardInterrupt:  # while modules are loaded, which has no other handler
        sys.stderr.write("Error: stopped.\n")
        sys.exit(128 + signal.SIGINT)
    sys.exit(run_to_the_end(cli))
