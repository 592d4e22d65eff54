-- What keeping for a time needs: what is still whole, what was taken, and what stands beside an action.

-- Which events are about an execution of a flow, and which executions an action's receipt names.
ALTER TABLE executions RENAME TO executions_0004;
CREATE TABLE executions (
    event     INTEGER PRIMARY KEY,
    execution TEXT NOT NULL
) STRICT;
INSERT OR IGNORE INTO executions (event, execution) SELECT event, execution FROM executions_0004;
DROP TABLE executions_0004;
CREATE INDEX executions_id ON executions (execution);
CREATE TABLE action_executions (
    execution TEXT NOT NULL,
    action    TEXT NOT NULL,
    PRIMARY KEY (execution, action)
) STRICT, WITHOUT ROWID;
INSERT OR IGNORE INTO action_executions (execution, action)
    SELECT json_extract(receipt, '$.execution_id'), id FROM actions
    WHERE json_extract(receipt, '$.execution_id') IS NOT NULL;

-- What retention has not come by yet, in the order in which it comes.
ALTER TABLE events ADD COLUMN has_raw INTEGER NOT NULL DEFAULT 1;
CREATE INDEX events_kept ON events (received) WHERE has_raw = 1;

-- Events that retention came by: the free text takes their words out in this order, then they go from here.
CREATE TABLE erased (
    seq   INTEGER PRIMARY KEY AUTOINCREMENT,
    event INTEGER NOT NULL
) STRICT;

-- More kept counts.
ALTER TABLE event_totals ADD COLUMN quiet INTEGER NOT NULL DEFAULT 0;
ALTER TABLE event_totals ADD COLUMN raws INTEGER NOT NULL DEFAULT 0;
ALTER TABLE event_totals ADD COLUMN raw_bytes INTEGER NOT NULL DEFAULT 0;
ALTER TABLE event_totals ADD COLUMN digests INTEGER NOT NULL DEFAULT 0;
UPDATE event_totals SET raws = events,
    quiet = (SELECT count(*) FROM events WHERE quiet = 1),
    raw_bytes = (SELECT ifnull(sum(octet_length(raw)), 0) FROM event_texts);
