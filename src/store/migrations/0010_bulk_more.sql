-- What a run on many is held to, and who was begun with.

-- The digests of what was confirmed, where the journal has them, and what paused it so far.
ALTER TABLE bulks ADD COLUMN seal TEXT;
ALTER TABLE bulks ADD COLUMN record INTEGER;
ALTER TABLE bulks ADD COLUMN seen TEXT NOT NULL DEFAULT '[]';

-- What stood against a user when it was confirmed, and whether an action of theirs is there.
ALTER TABLE bulk_users ADD COLUMN doubts TEXT NOT NULL DEFAULT '[]';
ALTER TABLE bulk_users ADD COLUMN began INTEGER NOT NULL DEFAULT 0;

-- How it ended for a user follows their action from now on, so that nothing is joined to count.
UPDATE bulk_users
SET (outcome, evidence) = (SELECT a.outcome, a.evidence FROM actions a WHERE a.id = bulk_users.action)
WHERE outcome IS NOT NULL AND action IN (SELECT id FROM actions WHERE outcome <> 'pending');
CREATE INDEX bulk_users_ends ON bulk_users (bulk, outcome, began);
