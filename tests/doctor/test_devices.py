"""Ports, cameras, keyboards, groups, rules and kernel drivers, with machines made for the purpose."""

import os
import pty
from collections.abc import Iterator
from pathlib import Path

import pytest

from drivers.base import Condition, ReaderState
from drivers.device_node import Holder
from terminal.doctor import cameras, groups, inputs, kernel, pcscd, polkit, readers, serial_ports, udev_rules
from terminal.doctor.account import Account, account_of, process_ids
from terminal.doctor.devices import Device, held_by, opened_by
from terminal.doctor.findings import Verdict, Who
from terminal.doctor.machine import Machine, Said
from terminal.inbox import Counters
from tests.doctor.machines import ToldMachine, only, patient, process, reader, verdicts

DAEMON = Account("tilld", 990, frozenset({990, 20}), ("dialout", "tilld"))
OLD = Said(0, "pcsc-lite version 1.9.9.\nEnabled features: Linux usb\n")
NEW = Said(0, "pcsc-lite version 2.3.3.\nEnabled features: Linux usb polkit\n")
RULES = Path(__file__).resolve().parents[2] / "udev"


def status(mode: int, uid: int = 0, gid: int = 0) -> os.stat_result:
    return os.stat_result((mode, 0, 0, 1, uid, gid, 0, 0, 0, 0))


@pytest.mark.parametrize(
    ("mode", "uid", "gid", "may"),
    [
        (0o660, 0, 20, True),
        (0o660, 0, 44, False),
        (0o640, 0, 20, False),
        (0o666, 0, 0, True),
        (0o600, 990, 0, True),
        (0o066, 990, 20, False),
    ],
)
def test_who_may_open_a_device(mode: int, uid: int, gid: int, may: bool) -> None:
    """The first class that fits decides, as in path_resolution(7); root may always."""
    assert DAEMON.may_open(status(mode, uid, gid)) is may
    assert Account("root", 0, frozenset({0}), ("root",)).may_open(status(0))


def test_a_device_of_another_group_names_the_group_to_join() -> None:
    """A device of root's alone needs a rule first; that is the check's own remedy."""
    device = Device("stripe", Path("/dev/input/event3"))
    closed = opened_by(DAEMON, inputs.ACCESS, device, status(0o660, 0, 104), "input")
    assert closed.remedy == "sudo usermod -aG input tilld; sudo systemctl restart tilld"
    roots = opened_by(DAEMON, inputs.ACCESS, device, status(0o600), "root")
    assert roots.verdict is Verdict.BROKEN
    assert "71-tilld-scanners.rules" in (roots.remedy or "")


def test_another_program_that_holds_a_port_is_named() -> None:
    """It is never killed by a command of ours: who it is, a person must see first."""
    device = Device("gun", Path("/dev/ttyUSB0"))
    found = held_by(serial_ports.ALONE, device, [Holder(812, "minicom")])
    assert found.verdict is Verdict.ATTENTION
    assert "minicom (process 812)" in found.evidence
    assert "kill" not in (found.remedy or "")
    assert held_by(serial_ports.ALONE, device, []).verdict is Verdict.OK


@pytest.fixture
def port() -> Iterator[str]:
    master, slave = pty.openpty()
    yield os.ttyname(slave)
    os.close(slave)
    os.close(master)


def test_a_serial_port_that_is_there_and_held(tmp_path: Path, port: str) -> None:
    """A pseudo-terminal of this very test: there, may be opened; our own process does not count as another."""
    found = list(serial_ports.look(patient(tmp_path, Machine(), reader("serial_line", port=port))))
    for code in ("serial.port", "serial.access", "serial.alone"):
        assert only(found, code).verdict is Verdict.OK


def test_a_serial_port_that_is_not_there_names_those_that_are(tmp_path: Path) -> None:
    """The cashier may have pulled the plug; the technician sees what is plugged in."""
    machine = ToldMachine(tmp_path, {"/dev/serial/by-id/usb-FTDI-if00": ""})
    found = list(serial_ports.look(patient(tmp_path, machine, reader("contactless", path="/dev/ttyUSB7"))))
    assert only(found, "serial.port").verdict is Verdict.BROKEN
    assert "usb-FTDI-if00" in only(found, "serial.port").evidence
    assert only(found, "serial.port").who is Who.CASHIER


def test_programs_that_take_every_new_port(tmp_path: Path) -> None:
    """brltty always; ModemManager where no rule of ours keeps it off; hidden processes are not told to be none."""
    files = {"/proc/41/comm": "brltty\n", "/proc/42/comm": "ModemManager\n"}
    one = patient(tmp_path / "a", ToldMachine(tmp_path / "a", files), reader("serial_line", usb="0c2e:0b6a"))
    found = only(list(serial_ports.look(one)), "serial.thieves")
    assert found.remedy == "sudo apt-get purge brltty; sudo systemctl disable --now ModemManager"
    ruled = ToldMachine(tmp_path / "b", files | {"/etc/udev/rules.d/71-tilld-scanners.rules": ""})
    two = patient(tmp_path / "b", ruled, reader("serial_line", usb="0c2e:0b6a"))
    assert only(list(serial_ports.look(two)), "serial.thieves").remedy == "sudo apt-get purge brltty"
    (tmp_path / "b/proc/1/comm").unlink()
    assert only(list(serial_ports.look(two)), "serial.thieves").verdict is Verdict.UNKNOWN


def test_cameras_by_number_path_and_address(tmp_path: Path) -> None:
    """Those that are there are named as the kernel names them; an address is not tried from here."""
    machine = ToldMachine(tmp_path, {"/sys/class/video4linux/video0/name": "C270\n", "/dev/video0": ""})
    readers = (
        reader("camera", "one", source="0"),
        reader("camera", "two", source="/dev/video3"),
        reader("camera", "three", source="rtsp://admin:hunter22@10.0.0.5/stream"),
    )
    found = list(cameras.look(patient(tmp_path, machine, *readers)))
    told = {(finding.code, finding.subject): finding for finding in found}
    assert told["cameras.device", "one"].verdict is Verdict.OK
    assert "/dev/video0 (C270)" in told["cameras.device", "two"].evidence
    assert told["cameras.device", "three"].verdict is Verdict.UNKNOWN
    assert "hunter22" not in str(found)


def keyboard(number: int, usb: str) -> dict[str, str]:
    folder = f"/sys/class/input/event{number}/device"
    vendor, _, product = usb.partition(":")
    keys = {"capabilities/key": "ffffffffffffffff\n", "id/vendor": vendor, "id/product": product, "name": "Scanner"}
    return {f"{folder}/{name}": text for name, text in keys.items()}


def test_scanners_that_type_are_found_by_their_vid_and_pid(tmp_path: Path) -> None:
    """One fits; two of the same need a choice; none is a plug that was pulled."""
    wedge = reader("keyboard_wedge", usb="0c2e:0b61")
    one = ToldMachine(tmp_path / "1", keyboard(3, "0c2e:0b61") | {"/dev/input/event3": ""})
    assert only(list(inputs.look(patient(tmp_path / "1", one, wedge))), "inputs.device").verdict is Verdict.OK
    two = ToldMachine(tmp_path / "2", keyboard(3, "0c2e:0b61") | keyboard(4, "0c2e:0b61"))
    assert "2 keyboards" in only(list(inputs.look(patient(tmp_path / "2", two, wedge))), "inputs.device").evidence
    none = ToldMachine(tmp_path / "3")
    assert (
        "no keyboard of 0c2e:0b61"
        in only(list(inputs.look(patient(tmp_path / "3", none, wedge))), "inputs.device").evidence
    )


def test_pcscd_that_runs_and_one_that_was_never_installed(tmp_path: Path) -> None:
    """Without systemd nothing starts it; with it the socket does."""
    files = {
        "/run/pcscd/pcscd.comm": "",
        "/run/systemd/system/x": "",
        "/usr/lib/pcsc/drivers/ifd-ccid.bundle/Contents": "",
        "/proc/41/comm": "pcscd\n",
        "/proc/41/status": process(991, 991),
    }
    commands = {
        "pcscd --version": OLD,
        "systemctl is-active pcscd.socket": Said(0, "active\n"),
        "systemctl is-active pcscd.service": Said(3, "inactive\n"),
    }
    found = list(pcscd.look(patient(tmp_path / "a", ToldMachine(tmp_path / "a", files, commands), reader("pcsc"))))
    assert set(verdicts(found).values()) == {Verdict.OK}
    assert only(found, "pcscd.process").evidence == "process 41, user pcscd"
    bare = list(pcscd.look(patient(tmp_path / "b", ToldMachine(tmp_path / "b"), reader("pcsc"))))
    assert only(bare, "pcscd.installed").remedy == "sudo apt-get install pcscd libccid"
    assert only(bare, "pcscd.process").verdict is Verdict.BROKEN


@pytest.mark.parametrize(
    ("socket", "service", "verdict"),
    [("active", "inactive", "ok"), ("inactive", "failed", "broken"), ("inactive", "inactive", "attention")],
)
def test_pcscd_by_its_units(socket: str, service: str, verdict: str) -> None:
    assert pcscd.service_state(socket, service).verdict == verdict


class Polkit:
    """A machine whose daemon is in `groups`, under a pcscd that asks polkit."""

    def __init__(self, root: Path, gids: tuple[int, ...], rule: str | None, said: Said = NEW) -> None:
        files = {} if rule is None else {"/etc/polkit-1/rules.d/50-tilld.rules": rule}
        machine = ToldMachine(root, files, {"pcscd --version": said})
        os.chown(root, 990, 990)
        groups = "tilld:x:990:\nother:x:991:tilld\n" if 990 in gids else "tilld:x:9:\nother:x:990:\n"
        machine.path("/etc/group").write_text(groups)
        self.found = list(polkit.look(patient(root, machine, reader("pcsc"))))


@pytest.mark.skipif(os.geteuid() != 0, reason="gives files to another user")
def test_polkit_needs_the_rule_and_the_group(tmp_path: Path) -> None:
    """Either alone leaves the daemon with "Access denied"; a pcscd that does not ask needs neither."""
    rule = (RULES / "polkit-tilld.rules").read_text()
    for name in "abcd":
        (tmp_path / name).mkdir()
    assert verdicts(Polkit(tmp_path / "a", (990,), rule).found) == {
        "polkit.rule": Verdict.OK,
        "polkit.member": Verdict.OK,
    }
    assert only(Polkit(tmp_path / "b", (990,), None).found, "polkit.rule").verdict is Verdict.BROKEN
    assert only(Polkit(tmp_path / "c", (), rule).found, "polkit.member").remedy == (
        "sudo usermod -aG tilld tilld; sudo systemctl restart tilld"
    )
    assert verdicts(Polkit(tmp_path / "d", (), None, OLD).found) == {"polkit.rule": Verdict.OK}


def test_kernel_drivers_that_take_readers(tmp_path: Path) -> None:
    """One that is loaded breaks reading now, one that may load breaks it at the next plug."""
    loaded = {
        "/proc/modules": "pn533_usb 1 0 - Live 0\nnfc 1 1 - Live 0\n",
        "/etc/modprobe.d/x.conf": "blacklist port100\n",
    }
    found = list(kernel.look(patient(tmp_path / "a", ToldMachine(tmp_path / "a", loaded), reader("pcsc"))))
    assert (only(found, "kernel.loaded").verdict, only(found, "kernel.loaded").evidence) == (
        "broken",
        "pn533_usb is loaded",
    )
    assert only(found, "kernel.blacklist").verdict is Verdict.ATTENTION
    ours = {"/proc/modules": "", "/etc/modprobe.d/tilld.conf": (RULES / "tilld-blacklist.conf").read_text()}
    fine = list(kernel.look(patient(tmp_path / "b", ToldMachine(tmp_path / "b", ours), reader("pcsc"))))
    assert set(verdicts(fine).values()) == {Verdict.OK}


def test_groups_that_readers_need() -> None:
    """One of Debian's and ours is enough; root needs none; simulated readers need none."""
    assert groups.needs(reader("contactless", path="/dev/ttyUSB0")) == ("dialout", "tilld")
    assert groups.needs(reader("contactless", path="usb:054c:06c3")) == ("tilld",)
    assert groups.needs(reader("simulated")) == ()
    assert groups.member(DAEMON, ("dialout", "tilld"), "gun").verdict is Verdict.OK
    assert (
        groups.member(DAEMON, ("video",), "camera").remedy
        == "sudo usermod -aG video tilld; sudo systemctl restart tilld"
    )


def test_the_account_of_a_till_that_is_down_is_that_of_its_folder(tmp_path: Path) -> None:
    """Root's own in this test, or whoever runs it; with the memberships of /etc/group."""
    account = account_of(patient(tmp_path, Machine()))
    assert account.uid == tmp_path.stat().st_uid
    with pytest.raises(OSError, match="/proc says nothing"):
        process_ids("")


def test_rules_installed_as_shipped_changed_or_missing(tmp_path: Path) -> None:
    """Comments may differ; the command copies the file that this version brings."""
    name = "71-tilld-scanners.rules"
    shipped = (RULES / name).read_text()
    scanner = reader("serial_line", port="/dev/ttyACM0")

    def found(folder: str, files: dict[str, str]) -> Verdict:
        return only(
            list(udev_rules.look(patient(tmp_path, ToldMachine(tmp_path / folder, files), scanner))), "udev.rules"
        ).verdict

    assert found("a", {f"/usr/lib/udev/rules.d/{name}": shipped}) is Verdict.OK
    assert found("b", {f"/etc/udev/rules.d/{name}": "# of ours\n" + shipped}) is Verdict.OK
    assert found("c", {f"/etc/udev/rules.d/{name}": 'SUBSYSTEM=="tty"\n'}) is Verdict.ATTENTION
    assert found("d", {}) is Verdict.ATTENTION
    camera = patient(tmp_path, ToldMachine(tmp_path), reader("camera"), reader("contactless"))
    assert udev_rules.needed(camera) == ["70-tilld.rules", "72-tilld-cameras.rules"]


@pytest.mark.parametrize(("state", "verdict"), [(state, verdict) for state, verdict in readers.GRAVE.items()])
def test_each_state_of_a_reader_has_its_verdict(state: ReaderState, verdict: Verdict) -> None:
    """All that there are; the driver's own remedy goes before the check's."""
    found = readers.state(Condition(state, "why", "sudo kill 812; replug it"), "counter")
    assert found.verdict is verdict
    assert (found.remedy == "sudo kill 812; replug it") is (verdict is not Verdict.OK)
    assert set(readers.GRAVE) == set(ReaderState)


def test_who_mends_a_reader() -> None:
    """By its remedy: sudo is root's, a plug is the cashier's."""
    assert readers.who_does("sudo usermod -aG x y") is Who.ROOT
    assert readers.who_does("plug the reader in") is Who.CASHIER
    assert readers.who_does(None) is Who.TECHNICIAN


@pytest.mark.parametrize(
    ("good", "failed", "unreadable", "verdict"),
    [(100, 5, 5, "ok"), (10, 9, 0, "ok"), (70, 20, 10, "attention"), (0, 0, 0, "ok")],
)
def test_a_reader_that_reads_badly(good: int, failed: int, unreadable: int, verdict: str) -> None:
    """More than a fifth in vain, of enough to tell."""
    assert readers.reading(Counters(good, failed, unreadable), "x").verdict == verdict


def test_a_reader_whose_process_dies_again_and_again() -> None:
    assert readers.steady(Counters(restarts=50, hours=10), "x").verdict is Verdict.ATTENTION
    assert readers.steady(Counters(restarts=50, hours=1000), "x").verdict is Verdict.OK
    assert readers.steady(Counters(restarts=3, hours=0), "x").verdict is Verdict.OK


def test_a_reader_is_opened_by_the_doctor_and_given_back() -> None:
    """What the driver says when it is opened; one that hangs or dies is told too."""
    assert readers.opened(reader("simulated"), notes=False).state is ReaderState.READY
    absent = readers.opened(reader("serial_line", port="/dev/none"), notes=False)
    assert (absent.state, absent.detail) == (ReaderState.ABSENT, "there is no /dev/none")
    assert readers.opened(reader("no_such_driver"), notes=False).state is ReaderState.FAILING
