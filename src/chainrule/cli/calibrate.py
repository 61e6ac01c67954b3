"""``chainrule calibrate``: measure this machine, so that fits predict their seconds."""

from __future__ import annotations

import click

_HELP = """Measure the time of passes and operations on this machine.

Takes about ten seconds; run it while the machine is idle. Fits predict their seconds from these
constants (`explain()` shows them); the method, and so the answer, does not depend on them. They are
kept in the configuration folder of the user: $XDG_CONFIG_HOME/chainrule or ~/.config/chainrule.

\b
Examples:
  chainrule calibrate
  chainrule calibrate --show
  chainrule calibrate --reset
"""


@click.command("calibrate", help=_HELP, short_help="Measure this machine.")
@click.option("--show", is_flag=True, help="Print the constants in use; measure nothing.")
@click.option("--reset", is_flag=True, help="Delete measured constants and use the shipped ones.")
def command(show: bool, reset: bool) -> None:
    """Measure, show or delete the constants of this machine."""
    from chainrule.engine.runtime.constants import (
        MachineConstants,
        constants_file,
        remove_constants,
        store_constants,
        stored_constants,
    )

    if show and reset:
        raise click.UsageError("--show and --reset exclude each other; pass one of them")
    if reset:
        removed = remove_constants()
        click.echo(f"deleted {constants_file()}" if removed else "no constants were measured")
        return
    if show:
        stored = stored_constants()
        click.echo(f"{constants_file()}:" if stored else "shipped constants, in seconds:")
        found = stored or MachineConstants()
    else:
        from chainrule.engine.calibration import calibrate
        from chainrule.estimators.inputs import n_cores

        found = calibrate(n_cores())
        click.echo(f"wrote {store_constants(found)}, in seconds:")
    for name, seconds in vars(found).items():
        click.echo(f"  {name:<24}{seconds:.3g}")
