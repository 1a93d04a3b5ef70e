"""AES-CMAC and keys made for one card, by the vectors of RFC 4493 and of NXP's AN10922."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drivers.aes import cmac, decrypt, diversified, encrypt, short_mac

KEY = bytes.fromhex("2b7e151628aed2a6abf7158809cf4f3c")
MESSAGE = bytes.fromhex("6bc1bee22e409f96e93d7e117393172aae2d8a571e03ac9c9eb76fac45af8e5130c81c46a35ce411")


@pytest.mark.parametrize(
    ("length", "mac"),
    [
        (0, "bb1d6929e95937287fa37d129b756746"),
        (16, "070a16b46b4d4144f79bdd9dd04a287c"),
        (40, "dfa66747de9ae63030ca32611497c827"),
    ],
)
def test_cmac_is_that_of_rfc_4493(length: int, mac: str) -> None:
    """Examples 1 to 3 of section 4."""
    assert cmac(KEY, MESSAGE[:length]).hex() == mac


def test_the_short_mac_is_every_second_byte() -> None:
    """AN12196 table 4: of E194C7EE12D9F7EE8A65C8331B704386 the card sends these."""
    key = bytes.fromhex("3fb5f6e3a807a03d5e3570ace393776f")
    assert cmac(key, b"").hex() == "e194c7ee12d9f7ee8a65c8331b704386"
    assert short_mac(key, b"").hex() == "94eed9ee65337086"


def test_a_cards_own_key_is_that_of_an10922() -> None:
    """Section 2.2.1: serial number, application, system identifier."""
    master = bytes.fromhex("00112233445566778899aabbccddeeff")
    made = diversified(master, bytes.fromhex("04782e21801d803042f54e585020416275"))
    assert made.hex() == "a8dd63a3b89d54b37ca802473fda9175"


@pytest.mark.parametrize("length", [0, 7, 15, 32])
def test_other_lengths_have_no_published_padding(length: int) -> None:
    """They are refused rather than guessed."""
    with pytest.raises(ValueError, match="diversify"):
        diversified(KEY, bytes(length))


@given(st.binary(min_size=16, max_size=16), st.lists(st.binary(min_size=16, max_size=16), max_size=4))
def test_what_is_encrypted_comes_back(key: bytes, blocks: list[bytes]) -> None:
    data = b"".join(blocks)
    assert decrypt(key, encrypt(key, data)) == data
