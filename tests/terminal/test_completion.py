"""Tab in a real bash: commands, options, and what the running till knows."""

import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

import click
import pytest

from drivers.base import ReaderState
from terminal.commands import completion
from terminal.inbox import ReaderStatus
from tests.acceptance.rig import tilld
from tests.api.conftest import Api, serving
from tests.api.fake_till import NOW, FakeTill
from tests.virtual.person import TAB, Person, person

pytestmark = pytest.mark.skipif(shutil.which("bash") is None, reason="no bash here")


@pytest.fixture
def till() -> Iterator[FakeTill]:
    till = FakeTill()
    till.start()
    yield till
    till.stop()


@pytest.fixture
def api(till: FakeTill, tmp_path: Path) -> Iterator[Api]:
    with serving(till, tmp_path) as api:
        yield api


@pytest.fixture
def bash(tmp_path: Path) -> Iterator[Person]:
    """A person in a bash that has read the script which `tilld completion bash` prints."""
    (tmp_path / "bin").mkdir()
    program = tmp_path / "bin" / "tilld"
    program.write_text(f'#!/bin/sh\nexec {sys.executable} -m terminal "$@"\n')
    program.chmod(0o755)
    (tmp_path / "rc").write_text(
        f"PATH={tmp_path / 'bin'}:$PATH\nPS1='ready> '\nbind 'set enable-bracketed-paste off'\n"
        f"bind 'set page-completions off'\n{tilld('completion', 'bash').stdout}"
    )
    root = str(Path(completion.__file__).parents[1])
    env = {"TERM": "dumb", "STATE_DIRECTORY": str(tmp_path), "PYTHONPATH": root, "LC_ALL": "C.UTF-8"}
    with person(["bash", "--noprofile", "--rcfile", tmp_path / "rc", "-i"], env) as person_at_bash:
        person_at_bash.sees("ready> ")
        yield person_at_bash


def test_tab_completes_commands_and_options(bash: Person) -> None:
    """A unique beginning is finished."""
    bash.types(f"tilld conf{TAB}li{TAB}--lim{TAB}")
    bash.sees("tilld conflicts list --limit ")


def test_tab_completes_what_the_running_till_knows(bash: Person, api: Api, till: FakeTill) -> None:
    """Names of readers that `tap` can use, ids of transactions."""
    till.readers.append(ReaderStatus("counter-2", "simulated", ReaderState.READY, NOW, "waits"))
    till.readers.append(ReaderStatus("counter-3", "pcsc", ReaderState.READY, NOW, "waits"))
    entry = str(api.sale("k-1").json["id"])
    bash.types(f"tilld tap --reader counter-{TAB}")
    bash.sees("--reader counter-2 ")
    bash.types("\x15")
    bash.types(f"tilld queue show {entry[:4]}{TAB}")
    bash.sees(f"tilld queue show {entry} ")


def test_no_till_offers_nothing(tmp_path: Path) -> None:
    """And says nothing: a Tab is no question that wants an error."""
    command = click.Command("x", params=[click.Option(["--state"], type=click.Path(path_type=Path))])
    context = click.Context(command)
    context.params = {"state": tmp_path}
    parameter = command.params[0]
    for completer in (completion.readers(), completion.transactions(), completion.conflicts()):
        assert completer(context, parameter, "") == []


def test_what_is_offered_holds_no_card_number(api: Api, tmp_path: Path) -> None:
    """Ids with what they are, the card masked."""
    api.sale("k-1")
    context = click.Context(click.Command("x"))
    context.params = {"state": tmp_path}
    (item,) = completion.transactions()(context, click.Argument(["x"]), "")
    assert item.help == "earn 5, •••• 0017"
    assert "2990000000017" not in str(vars(item))
