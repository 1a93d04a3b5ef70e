"""All of `tilld ledger`, put together."""

from ledger.commands import ledger
from ledger.commands_audit import export
from ledger.commands_card import card
from ledger.commands_conflicts import conflicts
from ledger.commands_office import account, backup, claim, expire, register, verify
from ledger.commands_rights import allowances, recovery
from ledger.commands_terminals import enroll, revoke, terminals

for command in (
    account,
    allowances,
    backup,
    card,
    claim,
    conflicts,
    enroll,
    expire,
    export,
    recovery,
    register,
    revoke,
    terminals,
    verify,
):
    ledger.add_command(command)

__all__ = ["ledger"]
