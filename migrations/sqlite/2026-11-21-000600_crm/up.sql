-- The customer's journey, one row a step.

CREATE TABLE crm_interactions (
  id BLOB PRIMARY KEY NOT NULL CHECK (length(id) = 16),
  customer_id BLOB NOT NULL REFERENCES users (id),
  interaction_type TEXT NOT NULL CHECK (interaction_type IN
    ('intake_submitted', 'session_started', 'session_completed', 'summary_viewed', 'upsell_shown', 'upsell_clicked',
     'upsell_dismissed', 'checkout_started', 'checkout_completed', 'waiver_accepted', 'session_upgraded',
     'review_submitted', 'follow_up_created', 'favorite_added')),
  session_id BLOB REFERENCES sessions (id),
  metadata TEXT NOT NULL DEFAULT '{}' CHECK (json_valid(metadata)),
  created_at TEXT NOT NULL
) STRICT;
CREATE INDEX crm_interactions_by_customer ON crm_interactions (customer_id, id);
CREATE INDEX crm_interactions_by_session ON crm_interactions (session_id) WHERE session_id IS NOT NULL;
CREATE INDEX crm_interactions_by_type ON crm_interactions (interaction_type, created_at);
CREATE INDEX crm_interactions_by_time ON crm_interactions (created_at);
