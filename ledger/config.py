"""What a retailer may set at the ledger: read whole, checked whole, all mistakes told at once.

The reference with each key's reason is ledger/default.toml; the defaults here equal it (a test holds them to it).
"""

from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any, Final

import msgspec

from ledger.config_programme import ProgrammeSection, programme
from ledger.facts.codes import Code
from ledger.facts.policy import Limits as OfflineLimits
from ledger.facts.policy import Policy, Stance, UnknownCards
from ledger.http.admission import Room
from ledger.http.gate import Enrolment
from ledger.http.server import address, is_loopback
from ledger.points.programme import Programme
from ledger.rules.policies import CHOICES
from offline_queue.config_file import ConfigUnusable, Problem, document, read, section, shown, unknown
from offline_queue.entry import Happening

SYSTEM_FILE: Final = Path("/etc/tilld/ledger.toml")

TILLS: Final = "till_resolutions"
"""The one key of [policy] that is no decision code."""

Points = Annotated[int, msgspec.Meta(ge=0, le=1_000_000_000)]
Seconds = Annotated[int, msgspec.Meta(ge=1, le=86_400)]
Often = Annotated[int, msgspec.Meta(ge=0, le=1_000_000)]


class Stable(StrEnum):
    """What lets tills give up their copies: a backup that was declared, or the commit itself (a replica holds it)."""

    BACKUP = "backup"
    COMMIT = "commit"


class Ledger(msgspec.Struct, frozen=True):
    listen: str = "127.0.0.1:8790"
    database: Annotated[str, msgspec.Meta(max_length=4096)] = ""
    unknown_cards: UnknownCards = UnknownCards.PARK
    enrolment: Enrolment = Enrolment.CLOSED
    key: Annotated[str, msgspec.Meta(max_length=4096)] = ""
    stable: Stable = Stable.BACKUP


class Cards(msgspec.Struct, frozen=True):
    events_from_tills: frozenset[Happening] = Policy().events_from_tills


class Clock(msgspec.Struct, frozen=True):
    tolerance_s: Seconds = 600


class Limits(msgspec.Struct, frozen=True):
    per_transaction: Points | None = None
    per_card_and_day: Points | None = None
    breaches: Often = 3


class Allowances(msgspec.Struct, frozen=True):
    unsealed_cap_points: Points = 0


class Config(msgspec.Struct, frozen=True):
    ledger: Ledger = Ledger()
    admission: Room = Room()
    clock: Clock = Clock()
    limits: Limits = Limits()
    allowances: Allowances = Allowances()
    stances: dict[Code, Stance] = {}
    cards: Cards = Cards()
    programme: Programme = Programme()
    till_resolutions: Stance = Stance.HONOUR

    def policy(self) -> Policy:
        """What the rules are given."""
        return Policy(
            unknown_cards=self.ledger.unknown_cards,
            stable_on_commit=self.ledger.stable is Stable.COMMIT,
            stances=self.stances,
            limits=OfflineLimits(self.limits.per_transaction, self.limits.per_card_and_day),
            clock_tolerance_ms=self.clock.tolerance_s * 1000,
            breaches=self.limits.breaches,
            unsealed_cap=self.allowances.unsealed_cap_points,
            programme=self.programme,
            events_from_tills=self.cards.events_from_tills,
            till_resolutions=self.till_resolutions,
        )


SECTIONS: Final[dict[str, type[msgspec.Struct]]] = {
    "ledger": Ledger,
    "admission": Room,
    "cards": Cards,
    "clock": Clock,
    "limits": Limits,
    "allowances": Allowances,
}


def find(path: Path | None) -> Path | None:
    """The file to read: the one given, else the system's if it is there, else None for the built-in defaults."""
    if path is not None:
        return path
    return SYSTEM_FILE if SYSTEM_FILE.exists() else None


def load(path: Path | None) -> Config:
    """The config in `path`, or the defaults. Raises ConfigUnusable with every problem."""
    return Config() if path is None else parse(read(path), str(path))


def check(path: Path | None) -> list[Problem]:
    """Every problem of the file, none when it is fine."""
    try:
        load(path)
    except ConfigUnusable as unusable:
        return unusable.problems
    return []


def parse(text: str, file: str) -> Config:
    """Raises ConfigUnusable with every problem."""
    problems: list[Problem] = []
    told = document(text, file, [*SECTIONS, "programme", "rule", "policy"], problems)
    sections = {name: section(told, name, struct, file, problems) for name, struct in SECTIONS.items()}
    dated = section(told, "programme", ProgrammeSection, file, problems)
    rules = programme(dated, told.get("rule", []), file, problems)
    stances, tills = _policy(told.get("policy", {}), file, problems)
    config = Config(**sections, stances=stances, programme=rules, till_resolutions=tills)
    problems += [Problem(f"{file}:{where}", what) for where, what in disagreements(config.ledger)]
    if problems:
        raise ConfigUnusable(problems)
    return config


def disagreements(told: Ledger) -> list[tuple[str, str]]:
    """What is wrong although each key alone is right: where, and what."""
    try:
        host, _ = address(told.listen)
    except ValueError as error:
        return [("ledger.listen", f"{error}.")]
    if told.enrolment is Enrolment.OPEN and not is_loopback(host):
        what = (
            f"open would let any machine that reaches {host} in; it is for 127.0.0.1 alone."
            " Enrol each till instead: tilld ledger enroll TERMINAL PUBLIC_KEY"
        )
        return [("ledger.enrolment", what)]
    return []


def _policy(table: Any, file: str, problems: list[Problem]) -> tuple[dict[Code, Stance], Stance]:
    """The stance for each code, and whether tills may settle what they recorded."""
    if not isinstance(table, dict):
        problems.append(Problem(f"{file}:policy", "must be a section: write [policy] and its keys below."))
        return {}, Stance.HONOUR
    tills = table.get(TILLS, Stance.HONOUR)
    if tills not in (Stance.HONOUR, Stance.REFUSE):
        problems.append(Problem(f"{file}:policy.{TILLS}", f"must be one of honour, refuse; it is {shown(tills)}."))
        tills = Stance.HONOUR
    codes = {name: told for name, told in table.items() if name != TILLS}
    return _stances(codes, file, problems), Stance(tills)


def _stances(table: dict[str, Any], file: str, problems: list[Problem]) -> dict[Code, Stance]:
    stances = {}
    for name, told in table.items():
        if what := _stance_problem(name, told):
            problems.append(Problem(f"{file}:policy.{name}", what))
        else:
            stances[Code(name)] = Stance(told)
    return stances


def _stance_problem(name: str, told: Any) -> str | None:
    if name not in CHOICES:
        return unknown("decision code", name, [code.value for code in CHOICES])
    stances = CHOICES[Code(name)].stances
    if told in stances:
        return None
    if len(stances) == 1:
        return f"cannot be chosen: it is always {stances[0]}; it is {shown(told)}."
    return f"must be one of {', '.join(stances)}; it is {shown(told)}."
