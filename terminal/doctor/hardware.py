"""The machine under the till: memory, heat, power."""

import os
from collections.abc import Iterator
from typing import Final

from terminal.doctor.findings import Check, Finding, Who
from terminal.doctor.patient import Patient

MEMORY: Final = Check("machine.memory", "There is memory to spare", "ps aux --sort=-rss | head", Who.TECHNICIAN)
HEAT: Final = Check(
    "machine.heat", "The processor is cool enough to keep its speed", "Clean the vents, give it air", Who.TECHNICIAN
)
POWER: Final = Check(
    "machine.power",
    "The power supply has always been strong enough",
    "Use the maker's own power supply and a short cable; readers that need much power on a hub of their own",
    Who.TECHNICIAN,
)
LOAD: Final = Check("machine.load", "The processor has time for the till", "top -b -n 1 | head -20", Who.TECHNICIAN)
CHECKS: Final = (MEMORY, HEAT, POWER, LOAD)

MIB: Final = 1024
"""In KiB, as /proc/meminfo counts."""
LITTLE_KIB, LEAST_KIB = 100 * MIB, 30 * MIB
WARM_C, HOT_C = 75.0, 85.0
"""A Raspberry Pi slows down from 80 on, most processors from 85 to 100."""
CROWDED: Final = 4.0
"""Waiting programs for each core, over five minutes."""

THROTTLED: Final = {
    0: "too little voltage now",
    1: "speed capped now",
    2: "slowed down now",
    3: "too hot now",
    16: "too little voltage since the start",
    17: "speed capped since the start",
    18: "slowed down since the start",
    19: "too hot since the start",
}
"""Bits of a Raspberry Pi's `vcgencmd get_throttled`."""
_NOW: Final = 0xFFFF


def look(patient: Patient) -> Iterator[Finding]:
    machine = patient.machine
    yield memory(meminfo(machine.text("/proc/meminfo")))
    yield load(machine.text("/proc/loadavg"), os.cpu_count() or 1)
    zones = [machine.word(f"/sys/class/thermal/{zone.name}/temp") for zone in machine.glob("/sys/class/thermal/*")]
    yield heat([int(zone) / 1000 for zone in zones if zone and zone.lstrip("-").isdecimal()])
    yield power(throttled(patient))


def meminfo(text: str) -> dict[str, int]:
    """Pure: KiB by name, of /proc/meminfo (proc(5))."""
    found = {}
    for name, _, value in (line.partition(":") for line in text.splitlines()):
        number = value.split()[0] if value.split() else ""
        if number.isascii() and number.isdecimal():
            found[name] = int(number)
    return found


def memory(found: dict[str, int]) -> Finding:
    """Pure."""
    free, whole = found.get("MemAvailable"), found.get("MemTotal", 0)
    if free is None:
        return MEMORY.unknown("the system does not say")
    evidence = f"{free // MIB} of {whole // MIB} MiB can be had"
    if free < LEAST_KIB:
        return MEMORY.broken(evidence)
    return MEMORY.attention(evidence) if free < LITTLE_KIB else MEMORY.ok(evidence)


def load(text: str, cores: int) -> Finding:
    """Pure: the second number of /proc/loadavg is that of five minutes."""
    words = text.split()
    try:
        waiting = float(words[1])
    except (IndexError, ValueError):
        return LOAD.unknown("the system does not say")
    evidence = f"{' '.join(words[:3])} on {cores} cores"
    return LOAD.attention(evidence) if waiting > CROWDED * cores else LOAD.ok(evidence)


def heat(zones: list[float]) -> Finding:
    """Pure: degrees Celsius."""
    if not zones:
        return HEAT.unknown("this machine does not tell its temperature")
    hottest = max(zones)
    evidence = f"{hottest:.0f} °C"
    if hottest >= HOT_C:
        return HEAT.broken(evidence)
    return HEAT.attention(evidence) if hottest >= WARM_C else HEAT.ok(evidence)


def throttled(patient: Patient) -> int | None:
    """Of a Raspberry Pi; None on other machines."""
    told = patient.machine.word("/sys/devices/platform/soc/soc:firmware/get_throttled")
    if told is None:
        try:
            told = patient.machine.said("vcgencmd", "get_throttled").text
        except OSError:
            return None
    return throttled_bits(told)


def throttled_bits(told: str) -> int | None:
    """Pure: `throttled=0x50005` or `50005`; None for anything else."""
    word = told.strip().rpartition("=")[2]
    try:
        return int(word, 16)
    except ValueError:
        return None


def power(bits: int | None) -> Finding:
    """Pure."""
    if bits is None:
        return POWER.unknown("this machine does not tell")
    told = [words for bit, words in THROTTLED.items() if bits >> bit & 1]
    if not told:
        return POWER.ok(f"0x{bits:x}")
    evidence = f"0x{bits:x}: {', '.join(told)}"
    return POWER.broken(evidence) if bits & _NOW else POWER.attention(evidence)
