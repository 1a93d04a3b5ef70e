"""A scanner on a pseudo-terminal: what a test sends, pyserial reads on a real tty of the kernel."""

import contextlib
import os
import pty
import tty
from pathlib import Path
from types import TracebackType
from typing import Self


class SerialScanner:
    """Plugged in as long as it is open; `port` is a link to the tty, as udev makes one below /dev/serial/by-id."""

    def __init__(self, folder: Path, name: str = "usb-Acme_Scanner_0001-if00") -> None:
        self.port = folder / name
        self._line: int | None = None
        self.plug()

    def plug(self) -> None:
        """Comes back as another tty, under the same link."""
        self._line, far_end = pty.openpty()
        tty.setraw(far_end)
        self.port.symlink_to(os.ttyname(far_end))
        os.close(far_end)

    def unplug(self) -> None:
        if self._line is not None:
            self.port.unlink()
            os.close(self._line)
            self._line = None

    def send(self, piece: bytes) -> None:
        assert self._line is not None
        while piece:
            piece = piece[os.write(self._line, piece) :]

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with contextlib.suppress(OSError):
            self.unplug()
