-- A link's purpose is checked when it is read, so that a new one needs no new table.
ALTER TABLE one_time_tokens DROP CONSTRAINT one_time_tokens_purpose_check;
ALTER TABLE one_time_tokens ADD CHECK (length(purpose) BETWEEN 1 AND 50);

-- A person's authenticator app. Its secret is derived from the enrolment and stored nowhere.
CREATE TABLE second_factors (
    user_id uuid PRIMARY KEY REFERENCES users (id),
    enrolment_id uuid NOT NULL UNIQUE,
    created_at timestamptz NOT NULL,
    confirmed_at timestamptz,
    last_step bigint NOT NULL CHECK (last_step >= 0)
);

-- A code that was used is deleted.
CREATE TABLE recovery_codes (
    user_id uuid NOT NULL REFERENCES users (id),
    code_hash bytea NOT NULL CHECK (length(code_hash) = 32),
    created_at timestamptz NOT NULL,
    PRIMARY KEY (user_id, code_hash)
);
