"""Frames of a PN532, as the user manual prints them and as a bad line delivers them."""

from hypothesis import given
from hypothesis import strategies as st

from drivers.pn532_frames import ACK, answer_in, frame
from tests.virtual.pn532 import framed, parsed

VERSION = bytes.fromhex("0000ff06fad50332010607e800")
"""The answer to GetFirmwareVersion of a PN532 with firmware 1.6 (UM0701-02 section 7.2.2)."""


def test_commands_as_the_manual_prints_them() -> None:
    """GetFirmwareVersion, and SetSerialBaudrate to 115200, with their sums counted by hand."""
    assert frame(b"\x02") == bytes.fromhex("0000ff02fed4022a00")
    assert frame(b"\x10\x04") == bytes.fromhex("0000ff03fdd410041800")


def test_an_answer_is_found_behind_its_acknowledgement() -> None:
    """The chip acknowledges first, and both may come in one piece."""
    assert answer_in(ACK + VERSION, 0x02) == bytes.fromhex("32010607")
    assert answer_in(VERSION[1:], 0x02) == bytes.fromhex("32010607")  # the line has swallowed the preamble
    assert answer_in(ACK, 0x02) is None
    assert answer_in(ACK + VERSION, 0x14) is None


@given(st.binary(max_size=40).filter(lambda noise: b"\x00\xff" not in noise), st.binary(max_size=40))
def test_noise_before_an_answer_does_not_hide_it(noise: bytes, answer: bytes) -> None:
    """Whatever was left in the line's buffers."""
    assert answer_in(noise + framed(b"\xd5\x07" + answer), 0x06) == answer


@given(st.binary(max_size=20), st.binary(max_size=40))
def test_a_frame_that_breaks_off_does_not_hide_the_next(broken: bytes, answer: bytes) -> None:
    """A start without a whole frame behind it is passed over."""
    torn = framed(b"\xd5\x09" + broken)[:-3]
    assert answer_in(torn + framed(b"\xd5\x07" + answer), 0x06) == answer


def test_no_flipped_bit_of_an_answer_is_believed() -> None:
    """Each of them, from the start bytes to the sum."""
    for at in range(1, len(VERSION) - 1):
        for bit in range(8):
            flipped = bytearray(VERSION)
            flipped[at] ^= 1 << bit
            assert answer_in(bytes(flipped), 0x02) is None, (at, bit)


@given(st.binary(min_size=1, max_size=40), st.integers(0, 60), st.integers(1, 255))
def test_an_answer_with_a_flipped_byte_is_not_believed(answer: bytes, at: int, flip: int) -> None:
    """Lengths and sums are checked: damaged bytes never become another answer."""
    whole = bytearray(framed(b"\xd5\x07" + answer))
    at = 3 + at % (len(whole) - 4)  # after the start, before the last byte, which carries nothing
    whole[at] ^= flip
    assert answer_in(bytes(whole), 0x06) is None


@given(st.binary(max_size=600), st.integers(0, 255))
def test_any_bytes_are_survived(received: bytes, code: int) -> None:
    """A wrong speed on the line turns frames into noise."""
    answer = answer_in(received, code & 0xFE)
    assert answer is None or answer in received


@given(st.binary(min_size=1, max_size=250))
def test_the_emulated_chip_understands_what_is_sent(command: bytes) -> None:
    """Two makers of frames, written apart, agree."""
    sent = frame(command)
    assert parsed(sent) == (b"\xd4" + command, len(sent))
