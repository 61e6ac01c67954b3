"""The reference of commands, from their own help."""

from __future__ import annotations

import re
from collections.abc import Iterator

import click
from tools.book.markdown import code, escaped, fenced

from chainrule.cli.main import COMMANDS, cli

_OPTION = re.compile(r"(?<![\w`-])--[a-z][a-z0-9-]*")
"""An option in prose; as code it is not broken after its hyphens."""

VERBATIM = "\b"
"""The mark by which click keeps the lines of a paragraph."""


def pages() -> dict[str, str]:
    """Return one page per command, and their list."""
    found = {"reference/cli/index.md": _index()}
    for name, command in commands():
        found[f"reference/cli/{name.replace(' ', '-')}.md"] = page(name, command)
    return found


def commands() -> Iterator[tuple[str, click.Command]]:
    """Yield every command and every command of a group, by the words that call it."""
    context = click.Context(cli)
    for name in COMMANDS:
        command = cli.get_command(context, name)
        assert command is not None
        yield name, command
        if isinstance(command, click.Group):
            for inner in command.list_commands(context):
                under = command.get_command(context, inner)
                assert under is not None
                yield f"{name} {inner}", under


def _index() -> str:
    names = [name for name, _ in commands()]
    lines = [
        "# Commands",
        "",
        "Every command prints the same text with `--help`. The",
        "[exit status](../errors.md#exit-status) has the same meaning for all of them.",
        "",
    ]
    for name, short in COMMANDS.items():
        lines += [f"[chainrule {name}]({name}.md)", f": {escaped(short)}", ""]
    tree = "\n".join(name.replace(" ", "-") for name in names)
    return "\n".join(lines) + f"\n```{{toctree}}\n:hidden:\n\n{tree}\n```\n"


def page(name: str, command: click.Command) -> str:
    """Return the page of one command."""
    context = click.Context(command, info_name=f"chainrule {name}")
    usage = " ".join(command.collect_usage_pieces(context))
    blocks = [f"# chainrule {name}", fenced(f"chainrule {name} {usage}")]
    blocks += _prose(command.help or "")
    options = [p for p in command.get_params(context) if isinstance(p, click.Option)]
    if options:
        blocks.append("## Options")
        blocks += [_option(option, context) for option in options if not option.hidden]
    return "\n\n".join(blocks) + "\n"


def _prose(text: str) -> Iterator[str]:
    for paragraph in re.split(r"\n\s*\n", text.strip()):
        if VERBATIM not in paragraph:
            yield _OPTION.sub(r"`\g<0>`", escaped(" ".join(paragraph.split())))
            continue
        lines = paragraph.replace(VERBATIM, "").strip("\n").split("\n")
        title = lines[0].strip()
        if title.endswith(":") and len(lines) > 1:
            yield escaped(title)
            lines = lines[1:]
        margin = min(len(line) - len(line.lstrip()) for line in lines if line.strip())
        yield fenced("\n".join(line[margin:] for line in lines))


def _option(option: click.Option, context: click.Context) -> str:
    names = ", ".join((*option.opts, *option.secondary_opts))
    if not option.is_flag and not option.count:
        names += f" {option.make_metavar(context)}"
    record = option.get_help_record(context)
    words = record[1] if record else ""
    said = _OPTION.sub(r"`\g<0>`", escaped(words))
    return f"{code(names)}\n: {said or 'No description.'}"
