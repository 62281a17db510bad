-- Sessions, who takes part in them, their logs, uploaded files, and the requests that find them a mechanic.
-- No price stands here: an order points at its session, never the other way round.

CREATE TABLE sessions (
  id uuid PRIMARY KEY,
  customer_id uuid NOT NULL REFERENCES users (id),
  plan text NOT NULL CHECK (plan IN ('free', 'chat10', 'video15', 'diagnostic')),
  session_type text NOT NULL
    CHECK (session_type IN ('chat', 'video', 'diagnostic', 'upgraded_from_chat', 'mobile_visit')),
  -- What one of the seeds calls the type: an upgraded chat is a video session.
  type text GENERATED ALWAYS AS
    (CASE WHEN session_type = 'upgraded_from_chat' THEN 'video' ELSE session_type END) STORED,
  status text NOT NULL
    CHECK (status IN ('requested', 'scheduled', 'accepted', 'in_progress', 'completed', 'cancelled', 'expired')),
  end_reason text CHECK (end_reason IN
    ('customer', 'mechanic', 'time_limit', 'no_show_customer', 'no_show_mechanic', 'unaccepted', 'admin', 'payment_reversed')),
  ended_by uuid REFERENCES users (id),
  allowance_minutes bigint NOT NULL CHECK (allowance_minutes BETWEEN 1 AND 4294967295),
  intake_id uuid NOT NULL,
  price_book text NOT NULL,
  metadata jsonb NOT NULL DEFAULT '{}',
  scheduled_for timestamptz,
  created_at timestamptz NOT NULL,
  updated_at timestamptz NOT NULL,
  accepted_at timestamptz,
  started_at timestamptz,
  ended_at timestamptz,
  upgraded_at timestamptz,
  last_seq bigint NOT NULL DEFAULT 0 CHECK (last_seq >= 0),
  chain_head bytea NOT NULL CHECK (octet_length(chain_head) = 32),
  CHECK ((status IN ('completed', 'cancelled', 'expired')) = (ended_at IS NOT NULL)),
  CHECK ((ended_at IS NULL) = (end_reason IS NULL)),
  CHECK ((status IN ('in_progress', 'completed')) = (started_at IS NOT NULL)),
  CHECK (status <> 'scheduled' OR scheduled_for IS NOT NULL),
  CHECK ((session_type = 'upgraded_from_chat') = (upgraded_at IS NOT NULL))
) WITH (fillfactor = 80);
CREATE INDEX sessions_by_customer ON sessions (customer_id, created_at DESC);
CREATE INDEX sessions_by_status ON sessions (status, created_at DESC);

-- Defaults, so that a mechanic can be put into a session by hand with the three columns that the seeds name.
CREATE TABLE session_participants (
  session_id uuid NOT NULL REFERENCES sessions (id),
  user_id uuid NOT NULL REFERENCES users (id),
  role text NOT NULL CHECK (role IN ('customer', 'mechanic', 'observer')),
  joined_at timestamptz NOT NULL DEFAULT now(),
  left_at timestamptz,
  last_read_seq bigint NOT NULL DEFAULT 0 CHECK (last_read_seq >= 0),
  PRIMARY KEY (session_id, user_id)
);
CREATE INDEX session_participants_by_user ON session_participants (user_id, session_id);
CREATE UNIQUE INDEX session_participants_one_customer ON session_participants (session_id) WHERE role = 'customer';
CREATE UNIQUE INDEX session_participants_one_mechanic
  ON session_participants (session_id) WHERE role = 'mechanic' AND left_at IS NULL;

CREATE TABLE session_events (
  session_id uuid NOT NULL REFERENCES sessions (id),
  seq bigint NOT NULL CHECK (seq >= 1),
  id uuid NOT NULL,
  kind text NOT NULL CHECK (kind IN
    ('message', 'joined', 'left', 'started', 'ended', 'session_upgraded', 'upgrade_suggested', 'file', 'summary',
     'reaction', 'time_warning', 'extended', 'payment', 'observer_joined')),
  actor_id uuid REFERENCES users (id),
  actor_role text NOT NULL CHECK (actor_role IN ('customer', 'mechanic', 'observer', 'admin', 'system')),
  client_ref text,
  -- The exact text that the commitment covers, so not jsonb, which reorders keys.
  body text,
  salt bytea CHECK (octet_length(salt) = 16),
  commitment bytea NOT NULL CHECK (octet_length(commitment) = 32),
  chain_hash bytea NOT NULL CHECK (octet_length(chain_hash) = 32),
  created_at timestamptz NOT NULL,
  PRIMARY KEY (session_id, seq),
  CHECK ((body IS NULL) = (salt IS NULL)),
  CHECK ((actor_id IS NULL) = (actor_role = 'system')),
  CHECK (client_ref IS NULL OR (kind = 'message' AND actor_id IS NOT NULL AND char_length(client_ref) BETWEEN 1 AND 64))
);
CREATE UNIQUE INDEX session_events_by_client_ref
  ON session_events (session_id, actor_id, client_ref) WHERE client_ref IS NOT NULL;

CREATE TABLE files (
  id uuid PRIMARY KEY,
  owner_id uuid NOT NULL REFERENCES users (id),
  session_id uuid REFERENCES sessions (id),
  name text NOT NULL CHECK (char_length(name) BETWEEN 1 AND 255),
  content_type text NOT NULL,
  size_bytes bigint NOT NULL CHECK (size_bytes >= 0),
  sha256 bytea NOT NULL CHECK (octet_length(sha256) = 32),
  storage_key text NOT NULL UNIQUE,
  created_at timestamptz NOT NULL,
  attached_at timestamptz,
  -- When an unused upload is swept; none once it is in use.
  expires_at timestamptz,
  CHECK (session_id IS NULL OR attached_at IS NOT NULL),
  CHECK ((attached_at IS NULL) = (expires_at IS NOT NULL))
);
CREATE INDEX files_by_owner ON files (owner_id, created_at);
CREATE INDEX files_by_session ON files (session_id, created_at) WHERE session_id IS NOT NULL;
CREATE INDEX files_unused ON files (expires_at) WHERE expires_at IS NOT NULL;

CREATE TABLE session_requests (
  id uuid PRIMARY KEY,
  session_id uuid NOT NULL UNIQUE REFERENCES sessions (id),
  customer_id uuid NOT NULL REFERENCES users (id),
  routing_type text NOT NULL CHECK (routing_type IN ('broadcast', 'priority_broadcast')),
  preferred_provider_id uuid,
  status text NOT NULL CHECK (status IN ('open', 'accepted', 'withdrawn', 'expired')),
  accepted_by uuid REFERENCES users (id),
  created_at timestamptz NOT NULL,
  expires_at timestamptz NOT NULL,
  closed_at timestamptz,
  CHECK ((status = 'accepted') = (accepted_by IS NOT NULL)),
  CHECK ((status = 'open') = (closed_at IS NULL))
);
CREATE INDEX session_requests_open ON session_requests (created_at) WHERE status = 'open';

CREATE TABLE request_offers (
  request_id uuid NOT NULL REFERENCES session_requests (id),
  mechanic_id uuid NOT NULL REFERENCES users (id),
  status text NOT NULL CHECK (status IN ('offered', 'declined', 'accepted', 'withdrawn')),
  offered_at timestamptz NOT NULL,
  answered_at timestamptz,
  PRIMARY KEY (request_id, mechanic_id),
  CHECK ((status = 'offered') = (answered_at IS NULL))
);
CREATE INDEX request_offers_by_mechanic ON request_offers (mechanic_id, status);
CREATE UNIQUE INDEX request_offers_one_accept ON request_offers (request_id) WHERE status = 'accepted';
