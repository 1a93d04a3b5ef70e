"""pcscd, which owns all smart-card readers: installed, listening, running, as whom."""

import os
import re
from collections.abc import Iterator
from typing import Final

from terminal.doctor.account import process_ids, processes, sees_others, user_named
from terminal.doctor.findings import Check, Finding, Who
from terminal.doctor.patient import Patient

INSTALLED: Final = Check(
    "pcscd.installed",
    "The service for smart-card readers, pcscd, is installed",
    "sudo apt-get install pcscd libccid",
    Who.ROOT,
)
DRIVERS: Final = Check(
    "pcscd.drivers", "The driver of CCID readers is installed", "sudo apt-get install libccid", Who.ROOT
)
SOCKET: Final = Check("pcscd.socket", "The service listens", "sudo systemctl enable --now pcscd.socket", Who.ROOT)
SERVICE: Final = Check(
    "pcscd.service",
    "It is started when it is asked for (systemd)",
    "sudo systemctl reset-failed pcscd; sudo systemctl enable --now pcscd.socket",
    Who.ROOT,
)
PROCESS: Final = Check(
    "pcscd.process",
    "It runs, or will when it is asked",
    "sudo systemctl restart pcscd; journalctl -u pcscd -n 50",
    Who.ROOT,
)
CHECKS: Final = (INSTALLED, DRIVERS, SOCKET, SERVICE, PROCESS)

COMM: Final = "/run/pcscd/pcscd.comm"
_VERSION: Final = re.compile(r"version (\d+(?:\.\d+)*)")


def look(patient: Patient) -> Iterator[Finding]:
    if not patient.uses("pcsc"):
        yield INSTALLED.ok("no reader wants it")
        return
    yield installed(patient)
    yield drivers(patient)
    listening = patient.machine.path(os.environ.get("PCSCLITE_CSOCK_NAME", COMM)).exists()
    yield SOCKET.ok(COMM) if listening else SOCKET.broken(f"there is no {COMM}")
    yield service(patient)
    yield process(patient, listening=listening)


def installed(patient: Patient) -> Finding:
    try:
        said = patient.machine.said("pcscd", "--version")
    except FileNotFoundError:
        return INSTALLED.broken("there is no program pcscd")
    except OSError as error:
        return INSTALLED.unknown(str(error))
    return INSTALLED.ok(version(said.text) or said.text[:100])


def version(said: str) -> str | None:
    """Pure: `1.9.9` of what `pcscd --version` says."""
    found = _VERSION.search(said)
    return found[1] if found else None


def drivers(patient: Patient) -> Finding:
    """Where Debian and others keep the bundles of libccid."""
    found = patient.machine.glob("/usr/lib*/pcsc/drivers/ifd-ccid.bundle")
    return DRIVERS.ok("ifd-ccid.bundle") if found else DRIVERS.attention("there is no ifd-ccid.bundle in pcsc/drivers")


def service(patient: Patient) -> Finding:
    """Of systemd's units; without systemd nothing starts it but a person."""
    if not patient.machine.path("/run/systemd/system").exists():
        return SERVICE.unknown("this machine has no systemd")
    try:
        said = [patient.machine.said("systemctl", "is-active", f"pcscd.{kind}").text for kind in ("socket", "service")]
    except OSError as error:
        return SERVICE.unknown(str(error))
    return service_state(*(state.strip() for state in said))


def service_state(socket: str, service: str) -> Finding:
    """Pure: the words of `systemctl is-active`."""
    evidence = f"pcscd.socket is {socket}, pcscd.service is {service}"
    if "failed" in {socket, service}:
        return SERVICE.broken(evidence)
    return SERVICE.ok(evidence) if "active" in {socket, service} else SERVICE.attention(evidence)


def process(patient: Patient, *, listening: bool) -> Finding:
    machine = patient.machine
    pid = processes(machine, ["pcscd"]).get("pcscd")
    if pid is not None:
        try:
            uid, _ = process_ids(machine.text(f"/proc/{pid}/status"))
            return PROCESS.ok(f"process {pid}, user {user_named(uid, machine.text('/etc/passwd'))[0]}")
        except OSError as error:
            return PROCESS.ok(f"process {pid}; {error}")
    if not sees_others(machine):
        return PROCESS.unknown("the processes of other users are hidden from this one")
    if listening and machine.path("/run/systemd/system").exists():
        return PROCESS.ok("it does not run now; its socket starts it")
    return PROCESS.broken("it does not run, and nothing starts it")
