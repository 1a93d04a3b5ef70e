"""The programme in the ledger's config: each rule with its dates, and every mistake told with its place."""

import re
from datetime import UTC
from pathlib import Path
from zoneinfo import ZoneInfo

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from ledger import config
from ledger.config import parse
from ledger.config_programme import ProgrammeSection
from ledger.points.programme import FOR_EVER, Lifetime, PointsRule, Programme
from tests.ledger.test_config import problems

REFERENCE = Path(config.__file__).with_name("default.toml")


def test_what_is_set_reaches_the_rules() -> None:
    """Every key of a rule, and each way to say how long points live."""
    text = """
        [programme]
        time_zone = "Europe/Paris"
        write_off_after_days = 90
        [[rule]]
        id = "base@2"
        points = 2
        per = 300
        worth = 5
        currency = "CHF"
        activation_days = 14
        expires = {days = 365}
        [[rule]]
        id = "gift@1"
        expires = {end_of_year_after = 1}
        [[rule]]
        id = "old@1"
        expires = "never"
        """
    rules = (
        PointsRule("base@2", 2, 300, 5, "CHF", 14, Lifetime(days=365)),
        PointsRule("gift@1", expires=Lifetime(end_of_year_after=1)),
        PointsRule("old@1", expires=FOR_EVER),
    )
    wanted = Programme({rule.id: rule for rule in rules}, ZoneInfo("Europe/Paris"), 90)
    assert parse(text, "f").policy().programme == wanted


def test_without_a_word_nothing_expires() -> None:
    """And nothing is compared."""
    assert parse("", "f").policy().programme == Programme(zone=UTC)


def test_all_mistakes_are_told_at_once() -> None:
    """A key that is none, a zone that is none, a rule twice, one without its id, one that contradicts itself."""
    text = """
        [programme]
        time_zone = "Europe/Pariss"
        write_off_after_days = 0
        [[rule]]
        id = "base"
        [[rule]]
        points = 1
        per = 100
        [[rule]]
        id = "a@1"
        expires = {day = 3}
        [[rule]]
        id = "a@1"
        [[rule]]
        id = "b@1"
        activation_day = 3
        [[rule]]
        id = "c@1"
        activation_days = 30
        expires = {days = 3}
        """
    found = problems(text)
    assert set(found) == {
        "f:programme.time_zone",
        "f:programme.write_off_after_days",
        "f:rule[1].id",
        "f:rule[2].id",
        "f:rule[3].expires",
        "f:rule[4].id",
        "f:rule[5].activation_day",
        "f:rule[6]",
    }
    assert "Europe/Paris" in found["f:programme.time_zone"]
    assert "'activation_days'" in found["f:rule[5].activation_day"]
    assert "twice" in found["f:rule[4].id"]


def test_a_rule_that_is_no_list_is_told() -> None:
    """`[rule]` in place of `[[rule]]` is what one writes first."""
    for text in ('[rule]\nid = "a@1"', "rule = 1", "rule = [1]"):
        assert "[[rule]]" in " ".join(problems(text).values())


@given(st.text(max_size=40))
def test_any_name_of_a_zone_is_a_zone_or_a_mistake(name: str) -> None:
    """Paths, folders of zones and what no file can be called included."""
    text = f"[programme]\ntime_zone = {msgspec.json.encode(name).decode()}"
    assert set(problems(text)) <= {"f:programme.time_zone", "f"}


def test_the_reference_file_shows_every_key_and_what_it_shows_is_right() -> None:
    """The rules there are comments: with their marks off they are rules."""
    text = REFERENCE.read_text()
    for field in msgspec.structs.fields(ProgrammeSection):
        assert f"\n{field.name} = " in text
    written = text.partition("# [[rule]]")[2].partition("[policy]")[0]
    for field in msgspec.structs.fields(PointsRule):
        assert f"# {field.name} = " in written
    lines = re.findall(r"^# (\[\[rule\]\]|\w+ = .*)$", written, re.MULTILINE)
    for choice in ("days = 365", "end_of_year_after", '"never"'):
        one = [line for line in lines if "expires" not in line or choice in line]
        rules = parse("\n".join(["[[rule]]", *one]), "f").policy().programme.rules
        assert set(rules) == {"base@1", "opening@1"}
