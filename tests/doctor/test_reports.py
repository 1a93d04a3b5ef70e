"""What an examination becomes: a table, exit codes, a script, findings of cards that were presented."""

import json
import shlex
import subprocess

import pytest
from hypothesis import given
from hypothesis import strategies as st

from terminal.commands.client import Reply
from terminal.doctor import taps
from terminal.doctor.browser_policy import POLICIES, document, is_origin
from terminal.doctor.findings import Diagnosis, Finding, Level, Section, Verdict, Who, section_of, worst
from terminal.doctor.fix_hint import RESTART, commands, script
from terminal.doctor.local import exit_code
from terminal.doctor.sections import every_check
from terminal.doctor.sheet import end_mark, lines


def finding(
    verdict: Verdict, code: str = "part.thing", evidence: str = "seen", remedy: str = "tilld status"
) -> Finding:
    mends = remedy if verdict in {Verdict.ATTENTION, Verdict.BROKEN} else None
    return Finding("part", code, "It is well", verdict, evidence, "", mends, Who.ROOT if mends else None)


def diagnosis(*findings: Finding, running: bool = True) -> Diagnosis:
    sections = (section_of("part", 3, findings),)
    verdict = worst(each.verdict for each in findings)
    return Diagnosis("S001-T01", "0.1.0", Level.INTERNAL, "2026-03-01T10:00:00Z", running, verdict, sections)


@pytest.mark.parametrize(
    ("verdicts", "running", "code"),
    [
        (["ok"], True, 0),
        (["ok", "unknown"], True, 0),
        (["ok", "attention"], True, 1),
        (["broken", "unknown"], True, 1),
        (["ok"], False, 3),
        (["broken"], False, 1),
    ],
)
def test_exit_codes(verdicts: list[str], running: bool, code: int) -> None:
    """The worst; what could not be seen is no fault; a till that is down alone is 3."""
    assert exit_code(diagnosis(*(finding(Verdict(each)) for each in verdicts), running=running)) == code


def test_a_till_that_is_down_is_not_counted_twice() -> None:
    """Its own finding is what 3 says already."""
    down = finding(Verdict.ATTENTION, "till.running")
    assert exit_code(diagnosis(down, running=False)) == 3
    assert exit_code(diagnosis(down, finding(Verdict.BROKEN), running=False)) == 1


hostile = st.text(st.characters(codec="utf-8"), max_size=60)


@given(hostile, hostile)
def test_no_text_of_a_device_reaches_the_terminal_raw(evidence: str, subject: str) -> None:
    """Escapes, line feeds and turned writing are shown as what they are, each finding on its own lines."""
    told = Finding("part", "part.thing", "It is well", Verdict.BROKEN, evidence, subject, evidence, Who.ROOT)
    shown = list(lines(Section("part", Verdict.BROKEN, 1, (told,))))
    assert len(shown) == 4
    assert all(each.isprintable() for line in shown for each in line.replace("\x1b[", "").replace("\x1b", ""))


@given(hostile, hostile)
def test_no_text_of_a_device_becomes_a_command(evidence: str, remedy: str) -> None:
    """The script stays a script: whatever a device, a certificate or the ledger says stands in comments."""
    told = Finding("part", "part.thing", "It is well", Verdict.BROKEN, evidence, evidence, remedy, Who.ROOT)
    made = script(diagnosis(told), []).splitlines()
    runnable = [line for line in made if line and not line.startswith("#")]
    assert runnable == [line for line in commands(remedy) if line != RESTART] + [RESTART] * (
        RESTART in commands(remedy)
    )


@pytest.mark.parametrize(
    ("remedy", "runs"),
    [
        ("sudo usermod -aG video tilld; sudo systemctl restart tilld", 2),
        ("tilld conflicts list", 1),
        ("sudo usermod -aG dialout tilld, then start tilld again", 0),
        ("sudo fuser -v PORT", 0),
        ("Clean the reader's surface", 0),
        ("rm -rf /", 0),
        ("sudo chmod 600 '/s/a\nb'", 0),
        ("", 0),
    ],
)
def test_what_can_be_run_of_a_remedy(remedy: str, runs: int) -> None:
    """All of it or nothing: half a remedy may be worse than none."""
    assert len(commands(remedy)) == runs


def test_a_script_does_each_thing_once_and_restarts_at_the_end() -> None:
    """The gravest first; `sh` finds no fault in it."""
    join = f"sudo usermod -aG video tilld; {RESTART}"
    made = script(
        diagnosis(
            finding(Verdict.ATTENTION, remedy="tilld status"),
            finding(Verdict.BROKEN, remedy=join),
            finding(Verdict.BROKEN, remedy=join),
        ),
        ["https://pos.example.com"],
    )
    runnable = [line for line in made.splitlines() if line and not line.startswith("#")]
    assert runnable[:3] == ["sudo usermod -aG video tilld", "tilld status", RESTART]
    assert subprocess.run(["sh", "-n"], input=made, text=True, check=False).returncode == 0


@pytest.mark.parametrize(
    ("origin", "good"),
    [
        ("https://pos.example.com", True),
        ("http://10.0.0.5:8080", True),
        ("https://pos.example.com/", False),
        ("*", False),
        ("[*.]example.com", False),
        ("https://pos.example.com\nEND\nrm -rf /", False),
        ("null", False),
    ],
)
def test_only_whole_origins_are_let_in(origin: str, good: bool) -> None:
    """A pattern would let in pages of others; a line feed would end the file that the script writes."""
    assert is_origin(origin) is good
    if good:
        assert json.loads(document([origin])) == {policy: [origin] for policy in POLICIES}
    else:
        with pytest.raises(ValueError, match="is no origin"):
            document([origin])


def test_the_end_is_marked_with_its_sums() -> None:
    """A table that was cut off has no such line."""
    told = end_mark(diagnosis(finding(Verdict.OK), finding(Verdict.OK), finding(Verdict.BROKEN), running=False))
    assert told == "end of examination of S001-T01, level internal: 2 ok, 1 broken, the till is down"


READ = {"card": {"masked": "•••• 0017"}, "technology": "qr", "entry_mode": "scanned", "reader": "counter"}


@pytest.mark.parametrize(
    ("reply", "verdict"),
    [
        (Reply(200, READ), "ok"),
        (Reply(408, {"code": "no_card", "detail": "nobody came"}), "broken"),
        (Reply(409, {"code": "busy", "detail": "a POS waits"}), "unknown"),
        (Reply(422, {"code": "card_refused", "detail": "payment card"}), "attention"),
        (Reply(503, None), "attention"),
    ],
)
def test_what_a_presented_card_tells(reply: Reply, verdict: str) -> None:
    """A card that was refused was read at least; one that nobody presented was not."""
    assert taps.presented("counter", lambda: reply).verdict == verdict


def test_a_card_at_another_reader_is_another_customers() -> None:
    """It is passed over, a few times; then the reader counts as not tried."""
    replies = [Reply(200, READ | {"reader": "kiosk"}), Reply(200, READ)]
    assert taps.presented("counter", lambda: replies.pop(0)).verdict is Verdict.OK
    assert taps.presented("counter", lambda: Reply(200, READ | {"reader": "kiosk"})).verdict is Verdict.UNKNOWN


@pytest.mark.parametrize("check", every_check(), ids=lambda check: check.code)
def test_each_check_says_who_and_what(check: object) -> None:
    """A remedy that begins like a command is one, and one by sudo is for root."""
    remedy, who = check.remedy, check.who  # type: ignore[attr-defined]
    assert remedy
    assert check.what[0].isupper()  # type: ignore[attr-defined]
    if remedy.startswith(("sudo ", "tilld ")):
        shlex.split(remedy)
        assert who is not Who.CASHIER
    if commands(remedy) and "sudo " in remedy:
        assert who is Who.ROOT


def test_codes_are_there_once() -> None:
    codes = [check.code for check in every_check()]
    assert len(codes) == len(set(codes))
