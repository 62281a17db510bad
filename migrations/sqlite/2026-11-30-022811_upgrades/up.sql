-- A chat that becomes video, time that is bought, and what money does afterwards: earnings and disputes.
--
-- SQLite can't alter a CHECK. Where only the set of allowed names grows, its documentation allows the text of the
-- schema to be replaced: what is stored satisfies the wider rule as well.
PRAGMA writable_schema = ON;
UPDATE sqlite_schema SET sql = replace(sql, 'kind IN (''session'', ''upgrade'')', 'kind IN (''session'', ''upgrade'', ''extension'')')
  WHERE type = 'table' AND name = 'orders';
UPDATE sqlite_schema SET sql = replace(sql, '''admin'', ''external'')', '''admin'', ''external'', ''no_show'', ''no_video'')')
  WHERE type = 'table' AND name = 'refunds';
UPDATE sqlite_schema SET sql = replace(sql, '''refund_bounced'', ''refund_released'')',
    '''refund_bounced'', ''refund_released'', ''earned'', ''unearned'', ''dispute_opened'', ''dispute_won'', ''dispute_lost'')')
  WHERE type = 'table' AND name = 'ledger_transactions';
UPDATE sqlite_schema SET sql = replace(sql, 'CHECK ((kind IN (''charge'', ''surplus'')) = (refund_id IS NULL))',
    'CHECK (kind = ''earned'' OR (kind IN (''refund_requested'', ''refund_paid'', ''refund_bounced'', ''refund_released'', ''unearned'')) = (refund_id IS NOT NULL))')
  WHERE type = 'table' AND name = 'ledger_transactions';
UPDATE sqlite_schema SET sql = replace(sql, '''refunds_payable'', ''tax_payable'')',
    '''refunds_payable'', ''tax_payable'', ''platform_revenue'', ''provider_payable'', ''disputes_held'', ''dispute_losses'')')
  WHERE type = 'table' AND name = 'ledger_entries';
PRAGMA writable_schema = RESET;

-- The charge of a kept card, from when it was made; `payment_intent` is the payment that the order keeps.
ALTER TABLE orders ADD COLUMN charge_intent TEXT CHECK (length(charge_intent) BETWEEN 1 AND 255);
-- The share of the price that the platform keeps, as it was when the order was placed.
ALTER TABLE orders ADD COLUMN fee_rate_bps INTEGER NOT NULL DEFAULT 2000 CHECK (fee_rate_bps BETWEEN 0 AND 10000);
CREATE UNIQUE INDEX orders_by_charge ON orders (charge_intent) WHERE charge_intent IS NOT NULL;

-- What somebody was told on their own channel and has to have seen; other channels follow when they have not.
CREATE TABLE personal_notices (
  event_id BLOB PRIMARY KEY CHECK (length(event_id) = 16),
  user_id BLOB NOT NULL REFERENCES users (id),
  session_id BLOB NOT NULL REFERENCES sessions (id),
  kind TEXT NOT NULL CHECK (length(kind) BETWEEN 1 AND 50),
  created_at TEXT NOT NULL,
  acknowledged_at TEXT
) STRICT;
CREATE INDEX personal_notices_by_user ON personal_notices (user_id, created_at);
CREATE INDEX personal_notices_by_session ON personal_notices (session_id);

-- What a provider has earned with a payment, from the moment the session took place.
CREATE TABLE provider_earnings (
  payment_id BLOB PRIMARY KEY NOT NULL REFERENCES payments (id),
  session_id BLOB NOT NULL REFERENCES sessions (id),
  provider_id BLOB NOT NULL REFERENCES providers (id),
  -- Without tax; fee and payable add up to it.
  net_cents INTEGER NOT NULL CHECK (net_cents >= 0),
  fee_cents INTEGER NOT NULL CHECK (fee_cents >= 0),
  payable_cents INTEGER NOT NULL CHECK (payable_cents >= 0),
  currency TEXT NOT NULL CHECK (currency IN ('usd', 'eur', 'gbp')),
  -- Not paid out while a dispute is open.
  frozen INTEGER NOT NULL DEFAULT 0 CHECK (frozen IN (0, 1)),
  created_at TEXT NOT NULL,
  CHECK (fee_cents + payable_cents = net_cents)
) STRICT;
CREATE INDEX provider_earnings_by_provider ON provider_earnings (provider_id, created_at);
CREATE INDEX provider_earnings_by_session ON provider_earnings (session_id);

-- Payments that a customer has taken to their bank.
CREATE TABLE disputes (
  id BLOB PRIMARY KEY NOT NULL CHECK (length(id) = 16),
  provider_id TEXT NOT NULL UNIQUE CHECK (length(provider_id) BETWEEN 1 AND 255),
  payment_id BLOB NOT NULL REFERENCES payments (id),
  amount_cents INTEGER NOT NULL CHECK (amount_cents > 0),
  currency TEXT NOT NULL CHECK (currency IN ('usd', 'eur', 'gbp')),
  reason TEXT NOT NULL CHECK (length(reason) BETWEEN 1 AND 100),
  status TEXT NOT NULL CHECK (status IN ('open', 'under_review', 'won', 'lost')),
  -- Whether the bank has taken the money for as long as it lasts.
  withdrawn INTEGER NOT NULL CHECK (withdrawn IN (0, 1)),
  due_at TEXT,
  opened_at TEXT NOT NULL,
  closed_at TEXT,
  CHECK ((status IN ('won', 'lost')) = (closed_at IS NOT NULL))
) STRICT;
CREATE INDEX disputes_by_payment ON disputes (payment_id);
CREATE INDEX disputes_open ON disputes (due_at) WHERE closed_at IS NULL;
