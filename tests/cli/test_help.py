"""Help texts: every option has one, and it begins with its noun or an imperative."""

from __future__ import annotations

from collections.abc import Iterator

import click
import pytest

from chainrule.cli.main import COMMANDS, cli

FRAGMENTS = [
    "Of",
    "How",
    "What",
    "Which",
    "Where",
    "Or",
    "Such",
    "So",
    "Another",
    "In",
    "At",
    "See",
]


def options() -> Iterator[tuple[str, click.Option]]:
    context = click.Context(cli)
    for name in COMMANDS:
        command = cli.get_command(context, name)
        assert command is not None
        inner = command.commands.values() if isinstance(command, click.Group) else (command,)
        for each in inner:
            for parameter in each.params:
                if isinstance(parameter, click.Option):
                    yield f"{name} {each.name} {parameter.opts[0]}", parameter


@pytest.mark.parametrize(("name", "option"), list(options()), ids=lambda each: str(each)[:60])
def test_an_option_has_a_help_text_that_begins_with_its_noun(
    name: str, option: click.Option
) -> None:
    assert option.help, name
    assert option.help[0].isupper()
    assert option.help.endswith(".")
    assert option.help.split()[0].rstrip(":,") not in FRAGMENTS
