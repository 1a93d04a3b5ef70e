"""The tables of the books in SQLite, step by step: what each version of the schema has added."""

from typing import Final

APPLICATION_ID: Final = 0x74696C4C
"""`tilL`: told apart from the till's journal and from anybody else's file."""

BOOKS: Final = """
CREATE TABLE fact (name TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT, WITHOUT ROWID;
CREATE TABLE terminal (
    name TEXT PRIMARY KEY,
    public_key BLOB NOT NULL,
    enrolled_at INTEGER NOT NULL,
    seen_at INTEGER,
    software TEXT,
    decided INTEGER NOT NULL DEFAULT 0          -- n of its last verdict
) STRICT, WITHOUT ROWID;
CREATE TABLE stream (
    no INTEGER PRIMARY KEY,
    terminal TEXT NOT NULL REFERENCES terminal,
    uid TEXT NOT NULL,
    branch INTEGER NOT NULL DEFAULT 0,          -- 0, or the how-manieth fork of this uid
    grown_from INTEGER REFERENCES stream,
    base INTEGER NOT NULL DEFAULT 0,            -- seq of the last record shared with grown_from
    mark INTEGER NOT NULL DEFAULT 0,
    stable INTEGER NOT NULL DEFAULT 0,          -- covered by a backup; nothing declares one yet
    head BLOB NOT NULL,
    UNIQUE (terminal, uid, branch)
) STRICT;
CREATE TABLE record (no INTEGER PRIMARY KEY, hash BLOB NOT NULL, bytes BLOB NOT NULL) STRICT;
-- Idempotency keys for ever, by 64 bits of their hash; the whole key is compared in the record itself.
CREATE TABLE claim (hash INTEGER NOT NULL, record INTEGER NOT NULL, PRIMARY KEY (hash, record)) STRICT, WITHOUT ROWID;
CREATE TABLE account (
    no INTEGER PRIMARY KEY,
    balance INTEGER NOT NULL,
    reserved INTEGER NOT NULL CHECK (reserved >= 0)
) STRICT;
CREATE TABLE card (number TEXT PRIMARY KEY, account INTEGER NOT NULL REFERENCES account) STRICT, WITHOUT ROWID;
CREATE INDEX card_account ON card (account);
-- Double entry in one row: the points go to the account, and the programme's liability carries the opposite.
CREATE TABLE posting (
    record INTEGER PRIMARY KEY REFERENCES record,
    entry TEXT NOT NULL,
    account INTEGER NOT NULL REFERENCES account,
    points INTEGER NOT NULL,
    original INTEGER REFERENCES posting,
    code TEXT NOT NULL,
    posted_at INTEGER NOT NULL
) STRICT;
CREATE INDEX posting_entry ON posting (entry);
CREATE INDEX posting_account ON posting (account);
CREATE INDEX posting_original ON posting (original) WHERE original IS NOT NULL;
CREATE TABLE lot (
    record INTEGER PRIMARY KEY REFERENCES posting,
    account INTEGER NOT NULL REFERENCES account,
    earned_at INTEGER NOT NULL,
    points INTEGER NOT NULL,
    remaining INTEGER NOT NULL                  -- below zero: an overdraft not yet repaid
) STRICT;
CREATE INDEX lot_open ON lot (account) WHERE remaining <> 0;
CREATE TABLE move (
    record INTEGER NOT NULL REFERENCES posting,
    lot INTEGER NOT NULL REFERENCES lot,
    points INTEGER NOT NULL,
    account INTEGER NOT NULL REFERENCES account,
    PRIMARY KEY (record, lot)
) STRICT, WITHOUT ROWID;
CREATE TABLE allowance (
    id TEXT PRIMARY KEY,
    terminal TEXT NOT NULL,
    stream TEXT NOT NULL,
    card TEXT NOT NULL,
    points INTEGER NOT NULL,
    account INTEGER REFERENCES account,
    state TEXT NOT NULL,
    code TEXT
) STRICT, WITHOUT ROWID;
CREATE TABLE decision (
    terminal TEXT NOT NULL,
    n INTEGER NOT NULL,
    record INTEGER NOT NULL,                    -- the first of `count` records of one stream
    count INTEGER NOT NULL,
    state TEXT NOT NULL,
    code TEXT NOT NULL,
    detail TEXT,
    points INTEGER,
    PRIMARY KEY (terminal, n)
) STRICT, WITHOUT ROWID;
CREATE INDEX decision_record ON decision (terminal, record);
CREATE INDEX decision_flagged ON decision (record) WHERE state <> 'posted';
CREATE TABLE waiting (record INTEGER PRIMARY KEY REFERENCES record, reason TEXT NOT NULL) STRICT;
CREATE INDEX waiting_reason ON waiting (reason);
"""
NAMES: Final = """
-- A sale sent through two tills has two ids; a reversal may name the one that had no effect.
CREATE TABLE duplicate (entry TEXT PRIMARY KEY, first TEXT NOT NULL) STRICT, WITHOUT ROWID;
-- A till that has been given another name goes on with its streams.
CREATE INDEX stream_uid ON stream (uid);
"""
LINEAGE: Final = """
-- What the genesis of a stream and hello say of it: who opened it, and the record that it follows.
ALTER TABLE stream ADD COLUMN lane TEXT;
ALTER TABLE stream ADD COLUMN parent TEXT;
ALTER TABLE stream ADD COLUMN parent_seq INTEGER;
ALTER TABLE stream ADD COLUMN parent_hash BLOB;
ALTER TABLE stream ADD COLUMN machine TEXT;
ALTER TABLE stream ADD COLUMN boot TEXT;
ALTER TABLE stream ADD COLUMN opened_at INTEGER;
ALTER TABLE stream ADD COLUMN sealed INTEGER NOT NULL DEFAULT 0;
ALTER TABLE stream ADD COLUMN followed INTEGER;  -- the least seq of it after which another stream was opened
ALTER TABLE stream ADD COLUMN flag TEXT;         -- fork or restored, until somebody has looked at it
CREATE INDEX stream_parent ON stream (parent);
ALTER TABLE terminal ADD COLUMN lost_at INTEGER; -- its journal was begun anew; until somebody has looked at it
"""
DATED_LOTS: Final = """
-- NULL: usable at once, and for ever. What was written off is no more in `remaining`.
ALTER TABLE lot ADD COLUMN active_at INTEGER;
ALTER TABLE lot ADD COLUMN expires_at INTEGER;
ALTER TABLE lot ADD COLUMN written_off INTEGER NOT NULL DEFAULT 0;
CREATE INDEX lot_written_off ON lot (account) WHERE written_off > 0;
-- Between these moments no point of the account waits for its activation or is expired.
ALTER TABLE account ADD COLUMN usable_from INTEGER NOT NULL DEFAULT 0;
ALTER TABLE account ADD COLUMN usable_until INTEGER;
CREATE INDEX account_expiry ON account (usable_until, no) WHERE usable_until IS NOT NULL;
"""
RIGHTS: Final = """
ALTER TABLE allowance ADD COLUMN asked INTEGER;  -- points of the request, where fewer were granted
ALTER TABLE allowance ADD COLUMN bound TEXT;     -- the later stream of its holder that it was confirmed for
ALTER TABLE allowance ADD COLUMN trusted TEXT;   -- the stream without a seal whose end was believed for its sake
ALTER TABLE allowance ADD COLUMN granted_at INTEGER;
CREATE INDEX allowance_terminal ON allowance (terminal) WHERE state IN ('open', 'locked');
CREATE INDEX allowance_trusted ON allowance (trusted) WHERE trusted IS NOT NULL;
ALTER TABLE terminal ADD COLUMN reported TEXT;   -- the generation under which it has delivered all that it held
INSERT INTO fact SELECT 'recovered', value FROM fact WHERE name = 'generation';
"""
KEYS: Final = """
-- Every key that a terminal has had: what it signed before its disk was replaced stays proven.
CREATE TABLE terminal_key (
    terminal TEXT NOT NULL,
    public_key BLOB NOT NULL,
    since INTEGER NOT NULL,
    revoked_at INTEGER,                         -- from then on nothing that it signed counts
    PRIMARY KEY (terminal, public_key)
) STRICT, WITHOUT ROWID;
INSERT INTO terminal_key SELECT name, public_key, enrolled_at, NULL FROM terminal WHERE length(public_key) > 0;
"""
CORRECTIONS: Final = """
-- What people said of an entry, in the order of saying: it `had` an effect in all and `shall` have had another.
CREATE TABLE correction (
    corrects INTEGER NOT NULL,                  -- the record that is spoken of
    n INTEGER NOT NULL,
    record INTEGER NOT NULL,
    had INTEGER NOT NULL,
    shall INTEGER NOT NULL,
    points INTEGER NOT NULL,                    -- the difference that was posted for it
    PRIMARY KEY (corrects, n)
) STRICT, WITHOUT ROWID;
CREATE INDEX correction_record ON correction (record);
-- Where to find the entries that have no posting and that a person may name: by id, or as STREAM:SEQ.
CREATE TABLE entry (id TEXT PRIMARY KEY, record INTEGER NOT NULL) STRICT, WITHOUT ROWID;
INSERT OR IGNORE INTO entry
SELECT json_extract(CAST(r.bytes AS TEXT), '$.id'), r.no FROM decision d JOIN record r ON r.no = d.record
WHERE d.state <> 'posted' AND json_valid(CAST(r.bytes AS TEXT)) AND length(r.bytes) <= 8192
    AND json_extract(CAST(r.bytes AS TEXT), '$.terminal') = d.terminal
    AND typeof(json_extract(CAST(r.bytes AS TEXT), '$.id')) = 'text'
    AND length(json_extract(CAST(r.bytes AS TEXT), '$.id')) <= 64
ORDER BY r.no;
"""
CARDS: Final = """
-- A card may be known before it has an account: blocked, or replaced by another.
CREATE TABLE known_card (
    number TEXT PRIMARY KEY,
    account INTEGER REFERENCES account,
    marked TEXT,                                -- blocked, replaced or merged
    successor TEXT,
    told INTEGER                                -- n of the last change that tills were told of it
) STRICT, WITHOUT ROWID;
INSERT INTO known_card (number, account) SELECT number, account FROM card;
DROP TABLE card;
ALTER TABLE known_card RENAME TO card;
CREATE INDEX card_account ON card (account);
ALTER TABLE account ADD COLUMN merged_into INTEGER;
CREATE INDEX account_giver ON account (merged_into) WHERE merged_into IS NOT NULL;
CREATE INDEX allowance_account ON allowance (account) WHERE state IN ('open', 'locked');
-- What every till takes over: of a card, or of a terminal's key.
CREATE TABLE change (
    n INTEGER PRIMARY KEY,
    card TEXT,
    status TEXT,
    successor TEXT,
    terminal TEXT,
    public_key BLOB,
    revoked INTEGER
) STRICT;
INSERT INTO change (terminal, public_key, revoked)
SELECT terminal, public_key, revoked_at IS NOT NULL FROM terminal_key ORDER BY since, terminal, public_key;
INSERT INTO fact SELECT 'changes', CAST(count(*) AS TEXT) FROM change;
"""
CLAIMS: Final = """
-- A sale without a card waits for whoever has its claim code.
INSERT INTO waiting
SELECT DISTINCT r.no, 'claim:' || json_extract(CAST(r.bytes AS TEXT), '$.key')
FROM decision d JOIN record r ON r.no = d.record
WHERE d.code = 'card_unknown' AND d.state = 'parked' AND json_valid(CAST(r.bytes AS TEXT))
    AND json_extract(CAST(r.bytes AS TEXT), '$.kind') = 'earn'
    AND json_extract(CAST(r.bytes AS TEXT), '$.card') IS NULL
    AND length(json_extract(CAST(r.bytes AS TEXT), '$.key')) <= 64
    AND r.no NOT IN (SELECT record FROM waiting);
"""
JUDGING: Final = """
ALTER TABLE terminal ADD COLUMN breaches INTEGER NOT NULL DEFAULT 0;   -- since its key was let in
ALTER TABLE terminal_key ADD COLUMN reason TEXT;                       -- why it was revoked
-- Who earned on a receipt, by 64 bits of the hash of store, number and time.
CREATE TABLE receipt (hash INTEGER PRIMARY KEY, record INTEGER NOT NULL) STRICT;
-- What a terminal's clocks said when the ledger's said `ledger_ms`, for each boot.
CREATE TABLE anchor (
    terminal TEXT NOT NULL,
    boot TEXT NOT NULL,
    monotonic_ms INTEGER NOT NULL,
    ledger_ms INTEGER NOT NULL,
    PRIMARY KEY (terminal, boot)
) STRICT, WITHOUT ROWID;
-- What was redeemed without an allowance, by the shops' business days.
CREATE TABLE offline_day (
    account INTEGER NOT NULL REFERENCES account,
    day TEXT NOT NULL,
    points INTEGER NOT NULL,
    PRIMARY KEY (account, day)
) STRICT, WITHOUT ROWID;
"""
BACKUPS: Final = """
ALTER TABLE stream ADD COLUMN begun INTEGER;     -- the mark before a backup that is not declared complete yet
"""
CARD_COUNTS: Final = """
-- The furthest presentation of each chip or code that counts its own, by 64 bits of its hash.
CREATE TABLE card_count (
    subject INTEGER PRIMARY KEY,
    counter INTEGER NOT NULL,
    terminal TEXT NOT NULL,
    shown_at INTEGER NOT NULL
) STRICT;
"""
PHONES: Final = """
-- Cards by the keyed hash of a phone number.
CREATE TABLE phone (
    digest BLOB NOT NULL,
    card TEXT NOT NULL,
    linked_at INTEGER NOT NULL,
    author TEXT NOT NULL,
    PRIMARY KEY (digest, card)
) STRICT, WITHOUT ROWID;
CREATE INDEX phone_card ON phone (card);
"""
STEPS: Final = (
    BOOKS,
    NAMES,
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
"""Each brings the books to the next version of the schema; one is never changed after a release."""
SCHEMA_VERSION: Final = len(STEPS)
