-- By which action one is undone by now, on itself and on its user of a run on many.
ALTER TABLE actions ADD COLUMN undone TEXT;
ALTER TABLE bulk_users ADD COLUMN undone TEXT;
CREATE INDEX actions_undoes ON actions (undoes) WHERE undoes IS NOT NULL;
CREATE INDEX bulk_users_undone ON bulk_users (bulk, outcome) WHERE undone IS NOT NULL;

-- What was undone so far: by the newest that is in force, as far as SQL can tell. What was undone and done again several
-- times, and users of runs of several steps, are told once something more is recorded of them.
CREATE TEMP TABLE undoing AS
    SELECT seq, id, undoes, outcome, at FROM (
        SELECT seq, id, undoes, outcome, at,
            CASE WHEN json_valid(receipt) THEN json_extract(receipt, '$.word.said') END AS said,
            CASE WHEN json_valid(receipt) THEN json_extract(receipt, '$.stands') END AS stands
        FROM actions WHERE undoes IS NOT NULL
    )
    WHERE outcome = 'changed'
        OR (outcome = 'accepted' AND said IS NOT 'not-changed' AND stands IS NOT 'before')
        OR (outcome = 'unknown' AND said IS 'changed' AND stands IS NOT 'before');
CREATE INDEX temp.undoing_undoes ON undoing (undoes);
UPDATE actions SET undone = (
    SELECT json_object('by', id, 'standing', outcome, 'at', strftime('%Y-%m-%dT%H:%M:%fZ', at / 1000000.0, 'unixepoch'))
    FROM undoing
    WHERE undoing.undoes = actions.id AND id NOT IN (SELECT undoes FROM undoing)
    ORDER BY seq DESC LIMIT 1
)
WHERE id IN (SELECT undoes FROM undoing);
UPDATE bulk_users SET undone = (SELECT undone FROM actions WHERE id = bulk_users.action)
WHERE action IN (SELECT undoes FROM undoing);
DROP TABLE undoing;
