-- Money: what was agreed, what arrived, what went back, and the ledger.

-- Who a customer is at the payment provider.
CREATE TABLE stripe_customers (
  user_id uuid PRIMARY KEY REFERENCES users (id),
  reference text NOT NULL UNIQUE CHECK (char_length(reference) BETWEEN 1 AND 255),
  created_at timestamptz NOT NULL
);

CREATE TABLE orders (
  id uuid PRIMARY KEY,
  customer_id uuid NOT NULL REFERENCES users (id),
  intake_id uuid NOT NULL REFERENCES intakes (id),
  kind text NOT NULL CHECK (kind IN ('session', 'upgrade')),
  -- Orders that offer the same thing share a quote.
  quote text NOT NULL CHECK (char_length(quote) BETWEEN 1 AND 100),
  plan text NOT NULL CHECK (plan IN ('free', 'chat10', 'video15', 'diagnostic')),
  price_book text NOT NULL CHECK (char_length(price_book) BETWEEN 1 AND 50),
  multiplier_bps bigint NOT NULL CHECK (multiplier_bps BETWEEN 1 AND 4294967295),
  amount_cents bigint NOT NULL CHECK (amount_cents >= 0),
  currency text NOT NULL CHECK (currency IN ('usd', 'eur', 'gbp')),
  tax_rate_bps bigint NOT NULL CHECK (tax_rate_bps BETWEEN 0 AND 10000),
  idempotency_key text NOT NULL UNIQUE CHECK (char_length(idempotency_key) BETWEEN 1 AND 255),
  status text NOT NULL
    CHECK (status IN ('open', 'processing', 'paid', 'fulfilled', 'expired', 'failed', 'refunded')),
  checkout_id text UNIQUE,
  checkout_url text,
  payment_intent text UNIQUE,
  session_id uuid REFERENCES sessions (id),
  created_at timestamptz NOT NULL,
  expires_at timestamptz NOT NULL,
  paid_at timestamptz,
  fulfilled_at timestamptz,
  closed_at timestamptz,
  CHECK (expires_at >= created_at),
  CHECK ((plan = 'free') = (amount_cents = 0)),
  CHECK ((status IN ('paid', 'fulfilled', 'refunded')) = (paid_at IS NOT NULL)),
  CHECK ((status IN ('expired', 'failed', 'refunded')) = (closed_at IS NOT NULL)),
  CHECK (kind <> 'session' OR (session_id IS NOT NULL) = (fulfilled_at IS NOT NULL)),
  CHECK (kind <> 'session' OR (session_id IS NULL) OR status IN ('fulfilled', 'refunded')),
  CHECK (status <> 'fulfilled' OR session_id IS NOT NULL),
  CHECK (payment_intent IS NULL OR paid_at IS NOT NULL)
);
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
  id uuid PRIMARY KEY,
  order_id uuid NOT NULL REFERENCES orders (id),
  payment_intent text NOT NULL UNIQUE,
  amount_cents bigint NOT NULL CHECK (amount_cents > 0),
  currency text NOT NULL CHECK (currency IN ('usd', 'eur', 'gbp')),
  -- Money that buys nothing and goes back.
  surplus boolean NOT NULL,
  -- Refunds that are done or on their way.
  asked_back_cents bigint NOT NULL CHECK (asked_back_cents BETWEEN 0 AND amount_cents),
  created_at timestamptz NOT NULL
);
CREATE UNIQUE INDEX payments_one_kept_per_order ON payments (order_id) WHERE NOT surplus;
CREATE INDEX payments_by_order ON payments (order_id, created_at);

CREATE TABLE refunds (
  id uuid PRIMARY KEY,
  payment_id uuid NOT NULL REFERENCES payments (id),
  order_id uuid NOT NULL REFERENCES orders (id),
  amount_cents bigint NOT NULL CHECK (amount_cents > 0),
  currency text NOT NULL CHECK (currency IN ('usd', 'eur', 'gbp')),
  reason text NOT NULL CHECK (reason IN
    ('unfulfillable', 'duplicate', 'wrong_amount', 'cancelled', 'unaccepted', 'admin', 'external')),
  idempotency_key text NOT NULL UNIQUE CHECK (char_length(idempotency_key) BETWEEN 1 AND 255),
  status text NOT NULL CHECK (status IN ('pending', 'unknown', 'succeeded', 'failed')),
  provider_id text UNIQUE,
  created_at timestamptz NOT NULL,
  closed_at timestamptz,
  CHECK ((status IN ('succeeded', 'failed')) = (closed_at IS NOT NULL)),
  CHECK (status <> 'succeeded' OR provider_id IS NOT NULL)
);
CREATE INDEX refunds_by_payment ON refunds (payment_id, created_at);
CREATE INDEX refunds_by_order ON refunds (order_id, created_at);
CREATE INDEX refunds_unresolved ON refunds (created_at) WHERE status IN ('pending', 'unknown');

-- The inbox: what the payment provider told, each event once.
CREATE TABLE webhook_events (
  id text PRIMARY KEY CHECK (char_length(id) BETWEEN 1 AND 255),
  kind text NOT NULL,
  created_at timestamptz NOT NULL,
  received_at timestamptz NOT NULL,
  body text NOT NULL,
  outcome text NOT NULL CHECK (outcome IN
    ('ignored', 'unmatched', 'replayed', 'recorded', 'fulfilled', 'refunding')),
  -- When the provider's own list was last compared with the inbox up to here.
  compared_at timestamptz
);
CREATE INDEX webhook_events_compared ON webhook_events (created_at) WHERE compared_at IS NOT NULL;

CREATE TABLE ledger_transactions (
  id uuid PRIMARY KEY,
  kind text NOT NULL CHECK (kind IN
    ('charge', 'surplus', 'refund_requested', 'refund_paid', 'refund_bounced', 'refund_released')),
  -- What happened to what: nothing is recorded twice.
  reference text NOT NULL UNIQUE,
  order_id uuid NOT NULL REFERENCES orders (id),
  payment_id uuid NOT NULL REFERENCES payments (id),
  refund_id uuid REFERENCES refunds (id),
  created_at timestamptz NOT NULL,
  CHECK ((kind IN ('charge', 'surplus')) = (refund_id IS NULL))
);
CREATE INDEX ledger_transactions_by_order ON ledger_transactions (order_id, created_at);

-- Debits are positive, credits negative; the lines of a transaction sum to zero.
CREATE TABLE ledger_entries (
  transaction_id uuid NOT NULL REFERENCES ledger_transactions (id),
  line bigint NOT NULL CHECK (line BETWEEN 1 AND 100),
  account text NOT NULL CHECK (account IN
    ('stripe_clearing', 'deferred_revenue', 'refunds_payable', 'tax_payable')),
  amount_cents bigint NOT NULL CHECK (amount_cents <> 0),
  currency text NOT NULL CHECK (currency IN ('usd', 'eur', 'gbp')),
  PRIMARY KEY (transaction_id, line)
);
CREATE INDEX ledger_entries_by_account ON ledger_entries (account, currency);

-- The ledger is only ever appended to.
CREATE FUNCTION ledger_is_append_only() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  RAISE EXCEPTION 'the ledger is only ever appended to' USING ERRCODE = 'check_violation';
END $$;
CREATE TRIGGER ledger_transactions_append_only BEFORE UPDATE OR DELETE ON ledger_transactions
  FOR EACH ROW EXECUTE FUNCTION ledger_is_append_only();
CREATE TRIGGER ledger_entries_append_only BEFORE UPDATE OR DELETE ON ledger_entries
  FOR EACH ROW EXECUTE FUNCTION ledger_is_append_only();
