"""The config's part on the programme: its time zone, its rules by id, and when expired points leave the books."""

from collections.abc import Mapping
from datetime import UTC, tzinfo
from typing import Annotated, Any
from zoneinfo import ZoneInfo

import msgspec

from ledger.points.programme import PointsRule, Programme, disagreements
from offline_queue.config_file import Problem, shown, values


class ProgrammeSection(msgspec.Struct, frozen=True):
    time_zone: Annotated[str, msgspec.Meta(min_length=1, max_length=64)] = "UTC"
    write_off_after_days: Annotated[int, msgspec.Meta(ge=1, le=36_500)] = 60


def programme(told: ProgrammeSection, tables: Any, file: str, problems: list[Problem]) -> Programme:
    """The section and the `[[rule]]` tables together; every mistake becomes a problem."""
    return Programme(
        rules=_rules(tables, file, problems),
        zone=_zone(told.time_zone, file, problems),
        write_off_after_days=told.write_off_after_days,
    )


def _zone(name: str, file: str, problems: list[Problem]) -> tzinfo:
    if name == "UTC":
        return UTC
    try:
        return ZoneInfo(name)
    except (KeyError, OSError, ValueError):  # unknown, a folder of zones, or no name of a file at all
        what = f"there is no time zone {shown(name)} on this machine. Write one like Europe/Paris, or install tzdata."
        problems.append(Problem(f"{file}:programme.time_zone", what))
        return UTC


def _rules(tables: Any, file: str, problems: list[Problem]) -> dict[str, PointsRule]:
    if not isinstance(tables, list):
        problems.append(Problem(f"{file}:rule", "must be written as [[rule]], once for each rule."))
        return {}
    rules: dict[str, PointsRule] = {}
    for number, table in enumerate(tables, 1):
        rule = _rule(table, f"{file}:rule[{number}]", problems)
        if rule is not None and rule.id in rules:
            problems.append(Problem(f"{file}:rule[{number}].id", f"{shown(rule.id)} stands there twice."))
        elif rule is not None:
            rules[rule.id] = rule
    return rules


def _rule(table: Any, where: str, problems: list[Problem]) -> PointsRule | None:
    if not isinstance(table, Mapping):
        problems.append(Problem(where, "must be written as [[rule]], once for each rule."))
        return None
    told = {key: value for key, value in table.items() if (key, value) != ("expires", "never")}
    found = values(told, PointsRule, where, problems)
    if "id" not in found:
        if "id" not in told:
            problems.append(Problem(f"{where}.id", 'is missing: name@version as the tills write it, like "base@1".'))
        return None
    rule = PointsRule(**found)
    problems += [Problem(where, what) for what in disagreements(rule)]
    return rule
