-- A chat that becomes video, time that is bought, and what money does afterwards: earnings and disputes.
ALTER TABLE orders DROP CONSTRAINT orders_kind_check;
ALTER TABLE orders ADD CONSTRAINT orders_kind_check CHECK (kind IN ('session', 'upgrade', 'extension'));
ALTER TABLE refunds DROP CONSTRAINT refunds_reason_check;
ALTER TABLE refunds ADD CONSTRAINT refunds_reason_check CHECK (reason IN
  ('unfulfillable', 'duplicate', 'wrong_amount', 'cancelled', 'unaccepted', 'admin', 'external', 'no_show', 'no_video'));
ALTER TABLE ledger_transactions DROP CONSTRAINT ledger_transactions_kind_check;
ALTER TABLE ledger_transactions ADD CONSTRAINT ledger_transactions_kind_check CHECK (kind IN
  ('charge', 'surplus', 'refund_requested', 'refund_paid', 'refund_bounced', 'refund_released', 'earned', 'unearned',
   'dispute_opened', 'dispute_won', 'dispute_lost'));
ALTER TABLE ledger_transactions DROP CONSTRAINT ledger_transactions_check;
ALTER TABLE ledger_transactions ADD CONSTRAINT ledger_transactions_check CHECK
  (kind = 'earned'
   OR (kind IN ('refund_requested', 'refund_paid', 'refund_bounced', 'refund_released', 'unearned')) = (refund_id IS NOT NULL));
ALTER TABLE ledger_entries DROP CONSTRAINT ledger_entries_account_check;
ALTER TABLE ledger_entries ADD CONSTRAINT ledger_entries_account_check CHECK (account IN
  ('stripe_clearing', 'deferred_revenue', 'refunds_payable', 'tax_payable', 'platform_revenue', 'provider_payable',
   'disputes_held', 'dispute_losses'));

-- The charge of a kept card, from when it was made; `payment_intent` is the payment that the order keeps.
ALTER TABLE orders ADD COLUMN charge_intent text CHECK (char_length(charge_intent) BETWEEN 1 AND 255);
-- The share of the price that the platform keeps, as it was when the order was placed.
ALTER TABLE orders ADD COLUMN fee_rate_bps bigint NOT NULL DEFAULT 2000 CHECK (fee_rate_bps BETWEEN 0 AND 10000);
CREATE UNIQUE INDEX orders_by_charge ON orders (charge_intent) WHERE charge_intent IS NOT NULL;

-- What somebody was told on their own channel and has to have seen; other channels follow when they have not.
CREATE TABLE personal_notices (
  event_id uuid PRIMARY KEY,
  user_id uuid NOT NULL REFERENCES users (id),
  session_id uuid NOT NULL REFERENCES sessions (id),
  kind text NOT NULL CHECK (char_length(kind) BETWEEN 1 AND 50),
  created_at timestamptz NOT NULL,
  acknowledged_at timestamptz
);
CREATE INDEX personal_notices_by_user ON personal_notices (user_id, created_at);
CREATE INDEX personal_notices_by_session ON personal_notices (session_id);

-- What a provider has earned with a payment, from the moment the session took place.
CREATE TABLE provider_earnings (
  payment_id uuid PRIMARY KEY REFERENCES payments (id),
  session_id uuid NOT NULL REFERENCES sessions (id),
  provider_id uuid NOT NULL REFERENCES providers (id),
  -- Without tax; fee and payable add up to it.
  net_cents bigint NOT NULL CHECK (net_cents >= 0),
  fee_cents bigint NOT NULL CHECK (fee_cents >= 0),
  payable_cents bigint NOT NULL CHECK (payable_cents >= 0),
  currency text NOT NULL CHECK (currency IN ('usd', 'eur', 'gbp')),
  -- Not paid out while a dispute is open.
  frozen boolean NOT NULL DEFAULT false,
  created_at timestamptz NOT NULL,
  CHECK (fee_cents + payable_cents = net_cents)
);
CREATE INDEX provider_earnings_by_provider ON provider_earnings (provider_id, created_at);
CREATE INDEX provider_earnings_by_session ON provider_earnings (session_id);

-- Payments that a customer has taken to their bank.
CREATE TABLE disputes (
  id uuid PRIMARY KEY,
  provider_id text NOT NULL UNIQUE CHECK (char_length(provider_id) BETWEEN 1 AND 255),
  payment_id uuid NOT NULL REFERENCES payments (id),
  amount_cents bigint NOT NULL CHECK (amount_cents > 0),
  currency text NOT NULL CHECK (currency IN ('usd', 'eur', 'gbp')),
  reason text NOT NULL CHECK (char_length(reason) BETWEEN 1 AND 100),
  status text NOT NULL CHECK (status IN ('open', 'under_review', 'won', 'lost')),
  -- Whether the bank has taken the money for as long as it lasts.
  withdrawn boolean NOT NULL,
  due_at timestamptz,
  opened_at timestamptz NOT NULL,
  closed_at timestamptz,
  CHECK ((status IN ('won', 'lost')) = (closed_at IS NOT NULL))
);
CREATE INDEX disputes_by_payment ON disputes (payment_id);
CREATE INDEX disputes_open ON disputes (due_at) WHERE closed_at IS NULL;
