-- A link's purpose is checked when it is read, so that a new one needs no new table.
CREATE TABLE one_time_tokens_new (
    id BLOB PRIMARY KEY,
    user_id BLOB NOT NULL REFERENCES users (id),
    purpose TEXT NOT NULL CHECK (length(purpose) BETWEEN 1 AND 50),
    email TEXT NOT NULL CHECK (length(email) BETWEEN 3 AND 254),
    token_hash BLOB NOT NULL UNIQUE CHECK (length(token_hash) = 32),
    return_path TEXT CHECK (length(return_path) BETWEEN 1 AND 2000 AND return_path LIKE '/%' AND return_path NOT LIKE '//%'),
    created_at TEXT NOT NULL,
    expires_at TEXT NOT NULL,
    CHECK (expires_at > created_at)
) STRICT;
INSERT INTO one_time_tokens_new
    SELECT id, user_id, purpose, email, token_hash, return_path, created_at, expires_at FROM one_time_tokens;
DROP TABLE one_time_tokens;
ALTER TABLE one_time_tokens_new RENAME TO one_time_tokens;
CREATE INDEX one_time_tokens_by_user ON one_time_tokens (user_id, purpose);
CREATE INDEX one_time_tokens_by_expiry ON one_time_tokens (expires_at);

-- A person's authenticator app. Its secret is derived from the enrolment and stored nowhere.
CREATE TABLE second_factors (
    user_id BLOB PRIMARY KEY REFERENCES users (id),
    enrolment_id BLOB NOT NULL UNIQUE CHECK (length(enrolment_id) = 16),
    created_at TEXT NOT NULL,
    confirmed_at TEXT,
    last_step INTEGER NOT NULL CHECK (last_step >= 0)
) STRICT;

-- A code that was used is deleted.
CREATE TABLE recovery_codes (
    user_id BLOB NOT NULL REFERENCES users (id),
    code_hash BLOB NOT NULL CHECK (length(code_hash) = 32),
    created_at TEXT NOT NULL,
    PRIMARY KEY (user_id, code_hash)
) STRICT, WITHOUT ROWID;
