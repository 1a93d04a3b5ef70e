"""What all commands share: where the till is, how they answer, how they end."""

import functools
import json
import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import IntEnum
from pathlib import Path
from typing import Any, Final

import click

from offline_queue.legible import legible, legible_json
from terminal.commands.client import NotRunning, Reply, ask
from terminal.config import SYSTEM_FILE, find, named_state
from terminal.instance import config_of

STATE_HELP: Final = "State folder [default: the config's, else $STATE_DIRECTORY, else ~/.local/state/tilld]."
CONFIG_HELP: Final = f"Config file [default: {SYSTEM_FILE}, else built in]."


class Code(IntEnum):
    """How a command ends; scripts rely on it."""

    FINE = 0
    ATTENTION = 1
    USAGE = 2
    NOT_RUNNING = 3
    INTERNAL = 4


class Failed(Exception):
    """Ends a command: what happened and what to do next, in one or two lines on stderr."""

    def __init__(self, message: str, code: Code) -> None:
        super().__init__(message)
        self.code = code


@dataclass(frozen=True)
class Place:
    """Where this till keeps its state and its config (None: built-in defaults)."""

    state: Path
    config: Path | None

    @property
    def config_file(self) -> Path | None:
        """The one given, else what this folder's till was started with, else the system's; None: built-in defaults."""
        return self.config or config_of(self.state) or find(None)

    @property
    def socket(self) -> Path:
        return self.state / "tilld.sock"

    @property
    def journal(self) -> Path:
        return self.state / "journal.db"

    def ask(self, method: str, target: str, body: object = None) -> Any:
        """The running till's answer. Raises NotRunning, and Failed for what the till refuses."""
        return accepted(ask(self.socket, method, target, body))

    def need(self, method: str, target: str, body: object = None) -> Any:
        """The same for commands that nothing but the running till can do."""
        try:
            return self.ask(method, target, body)
        except NotRunning as why:
            raise Failed(self.not_running(why), Code.NOT_RUNNING) from None

    def not_running(self, why: NotRunning) -> str:
        if isinstance(why.__cause__, PermissionError):
            return for_others(self.state)
        told = f"no till answers at {self.socket} ({why}).\n"
        if self.config is None and is_closed(SYSTEM_FILE):
            return told + for_others(SYSTEM_FILE)
        return told + "Start it with `tilld run`, or name its state folder with --state DIR."


def is_closed(file: Path) -> bool:
    """Whether it is there and this user may not read it."""
    return os.access(file, os.F_OK) and not os.access(file, os.R_OK, effective_ids=True)


def for_others(path: object) -> str:
    """What a technician hears who has not asked as root."""
    return f"{path} is for its owner and root: put sudo before the command."


def accepted(reply: Reply) -> Any:
    if reply.status >= 400:
        problem = reply.body if isinstance(reply.body, dict) else {}
        said = problem.get("detail") or f"the till refuses (HTTP {reply.status}). {problem.get('title', '')}"
        raise Failed(legible(str(said).rstrip()), Code.ATTENTION)
    return reply.body


def state_folder(given: Path | None, config: Path | None = None) -> Path:
    """`--state`, else what the config names, else systemd's $STATE_DIRECTORY (its first), else the user's own."""
    chosen = given or named_state(find(config))
    if chosen is not None:
        return chosen
    named = os.environ.get("STATE_DIRECTORY", "").partition(":")[0]
    return Path(named) if named else Path.home() / ".local" / "state" / "tilld"


def placed(command: Callable[..., Code]) -> Callable[..., Code]:
    """Gives a command `--state` and `--config`, and hands both on as `place`."""

    @click.option("--state", type=click.Path(path_type=Path, file_okay=False, readable=False), metavar="DIR",
                  help=STATE_HELP)  # fmt: skip
    @click.option("--config", type=click.Path(path_type=Path, dir_okay=False, readable=False), metavar="FILE",
                  help=CONFIG_HELP)  # fmt: skip
    @functools.wraps(command)
    def with_place(*arguments: Any, state: Path | None, config: Path | None, **options: Any) -> Code:
        return command(*arguments, place=Place(state_folder(state, config), config), **options)

    return with_place


def answering(command: Callable[..., Code]) -> Callable[..., Code]:
    """Gives a command `--json`, as `as_json`."""
    return click.option("--json", "as_json", is_flag=True, help="One JSON document on stdout, nothing else.")(command)


def answer(value: object, text: str, *, as_json: bool) -> None:
    """Prints one or the other."""
    click.echo(legible_json(json.dumps(value, ensure_ascii=False)) if as_json else text)


def remark(text: str) -> None:
    """A word beside the answer: on stderr, so that it never gets into a pipe."""
    click.echo(text, err=True)


def columns(rows: Sequence[Sequence[str]]) -> str:
    """Left-aligned columns, two spaces apart; the first row is the heading."""
    cells = [[legible(cell) for cell in row] for row in rows]
    widths = [max(len(row[n]) for row in cells) for n in range(len(cells[0]))]
    lines = ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in cells]
    return "\n".join([click.style(lines[0], bold=True), *lines[1:]])


def details(told: Mapping[str, Any], plain: Callable[[Any], str]) -> str:
    """One value a line, each made `plain`; what is not there is left out."""
    return "\n".join(f"{name:16}{legible(plain(value))}" for name, value in told.items() if value not in (None, []))


def age(seconds: float | None) -> str:
    """`12 s`, `3 min`, `5 h`, `2 d`: as precise as a person needs."""
    if seconds is None:
        return "-"
    for unit, length in (("d", 86_400), ("h", 3600), ("min", 60)):
        if seconds >= 2 * length:
            return f"{seconds // length:.0f} {unit}"
    return f"{seconds:.0f} s"
