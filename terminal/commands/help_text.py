"""What every command's --help tells beside its own words: how it ends, which files it uses, what it takes from outside.

The manual page (docs/man_page.py) is made of the same tables.
"""

from collections.abc import Iterator
from typing import Final

import click

EXIT_CODES: Final = (
    ("0", "fine"),
    ("1", "something needs attention"),
    ("2", "usage or config"),
    ("3", "the till does not answer"),
    ("4", "internal error"),
)
OFFICE_EXIT_CODES: Final = (*EXIT_CODES[:3], *EXIT_CODES[4:])
"""The ledger's commands work on the books themselves and ask no till."""
FILES: Final = {
    "config": {
        "till": ("/etc/tilld/tilld.toml", "the till's config"),
        "ledger": ("/etc/tilld/ledger.toml", "the reference ledger's config"),
    },
    "state": {"till": ("~/.local/state/tilld", "journal, tokens, key, socket (a service: /var/lib/tilld)")},
    "database": {"ledger": ("~/.local/state/tilld/ledger.db", "the reference ledger's books")},
}
"""By the option that names another one, and by whose command it is."""
STATE_DIRECTORY: Final = ("STATE_DIRECTORY", "the state folder, as systemd gives it to a service")
ENVIRONMENT: Final = (
    STATE_DIRECTORY,
    ("NOTIFY_SOCKET, WATCHDOG_USEC", "where `tilld run` says that it is ready and alive (sd_notify(3))"),
    ("LC_ALL, LC_MESSAGES, LANG", "the language that `tilld setup` proposes"),
)
HEADING: Final = "Exit codes:"


def told(command: click.Command, whose: str = "till") -> click.Command:
    """The command, and those in it, with the common words after its own, but for what it tells in words of its own.

    In lists its first sentence stands whole. The same however often it is called.
    """
    command.short_help = command.short_help or first_sentence(command.help or "")
    if isinstance(command, click.Group):
        for each in command.commands.values():
            told(each, whose)
    runs = not isinstance(command, click.Group) or command.invoke_without_command
    for heading, paragraph in common(command, whose) if runs else ():
        if heading not in (command.epilog or ""):
            command.epilog = f"{command.epilog}\n\n{paragraph}" if command.epilog else paragraph
    return command


def first_sentence(text: str) -> str:
    """On one line, with its full stop; click itself would cut it off at the end of a line."""
    paragraph = " ".join(text.partition("\n\n")[0].split())
    return f"{paragraph.partition('. ')[0].rstrip('.')}." if paragraph else ""


def common(command: click.Command, whose: str) -> Iterator[tuple[str, str]]:
    """Headings, each with its paragraph as click shows it line by line."""
    yield HEADING, _paragraph(HEADING, EXIT_CODES if whose == "till" else OFFICE_EXIT_CODES)
    if files := files_of(command, whose):
        yield "Files:", _paragraph("Files:", files)
        yield "Environment:", _paragraph("Environment:", (STATE_DIRECTORY,))


def files_of(command: click.Command, whose: str) -> tuple[tuple[str, str], ...]:
    """What the command uses where its options name no other."""
    options = {parameter.name for parameter in command.params}
    return tuple(places[whose] for option, places in FILES.items() if option in options and whose in places)


def own_epilog(command: click.Command) -> str:
    """Its examples and what else it alone tells."""
    own = command.epilog or ""
    for _, paragraph in (*common(command, "till"), *common(command, "ledger")):
        own = own.replace(paragraph, "")
    return own.strip("\n")


def _paragraph(heading: str, rows: tuple[tuple[str, str], ...]) -> str:
    width = max(len(name) for name, _ in rows)
    return "\n".join(["\b", heading, *(f"  {name.ljust(width)}  {words}" for name, words in rows)])
