-- One flow on many people. A user without an outcome waits.
CREATE TABLE bulks (
    seq         INTEGER PRIMARY KEY AUTOINCREMENT,
    id          TEXT NOT NULL UNIQUE,
    flow        TEXT NOT NULL,
    verb        TEXT NOT NULL,
    risk        TEXT NOT NULL,
    inputs      TEXT NOT NULL,
    reason      TEXT,
    is_insisted INTEGER NOT NULL,
    actor       TEXT NOT NULL,
    at          INTEGER NOT NULL,
    state       TEXT NOT NULL,
    why         TEXT,
    owner       TEXT,
    lease_until INTEGER
) STRICT;

CREATE TABLE bulk_users (
    bulk     INTEGER NOT NULL,
    position INTEGER NOT NULL,
    shown    TEXT NOT NULL,        -- the login as it was said
    target   TEXT,
    finding  INTEGER,
    outcome  TEXT,
    evidence TEXT,
    status   INTEGER,
    why      TEXT,
    action   TEXT,
    at       INTEGER,
    PRIMARY KEY (bulk, position)
) STRICT, WITHOUT ROWID;
CREATE INDEX bulk_users_queued ON bulk_users (bulk, position) WHERE outcome IS NULL;
