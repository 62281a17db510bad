-- Sessions, who takes part in them, their logs, uploaded files, and the requests that find them a mechanic.
-- No price stands here: an order points at its session, never the other way round.

CREATE TABLE sessions (
  id BLOB PRIMARY KEY NOT NULL,
  customer_id BLOB NOT NULL REFERENCES users (id),
  plan TEXT NOT NULL CHECK (plan IN ('free', 'chat10', 'video15', 'diagnostic')),
  session_type TEXT NOT NULL
    CHECK (session_type IN ('chat', 'video', 'diagnostic', 'upgraded_from_chat', 'mobile_visit')),
  -- What one of the seeds calls the type: an upgraded chat is a video session.
  type TEXT GENERATED ALWAYS AS
    (CASE WHEN session_type = 'upgraded_from_chat' THEN 'video' ELSE session_type END) STORED,
  status TEXT NOT NULL
    CHECK (status IN ('requested', 'scheduled', 'accepted', 'in_progress', 'completed', 'cancelled', 'expired')),
  end_reason TEXT CHECK (end_reason IN
    ('customer', 'mechanic', 'time_limit', 'no_show_customer', 'no_show_mechanic', 'unaccepted', 'admin', 'payment_reversed')),
  ended_by BLOB REFERENCES users (id),
  allowance_minutes INTEGER NOT NULL CHECK (allowance_minutes BETWEEN 1 AND 4294967295),
  intake_id BLOB NOT NULL,
  price_book TEXT NOT NULL,
  metadata TEXT NOT NULL DEFAULT '{}',
  scheduled_for TEXT,
  created_at TEXT NOT NULL,
  updated_at TEXT NOT NULL,
  accepted_at TEXT,
  started_at TEXT,
  ended_at TEXT,
  upgraded_at TEXT,
  last_seq INTEGER NOT NULL DEFAULT 0 CHECK (last_seq >= 0),
  chain_head BLOB NOT NULL CHECK (length(chain_head) = 32),
  CHECK ((status IN ('completed', 'cancelled', 'expired')) = (ended_at IS NOT NULL)),
  CHECK ((ended_at IS NULL) = (end_reason IS NULL)),
  CHECK ((status IN ('in_progress', 'completed')) = (started_at IS NOT NULL)),
  CHECK (status <> 'scheduled' OR scheduled_for IS NOT NULL),
  CHECK ((session_type = 'upgraded_from_chat') = (upgraded_at IS NOT NULL))
) STRICT;
CREATE INDEX sessions_by_customer ON sessions (customer_id, created_at DESC);
CREATE INDEX sessions_by_status ON sessions (status, created_at DESC);

-- Defaults, so that a mechanic can be put into a session by hand with the three columns that the seeds name.
CREATE TABLE session_participants (
  session_id BLOB NOT NULL REFERENCES sessions (id),
  user_id BLOB NOT NULL REFERENCES users (id),
  role TEXT NOT NULL CHECK (role IN ('customer', 'mechanic', 'observer')),
  joined_at TEXT NOT NULL DEFAULT (strftime('%Y-%m-%dT%H:%M:%f000Z', 'now')),
  left_at TEXT,
  last_read_seq INTEGER NOT NULL DEFAULT 0 CHECK (last_read_seq >= 0),
  PRIMARY KEY (session_id, user_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX session_participants_by_user ON session_participants (user_id, session_id);
CREATE UNIQUE INDEX session_participants_one_customer ON session_participants (session_id) WHERE role = 'customer';
CREATE UNIQUE INDEX session_participants_one_mechanic
  ON session_participants (session_id) WHERE role = 'mechanic' AND left_at IS NULL;

CREATE TABLE session_events (
  session_id BLOB NOT NULL REFERENCES sessions (id),
  seq INTEGER NOT NULL CHECK (seq >= 1),
  id BLOB NOT NULL,
  kind TEXT NOT NULL CHECK (kind IN
    ('message', 'joined', 'left', 'started', 'ended', 'session_upgraded', 'upgrade_suggested', 'file', 'summary',
     'reaction', 'time_warning', 'extended', 'payment', 'observer_joined')),
  actor_id BLOB REFERENCES users (id),
  actor_role TEXT NOT NULL CHECK (actor_role IN ('customer', 'mechanic', 'observer', 'admin', 'system')),
  client_ref TEXT,
  -- The exact text that the commitment covers, so not json, which reorders keys.
  body TEXT,
  salt BLOB CHECK (length(salt) = 16),
  commitment BLOB NOT NULL CHECK (length(commitment) = 32),
  chain_hash BLOB NOT NULL CHECK (length(chain_hash) = 32),
  created_at TEXT NOT NULL,
  PRIMARY KEY (session_id, seq),
  CHECK ((body IS NULL) = (salt IS NULL)),
  CHECK ((actor_id IS NULL) = (actor_role = 'system')),
  CHECK (client_ref IS NULL OR (kind = 'message' AND actor_id IS NOT NULL AND length(client_ref) BETWEEN 1 AND 64))
) STRICT, WITHOUT ROWID;
CREATE UNIQUE INDEX session_events_by_client_ref
  ON session_events (session_id, actor_id, client_ref) WHERE client_ref IS NOT NULL;

CREATE TABLE files (
  id BLOB PRIMARY KEY NOT NULL,
  owner_id BLOB NOT NULL REFERENCES users (id),
  session_id BLOB REFERENCES sessions (id),
  name TEXT NOT NULL CHECK (length(name) BETWEEN 1 AND 255),
  content_type TEXT NOT NULL,
  size_bytes INTEGER NOT NULL CHECK (size_bytes >= 0),
  sha256 BLOB NOT NULL CHECK (length(sha256) = 32),
  storage_key TEXT NOT NULL UNIQUE,
  created_at TEXT NOT NULL,
  attached_at TEXT,
  -- When an unused upload is swept; none once it is in use.
  expires_at TEXT,
  CHECK (session_id IS NULL OR attached_at IS NOT NULL),
  CHECK ((attached_at IS NULL) = (expires_at IS NOT NULL))
) STRICT;
CREATE INDEX files_by_owner ON files (owner_id, created_at);
CREATE INDEX files_by_session ON files (session_id, created_at) WHERE session_id IS NOT NULL;
CREATE INDEX files_unused ON files (expires_at) WHERE expires_at IS NOT NULL;

CREATE TABLE session_requests (
  id BLOB PRIMARY KEY NOT NULL,
  session_id BLOB NOT NULL UNIQUE REFERENCES sessions (id),
  customer_id BLOB NOT NULL REFERENCES users (id),
  routing_type TEXT NOT NULL CHECK (routing_type IN ('broadcast', 'priority_broadcast')),
  preferred_provider_id BLOB,
  status TEXT NOT NULL CHECK (status IN ('open', 'accepted', 'withdrawn', 'expired')),
  accepted_by BLOB REFERENCES users (id),
  created_at TEXT NOT NULL,
  expires_at TEXT NOT NULL,
  closed_at TEXT,
  CHECK ((status = 'accepted') = (accepted_by IS NOT NULL)),
  CHECK ((status = 'open') = (closed_at IS NULL))
) STRICT;
CREATE INDEX session_requests_open ON session_requests (created_at) WHERE status = 'open';

CREATE TABLE request_offers (
  request_id BLOB NOT NULL REFERENCES session_requests (id),
  mechanic_id BLOB NOT NULL REFERENCES users (id),
  status TEXT NOT NULL CHECK (status IN ('offered', 'declined', 'accepted', 'withdrawn')),
  offered_at TEXT NOT NULL,
  answered_at TEXT,
  PRIMARY KEY (request_id, mechanic_id),
  CHECK ((status = 'offered') = (answered_at IS NULL))
) STRICT, WITHOUT ROWID;
CREATE INDEX request_offers_by_mechanic ON request_offers (mechanic_id, status);
CREATE UNIQUE INDEX request_offers_one_accept ON request_offers (request_id) WHERE status = 'accepted';
