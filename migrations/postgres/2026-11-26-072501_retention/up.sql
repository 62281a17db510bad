-- What is kept no longer than its time.

-- When what people wrote and sent in a session was deleted; the summary and the money stay.
ALTER TABLE sessions ADD COLUMN content_dropped_at timestamptz;
CREATE INDEX sessions_with_content ON sessions (ended_at) WHERE content_dropped_at IS NULL AND ended_at IS NOT NULL;
CREATE INDEX intakes_with_content ON intakes (created_at) WHERE concern <> '(erased)';
CREATE INDEX orders_by_age ON orders (created_at);

-- The ledger is only ever appended to, until the law no longer asks for it: what is older than this row says may go.
CREATE TABLE ledger_retention (
  id smallint PRIMARY KEY CHECK (id = 1),
  removable_before timestamptz NOT NULL
);
CREATE FUNCTION ledger_transactions_stay() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF OLD.created_at < (SELECT removable_before FROM ledger_retention) THEN RETURN OLD; END IF;
  RAISE EXCEPTION 'the ledger is only ever appended to' USING ERRCODE = 'check_violation';
END $$;
CREATE FUNCTION ledger_entries_stay() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF (SELECT created_at FROM ledger_transactions WHERE id = OLD.transaction_id)
    < (SELECT removable_before FROM ledger_retention) THEN RETURN OLD; END IF;
  RAISE EXCEPTION 'the ledger is only ever appended to' USING ERRCODE = 'check_violation';
END $$;
DROP TRIGGER ledger_transactions_append_only ON ledger_transactions;
DROP TRIGGER ledger_entries_append_only ON ledger_entries;
CREATE TRIGGER ledger_transactions_no_update BEFORE UPDATE ON ledger_transactions
  FOR EACH ROW EXECUTE FUNCTION ledger_is_append_only();
CREATE TRIGGER ledger_entries_no_update BEFORE UPDATE ON ledger_entries
  FOR EACH ROW EXECUTE FUNCTION ledger_is_append_only();
CREATE TRIGGER ledger_transactions_no_delete BEFORE DELETE ON ledger_transactions
  FOR EACH ROW EXECUTE FUNCTION ledger_transactions_stay();
CREATE TRIGGER ledger_entries_no_delete BEFORE DELETE ON ledger_entries
  FOR EACH ROW EXECUTE FUNCTION ledger_entries_stay();
