-- What was confirmed of what is sent for a user of a run on many: the event that it is made from, and the digest of
-- the body. Beside it the login of the account that was shown, where it is not the user's own.
ALTER TABLE bulk_users ADD COLUMN event INTEGER;
ALTER TABLE bulk_users ADD COLUMN body_sha256 TEXT;
ALTER TABLE bulk_users ADD COLUMN account_login TEXT;
