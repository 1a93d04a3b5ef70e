"""Which data is a card of the programme, and what the cashier hears where it is none."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from drivers.base import CardRead, Chip, EntryMode, Technology
from offline_queue.entry import CardProof
from terminal.cards.check_digits import luhn
from terminal.cards.identification import CardFormat, Identified, Proof, Recognition, identify, identify_number
from terminal.cards.links import LinkRule
from terminal.cards.number_formats import NumberFormat
from terminal.cards.payment_numbers import ISSUERS, is_payment_card
from terminal.cards.rotating_codes import RotatingRule, SignedRule
from terminal.cards.sdm import SdmRule
from terminal.counter.refusals import WORDS, Refused, refused

ANY = CardFormat()
PAYMENT_CARDS = [
    "4111111111111111",
    "5555555555554444",
    "2223003122003222",
    "378282246310005",
    "30569309025904",
    "6011111111111117",
    "3530111333300000",
    "6200000000000005",
    "4222222222222",
]


def with_check_digit(digits: str) -> str:
    return next(digits + last for last in "0123456789" if luhn(digits + last))


@pytest.mark.parametrize("number", ["2990000000017", "2990000000024", "1234", "A-1", "abc-DEF-0099", "0" * 64])
def test_numbers_of_the_programme_are_taken_as_printed(number: str) -> None:
    """Any 4 to 64 letters, digits and hyphens; no check digit is asked for."""
    verdict = identify_number(number, CardFormat(shortest=3))
    assert verdict == Identified(number)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "no_number"),
        ("\r\n", "no_number"),
        ("123", "too_short"),
        ("1" * 65, "too_long"),
        ("9" * 10_000, "too_long"),
        ("https://shop.example/c/1234", "format"),
        ("1234\u0660", "format"),
        ("carte n° 12", "format"),
    ],
)
def test_other_text_is_refused_with_a_reason(text: str, reason: str) -> None:
    """The reason is stable; the words say that no points moved."""
    verdict = identify_number(text, ANY)
    assert isinstance(verdict, Refused)
    assert verdict.reason == reason
    assert "No points moved" in verdict.detail.en
    assert verdict.steps


@pytest.mark.parametrize("number", PAYMENT_CARDS)
@pytest.mark.parametrize("dress", ["{}", " {}\r", "{}\x1d", "A{}B", "%B{}^DOE/J^2512101", ";{}=25121010000012300000?"])
def test_payment_cards_are_refused_without_a_digit_of_them(number: str, dress: str) -> None:
    """Plain, dressed by a scanner, or as track data: refused, and nothing of it is repeated."""
    verdict = identify_number(dress.format(number), ANY, keyed=False)
    assert isinstance(verdict, Refused)
    assert verdict.reason == "payment_card"
    assert not any(character.isdigit() for character in repr(verdict))


@pytest.mark.parametrize("number", ["4111 1111 1111 1111", "4111-1111-1111-1111", "3782 822463 10005"])
def test_a_payment_card_keyed_in_groups_is_recognised(number: str) -> None:
    """People type the groups that are printed on the card."""
    verdict = identify_number(number, ANY)
    assert isinstance(verdict, Refused)
    assert verdict.reason == "payment_card"


def test_loyalty_data_on_a_track_that_names_no_bank_is_not_track_data() -> None:
    """A digit run that no issuer uses and no track format surrounds is a loyalty number."""
    assert identify_number("2990000000017", ANY, keyed=False) == Identified("2990000000017")


def test_the_programme_claims_its_own_prefixes() -> None:
    """A loyalty number that looks like a Visa number is taken where the shop has claimed its beginning."""
    number = "4111111111111111"
    assert identify_number(number, CardFormat(prefixes=("4111",))) == Identified(number)
    assert isinstance(identify_number(number, CardFormat(prefixes=("4112",))), Refused)


def test_a_payment_card_is_known_by_issuer_length_and_check_digit() -> None:
    """From the first number of each range to its last, in the lengths in use; beside them are loyalty numbers."""
    for head in {edge for low, high, _ in ISSUERS for edge in (low - 1, low, high, high + 1)}:
        for length in range(13, 21):
            issued = any(low <= head <= high and length in lengths for low, high, lengths in ISSUERS)
            number = with_check_digit(str(head).ljust(length - 1, "0"))
            assert is_payment_card(number) == issued, number
            assert not is_payment_card(number[:-1] + str((int(number[-1]) + 1) % 10))


def test_track_data_cannot_be_claimed() -> None:
    """A prefix speaks for numbers, never for the tracks of a bank card."""
    assert is_payment_card("%B4111111111111111^DOE/J^2512", claimed=("%B", "B", "4111"))


def test_a_card_that_its_driver_calls_a_payment_card_is_refused() -> None:
    """Even where it carries some text."""
    read = CardRead(Technology.PAYMENT, EntryMode.CONTACTLESS, data="2990000000017")
    assert isinstance(identify(read, Recognition(ANY), 0), Refused)


@pytest.mark.parametrize(
    ("uid", "allowed", "expected"),
    [
        ("04a1b2c3d4e5f6", True, "04A1B2C3D4E5F6"),
        ("04a1b2c3d4e5f6", False, "no_number"),
        ("08a1b2c3", True, "random_uid"),
        ("a8a1b2c3", True, "A8A1B2C3"),
        ("08a1b2c3d4e5f6", True, "08A1B2C3D4E5F6"),
        (None, True, "no_number"),
    ],
)
def test_serial_numbers_count_only_where_allowed_and_lasting(uid: str | None, allowed: bool, expected: str) -> None:
    """A 4-byte UID beginning 08 is random; a bare UID is taken only by configuration."""
    read = CardRead(Technology.NTAG, EntryMode.CONTACTLESS, uid=uid)
    verdict = identify(read, Recognition(CardFormat(bare_uid=allowed)), 0)
    assert (verdict.number if isinstance(verdict, Identified) else verdict.reason) == expected


def test_a_member_s_number_among_gs1_elements_is_the_card_number() -> None:
    """Of an article's elements none is; those of an address count for nothing without its host."""
    elements = (("8018", "411369833821910265"), ("8019", "1"))
    told = CardRead(Technology.DATAMATRIX, EntryMode.SCANNED, "(8018)411369833821910265(8019)1", elements=elements)
    assert identify(told, Recognition(), 0) == Identified("411369833821910265")
    article = CardRead(Technology.DATAMATRIX, EntryMode.SCANNED, "(01)09520123456788", elements=(("01", "1"),))
    assert isinstance(identify(article, Recognition(), 0), Refused)
    link = CardRead(Technology.QR, EntryMode.SCANNED, "https://shop.example/8018/411369833821910265", elements=elements)
    assert identify(link, Recognition(links=LinkRule(frozenset({"id.gs1.org"}))), 0) == refused("foreign_link")


FORMATS = (NumberFormat(13, "299", "ean"), NumberFormat(16, "4111", "luhn"), NumberFormat(6))
STRICT = CardFormat(formats=FORMATS)


@pytest.mark.parametrize(
    ("number", "expected"),
    [
        ("2990000000019", "2990000000019"),
        ("4111111111111111", "4111111111111111"),
        ("123456", "123456"),
        ("2990000000018", "check_digit"),
        ("4006381333931", "foreign_number"),
        ("29900000000178", "foreign_number"),
        ("5555555555554444", "payment_card"),
    ],
)
def test_only_the_programme_s_kinds_of_numbers_are_taken(number: str, expected: str) -> None:
    """By beginning, length and check digit; a kind's beginning is the programme's own."""
    verdict = identify_number(number, STRICT)
    assert (verdict.number if isinstance(verdict, Identified) else verdict.reason) == expected


def test_an_exchanged_pair_is_pointed_at_where_a_person_has_keyed_it() -> None:
    """By its place alone: the words hold no digit of the number."""
    slip = "2990001243567"
    keyed = identify_number(slip, STRICT, keyed=True)
    assert isinstance(keyed, Refused)
    assert "characters 9 and 10" in keyed.steps[0].en
    assert slip not in repr(keyed)
    scanned = identify_number(slip, STRICT, keyed=False)
    assert isinstance(scanned, Refused)
    assert scanned.steps == WORDS["check_digit"][1:]


@pytest.mark.parametrize(
    ("chip", "taken"),
    [(None, True), (Chip("NTAG213"), True), (Chip("NTAG213", original=True), True), (Chip(original=False), False)],
)
def test_imitations_are_refused_where_the_shop_wants_it(chip: Chip | None, taken: bool) -> None:
    """A chip that nobody could ask is taken as it is."""
    read = CardRead(Technology.NTAG, EntryMode.CONTACTLESS, "2990000000017", chip=chip)
    strict = identify(read, Recognition(CardFormat(only_original=True)), 0)
    assert isinstance(strict, Identified) == taken
    assert isinstance(identify(read, Recognition(ANY), 0), Identified)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("https://l.example/c/2990000000017", "2990000000017"),
        (" https://l.example/c/2990000000017\r", "2990000000017"),
        ("https://l.example/c/4111111111111111", "payment_card"),
        ("https://shop.example/c/2990000000017", "foreign_link"),
        ("https://id.gs1.org/8018/411369833821910265", "411369833821910265"),
    ],
)
def test_links_count_where_they_are_ours(text: str, expected: str) -> None:
    """What they carry is judged like any number."""
    read = CardRead(Technology.QR, EntryMode.SCANNED, text)
    links = LinkRule(frozenset({"id.gs1.org"}), ("https://l.example/c/",))
    verdict = identify(read, Recognition(links=links), 0)
    assert (verdict.number if isinstance(verdict, Identified) else verdict.reason) == expected


def test_a_programme_without_links_knows_every_link_for_another_s() -> None:
    """It is told so, and is not taken for a number with strange characters."""
    verdict = identify(
        CardRead(Technology.QR, EntryMode.SCANNED, "https://l.example/c/2990000000017"), Recognition(), 0
    )
    assert isinstance(verdict, Refused)
    assert verdict.reason == "foreign_link"


@pytest.mark.parametrize(("entry_mode", "taken"), [(EntryMode.KEYED, True), (EntryMode.SCANNED, False)])
def test_groups_are_what_a_person_types(entry_mode: EntryMode, taken: bool) -> None:
    """In one code they are two numbers."""
    read = CardRead(Technology.UNKNOWN, entry_mode, "2990 0000 00017")
    assert isinstance(identify(read, Recognition(), 0), Identified) == taken


def test_a_proof_goes_on_by_its_digest() -> None:
    """The same at every till and in every release, for the ledger compares them; the chip's number is not in it."""
    told = Proof("sdm:04A1B2C3D4E5F6", 7).told
    assert told == CardProof("05c7e6bec3790ef8a83764eeada294fc", 7)


def test_a_scanner_s_blanks_are_dropped_but_not_those_inside() -> None:
    """Two codes in one scan do not become one number; a person's groups do."""
    assert identify_number("\x02 2990000000017\r\n", ANY, keyed=False) == Identified("2990000000017")
    assert isinstance(identify_number("2990 0000 00017", ANY, keyed=False), Refused)
    assert identify_number("2990 0000 00017", ANY, keyed=True) == Identified("2990000000017")


@given(text=st.text(max_size=80), keyed=st.booleans())
@settings(max_examples=300)
def test_whatever_is_read_it_is_a_clean_number_or_a_refusal_without_it(text: str, keyed: bool) -> None:
    """Accepted numbers hold nothing but letters, digits and hyphens, and are never payment cards."""
    verdict = identify_number(text, ANY, keyed=keyed)
    if isinstance(verdict, Identified):
        assert verdict.number.replace("-", "a").isalnum()
        assert verdict.number.isascii()
        assert 4 <= len(verdict.number) <= 64
        assert not is_payment_card(verdict.number)
    else:
        assert (verdict.detail, *verdict.steps) == WORDS[verdict.reason]


@given(
    prefix=st.sampled_from(["4", "51", "55", "2221", "2720", "34", "37", "6011", "65", "3528", "62", "5018", "36"]),
    tail=st.text("0123456789", min_size=15, max_size=15),
)
def test_every_number_that_an_issuer_could_give_is_refused(prefix: str, tail: str) -> None:
    """At the scheme's usual length, with a right check digit."""
    length = 15 if prefix in {"34", "37"} else 16
    number = with_check_digit((prefix + tail)[: length - 1])
    assert is_payment_card(number)


@given(digits=st.text("0123456789", min_size=1, max_size=30))
def test_one_check_digit_in_ten_is_right(digits: str) -> None:
    """The Luhn check accepts exactly one last digit."""
    assert sum(luhn(digits + last) for last in "0123456789") == 1


EVERYTHING = Recognition(
    CardFormat(formats=FORMATS, bare_uid=True, only_original=True),
    SdmRule("https://l.example/t", bytes(16), bytes(16), file="enc", number="file"),
    RotatingRule("{number}:{totp_timestamp_millis}:{totp_value_0}", b"key"),
    SignedRule((bytes(32),)),
    LinkRule(frozenset({"id.gs1.org"}), ("https://l.example/c/",)),
)
BEGINNINGS = ("", "https://l.example/t?", "https://l.example/c/", "https://id.gs1.org/8018/", "tilld1.1234.", "1234:")


@given(
    beginning=st.sampled_from(BEGINNINGS),
    text=st.text(max_size=80),
    technology=st.sampled_from(list(Technology)),
    mode=st.sampled_from(list(EntryMode)),
    uid=st.one_of(st.none(), st.binary(max_size=10).map(bytes.hex)),
    now_ms=st.integers(0, 10**13),
)
@settings(max_examples=300)
def test_whatever_is_presented_gets_one_verdict(
    beginning: str, text: str, technology: Technology, mode: EntryMode, uid: str | None, now_ms: int
) -> None:
    """With every rule switched on, any data ends in a clean number or in words that do not repeat it."""
    verdict = identify(CardRead(technology, mode, beginning + text, uid), EVERYTHING, now_ms)
    if isinstance(verdict, Identified):
        assert verdict.number.isascii()
        assert not is_payment_card(verdict.number, EVERYTHING.card_format.claimed)
    else:
        assert verdict.reason in WORDS
        assert "Aucun point" in verdict.detail.fr or verdict.reason == "payment_card"
