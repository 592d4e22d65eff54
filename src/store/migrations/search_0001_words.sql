-- The words of events, by event id. Derived: all of it can be made again from the store.
CREATE VIRTUAL TABLE words USING fts5(title, check_id, texts, logins, content='', prefix='2 3');

-- How far the store's events are in it, and of which store.
CREATE TABLE progress (
    id        INTEGER PRIMARY KEY CHECK (id = 1),
    store     TEXT NOT NULL,
    last      INTEGER NOT NULL
) STRICT;

-- Passed over because their users were still being expanded.
CREATE TABLE skipped (
    event INTEGER PRIMARY KEY
) STRICT;
