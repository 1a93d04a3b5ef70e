"""What the system says is read as it is, and whatever else it may say does no harm."""

import contextlib
import sys
from datetime import UTC, datetime
from ipaddress import IPv4Address, IPv6Address, ip_address

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from terminal.doctor.account import group_names, memberships, process_ids, user_named
from terminal.doctor.clock import network_time
from terminal.doctor.exposure import address_of, listeners
from terminal.doctor.hardware import load, meminfo, throttled_bits
from terminal.doctor.kernel import blacklisted, modules
from terminal.doctor.line import date_of
from terminal.doctor.mounts import Mount, mount_of, mounts, plain
from terminal.doctor.pcscd import version
from terminal.doctor.polkit import asks_polkit
from terminal.doctor.udev_rules import rules_of

lines = st.text(st.characters(codec="utf-8"), max_size=200)
names = st.text(st.characters(categories=["L", "N"], include_characters="_- \t\\\n/."), min_size=1, max_size=12)


@settings(max_examples=200)
@given(lines)
def test_no_text_breaks_a_parser(text: str) -> None:
    """A line that is none is passed over; the one error that is promised is an OSError."""
    for parse in (
        mounts,
        group_names,
        modules,
        blacklisted,
        listeners,
        network_time,
        meminfo,
        throttled_bits,
        version,
        asks_polkit,
        rules_of,
        date_of,
    ):
        parse(text)
    load(text, 4)
    user_named(1, text)
    memberships("tilld", text)
    with contextlib.suppress(OSError):
        process_ids(text)


def escaped(name: str) -> str:
    """As the kernel writes it (proc(5))."""
    return "".join(f"\\{ord(each):03o}" if each in " \t\n\\" else each for each in name)


@given(names, names, st.sampled_from(["ext4", "tmpfs", "overlay"]), st.sets(st.sampled_from(["rw", "noatime", "ro"])))
def test_a_mount_is_read_with_its_strange_names(point: str, source: str, kind: str, options: set[str]) -> None:
    """Spaces, tabs, line feeds and backslashes are in names; optional fields stand before the dash."""
    said = ",".join(sorted(options)) or "rw"
    line = f"36 35 98:0 /r {escaped('/' + point)} {said} master:1 shared:2 - {kind} {escaped(source)} rw,errors=x"
    (found,) = mounts(line)
    assert found == Mount("/" + point, kind, source, frozenset({*said.split(","), "rw", "errors=x"}))


@given(st.text())
def test_a_name_survives_the_kernels_way_of_writing(name: str) -> None:
    assert plain(escaped(name)) == name


def test_the_deepest_mount_counts_and_of_those_the_last() -> None:
    """A second mount on the same folder hides the first."""

    def at(point: str, kind: str) -> Mount:
        return Mount(point, kind, "x", frozenset())

    found = [at("/", "ext4"), at("/var/lib", "tmpfs"), at("/var/lib", "xfs"), at("/var/libexec", "nfs")]
    assert mount_of("/var/lib/tilld", found) == found[2]
    assert mount_of("/var/libx", found) == found[0]
    assert mount_of("/x", []) is None
    deep = [Mount(point, "ext4", point, frozenset()) for point in ("/var/lib", "/var", "/")]
    assert mount_of("/var/lib/tilld", deep) == deep[0], "the deepest, wherever it stands"


@given(st.one_of(st.ip_addresses(v=4), st.ip_addresses(v=6)), st.integers(0, 65535), st.integers(1, 2**31))
def test_a_listening_socket_is_read_as_the_kernel_writes_it(
    address: IPv4Address | IPv6Address, port: int, inode: int
) -> None:
    """Words of 32 bits in the machine's own order; IPv4 in IPv6 is told as IPv4."""
    hexed = "".join(address.packed[at : at + 4][::-1].hex().upper() for at in range(0, len(address.packed), 4))
    row = f"   0: {hexed}:{port:04X} 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 {inode} 1"
    (found,) = listeners(f"  sl  local_address\n{row}\n")
    mapped = getattr(address, "ipv4_mapped", None)
    assert (ip_address(found.address), found.port, found.inode) == (mapped or address, port, str(inode))


def test_addresses_of_the_kernels_own_documentation() -> None:
    """127.0.0.1, ::1 and any of both families."""
    assert sys.byteorder == "little"
    assert address_of("0100007F") == "127.0.0.1"
    assert address_of("00000000000000000000000001000000") == "::1"
    assert address_of("00000000") == "0.0.0.0"
    with pytest.raises(ValueError, match="no address"):
        address_of("0100")


def test_who_a_process_is() -> None:
    """Effective user, and all its groups with its own."""
    status = "Name:\tx\nUid:\t1000\t990\t990\t990\nGid:\t1000\t991\t991\t991\nGroups:\t4 20 \n"
    assert process_ids(status) == (990, frozenset({991, 4, 20}))
    assert user_named(990, "tilld:x:990:991::/:/bin/sh\n") == ("tilld", frozenset({991}))
    assert user_named(5, "") == ("5", frozenset())
    assert memberships("tilld", "a:x:1:tilld,b\nb:x:2:b\nc:x:3:\n") == {1}


@pytest.mark.parametrize(
    ("text", "barred"),
    [
        ("blacklist pn533_usb\n", {"pn533_usb"}),
        ("  blacklist   pn533-usb # why\n", {"pn533_usb"}),
        ("#blacklist port100", set()),
        ("install port100 /bin/false\n", {"port100"}),
        ("install port100 /sbin/modprobe --ignore-install port100\n", set()),
        ("options pn533_usb x=1\nalias a b\n", set()),
    ],
)
def test_what_modprobe_is_told(text: str, barred: set[str]) -> None:
    """Both ways to keep a module out (modprobe.d(5))."""
    assert blacklisted(text) == barred


def test_modules_as_lsmod_shows_them() -> None:
    assert modules("pn533_usb 20480 0 - Live 0x0\npn533 49152 1 pn533_usb, Live 0x0\n") == {"pn533_usb", "pn533"}


@pytest.mark.parametrize(
    ("shown", "said"),
    [("NTPSynchronized=yes\n", True), ("NTP=yes\nNTPSynchronized=no\n", False), ("NTP=yes", None), ("", None)],
)
def test_network_time(shown: str, said: bool | None) -> None:
    """NTP=yes says that it is wanted, not that it works."""
    assert network_time(shown) is said


@pytest.mark.parametrize(("told", "bits"), [("throttled=0x50005", 0x50005), ("50000", 0x50000), ("VCHI failed", None)])
def test_what_a_raspberry_pi_says(told: str, bits: int | None) -> None:
    assert throttled_bits(told) == bits


def test_pcscd_says_its_version_and_whether_it_asks_polkit() -> None:
    """Debian 12's does not, Debian 13's does; a folder that is called polkit is no feature."""
    old = "pcsc-lite version 1.9.9.\nEnabled features: Linux libsystemd usb libudev usbdropdir=/usr/lib/polkit filter\n"
    new = "pcsc-lite version 2.3.3.\nEnabled features: Linux libsystemd usb polkit filter\n"
    assert (version(old), asks_polkit(old)) == ("1.9.9", False)
    assert (version(new), asks_polkit(new)) == ("2.3.3", True)


def test_a_date_header() -> None:
    """In the one form that servers send, and in one without its zone, which means UTC."""
    assert date_of("Sun, 06 Nov 1994 08:49:37 GMT") == datetime(1994, 11, 6, 8, 49, 37, tzinfo=UTC)
    assert date_of("Sun, 06 Nov 1994 08:49:37 -0000") == datetime(1994, 11, 6, 8, 49, 37, tzinfo=UTC)
    assert date_of("yesterday") is None


def test_rules_are_compared_without_their_comments() -> None:
    assert rules_of('# why\n\nA=="b"\n  C="d" \n') == ['A=="b"', 'C="d"']
