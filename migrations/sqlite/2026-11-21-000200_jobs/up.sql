-- Background work, and messages to people.
--
-- Kinds and milestones are not listed in a CHECK: the sets grow with most releases, and SQLite can only change a
-- CHECK by copying the table. Whoever reads a row refuses a name that it does not know.

CREATE TABLE jobs (
    id BLOB PRIMARY KEY CHECK (length(id) = 16),
    kind TEXT NOT NULL CHECK (length(kind) BETWEEN 1 AND 50),
    payload TEXT NOT NULL CHECK (json_valid(payload) AND length(payload) <= 16384),
    run_at TEXT NOT NULL,
    dedupe_key TEXT UNIQUE CHECK (length(dedupe_key) BETWEEN 1 AND 200),
    status TEXT NOT NULL CHECK (status IN ('queued', 'running', 'done', 'dead')),
    attempts INTEGER NOT NULL CHECK (attempts BETWEEN 0 AND 1000),
    lease_owner TEXT CHECK (length(lease_owner) BETWEEN 1 AND 100),
    lease_until TEXT,
    last_error TEXT CHECK (length(last_error) <= 1000),
    created_at TEXT NOT NULL,
    finished_at TEXT,
    CHECK ((status = 'running') = (lease_owner IS NOT NULL)),
    CHECK ((status = 'running') = (lease_until IS NOT NULL)),
    CHECK ((status IN ('done', 'dead')) = (finished_at IS NOT NULL)),
    CHECK (status IN ('queued', 'done') OR attempts >= 1)
) STRICT;

CREATE INDEX jobs_due ON jobs (run_at, id) WHERE status = 'queued';
CREATE INDEX jobs_leases ON jobs (lease_until) WHERE status = 'running';
CREATE INDEX jobs_done ON jobs (finished_at) WHERE status = 'done';
CREATE INDEX jobs_by_status ON jobs (status, id);

CREATE TABLE deliveries (
    id BLOB PRIMARY KEY CHECK (length(id) = 16),
    milestone TEXT NOT NULL CHECK (length(milestone) BETWEEN 1 AND 100),
    channel TEXT NOT NULL CHECK (channel IN ('mail', 'sms', 'push')),
    recipient BLOB NOT NULL REFERENCES users (id),
    send_once_key TEXT NOT NULL UNIQUE CHECK (length(send_once_key) BETWEEN 1 AND 200),
    context TEXT CHECK (json_valid(context)),
    status TEXT NOT NULL CHECK (status IN ('pending', 'unknown', 'sent', 'failed', 'suppressed')),
    provider_ref TEXT CHECK (length(provider_ref) BETWEEN 1 AND 200),
    last_error TEXT CHECK (length(last_error) <= 500),
    created_at TEXT NOT NULL,
    sent_at TEXT,
    CHECK ((status = 'sent') = (sent_at IS NOT NULL)),
    CHECK (status <> 'pending' OR context IS NOT NULL),
    CHECK (status IN ('pending', 'unknown') OR context IS NULL)
) STRICT;

CREATE INDEX deliveries_by_recipient ON deliveries (recipient, id);
CREATE INDEX deliveries_unknown ON deliveries (created_at) WHERE status = 'unknown';

CREATE TABLE suppressions (
    channel TEXT NOT NULL CHECK (channel IN ('mail', 'sms', 'push')),
    address TEXT NOT NULL CHECK (length(address) BETWEEN 1 AND 320),
    reason TEXT NOT NULL CHECK (reason IN ('bounced', 'complained')),
    created_at TEXT NOT NULL,
    PRIMARY KEY (channel, address)
) STRICT;

CREATE TABLE mailbox_messages (
    id BLOB PRIMARY KEY CHECK (length(id) = 16),
    channel TEXT NOT NULL CHECK (channel IN ('mail', 'sms', 'push')),
    send_once_key TEXT NOT NULL UNIQUE CHECK (length(send_once_key) BETWEEN 1 AND 200),
    recipient_address TEXT NOT NULL CHECK (length(recipient_address) BETWEEN 1 AND 320),
    subject TEXT NOT NULL,
    text_body TEXT NOT NULL,
    html_body TEXT,
    links TEXT NOT NULL CHECK (json_valid(links)),
    milestone TEXT NOT NULL CHECK (length(milestone) BETWEEN 1 AND 100),
    created_at TEXT NOT NULL
) STRICT;

CREATE INDEX mailbox_messages_newest ON mailbox_messages (created_at, id);
