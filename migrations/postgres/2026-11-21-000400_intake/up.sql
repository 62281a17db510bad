-- What customers tell before they pay: cars, intakes with their files, acceptances of the waiver.

CREATE TABLE vehicles (
  id uuid PRIMARY KEY,
  customer_id uuid NOT NULL REFERENCES users (id),
  -- The VIN, or year, make and model: what makes two descriptions the same car of this customer.
  identity text NOT NULL CHECK (char_length(identity) BETWEEN 1 AND 300),
  year bigint NOT NULL CHECK (year BETWEEN 1950 AND 9999),
  make text NOT NULL CHECK (char_length(make) BETWEEN 1 AND 60),
  model text NOT NULL CHECK (char_length(model) BETWEEN 1 AND 60),
  vin text CHECK (char_length(vin) BETWEEN 4 AND 17),
  mileage bigint CHECK (mileage BETWEEN 0 AND 2000000),
  created_at timestamptz NOT NULL,
  updated_at timestamptz NOT NULL,
  UNIQUE (customer_id, identity)
);
CREATE INDEX vehicles_by_customer ON vehicles (customer_id, updated_at DESC);

CREATE TABLE intakes (
  id uuid PRIMARY KEY,
  customer_id uuid NOT NULL REFERENCES users (id),
  plan text NOT NULL CHECK (plan IN ('free', 'chat10', 'video15', 'diagnostic')),
  vehicle_id uuid NOT NULL REFERENCES vehicles (id),
  -- At the time of this intake; the car's own may be newer.
  mileage bigint CHECK (mileage BETWEEN 0 AND 2000000),
  concern text NOT NULL CHECK (char_length(concern) BETWEEN 3 AND 4000),
  routing_type text NOT NULL CHECK (routing_type IN ('broadcast', 'priority_broadcast')),
  preferred_provider_id uuid REFERENCES providers (id),
  provider_type text CHECK (provider_type IN ('independent', 'workshop')),
  hold_id uuid,
  upsell_id uuid,
  created_at timestamptz NOT NULL,
  CHECK (routing_type <> 'priority_broadcast' OR preferred_provider_id IS NOT NULL)
);
CREATE INDEX intakes_by_customer ON intakes (customer_id, id);
CREATE INDEX intakes_by_vehicle ON intakes (vehicle_id);

-- A file that expires unused takes its place in the list with it.
CREATE TABLE intake_files (
  intake_id uuid NOT NULL REFERENCES intakes (id),
  position bigint NOT NULL CHECK (position BETWEEN 0 AND 5),
  file_id uuid NOT NULL REFERENCES files (id) ON DELETE CASCADE,
  PRIMARY KEY (intake_id, position),
  UNIQUE (intake_id, file_id)
);
CREATE INDEX intake_files_by_file ON intake_files (file_id);

CREATE TABLE waiver_acceptances (
  id uuid PRIMARY KEY,
  customer_id uuid NOT NULL REFERENCES users (id),
  intake_id uuid NOT NULL UNIQUE REFERENCES intakes (id),
  version text NOT NULL CHECK (char_length(version) BETWEEN 1 AND 40),
  address text NOT NULL CHECK (char_length(address) <= 64),
  accepted_at timestamptz NOT NULL
);
CREATE INDEX waiver_acceptances_by_customer ON waiver_acceptances (customer_id, accepted_at);
