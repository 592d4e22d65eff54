-- It is the digest of time, kind and content, and is called what it is.
ALTER TABLE journal RENAME COLUMN content_sha256 TO digest;
