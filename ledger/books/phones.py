"""Cards by phone number: head office links them, a till may ask for the cards of one number.

The books keep no phone number, only its keyed hash (HMAC-SHA-256, RFC 2104), so that no query, log or export shows one.
The key lies in the same books: whoever steals them can still try all numbers.
"""

import hashlib
import hmac
import re
from typing import Final

from ledger.books.office import Office
from ledger.port.problems import refused
from ledger.rules.records import MAX_NUMBER, plausible
from ledger.tables.engine import Tables
from offline_queue.wire import ProblemCode
from offline_queue.wire_accounts import PhoneFound, PhoneLookup

E164: Final = re.compile(r"\+[1-9][0-9]{6,14}")
"""ITU-T E.164: a country code and a number, 15 digits at most."""
SEPARATORS: Final = str.maketrans("", "", " .-/()")
KEY_FACT: Final = "phone_key"
MOST_CARDS: Final = 5
"""A family shares a phone; a number with more cards than a screen has lines was typed in to try."""
BURST: Final = 30
REFILL_S: Final = 10.0
"""A till may ask for so many numbers at once and then for one in ten seconds: no queue needs more, and whoever tries
out the numbers of a country needs decades."""


def digest(key: bytes, phone: str) -> bytes:
    return hmac.digest(key, phone.encode(), hashlib.sha256)


class Quota:
    """How many lookups are left to each terminal: a bucket that refills. `now_s` of a steady clock."""

    def __init__(self) -> None:
        self._left: dict[str, tuple[float, float]] = {}

    def take(self, terminal: str, now_s: float) -> bool:
        """False when there is none left."""
        left, at_s = self._left.get(terminal, (float(BURST), now_s))
        left = min(float(BURST), left + max(0.0, now_s - at_s) / REFILL_S)
        self._left[terminal] = (max(left - 1, left % 1), now_s)
        return left >= 1


class Phones(Office):
    """See port.Book for what each call does."""

    def phone(self, lookup: PhoneLookup) -> PhoneFound:
        if not E164.fullmatch(lookup.phone):
            raise refused(ProblemCode.MALFORMED, "a phone number is + and 7 to 15 digits", request=lookup.request)

        def look(tables: Tables) -> PhoneFound:
            key = _key(tables)
            return PhoneFound(
                lookup.request, self.generation, _linked(tables, digest(key, lookup.phone)) if key else []
            )

        return self._engine.read(look)

    def link_phone(self, number: str, phone: str, author: str) -> None:
        phone = phone.translate(SEPARATORS)
        if not plausible(number) or not E164.fullmatch(phone):
            raise refused(
                "malformed", f"a card of 1 to {MAX_NUMBER} characters and a phone number like +33 6 12 34 56 78"
            )
        if not 0 < len(author) <= MAX_NUMBER:
            raise refused("malformed", f"say who links them, in 1 to {MAX_NUMBER} characters")

        def link(tables: Tables) -> None:
            if self._feed(tables).account(number) is None:
                raise refused(ProblemCode.ACCOUNT_UNKNOWN)
            hashed = digest(_key(tables) or self._new_key(tables), phone)
            tables.change("DELETE FROM phone WHERE card = ?", number)
            if len(_linked(tables, hashed)) >= MOST_CARDS:
                raise refused("no_account", f"this phone number has {MOST_CARDS} cards already; unlink one first")
            tables.insert("phone", [(hashed, number, self._timepiece.unix_ms(), author)])

        self._engine.write(link)

    def unlink_phone(self, number: str) -> bool:
        def unlink(tables: Tables) -> bool:
            known = tables.rows("SELECT 1 FROM phone WHERE card = ?", number)
            tables.change("DELETE FROM phone WHERE card = ?", number)
            return bool(known)

        return self._engine.write(unlink)

    def _new_key(self, tables: Tables) -> bytes:
        """The first of two who make one at once has made it for both."""
        row = (KEY_FACT, self._timepiece.random(32).hex())
        tables.insert("fact", [row], "ON CONFLICT DO NOTHING")
        return _key(tables)


def _key(tables: Tables) -> bytes:
    """Empty where no phone number was ever linked."""
    found = tables.rows("SELECT value FROM fact WHERE name = ?", KEY_FACT)
    return bytes.fromhex(found[0][0]) if found else b""


def _linked(tables: Tables, hashed: bytes) -> list[str]:
    rows = tables.rows("SELECT card FROM phone WHERE digest = ? ORDER BY linked_at DESC, card", hashed)
    return [row[0] for row in rows[:MOST_CARDS]]
