"""What the till stands on: disk, state folder, journal, clock, memory, and who can reach it."""

import os
import sqlite3
import stat
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from offline_queue.journal import Origin
from offline_queue.room import MIB, Space
from offline_queue.store import Store
from offline_queue.timepiece import SystemTimepiece
from terminal.api.shapes import LedgerView, QueueView, Status
from terminal.config_hw_proxy import HwProxy
from terminal.doctor import clock, disk, exposure, hardware, journal, state_files, till
from terminal.doctor.exposure import Listener
from terminal.doctor.findings import Level, Verdict
from terminal.doctor.machine import Machine, Said
from terminal.doctor.mounts import Mount
from terminal.doctor.patient import Held, Patient
from tests.doctor.machines import ToldMachine, only, patient, process, verdicts


def mount(kind: str = "ext4", *options: str) -> Mount:
    return Mount("/var", kind, "/dev/sda1", frozenset({"rw", "relatime", *options}))


@pytest.mark.parametrize(
    ("found", "verdict"),
    [
        (mount(), "ok"),
        (mount("btrfs", "discard"), "ok"),
        (mount("ext4", "nobarrier"), "broken"),
        (mount("ext4", "barrier=0"), "broken"),
        (mount("overlay", "volatile"), "broken"),
        (Mount("/", "ext4", "x", frozenset({"ro"})), "broken"),
        (mount("tmpfs"), "broken"),
        (mount("nfs4"), "attention"),
        (mount("vfat", "data=writeback"), "attention"),
        (None, "unknown"),
    ],
)
def test_disks_that_lose_what_they_have_confirmed(found: Mount | None, verdict: str) -> None:
    """Measured in a virtual till: without barriers even synchronous=FULL loses answered sales."""
    assert disk.mounted(found).verdict == verdict


@pytest.mark.parametrize(("free", "verdict"), [(10_000, "ok"), (40, "attention"), (10, "broken")])
def test_room_as_the_till_itself_judges_it(free: int, verdict: str) -> None:
    assert disk.room(Space(1 * MIB, free * MIB)).verdict == verdict


@given(st.lists(st.floats(0, 5000), min_size=1, max_size=9))
def test_one_slow_write_is_somebody_elses(times: list[float]) -> None:
    """The median decides; a disk that is mostly quick is quick."""
    verdict = disk.sync_time(times).verdict
    if sum(time < disk.SLOW_MS for time in times) > len(times) / 2:
        assert verdict is Verdict.OK
    if sum(time >= disk.DEAD_MS for time in times) > len(times) / 2:
        assert verdict is Verdict.BROKEN


def test_a_disk_that_has_counted_errors(tmp_path: Path) -> None:
    """ext4 stays mounted rw after them; its own count tells."""
    device = tmp_path.stat().st_dev
    number = f"{os.major(device)}:{os.minor(device)}"
    for count, verdict in (("0", "ok"), ("3", "broken")):
        machine = ToldMachine(tmp_path / count, {f"/sys/fs/ext4/{number}/errors_count": f"{count}\n"})
        assert disk.errors(patient(tmp_path, machine), tmp_path).verdict == verdict
    assert disk.errors(patient(tmp_path, ToldMachine(tmp_path / "none")), tmp_path).verdict is Verdict.UNKNOWN


def test_the_real_disk_is_timed_only_when_it_may_be_touched(tmp_path: Path) -> None:
    """The internal level writes nothing; the external one leaves nothing behind."""
    assert "disk.sync" not in verdicts(list(disk.look(Patient(tmp_path))))
    assert "disk.sync" in verdicts(list(disk.look(Patient(tmp_path / "not/yet", level=Level.EXTERNAL))))
    assert list(tmp_path.iterdir()) == []


def test_a_private_state_folder_and_one_that_is_not(tmp_path: Path) -> None:
    """Each file by itself; a link in the place of a file is told."""
    folder = tmp_path / "state"
    folder.mkdir(mode=0o700)
    for name in ("journal.db", "pos.token"):
        (folder / name).touch(mode=0o600)
    fine = list(state_files.look(Patient(folder)))
    assert set(verdicts(fine).values()) == {Verdict.OK}
    (folder / "pos.token").chmod(0o640)
    (folder / "terminal.key").symlink_to("/etc/hostname")
    found = {finding.subject: finding for finding in state_files.look(Patient(folder))}
    assert found[str(folder / "pos.token")].remedy == f"sudo chmod 600 {folder}/pos.token"
    assert "link" in found[str(folder / "terminal.key")].evidence


@pytest.mark.parametrize(("mode", "verdict"), [(0o700, "ok"), (0o755, "attention"), (0o777, "broken")])
def test_a_folder_that_everybody_may_write(mode: int, verdict: str) -> None:
    """They could put their own files in the place of the till's."""
    status = os.stat_result((stat.S_IFDIR | mode, 0, 0, 1, 0, 0, 0, 0, 0, 0))
    assert state_files.folder_mode(Path("/s t"), status).verdict == verdict


def test_files_that_root_left_behind() -> None:
    """One run with sudo, and the daemon cannot write any more; names are quoted for the shell."""
    found = state_files.owners(Path("/s"), 990, {Path("/s/a b"): 0, Path("/s/lock"): 990})
    assert found.remedy == "sudo chown --reference=/s '/s/a b'"
    assert state_files.owners(Path("/s"), 990, {Path("/s/lock"): 990}).verdict is Verdict.OK


def held(synchronous: int = 2, **fields: object) -> Held:
    status = Status("S001-T01", "0.1.0", LedgerView(True, "now", None), QueueView(0, None, 0), [], {})
    return Held(status, synchronous, os.getpid())


@pytest.mark.parametrize(("synchronous", "number", "verdict"), [("full", 2, "ok"), ("normal", 1, "broken")])
def test_the_connection_that_writes_tells_how_it_writes(
    tmp_path: Path, synchronous: str, number: int, verdict: str
) -> None:
    """SQLite's own number of the open store, not what somebody meant to set."""
    origin = Origin("S001-T01", "machine", "tilld/test")
    timepiece = SystemTimepiece()
    with closing(
        Store.open(tmp_path / "journal.db", origin=origin, timepiece=timepiece, synchronous=synchronous)  # type: ignore[arg-type]
    ) as store:
        assert store.synchronous == number
        found = list(journal.look(Patient(tmp_path, held=held(store.synchronous), running=True, level=Level.EXTERNAL)))
    assert only(found, "journal.synchronous").verdict == verdict
    assert only(found, "journal.chain").verdict is Verdict.OK


def test_a_journal_that_is_none(tmp_path: Path) -> None:
    """Another file in its place, or a mode that other tools have left."""
    (tmp_path / "journal.db").write_bytes(b"not a journal at all")
    assert only(list(journal.look(Patient(tmp_path))), "journal.readable").verdict is Verdict.BROKEN
    assert journal.mode(bytes(18) + b"\x01\x01").verdict is Verdict.ATTENTION
    assert journal.mode(b"").verdict is Verdict.ATTENTION


def test_a_check_that_takes_too_long_is_unknown() -> None:
    """Left to `tilld queue verify`; an error of the disk is no matter of time."""

    def interrupted() -> None:
        with closing(sqlite3.connect(":memory:")) as connection:
            connection.set_progress_handler(lambda: True, 1)
            connection.execute("SELECT count(*) FROM (VALUES (1), (2)) AS a, (VALUES (1), (2)) AS b").fetchone()

    def broken() -> None:
        raise sqlite3.DatabaseError("database disk image is malformed")

    assert journal.timed(journal.PAGES, interrupted).verdict is Verdict.UNKNOWN  # type: ignore[arg-type]
    assert journal.timed(journal.PAGES, broken).verdict is Verdict.BROKEN  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("now", "verdict"),
    [(datetime(1970, 1, 1, tzinfo=UTC), "broken"), (datetime(2027, 1, 1, tzinfo=UTC), "ok")],
)
def test_a_clock_without_its_battery(now: datetime, verdict: str) -> None:
    """A machine that starts in 1970 gives points that have expired before they begin."""
    assert clock.plausible(now, "b007").verdict == verdict


@pytest.mark.parametrize(
    ("kernel", "shown", "verdict"),
    [
        (0, "NTPSynchronized=yes\n", "ok"),
        (5, "NTPSynchronized=yes\n", "ok"),
        (0, "NTPSynchronized=no\n", "attention"),
        (5, None, "attention"),
        (0, None, "ok"),
        (None, None, "unknown"),
        (None, "NTP=yes\n", "unknown"),
    ],
)
def test_a_clock_that_the_network_sets(kernel: int | None, shown: str | None, verdict: str) -> None:
    """timedatectl where there is one, else the kernel's own word."""
    assert clock.synchronised(kernel, shown).verdict == verdict


def test_the_kernels_own_word_is_asked_without_changing_anything() -> None:
    """adjtimex(2) with no modes; a sandbox may refuse."""
    assert clock.kernel_clock() in {None, 0, 1, 2, 3, 4, 5}


def test_a_machine_without_a_real_time_clock(tmp_path: Path) -> None:
    """No fault while the network keeps the time."""
    assert clock.battery(["rtc0"], network_keeps_it=False).verdict is Verdict.OK
    assert clock.battery([], network_keeps_it=True).verdict is Verdict.OK
    assert clock.battery([], network_keeps_it=False).verdict is Verdict.ATTENTION
    said = {"timedatectl show": Said(0, "NTPSynchronized=yes\n")}
    found = list(clock.look(patient(tmp_path, ToldMachine(tmp_path, {}, said))))
    assert only(found, "clock.synchronised").verdict is Verdict.OK


def test_addresses_that_are_really_open(tmp_path: Path) -> None:
    """By the daemon's own sockets, whatever the config says; the mirror's port has a certificate."""
    rows = "  sl\n   0: 00000000:224C 0:0 0A 0:0 0:0 0 0 0 {} 1\n   1: 0100007F:1F90 0:0 0A 0:0 0:0 0 0 0 77 1\n"
    machine = ToldMachine(tmp_path, {f"/proc/{os.getpid()}/net/tcp": rows.format(4711)})
    fd = machine.path(f"/proc/{os.getpid()}/fd")
    fd.mkdir()
    (fd / "3").symlink_to("socket:[4711]")
    (fd / "4").symlink_to("/dev/null")
    found = exposure.listening(Patient(tmp_path, machine=machine, held=held(), running=True))
    assert (found.verdict, found.evidence) == ("broken", "open to others: 0.0.0.0 port 8780")


@pytest.mark.parametrize(
    ("found", "verdict"),
    [
        ([Listener("127.0.0.1", 8780, "1"), Listener("::1", 8780, "2")], "ok"),
        ([Listener("192.168.1.5", 8790, "1")], "ok"),
        ([Listener("192.168.1.5", 8780, "1")], "broken"),
        ([Listener("::", 8780, "1")], "broken"),
        ([], "ok"),
    ],
)
def test_what_is_open_beyond_this_machine(found: list[Listener], verdict: str) -> None:
    assert exposure.exposed(found, "8790").verdict == verdict


@pytest.mark.parametrize(
    ("origins", "verdict"),
    [
        ((), "ok"),
        (("https://pos.example.com",), "ok"),
        (("http://localhost:3000",), "ok"),
        (("http://pos.example.com",), "attention"),
    ],
)
def test_pages_that_may_ask(origins: tuple[str, ...], verdict: str) -> None:
    assert exposure.origins(origins, HwProxy()).verdict == verdict
    assert exposure.hosts(origins).verdict == ("attention" if origins else "ok")


@pytest.mark.parametrize(
    ("odoo", "told"),
    [
        (HwProxy(enabled=True, origins=("https://shop.odoo.com",), card_numbers=True), "numbers of presented cards"),
        (HwProxy(enabled=True, origins=("https://shop.odoo.com",)), "hears of no card"),
        (HwProxy(enabled=False, origins=("https://shop.odoo.com",), card_numbers=True), "none but the till's own"),
    ],
)
def test_what_odoo_hears_is_told(odoo: HwProxy, told: str) -> None:
    """Its page asks without a token, so a technician shall see that it does."""
    found = exposure.origins((), odoo)
    assert (found.verdict, told in found.evidence) == ("ok", True)


@pytest.mark.parametrize(("days", "verdict"), [(300, "ok"), (5, "attention"), (-1, "broken")])
def test_the_certificate_of_the_nexo_listener(days: int, verdict: str) -> None:
    """The till renews it when it starts."""
    now = datetime(2026, 3, 1, tzinfo=UTC)
    assert exposure.nexo_until(now + timedelta(days=days), now).verdict == verdict


def test_tokens_that_can_be_guessed() -> None:
    """Their lengths alone are told, never a character of them."""
    long = "x" * 43
    assert exposure.judged_tokens(long, "y" * 43).verdict is Verdict.OK
    assert exposure.judged_tokens(long, long).verdict is Verdict.BROKEN
    short = exposure.judged_tokens("secret-word", long)
    assert (short.verdict, "secret-word" in short.evidence) == (Verdict.BROKEN, False)


@pytest.mark.parametrize(
    ("finding", "verdict"),
    [
        (hardware.memory({"MemTotal": 1_000_000, "MemAvailable": 500_000}), "ok"),
        (hardware.memory({"MemTotal": 1_000_000, "MemAvailable": 80_000}), "attention"),
        (hardware.memory({"MemTotal": 1_000_000, "MemAvailable": 8_000}), "broken"),
        (hardware.memory({}), "unknown"),
        (hardware.heat([45.0, 61.2]), "ok"),
        *((hardware.heat([celsius]), "ok") for celsius in (45.0, hardware.WARM_C - 0.1)),
        *((hardware.heat([celsius]), "attention") for celsius in (hardware.WARM_C, hardware.HOT_C - 0.1)),
        (hardware.heat([hardware.HOT_C]), "broken"),
        (hardware.heat([90.0]), "broken"),
        (hardware.heat([]), "unknown"),
        (hardware.power(0), "ok"),
        (hardware.power(0x50000), "attention"),
        (hardware.power(0x50005), "broken"),
        (hardware.power(None), "unknown"),
        (hardware.load("0.1 0.2 0.3 1/200 4", 4), "ok"),
        (hardware.load("9 17.5 9 1/200 4", 4), "attention"),
    ],
)
def test_memory_heat_power_and_load(finding: object, verdict: str) -> None:
    """What was too little since the start is told apart from what is too little now."""
    assert finding.verdict == verdict  # type: ignore[attr-defined]


def test_a_raspberry_pi_tells_its_temperature_and_power(tmp_path: Path) -> None:
    files = {
        "/proc/meminfo": "MemTotal: 1000000 kB\nMemAvailable: 500000 kB\n",
        "/proc/loadavg": "0.1 0.1 0.1 1/99 9\n",
        "/sys/class/thermal/thermal_zone0/temp": "48312\n",
    }
    machine = ToldMachine(tmp_path, files, {"vcgencmd get_throttled": Said(0, "throttled=0x50000\n")})
    found = list(hardware.look(patient(tmp_path, machine)))
    assert only(found, "machine.heat").evidence == "48 °C"
    assert "too little voltage since the start" in only(found, "machine.power").evidence


def test_a_till_of_another_version_than_installed() -> None:
    """Somebody has upgraded it and not started it again."""
    found = list(till.told(held().status, "9.9.9"))
    assert only(found, "till.version").verdict is Verdict.ATTENTION


def test_a_process_is_who_it_is(tmp_path: Path) -> None:
    """The machine's commands and files are read as they are, with a bound."""
    machine = ToldMachine(tmp_path, {"/proc/812/status": process(990, 990, 20)})
    assert "990" in machine.text("/proc/812/status")
    assert machine.word("/nothing") is None
    assert Machine().said("sh", "-c", "echo $LC_ALL; exit 3") == Said(3, "C\n")
    with pytest.raises(FileNotFoundError):
        Machine().said("no-such-program-of-tilld")
