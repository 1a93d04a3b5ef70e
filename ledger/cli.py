"""All of `tilld ledger`, put together."""

from ledger.commands import ledger
from ledger.commands_card import card

for group in (card,):
    ledger.add_command(group)

__all__ = ["ledger"]
