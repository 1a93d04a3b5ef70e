"""`tilld setup`: asks, tries, writes the config, and starts the till with it."""

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click

from offline_queue.legible import legible
from terminal.client import NotRunning
from terminal.console import Code, Failed, Place, answer, answering, state_folder
from terminal.config import SYSTEM_FILE

if TYPE_CHECKING:
    from terminal.config import Config, ReaderConfig
    from terminal.setup.boot import Facts, Plan
    from terminal.setup.dialogue import Tried, Trials
    from terminal.setup.draft import Draft
    from terminal.setup.trials import Word

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
@click.option("--config", type=click.Path(path_type=Path, dir_okay=False), metavar="FILE", default=SYSTEM_FILE,
              show_default=True, help="The config to write.")  # fmt: skip
@click.option("--state", type=click.Path(path_type=Path, file_okay=False), metavar="DIR",
              help="State folder [default: the config's, else /var/lib/tilld for the system's config].")  # fmt: skip
@click.option("--answers", type=click.Path(path_type=Path, dir_okay=False, exists=True), metavar="FILE",
              help="Take the answers from a TOML file; what it leaves out keeps its default.")  # fmt: skip
@click.option("--yes", is_flag=True, help="Ask nothing: defaults, and a config that is there is replaced.")
@answering
def setup(config: Path, state: Path | None, answers: Path | None, *, yes: bool, as_json: bool) -> Code:
    """Set up this till: five questions, each answer tried, one commented config.

    Readers, ledger, programme, language, start with the machine. A config that is there gives the defaults; it is
    replaced only when you say so, and kept beside the new one. Ends with 1 when something does not answer yet.
    """
    from terminal.setup import file
    from terminal.setup.commented import commented

    silent = yes or as_json or answers is not None
    _refuse_impossible(config, silent=silent)
    there, text = _there(config)
    place = Place(state or _state_of(config, there), config)
    trials = _trials(place)
    draft = _first_draft(there, config, state, place)
    if silent:
        draft, tried = _unasked(draft, answers, trials)
    else:
        draft, tried = _asked(draft, trials, there)
    new = commented(draft.config, _reference())
    changed = new != text
    if changed and text is not None and not yes:
        _confirm(file.difference(text, new, str(config)), config, silent=silent)
    backup = _written(config, new) if changed else None
    plan, done = _started(config, place, boot=draft.boot)
    told = _told(config, draft, tried, plan, backup, changed=changed, done=done)
    answer(told, _words(told), as_json=as_json)
    return Code.FINE if done != "failed" and all(one.word.ok for one in tried) else Code.ATTENTION
