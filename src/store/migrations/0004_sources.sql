-- What sources, rules and retention need. Nothing that is there changes its meaning.

-- What the rules call an event, as JSON for the row, and as a walk for `tag:`.
ALTER TABLE events ADD COLUMN tags TEXT NOT NULL DEFAULT '[]';
CREATE TABLE tags (
    id     INTEGER PRIMARY KEY,
    name   TEXT NOT NULL UNIQUE,
    folded TEXT NOT NULL
) STRICT;
CREATE TABLE event_tags (
    tag      INTEGER NOT NULL,
    severity INTEGER NOT NULL,
    event    INTEGER NOT NULL,
    PRIMARY KEY (tag, severity, event)
) STRICT, WITHOUT ROWID;

-- A record that opened no finding and that the feed leaves out: most of a System Log.
ALTER TABLE events ADD COLUMN quiet INTEGER NOT NULL DEFAULT 0;
CREATE INDEX events_loud ON events (severity) WHERE quiet = 0;
CREATE INDEX events_quiet ON events (severity) WHERE quiet = 1;

-- How far each source that is asked has read, and each consumer of the feed. Committed with what was read.
CREATE TABLE cursors (
    name  TEXT PRIMARY KEY,
    value TEXT NOT NULL
) STRICT, WITHOUT ROWID;

-- What was left out, by the rule that said so.
CREATE TABLE drops (
    reason TEXT PRIMARY KEY,
    times  INTEGER NOT NULL,
    first  INTEGER NOT NULL,
    last   INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- Which events are about an execution of a flow.
CREATE TABLE executions (
    execution TEXT NOT NULL,
    event     INTEGER NOT NULL,
    PRIMARY KEY (execution, event)
) STRICT, WITHOUT ROWID;

-- The keys of events whose rows retention took: a repeat of them is still a repeat.
CREATE TABLE digests (
    key TEXT PRIMARY KEY
) STRICT, WITHOUT ROWID;
