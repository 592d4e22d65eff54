-- The login of the account that was acted on, where it is not the subject's: what was done to somebody is found
-- by that one too.
ALTER TABLE actions ADD COLUMN account_login TEXT;
DELETE FROM journal_terms;
