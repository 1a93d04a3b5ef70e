"""The manual page, made of the commands themselves: `make man` writes docs/man/tilld.1, and a test holds it to them.

Written in the macros of man(7) that groff and mandoc share.
"""

import sys
from collections.abc import Iterable, Iterator
from importlib.metadata import version
from pathlib import Path
from typing import Final

import click

from terminal.cli import SECTIONS, cli
from terminal.commands.help_text import ENVIRONMENT, EXIT_CODES, FILES, own_epilog

PAGE: Final = Path(__file__).parent / "man" / "tilld.1"
SIGNALS: Final = (
    ("SIGTERM, SIGINT", "end `tilld run` when the sales in flight are done"),
    ("SIGUSR1", "make `tilld run` read its config again"),
)
SEE_ALSO: Final = "pcscd(8), systemd.service(5), sd_notify(3), udev(7)"


def page() -> str:
    """The whole page."""
    context = click.Context(cli, info_name="tilld", **cli.context_settings)
    lines = [
        '.\\" Made of the commands by docs/man_page.py: change those.',
        f'.TH TILLD 1 "" "tilld {version("tilld")}" "User Commands"',
        *_section("NAME", ["tilld \\- loyalty points at the till: none lost, none counted twice"]),
        *_section("SYNOPSIS", [".B tilld", "[\\-\\-debug] \\fICOMMAND\\fR [\\fIOPTION\\fR]... [\\fIARGUMENT\\fR]..."]),
        *_section("DESCRIPTION", [*_prose(cli.help or ""), *_prose(own_epilog(cli))]),
        *_section("COMMANDS", [line for _, one in commands(cli, context) for line in _command(one)]),
        *_section("EXIT STATUS", _list(EXIT_CODES)),
        *_section("FILES", _list(place for places in FILES.values() for place in places.values())),
        *_section("ENVIRONMENT", _list(ENVIRONMENT)),
        *_section("SIGNALS", _list(SIGNALS)),
        *_section("SEE ALSO", [SEE_ALSO]),
    ]
    return "\n".join(lines) + "\n"


def commands(group: click.Group, context: click.Context) -> Iterator[tuple[str, click.Context]]:
    """Every command that does something, with its whole name, in the order of `tilld --help`."""
    names = [name for some in SECTIONS.values() for name in some] if group is cli else group.list_commands(context)
    for name in names:
        command = group.get_command(context, name)
        if command is None:
            continue
        here = click.Context(command, info_name=name, parent=context)
        if not isinstance(command, click.Group) or command.invoke_without_command:
            yield here.command_path, here
        if isinstance(command, click.Group):
            yield from commands(command, here)


def _command(context: click.Context) -> Iterator[str]:
    command = context.command
    pieces = " ".join(command.collect_usage_pieces(context))
    yield f'.SS "{text(f"{context.command_path} {pieces}")}"'
    yield from _prose(command.help or "")
    for parameter in command.get_params(context):
        record = parameter.get_help_record(context)
        if record is not None and "--help" not in parameter.opts:
            yield from (".TP", f"\\fB{text(record[0])}\\fR", text(record[1]))
    yield from _prose(own_epilog(command))


def _section(name: str, lines: Iterable[str]) -> Iterator[str]:
    yield f".SH {name}"
    yield from lines


def _list(rows: Iterable[tuple[str, str]]) -> Iterator[str]:
    for name, words in rows:
        yield from (".TP", f"\\fB{text(name)}\\fR", text(words))


def _prose(words: str) -> Iterator[str]:
    """click's paragraphs; after \\b they stand as they are."""
    for paragraph in words.strip("\n").split("\n\n"):
        lines = paragraph.strip("\n").splitlines()
        if not lines:
            continue
        yield ".PP"
        if lines[0].strip() != "\b":
            yield text(" ".join(line.strip() for line in lines))
            continue
        yield ".nf"
        yield from (_guarded(line) for line in lines[1:])
        yield ".fi"


def _guarded(line: str) -> str:
    """A blank line would be a paragraph of its own within what stands as it is."""
    return text(line) or "\\&"


def text(words: str) -> str:
    """Any text as roff reads it back: escapes, hyphens that can be copied, no line that begins as a request."""
    escaped = words.replace("\\", "\\e").replace("-", "\\-").replace('"', "\\(dq")
    shown = "".join(one if one.isascii() else f"\\[u{ord(one):04X}]" for one in escaped)
    return f"\\&{shown}" if shown.startswith((".", "'")) else shown


if __name__ == "__main__":
    PAGE.parent.mkdir(exist_ok=True)
    PAGE.write_text(page())
    sys.stdout.write(f"{PAGE.relative_to(Path.cwd())}\n")
