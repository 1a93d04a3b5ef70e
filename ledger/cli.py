"""All of `tilld ledger`, put together."""

from ledger.commands import ledger
from ledger.commands_audit import export
from ledger.commands_card import card
from ledger.commands_rights import allowances, recovery

for command in (allowances, card, export, recovery):
    ledger.add_command(command)

__all__ = ["ledger"]
