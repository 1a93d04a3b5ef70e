"""What the schedules are made of: the shops' settings, and how often each act happens."""

from dataclasses import dataclass, field
from typing import Final

from ledger.facts.policy import Policy, UnknownCards
from ledger.points.programme import Lifetime, PointsRule, Programme
from terminal.config import Config, Journal, Terminal
from terminal.config_offline import Offline, Redeem

COUNTER: Final = {"sell": 14, "redeem": 8, "look": 4, "reverse": 3, "repeat": 3, "claim": 2, "report_card": 1}
TIME: Final = {"work": 38, "hasten": 3, "wait": 6, "jump": 1, "cut": 2, "mend": 2}
DISKS: Final = {"kill": 3, "restart": 2, "poison": 1, "image": 2, "mirror": 3, "deliver": 1}
DISASTERS: Final = {"clone": 2, "put_back": 2, "delete": 1, "burn": 2}
OFFICE: Final = {
    "backup": 2,
    "register": 1,
    "card_act": 1,
    "resolve": 2,
    "return_rights": 1,
    "expire": 1,
    "acknowledge": 1,
    "waive": 1,
    "trust_again": 1,
}
RESTORE: Final = {"restore": 4, "backup": 4}
PRESSURE: Final = {
    "sell": 5,
    "redeem": 30,
    "look": 20,
    "work": 40,
    "hasten": 3,
    "wait": 5,
    "jump": 1,
    "cut": 3,
    "mend": 4,
}


@dataclass(frozen=True)
class Load:
    """`acts` with their weights; `disasters` join them in a part of the schedules.

    There are `cards`, all but the `unknown` ones registered with `opening` points; up to `most` are moved at a time.
    `days`: time jumps so far that points expire. `told`: how often books that were put back are told so.
    """

    name: str
    acts: dict[str, int]
    offline: Offline
    policy: Policy
    cards: int = 5
    unknown: int = 1
    opening: int = 60
    most: int = 40
    days: bool = False
    tills: int = 3
    told: float = 0.5
    disasters: dict[str, int] = field(default_factory=lambda: DISASTERS)
    excuses: frozenset[str] = frozenset()

    def config(self, terminal: str) -> Config:
        return Config(terminal=Terminal(id=terminal), journal=Journal(keep_days=1), offline=self.offline)


_EXPIRING: Final = Programme({"base@1": PointsRule("base@1", expires=Lifetime(days=20))}, write_off_after_days=5)
_AHEAD: Final = Offline(Redeem.ALLOWANCES, ahead_points=15, ahead_total=40, ahead_cards=3)
_TIGHT: Final = Offline(Redeem.ALLOWANCES, ahead_points=12, ahead_total=24, ahead_cards=2)
_FLOOR: Final = Offline(Redeem.FLOOR, floor_per_transaction=20, floor_per_card=30, floor_total=60, floor_count=5)

MIXED: Final = Load("mixed", COUNTER | TIME | DISKS | OFFICE, _AHEAD, Policy(programme=_EXPIRING), days=True)
REDEMPTION: Final = Load(
    "redemption",
    PRESSURE | {"kill": 2, "restart": 2, "image": 2, "backup": 2, "acknowledge": 1, "trust_again": 1},
    _TIGHT,
    Policy(UnknownCards.REGISTER),
    cards=2,
    unknown=0,
    opening=30,
    most=10,
    told=0.85,
    disasters={"image": 4, "clone": 4, "put_back": 2, "delete": 1},
)
FLOOR: Final = Load(
    "floor",
    PRESSURE | {"kill": 3, "restart": 3, "backup": 2, "reverse": 2},
    _FLOOR,
    Policy(UnknownCards.REGISTER),
    cards=3,
    opening=40,
    most=15,
    excuses=frozenset({"floor limits bound a loss and do not prevent it"}),
)
LONE: Final = Load(
    "lone",
    PRESSURE | {"cut": 9, "mend": 12, "wait": 9, "kill": 2, "restart": 2},
    _FLOOR,
    FLOOR.policy,
    cards=3,
    unknown=0,
    opening=20,
    most=15,
    disasters={},
    tills=1,
)
"""A till that is alone cannot lose anything by floor limits: no other one promises the same points."""
CLONES: Final = Load(
    "clones",
    {"look": 10, "redeem": 22, "work": 22, "clone": 8, "kill": 2, "mend": 3, "acknowledge": 1},
    _TIGHT,
    Policy(UnknownCards.REGISTER),
    cards=2,
    unknown=0,
    opening=40,
    most=4,
    disasters={"put_back": 2, "image": 4},
)
LOADS: Final = {load.name: load for load in (MIXED, REDEMPTION, CLONES, FLOOR, LONE)}
