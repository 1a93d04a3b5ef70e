"""Bodies and texts that a POS, a page or a stranger sends to the till's API: refused by name, or a value that fits."""

from contextlib import suppress
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from terminal.api.bodies import decode
from terminal.api.problems import Refused
from terminal.api.rest import _idempotency_key, _limit
from terminal.api.table import ROUTES
from terminal.notices import Notices
from tests.fuzz.hostile import bounded, hostile, thoroughly

SHAPES = {route.body.__name__: route.body for route in ROUTES if route.body is not None}
VALID = {
    "TransactionRequest": b'{"kind":"earn","card":{"number":"2990000000017"},"amount":{"value":2490,"currency":"EUR"},'
    b'"receipt":{"number":"42","issued_at":"2026-03-02T09:15:00Z"},"operator":"Anne"}',
    "ReadRequest": b'{"timeout_ms":1000,"entry_modes":["scanned","tapped"]}',
    "ReplacementRequest": b'{"successor":"2990000000024","operator":"Anne","reason":"lost"}',
    "TrialRequest": b'{"reader":"counter","taps":3,"operator":"Anne"}',
    "LogIn": b'{"token":"0123456789abcdef"}',
    "PhoneQuestion": b'{"phone":"06 12 34 56 78"}',
    "CardEventRequest": b'{"operator":"Anne","reason":"lost"}',
    "ClaimQuestion": b'{"code":"TILLD1:ABC"}',
    "ClaimRequest": b'{"code":"TILLD1:ABC","card":{"number":"2990000000017"}}',
    "ResolutionRequest": b'{"decision":"honour","author":"Anne","reason":"saw both receipts"}',
}


def test_every_body_has_an_example() -> None:
    """A new route is thrown at too; and what is bent was straight before."""
    assert SHAPES.keys() == VALID.keys()
    for name, body in VALID.items():
        with suppress(Refused):
            decode(body, SHAPES[name])


@pytest.mark.parametrize("name", [*SHAPES])
@thoroughly
@given(data=st.data())
def test_bodies(name: str, data: st.DataObject) -> None:
    """Refused by name, or the shape, which can be written again."""
    body = data.draw(hostile([VALID[name]]))
    with bounded(), suppress(Refused):
        found = decode(body, SHAPES[name])
        assert isinstance(found, SHAPES[name])
        assert msgspec.json.decode(msgspec.json.encode(found), type=SHAPES[name]) == found


@thoroughly
@given(text=st.none() | st.text(max_size=80))
def test_headers_and_queries(text: str | None) -> None:
    """Keys of idempotency and the lengths of pages."""
    for taken in (_idempotency_key, _limit):
        with suppress(Refused):
            found: Any = taken(text)
            assert found


@thoroughly
@given(text=st.text(max_size=40) | st.integers(-(10**30), 10**30).map(lambda n: f"s-{n}"), sent=st.integers(0, 5))
def test_where_a_watcher_goes_on(text: str, sent: int) -> None:
    """Any `Last-Event-ID` names a place within what there is, or the watcher has missed something."""
    notices = Notices("s", capacity=3)
    for _ in range(sent):
        notices.publish("sync", {"n": 1})
    position, missed = notices.position(text)
    assert 0 <= position <= sent
    assert missed or f"s-{position}" == text or text in ("", "first")
