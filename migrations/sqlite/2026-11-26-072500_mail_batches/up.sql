-- Mails that go to the provider in one call. Which ones they are is written down before the call, so that after a
-- crash exactly the same ones go again under the same key.

ALTER TABLE deliveries ADD COLUMN batch BLOB CHECK (length(batch) = 16);

CREATE INDEX deliveries_by_batch ON deliveries (batch, id) WHERE batch IS NOT NULL;
