-- For SQLite alone: PostgreSQL compares with a list of names without building anything.
SELECT 1;
