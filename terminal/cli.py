"""The command line: parse, call, print, exit code."""

import sys
from collections.abc import Sequence
from importlib.metadata import version
from typing import Final, NoReturn

import click

from terminal.commands.card import card
from terminal.commands.claim import claim
from terminal.commands.conflicts import conflicts
from terminal.commands.console import Code, Failed, for_others
from terminal.commands.doctor import doctor
from terminal.commands.help_text import told
from terminal.commands.mirror import enroll, mirror
from terminal.commands.queue import queue
from terminal.commands.setup import setup
from terminal.commands.sync import sync
from terminal.commands.till import check_config, readers, run, status, tap
from terminal.commands.trial import trial
from terminal.commands.watch import watch_events

SECTIONS: Final = {
    "Run": ("run", "ledger", "setup", "check-config", "enroll"),
    "Look": ("status", "doctor", "readers", "watch", "queue", "mirror"),
    "Act": ("tap", "sync", "claim", "card", "conflicts", "test-card"),
    "More": ("completion",),
}
LEDGER_HELP: Final = "Run the reference ledger, or look into its books."

EXAMPLES: Final = """
\b
Examples:
  tilld run                        a till with every reader found
  tilld tap 2990000000017          present a card to the simulated reader
  tilld watch                      see what happens, as it happens
  tilld status --json | jq .queue  how much waits for the ledger

\b
Exit codes:
  0 fine   1 something needs attention   2 usage or config
  3 the till does not answer   4 internal error
"""


COMPLETION_EXAMPLES: Final = """
\b
Examples:
  tilld completion bash > /etc/bash_completion.d/tilld
  tilld completion zsh > "${fpath[1]}/_tilld"
  tilld completion fish > ~/.config/fish/completions/tilld.fish
"""


class Tilld(click.Group):
    """The commands by what one wants; the ledger's are loaded only when asked for."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click's own signature
        return [name for names in SECTIONS.values() for name in names]

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name == "ledger":
            from ledger.cli import ledger

            return told(ledger, "ledger")
        command = super().get_command(ctx, cmd_name)
        return told(command) if command else None

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        for section, names in SECTIONS.items():
            with formatter.section(section):
                formatter.write_dl([(name, self._help(ctx, name)) for name in names])

    def _help(self, ctx: click.Context, name: str) -> str:
        if name == "ledger":
            return LEDGER_HELP
        command = self.get_command(ctx, name)
        return command.get_short_help_str(60) if command else ""


@click.group(cls=Tilld, epilog=EXAMPLES, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(version("tilld"), prog_name="tilld")
@click.option("--debug", is_flag=True, help="Show tracebacks.")
def cli(*, debug: bool) -> None:
    """The till that reads every loyalty card and never loses or doubles a point."""


@cli.command(epilog=COMPLETION_EXAMPLES)
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
def completion(shell: str) -> Code:
    """Print the script that completes tilld's commands in your shell.

    Where the till runs, Tab also offers its readers, transactions and conflicts.
    """
    from click.shell_completion import get_completion_class

    found = get_completion_class(shell)
    if found is None:
        raise click.UsageError(f"click knows no completion for {shell}.")
    click.echo(found(cli, {}, "tilld", "_TILLD_COMPLETE").source())
    return Code.FINE


for command in (
    run,
    setup,
    check_config,
    status,
    doctor,
    readers,
    watch_events,
    tap,
    sync,
    queue,
    claim,
    enroll,
    mirror,
    card,
    conflicts,
    trial,
):
    cli.add_command(command)


def main(arguments: Sequence[str] | None = None) -> NoReturn:
    """Ends the process with one of the exit codes; a traceback only with --debug."""
    given = list(sys.argv[1:] if arguments is None else arguments)
    try:
        code = cli.main(given, prog_name="tilld", standalone_mode=False)
    except Failed as failed:
        click.echo(f"tilld: {failed}", err=True)
        sys.exit(failed.code)
    except click.exceptions.NoArgsIsHelpError as error:
        click.echo(error.format_message(), err=True)
        sys.exit(Code.USAGE)
    except click.UsageError as error:
        command = error.ctx.command_path if error.ctx else "tilld"
        click.echo(f"{command}: {error.format_message()}\nTry `{command} --help`.", err=True)
        sys.exit(Code.USAGE)
    except click.ClickException as error:
        click.echo(f"tilld: {error.format_message()}", err=True)
        sys.exit(Code.USAGE)
    except (click.Abort, KeyboardInterrupt):
        sys.exit(130)
    except PermissionError as error:
        if "--debug" in given:
            raise
        click.echo(f"tilld: {for_others(error.filename or 'what this needs')}", err=True)
        sys.exit(Code.USAGE)
    except Exception as error:  # the last line of defence: whatever it is, the user gets a sentence and a code
        if "--debug" in given:
            raise
        click.echo(f"tilld failed: {type(error).__name__}: {error}", err=True)
        click.echo(
            "This is a defect; `tilld --debug ...` shows where. What was answered with 201 is in the journal.", err=True
        )
        sys.exit(Code.INTERNAL)
    sys.exit(code if isinstance(code, int) else Code.FINE)
