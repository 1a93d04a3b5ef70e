"""All of `tilld ledger`, put together."""

from ledger.commands.audit import export
from ledger.commands.cards import card
from ledger.commands.claims import claim
from ledger.commands.conflicts import conflicts
from ledger.commands.office import account, backup, expire, register, verify
from ledger.commands.rights import allowances, recovery
from ledger.commands.serve import ledger
from ledger.commands.terminals import enroll, revoke, terminals

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
