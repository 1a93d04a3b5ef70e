"""What every message has: the envelope and its header, and which message belongs to which class. Pure."""

import hashlib
from dataclasses import dataclass
from typing import Annotated, Any, Final

import msgspec

from terminal.api.bodies import decode
from terminal.api.nexo.names import Shape
from terminal.api.problems import Refused

Name = Annotated[str, msgspec.Meta(min_length=1, max_length=64)]
Number = Annotated[str, msgspec.Meta(min_length=1, max_length=10)]

SERVICES: Final = frozenset(
    {
        *("Login", "Logout", "CardAcquisition", "Loyalty", "BalanceInquiry", "StoredValue", "Reversal", "Payment"),
        *("TransactionStatus", "Abort", "Diagnosis", "EnableService", "Admin", "GetTotals", "Reconciliation", "Batch"),
    }
)
DEVICES: Final = frozenset(
    {
        *("Display", "Input", "InputUpdate", "Print", "Sound", "PIN", "Transmit"),
        *("CardReaderAPDU", "CardReaderInit", "CardReaderPowerOff"),
    }
)
EVENTS: Final = frozenset({"Event"})
CLASS_OF: Final = {
    **dict.fromkeys(SERVICES, "Service"),
    **dict.fromkeys(DEVICES, "Device"),
    **dict.fromkeys(EVENTS, "Event"),
}
"""The class of each category (nexo Retailer Protocol 3.1, section 3.1)."""


class Header(Shape, frozen=True):
    """Who talks to whom about what. `service_id` numbers the messages of class Service, `device_id` the others."""

    message_class: str
    message_category: str
    message_type: str
    sale_id: Name
    poi_id: Name
    service_id: Number | None = None
    device_id: Number | None = None
    protocol_version: str | None = None

    @property
    def number(self) -> str | None:
        return self.device_id if self.message_class == "Device" else self.service_id


class _Envelope(Shape, frozen=True):
    sale_to_poi_request: dict[str, msgspec.Raw]


@dataclass(frozen=True)
class Message:
    """A request: its header and the JSON of its body; `digest` is the same for bodies that say the same."""

    header: Header
    body: bytes
    digest: bytes


def malformed(what: str) -> Refused:
    """Answered with 400 and `errors`, before the protocol has a header to answer with."""
    return Refused("malformed", f"{what} Nothing was recorded.", status=400)


def envelope(document: bytes) -> dict[str, msgspec.Raw]:
    """The same for whoever may be a stranger: cheap, and nothing within is believed yet. Raises Refused."""
    try:
        return msgspec.json.decode(document, type=_Envelope).sale_to_poi_request
    except (msgspec.MsgspecError, ValueError, RecursionError) as error:
        raise malformed(f"{error}.") from None


def parts(document: bytes) -> dict[str, msgspec.Raw]:
    """What a document holds under `SaleToPOIRequest`. Raises Refused."""
    try:
        whole: _Envelope = decode(document, _Envelope)
    except Refused as refused:
        raise Refused("malformed", refused.detail, status=400) from None
    return whole.sale_to_poi_request


def header_of(found: dict[str, msgspec.Raw]) -> Header:
    """Raises Refused."""
    try:
        return msgspec.json.decode(found.get("MessageHeader", b"null"), type=Header)
    except msgspec.ValidationError as error:
        raise malformed(f"MessageHeader: {error}.") from None


def message_of(found: dict[str, msgspec.Raw]) -> Message:
    """The message in an envelope that is not encrypted. Raises Refused."""
    header = header_of(found)
    category = header.message_category
    if category not in CLASS_OF:
        raise malformed(f"MessageCategory {category[:32]!r} is none of the protocol's.")
    if header.message_type != ("Notification" if category in EVENTS else "Request"):
        raise malformed(f"MessageType {header.message_type[:32]!r} is no request.")
    name = "EventNotification" if category in EVENTS else f"{category}Request"
    if name not in found:
        raise malformed(f"{name} is missing.")
    body = bytes(found[name])
    return Message(header, body, _digest(category, body))


def _digest(category: str, body: bytes) -> bytes:
    """Raises Refused for numbers that are none."""
    try:
        said = msgspec.json.decode(body)
    except msgspec.DecodeError as error:
        raise malformed(f"{error}.") from None
    return hashlib.sha256(msgspec.json.encode([category, said], order="sorted")).digest()


def reply_of(header: Header, body: dict[str, Any]) -> bytes:
    """The whole answer to a request: its own header, and the body under the name of its category."""
    answered = msgspec.structs.replace(header, message_type="Response")
    return msgspec.json.encode(
        {"SaleToPOIResponse": {"MessageHeader": answered, f"{header.message_category}Response": body}}
    )
