"""What the taps of a trial say of reader and card."""

from hypothesis import given
from hypothesis import strategies as st

from drivers.base import CardRead, CardUnreadable, EntryMode, Technology
from terminal.cards.identification import CardFormat, Identified, Recognition, identify
from terminal.counter.refusals import WORDS as REFUSALS
from terminal.counter.refusals import refused
from terminal.trial.judging import SLOW_MS, Evidence, Judgement, judge
from terminal.trial.remark_words import CARD_OF_REASON, WORDS
from terminal.trial.taps import Moment, Serial, Tap, TapResult, face_of, failed_tap, label_of, read_tap

NUMBER = "2990000000017"
NOW_MS = 1_772_359_200_000
AT = "2026-03-01T10:00:00.000Z"
BROKEN_OFF = CardUnreadable("card_gone", "The card left before it was read.", technology=Technology.NTAG)


def tap(read: CardRead, n: int = 1, card_format: CardFormat | None = None) -> Tap:
    verdict = identify(read, Recognition(card_format or CardFormat()), NOW_MS)
    return read_tap(Moment(n, AT, 1), read, verdict, "A")


def chip(data: str | None = NUMBER, uid: str | None = "04a1b2c3d4e5f6", **more: object) -> CardRead:
    technology = more.pop("technology", Technology.NTAG)
    return CardRead(technology, EntryMode.CONTACTLESS, data, uid, **{"effort": 1, "duration_ms": 80.0, **more})  # type: ignore[arg-type]


def codes(judgement: Judgement) -> list[str]:
    return [remark.code for remark in judgement.remarks]


def of(*reads: CardRead, card_format: CardFormat | None = None) -> Judgement:
    taps = tuple(tap(read, n, card_format) for n, read in enumerate(reads, 1))
    return judge(Evidence(len(taps), taps))


def test_a_reader_that_reads_every_tap_is_mended() -> None:
    """All taps, in time, of a card of the programme."""
    judgement = of(chip(), chip(), chip())
    assert (judgement.passed, judgement.card_usable) == (True, True)
    assert codes(judgement) == ["reads_all", "usable"]
    assert judgement.headline == "PASS: this reader works."
    assert judgement.card_headline == "What was presented can be used here."


def test_a_phone_is_told_to_show_its_code() -> None:
    """It was read well, so the reader passes; the phone is no use as it is."""
    judgement = of(*[chip(None, f"08{n:06x}", technology=Technology.PHONE) for n in range(3)])
    assert (judgement.passed, judgement.card_usable) == (True, False)
    (said,) = [remark.say for remark in judgement.remarks if remark.code == "phone_without_pass"]
    assert said == "This phone shows a random number: use its QR code."


def test_cards_that_are_no_use_are_told_apart() -> None:
    """Random and bare serial numbers, bank cards, other programmes, nothing at all: each in its own words."""
    eans = CardFormat(prefixes=("299",), shortest=13, longest=13)
    assert "random_number" in codes(of(chip(None, "08112233", technology=Technology.MIFARE_CLASSIC)))
    takes_serials = CardFormat(bare_uid=True)
    assert "random_number" in codes(of(chip(None, "08112233"), card_format=takes_serials))
    assert codes(of(chip(None), card_format=takes_serials)) == ["reads_all", "usable"]
    assert "bare_serial" in codes(of(chip(None)))
    assert "no_number" in codes(of(chip(None, None)))
    assert "bank_card" in codes(of(chip(None, None, technology=Technology.PAYMENT)))
    assert "other_programme" in codes(of(chip("12345"), card_format=eans))
    assert all(not remark.fails for remark in of(chip("12345"), card_format=eans).remarks)


def test_a_bank_card_that_the_driver_refuses_proves_the_reader() -> None:
    """The reader did what it must: it recognised the card and let it alone."""
    refusal = CardUnreadable("payment_card", "This is a payment card.", technology=Technology.PAYMENT)
    judgement = judge(Evidence(1, (failed_tap(Moment(1, AT, 1), refusal),)))
    assert (judgement.passed, judgement.card_usable) == (True, False)
    assert codes(judgement) == ["reads_all", "bank_card"]


def test_a_reader_that_fails_now_and_then_does_not_pass() -> None:
    """One tap of five is enough; the driver's reason is told."""
    good = [tap(chip(), n) for n in range(1, 5)]
    judgement = judge(Evidence(5, (*good, failed_tap(Moment(5, AT, 1), BROKEN_OFF))))
    assert not judgement.passed
    assert judgement.remarks[0].code == "intermittent"
    assert "4 of 5" in judgement.remarks[0].say
    assert "card_gone" in judgement.remarks[0].say
    assert judgement.card_usable is True


def test_a_reader_that_is_slow_does_not_pass() -> None:
    """By the median, so that one slow tap among fast ones is forgiven; drivers that tell no time are not judged."""
    slow = chip(duration_ms=SLOW_MS + 1.0)
    assert "slow" in codes(of(slow, slow, chip()))
    assert "slow" not in codes(of(slow, chip(), chip()))
    assert "slow" not in codes(of(chip(duration_ms=0.0)))


def test_breakdowns_and_what_is_still_wrong_fail_it() -> None:
    """However well the taps were read; the remedy of the reader's state is passed on."""
    taps = (tap(chip()),)
    judgement = judge(Evidence(1, taps, restarts=2, trouble="absent, unplugged. plug it in"))
    assert not judgement.passed
    assert codes(judgement) == ["not_ready", "broke_down", "reads_all", "usable"]
    assert "plug it in" in judgement.remarks[0].say


def test_a_worn_card_is_told_from_a_broken_reader() -> None:
    """Three attempts at each tap: the reader copes, the card should go."""
    judgement = of(*[chip(effort=3)] * 3)
    assert judgement.passed
    assert "worn" in codes(judgement)


def test_nothing_and_too_little_prove_nothing() -> None:
    """No card at all, and a trial that was broken off."""
    assert codes(judge(Evidence(5, ()))) == ["no_taps"]
    assert judge(Evidence(5, ())).card_usable is None
    assert codes(judge(Evidence(5, (tap(chip()),)))) == ["incomplete", "usable"]
    assert not judge(Evidence(5, (tap(chip()),))).passed


def test_nothing_of_a_card_is_told_but_its_last_digits() -> None:
    """Neither number nor serial number stands in a tap; a phone's serial number is random whatever it is."""
    told = tap(chip())
    assert told.card == "•••• 0017"
    assert NUMBER not in str(told)
    assert "a1b2c3" not in str(told)
    assert told.serial is Serial.FIXED
    assert tap(chip(None, "04112233445566", technology=Technology.PHONE)).serial is Serial.RANDOM


def test_cards_are_told_apart_by_what_stays() -> None:
    """The number, else the serial number; what is made anew at each tap is no face."""
    refusal = refused("no_number")
    assert face_of(chip(), Identified(NUMBER)) == face_of(chip(uid="04ffffffffffff"), Identified(NUMBER))
    assert face_of(chip(None), refusal) != face_of(chip(None, "04ffffffffffff"), refusal)
    assert face_of(chip(None, "08112233"), refusal) is None
    assert len({label_of(place) for place in range(100)}) == 100


def test_every_reason_has_its_words() -> None:
    """Whatever the till refuses a card for is told as something; no remark is without words."""
    assert set(CARD_OF_REASON.values()) <= WORDS.keys()
    for reason in REFUSALS:
        judgement = judge(Evidence(1, (read_tap(Moment(1, AT, 1), chip(), refused(reason), "A"),)))
        assert judgement.remarks[-1].about == "card", reason
        assert "{" not in judgement.remarks[-1].say


READS = st.builds(
    CardRead,
    technology=st.sampled_from(Technology),
    entry_mode=st.sampled_from(EntryMode),
    data=st.none() | st.text(max_size=30),
    uid=st.none() | st.binary(min_size=4, max_size=10).map(bytes.hex),
    effort=st.none() | st.integers(1, 9),
    duration_ms=st.floats(0, 9000),
)
FAILURES = st.builds(
    CardUnreadable,
    reason=st.sampled_from(["card_gone", "mute", "damaged", "half_scan", "payment_card", "no_pass", "never_heard_of"]),
    detail=st.text(max_size=30),
    technology=st.sampled_from(Technology),
)


@given(st.lists(READS | FAILURES, max_size=8), st.integers(1, 8), st.integers(0, 2), st.sampled_from(["", "absent"]))
def test_a_pass_is_never_given_away(
    seen: list[CardRead | CardUnreadable], wanted: int, restarts: int, trouble: str
) -> None:
    """Whatever is presented: a pass means that every wanted tap was read, and nothing broke down."""
    taps = tuple(
        tap(one, n) if isinstance(one, CardRead) else failed_tap(Moment(n, AT, 1), one) for n, one in enumerate(seen, 1)
    )
    judgement = judge(Evidence(wanted, taps, restarts, trouble))
    read = all(each.result in {TapResult.IDENTIFIED, TapResult.REFUSED} for each in taps)
    assert not judgement.passed or (read and len(taps) >= wanted and not restarts and not trouble)
    assert judgement.headline.startswith("PASS" if judgement.passed else "FAIL")
    assert judgement.remarks
    assert (judgement.card_usable is None) == (not any(each.answered for each in taps))
