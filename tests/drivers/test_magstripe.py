"""Magnetic stripes: tracks, and payment cards that must not get past the driver."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drivers.base import CardRead, CardUnreadable, EntryMode, Report, Technology
from drivers.framing import Flaw, Scan
from drivers.magstripe import MAX_TRACK, Tracks, is_payment, luhn, tracks_in
from drivers.scans import ScanOptions, report_of

PAN = "4111111111111111"
TRACK_1 = f"%B{PAN}^DOE/JANE^2812101000000000?"
TRACK_2 = f";{PAN}=28121010000000000000?"


def swiped(text: str, **options: object) -> Report | None:
    return report_of(Scan(text.encode()), ScanOptions(**options))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("swipe", "number"),
    [
        (";2990000000017?", "2990000000017"),
        (";2990000000017?3", "2990000000017"),  # with the check character that some readers send along
        ("%L2990000000017^DOE/JANE?;2990000000017?", "2990000000017"),
        ("%CLUB-77^DOE/JANE^1?", "CLUB-77"),  # the name goes no further
        (";?+2990000000017?", "2990000000017"),
        ("%E?;2990000000017?", "2990000000017"),  # one track is worn, the other is enough
        (";2990000000017?;0299=77?", "2990000000017"),
    ],
)
def test_a_swipe_gives_the_number_of_its_first_good_track(swipe: str, number: str) -> None:
    """Track 2 before 1 before 3, up to the field separator, sentinels and check characters left out."""
    assert swiped(swipe) == CardRead(Technology.MAGSTRIPE, EntryMode.MAG_STRIPE, number)


def test_the_track_with_the_number_can_be_chosen() -> None:
    """A swipe that comes track by track, each with its ending, is one card: the other tracks are nothing."""
    assert swiped("%CLUB-77^X?;2990000000017?", track=1) == CardRead(
        Technology.MAGSTRIPE, EntryMode.MAG_STRIPE, "CLUB-77"
    )
    assert swiped("%CLUB-77^X?", track=2) is None
    assert swiped("+123?", track=2) is None


def test_a_worn_stripe_is_told() -> None:
    """Readers show a track that they could not read as E."""
    report = swiped("%E?;E?")
    assert isinstance(report, CardUnreadable)
    assert (report.reason, report.technology) == ("damaged", Technology.MAGSTRIPE)


@pytest.mark.parametrize(
    "swipe",
    [
        TRACK_1,
        TRACK_2,
        TRACK_1 + TRACK_2,
        TRACK_1[1:-1],  # readers can be set to leave the sentinels out
        TRACK_2[1:-1],
        f"%E?{TRACK_2}",
        f"]X0{TRACK_2}",
        f"junk {TRACK_1} junk",
        TRACK_1.lower(),  # typed with caps lock
        TRACK_1.lower()[1:-1],
        "%B4111 1111 1111 1112^DOE/JANE^28121010000?",  # one digit misread: the check digit is wrong
        f"%B{PAN}?",
        f";{PAN}?",
        f"+59{PAN}=2809780?",  # track 3, ISO 4909
        f"{PAN}D28121010000000000000",
        ";376680816376961=28121010000000000000?",  # 15 digits
        ";6035000000000000001=28121010000?",
    ],
)
def test_a_payment_card_is_dropped_in_the_driver(swipe: str) -> None:
    """Nothing of it is in the report, and the cashier reads what to do."""
    report = swiped(swipe)
    assert isinstance(report, CardUnreadable)
    assert (report.reason, report.technology) == ("payment_card", Technology.PAYMENT)
    assert not any(digit in repr(report) for digit in "0123456789")


@pytest.mark.parametrize("parity", [0, 1])
def test_a_payment_card_is_dropped_although_the_parity_is_configured_wrongly(parity: int) -> None:
    """Its number would be there with a bit more in each second character."""
    with_parity = bytes(one | (one.bit_count() % 2 != parity) << 7 for one in TRACK_2.encode())
    assert with_parity != TRACK_2.encode()
    report = report_of(Scan(with_parity), ScanOptions())
    assert isinstance(report, CardUnreadable)
    assert report.reason == "payment_card"


@pytest.mark.parametrize("flaw", Flaw)
def test_a_broken_swipe_tells_nothing_of_it(flaw: Flaw) -> None:
    """Half a payment card's track is dropped like a whole one."""
    report = report_of(Scan(TRACK_2[:9].encode(), flaw), ScanOptions())
    assert isinstance(report, CardUnreadable)
    assert PAN[:6] not in repr(report)


def test_a_programme_claims_its_own_stripes() -> None:
    """Cards laid out like a payment card's are read when their beginning is the programme's."""
    ours = ";603500000000000001=2812?"
    assert isinstance(swiped(ours), CardUnreadable)
    read = swiped(ours, stripes=("603500",))
    assert isinstance(read, CardRead)
    assert read.data == "603500000000000001"
    assert isinstance(swiped(TRACK_2, stripes=("603500",)), CardUnreadable)
    assert isinstance(swiped(f"{ours}{TRACK_1}", stripes=("603500",)), CardUnreadable)


@pytest.mark.parametrize("text", ["2990000000017", "https://shop.example/?card=2990000000017", "CLUB-77", "%50=2812?"])
def test_other_codes_are_no_payment_cards(text: str) -> None:
    """Digits alone are judged by identification, which knows the issuers."""
    assert not is_payment(text)


@given(st.text("0123456789%;+#?=^B DE/", max_size=80))
def test_no_text_breaks_the_parser(text: str) -> None:
    """Anything is a swipe or none, and its tracks hold no sentinel."""
    tracks = tracks_in(text)
    assert tracks is None or not any(set(content) & set("?%") for content in tracks.contents.values())


@given(
    st.integers(10**12, 10**19 - 1).map(str),
    st.sampled_from(["%B{}^X^2812101?", ";{}=2812101?", "B{}^X^2812", "{}=2812101", "%B{}^X^2812?;{}=2812?"]),
    st.text(max_size=10),
)
def test_no_track_of_a_payment_card_gets_through(pan: str, form: str, noise: str) -> None:
    """Whatever the number and whatever surrounds it."""
    report = swiped((noise + " " + form + noise).format(*[pan] * 2) if "{" not in noise and "}" not in noise else form)
    assert report is None or pan not in repr(report)


@pytest.mark.parametrize(
    ("swipe", "contents", "damaged"),
    [
        ("%A?;1?+2?", {1: "A", 2: "1", 3: "2"}, False),
        ("%?;1?", {2: "1"}, False),
        ("%E?;?", {}, True),
        ("%A?%B?", {1: "A"}, True),
        (f"%{'A' * MAX_TRACK}?", {1: "A" * MAX_TRACK}, False),
        (f"%{'A' * (MAX_TRACK + 1)}?;1?", {2: "1"}, True),
        (";1?;2?;3?", {2: "1", 3: "2"}, True),
    ],
)
def test_what_is_no_track_is_damage_or_nothing(swipe: str, contents: dict[int, str], damaged: bool) -> None:
    """An empty track is nothing; one too long, unread or twice there is damage, and the first of two counts."""
    assert tracks_in(swipe) == Tracks(contents, damaged)


def test_a_number_alone_is_a_payment_card_s_by_its_check_digit() -> None:
    """Other programmes begin their numbers with the same digits."""
    assert is_payment(f";{PAN}?")
    assert not is_payment(f";{PAN[:-1]}2?")


@given(st.text("0123456789", min_size=8, max_size=18), st.integers(0, 17), st.integers(1, 9))
def test_luhn_finds_every_wrong_digit(digits: str, place: int, change: int) -> None:
    """One check digit of ten is right, and with any one digit changed none is."""
    (right,) = [digits + last for last in "0123456789" if luhn(digits + last)]
    at = place % len(right)
    assert not luhn(right[:at] + str((int(right[at]) + change) % 10) + right[at + 1 :])


def test_luhn_is_the_published_one() -> None:
    """ISO/IEC 7812-1 annex B: the schemes' test numbers have it, their neighbours not."""
    assert luhn(PAN)
    assert luhn("378282246310005")
    assert luhn("79927398713")
    assert not luhn(PAN[:-1] + "2")
