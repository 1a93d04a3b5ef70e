"""The public keys with which this till proves claim codes: its own, and those that the ledger told of."""

from terminal.cards.hotlist import Hotlist
from terminal.claims.issue import ClaimIssue


class KnownKeys:
    """`terminal` is this till's own id."""

    def __init__(self, terminal: str, issue: ClaimIssue, hotlist: Hotlist) -> None:
        self._terminal, self._issue, self._hotlist = terminal, issue, hotlist

    def of(self, terminal: str) -> list[bytes]:
        """All that count; a key that was revoked does not, also where it is our own."""
        told = self._hotlist.keys(terminal)
        own = self._issue.public_key if terminal == self._terminal else None
        keys = [key for key, revoked in told if key and not revoked]
        gone = {key for key, revoked in told if revoked}
        return keys if own is None or own in gone else list(dict.fromkeys([own, *keys]))
