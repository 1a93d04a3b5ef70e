"""Cards as the office sees and changes them."""

import msgspec

from ledger.port.statements import CardWear


class Registration(msgspec.Struct, frozen=True):
    """What became of a card's registration and of its opening points: `code` as in a verdict, None without points."""

    number: str
    opened: bool
    points: int
    code: str | None
    detail: str | None


class CardShown(msgspec.Struct, frozen=True):
    """A card in the books: its `status`, the card that `stands` for it in the end and what that one is.

    `account` is the number of the account behind it, None where there is none; `wear` is what tills last found of this
    very card, by technology. After an act `entry` is that of the act, `code` and `detail` what became of it: `posted`,
    or why it could not be.
    """

    number: str
    status: str
    stands: str | None
    stands_as: str
    account: int | None
    points: int | None
    reserved: int | None
    entry: str | None = None
    code: str | None = None
    detail: str | None = None
    wear: list[CardWear] = []
