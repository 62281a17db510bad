-- The size of pictures, so that a page keeps their place before they have come; and the files whose bytes may lie in the
-- storage without being written down yet, so that those of a process that was killed are found and deleted.
ALTER TABLE files ADD COLUMN width INTEGER CHECK (width > 0);
ALTER TABLE files ADD COLUMN height INTEGER CHECK (height IS NULL OR (height > 0 AND width IS NOT NULL));

CREATE TABLE file_arrivals (
  file_id BLOB PRIMARY KEY NOT NULL,
  expires_at TEXT NOT NULL
) STRICT;
CREATE INDEX file_arrivals_expired ON file_arrivals (expires_at);
