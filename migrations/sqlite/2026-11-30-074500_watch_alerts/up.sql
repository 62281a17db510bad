-- What needs a person's eye, once for each cause.
CREATE TABLE support_alerts (
  id BLOB PRIMARY KEY NOT NULL CHECK (length(id) = 16),
  -- The causes are not listed in a CHECK; whoever reads a row refuses a name that it does not know.
  cause TEXT NOT NULL CHECK (length(cause) BETWEEN 1 AND 50),
  -- A person, a session, a refund, a job or a dispute, as the cause says.
  object_id BLOB NOT NULL CHECK (length(object_id) = 16),
  session_id BLOB REFERENCES sessions (id),
  once_key TEXT NOT NULL UNIQUE CHECK (length(once_key) BETWEEN 1 AND 200),
  since TEXT NOT NULL,
  raised_at TEXT NOT NULL,
  ended_at TEXT,
  seen_by BLOB REFERENCES users (id),
  seen_at TEXT,
  CHECK ((seen_by IS NULL) = (seen_at IS NULL))
) STRICT;
CREATE INDEX support_alerts_lasting ON support_alerts (since) WHERE ended_at IS NULL;
CREATE INDEX support_alerts_by_object ON support_alerts (object_id);
CREATE INDEX support_alerts_by_session ON support_alerts (session_id) WHERE session_id IS NOT NULL;
