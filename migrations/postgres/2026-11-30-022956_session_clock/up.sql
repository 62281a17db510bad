-- Time that was added to sessions, and when participants were in the room.

CREATE TABLE session_extensions (
  session_id uuid NOT NULL REFERENCES sessions (id),
  number bigint NOT NULL CHECK (number >= 1),
  -- What paid for it; none when nothing was to be paid, or when the order is no longer kept.
  order_id uuid UNIQUE REFERENCES orders (id) ON DELETE SET NULL,
  minutes bigint NOT NULL CHECK (minutes BETWEEN 1 AND 480),
  price_cents bigint NOT NULL CHECK (price_cents >= 0),
  created_at timestamptz NOT NULL,
  PRIMARY KEY (session_id, number)
);

-- When the person last came into the room, and when they last left it; nothing stands in gone_at while they are there.
ALTER TABLE session_participants ADD COLUMN seen_at timestamptz;
ALTER TABLE session_participants ADD COLUMN gone_at timestamptz;
CREATE INDEX session_participants_present
  ON session_participants (session_id) WHERE seen_at IS NOT NULL AND gone_at IS NULL;
