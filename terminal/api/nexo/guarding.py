"""Which messages are taken at all: the right till, a number of its own, and a time near ours. Pure."""

from datetime import datetime
from typing import Final

import msgspec

from terminal.api.nexo.answers import Unfit
from terminal.api.nexo.messages import CLASS_OF, Message
from terminal.api.nexo.names import Shape
from terminal.api.nexo.sale_shapes import SaleData

WINDOW_S: Final = 24 * 3600.0
"""How far an encrypted sale's time may be from the till's: shorter than numbers are remembered (exchange_log.KEPT_MS),
so nothing old can be played again."""


class Timed(Shape, frozen=True):
    """What many messages have: the sale's own time."""

    sale_data: SaleData | None = None


def refuse_foreign(message: Message, poi_id: str) -> None:
    """Raises Unfit for a message whose header is not one for this till."""
    header = message.header
    category = header.message_category
    if header.message_class != CLASS_OF[category]:
        raise Unfit("MessageFormat", f"{category} is of MessageClass {CLASS_OF[category]}.")
    if header.number is None:
        name = "DeviceID" if header.message_class == "Device" else "ServiceID"
        raise Unfit("MessageFormat", f"{name} is missing: 1 to 10 characters, another for each message.")
    if header.poi_id != poi_id:
        raise Unfit("NotAllowed", f"The POIID of this till is {poi_id}. Nothing was recorded.")


def refuse_out_of_time(message: Message, now_s: float) -> None:
    """Raises Unfit for an encrypted message of another day: who has kept it may not play it again."""
    sale = sale_of(message)
    try:
        moment = None if sale is None else datetime.fromisoformat(sale.sale_transaction_id.time_stamp)
    except ValueError:
        return  # The message's own handler says what is wrong with it.
    if moment is not None and moment.tzinfo is not None and abs(moment.timestamp() - now_s) > WINDOW_S:
        raise Unfit(
            "NotAllowed",
            "SaleTransactionID.TimeStamp is more than a day from this till's clock, and encrypted messages are taken on"
            " their own day alone. Nothing was recorded. Compare the clocks of POS and till.",
        )


def refuse_reused(known: bytes, digest: bytes) -> None:
    """Raises Unfit where a number stands for another message already."""
    if known != digest:
        raise Unfit(
            "NotAllowed",
            "This ServiceID was used for another message within 48 hours, which stands. This one did nothing: no points"
            " moved. Use a new ServiceID for each message, and the same only to repeat it as it was.",
        )


def sale_of(message: Message) -> SaleData | None:
    try:
        return msgspec.json.decode(message.body, type=Timed).sale_data
    except msgspec.ValidationError:
        return None
