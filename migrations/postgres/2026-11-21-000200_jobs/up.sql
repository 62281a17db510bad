-- Background work, and messages to people.
--
-- Kinds and milestones are not listed in a CHECK: the sets grow with most releases, and SQLite can only change a
-- CHECK by copying the table. Whoever reads a row refuses a name that it does not know.

CREATE TABLE jobs (
    id uuid PRIMARY KEY,
    kind text NOT NULL CHECK (length(kind) BETWEEN 1 AND 50),
    payload jsonb NOT NULL CHECK (length(payload::text) <= 32768),
    run_at timestamptz NOT NULL,
    dedupe_key text UNIQUE CHECK (length(dedupe_key) BETWEEN 1 AND 200),
    status text NOT NULL CHECK (status IN ('queued', 'running', 'done', 'dead')),
    attempts bigint NOT NULL CHECK (attempts BETWEEN 0 AND 1000),
    lease_owner text CHECK (length(lease_owner) BETWEEN 1 AND 100),
    lease_until timestamptz,
    last_error text CHECK (length(last_error) <= 1000),
    created_at timestamptz NOT NULL,
    finished_at timestamptz,
    CHECK ((status = 'running') = (lease_owner IS NOT NULL)),
    CHECK ((status = 'running') = (lease_until IS NOT NULL)),
    CHECK ((status IN ('done', 'dead')) = (finished_at IS NOT NULL)),
    CHECK (status IN ('queued', 'done') OR attempts >= 1)
);

CREATE INDEX jobs_due ON jobs (run_at, id) WHERE status = 'queued';
CREATE INDEX jobs_leases ON jobs (lease_until) WHERE status = 'running';
CREATE INDEX jobs_done ON jobs (finished_at) WHERE status = 'done';
CREATE INDEX jobs_by_status ON jobs (status, id);

CREATE TABLE deliveries (
    id uuid PRIMARY KEY,
    milestone text NOT NULL CHECK (length(milestone) BETWEEN 1 AND 100),
    channel text NOT NULL CHECK (channel IN ('mail', 'sms', 'push')),
    recipient uuid NOT NULL REFERENCES users (id),
    send_once_key text NOT NULL UNIQUE CHECK (length(send_once_key) BETWEEN 1 AND 200),
    context jsonb,
    status text NOT NULL CHECK (status IN ('pending', 'unknown', 'sent', 'failed', 'suppressed')),
    provider_ref text CHECK (length(provider_ref) BETWEEN 1 AND 200),
    last_error text CHECK (length(last_error) <= 500),
    created_at timestamptz NOT NULL,
    sent_at timestamptz,
    CHECK ((status = 'sent') = (sent_at IS NOT NULL)),
    CHECK (status <> 'pending' OR context IS NOT NULL),
    CHECK (status IN ('pending', 'unknown') OR context IS NULL)
);

CREATE INDEX deliveries_by_recipient ON deliveries (recipient, id);
CREATE INDEX deliveries_unknown ON deliveries (created_at) WHERE status = 'unknown';

CREATE TABLE suppressions (
    channel text NOT NULL CHECK (channel IN ('mail', 'sms', 'push')),
    address text NOT NULL CHECK (length(address) BETWEEN 1 AND 320),
    reason text NOT NULL CHECK (reason IN ('bounced', 'complained')),
    created_at timestamptz NOT NULL,
    PRIMARY KEY (channel, address)
);

CREATE TABLE mailbox_messages (
    id uuid PRIMARY KEY,
    channel text NOT NULL CHECK (channel IN ('mail', 'sms', 'push')),
    send_once_key text NOT NULL UNIQUE CHECK (length(send_once_key) BETWEEN 1 AND 200),
    recipient_address text NOT NULL CHECK (length(recipient_address) BETWEEN 1 AND 320),
    subject text NOT NULL,
    text_body text NOT NULL,
    html_body text,
    links jsonb NOT NULL,
    milestone text NOT NULL CHECK (length(milestone) BETWEEN 1 AND 100),
    created_at timestamptz NOT NULL
);

CREATE INDEX mailbox_messages_newest ON mailbox_messages (created_at, id);
