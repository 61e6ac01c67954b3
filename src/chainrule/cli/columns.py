"""``chainrule columns``: what each column of a table is read as, and why."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from chainrule.cli.shared import file_options, ignore_option, out_option

if TYPE_CHECKING:
    from chainrule.tables.files.options import ReadOptions
    from chainrule.tables.survey import Survey

_HELP = """List the columns of a table: what each is read as, why, and what may be wrong with it.

With --out, writes the findings as TOML. Edit the roles there, and fit with it: chainrule fit DATA
--target COLUMN --columns columns.toml. DATA is what `chainrule fit` takes.

\b
Examples:
  chainrule columns loans.csv
  chainrule columns loans.csv --out columns.toml
  chainrule columns shop.sqlite --table sales --json
"""


@click.command("columns", help=_HELP, short_help="List the columns of a table and what they are.")
@click.argument("data")
@ignore_option
@out_option
@click.option("--json", "as_json", is_flag=True, help="Print the findings as JSON.")
@file_options
def command(
    data: str, ignore: tuple[str, ...], out: str | None, as_json: bool, file: ReadOptions
) -> None:
    """List the columns; the help text is `_HELP`."""
    import json
    from dataclasses import asdict

    from chainrule.cli.data_files import data_path, refuse_places
    from chainrule.cli.shared import write_text
    from chainrule.tables.columns_file import columns_text
    from chainrule.tables.reading import Declared
    from chainrule.tables.survey import survey_file

    path = data_path(data)
    refuse_places((path,), out)
    survey = survey_file(path, Declared(ignore=ignore, options=file))
    if as_json:
        write_text(json.dumps(asdict(survey), indent=2, ensure_ascii=False) + "\n", out)
    elif out is not None:
        write_text(columns_text(survey), out)
    else:
        write_text(_listed(survey), out)


def _listed(survey: Survey) -> str:
    lines = [f"{survey.source}: {survey.n_rows} rows, {len(survey.columns)} columns"]
    lines += [f"  note: {note}" for note in survey.notes]
    for finding in survey.columns:
        examples = ", ".join(f"'{example}'" for example in finding.examples)
        missing = f", {finding.missing} missing" if finding.missing else ""
        lines.append(finding.name)
        lines.append(f"  {finding.role}: {finding.why}")
        lines.append(f"  {finding.levels} distinct values{missing}: {examples}")
        lines += [f"  note: {warning}" for warning in finding.warnings]
    return "\n".join(lines) + "\n"
