-- The books in PostgreSQL as the first version of the schema made them; a test brings them to the present one.
CREATE SCHEMA tilld;
SET search_path = tilld;
CREATE SEQUENCE stream_no;
CREATE SEQUENCE account_no;
CREATE TABLE fact (name text COLLATE "C" PRIMARY KEY, value text NOT NULL) WITH (fillfactor = 100);
CREATE TABLE terminal (name text COLLATE "C" PRIMARY KEY, public_key bytea NOT NULL, enrolled_at bigint NOT NULL,
        seen_at bigint, software text, decided bigint NOT NULL DEFAULT 0) WITH (fillfactor = 50);
CREATE TABLE stream (no bigint NOT NULL DEFAULT nextval('tilld.stream_no'), terminal text COLLATE "C" NOT NULL,
        uid text COLLATE "C" NOT NULL, branch integer NOT NULL DEFAULT 0, grown_from bigint,
        base bigint NOT NULL DEFAULT 0, mark bigint NOT NULL DEFAULT 0, stable bigint NOT NULL DEFAULT 0,
        head bytea NOT NULL, PRIMARY KEY (terminal, uid, branch)) WITH (fillfactor = 50);
CREATE INDEX ON stream (no);
CREATE INDEX ON stream (uid);
CREATE TABLE record (no bigint PRIMARY KEY, hash bytea NOT NULL, bytes bytea NOT NULL) WITH (fillfactor = 100);
CREATE TABLE claim (hash bytea PRIMARY KEY, record bigint NOT NULL) WITH (fillfactor = 100);
CREATE TABLE entry (id text COLLATE "C" PRIMARY KEY, record bigint NOT NULL) WITH (fillfactor = 100);
CREATE TABLE duplicate (entry text COLLATE "C" PRIMARY KEY, first text NOT NULL) WITH (fillfactor = 100);
CREATE TABLE account (no bigint PRIMARY KEY, balance bigint NOT NULL, reserved bigint NOT NULL CHECK (reserved >= 0)) WITH (fillfactor = 70);
CREATE TABLE card (number text COLLATE "C" PRIMARY KEY, account bigint) WITH (fillfactor = 100);
CREATE INDEX ON card (account);
CREATE TABLE posting (record bigint NOT NULL, entry text NOT NULL, account bigint NOT NULL, points bigint NOT NULL,
        original bigint, code text NOT NULL, posted_at bigint NOT NULL, PRIMARY KEY (account, record)) WITH (fillfactor = 100);
CREATE INDEX ON posting (record);
CREATE INDEX ON posting (original) WHERE original IS NOT NULL;
CREATE TABLE lot (record bigint NOT NULL, account bigint NOT NULL, earned_at bigint NOT NULL, points bigint NOT NULL,
        remaining bigint NOT NULL, PRIMARY KEY (account, record)) WITH (fillfactor = 100);
CREATE INDEX ON lot (account) WHERE remaining <> 0;
CREATE TABLE move (record bigint NOT NULL, lot bigint NOT NULL, points bigint NOT NULL, account bigint NOT NULL,
        PRIMARY KEY (account, record, lot)) WITH (fillfactor = 100);
CREATE TABLE allowance (id text COLLATE "C" PRIMARY KEY, terminal text NOT NULL, stream text NOT NULL, card text NOT NULL,
        points bigint NOT NULL, account bigint, state text NOT NULL, code text) WITH (fillfactor = 100);
CREATE TABLE decision (terminal text COLLATE "C" NOT NULL, n bigint NOT NULL, record bigint NOT NULL, count integer NOT NULL,
        state text NOT NULL, code text NOT NULL, detail text, points bigint, PRIMARY KEY (terminal, n)) WITH (fillfactor = 100);
CREATE INDEX ON decision (terminal, record);
CREATE INDEX ON decision (record) WHERE state <> 'posted';
CREATE TABLE waiting (record bigint PRIMARY KEY, reason text COLLATE "C" NOT NULL) WITH (fillfactor = 100);
CREATE INDEX ON waiting (reason);
INSERT INTO fact VALUES ('schema', '1');
