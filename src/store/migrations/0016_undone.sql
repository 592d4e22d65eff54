-- By which action one is undone by now, on itself and on its user of a run on many.
ALTER TABLE actions ADD COLUMN undone TEXT;
ALTER TABLE bulk_users ADD COLUMN undone TEXT;
CREATE INDEX actions_undoes ON actions (undoes) WHERE undoes IS NOT NULL;
CREATE INDEX bulk_users_undone ON bulk_users (bulk) WHERE undone IS NOT NULL;
