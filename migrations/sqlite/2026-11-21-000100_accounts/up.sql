-- People: who they are, how they prove it, and what is kept about what they did.
--
-- Secrets stand here as hashes only: passwords as argon2id strings, tokens as SHA-256.

CREATE TABLE users (
    id BLOB PRIMARY KEY,
    email TEXT NOT NULL UNIQUE CHECK (length(email) BETWEEN 3 AND 254 AND email = lower(email)),
    email_verified_at TEXT,
    name TEXT NOT NULL CHECK (length(name) BETWEEN 1 AND 100),
    phone TEXT CHECK (length(phone) BETWEEN 7 AND 16),
    role TEXT NOT NULL CHECK (role IN ('customer', 'mechanic', 'workshop', 'support', 'admin')),
    time_zone TEXT NOT NULL CHECK (length(time_zone) BETWEEN 1 AND 64),
    account_type TEXT NOT NULL CHECK (account_type IN ('individual', 'business')),
    status TEXT NOT NULL CHECK (status IN ('active', 'suspended', 'erased')),
    password_hash TEXT CHECK (length(password_hash) BETWEEN 1 AND 500),
    has_used_free_session INTEGER NOT NULL CHECK (has_used_free_session IN (0, 1)),
    created_at TEXT NOT NULL,
    updated_at TEXT NOT NULL
) STRICT;

CREATE INDEX users_by_role ON users (role, id);

CREATE TABLE sign_ins (
    id BLOB PRIMARY KEY,
    user_id BLOB NOT NULL REFERENCES users (id),
    token_hash BLOB NOT NULL UNIQUE CHECK (length(token_hash) = 32),
    user_agent TEXT NOT NULL CHECK (length(user_agent) <= 300),
    address TEXT NOT NULL CHECK (length(address) <= 64),
    created_at TEXT NOT NULL,
    last_seen_at TEXT NOT NULL,
    expires_at TEXT NOT NULL,
    revoked_at TEXT,
    CHECK (expires_at > created_at)
) STRICT;

CREATE INDEX sign_ins_by_user ON sign_ins (user_id, id);
CREATE INDEX sign_ins_by_expiry ON sign_ins (expires_at);
CREATE INDEX sign_ins_revoked ON sign_ins (revoked_at) WHERE revoked_at IS NOT NULL;

CREATE TABLE api_tokens (
    id BLOB PRIMARY KEY,
    user_id BLOB NOT NULL REFERENCES users (id),
    name TEXT NOT NULL CHECK (length(name) BETWEEN 1 AND 100),
    token_hash BLOB NOT NULL UNIQUE CHECK (length(token_hash) = 32),
    created_at TEXT NOT NULL,
    last_used_at TEXT,
    revoked_at TEXT
) STRICT;

CREATE INDEX api_tokens_by_user ON api_tokens (user_id, id);

-- A link that was used or replaced is deleted.
CREATE TABLE one_time_tokens (
    id BLOB PRIMARY KEY,
    user_id BLOB NOT NULL REFERENCES users (id),
    purpose TEXT NOT NULL CHECK (purpose IN ('verify_email', 'magic_link', 'password_reset')),
    email TEXT NOT NULL CHECK (length(email) BETWEEN 3 AND 254),
    token_hash BLOB NOT NULL UNIQUE CHECK (length(token_hash) = 32),
    return_path TEXT CHECK (length(return_path) BETWEEN 1 AND 2000 AND return_path LIKE '/%' AND return_path NOT LIKE '//%'),
    created_at TEXT NOT NULL,
    expires_at TEXT NOT NULL,
    CHECK (expires_at > created_at)
) STRICT;

CREATE INDEX one_time_tokens_by_user ON one_time_tokens (user_id, purpose);
CREATE INDEX one_time_tokens_by_expiry ON one_time_tokens (expires_at);

-- Wrong passwords and requests for links in the current minute, also for e-mail addresses without an account.
CREATE TABLE login_attempts (
    account_hash BLOB NOT NULL CHECK (length(account_hash) = 32),
    address TEXT NOT NULL CHECK (length(address) <= 64),
    window_started_at TEXT NOT NULL,
    failures INTEGER NOT NULL CHECK (failures BETWEEN 0 AND 4294967295),
    PRIMARY KEY (account_hash, address)
) STRICT;

CREATE INDEX login_attempts_by_window ON login_attempts (window_started_at);

CREATE TABLE providers (
    id BLOB PRIMARY KEY,
    kind TEXT NOT NULL CHECK (kind IN ('independent', 'workshop')),
    name TEXT NOT NULL CHECK (length(name) BETWEEN 1 AND 100),
    owner_id BLOB NOT NULL UNIQUE REFERENCES users (id),
    created_at TEXT NOT NULL,
    CHECK (kind <> 'independent' OR id = owner_id)
) STRICT;

CREATE TABLE mechanics (
    user_id BLOB PRIMARY KEY REFERENCES users (id),
    provider_id BLOB NOT NULL REFERENCES providers (id),
    approval TEXT NOT NULL CHECK (approval IN ('pending', 'approved', 'refused', 'suspended')),
    decided_by BLOB REFERENCES users (id),
    decided_at TEXT,
    decision_reason TEXT CHECK (length(decision_reason) <= 500),
    on_duty INTEGER NOT NULL CHECK (on_duty IN (0, 1)),
    created_at TEXT NOT NULL,
    CHECK (on_duty = 0 OR approval = 'approved'),
    CHECK ((approval = 'pending') = (decided_at IS NULL)),
    CHECK (decided_by IS NULL OR decided_at IS NOT NULL)
) STRICT;

CREATE INDEX mechanics_by_provider ON mechanics (provider_id);
CREATE INDEX mechanics_on_duty ON mechanics (created_at, user_id) WHERE on_duty = 1;

CREATE TABLE audit_log (
    id BLOB PRIMARY KEY,
    at TEXT NOT NULL,
    actor_id BLOB REFERENCES users (id),
    actor_role TEXT NOT NULL CHECK (length(actor_role) BETWEEN 1 AND 20),
    action TEXT NOT NULL CHECK (length(action) BETWEEN 1 AND 100),
    object_kind TEXT NOT NULL CHECK (length(object_kind) BETWEEN 1 AND 50),
    object_id TEXT NOT NULL CHECK (length(object_id) BETWEEN 1 AND 200),
    details TEXT NOT NULL CHECK (json_valid(details)),
    address TEXT CHECK (length(address) <= 64),
    CHECK ((actor_id IS NULL) = (actor_role = 'system'))
) STRICT;

CREATE INDEX audit_log_by_object ON audit_log (object_kind, object_id, id);
CREATE INDEX audit_log_by_actor ON audit_log (actor_id, id);

CREATE TABLE idempotency_keys (
    user_id BLOB NOT NULL REFERENCES users (id),
    route TEXT NOT NULL CHECK (length(route) BETWEEN 1 AND 300),
    key TEXT NOT NULL CHECK (length(key) BETWEEN 1 AND 255),
    request_hash BLOB NOT NULL CHECK (length(request_hash) = 32),
    holder BLOB NOT NULL CHECK (length(holder) = 16),
    started_at TEXT NOT NULL,
    status INTEGER CHECK (status BETWEEN 100 AND 599),
    body TEXT,
    PRIMARY KEY (user_id, route, key),
    CHECK ((status IS NULL) = (body IS NULL))
) STRICT;

CREATE INDEX idempotency_keys_by_age ON idempotency_keys (started_at);
