-- What a mechanic writes down for the customer: at most one that was handed in and one that is being written.
CREATE TABLE session_summaries (
  session_id uuid NOT NULL REFERENCES sessions (id),
  state text NOT NULL CHECK (state IN ('draft', 'submitted')),
  author_id uuid NOT NULL REFERENCES users (id),
  findings text NOT NULL,
  steps_taken text NOT NULL,
  parts_needed text NOT NULL,
  next_steps text NOT NULL,
  revision bigint NOT NULL CHECK (revision >= 0),
  submitted_at timestamptz,
  updated_at timestamptz NOT NULL,
  PRIMARY KEY (session_id, state),
  CHECK ((state = 'submitted') = (submitted_at IS NOT NULL)),
  CHECK ((state = 'submitted') = (revision >= 1))
);

CREATE TABLE session_summary_photos (
  session_id uuid NOT NULL,
  state text NOT NULL,
  position bigint NOT NULL CHECK (position BETWEEN 0 AND 9),
  -- An unused upload may be swept while a draft shows it.
  file_id uuid NOT NULL REFERENCES files (id) ON DELETE CASCADE,
  PRIMARY KEY (session_id, state, position),
  FOREIGN KEY (session_id, state) REFERENCES session_summaries (session_id, state) ON DELETE CASCADE
);
CREATE INDEX session_summary_photos_by_file ON session_summary_photos (file_id);
