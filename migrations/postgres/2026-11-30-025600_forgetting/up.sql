-- Which order an event of the payment provider is about, so that whoever leaves is found without reading every event.
ALTER TABLE webhook_events ADD COLUMN order_id uuid;
CREATE INDEX webhook_events_by_order ON webhook_events (order_id) WHERE order_id IS NOT NULL;
UPDATE webhook_events SET order_id = COALESCE(
  (SELECT id FROM orders WHERE checkout_id = body::jsonb #>> '{data,object,id}'),
  (SELECT order_id FROM payments WHERE payment_intent = body::jsonb #>> '{data,object,payment_intent}'))
WHERE body <> '{}';

-- Names and addresses that somebody of the staff searched for. New lines keep them out.
UPDATE audit_log SET details = details - 'asked'
WHERE object_kind = 'route' AND (details ->> 'asked' LIKE '%?q=_%' OR details ->> 'asked' LIKE '%&q=_%');
