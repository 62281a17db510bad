-- Applications of mechanics and workshops, a workshop's invitations, and accounts that an admin has closed for now.

CREATE TABLE applications (
  id BLOB PRIMARY KEY NOT NULL CHECK (length(id) = 16),
  user_id BLOB NOT NULL REFERENCES users (id),
  kind TEXT NOT NULL CHECK (kind IN ('mechanic', 'workshop')),
  status TEXT NOT NULL CHECK (status IN ('submitted', 'asked_again', 'approved', 'refused', 'withdrawn')),
  -- Counts what the applicant sent: the application, then each answer to a question.
  revision INTEGER NOT NULL CHECK (revision BETWEEN 1 AND 100),
  name TEXT NOT NULL CHECK (length(name) BETWEEN 1 AND 100),
  phone TEXT NOT NULL CHECK (length(phone) BETWEEN 7 AND 16),
  years_of_experience INTEGER CHECK (years_of_experience BETWEEN 0 AND 80),
  business_name TEXT CHECK (length(business_name) BETWEEN 1 AND 100),
  address TEXT CHECK (length(address) BETWEEN 1 AND 200),
  city TEXT CHECK (length(city) BETWEEN 1 AND 100),
  specialties TEXT NOT NULL CHECK (json_valid(specialties)),
  note TEXT NOT NULL CHECK (length(note) <= 2000),
  submitted_at TEXT NOT NULL,
  updated_at TEXT NOT NULL,
  decided_by BLOB REFERENCES users (id),
  decided_at TEXT,
  CHECK ((kind = 'mechanic') = (years_of_experience IS NOT NULL)),
  CHECK ((kind = 'workshop') = (business_name IS NOT NULL AND address IS NOT NULL AND city IS NOT NULL)),
  CHECK ((status IN ('approved', 'refused')) = (decided_by IS NOT NULL)),
  CHECK ((decided_by IS NULL) = (decided_at IS NULL))
) STRICT;
CREATE UNIQUE INDEX applications_open ON applications (user_id) WHERE status IN ('submitted', 'asked_again');
CREATE INDEX applications_by_user ON applications (user_id, id);
CREATE INDEX applications_by_status ON applications (status, id);

-- What was said about an application, in order: by the applicant and by admins.
CREATE TABLE application_steps (
  id BLOB PRIMARY KEY NOT NULL CHECK (length(id) = 16),
  application_id BLOB NOT NULL REFERENCES applications (id) ON DELETE CASCADE,
  kind TEXT NOT NULL CHECK (kind IN ('submitted', 'asked', 'answered', 'approved', 'refused', 'withdrawn')),
  by_id BLOB NOT NULL REFERENCES users (id),
  at TEXT NOT NULL,
  text TEXT NOT NULL CHECK (length(text) <= 1000),
  CHECK (kind NOT IN ('asked', 'refused') OR length(text) > 0)
) STRICT;
CREATE INDEX application_steps_by_application ON application_steps (application_id, id);

CREATE TABLE application_files (
  application_id BLOB NOT NULL REFERENCES applications (id) ON DELETE CASCADE,
  position INTEGER NOT NULL CHECK (position BETWEEN 0 AND 9),
  file_id BLOB NOT NULL UNIQUE REFERENCES files (id),
  PRIMARY KEY (application_id, position)
) STRICT;

CREATE TABLE workshop_invitations (
  id BLOB PRIMARY KEY NOT NULL CHECK (length(id) = 16),
  provider_id BLOB NOT NULL REFERENCES providers (id),
  email TEXT NOT NULL CHECK (length(email) BETWEEN 3 AND 254),
  invited_by BLOB NOT NULL REFERENCES users (id),
  token_hash BLOB NOT NULL UNIQUE CHECK (length(token_hash) = 32),
  created_at TEXT NOT NULL,
  expires_at TEXT NOT NULL,
  revoked_at TEXT,
  accepted_by BLOB REFERENCES users (id),
  accepted_at TEXT,
  -- Whether the mechanic was approved on their own before, which comes back when they leave.
  was_approved INTEGER NOT NULL CHECK (was_approved IN (0, 1)),
  CHECK ((accepted_by IS NULL) = (accepted_at IS NULL)),
  CHECK (accepted_at IS NULL OR revoked_at IS NULL)
) STRICT;
CREATE UNIQUE INDEX workshop_invitations_open ON workshop_invitations (provider_id, email)
  WHERE accepted_at IS NULL AND revoked_at IS NULL;
CREATE INDEX workshop_invitations_by_member ON workshop_invitations (accepted_by, id) WHERE accepted_by IS NOT NULL;

CREATE TABLE suspensions (
  user_id BLOB NOT NULL REFERENCES users (id),
  suspended_at TEXT NOT NULL,
  suspended_by BLOB NOT NULL REFERENCES users (id),
  reason TEXT NOT NULL CHECK (length(reason) BETWEEN 1 AND 1000),
  restored_at TEXT,
  restored_by BLOB REFERENCES users (id),
  PRIMARY KEY (user_id, suspended_at),
  CHECK ((restored_at IS NULL) = (restored_by IS NULL))
) STRICT;
CREATE UNIQUE INDEX suspensions_open ON suspensions (user_id) WHERE restored_at IS NULL;

-- The name in lower case, as the server folds it: SQLite's own lower() knows ASCII only.
ALTER TABLE users ADD COLUMN name_search TEXT NOT NULL DEFAULT '';
UPDATE users SET name_search = lower(name);
