-- What is found out about an action later.

-- How its target stood before, what it undoes, and when its target is looked at next, if by itself.
ALTER TABLE actions ADD COLUMN before TEXT;
ALTER TABLE actions ADD COLUMN undoes TEXT;
ALTER TABLE actions ADD COLUMN look_at INTEGER;
CREATE INDEX actions_looks ON actions (look_at) WHERE look_at IS NOT NULL;

-- Which record is the end of its execution: `completed` or `failed`, as the configuration reads its type.
ALTER TABLE executions ADD COLUMN ended TEXT;
