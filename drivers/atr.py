"""What an ATR tells of a card: PC/SC part 3 revision 2.01.09 section 3.1.3.2.3 and its supplemental document."""

from typing import Final, NamedTuple

from drivers.base import EntryMode, Technology

MAX_ATR: Final = 33
"""Bytes (ISO/IEC 7816-3 section 8.2)."""

_CONTACTLESS: Final = (0x3B, 0x80, 0x80, 0x01)
"""How a reader begins the ATR of a contactless card; the low half of the second byte counts historical bytes."""
_STORAGE_CARD: Final = bytes.fromhex("804f0ca000000306")
"""Historical bytes of a storage card: its application identifier with the PC/SC workgroup's RID."""
_DESFIRE: Final = b"\x80"
"""The one historical byte of a DESFire (NXP AN10833 names its ATS 06 75 77 81 02 80)."""

_CARD_NAMES: Final = {
    0x0001: Technology.MIFARE_CLASSIC,  # 1K
    0x0002: Technology.MIFARE_CLASSIC,  # 4K
    0x0003: Technology.ULTRALIGHT,  # and every NTAG: only their memory tells them apart
    0x0026: Technology.MIFARE_CLASSIC,  # Mini
    0x003A: Technology.ULTRALIGHT,  # Ultralight C
    0x003B: Technology.FELICA,
    0xF011: Technology.FELICA,  # ACS: 212 kbit/s
    0xF012: Technology.FELICA,  # ACS: 424 kbit/s
}
"""Supplemental document revision 2.01.08 table 3; those from 0xF000 on are of the ACR122U's manual."""


class CardKind(NamedTuple):
    """`storage` cards are read with the reader's own pseudo-APDUs, the others with APDUs of the card."""

    technology: Technology
    entry_mode: EntryMode
    storage: bool


def kind_of(atr: bytes) -> CardKind:
    """Of any bytes: what cannot be told is a contact card of ISO 7816."""
    historical = _contactless_history(atr[:MAX_ATR])
    if historical is None:
        return CardKind(Technology.ISO7816, EntryMode.ICC, storage=False)
    if historical.startswith(_STORAGE_CARD) and len(historical) >= len(_STORAGE_CARD) + 3:
        name = int.from_bytes(historical[9:11], "big")
        return CardKind(_CARD_NAMES.get(name, Technology.UNKNOWN), EntryMode.CONTACTLESS, storage=True)
    technology = Technology.DESFIRE if historical == _DESFIRE else Technology.ISO7816
    return CardKind(technology, EntryMode.CONTACTLESS, storage=False)


def _contactless_history(atr: bytes) -> bytes | None:
    """The historical bytes that the reader has put into a contactless card's ATR, None for a contact card."""
    if len(atr) < 4 or (atr[0], atr[1] & 0xF0, atr[2], atr[3]) != _CONTACTLESS:
        return None
    return atr[4 : 4 + (atr[1] & 0x0F)]
