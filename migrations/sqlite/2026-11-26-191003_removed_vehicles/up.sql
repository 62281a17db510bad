-- A car that its customer took off the list. Its row stays for the sessions about it; its identity is given up, so that
-- the same car can be described anew.
ALTER TABLE vehicles ADD COLUMN removed_at TEXT;
