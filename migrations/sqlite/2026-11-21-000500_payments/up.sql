-- Money: what was agreed, what arrived, what went back, and the ledger.

-- Who a customer is at the payment provider.
CREATE TABLE stripe_customers (
  user_id BLOB PRIMARY KEY NOT NULL REFERENCES users (id),
  reference TEXT NOT NULL UNIQUE CHECK (length(reference) BETWEEN 1 AND 255),
  created_at TEXT NOT NULL
) STRICT;

CREATE TABLE orders (
  id BLOB PRIMARY KEY NOT NULL,
  customer_id BLOB NOT NULL REFERENCES users (id),
  intake_id BLOB NOT NULL REFERENCES intakes (id),
  kind TEXT NOT NULL CHECK (kind IN ('session', 'upgrade')),
  -- Orders that offer the same thing share a quote.
  quote TEXT NOT NULL CHECK (length(quote) BETWEEN 1 AND 100),
  plan TEXT NOT NULL CHECK (plan IN ('free', 'chat10', 'video15', 'diagnostic')),
  price_book TEXT NOT NULL CHECK (length(price_book) BETWEEN 1 AND 50),
  multiplier_bps INTEGER NOT NULL CHECK (multiplier_bps BETWEEN 1 AND 4294967295),
  amount_cents INTEGER NOT NULL CHECK (amount_cents >= 0),
  currency TEXT NOT NULL CHECK (currency IN ('usd', 'eur', 'gbp')),
  tax_rate_bps INTEGER NOT NULL CHECK (tax_rate_bps BETWEEN 0 AND 10000),
  idempotency_key TEXT NOT NULL UNIQUE CHECK (length(idempotency_key) BETWEEN 1 AND 255),
  status TEXT NOT NULL
    CHECK (status IN ('open', 'processing', 'paid', 'fulfilled', 'expired', 'failed', 'refunded')),
  checkout_id TEXT UNIQUE,
  checkout_url TEXT,
  payment_intent TEXT UNIQUE,
  session_id BLOB REFERENCES sessions (id),
  created_at TEXT NOT NULL,
  expires_at TEXT NOT NULL,
  paid_at TEXT,
  fulfilled_at TEXT,
  closed_at TEXT,
  CHECK (expires_at >= created_at),
  CHECK ((plan = 'free') = (amount_cents = 0)),
  CHECK ((status IN ('paid', 'fulfilled', 'refunded')) = (paid_at IS NOT NULL)),
  CHECK ((status IN ('expired', 'failed', 'refunded')) = (closed_at IS NOT NULL)),
  CHECK (kind <> 'session' OR (session_id IS NOT NULL) = (fulfilled_at IS NOT NULL)),
  CHECK (kind <> 'session' OR (session_id IS NULL) OR status IN ('fulfilled', 'refunded')),
  CHECK (status <> 'fulfilled' OR session_id IS NOT NULL),
  CHECK (payment_intent IS NULL OR paid_at IS NOT NULL)
) STRICT;
-- One live order a quote, so that one quote is never paid for twice by the ordinary way.
CREATE UNIQUE INDEX orders_one_live_per_quote
  ON orders (quote) WHERE status IN ('open', 'processing', 'paid', 'fulfilled');
-- The free plan once per customer.
CREATE UNIQUE INDEX orders_one_free_per_customer
  ON orders (customer_id) WHERE plan = 'free' AND status IN ('open', 'processing', 'paid', 'fulfilled');
CREATE UNIQUE INDEX orders_one_per_session ON orders (session_id) WHERE kind = 'session';
CREATE INDEX orders_by_quote ON orders (quote);
CREATE INDEX orders_by_customer ON orders (customer_id, created_at DESC);
CREATE INDEX orders_by_session ON orders (session_id);
CREATE INDEX orders_unresolved ON orders (created_at) WHERE status IN ('open', 'processing', 'paid');

CREATE TABLE payments (
  id BLOB PRIMARY KEY NOT NULL,
  order_id BLOB NOT NULL REFERENCES orders (id),
  payment_intent TEXT NOT NULL UNIQUE,
  amount_cents INTEGER NOT NULL CHECK (amount_cents > 0),
  currency TEXT NOT NULL CHECK (currency IN ('usd', 'eur', 'gbp')),
  -- Money that buys nothing and goes back.
  surplus INTEGER NOT NULL CHECK (surplus IN (0, 1)),
  -- Refunds that are done or on their way.
  asked_back_cents INTEGER NOT NULL CHECK (asked_back_cents BETWEEN 0 AND amount_cents),
  created_at TEXT NOT NULL
) STRICT;
CREATE UNIQUE INDEX payments_one_kept_per_order ON payments (order_id) WHERE surplus = 0;
CREATE INDEX payments_by_order ON payments (order_id, created_at);

CREATE TABLE refunds (
  id BLOB PRIMARY KEY NOT NULL,
  payment_id BLOB NOT NULL REFERENCES payments (id),
  order_id BLOB NOT NULL REFERENCES orders (id),
  amount_cents INTEGER NOT NULL CHECK (amount_cents > 0),
  currency TEXT NOT NULL CHECK (currency IN ('usd', 'eur', 'gbp')),
  reason TEXT NOT NULL CHECK (reason IN
    ('unfulfillable', 'duplicate', 'wrong_amount', 'cancelled', 'unaccepted', 'admin', 'external')),
  idempotency_key TEXT NOT NULL UNIQUE CHECK (length(idempotency_key) BETWEEN 1 AND 255),
  status TEXT NOT NULL CHECK (status IN ('pending', 'unknown', 'succeeded', 'failed')),
  provider_id TEXT UNIQUE,
  created_at TEXT NOT NULL,
  closed_at TEXT,
  CHECK ((status IN ('succeeded', 'failed')) = (closed_at IS NOT NULL)),
  CHECK (status <> 'succeeded' OR provider_id IS NOT NULL)
) STRICT;
CREATE INDEX refunds_by_payment ON refunds (payment_id, created_at);
CREATE INDEX refunds_by_order ON refunds (order_id, created_at);
CREATE INDEX refunds_unresolved ON refunds (created_at) WHERE status IN ('pending', 'unknown');

-- The inbox: what the payment provider told, each event once.
CREATE TABLE webhook_events (
  id TEXT PRIMARY KEY NOT NULL CHECK (length(id) BETWEEN 1 AND 255),
  kind TEXT NOT NULL,
  created_at TEXT NOT NULL,
  received_at TEXT NOT NULL,
  body TEXT NOT NULL,
  outcome TEXT NOT NULL CHECK (outcome IN
    ('ignored', 'unmatched', 'replayed', 'recorded', 'fulfilled', 'refunding')),
  -- When the provider's own list was last compared with the inbox up to here.
  compared_at TEXT
) STRICT;
CREATE INDEX webhook_events_compared ON webhook_events (created_at) WHERE compared_at IS NOT NULL;

CREATE TABLE ledger_transactions (
  id BLOB PRIMARY KEY NOT NULL,
  kind TEXT NOT NULL CHECK (kind IN
    ('charge', 'surplus', 'refund_requested', 'refund_paid', 'refund_bounced', 'refund_released')),
  -- What happened to what: nothing is recorded twice.
  reference TEXT NOT NULL UNIQUE,
  order_id BLOB NOT NULL REFERENCES orders (id),
  payment_id BLOB NOT NULL REFERENCES payments (id),
  refund_id BLOB REFERENCES refunds (id),
  created_at TEXT NOT NULL,
  CHECK ((kind IN ('charge', 'surplus')) = (refund_id IS NULL))
) STRICT;
CREATE INDEX ledger_transactions_by_order ON ledger_transactions (order_id, created_at);

-- Debits are positive, credits negative; the lines of a transaction sum to zero.
CREATE TABLE ledger_entries (
  transaction_id BLOB NOT NULL REFERENCES ledger_transactions (id),
  line INTEGER NOT NULL CHECK (line BETWEEN 1 AND 100),
  account TEXT NOT NULL CHECK (account IN
    ('stripe_clearing', 'deferred_revenue', 'refunds_payable', 'tax_payable')),
  amount_cents INTEGER NOT NULL CHECK (amount_cents <> 0),
  currency TEXT NOT NULL CHECK (currency IN ('usd', 'eur', 'gbp')),
  PRIMARY KEY (transaction_id, line)
) STRICT;
CREATE INDEX ledger_entries_by_account ON ledger_entries (account, currency);

-- The ledger is only ever appended to.
CREATE TRIGGER ledger_transactions_no_update BEFORE UPDATE ON ledger_transactions
BEGIN SELECT RAISE(ABORT, 'the ledger is only ever appended to'); END;
CREATE TRIGGER ledger_transactions_no_delete BEFORE DELETE ON ledger_transactions
BEGIN SELECT RAISE(ABORT, 'the ledger is only ever appended to'); END;
CREATE TRIGGER ledger_entries_no_update BEFORE UPDATE ON ledger_entries
BEGIN SELECT RAISE(ABORT, 'the ledger is only ever appended to'); END;
CREATE TRIGGER ledger_entries_no_delete BEFORE DELETE ON ledger_entries
BEGIN SELECT RAISE(ABORT, 'the ledger is only ever appended to'); END;
