"""Messages of NTAG 424 DNA and DESFire EV3, by the vectors of NXP's AN12196 and what a forger would try."""

import dataclasses

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from drivers.aes import diversified
from terminal.cards.sdm import SdmRule, Tapped, is_message, opened
from tests.virtual.dynamic import DynamicTag

ZERO = bytes(16)
RULE = SdmRule("https://www.my424dna.com/", ZERO, ZERO)
WITH_FILE = dataclasses.replace(RULE, file="enc")
PUBLISHED = "https://www.my424dna.com/?picc_data=EF963FF7828658A599F3041510671E88&cmac=94EED9EE65337086"
PUBLISHED_FILE = (
    "https://www.my424dna.com/?picc_data=FD91EC264309878BE6345CBE53BADF40"
    "&enc=CEE9A53E3E463EF1F459635736738962&cmac=ECC1E7F6C6C73BF6"
)
PUBLISHED_PLAIN = "https://www.my424dna.com/?uid=041E3C8A2D6B80&ctr=000006&cmac=4B00064004B0B3D3"
KEY = bytes.fromhex("00112233445566778899aabbccddeeff")
OTHER_KEY = bytes.fromhex("ffeeddccbbaa99887766554433221100")
SUFFIX = bytes.fromhex("3042f54e585020416275")


@pytest.mark.parametrize(
    ("rule", "address", "said"),
    [
        (RULE, PUBLISHED, Tapped("04DE5F1EACC040", 61)),
        (WITH_FILE, PUBLISHED_FILE, Tapped("04958CAA5C5E80", 8, "x" * 16)),
        (RULE, PUBLISHED_PLAIN, Tapped("041E3C8A2D6B80", 6)),
    ],
    ids=["an12196-table-2", "an12196-table-5", "plain-mirror"],
)
def test_published_messages_are_opened(rule: SdmRule, address: str, said: Tapped) -> None:
    """Serial number, counter and file data as the application note gives them."""
    assert is_message(rule, address)
    assert opened(rule, address) == said


@pytest.mark.parametrize(
    ("rule", "address"),
    [
        (RULE, PUBLISHED[:-1]),
        (RULE, PUBLISHED + "0"),
        (RULE, PUBLISHED.replace("cmac", "mac")),
        (RULE, PUBLISHED + "&cmac=94EED9EE65337086"),
        (RULE, PUBLISHED.replace("EF963", "ef963")),
        (RULE, "https://www.my424dna.com/?"),
        (RULE, PUBLISHED_PLAIN.replace("uid=041E3C8A2D6B80&", "")),
        (RULE, PUBLISHED_PLAIN.replace("&ctr=000006", "")),
        (RULE, PUBLISHED + "&x=" + "0" * 2000),
        (WITH_FILE, PUBLISHED),
        (WITH_FILE, PUBLISHED + "&enc=CEE9A53E3E463EF1F459635736738962"),
        (RULE, PUBLISHED_FILE),
        (dataclasses.replace(RULE, file_key=KEY), PUBLISHED),
        (dataclasses.replace(RULE, meta_key=KEY), PUBLISHED),
        (dataclasses.replace(RULE, diversification=SUFFIX), PUBLISHED),
    ],
)
def test_what_no_card_of_ours_has_written_is_refused(rule: SdmRule, address: str) -> None:
    """Cut, lengthened, doubled, rearranged, made with other keys: none of it is opened."""
    assert opened(rule, address) is None


@given(st.integers(0, len(PUBLISHED_FILE) - 1), st.characters(codec="ascii"))
def test_no_character_of_what_is_signed_can_change(at: int, character: str) -> None:
    """Everything behind the question mark is decrypted, covered or the MAC itself."""
    changed = PUBLISHED_FILE[:at] + character + PUBLISHED_FILE[at + 1 :]
    if changed != PUBLISHED_FILE and is_message(WITH_FILE, changed):
        assert opened(WITH_FILE, changed) is None


@given(st.text(max_size=200))
def test_any_text_is_refused_quietly(query: str) -> None:
    """No crash on what a stranger has written on a tag."""
    assert opened(WITH_FILE, WITH_FILE.address + "?" + query) is None


@given(st.binary(min_size=7, max_size=7), st.integers(0, 0xFFFFFF), st.booleans())
@settings(max_examples=40)
def test_a_tag_with_a_key_of_its_own_is_opened(uid: bytes, taps: int, with_file: bool) -> None:
    """The model writes the message from the other side: from serial number and counter to the address."""
    data = b"2990000000017\0\0\0" if with_file else None
    tag = DynamicTag("https://l.example/t", KEY, diversified(OTHER_KEY, uid + SUFFIX), uid, taps=taps, data=data)
    rule = SdmRule("https://l.example/t", KEY, OTHER_KEY, SUFFIX, file="enc" if with_file else "")
    said = opened(rule, tag.address())
    assert said == Tapped(uid.hex().upper(), taps, "2990000000017" if with_file else None)


def test_keys_are_not_shown() -> None:
    """A rule in a traceback or a log tells nothing."""
    assert repr(KEY) not in repr(SdmRule("a", KEY, KEY))
