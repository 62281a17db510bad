-- What a mechanic writes down for the customer: at most one that was handed in and one that is being written.
CREATE TABLE session_summaries (
  session_id BLOB NOT NULL REFERENCES sessions (id),
  state TEXT NOT NULL CHECK (state IN ('draft', 'submitted')),
  author_id BLOB NOT NULL REFERENCES users (id),
  findings TEXT NOT NULL,
  steps_taken TEXT NOT NULL,
  parts_needed TEXT NOT NULL,
  next_steps TEXT NOT NULL,
  revision INTEGER NOT NULL CHECK (revision >= 0),
  submitted_at TEXT,
  updated_at TEXT NOT NULL,
  PRIMARY KEY (session_id, state),
  CHECK ((state = 'submitted') = (submitted_at IS NOT NULL)),
  CHECK ((state = 'submitted') = (revision >= 1))
) STRICT, WITHOUT ROWID;

CREATE TABLE session_summary_photos (
  session_id BLOB NOT NULL,
  state TEXT NOT NULL,
  position INTEGER NOT NULL CHECK (position BETWEEN 0 AND 9),
  -- An unused upload may be swept while a draft shows it.
  file_id BLOB NOT NULL REFERENCES files (id) ON DELETE CASCADE,
  PRIMARY KEY (session_id, state, position),
  FOREIGN KEY (session_id, state) REFERENCES session_summaries (session_id, state) ON DELETE CASCADE
) STRICT, WITHOUT ROWID;
CREATE INDEX session_summary_photos_by_file ON session_summary_photos (file_id);
