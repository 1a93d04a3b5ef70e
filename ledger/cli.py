"""All of `tilld ledger`, put together."""

from ledger.commands import ledger
from ledger.commands_card import card
from ledger.commands_rights import allowances, recovery

for group in (allowances, card, recovery):
    ledger.add_command(group)

__all__ = ["ledger"]
