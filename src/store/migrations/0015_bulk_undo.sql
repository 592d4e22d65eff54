-- The action of a user that a run on many undoes.
ALTER TABLE bulk_users ADD COLUMN undoes TEXT;
