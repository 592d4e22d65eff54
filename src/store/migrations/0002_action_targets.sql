-- The account that an action was sent to: two logins may lead to the same one. NULL where none is known.
ALTER TABLE actions ADD COLUMN target TEXT;
CREATE INDEX actions_target ON actions (flow, target) WHERE target IS NOT NULL;
CREATE UNIQUE INDEX actions_open_target ON actions (flow, target)
    WHERE outcome = 'pending' AND target IS NOT NULL;
