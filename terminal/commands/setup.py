"""`tilld setup`: asks, tries, writes the config, and starts the till with it."""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Final

import click

from offline_queue.config_file import ConfigUnusable
from terminal.commands.console import Code, Failed, answer, answering, remark, state_folder
from terminal.config import SYSTEM_FILE, named_state

if TYPE_CHECKING:
    from terminal.setup.dialogue import Trials, Tried
    from terminal.setup.draft import Draft
    from terminal.setup.earlier import Earlier

SYSTEM_STATE: Final = Path("/var/lib/tilld")
"""What the systemd unit gives the service."""
EXAMPLES: Final = """
\b
Examples:
  sudo tilld setup
  tilld setup --config ./tilld.toml --state ./state
  tilld setup --yes --answers shop.toml --json
\b
An answers file has the config's own sections, and one more:
  [ledger]
  url = "https://ledger.example.com"
  [setup]
  boot = true
  sample = "2990000000017"
"""


@click.command(epilog=EXAMPLES)
@click.option("--config", type=click.Path(path_type=Path, dir_okay=False, readable=False), metavar="FILE",
              default=SYSTEM_FILE, show_default=True, help="The config to write.")  # fmt: skip
@click.option("--state", type=click.Path(path_type=Path, file_okay=False), metavar="DIR",
              help=f"State folder [default: the config's, else {SYSTEM_STATE} for the system's config].")  # fmt: skip
@click.option("--answers", type=click.Path(path_type=Path, dir_okay=False, exists=True), metavar="FILE",
              help="Take the answers from a TOML file; what it leaves out keeps its default.")  # fmt: skip
@click.option("--yes", is_flag=True, help="Ask nothing: defaults, and a config that is there is replaced.")
@answering
def setup(config: Path, state: Path | None, answers: Path | None, *, yes: bool, as_json: bool) -> Code:
    """Set up this till: five questions, each answer tried, one commented config.

    Readers, ledger, programme, language, start with the machine. A config that is there gives the defaults; it is
    replaced only when you say so, and kept beside the new one. Ends with 1 when something does not answer yet.
    """
    from terminal.setup import boot, earlier, outcome

    silent = yes or answers is not None
    if as_json and not silent:
        raise click.UsageError("--json asks nothing: add --yes or --answers FILE.")
    _refuse_impossible(config, silent=silent)
    there = earlier.found(config)
    if there.problems:
        remark("\n".join(["The config that is there has mistakes, so nothing is taken from it:", *there.problems]))
    place = state or named_state(config) or (SYSTEM_STATE if config == SYSTEM_FILE else state_folder(None))
    draft = there.draft(place if state or config == SYSTEM_FILE else None, boot=boot.RUNNING.is_dir())
    with _changing_nothing():
        draft, tried = _answered(draft, there, place, answers, silent=silent)
        new = outcome.text_of(draft)
        if new != there.text and not yes:
            _agree(there, config, new, silent=silent)
    try:
        done = outcome.brought_about(draft, config, place, new, there.text)
    except OSError as error:
        raise Failed(f"{config} was not written ({error}); what was there is there.", Code.USAGE) from None
    told = outcome.told(draft, config, tried, done)
    answer(told, outcome.words(told), as_json=as_json)
    return Code.FINE if told["ok"] else Code.ATTENTION


def _refuse_impossible(config: Path, *, silent: bool) -> None:
    """Before anybody has answered five questions in vain."""
    if not silent and not sys.stdin.isatty():
        raise click.UsageError("There is no terminal to ask on: give --yes or --answers FILE.")
    folder = next(one for one in config.absolute().parents if one.exists())
    if not os.access(folder, os.W_OK) or (config.exists() and not os.access(config, os.R_OK)):
        raise Failed(f"{config} cannot be written by this user: sudo tilld setup, or --config FILE.", Code.USAGE)


@contextmanager
def _changing_nothing() -> Iterator[None]:
    """Ctrl-C, or a no, ends it as it was."""
    try:
        yield
    except (click.Abort, KeyboardInterrupt):
        remark("\nNothing was changed.")
        raise click.Abort from None


def _answered(
    draft: "Draft", there: "Earlier", place: Path, answers: Path | None, *, silent: bool
) -> tuple["Draft", list["Tried"]]:
    from terminal.setup import dialogue
    from terminal.setup.draft import overlaid

    trials = _trials(there, place)
    if not silent:
        return dialogue.ask(draft, trials, there.readers)
    try:
        if answers is not None:
            draft = overlaid(draft, answers.read_text(errors="replace"), str(answers))
    except ConfigUnusable as unusable:
        raise Failed(f"{unusable}\nNothing was changed.", Code.USAGE) from None
    return draft, dialogue.tried(draft, trials)


def _trials(there: "Earlier", place: Path) -> "Trials":
    from terminal.setup import running, trials
    from terminal.setup.candidates import Machine, candidates
    from terminal.setup.dialogue import Trials

    status = running.status_of(place)
    return Trials(
        found=lambda configured: candidates(configured, Machine()),
        opened=lambda reader: running.ready_there(reader, there.readers, status) or trials.open_reader(reader),
        asked=lambda config: trials.ask_ledger(config, place),
    )


def _agree(there: "Earlier", config: Path, new: str, *, silent: bool) -> None:
    """Nothing is replaced unseen."""
    from terminal.setup.file import difference

    if there.text is None:
        if not silent:
            click.confirm(f"\nWrite {config}?", default=True, abort=True)
        return
    if silent:
        raise Failed(f"{config} is there and would change: look with `tilld setup`, or add --yes.", Code.ATTENTION)
    click.echo(f"\n{difference(there.text, new, str(config))}")
    click.confirm(f"Replace {config}? It is kept beside the new one.", default=True, abort=True)
