"""The tables of the books in PostgreSQL, laid out so that an engine may spread them over partitions or machines.

Each table has one column by which it is spread (`Table.by`), and every unique key holds that column: effects lie with
their account, custody with its stream or terminal. What has to be unique over all of them, or found without its
account, is a narrow table of its own spread by just that: `claim`, `entry`, `card`. No key counts up for all tills.
Nothing refers across tables by a constraint: `tilld ledger verify` computes all of that again.
"""

from typing import Final, NamedTuple

from ledger.postgres.arrays import OIDS

NAMESPACE: Final = "tilld"


class Table(NamedTuple):
    """`columns` in the order in which rows are given; `fill` per cent leave room for rows that change in place."""

    by: str
    columns: str
    indexes: tuple[str, ...] = ()
    fill: int = 100

    @property
    def types(self) -> dict[str, str]:
        """The type of each column, in the order in which rows are given."""
        told = (part.split() for part in self.columns.split(","))
        return {words[0]: words[1] for words in told if len(words) > 1 and words[1] in OIDS}


TABLES: Final = {
    "fact": Table("name", 'name text COLLATE "C" PRIMARY KEY, value text NOT NULL'),
    "terminal": Table(
        "name",
        """name text COLLATE "C" PRIMARY KEY, public_key bytea NOT NULL, enrolled_at bigint NOT NULL,
        seen_at bigint, software text, decided bigint NOT NULL DEFAULT 0, lost_at bigint, reported text,
        breaches bigint NOT NULL DEFAULT 0""",
        fill=50,
    ),
    "stream": Table(
        "terminal",
        """no bigint NOT NULL DEFAULT nextval('tilld.stream_no'), terminal text COLLATE "C" NOT NULL,
        uid text COLLATE "C" NOT NULL, branch integer NOT NULL DEFAULT 0, grown_from bigint,
        base bigint NOT NULL DEFAULT 0, mark bigint NOT NULL DEFAULT 0, stable bigint NOT NULL DEFAULT 0,
        head bytea NOT NULL, lane text, parent text COLLATE "C", parent_seq bigint, parent_hash bytea, machine text,
        boot text, opened_at bigint, sealed bigint NOT NULL DEFAULT 0, followed bigint, flag text,
        begun bigint, PRIMARY KEY (terminal, uid, branch)""",
        ("(no)", "(uid)", "(parent)"),
        fill=50,
    ),
    "record": Table("no", "no bigint PRIMARY KEY, hash bytea NOT NULL, bytes bytea NOT NULL"),
    "claim": Table("hash", "hash bytea PRIMARY KEY, record bigint NOT NULL"),
    "receipt": Table("hash", "hash bigint PRIMARY KEY, record bigint NOT NULL"),
    "anchor": Table(
        "terminal",
        """terminal text COLLATE "C" NOT NULL, boot text COLLATE "C" NOT NULL, monotonic_ms bigint NOT NULL,
        ledger_ms bigint NOT NULL, PRIMARY KEY (terminal, boot)""",
    ),
    "offline_day": Table(
        "account",
        """account bigint NOT NULL, day text COLLATE "C" NOT NULL, points bigint NOT NULL,
        PRIMARY KEY (account, day)""",
    ),
    "card_count": Table(
        "subject",
        """subject bigint PRIMARY KEY, counter bigint NOT NULL, terminal text NOT NULL,
        shown_at bigint NOT NULL""",
    ),
    "phone": Table(
        "digest",
        """digest bytea NOT NULL, card text COLLATE "C" NOT NULL, linked_at bigint NOT NULL, author text NOT NULL,
        PRIMARY KEY (digest, card)""",
        ("(card)",),
    ),
    "entry": Table("id", 'id text COLLATE "C" PRIMARY KEY, record bigint NOT NULL'),
    "duplicate": Table("entry", 'entry text COLLATE "C" PRIMARY KEY, first text NOT NULL'),
    "account": Table(
        "no",
        """no bigint PRIMARY KEY, balance bigint NOT NULL, reserved bigint NOT NULL CHECK (reserved >= 0),
        usable_from bigint NOT NULL DEFAULT 0, usable_until bigint, merged_into bigint""",
        ("(usable_until, no) WHERE usable_until IS NOT NULL", "(merged_into) WHERE merged_into IS NOT NULL"),
        fill=70,
    ),
    "card": Table(
        "number",
        'number text COLLATE "C" PRIMARY KEY, account bigint, marked text, successor text, told bigint',
        ("(account)",),
    ),
    "change": Table(
        "n",
        """n bigint PRIMARY KEY, card text, status text, successor text, terminal text, public_key bytea,
        revoked integer""",
    ),
    "posting": Table(
        "account",
        """record bigint NOT NULL, entry text NOT NULL, account bigint NOT NULL, points bigint NOT NULL,
        original bigint, code text NOT NULL, posted_at bigint NOT NULL, PRIMARY KEY (account, record)""",
        ("(record)", "(original) WHERE original IS NOT NULL"),
    ),
    "lot": Table(
        "account",
        """record bigint NOT NULL, account bigint NOT NULL, earned_at bigint NOT NULL, points bigint NOT NULL,
        remaining bigint NOT NULL, active_at bigint, expires_at bigint, written_off bigint NOT NULL DEFAULT 0,
        PRIMARY KEY (account, record)""",
        ("(account) WHERE remaining <> 0", "(account) WHERE written_off > 0"),
    ),
    "move": Table(
        "account",
        """record bigint NOT NULL, lot bigint NOT NULL, points bigint NOT NULL, account bigint NOT NULL,
        PRIMARY KEY (account, record, lot)""",
    ),
    "allowance": Table(
        "id",
        """id text COLLATE "C" PRIMARY KEY, terminal text NOT NULL, stream text NOT NULL, card text NOT NULL,
        points bigint NOT NULL, account bigint, state text NOT NULL, code text, asked bigint, bound text, trusted text,
        granted_at bigint""",
        (
            "(terminal) WHERE state IN ('open', 'locked')",
            "(trusted) WHERE trusted IS NOT NULL",
            "(account) WHERE state IN ('open', 'locked')",
        ),
    ),
    "decision": Table(
        "terminal",
        """terminal text COLLATE "C" NOT NULL, n bigint NOT NULL, record bigint NOT NULL, count integer NOT NULL,
        state text NOT NULL, code text NOT NULL, detail text, points bigint, PRIMARY KEY (terminal, n)""",
        ("(terminal, record)", "(record) WHERE state <> 'posted'"),
    ),
    "terminal_key": Table(
        "terminal",
        """terminal text COLLATE "C" NOT NULL, public_key bytea NOT NULL, since bigint NOT NULL, revoked_at bigint,
        reason text, PRIMARY KEY (terminal, public_key)""",
    ),
    "correction": Table(
        "corrects",
        """corrects bigint NOT NULL, n integer NOT NULL, record bigint NOT NULL, had bigint NOT NULL,
        shall bigint NOT NULL, points bigint NOT NULL, PRIMARY KEY (corrects, n)""",
        ("(record)",),
    ),
    "waiting": Table("record", 'record bigint PRIMARY KEY, reason text COLLATE "C" NOT NULL', ("(reason)",)),
}


class Upgrade(NamedTuple):
    """From one version of the schema to the next: `tables` that are new, and statements on those that were there.

    A statement must bear that a table made by an earlier upgrade has its newest columns (ADD COLUMN IF NOT EXISTS).
    """

    tables: tuple[str, ...] = ()
    statements: tuple[str, ...] = ()


LINEAGE: Final = Upgrade(
    statements=(
        """ALTER TABLE stream ADD COLUMN IF NOT EXISTS lane text,
        ADD COLUMN IF NOT EXISTS parent text COLLATE "C", ADD COLUMN IF NOT EXISTS parent_seq bigint,
        ADD COLUMN IF NOT EXISTS parent_hash bytea, ADD COLUMN IF NOT EXISTS machine text,
        ADD COLUMN IF NOT EXISTS boot text, ADD COLUMN IF NOT EXISTS opened_at bigint,
        ADD COLUMN IF NOT EXISTS sealed bigint NOT NULL DEFAULT 0, ADD COLUMN IF NOT EXISTS followed bigint,
        ADD COLUMN IF NOT EXISTS flag text""",
        "CREATE INDEX ON stream (parent)",
        "ALTER TABLE terminal ADD COLUMN IF NOT EXISTS lost_at bigint",
    )
)
DATED_LOTS: Final = Upgrade(
    statements=(
        "ALTER TABLE account ADD COLUMN IF NOT EXISTS usable_from bigint NOT NULL DEFAULT 0",
        "ALTER TABLE account ADD COLUMN IF NOT EXISTS usable_until bigint",
        "CREATE INDEX ON account (usable_until, no) WHERE usable_until IS NOT NULL",
        "ALTER TABLE lot ADD COLUMN IF NOT EXISTS active_at bigint",
        "ALTER TABLE lot ADD COLUMN IF NOT EXISTS expires_at bigint",
        "ALTER TABLE lot ADD COLUMN IF NOT EXISTS written_off bigint NOT NULL DEFAULT 0",
        "CREATE INDEX ON lot (account) WHERE written_off > 0",
    )
)
RIGHTS: Final = Upgrade(
    statements=(
        """ALTER TABLE allowance ADD COLUMN IF NOT EXISTS asked bigint, ADD COLUMN IF NOT EXISTS bound text,
        ADD COLUMN IF NOT EXISTS trusted text, ADD COLUMN IF NOT EXISTS granted_at bigint""",
        "CREATE INDEX ON allowance (terminal) WHERE state IN ('open', 'locked')",
        "CREATE INDEX ON allowance (trusted) WHERE trusted IS NOT NULL",
        "ALTER TABLE terminal ADD COLUMN IF NOT EXISTS reported text",
        "INSERT INTO fact SELECT 'recovered', value FROM fact WHERE name = 'generation'",
    )
)
KEYS: Final = Upgrade(
    ("terminal_key",),
    (
        """INSERT INTO terminal_key SELECT name, public_key, enrolled_at, NULL FROM terminal
        WHERE length(public_key) > 0""",
    ),
)
CORRECTIONS: Final = Upgrade(("correction",))
CARDS: Final = Upgrade(
    ("change",),
    (
        """ALTER TABLE card ADD COLUMN IF NOT EXISTS marked text, ADD COLUMN IF NOT EXISTS successor text,
        ADD COLUMN IF NOT EXISTS told bigint""",
        "ALTER TABLE account ADD COLUMN IF NOT EXISTS merged_into bigint",
        "CREATE INDEX ON account (merged_into) WHERE merged_into IS NOT NULL",
        "CREATE INDEX ON allowance (account) WHERE state IN ('open', 'locked')",
        """INSERT INTO change SELECT row_number() OVER (ORDER BY since, terminal, public_key), NULL, NULL, NULL,
        terminal, public_key, CASE WHEN revoked_at IS NULL THEN 0 ELSE 1 END FROM terminal_key""",
        "INSERT INTO fact SELECT 'changes', count(*)::text FROM change",
    ),
)
CLAIMS: Final = Upgrade(
    statements=(
        """INSERT INTO waiting SELECT no, 'claim:' || (entry ->> 'key') FROM (
            SELECT DISTINCT ON (r.no) r.no, convert_from(r.bytes, 'UTF8')::json AS entry
            FROM decision d JOIN record r ON r.no = d.record
            WHERE d.code = 'card_unknown' AND d.state = 'parked' AND strpos(convert_from(r.bytes, 'UTF8'), '\\u') = 0
        ) AS unclaimed
        WHERE entry ->> 'kind' = 'earn' AND entry -> 'card' IS NULL AND length(entry ->> 'key') <= 64
        ON CONFLICT DO NOTHING""",
    )
)
JUDGING: Final = Upgrade(
    ("receipt", "anchor", "offline_day"),
    (
        "ALTER TABLE terminal ADD COLUMN IF NOT EXISTS breaches bigint NOT NULL DEFAULT 0",
        "ALTER TABLE terminal_key ADD COLUMN IF NOT EXISTS reason text",
    ),
)
BACKUPS: Final = Upgrade(statements=("ALTER TABLE stream ADD COLUMN IF NOT EXISTS begun bigint",))
CARD_COUNTS: Final = Upgrade(("card_count",))
PHONES: Final = Upgrade(("phone",))
UPGRADES: Final[tuple[Upgrade, ...]] = (
    LINEAGE,
    DATED_LOTS,
    RIGHTS,
    KEYS,
    CORRECTIONS,
    CARDS,
    CLAIMS,
    JUDGING,
    BACKUPS,
    CARD_COUNTS,
    PHONES,
)
"""In their order; one is never changed after a release. A test holds the result to what `statements` makes."""
VERSION: Final = 1 + len(UPGRADES)


def upgrades(version: int, partitions: int) -> list[str]:
    """All that brings the books of a version to this one's."""
    made = []
    for upgrade in UPGRADES[version - 1 :]:
        for name in upgrade.tables:
            made += _whole(name, partitions)
        made += upgrade.statements
    return [*made, f"UPDATE fact SET value = '{VERSION}' WHERE name = 'schema'"]  # noqa: S608 - a number of our own


def statements(partitions: int) -> list[str]:
    """All that makes empty books; every table in so many hash partitions, or in one piece with 0."""
    made = [f"CREATE SCHEMA {NAMESPACE}", f"SET search_path = {NAMESPACE}"]
    made += ["CREATE SEQUENCE stream_no", "CREATE SEQUENCE account_no"]
    for name in TABLES:
        made += _whole(name, partitions)
    return [*made, f"INSERT INTO fact VALUES ('schema', '{VERSION}')"]  # noqa: S608 - a number of our own


def _whole(name: str, partitions: int) -> list[str]:
    indexes = [f"CREATE INDEX ON {name} {index}" for index in TABLES[name].indexes]
    return _pieces(name, TABLES[name], partitions) + indexes


def _pieces(name: str, table: Table, partitions: int) -> list[str]:
    storage = f"WITH (fillfactor = {table.fill})"
    if not partitions:
        return [f"CREATE TABLE {name} ({table.columns}) {storage}"]
    whole = f"CREATE TABLE {name} ({table.columns}) PARTITION BY HASH ({table.by})"
    values = (f"(MODULUS {partitions}, REMAINDER {number})" for number in range(partitions))
    pieces = (
        f"CREATE TABLE {name}_{number} PARTITION OF {name} FOR VALUES WITH {value} {storage}"
        for number, value in enumerate(values)
    )
    return [whole, *pieces]
