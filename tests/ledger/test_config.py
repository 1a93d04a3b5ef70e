"""The ledger's config: read whole, all mistakes told at once, and the reference file true to the code."""

import tomllib
from pathlib import Path

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ledger import config
from ledger.config import Config, check, find, load, parse
from ledger.facts.codes import Code
from ledger.facts.policy import Limits, Policy, Stance, UnknownCards
from ledger.rules.policies import CHOICES, stance
from offline_queue.config_file import ConfigUnusable

REFERENCE = Path(config.__file__).with_name("default.toml")
PAGE = (Path(__file__).parents[2] / "docs" / "protocol.md").read_text()
CHOSEN = [(code, told) for code, choice in CHOICES.items() for told in Stance if len(choice.stances) > 1]


def problems(text: str) -> dict[str, str]:
    """Where each mistake stands, and its words."""
    try:
        parse(text, "f")
    except ConfigUnusable as unusable:
        return {problem.where: problem.what for problem in unusable.problems}
    return {}


def test_the_reference_file_is_the_built_in_default() -> None:
    """Whoever reads default.toml reads what the ledger does without a file."""
    reference = load(REFERENCE)
    assert msgspec.structs.replace(reference, stances={}) == load(None) == Config()
    assert Config().policy() == Policy()
    assert {code: stance(Policy(), code) for code in reference.stances} == reference.stances


def test_the_reference_file_shows_every_key() -> None:
    """A key that is not written there is a key that nobody finds; one without a default stands as a comment."""
    text = REFERENCE.read_text()
    for name, section in config.SECTIONS.items():
        written = text.partition(f"\n[{name}]")[2].partition("\n[")[0]
        for field in msgspec.structs.fields(section):
            assert f"\n{field.name} = " in written or f"\n# {field.name} = " in written, f"{name}.{field.name}"
    chosen = {code for code, choice in CHOICES.items() if len(choice.stances) > 1}
    assert set(tomllib.loads(text)["policy"]) == {*chosen, "till_resolutions"}


def test_tills_may_settle_or_not() -> None:
    """Nothing between: a till's word counts, or head office has the last one."""
    told = parse('[policy]\ntill_resolutions = "refuse"', "f")
    assert told.policy().till_resolutions is Stance.REFUSE
    assert "honour, refuse" in problems('[policy]\ntill_resolutions = "review"')["f:policy.till_resolutions"]
    assert "honour, refuse" in problems("[policy]\ntill_resolutions = 1")["f:policy.till_resolutions"]


def test_every_decision_code_has_its_choice() -> None:
    """What may be said of a record may be found in the config; the rest refuses allowances or says that all is well."""
    assert set(Code) - set(CHOICES) == {Code.POSTED, Code.INSUFFICIENT_POINTS, Code.RECOVERING}


def test_what_is_set_reaches_the_rules() -> None:
    """Every key of the file is a value of the policy."""
    text = """
        [ledger]
        unknown_cards = "register"
        [clock]
        tolerance_s = 60
        [limits]
        per_transaction = 100
        per_card_and_day = 200
        breaches = 0
        [policy]
        overdrawn = "review"
        """
    wanted = Policy(UnknownCards.REGISTER, {Code.OVERDRAWN: Stance.REVIEW}, Limits(100, 200), 60_000, 0)
    assert parse(text, "f").policy() == wanted


@pytest.mark.parametrize(("code", "told"), CHOSEN)
def test_a_stance_that_makes_no_sense_is_refused(code: Code, told: Stance) -> None:
    """Each code offers its own stances, and the message names them."""
    found = problems(f'[policy]\n{code} = "{told}"')
    if told in CHOICES[code].stances:
        assert found == {}
    else:
        assert f"must be one of {CHOICES[code].default}" in found[f"f:policy.{code}"]


def test_what_has_no_choice_says_so() -> None:
    """Nobody can make a key count twice, not even by config."""
    assert problems('[policy]\nduplicate = "honour"') == {
        "f:policy.duplicate": "cannot be chosen: it is always refuse; it is 'honour'."
    }
    assert problems('[policy]\nduplicate = "refuse"') == {}


def test_all_mistakes_are_told_at_once() -> None:
    """One run of check-config is enough to mend a file."""
    found = problems(
        """
        [ledgr]
        [ledger]
        listen = "nowhere"
        unknown_cards = "keep"
        [clock]
        tolerance = 3
        [limits]
        breaches = -1
        [policy]
        overdrawm = "honour"
        limit_breach = ["honour"]
        """
    )
    assert "Did you mean 'ledger'?" in found["f:ledgr"]
    assert "127.0.0.1:8790" in found["f:ledger.listen"]
    assert "Did you mean 'tolerance_s'?" in found["f:clock.tolerance"]
    assert "Did you mean 'overdrawn'?" in found["f:policy.overdrawm"]
    assert {"f:ledger.unknown_cards", "f:limits.breaches", "f:policy.limit_breach"} < set(found)
    assert len(found) == 7


def test_a_policy_that_is_no_section_is_told() -> None:
    """TOML has room for many mistakes."""
    assert "must be a section" in problems('policy = "honour"')["f:policy"]
    assert "is not TOML" in problems("[policy")["f"]


def test_open_enrolment_is_for_this_machine_alone() -> None:
    """The file is held to it like the command line."""
    assert "tilld ledger enroll" in problems('[ledger]\nlisten = "0.0.0.0:1"\nenrolment = "open"')["f:ledger.enrolment"]
    assert problems('[ledger]\nenrolment = "open"') == {}


@settings(max_examples=100)
@given(st.text(max_size=100))
def test_no_text_can_break_the_reader(text: str) -> None:
    """A config, or its mistakes."""
    assert isinstance(problems(text), dict)


def test_the_file_is_found_and_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The one that was named, else the system's; what cannot be read says so."""
    monkeypatch.setattr(config, "SYSTEM_FILE", tmp_path / "ledger.toml")
    assert find(None) is None
    (tmp_path / "ledger.toml").write_text("")
    assert find(None) == tmp_path / "ledger.toml"
    assert find(tmp_path / "other.toml") == tmp_path / "other.toml"
    assert check(tmp_path / "ledger.toml") == []
    (problem,) = check(tmp_path / "missing.toml")
    assert "cannot be read" in problem.what


@pytest.mark.parametrize("code", CHOICES)
def test_the_protocol_page_tells_each_choice(code: Code) -> None:
    """The default and what else may be chosen, as the code has them."""
    default, *others = CHOICES[code].stances
    (row,) = [line for line in PAGE.splitlines() if line.startswith(f"| `{code}` |") and line.count("|") == 6]
    assert [cell.strip() for cell in row.split("|")[4:6]] == [default, ", ".join(others)]
