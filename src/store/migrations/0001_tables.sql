-- Times are microseconds since 1970 in UTC. Severities are ranks, 0 for unknown to 5 for critical.
-- Words (kinds, states, outcomes) are the domain's own, so that a file can be read by eye.

CREATE TABLE meta (
    name  TEXT PRIMARY KEY,
    value TEXT NOT NULL
) STRICT, WITHOUT ROWID;

-- What is acknowledged and not yet expanded. The small columns stand before `raw`: reading them does
-- not touch the pages that a large element overflows to.
CREATE TABLE inbox (
    id          INTEGER PRIMARY KEY AUTOINCREMENT,
    event       INTEGER,                     -- the event it is being expanded into, once begun
    progress    INTEGER NOT NULL DEFAULT 0,  -- how many of its users are expanded
    received    INTEGER NOT NULL,
    source      TEXT NOT NULL,
    source_type TEXT NOT NULL,
    raw         TEXT NOT NULL
) STRICT;
CREATE INDEX inbox_begun ON inbox (event) WHERE event IS NOT NULL;

-- What could not be expanded, kept whole.
CREATE TABLE problems (
    id          INTEGER PRIMARY KEY AUTOINCREMENT,
    received    INTEGER NOT NULL,
    source      TEXT NOT NULL,
    source_type TEXT NOT NULL,
    why         TEXT NOT NULL,
    raw         TEXT NOT NULL
) STRICT;

-- Few rows each: what events and findings name by number.
CREATE TABLE sources (
    id     INTEGER PRIMARY KEY,
    name   TEXT NOT NULL UNIQUE,
    folded TEXT NOT NULL
) STRICT;
CREATE TABLE checks (
    id           INTEGER PRIMARY KEY,
    check_id     TEXT NOT NULL,
    title        TEXT NOT NULL,
    id_folded    TEXT NOT NULL,
    title_folded TEXT NOT NULL,
    UNIQUE (check_id, title)
) STRICT;
CREATE TABLE logins (
    id     INTEGER PRIMARY KEY,
    folded TEXT NOT NULL UNIQUE
) STRICT;

-- The feed, in order of arrival. The four state counts are kept, never counted.
CREATE TABLE events (
    id              INTEGER PRIMARY KEY AUTOINCREMENT,
    kind            TEXT NOT NULL,
    severity        INTEGER NOT NULL,
    source_ref      INTEGER NOT NULL,
    check_ref       INTEGER NOT NULL,
    open            INTEGER NOT NULL DEFAULT 0,
    claimed         INTEGER NOT NULL DEFAULT 0,
    snoozed         INTEGER NOT NULL DEFAULT 0,
    closed          INTEGER NOT NULL DEFAULT 0,
    times           INTEGER NOT NULL DEFAULT 1,
    published       INTEGER,
    received        INTEGER NOT NULL,
    user_count      INTEGER NOT NULL,
    first_users     TEXT NOT NULL,
    source_event_id TEXT,
    severity_raw    TEXT NOT NULL,
    key             TEXT NOT NULL UNIQUE
) STRICT;
-- Each ends in the row id, so one value of each is one scan in the feed's order.
CREATE INDEX events_severity ON events (severity);
CREATE INDEX events_check ON events (check_ref, severity);
CREATE INDEX events_kind ON events (kind, severity) WHERE kind <> 'failed-check';
CREATE INDEX events_open ON events (severity) WHERE open > 0;
CREATE INDEX events_claimed ON events (severity) WHERE claimed > 0;
CREATE INDEX events_snoozed ON events (severity) WHERE snoozed > 0;
CREATE INDEX events_closed ON events (severity) WHERE closed > 0;

-- Apart from the rows, so that a scan of the feed does not read them, and retention can take `raw`.
CREATE TABLE event_texts (
    event               INTEGER PRIMARY KEY,
    description         TEXT NOT NULL,
    recommended_actions TEXT NOT NULL,
    reference_url       TEXT,
    raw                 TEXT
) STRICT;

CREATE TABLE event_users (
    event    INTEGER NOT NULL,
    position INTEGER NOT NULL,
    login    INTEGER NOT NULL,
    finding  INTEGER,
    shown    TEXT NOT NULL,
    PRIMARY KEY (event, position)
) STRICT, WITHOUT ROWID;

-- The index table of "user and severity": through a join it takes up to a second on 10 million events.
CREATE TABLE event_logins (
    login    INTEGER NOT NULL,
    severity INTEGER NOT NULL,
    event    INTEGER NOT NULL,
    PRIMARY KEY (login, severity, event)
) STRICT, WITHOUT ROWID;

CREATE TABLE findings (
    id          INTEGER PRIMARY KEY AUTOINCREMENT,
    login       INTEGER NOT NULL,
    severity    INTEGER NOT NULL,
    check_ref   INTEGER NOT NULL,  -- the check with its newest title
    state       TEXT NOT NULL,
    closed_at   INTEGER,
    first_seen  INTEGER NOT NULL,
    last_seen   INTEGER NOT NULL,
    times       INTEGER NOT NULL,
    version     INTEGER NOT NULL,
    assignee    TEXT,
    disposition TEXT,
    shown       TEXT NOT NULL,     -- the login as it came first
    check_id    TEXT NOT NULL,
    UNIQUE (login, check_id)
) STRICT;
CREATE INDEX findings_login ON findings (login);
CREATE INDEX findings_check ON findings (check_ref);
CREATE INDEX findings_state ON findings (state, severity);

-- Which events a finding counted: each once.
CREATE TABLE finding_events (
    finding INTEGER NOT NULL,
    event   INTEGER NOT NULL,
    PRIMARY KEY (finding, event)
) STRICT, WITHOUT ROWID;

CREATE TABLE notes (
    id      INTEGER PRIMARY KEY,
    finding INTEGER NOT NULL,
    at      INTEGER NOT NULL,
    actor   TEXT NOT NULL,
    what    TEXT NOT NULL,
    text    TEXT NOT NULL
) STRICT;
CREATE INDEX notes_finding ON notes (finding);

-- Kept counts: findings by severity and state; `event_totals` has one row.
CREATE TABLE finding_counts (
    severity INTEGER NOT NULL,
    state    TEXT NOT NULL,
    n        INTEGER NOT NULL,
    PRIMARY KEY (severity, state)
) STRICT, WITHOUT ROWID;
CREATE TABLE event_totals (
    id            INTEGER PRIMARY KEY CHECK (id = 1),
    events        INTEGER NOT NULL,
    last_received INTEGER
) STRICT;
INSERT INTO event_totals VALUES (1, 0, NULL);

CREATE TABLE actions (
    seq         INTEGER PRIMARY KEY AUTOINCREMENT,
    id          TEXT NOT NULL UNIQUE,
    flow        TEXT NOT NULL,
    login       TEXT NOT NULL,     -- folded
    shown       TEXT NOT NULL,
    verb        TEXT NOT NULL,
    risk        TEXT NOT NULL,
    finding     INTEGER,
    evidence    TEXT NOT NULL,
    outcome     TEXT NOT NULL,
    request     TEXT NOT NULL,
    receipt     TEXT,
    reason      TEXT,
    actor       TEXT NOT NULL,
    at          INTEGER NOT NULL,
    owner       TEXT NOT NULL,
    lease_until INTEGER NOT NULL
) STRICT;
CREATE INDEX actions_login ON actions (login);
CREATE INDEX actions_flow ON actions (flow);
CREATE INDEX actions_subject ON actions (flow, login);
-- Two of the same flow on the same subject cannot be open, whatever the code does.
CREATE UNIQUE INDEX actions_open ON actions (flow, login) WHERE outcome = 'pending';
CREATE INDEX actions_leases ON actions (lease_until) WHERE outcome = 'pending';

CREATE TABLE journal (
    seq            INTEGER PRIMARY KEY,
    at             INTEGER NOT NULL,
    kind           TEXT NOT NULL,
    content        TEXT,           -- NULL once erased
    content_sha256 TEXT NOT NULL,
    previous       TEXT NOT NULL,
    hash           TEXT NOT NULL
) STRICT;
