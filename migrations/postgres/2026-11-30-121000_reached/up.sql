-- How far a request with a key came, for whoever carries it out again after its process died.
ALTER TABLE idempotency_keys ADD COLUMN reached TEXT CHECK (length(reached) BETWEEN 1 AND 100);
