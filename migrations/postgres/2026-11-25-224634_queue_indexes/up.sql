-- An index of every job by status was preferred to those of the queues, which hold only what waits, in the order in
-- which it waits. The dead are the one list that is read by id.
DROP INDEX jobs_by_status;
CREATE INDEX jobs_dead ON jobs (id) WHERE status = 'dead';
