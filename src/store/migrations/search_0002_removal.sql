-- Words can be taken out again: those of a removed record, and of a text that retention took. The table
-- is made anew, and filled anew behind that.
DROP TABLE words;
CREATE VIRTUAL TABLE words USING fts5(
    title, check_id, texts, logins, content='', contentless_delete=1, prefix='2 3'
);
DELETE FROM progress;
DELETE FROM skipped;

-- How far what retention took is taken out.
ALTER TABLE progress ADD COLUMN erased INTEGER NOT NULL DEFAULT 0;
