"""Talks to tilld, the till daemon for loyalty points: a sale counts once, however often it is sent."""

from tilld_client.failures import Lost, Refused, TillFailure, Unanswered
from tilld_client.patience import Patience
from tilld_client.pending import Pending
from tilld_client.shapes import Amount, Answer, CardWish, Event, Outcome, Read, Receipt, Request
from tilld_client.till import Resumed, Till

__all__ = [
    "Amount",
    "Answer",
    "CardWish",
    "Event",
    "Lost",
    "Outcome",
    "Patience",
    "Pending",
    "Read",
    "Receipt",
    "Refused",
    "Request",
    "Resumed",
    "Till",
    "TillFailure",
    "Unanswered",
]
