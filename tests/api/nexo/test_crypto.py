"""The encrypted form: the published numbers, every message there and back, and nothing that is not ours."""

import base64

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from terminal.api.nexo.crypto import BLOCK, Unopened, decrypt, derive, encrypt

OURS = derive("p@ssw0rd123456")


def test_the_published_key_material() -> None:
    """What the client library makes of this passphrase."""
    assert OURS.hmac_key.hex() == "733636253b5b98f9a483b1a678d73a58dab2accafbc029ecbe12d60eaa909e32"
    assert OURS.cipher_key.hex() == "cf2c822761b9f5305bf69970bfa7b659a6724a119db21f8b0e949779f2ea022c"
    assert OURS.iv.hex() == "bb9ba8092e6027c735398dc65977c051"


def test_the_secrets_show_as_nothing() -> None:
    """A key that is printed into a log is a key that is lost."""
    assert repr(OURS) == "Material()"


@settings(max_examples=50)
@given(st.binary(max_size=300), st.integers(1, 76))
def test_there_and_back(plain: bytes, width: int) -> None:
    """Whatever is encrypted is opened again, also where its base64 is broken into lines."""
    blob, nonce, mac = encrypt(plain, OURS)
    lines = "\r\n ".join(blob[start : start + width] for start in range(0, len(blob), width))
    assert decrypt(lines, nonce, mac, OURS) == plain


@settings(max_examples=60)
@given(st.binary(min_size=1, max_size=100), st.data())
def test_a_turned_bit_is_refused(plain: bytes, data: st.DataObject) -> None:
    """Anywhere: in the blob, the nonce or the HMAC."""
    parts = [bytearray(base64.b64decode(part)) for part in encrypt(plain, OURS)]
    part = data.draw(st.sampled_from(parts))
    part[data.draw(st.integers(0, len(part) - 1))] ^= 1 << data.draw(st.integers(0, 7))
    blob, nonce, mac = (base64.b64encode(each).decode() for each in parts)
    with pytest.raises(Unopened):
        decrypt(blob, nonce, mac, OURS)


@settings(max_examples=60)
@given(st.text(max_size=60), st.text(max_size=30), st.text(max_size=50))
def test_garbage_is_refused_in_one_way(blob: str, nonce: str, mac: str) -> None:
    """No answer tells bad base64 from bad padding or a bad HMAC."""
    with pytest.raises(Unopened):
        decrypt(blob, nonce, mac, OURS)


def test_base64_holds_nothing_else() -> None:
    """Signs that a lenient reader passes over would give one message many forms; a nonce has 16 bytes."""
    blob, nonce, mac = encrypt(b"{}", OURS)
    short = base64.b64encode(base64.b64decode(nonce)[:-1]).decode()
    for parts in ((f"{blob[:4]}-{blob[4:]}", nonce, mac), (blob, f"{nonce}!", mac), (blob, short, mac)):
        with pytest.raises(Unopened):
            decrypt(*parts, OURS)


def test_a_nonce_can_be_given() -> None:
    """The same one makes the same message: that is how published examples are repeated."""
    assert encrypt(b"{}", OURS, bytes(BLOCK)) == encrypt(b"{}", OURS, bytes(BLOCK))


def test_another_key_does_not_open_it() -> None:
    """A till next door has a passphrase of its own."""
    with pytest.raises(Unopened):
        decrypt(*encrypt(b"{}", OURS), derive("another passphrase"))


def test_each_message_has_its_own_nonce() -> None:
    """The same words twice look different on the wire."""
    first, second = encrypt(b"{}", OURS), encrypt(b"{}", OURS)
    assert first[0] != second[0]
    assert len(base64.b64decode(first[1])) == BLOCK
