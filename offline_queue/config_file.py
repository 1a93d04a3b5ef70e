"""How a config file is read, at the till and at the ledger: whole, and with all its mistakes told at once.

Each mistake says where it stands, what is wrong, and what was perhaps meant.
"""

import difflib
import re
import tomllib
from collections.abc import Iterator, Mapping
from enum import Enum
from pathlib import Path
from typing import Any, Final, get_args

import msgspec

_KINDS: Final = {
    "array": "a list",
    "object": "a table",
    "str": "a text",
    "int": "a whole number",
    "float": "a number",
    "bool": "true or false",
}
"""The library's names of what TOML can hold, in words."""
_EXPECTED: Final = re.compile(r"Expected `(\w+)`(?:, got `[^`]*`|( .*))?")


class Problem(msgspec.Struct, frozen=True):
    """One mistake: `where` is `file:section.key`, `what` says what is wrong and what would be right."""

    where: str
    what: str

    def __str__(self) -> str:
        return f"{self.where}: {self.what}"


class ConfigUnusable(Exception):
    """The config has mistakes; `problems` holds every one of them."""

    def __init__(self, problems: list[Problem]) -> None:
        super().__init__("\n".join(str(problem) for problem in problems))
        self.problems = problems


def read(path: Path) -> str:
    """The file's text. Raises ConfigUnusable."""
    try:
        return path.read_bytes().decode()
    except PermissionError as error:
        raise ConfigUnusable([Problem(str(path), "is not for this user: put sudo before the command.")]) from error
    except OSError as error:
        raise ConfigUnusable([Problem(str(path), f"cannot be read: {error.strerror}.")]) from error
    except UnicodeDecodeError as error:
        problem = Problem(str(path), f"is not UTF-8 text: {error.reason} at byte {error.start}.")
        raise ConfigUnusable([problem]) from error


def document(text: str, file: str, known: list[str], problems: list[Problem]) -> dict[str, Any]:
    """The TOML document; sections that are not `known` become problems. Raises ConfigUnusable for what is no TOML."""
    try:
        found = tomllib.loads(text)
    except (ValueError, RecursionError) as error:  # a number of thousands of digits is a mere ValueError
        raise ConfigUnusable([Problem(file, f"is not TOML: {error}.")]) from error
    problems += [Problem(f"{file}:{key}", unknown("section", key, known)) for key in found if key not in known]
    return found


def section(
    found: Mapping[str, Any], name: str, struct: type[msgspec.Struct], file: str, problems: list[Problem]
) -> Any:
    """The section `name` as `struct`, with the default of each key that is left out or wrong."""
    table = found.get(name, {})
    if not isinstance(table, dict):
        problems.append(Problem(f"{file}:{name}", f"must be a section: write [{name}] and its keys below."))
        return struct()
    return struct(**values(table, struct, f"{file}:{name}", problems))


def values(
    table: Mapping[str, Any], struct: type[msgspec.Struct], where: str, problems: list[Problem]
) -> dict[str, Any]:
    """The table's keys that are right; each of the others becomes a problem."""
    fields = {field.name: field for field in msgspec.structs.fields(struct)}
    values = {}
    for key, value in table.items():
        if key not in fields:
            problems.append(Problem(f"{where}.{key}", unknown("key", key, list(fields))))
            continue
        try:
            values[key] = msgspec.convert(value, fields[key].type)
        except msgspec.ValidationError as error:
            problems.append(Problem(f"{where}.{key}", f"{plain(error, fields[key].type)}; it is {shown(value)}."))
    return values


def unknown(noun: str, name: str, known: list[str]) -> str:
    close = difflib.get_close_matches(name, known, n=1, cutoff=0.5)
    if close:
        return f"there is no {noun} {shown(name)}. Did you mean {shown(close[0])}?"
    return f"there is no {noun} {shown(name)}. Known: {', '.join(known)}."


def shown(value: Any) -> str:
    """What was written, cut where it is long."""
    try:
        text = repr(value)
    except ValueError:  # Python writes no whole number of more than 4,300 digits
        return "a number of thousands of digits"
    return text if len(text) <= 60 else f"{text[:57]}..."


def plain(error: msgspec.ValidationError, shape: Any = None) -> str:
    """A sentence without the library's path notation, and without a pattern that `shape` describes in words."""
    text = str(error).partition(" - at ")[0]
    for meta in _metas(shape):
        if meta.pattern and meta.description and text.endswith(f"{meta.pattern!r}"):
            return f"must be {meta.description}"
    if text.startswith("Invalid enum value") and (choices := list(_choices(shape))):
        return f"must be one of {', '.join(choices)}"
    if (expected := _EXPECTED.fullmatch(text)) and expected[1] in _KINDS:
        return f"must be {_KINDS[expected[1]]}{expected[2] or ''}"
    return text[:1].lower() + text[1:]


def _choices(shape: Any) -> Iterator[str]:
    """The texts that a Literal, an Enum or a union of them takes."""
    if isinstance(shape, type) and issubclass(shape, Enum):
        yield from (str(member.value) for member in shape)
    for part in get_args(shape):
        yield from [part] if isinstance(part, str) else _choices(part)


def _metas(shape: Any) -> Iterator[msgspec.Meta]:
    if isinstance(shape, msgspec.Meta):
        yield shape
    for part in get_args(shape):
        yield from _metas(part)
