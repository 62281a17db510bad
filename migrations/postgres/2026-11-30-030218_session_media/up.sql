-- When somebody in a session saw and heard the other side, as their browser or the provider of video told.
CREATE TABLE session_media (
  session_id uuid NOT NULL REFERENCES sessions (id),
  user_id uuid NOT NULL REFERENCES users (id),
  connection_id text NOT NULL CHECK (length(connection_id) BETWEEN 1 AND 64),
  provider text NOT NULL CHECK (provider IN ('p2p', 'livekit', 'twilio')),
  connected_at timestamptz NOT NULL,
  disconnected_at timestamptz CHECK (disconnected_at >= connected_at),
  PRIMARY KEY (session_id, user_id, connected_at, connection_id)
);
CREATE UNIQUE INDEX session_media_one_open ON session_media (session_id, user_id) WHERE disconnected_at IS NULL;
