"""Codes that change in the customer's hand: RFC 6238's vectors, clocks that differ, pictures and forgeries."""

import base64
import dataclasses

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given, settings
from hypothesis import strategies as st

from drivers.base import CardRead, EntryMode, Technology
from terminal.cards.identification import Identified, Proof, Recognition, identify
from terminal.cards.rotating_codes import (
    LONGEST_LIFE_S,
    Code,
    RotatingRule,
    SignedRule,
    card_key,
    password,
    pattern_problem,
    rotating,
    signed,
)
from terminal.counter.refusals import Refused

NUMBER = "2990000000017"
NOW_S = 1_772_359_200
RULE = RotatingRule("{number}:{totp_value_0}", b"the programme's key", tolerance_s=30)
TIMED = dataclasses.replace(RULE, pattern="W/{number}/{totp_timestamp_seconds}/{totp_value_0}")
ISSUER = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
NEXT_ISSUER = Ed25519PrivateKey.from_private_bytes(bytes(range(1, 33)))
SIGNED = SignedRule((ISSUER.public_key().public_bytes_raw(),), tolerance_s=5)


def shown(at_s: int, rule: RotatingRule = RULE, number: str = NUMBER) -> str:
    """What the phone shows at this time of its own clock."""
    value = password(card_key(rule.master, number), at_s // rule.period_s, rule.digits)
    return (
        rule.pattern.replace("{number}", number)
        .replace("{totp_value_0}", value)
        .replace("{totp_timestamp_seconds}", str(at_s))
        .replace("{totp_timestamp_millis}", str(at_s * 1000))
    )


def issued(at_s: int, life_s: int = 60, issuer: Ed25519PrivateKey = ISSUER, number: str = NUMBER) -> str:
    message = f"tilld1.{number}.{at_s * 1000}.{life_s}"
    signature = base64.urlsafe_b64encode(issuer.sign(message.encode())).decode().rstrip("=")
    return f"{message}.{signature}"


@pytest.mark.parametrize(
    ("at_s", "value"),
    [
        (59, "94287082"),
        (1111111109, "07081804"),
        (1111111111, "14050471"),
        (1234567890, "89005924"),
        (2000000000, "69279037"),
        (20000000000, "65353130"),
    ],
)
def test_passwords_are_those_of_rfc_6238(at_s: int, value: str) -> None:
    """Appendix B, SHA1."""
    assert password(b"12345678901234567890", at_s // 30, 8) == value


@pytest.mark.parametrize(
    ("apart_s", "valid"), [(0, True), (29, True), (-30, True), (61, False), (-61, False), (3600, False)]
)
@pytest.mark.parametrize("rule", [RULE, TIMED], ids=["plain", "timed"])
def test_clocks_may_be_apart_and_pictures_grow_old(rule: RotatingRule, apart_s: int, valid: bool) -> None:
    """Within the tolerance the code is taken, and its moment is the period in which the phone made it."""
    code = rotating(rule, shown(NOW_S + apart_s, rule), NOW_S * 1000)
    assert code == Code(NUMBER, (NOW_S + apart_s) // 30 if valid else None)


def test_a_code_of_another_card_or_key_is_not_valid() -> None:
    """Each card has its own key, and its code says nothing of another's."""
    other = shown(NOW_S, number="2990000000024").replace("2990000000024", NUMBER)
    assert rotating(RULE, other, NOW_S * 1000) == Code(NUMBER, None)
    foreign = dataclasses.replace(RULE, master=b"another key")
    assert rotating(RULE, shown(NOW_S, foreign), NOW_S * 1000) == Code(NUMBER, None)


@pytest.mark.parametrize("unit", ["seconds", "millis"])
@pytest.mark.parametrize("apart_s", [-600, -30, 30])
def test_the_time_in_a_code_cannot_be_changed_alone(unit: str, apart_s: int) -> None:
    """The password belongs to the period that the code names, also where both periods are taken now."""
    rule = dataclasses.replace(RULE, pattern=f"W/{{number}}/{{totp_timestamp_{unit}}}/{{totp_value_0}}")
    code = shown(NOW_S + apart_s, rule)
    assert (rotating(rule, code, NOW_S * 1000) == Code(NUMBER, (NOW_S + apart_s) // 30)) == (abs(apart_s) <= 30)
    assert rotating(rule, code.replace(str(NOW_S + apart_s), str(NOW_S)), NOW_S * 1000) == Code(NUMBER, None)


def test_a_clock_at_its_beginning_judges_too() -> None:
    """A till whose battery is empty starts in 1970; there are no periods before."""
    assert rotating(RULE, shown(29), 5000) == Code(NUMBER, 0)
    assert rotating(RULE, shown(600), 5000) == Code(NUMBER, None)


def test_a_signed_code_lives_to_the_millisecond() -> None:
    """From its time less the clocks' difference to its end and as much more."""
    first, last = (NOW_S - 5) * 1000, (NOW_S + 60 + 5) * 1000
    taken = [
        signed(SIGNED, issued(NOW_S), at) == Code(NUMBER, NOW_S * 1000) for at in (first - 1, first, last, last + 1)
    ]
    assert taken == [False, True, True, False]


@pytest.mark.parametrize("text", ["", NUMBER, NUMBER + ":", NUMBER + ":1234567", NUMBER + ":123456789", "x" * 1000])
def test_another_text_is_no_rotating_code(text: str) -> None:
    """It is judged as whatever else it may be."""
    assert rotating(RULE, text, NOW_S * 1000) is None


@given(st.text(max_size=300), st.integers(0, 10**14))
def test_any_text_at_any_time_is_judged(text: str, now_ms: int) -> None:
    """A clock at 1970 included."""
    for rule in (RULE, TIMED):
        code = rotating(rule, text, now_ms)
        assert code is None or code.moment is None
    assert signed(SIGNED, text, now_ms) is None


@pytest.mark.parametrize(
    ("pattern", "right"),
    [
        ("{number}:{totp_value_0}", True),
        ("A{number}-{totp_timestamp_millis}-{totp_value_0}Z", True),
        ("{totp_value_0}", False),
        ("{number}{totp_value_0}", False),
        ("{number}:{totp_value_0}:{totp_value_0}", False),
        ("{number}:{totp_value_1}:{totp_value_0}", False),
        ("{number}:{:{totp_value_0}", False),
        ("{number}:}:{totp_value_0}", False),
        ("{number}:{totp_timestamp_millis}:{totp_timestamp_seconds}:{totp_value_0}", False),
    ],
)
def test_a_pattern_is_checked(pattern: str, right: bool) -> None:
    """Without a character between them, nobody could tell where number and password meet."""
    assert (pattern_problem(pattern) is None) == right


@pytest.mark.parametrize(
    ("apart_s", "valid"), [(0, True), (-60, True), (-65, True), (5, True), (6, False), (-66, False), (-3600, False)]
)
def test_a_signed_code_lives_as_long_as_it_says(apart_s: int, valid: bool) -> None:
    """Its own lifetime and the clocks' difference, no longer."""
    code = signed(SIGNED, issued(NOW_S + apart_s), NOW_S * 1000)
    assert code == Code(NUMBER, (NOW_S + apart_s) * 1000 if valid else None)


def test_no_signed_code_is_for_ever() -> None:
    """An issuer's slip of the pen does not make a bar code of it."""
    assert signed(SIGNED, issued(NOW_S - LONGEST_LIFE_S - 6, 9999), NOW_S * 1000) == Code(NUMBER, None)


def test_two_issuers_are_known_while_they_change() -> None:
    """The new key is in every till before the first code is signed with it."""
    text = issued(NOW_S, issuer=NEXT_ISSUER)
    assert signed(SIGNED, text, NOW_S * 1000) == Code(NUMBER, None)
    both = SignedRule((*SIGNED.issuers, NEXT_ISSUER.public_key().public_bytes_raw()))
    assert signed(both, text, NOW_S * 1000) == Code(NUMBER, NOW_S * 1000)


@given(st.integers(0, 200), st.sampled_from("0123456789abcdefXYZ-_."))
@settings(max_examples=100)
def test_no_character_of_a_signed_code_can_change(at: int, character: str) -> None:
    """Number, time, lifetime and signature hold together."""
    text = issued(NOW_S)
    at %= len(text) - 1  # the last character of a signature has four bits that say nothing
    changed = text[:at] + character + text[at + 1 :]
    if changed != text:
        code = signed(SIGNED, changed, NOW_S * 1000)
        assert code is None or code.moment is None


def test_a_code_that_is_shown_counts_once_by_its_moment() -> None:
    """Its number is judged like any other, and a till without an issuer's key takes none."""
    read = CardRead(Technology.QR, EntryMode.SCANNED, issued(NOW_S))
    known = Recognition(signed=SIGNED)
    assert identify(read, known, NOW_S * 1000) == Identified(NUMBER, Proof(f"signed:{NUMBER}", NOW_S * 1000))
    for recognition, at_ms in ((Recognition(), NOW_S * 1000), (known, (NOW_S + 3600) * 1000)):
        assert isinstance(identify(read, recognition, at_ms), Refused)
