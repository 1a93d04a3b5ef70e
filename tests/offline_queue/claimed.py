"""Sales, and a till's key, for claim codes."""

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from offline_queue.claim_codes import Code, issue
from offline_queue.claimed_sale import sale_of
from offline_queue.entry import Card, Clock, Entry, Kind, Receipt, uuid7

KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
PUBLIC = KEY.public_key().public_bytes_raw()
OTHER_PUBLIC = Ed25519PrivateKey.from_private_bytes(bytes(32)).public_key().public_bytes_raw()
CARD = "2990000000017"
AT = 1_750_000_000_000
SOLD_AT = "2025-06-15T15:06:40.000Z"


def sold(**fields: object) -> Entry:
    """An earned entry of the most usual kind."""
    told: dict[str, object] = {
        "id": uuid7(AT, b"0123456789"),
        "key": "6f9619ff-8b86-4d01-b42d-00cf4fc964ff",
        "kind": Kind.EARN,
        "terminal": "S001-T01",
        "business_day": "2025-06-15",
        "occurred_at": SOLD_AT,
        "clock": Clock("boot", 1, SOLD_AT),
        "points": 249,
        "rule": "base@1",
        "receipt": Receipt("000815", "S001"),
        **fields,
    }
    return Entry(**told)  # type: ignore[arg-type]


def code_of(entry: Entry, key: Ed25519PrivateKey = KEY) -> Code:
    return issue(sale_of(entry), key)


def on_card(number: str = CARD) -> Entry:
    return sold(card=Card(number))
