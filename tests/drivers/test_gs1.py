"""GS1 and AIM: the published examples, and whatever anybody may print on a code."""

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drivers.aim import symbol
from drivers.base import Technology
from drivers.gs1 import (
    GS,
    MAX_TEXT,
    Damaged,
    as_printed,
    check_digit_right,
    elements_in,
    is_gtin,
    link_elements_in,
)

GSRN = "952123400000000017"
"""A global service relation number in GS1's range for examples (952), with its check digit."""


def with_check_digit(digits: str) -> str:
    return next(digits + last for last in "0123456789" if check_digit_right(digits + last))


@pytest.mark.parametrize(
    ("text", "printed"),
    [
        # GS1 Digital Link toolkit (gs1/GS1DigitalLinkToolkit.js, README): its own example, with GS.
        ("3103000189010541234500001339232172\x1d10ABC&+123", "(3103)000189(01)05412345000013(3923)2172(10)ABC&+123"),
        # GS1 General Specifications: fixed lengths need no separator.
        ("0109521234543213310300012310ABC123", "(01)09521234543213(3103)000123(10)ABC123"),
        ("\x1d0109506000134352", "(01)09506000134352"),
        (f"8018{GSRN}", f"(8018){GSRN}"),
        ("00106141412345678908", "(00)106141412345678908"),
    ],
)
def test_published_element_strings(text: str, printed: str) -> None:
    """As they are printed below the code."""
    assert as_printed(elements_in(text)) == printed


@pytest.mark.parametrize(
    ("uri", "elements"),
    [
        # GS1 Digital Link Standard, URI syntax, section 5 (examples).
        ("https://id.gs1.org/01/09506000134352", (("01", "09506000134352"),)),
        (
            "https://id.gs1.org/00/106141412345678908?02=00614141123452&37=25&10=ABC123",
            (("00", "106141412345678908"), ("02", "00614141123452"), ("37", "25"), ("10", "ABC123")),
        ),
        # The toolkit's example again, as an address.
        (
            "https://id.gs1.org/01/05412345000013/10/ABC%26%2B123?3103=000189&3923=2172",
            (("01", "05412345000013"), ("10", "ABC&+123"), ("3103", "000189"), ("3923", "2172")),
        ),
        ("https://id.gs1.org/01/614141123452", (("01", "00614141123452"),)),
        (f"https://loyalty.example/members/8018/{GSRN}", (("8018", GSRN),)),
        ("https://shop.example/card/2990000000017", ()),
        ("https://id.gs1.org/", ()),
        ("ftp://id.gs1.org/01/09506000134352", ()),
        ("http://[/01/09506000134352", ()),
        ("2990000000017", ()),
    ],
)
def test_published_digital_links(uri: str, elements: tuple[tuple[str, str], ...]) -> None:
    """Of any host: whose links count is not the driver's business. What is none has no elements."""
    assert link_elements_in(uri) == elements


@pytest.mark.parametrize(
    "text",
    [
        "",
        GS,
        "no elements",
        "10",
        "0109521234543214",  # wrong check digit
        f"8018{GSRN[:-1]}0",
        f"8018{GSRN}{GS}8018{with_check_digit('95212340000000002')}",  # two members in one code
        "0109521234543213" + "x" * MAX_TEXT,
    ],
)
def test_what_breaks_the_rules_is_damage(text: str) -> None:
    """Never a part of it, which could be another member's number."""
    with pytest.raises(Damaged):
        elements_in(text)


def test_a_text_is_read_up_to_a_bound() -> None:
    """Longer ones are printed by nobody; in an address they name no member."""
    filled = f"10AB{GS}" * ((MAX_TEXT - len(f"8018{GSRN}")) // 5)
    text = filled + f"8018{GSRN}" + GS * ((MAX_TEXT - len(f"8018{GSRN}")) % 5)
    assert len(text) == MAX_TEXT
    assert ("8018", GSRN) in elements_in(text)
    with pytest.raises(Damaged, match="characters"):
        elements_in(f"{text}{GS}")
    address = f"https://a.example/8018/{GSRN}?x="
    assert link_elements_in(address.ljust(MAX_TEXT, "y")) == (("8018", GSRN),)
    assert link_elements_in(address.ljust(MAX_TEXT + 1, "y")) == ()


@pytest.mark.parametrize(
    ("identifier", "digits"),
    [
        *(("00", 18), ("01", 14), ("02", 14), ("8017", 18), ("8018", 18)),
        *((f"41{last}", 13) for last in range(8)),
    ],
)
def test_what_must_have_a_check_digit_has_the_right_one(identifier: str, digits: int) -> None:
    """Members, articles, places: one digit off is damage and not somebody else's number."""
    value = with_check_digit("9521234000000000"[: digits - 1].ljust(digits - 1, "1"))
    more = "3712" if identifier == "02" else ""
    assert (identifier, value) in elements_in(f"{identifier}{value}{more}")
    wrong = value[:-1] + str((int(value[-1]) + 1) % 10)
    with pytest.raises(Damaged):
        elements_in(f"{identifier}{wrong}{more}")


def test_a_wrong_check_digit_in_a_link_is_damage() -> None:
    """A link that names no member is no link, one that names a wrong one is damaged."""
    with pytest.raises(Damaged):
        link_elements_in(f"https://id.gs1.org/8018/{GSRN[:-1]}0")


@pytest.mark.parametrize("text", ["4006381333931", "2990000000019", "96385074", "012345678905"])
def test_an_article_number_has_its_check_digit(text: str) -> None:
    """EAN-13, EAN-8 and UPC-A; one digit off is none. 4006381333931 is not the application identifier 400."""
    assert is_gtin(text)
    assert not is_gtin(text[:-1] + str((int(text[-1]) + 1) % 10))
    assert not is_gtin(text + "00")
    assert not is_gtin(text.translate({ord("0") + n: ord("٠") + n for n in range(10)}))


VALUE = st.text("ABCXYZabc0123456789-", min_size=1, max_size=20)


@given(st.integers(0, 10**17 - 1), VALUE, VALUE)
def test_what_is_composed_is_found_again(number: int, lot: str, serial: str) -> None:
    """Elements of fixed and of open length, in code and in address."""
    gsrn = with_check_digit(f"{number:017}")
    gtin = with_check_digit(f"{number % 10**13:013}")
    elements = (("8018", gsrn), ("01", gtin), ("10", lot), ("21", serial))
    assert elements_in(f"8018{gsrn}01{gtin}10{lot}{GS}21{serial}") == elements
    assert link_elements_in(f"https://a.example/x/8018/{gsrn}") == (("8018", gsrn),)


@given(st.text(max_size=200) | st.text("0123456789AB\x1d", max_size=200))
def test_no_text_breaks_the_element_parser(text: str) -> None:
    """Anything is elements or damage, and elements never hold more than the text."""
    with contextlib.suppress(Damaged):
        assert len("".join(key + value for key, value in elements_in(text))) <= len(text)


@given(st.text(max_size=120) | st.from_regex(r"https?://[a-z\[\]:@./%0-9?=&;#]{0,80}", fullmatch=True))
def test_no_address_breaks_the_link_parser(text: str) -> None:
    """Brackets, ports, percent signs and queries that are none: no elements, or damage."""
    with contextlib.suppress(Damaged):
        link_elements_in(text)
        link_elements_in(f"https://a.example/01/09506000134352{text}")


@pytest.mark.parametrize(
    ("identifier", "technology", "gs1"),
    [
        ("]E0", Technology.EAN, False),
        ("]E4", Technology.EAN, False),
        ("]C0", Technology.CODE128, False),
        ("]C1", Technology.CODE128, True),
        ("]e0", Technology.UNKNOWN, True),
        ("]e1", Technology.UNKNOWN, True),
        ("]e2", Technology.UNKNOWN, True),
        ("]d5", Technology.DATAMATRIX, True),
        ("]Q4", Technology.QR, True),
        ("]z1", Technology.AZTEC, True),
        ("]d1", Technology.DATAMATRIX, False),
        ("]d2", Technology.DATAMATRIX, True),
        ("]Q1", Technology.QR, False),
        ("]Q3", Technology.QR, True),
        ("]J1", Technology.UNKNOWN, True),
        ("]A0", Technology.CODE39, False),
        ("]I1", Technology.ITF, False),
        ("]L0", Technology.PDF417, False),
        ("]z0", Technology.AZTEC, False),
        ("]F0", Technology.UNKNOWN, False),
    ],
)
def test_an_identifier_names_the_kind_of_code(identifier: str, technology: Technology, gs1: bool) -> None:
    """ISO/IEC 15424, and GS1's own of the General Specifications; it is no part of the text."""
    assert symbol(identifier + "29900", Technology.PHONE) == (technology, "29900", True, gs1)


@given(st.text(max_size=20))
def test_every_text_is_a_symbol(text: str) -> None:
    """Without an identifier it is what the config says, whole."""
    code = symbol(text, Technology.PHONE)
    assert code.text == (text[3:] if code.named else text)
    assert code.named or code.technology is Technology.PHONE
