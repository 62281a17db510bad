-- What needs a person's eye, once for each cause.
CREATE TABLE support_alerts (
  id uuid PRIMARY KEY,
  -- The causes are not listed in a CHECK; whoever reads a row refuses a name that it does not know.
  cause text NOT NULL CHECK (length(cause) BETWEEN 1 AND 50),
  -- A person, a session, a refund, a job or a dispute, as the cause says.
  object_id uuid NOT NULL,
  session_id uuid REFERENCES sessions (id),
  once_key text NOT NULL UNIQUE CHECK (length(once_key) BETWEEN 1 AND 200),
  since timestamptz NOT NULL,
  raised_at timestamptz NOT NULL,
  ended_at timestamptz,
  seen_by uuid REFERENCES users (id),
  seen_at timestamptz,
  CHECK ((seen_by IS NULL) = (seen_at IS NULL))
);
CREATE INDEX support_alerts_lasting ON support_alerts (since) WHERE ended_at IS NULL;
CREATE INDEX support_alerts_by_object ON support_alerts (object_id);
CREATE INDEX support_alerts_by_session ON support_alerts (session_id) WHERE session_id IS NOT NULL;
