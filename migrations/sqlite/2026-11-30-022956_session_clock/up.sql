-- Time that was added to sessions, and when participants were in the room.

CREATE TABLE session_extensions (
  session_id BLOB NOT NULL REFERENCES sessions (id),
  number INTEGER NOT NULL CHECK (number >= 1),
  -- What paid for it; none when nothing was to be paid, or when the order is no longer kept.
  order_id BLOB UNIQUE REFERENCES orders (id) ON DELETE SET NULL,
  minutes INTEGER NOT NULL CHECK (minutes BETWEEN 1 AND 480),
  price_cents INTEGER NOT NULL CHECK (price_cents >= 0),
  created_at TEXT NOT NULL,
  PRIMARY KEY (session_id, number)
) STRICT, WITHOUT ROWID;

-- When the person last came into the room, and when they last left it; nothing stands in gone_at while they are there.
ALTER TABLE session_participants ADD COLUMN seen_at TEXT;
ALTER TABLE session_participants ADD COLUMN gone_at TEXT;
CREATE INDEX session_participants_present
  ON session_participants (session_id) WHERE seen_at IS NOT NULL AND gone_at IS NULL;
