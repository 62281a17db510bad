-- The product's first documents query tables of other names and shapes. These views carry those names, so that the
-- queries printed there run as written. Nothing in Pitlane reads or writes them.

CREATE VIEW diagnostic_sessions AS
SELECT
  s.id,
  s.customer_id,
  mechanic.user_id AS mechanic_id,
  s.session_type,
  s.type,
  s.plan,
  s.status,
  (COALESCE(booked.amount_cents, 0)::numeric / 100)::numeric(10, 2) AS base_price,
  (upgrade.amount_cents::numeric / 100)::numeric(10, 2) AS upgrade_price,
  ((COALESCE(booked.amount_cents, 0) + COALESCE(upgrade.amount_cents, 0))::numeric / 100)::numeric(10, 2) AS total_price,
  COALESCE(booked.currency, 'usd') AS currency,
  s.price_book AS price_book_version,
  s.metadata,
  s.scheduled_for,
  s.created_at,
  s.updated_at,
  s.started_at,
  s.ended_at,
  s.ended_by,
  EXTRACT(EPOCH FROM (s.ended_at - s.started_at))::bigint AS duration,
  s.upgraded_at,
  booked.checkout_id AS stripe_checkout_session_id,
  booked.payment_intent AS payment_intent_id
FROM sessions s
LEFT JOIN orders booked ON booked.session_id = s.id AND booked.kind = 'session'
LEFT JOIN orders upgrade ON upgrade.session_id = s.id AND upgrade.kind = 'upgrade'
  AND upgrade.status IN ('paid', 'fulfilled', 'refunded')
LEFT JOIN session_participants mechanic
  ON mechanic.session_id = s.id AND mechanic.role = 'mechanic' AND mechanic.left_at IS NULL;

CREATE VIEW requests AS
SELECT
  id,
  session_id,
  customer_id,
  routing_type,
  preferred_provider_id AS preferred_mechanic_id,
  status,
  accepted_by AS mechanic_id,
  created_at,
  expires_at,
  closed_at
FROM session_requests;

CREATE VIEW chat_messages AS
SELECT
  id,
  session_id,
  seq,
  actor_id AS sender_id,
  body::json ->> 'text' AS content,
  created_at
FROM session_events
WHERE kind = 'message' AND body IS NOT NULL;

-- One of the documents looks mechanics up in `auth.users`. A host that has such a table of its own keeps it.
DO $$
BEGIN
  IF to_regclass('auth.users') IS NULL THEN
    CREATE SCHEMA IF NOT EXISTS auth;
    CREATE VIEW auth.users AS SELECT id, email, created_at FROM public.users;
  END IF;
EXCEPTION WHEN insufficient_privilege OR undefined_table THEN
  RAISE NOTICE 'auth.users was not created';
END $$;
