-- The journal's schema as a reader should see it. The migrations make it; a test holds both equal.

-- A stream is new at every start of the daemon. `last` is empty while it is open; `settled` when it is closed
-- and all of it is posted; `indexed` tells how far the finder knows it; `accepted` and `stable` are the ledger's marks.
-- `receipt` is its newest receipt of custody; the records from 2 to `trimmed` were given up, `trimmed_hash` is the chain
-- after them. `guard` is a check sum over the marks and the generation; empty until the ledger has spoken.
CREATE TABLE stream (
    no INTEGER PRIMARY KEY,
    uid TEXT NOT NULL,
    lane TEXT NOT NULL,
    last INTEGER,
    sealed INTEGER NOT NULL DEFAULT 0,
    settled INTEGER NOT NULL DEFAULT 0,
    indexed INTEGER NOT NULL DEFAULT 1,
    accepted INTEGER NOT NULL DEFAULT 0,
    stable INTEGER NOT NULL DEFAULT 0,
    generation TEXT,
    receipt TEXT,
    trimmed INTEGER NOT NULL DEFAULT 0,
    trimmed_hash BLOB,
    guard INTEGER
) STRICT;
CREATE UNIQUE INDEX idx_stream_uid ON stream (uid);

-- `place` is stream.no << 40 | seq. `record` is what is sent, `hash` the chain up to it; `digest` and `reply`
-- tell a repeated request from a reused key, and answer it.
CREATE TABLE record (
    place INTEGER PRIMARY KEY,
    record BLOB NOT NULL,
    hash BLOB NOT NULL,
    digest BLOB NOT NULL,
    reply BLOB NOT NULL
) STRICT;

-- Keys and ids of the records that left the tail, run by run: `word` is run << 33 | field << 32 | CRC-32.
CREATE TABLE finder (
    word INTEGER NOT NULL,
    place INTEGER NOT NULL,
    PRIMARY KEY (word, place)
) STRICT, WITHOUT ROWID;

-- What the ledger decided of the places `first`..`last`; ranges do not overlap.
CREATE TABLE verdict (
    first INTEGER PRIMARY KEY,
    last INTEGER NOT NULL,
    n INTEGER NOT NULL,
    state TEXT NOT NULL,
    code TEXT NOT NULL,
    detail TEXT,
    points INTEGER
) STRICT;

-- Rights to redeem: asked -> granted | refused, granted -> consumed | released, asked -> released.
CREATE TABLE allowance (
    id TEXT PRIMARY KEY,
    key TEXT NOT NULL,
    card TEXT NOT NULL,
    points INTEGER NOT NULL,
    stream TEXT NOT NULL,
    state TEXT NOT NULL,
    asked_at TEXT NOT NULL
) STRICT;
CREATE INDEX idx_allowance_state ON allowance (state);

-- How many points of an entry were taken back here.
CREATE TABLE reversal (original TEXT PRIMARY KEY, points INTEGER NOT NULL) STRICT;

-- The last correction that this till wrote for an entry: `of` is the entry's name in it, `id` the correction's own.
CREATE TABLE resolution (of TEXT PRIMARY KEY, id TEXT NOT NULL) STRICT;

CREATE TABLE fact (name TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT;
