"""`python -m tests.virtual.empty_reader NAME`: waits until pcscd has noticed that no card is in that reader.

A process of its own, because libpcsclite keeps the first PCSCLITE_CSOCK_NAME that it has seen.
"""

import sys
import time

from smartcard import scard

PATIENCE_S = 5.0


def main(name: str) -> int:
    deadline = time.monotonic() + PATIENCE_S
    _, context = scard.SCardEstablishContext(scard.SCARD_SCOPE_SYSTEM)
    state = scard.SCARD_STATE_UNAWARE
    while time.monotonic() < deadline:
        code, seen = scard.SCardGetStatusChange(context, 1000, [(name, state)])
        if code == scard.SCARD_S_SUCCESS and seen[0][1] & scard.SCARD_STATE_EMPTY:
            return 0
        state = seen[0][1] & ~scard.SCARD_STATE_CHANGED if seen else state
    return 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
