-- What the journal is found by, however long it is, and nothing in it that is not sealed.

-- A record's hash covers its time to the millisecond: what stands below can be changed unseen, so it goes.
UPDATE journal SET at = at - ((at % 1000) + 1000) % 1000 WHERE at % 1000 <> 0;
CREATE INDEX journal_at ON journal (at);

-- Whom, which flow, which kind, which outcome, by whom, which action, which run on many: folded.
CREATE TABLE journal_terms (
    name  TEXT NOT NULL,
    value TEXT NOT NULL,
    seq   INTEGER NOT NULL,
    PRIMARY KEY (name, value, seq)
) STRICT, WITHOUT ROWID;
