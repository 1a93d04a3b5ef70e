"""gzip on the wire, and what hostile bytes make of it."""

import gzip
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from offline_queue.packing import NotPacked, TooLong, packed, unpacked

MIB = 1024 * 1024


@given(st.binary(max_size=5000))
def test_what_is_packed_comes_out_as_it_was(body: bytes) -> None:
    """And any other gzip reads it too."""
    assert unpacked(packed(body), len(body)) == gzip.decompress(packed(body)) == body


@given(st.binary(max_size=300))
def test_arbitrary_bytes_are_refused_by_name(data: bytes) -> None:
    """No other exception ever comes out."""
    with pytest.raises((NotPacked, TooLong)):
        unpacked(b"x" + data, 1000)


@given(st.binary(min_size=1, max_size=2000), st.data())
def test_a_cut_stream_is_none(body: bytes, data: st.DataObject) -> None:
    """Half a batch must not look like a smaller one."""
    whole = packed(body)
    with pytest.raises(NotPacked):
        unpacked(whole[: data.draw(st.integers(0, len(whole) - 1))], len(body))


@given(st.binary(min_size=1, max_size=500), st.data())
def test_a_flipped_checksum_is_noticed(body: bytes, data: st.DataObject) -> None:
    """CRC and length close the stream (RFC 1952 section 2.3.1)."""
    whole = bytearray(packed(body))
    whole[-data.draw(st.integers(1, 8))] ^= 1 << data.draw(st.integers(0, 7))
    with pytest.raises(NotPacked):
        unpacked(bytes(whole), len(body))


def test_a_bomb_is_not_unfolded() -> None:
    """A gigabyte in a megabyte: no more than was allowed is ever in memory."""
    bomb = zlib.compressobj(9, wbits=31)
    data = b"".join(bomb.compress(bytes(MIB)) for _ in range(64)) + bomb.flush()
    assert len(data) < MIB // 8
    with pytest.raises(TooLong):
        unpacked(data, 4 * MIB)


def test_only_one_stream_and_nothing_after_it() -> None:
    """What follows could mean something else to another reader."""
    for more in (packed(b"b"), b"\0", b"x"):
        with pytest.raises(NotPacked, match="follows"):
            unpacked(packed(b"a") + more, 100)


def test_exactly_the_limit_is_allowed() -> None:
    """One byte more is not."""
    assert unpacked(packed(b"x" * 100), 100) == b"x" * 100
    with pytest.raises(TooLong):
        unpacked(packed(b"x" * 101), 100)
