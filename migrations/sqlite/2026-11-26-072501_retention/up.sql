-- What is kept no longer than its time.

-- When what people wrote and sent in a session was deleted; the summary and the money stay.
ALTER TABLE sessions ADD COLUMN content_dropped_at TEXT;
CREATE INDEX sessions_with_content ON sessions (ended_at) WHERE content_dropped_at IS NULL AND ended_at IS NOT NULL;
CREATE INDEX intakes_with_content ON intakes (created_at) WHERE concern <> '(erased)';
CREATE INDEX orders_by_age ON orders (created_at);

-- The ledger is only ever appended to, until the law no longer asks for it: what is older than this row says may go.
CREATE TABLE ledger_retention (
  id INTEGER PRIMARY KEY CHECK (id = 1),
  removable_before TEXT NOT NULL
) STRICT;
DROP TRIGGER ledger_transactions_no_delete;
CREATE TRIGGER ledger_transactions_no_delete BEFORE DELETE ON ledger_transactions
WHEN OLD.created_at >= COALESCE((SELECT removable_before FROM ledger_retention), '')
BEGIN SELECT RAISE(ABORT, 'the ledger is only ever appended to'); END;
DROP TRIGGER ledger_entries_no_delete;
CREATE TRIGGER ledger_entries_no_delete BEFORE DELETE ON ledger_entries
WHEN (SELECT created_at FROM ledger_transactions WHERE id = OLD.transaction_id)
  >= COALESCE((SELECT removable_before FROM ledger_retention), '')
BEGIN SELECT RAISE(ABORT, 'the ledger is only ever appended to'); END;
