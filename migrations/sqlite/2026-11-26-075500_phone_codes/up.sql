-- Telephone numbers are confirmed by a code in a text message. One row a person: the code in force, and how often codes
-- were sent. The code itself is nowhere; it is made again from the id when the message is written.

ALTER TABLE users ADD COLUMN phone_verified_at TEXT;

CREATE TABLE phone_codes (
    user_id BLOB PRIMARY KEY REFERENCES users (id),
    id BLOB NOT NULL UNIQUE CHECK (length(id) = 16),
    phone TEXT NOT NULL CHECK (length(phone) BETWEEN 8 AND 16),
    code_hash BLOB NOT NULL CHECK (length(code_hash) = 32),
    failures INTEGER NOT NULL CHECK (failures BETWEEN 0 AND 5),
    sent_at TEXT NOT NULL,
    day_started_at TEXT NOT NULL,
    sends INTEGER NOT NULL CHECK (sends BETWEEN 1 AND 5),
    used_at TEXT
) STRICT;
