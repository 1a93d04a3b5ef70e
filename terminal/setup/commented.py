"""From a config to its file, with the reason of every key beside it. Pure.

The text is that of terminal/default.toml. A key that is at its default and was not asked for stands as `#key = value`:
the file tells what could be set, and what is not set follows the defaults of later versions.
"""

import re
import tomllib
from collections.abc import Iterator
from typing import Any, Final

from terminal.config import Config
from terminal.setup.draft import document_of
from terminal.setup.toml_values import toml_table, toml_value

HEADER: Final = """\
# The config of this till, written by `tilld setup`. Each key has its unit and its reason above it.
# A line like `#key = value` is the default: take the # away to change it. `tilld check-config` tells every mistake
# at once; the till reads this file when it starts."""

ASKED: Final = {
    "terminal": {"id", "store", "language"},
    "ledger": {"url"},
    "programme": {"rule", "currency", "points", "per", "worth"},
    "cards": {"formats"},
}
"""What is written although it is the default: the shop has said so."""

_SECTION: Final = re.compile(r"\[([a-z_]+)\]\Z")
_KEY: Final = re.compile(r"([a-z_0-9]+) = ")


def commented(config: Config, reference: str) -> str:
    """`reference` is the text of default.toml. The config that the result is read as equals `config`."""
    wanted, defaults = document_of(config), document_of(Config())
    head, readers = _halves(reference)
    lines = [HEADER, *_sections(head, wanted, defaults), *readers]
    lines += [f"{toml_table('reader', one, one_of_many=True)}\n" for one in wanted["reader"]]
    return "\n".join(lines)


def _halves(reference: str) -> tuple[Iterator[str], list[str]]:
    """The lines with sections, without the header; and the comment above the readers."""
    body = reference.partition("\n\n")[2]
    before = body.partition("\n[[reader]]")[0].splitlines()
    start = max(at for at, line in enumerate(before) if not line) + 1
    return iter(["", *before[:start]]), before[start:]


def _sections(lines: Iterator[str], wanted: dict[str, Any], defaults: dict[str, Any]) -> Iterator[str]:
    section = ""
    for line in lines:
        if found := _SECTION.match(line):
            section = found.group(1)
        if not (key := _KEY.match(line)):
            yield line
            continue
        name, whole = key.group(1), _whole(line, lines)
        value = wanted[section][name]
        if value != defaults[section][name]:
            yield f"{name} = {toml_value(value)}"
        elif name in ASKED.get(section, ()):
            yield from whole
        else:
            yield from (f"#{one}" for one in whole)


def _whole(first: str, rest: Iterator[str]) -> list[str]:
    """The lines of a value that goes over several."""
    whole = [first]
    while not _is_toml("\n".join(whole)):
        whole.append(next(rest))
    return whole


def _is_toml(text: str) -> bool:
    try:
        tomllib.loads(text)
    except tomllib.TOMLDecodeError:
        return False
    return True
