"""Bytes that somebody made to hurt: valid examples, bent in their bytes or in their structure, and plain noise.

Every module of this folder throws them at one decoder. It may refuse them with its own error, in bounded time and
memory, and change nothing. `TILLD_FUZZ_EXAMPLES` says how many each test tries; a machine that never finds anything
new in a minute may find it in an hour.
"""

import json
import os
import time
import tracemalloc
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any, Final

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st

EXAMPLES: Final = int(os.environ.get("TILLD_FUZZ_EXAMPLES", "120"))
MEMORY: Final = 96 << 20
"""Bytes that no input of at most a few MiB may make anybody hold."""
CPU_S: Final = 20.0
"""So long takes only what does not end: a thousand times what any of these needs."""

thoroughly = settings(
    max_examples=EXAMPLES,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow, HealthCheck.data_too_large],
)

seldom = settings(thoroughly, max_examples=max(10, EXAMPLES // 8))
"""For what takes a tenth of a second and more each time."""

WORDS: Final = (
    *(b"", b"\0", b"\n", b"\r\n", b'"', b"\\", b"\\u0000", b"\\ud800", b"\xff\xfe", b"\xef\xbb\xbf", b"\xed\xa0\x80"),
    *(b"null", b"true", b"-1", b"1e999", b"9223372036854775808", b"18446744073709551616", b"9" * 5000, b"0.1", b"NaN"),
    *(b"[" * 3000, b'{"a":' * 3000, b"[]", b"{}", b"A" * 70_000, b"\x1b]0;x\x07", "\u202e•☃".encode(), b"../../etc"),
)
VALUES: Final = (
    *(None, True, False, 0, -1, 1, 2**31, 2**53, 2**63 - 1, 2**63, 2**64, -(2**63), 0.5, 1e308, 10**400),
    *("", "\0", "\n", "x" * 70_000, "-1", "2026-02-30", "9999-12-31T23:59:59Z", "0001-01-01T00:00:00+23:59", "\u202e"),
    *("../../etc/passwd", "S001-T01", "ledger", "genesis", "0" * 64, "f" * 64, "A" * 86 + "==", [], {}, [[]], [None]),
)


def _bend(draw: st.DrawFn, text: bytes) -> bytes:
    """One thing that lines, disks and people do to bytes."""
    at = draw(st.integers(0, len(text)))
    to = min(len(text), at + draw(st.integers(0, 64)))
    match draw(st.sampled_from(["flip", "cut", "double", "insert", "replace", "end"])):
        case "flip" if at < len(text):
            return text[:at] + bytes([text[at] ^ 1 << draw(st.integers(0, 7))]) + text[at + 1 :]
        case "cut":
            return text[:at] + text[to:]
        case "double":
            return text[:to] + text[at:]
        case "insert":
            return text[:at] + draw(st.sampled_from(WORDS)) + text[at:]
        case "replace":
            return text[:at] + draw(st.sampled_from(WORDS)) + text[to:]
    return text[:at]


@st.composite
def bent(draw: st.DrawFn, valid: Sequence[bytes]) -> bytes:
    """A valid example after one to six accidents; sometimes two of them run into each other."""
    text = draw(st.sampled_from(valid))
    if draw(st.booleans()):
        text = text[: draw(st.integers(0, len(text)))] + draw(st.sampled_from(valid))
    for _ in range(draw(st.integers(1, 6))):
        text = _bend(draw, text)
    return text


def _places(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    yield path
    inside = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, each in inside:
        yield from _places(each, (*path, key))


def _put(value: Any, path: tuple[Any, ...], new: Any) -> Any:
    if not path:
        return None if new is ... else new
    key, *rest = path
    copy = dict(value) if isinstance(value, dict) else list(value)
    if new is ... and not rest:
        del copy[key]
    else:
        copy[key] = _put(copy[key], tuple(rest), new)
    return copy


@st.composite
def crooked(draw: st.DrawFn, valid: Sequence[bytes]) -> bytes:
    """A JSON example that is still JSON, with values that nobody expects where others were."""
    told = json.loads(draw(st.sampled_from(valid)))
    for _ in range(draw(st.integers(1, 4))):
        places = list(_places(told))
        path = draw(st.sampled_from(places))
        told = _put(told, path, draw(_stranger(_at(told, path))))
    return json.dumps(told).encode()


def _stranger(value: Any) -> st.SearchStrategy[Any]:
    """Something for this value's place: mostly of its own type, so that it gets further; `...` takes it out."""
    alike = [each for each in VALUES if type(each) is type(value)]
    return st.sampled_from([*VALUES, ..., *(alike * 4)])


def _at(value: Any, path: tuple[Any, ...]) -> Any:
    for key in path:
        value = value[key]
    return value


def hostile(valid: Sequence[bytes], *, is_json: bool = True) -> st.SearchStrategy[bytes]:
    """All of it; `valid` holds at least one example."""
    kinds = [bent(valid), st.binary(max_size=300)]
    return st.one_of(crooked(valid), *kinds) if is_json else st.one_of(*kinds)


@contextmanager
def bounded() -> Iterator[None]:
    """Whatever happens inside ends, and needs no more memory than it may."""
    tracemalloc.start()
    started = time.process_time()
    try:
        yield
        used, peak = time.process_time() - started, tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < MEMORY, f"{peak} bytes"
    assert used < CPU_S, f"{used} s of CPU"
