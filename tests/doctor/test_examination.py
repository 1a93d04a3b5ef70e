"""No section hides another: one that breaks or hangs is a finding, and what it had found stays."""

import threading
from collections.abc import Iterator
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from terminal.doctor.examination import Examination, Part
from terminal.doctor.findings import (
    GRAVITY,
    Check,
    Finding,
    Section,
    Verdict,
    Who,
    merged,
    section_of,
    worst,
)
from terminal.doctor.patient import Patient

THING = Check("part.thing", "The thing is well", "mend it", Who.TECHNICIAN)


def patient() -> Patient:
    return Patient(Path("/nowhere"))


def fine(_: Patient) -> Iterator[Finding]:
    yield THING.ok("as it should be")


def breaks(_: Patient) -> Iterator[Finding]:
    yield THING.broken("this much was seen")
    raise RuntimeError("the wheel came off")


def test_a_section_that_breaks_keeps_what_it_found_and_hides_no_other() -> None:
    """Its own error is a finding with the reason; its neighbours are whole, in their order."""
    parts = [Part("one", fine, ()), Part("two", breaks, ()), Part("three", fine, ())]
    one, two, three = Examination().sections(parts, patient())
    assert (one.verdict, three.verdict) == (Verdict.OK, Verdict.OK)
    assert [finding.code for finding in two.findings] == ["part.thing", "doctor.broke"]
    assert two.findings[1].section == "two"
    assert "RuntimeError: the wheel came off" in two.findings[1].evidence
    assert two.verdict is Verdict.BROKEN


def test_a_section_that_hangs_is_left_behind() -> None:
    """Its time is over, what it had found stays; while it still hangs it is not started again."""
    release, begun = threading.Event(), []

    def hangs(_: Patient) -> Iterator[Finding]:
        begun.append(1)
        yield THING.ok("seen before")
        release.wait(30)

    examination, part = Examination(), Part("stuck", hangs, (), deadline_s=2.0)
    first = examination.section(part, patient())
    second = examination.section(part, patient())
    release.set()
    assert [finding.code for finding in first.findings] == ["part.thing", "doctor.hung"]
    assert first.verdict is Verdict.ATTENTION
    assert "still hangs" in second.findings[0].evidence
    assert len(begun) == 1


def test_a_hanging_section_does_not_keep_the_others_waiting() -> None:
    """They are looked at meanwhile."""
    release = threading.Event()

    def hangs(_: Patient) -> Iterator[Finding]:
        release.wait(30)
        yield THING.ok("late")

    parts = [Part("stuck", hangs, (), deadline_s=0.05), Part("fine", fine, ())]
    stuck, other = Examination().sections(parts, patient())
    release.set()
    assert (stuck.verdict, other.verdict) == (Verdict.ATTENTION, Verdict.OK)


@given(st.lists(st.sampled_from(Verdict)))
def test_the_worst_counts(verdicts: list[Verdict]) -> None:
    """Nothing at all is fine; else no verdict is graver than the worst."""
    gravest = worst(verdicts)
    assert all(GRAVITY.index(verdict) <= GRAVITY.index(gravest) for verdict in verdicts)
    assert gravest in {*verdicts, Verdict.OK}


findings = st.builds(
    Finding,
    section=st.just("part"),
    code=st.sampled_from(["part.a", "part.b", "part.c"]),
    what=st.just(""),
    verdict=st.sampled_from(Verdict),
    evidence=st.sampled_from(["till", "shell"]),
    subject=st.sampled_from(["", "x"]),
)
sections = st.lists(findings, unique_by=lambda f: (f.code, f.subject)).map(lambda found: section_of("part", 1, found))


@given(sections, sections)
def test_what_the_till_sees_counts_and_gaps_are_filled(theirs: Section, ours: Section) -> None:
    """Nothing that the till has seen is replaced, nothing is told twice, nothing is forgotten."""
    both = merged(theirs, ours)
    places = [(finding.code, finding.subject) for finding in both.findings]
    assert len(places) == len(set(places))
    assert set(places) == {(f.code, f.subject) for f in (*theirs.findings, *ours.findings)}
    for finding in theirs.findings:
        if finding.verdict is not Verdict.UNKNOWN:
            assert finding in both.findings
    assert both.verdict is worst(finding.verdict for finding in both.findings)


def test_only_a_fault_needs_mending() -> None:
    """Who and remedy are those of the check, unless the finding knows better; well and unknown need neither."""
    assert (THING.ok("x").remedy, THING.unknown("x").who) == (None, None)
    assert (THING.attention("x").remedy, THING.broken("x").who) == ("mend it", Who.TECHNICIAN)
    assert THING.broken("x", remedy="replug it", who=Who.CASHIER).who is Who.CASHIER
    assert THING.judged(Verdict.UNKNOWN, "x", remedy="replug it").remedy is None
