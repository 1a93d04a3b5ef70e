"""How far the chips and codes that prove themselves have counted: each presentation counts one on, a copy does not.

Tills offline know nothing of each other, so a message that was copied off a card may be taken by each of them once.
Here they meet.
"""

from ledger.facts.case import Case
from offline_queue.entry import CardProof, Entry, Kind

SHOWING = frozenset({Kind.EARN, Kind.REDEEM})


def proof_of(entry: Entry) -> CardProof | None:
    return entry.card.proof if entry.card is not None and entry.kind in SHOWING else None


def copied(case: Case) -> bool:
    """Whether what was shown had been shown before: at another till, or long after a later count.

    A sale that only comes late has a lower count and an earlier time, and is none. One till knows by itself what it has
    taken, and makes several entries of one presentation.
    """
    proof, greatest = proof_of(case.entry), case.shown
    if proof is None or greatest is None:
        return False
    if proof.counter == greatest.counter:
        return case.entry.terminal != greatest.terminal
    return proof.counter < greatest.counter and case.at > greatest.at + case.policy.clock_tolerance_ms
