-- What customers tell before they pay: cars, intakes with their files, acceptances of the waiver.

CREATE TABLE vehicles (
  id BLOB PRIMARY KEY NOT NULL CHECK (length(id) = 16),
  customer_id BLOB NOT NULL REFERENCES users (id),
  -- The VIN, or year, make and model: what makes two descriptions the same car of this customer.
  identity TEXT NOT NULL CHECK (length(identity) BETWEEN 1 AND 300),
  year INTEGER NOT NULL CHECK (year BETWEEN 1950 AND 9999),
  make TEXT NOT NULL CHECK (length(make) BETWEEN 1 AND 60),
  model TEXT NOT NULL CHECK (length(model) BETWEEN 1 AND 60),
  vin TEXT CHECK (length(vin) BETWEEN 4 AND 17),
  mileage INTEGER CHECK (mileage BETWEEN 0 AND 2000000),
  created_at TEXT NOT NULL,
  updated_at TEXT NOT NULL,
  UNIQUE (customer_id, identity)
) STRICT;
CREATE INDEX vehicles_by_customer ON vehicles (customer_id, updated_at DESC);

CREATE TABLE intakes (
  id BLOB PRIMARY KEY NOT NULL CHECK (length(id) = 16),
  customer_id BLOB NOT NULL REFERENCES users (id),
  plan TEXT NOT NULL CHECK (plan IN ('free', 'chat10', 'video15', 'diagnostic')),
  vehicle_id BLOB NOT NULL REFERENCES vehicles (id),
  -- At the time of this intake; the car's own may be newer.
  mileage INTEGER CHECK (mileage BETWEEN 0 AND 2000000),
  concern TEXT NOT NULL CHECK (length(concern) BETWEEN 3 AND 4000),
  routing_type TEXT NOT NULL CHECK (routing_type IN ('broadcast', 'priority_broadcast')),
  preferred_provider_id BLOB REFERENCES providers (id),
  provider_type TEXT CHECK (provider_type IN ('independent', 'workshop')),
  hold_id BLOB,
  upsell_id BLOB,
  created_at TEXT NOT NULL,
  CHECK (routing_type <> 'priority_broadcast' OR preferred_provider_id IS NOT NULL)
) STRICT;
CREATE INDEX intakes_by_customer ON intakes (customer_id, id);
CREATE INDEX intakes_by_vehicle ON intakes (vehicle_id);

-- A file that expires unused takes its place in the list with it.
CREATE TABLE intake_files (
  intake_id BLOB NOT NULL REFERENCES intakes (id),
  position INTEGER NOT NULL CHECK (position BETWEEN 0 AND 5),
  file_id BLOB NOT NULL REFERENCES files (id) ON DELETE CASCADE,
  PRIMARY KEY (intake_id, position),
  UNIQUE (intake_id, file_id)
) STRICT;
CREATE INDEX intake_files_by_file ON intake_files (file_id);

CREATE TABLE waiver_acceptances (
  id BLOB PRIMARY KEY NOT NULL CHECK (length(id) = 16),
  customer_id BLOB NOT NULL REFERENCES users (id),
  intake_id BLOB NOT NULL UNIQUE REFERENCES intakes (id),
  version TEXT NOT NULL CHECK (length(version) BETWEEN 1 AND 40),
  address TEXT NOT NULL CHECK (length(address) <= 64),
  accepted_at TEXT NOT NULL
) STRICT;
CREATE INDEX waiver_acceptances_by_customer ON waiver_acceptances (customer_id, accepted_at);
