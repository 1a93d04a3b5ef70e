"""`python -m tests.virtual.reader_state NAME empty|present`: waits until pcscd has noticed that.

A process of its own, because libpcsclite keeps the first PCSCLITE_CSOCK_NAME that it has seen.
"""

import sys
import time

from smartcard import scard

PATIENCE_S = 60.0
WANTED = {"empty": scard.SCARD_STATE_EMPTY, "present": scard.SCARD_STATE_PRESENT}


def main(name: str, wanted: str) -> int:
    deadline = time.monotonic() + PATIENCE_S
    _, context = scard.SCardEstablishContext(scard.SCARD_SCOPE_SYSTEM)
    known = scard.SCARD_STATE_UNAWARE
    while time.monotonic() < deadline:
        code, seen = scard.SCardGetStatusChange(context, 1000, [(name, known)])
        if code == scard.SCARD_S_SUCCESS and seen[0][1] & WANTED[wanted]:
            return 0
        known = seen[0][1] & ~scard.SCARD_STATE_CHANGED if seen else known
    return 1


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
