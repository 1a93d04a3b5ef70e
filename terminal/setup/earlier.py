"""What was set up before: it gives the defaults of the questions."""

import os
from pathlib import Path
from typing import NamedTuple

import msgspec

from offline_queue.config_file import ConfigUnusable
from terminal.config import Config, ReaderConfig, parse
from terminal.setup.draft import Draft


class Earlier(NamedTuple):
    """`text` is None where no file is there; `problems` keep it from being used."""

    text: str | None = None
    config: Config | None = None
    problems: tuple[str, ...] = ()

    @property
    def readers(self) -> tuple[ReaderConfig, ...]:
        """Those that the file sets up."""
        return self.config.readers if self.config else ()

    def draft(self, state: Path | None, *, boot: bool) -> Draft:
        """Before any answer; `state` is written where the config names none."""
        config = self.config or Config(terminal=msgspec.structs.replace(Config().terminal, language=_language()))
        if state is not None and not config.terminal.state:
            terminal = msgspec.structs.replace(config.terminal, state=str(state.absolute()))
            config = msgspec.structs.replace(config, terminal=terminal)
        return Draft(config, boot)


def found(path: Path) -> Earlier:
    """The file as it is, usable or not."""
    if not path.exists():
        return Earlier()
    text = path.read_bytes().decode(errors="replace")
    try:
        return Earlier(text, parse(text, str(path)))
    except ConfigUnusable as unusable:
        return Earlier(text, None, tuple(map(str, unusable.problems)))


def _language() -> str:
    """Of whoever sets it up."""
    spoken = os.environ.get("LC_ALL") or os.environ.get("LC_MESSAGES") or os.environ.get("LANG") or ""
    return "fr" if spoken.startswith("fr") else "en"
