"""Device files: every errno is a state with a remedy, and whoever has the device is named."""

import errno
import os
from pathlib import Path

import pytest

from drivers.base import ReaderState
from drivers.device_node import Holder, held, holders, refusal

LOOK = "ls -l /dev/serial/by-id"


@pytest.mark.parametrize(
    ("code", "state", "remedy"),
    [
        (errno.ENOENT, ReaderState.ABSENT, LOOK),
        (errno.ENODEV, ReaderState.ABSENT, LOOK),
        (errno.ENXIO, ReaderState.ABSENT, LOOK),
        (errno.EIO, ReaderState.ABSENT, LOOK),
        (errno.EBUSY, ReaderState.HELD, "fuser"),
        (errno.EAGAIN, ReaderState.HELD, "fuser"),
        (errno.EACCES, ReaderState.FORBIDDEN, "71-tilld-scanners.rules"),
        (errno.EPERM, ReaderState.FORBIDDEN, "DeviceAllow"),
        (errno.ENOTTY, ReaderState.FAILING, LOOK),
        (None, ReaderState.FAILING, LOOK),
    ],
)
def test_every_refusal_is_a_state_with_a_remedy(code: int | None, state: ReaderState, remedy: str) -> None:
    """The technician reads what to type, whatever the kernel says."""
    condition = refusal(Path("/dev/nothing"), code, "opened", LOOK).condition
    assert condition.state is state
    assert "/dev/nothing" in condition.detail
    assert remedy in (condition.remedy or "")


def test_the_remedy_names_the_group_of_the_device(tmp_path: Path) -> None:
    """A device that its group may open needs the group, one that it may not needs the udev rule."""
    device = tmp_path / "device"
    device.touch()
    if os.geteuid() == 0:
        os.chown(device, 0, 20)
        device.chmod(0o660)
        assert "usermod -aG dialout" in (refusal(device, errno.EACCES, "opened", LOOK).condition.remedy or "")
    device.chmod(0o600)
    assert "71-tilld-scanners.rules" in (refusal(device, errno.EACCES, "opened", LOOK).condition.remedy or "")


def fake_proc(folder: Path, device: Path) -> Path:
    """Two processes: 7 has the device open, 8 has a lock on it and may not be looked into."""
    proc = folder / "proc"
    for pid, name in (("7", "ModemManager"), ("8", "POS app"), ("9", "sh")):
        (proc / pid / "fd").mkdir(parents=True)
        (proc / pid / "comm").write_text(f"{name}\n")
    (proc / "7" / "fd" / "3").symlink_to(device)
    (proc / "8" / "fd").rmdir()
    (proc / "9" / "fd" / "3").symlink_to(folder / "gone")
    status = device.stat()
    inode = f"{os.major(status.st_dev):02x}:{os.minor(status.st_dev):02x}:{status.st_ino}"
    (proc / "locks").write_text(
        f"1: FLOCK  ADVISORY  WRITE 8 {inode} 0 EOF\n2: POSIX  ADVISORY  READ 9 00:19:1 0 EOF\n"
        f"3: FLOCK  ADVISORY  WRITE 0 {inode} 0 EOF\n4: nonsense\n"
    )
    return proc


def test_who_has_the_device_is_named(tmp_path: Path) -> None:
    """By its open file where this user may look, by its lock else; processes of other containers have no number."""
    device = tmp_path / "device"
    device.touch()
    found = holders(device, fake_proc(tmp_path, device))
    assert found == [Holder(7, "ModemManager"), Holder(8, "POS app")]
    assert "ModemManager (process 7) or POS app (process 8)" in held(device, found).condition.detail
    assert "sudo kill 7" in (held(device, found[:1]).condition.remedy or "")


def test_nobody_has_a_device_that_is_not_there(tmp_path: Path) -> None:
    """An unplugged reader is absent, not held."""
    assert holders(tmp_path / "gone") == []
