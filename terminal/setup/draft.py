"""What the five questions come to: a config, whether it starts at boot, and a card number to try it with. Pure."""

import tomllib
from collections.abc import Mapping
from typing import Any, Final

import msgspec

from offline_queue.config_file import ConfigUnusable, Problem
from terminal.config import SECTIONS, Config, Programme, parse
from terminal.setup.toml_values import toml_key, toml_table, toml_value

OWN: Final = "setup"
"""The section of an answers file that is not of the config."""


class Extra(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What an answers file says beside the config."""

    boot: bool | None = None
    sample: str = ""


class Draft(msgspec.Struct, frozen=True):
    """`sample` is a card number of the programme, "" where none was given."""

    config: Config
    boot: bool
    sample: str = ""


def document_of(config: Config) -> dict[str, Any]:
    """Every key of the config, as TOML would be read: its sections, and `reader` with a table for each."""
    document = {name: msgspec.to_builtins(getattr(config, name)) for name in SECTIONS}
    readers = [{"name": one.name, "driver": one.driver, **one.options} for one in config.readers]
    return {**document, "reader": readers}


def overlaid(draft: Draft, answers: str, file: str) -> Draft:
    """The draft with the answers over it: the config's own sections, and `[setup] boot, sample`.

    Raises ConfigUnusable with every mistake of the answers.
    """
    try:
        given = tomllib.loads(answers)
        extra = msgspec.convert(given.pop(OWN, {}), Extra)
    except (ValueError, RecursionError) as error:  # msgspec's and tomllib's errors are ValueErrors
        raise ConfigUnusable([Problem(file, f"cannot be used: {error}.")]) from error
    config = parse(plain_text(_merged(document_of(draft.config), given)), file)
    boot = draft.boot if extra.boot is None else extra.boot
    return Draft(_with_rule(config, draft.config.programme, given), boot, extra.sample or draft.sample)


def with_programme(config: Config, before: Programme, **numbers: Any) -> Config:
    """Other numbers are another rule: its version goes up, so that the ledger knows who computed what."""
    programme = msgspec.structs.replace(config.programme, **numbers)
    if msgspec.structs.replace(programme, rule=before.rule) != before:
        programme = msgspec.structs.replace(programme, rule=next_rule(before.rule))
    return msgspec.structs.replace(config, programme=programme)


def next_rule(rule: str) -> str:
    """`base@1` becomes `base@2`; a version that is no number gets one after it."""
    name, _, version = rule.partition("@")
    if version.isascii() and version.isdigit() and len(version) < 15:
        return f"{name}@{int(version) + 1}"
    return f"{name}@{version[:13]}.1"


def plain_text(document: Mapping[str, Any]) -> str:
    """The document as TOML without any comment; what is no table stands first, as TOML wants it."""
    bare, tables = [], []
    for name, value in document.items():
        if isinstance(value, Mapping):
            tables.append(toml_table(name, value))
        elif isinstance(value, list) and all(isinstance(one, Mapping) for one in value):
            tables += [toml_table(name, one, one_of_many=True) for one in value]
        else:
            bare.append(f"{toml_key(name)} = {toml_value(value)}")
    return "\n".join([*bare, *tables, ""])


def _merged(base: dict[str, Any], given: Mapping[str, Any]) -> dict[str, Any]:
    """Section by section, key by key; the readers as a whole. What is no section is left for `parse` to refuse."""
    merged = dict(base)
    for name, values in given.items():
        both = isinstance(values, Mapping) and isinstance(base.get(name), Mapping)
        merged[name] = {**base[name], **values} if both else values
    return merged


def _with_rule(config: Config, before: Programme, given: Mapping[str, Any]) -> Config:
    return config if "rule" in given.get("programme", {}) else with_programme(config, before)
