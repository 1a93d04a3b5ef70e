"""What a shop may set: read whole, checked whole, all mistakes told at once.

The reference with each key's reason is terminal/default.toml; the defaults here equal it (a test holds them to it).
"""

import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any, Final, Literal

import msgspec

from offline_queue import config_file
from offline_queue.config_file import ConfigUnusable, Problem, section
from offline_queue.words import Language
from terminal.config_cards import Cards, Codes, Links, Sdm, card_problems
from terminal.config_claims import Claims
from terminal.config_hw_proxy import HwProxy, hw_proxy_problems
from terminal.config_mirror import MirrorConfig, mirror_problems
from terminal.config_nexo import Nexo, nexo_problems
from terminal.config_offline import Offline, offline_problems
from terminal.config_problems import address_problem, driver_problems, name_problems, origin_problems, url_problem
from terminal.promises.floor_limits import worst_case
from terminal.sales.transaction import PointsRule

SYSTEM_FILE: Final = Path("/etc/tilld/tilld.toml")

Short = Annotated[str, msgspec.Meta(min_length=1, max_length=64)]
TerminalId = Annotated[
    str, msgspec.Meta(pattern=r"^[A-Za-z0-9._-]{1,64}$", description="1 to 64 letters, digits, '.', '_' and '-'")
]
RuleName = Annotated[
    str,
    msgspec.Meta(
        pattern=r"^[A-Za-z0-9._-]{1,48}@[A-Za-z0-9._-]{1,15}$", description="a name and its version, like 'base@2'"
    ),
]
Currency = Annotated[str, msgspec.Meta(pattern="^[A-Z]{3}$", description="three capitals after ISO 4217, like 'EUR'")]
LedgerKey = Annotated[
    str,
    msgspec.Meta(
        pattern="^([A-Za-z0-9+/]{43}=)?$", description="a public key in base64, 44 characters, or '' for the first seen"
    ),
]
Factor = Annotated[int, msgspec.Meta(ge=1, le=1_000_000)]


class Terminal(msgspec.Struct, frozen=True):
    id: TerminalId = "S001-T01"
    store: Short = "S001"
    state: Annotated[str, msgspec.Meta(max_length=4096)] = ""
    language: Language = "en"


class Api(msgspec.Struct, frozen=True):
    listen: Short = "127.0.0.1:8780"
    hosts: tuple[Short, ...] = ()
    origins: tuple[Annotated[str, msgspec.Meta(max_length=256)], ...] = ()


class LedgerAddress(msgspec.Struct, frozen=True):
    url: Annotated[str, msgspec.Meta(max_length=512)] = "http://127.0.0.1:8790"
    plain_http: bool = False
    ca_file: Annotated[str, msgspec.Meta(max_length=4096)] = ""
    public_key: LedgerKey = ""


class Journal(msgspec.Struct, frozen=True):
    keep_days: Annotated[int, msgspec.Meta(ge=0, le=36_500)] = 30


class Programme(msgspec.Struct, frozen=True):
    rule: RuleName = "base@1"
    currency: Currency = "EUR"
    points: Factor = 1
    per: Factor = 100
    worth: Factor = 1

    def points_rule(self) -> PointsRule:
        return PointsRule(self.rule, self.currency, self.points, self.per, self.worth)


class ReaderConfig(msgspec.Struct, frozen=True):
    """One reader; `options` are its driver's own keys as written, checked against that driver's `Options`."""

    name: str
    driver: str
    options: dict[str, Any] = {}


DEFAULT_READERS: Final = (ReaderConfig("simulated", "simulated"), ReaderConfig("pcsc", "pcsc"))


class Config(msgspec.Struct, frozen=True):
    terminal: Terminal = Terminal()
    api: Api = Api()
    hw_proxy: HwProxy = HwProxy()
    nexo: Nexo = Nexo()
    ledger: LedgerAddress = LedgerAddress()
    journal: Journal = Journal()
    mirror: MirrorConfig = MirrorConfig()
    programme: Programme = Programme()
    offline: Offline = Offline()
    cards: Cards = Cards()
    sdm: Sdm = Sdm()
    codes: Codes = Codes()
    links: Links = Links()
    claims: Claims = Claims()
    readers: tuple[ReaderConfig, ...] = DEFAULT_READERS

    def page_language(self) -> Language | Literal[""]:
        """The page's, "" where its browser chooses: English is also what a shop has that has set nothing."""
        return "" if self.terminal.language == "en" else self.terminal.language

    def risks(self) -> list[str]:
        """What the shop has chosen to risk, in English words and figures."""
        limits = self.offline.limits()
        return [] if limits is None else [worst_case(limits, self.offline.tills).en]


SECTIONS: Final[dict[str, type[msgspec.Struct]]] = {
    "terminal": Terminal,
    "api": Api,
    "hw_proxy": HwProxy,
    "nexo": Nexo,
    "ledger": LedgerAddress,
    "journal": Journal,
    "mirror": MirrorConfig,
    "programme": Programme,
    "offline": Offline,
    "cards": Cards,
    "sdm": Sdm,
    "codes": Codes,
    "links": Links,
    "claims": Claims,
}


def find(path: Path | None) -> Path | None:
    """The file to read: the one given, else the system's if it is there, else None for the built-in defaults."""
    if path is not None:
        return path
    return SYSTEM_FILE if SYSTEM_FILE.exists() else None


def named_state(path: Path | None) -> Path | None:
    """The state folder that the config names, None where it names none or cannot be read (`load` tells why)."""
    if path is None:
        return None
    try:
        named = tomllib.loads(path.read_bytes().decode())["terminal"]["state"]
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        return None
    return Path(named) if isinstance(named, str) and named else None


def load(path: Path | None) -> Config:
    """The config in `path`, or the defaults. Raises ConfigUnusable with every problem."""
    if path is None:
        return Config()
    return parse(config_file.read(path), str(path))


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
    document = config_file.document(text, file, [*SECTIONS, "reader"], problems)
    read = {name: section(document, name, struct, file, problems) for name, struct in SECTIONS.items()}
    readers = tuple(_readers(document.get("reader"), file, problems))
    config = Config(**read, readers=readers or DEFAULT_READERS)
    problems += _disagreements(config, file)
    if problems:
        raise ConfigUnusable(problems)
    return config


def _readers(tables: Any, file: str, problems: list[Problem]) -> Iterator[ReaderConfig]:
    if tables is None:
        return
    if not isinstance(tables, list) or not all(isinstance(table, dict) for table in tables):
        problems.append(Problem(f"{file}:reader", "must be written [[reader]], once for each reader."))
        return
    names: set[str] = set()
    for number, table in enumerate(tables, 1):
        where = f"{file}:reader[{number}]"
        name, driver = table.get("name"), table.get("driver")
        options = {key: value for key, value in table.items() if key not in {"name", "driver"}}
        problems += name_problems(name, names, f"{where}.name")
        problems += driver_problems(driver, options, where)
        if isinstance(name, str) and isinstance(driver, str):
            names.add(name)
            yield ReaderConfig(name, driver, options)


def _disagreements(config: Config, file: str) -> list[Problem]:
    """What is wrong although each key alone is right."""
    found = []
    if problem := address_problem(config.api.listen):
        found.append(Problem(f"{file}:api.listen", problem))
    found += [Problem(f"{file}:api.origins", what) for what in origin_problems(config.api.origins)]
    found += [Problem(f"{file}:nexo.{where}", what) for where, what in nexo_problems(config.nexo)]
    if problem := url_problem(config.ledger.url, plain_http=config.ledger.plain_http):
        found.append(Problem(f"{file}:ledger.url", problem))
    if config.ledger.ca_file and not Path(config.ledger.ca_file).is_file():
        found.append(Problem(f"{file}:ledger.ca_file", f"{config.ledger.ca_file!r} is no file that can be read."))
    found += [Problem(f"{file}:hw_proxy.{where}", what) for where, what in hw_proxy_problems(config.hw_proxy)]
    found += [Problem(f"{file}:mirror.{where}", what) for where, what in mirror_problems(config.mirror)]
    wrong = card_problems(config.cards, config.sdm, config.codes, config.links)
    wrong += offline_problems(config.offline)
    found += [Problem(f"{file}:{where}", what) for where, what in wrong]
    return found
