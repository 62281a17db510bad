-- The same rules, written as comparisons: `IN` with more than two names makes SQLite build a table of them, each time a row
-- is written and once for each such rule, which costs more than writing the row. What is stored stays as it is, so the
-- text of the schema is all that changes, in the way that SQLite's manual describes for constraints.
PRAGMA writable_schema = ON;

UPDATE sqlite_schema SET sql = replace(sql,
    'kind IN (''submitted'', ''asked'', ''answered'', ''approved'', ''refused'', ''withdrawn'')',
    '(kind = ''submitted'' OR kind = ''asked'' OR kind = ''answered'' OR kind = ''approved'' OR kind = ''refused'' OR kind = ''withdrawn'')')
WHERE type = 'table' AND name = 'application_steps';

UPDATE sqlite_schema SET sql = replace(sql,
    'status IN (''submitted'', ''asked_again'', ''approved'', ''refused'', ''withdrawn'')',
    '(status = ''submitted'' OR status = ''asked_again'' OR status = ''approved'' OR status = ''refused'' OR status = ''withdrawn'')')
WHERE type = 'table' AND name = 'applications';

UPDATE sqlite_schema SET sql = replace(sql,
    'interaction_type IN
    (''intake_submitted'', ''session_started'', ''session_completed'', ''summary_viewed'', ''upsell_shown'', ''upsell_clicked'',
     ''upsell_dismissed'', ''checkout_started'', ''checkout_completed'', ''waiver_accepted'', ''session_upgraded'',
     ''review_submitted'', ''follow_up_created'', ''favorite_added'')',
    '(interaction_type = ''intake_submitted'' OR interaction_type = ''session_started'' OR interaction_type = ''session_completed'' OR interaction_type = ''summary_viewed'' OR interaction_type = ''upsell_shown'' OR interaction_type = ''upsell_clicked'' OR interaction_type = ''upsell_dismissed'' OR interaction_type = ''checkout_started'' OR interaction_type = ''checkout_completed'' OR interaction_type = ''waiver_accepted'' OR interaction_type = ''session_upgraded'' OR interaction_type = ''review_submitted'' OR interaction_type = ''follow_up_created'' OR interaction_type = ''favorite_added'')')
WHERE type = 'table' AND name = 'crm_interactions';

UPDATE sqlite_schema SET sql = replace(replace(sql,
    'status IN (''pending'', ''unknown'', ''sent'', ''failed'', ''suppressed'')',
    '(status = ''pending'' OR status = ''unknown'' OR status = ''sent'' OR status = ''failed'' OR status = ''suppressed'')'),
    'channel IN (''mail'', ''sms'', ''push'')',
    '(channel = ''mail'' OR channel = ''sms'' OR channel = ''push'')')
WHERE type = 'table' AND name = 'deliveries';

UPDATE sqlite_schema SET sql = replace(replace(sql,
    'status IN (''open'', ''under_review'', ''won'', ''lost'')',
    '(status = ''open'' OR status = ''under_review'' OR status = ''won'' OR status = ''lost'')'),
    'currency IN (''usd'', ''eur'', ''gbp'')',
    '(currency = ''usd'' OR currency = ''eur'' OR currency = ''gbp'')')
WHERE type = 'table' AND name = 'disputes';

UPDATE sqlite_schema SET sql = replace(sql,
    'plan IN (''free'', ''chat10'', ''video15'', ''diagnostic'')',
    '(plan = ''free'' OR plan = ''chat10'' OR plan = ''video15'' OR plan = ''diagnostic'')')
WHERE type = 'table' AND name = 'intakes';

UPDATE sqlite_schema SET sql = replace(sql,
    'status IN (''queued'', ''running'', ''done'', ''dead'')',
    '(status = ''queued'' OR status = ''running'' OR status = ''done'' OR status = ''dead'')')
WHERE type = 'table' AND name = 'jobs';

UPDATE sqlite_schema SET sql = replace(replace(sql,
    'account IN
    (''stripe_clearing'', ''deferred_revenue'', ''refunds_payable'', ''tax_payable'', ''platform_revenue'', ''provider_payable'', ''disputes_held'', ''dispute_losses'')',
    '(account = ''stripe_clearing'' OR account = ''deferred_revenue'' OR account = ''refunds_payable'' OR account = ''tax_payable'' OR account = ''platform_revenue'' OR account = ''provider_payable'' OR account = ''disputes_held'' OR account = ''dispute_losses'')'),
    'currency IN (''usd'', ''eur'', ''gbp'')',
    '(currency = ''usd'' OR currency = ''eur'' OR currency = ''gbp'')')
WHERE type = 'table' AND name = 'ledger_entries';

UPDATE sqlite_schema SET sql = replace(replace(sql,
    'kind IN
    (''charge'', ''surplus'', ''refund_requested'', ''refund_paid'', ''refund_bounced'', ''refund_released'', ''earned'', ''unearned'', ''dispute_opened'', ''dispute_won'', ''dispute_lost'')',
    '(kind = ''charge'' OR kind = ''surplus'' OR kind = ''refund_requested'' OR kind = ''refund_paid'' OR kind = ''refund_bounced'' OR kind = ''refund_released'' OR kind = ''earned'' OR kind = ''unearned'' OR kind = ''dispute_opened'' OR kind = ''dispute_won'' OR kind = ''dispute_lost'')'),
    'kind IN (''refund_requested'', ''refund_paid'', ''refund_bounced'', ''refund_released'', ''unearned'')',
    '(kind = ''refund_requested'' OR kind = ''refund_paid'' OR kind = ''refund_bounced'' OR kind = ''refund_released'' OR kind = ''unearned'')')
WHERE type = 'table' AND name = 'ledger_transactions';

UPDATE sqlite_schema SET sql = replace(sql,
    'channel IN (''mail'', ''sms'', ''push'')',
    '(channel = ''mail'' OR channel = ''sms'' OR channel = ''push'')')
WHERE type = 'table' AND name = 'mailbox_messages';

UPDATE sqlite_schema SET sql = replace(sql,
    'approval IN (''pending'', ''approved'', ''refused'', ''suspended'')',
    '(approval = ''pending'' OR approval = ''approved'' OR approval = ''refused'' OR approval = ''suspended'')')
WHERE type = 'table' AND name = 'mechanics';

UPDATE sqlite_schema SET sql = replace(replace(replace(replace(replace(replace(sql,
    'status IN (''open'', ''processing'', ''paid'', ''fulfilled'', ''expired'', ''failed'', ''refunded'')',
    '(status = ''open'' OR status = ''processing'' OR status = ''paid'' OR status = ''fulfilled'' OR status = ''expired'' OR status = ''failed'' OR status = ''refunded'')'),
    'plan IN (''free'', ''chat10'', ''video15'', ''diagnostic'')',
    '(plan = ''free'' OR plan = ''chat10'' OR plan = ''video15'' OR plan = ''diagnostic'')'),
    'kind IN (''session'', ''upgrade'', ''extension'')',
    '(kind = ''session'' OR kind = ''upgrade'' OR kind = ''extension'')'),
    'status IN (''paid'', ''fulfilled'', ''refunded'')',
    '(status = ''paid'' OR status = ''fulfilled'' OR status = ''refunded'')'),
    'status IN (''expired'', ''failed'', ''refunded'')',
    '(status = ''expired'' OR status = ''failed'' OR status = ''refunded'')'),
    'currency IN (''usd'', ''eur'', ''gbp'')',
    '(currency = ''usd'' OR currency = ''eur'' OR currency = ''gbp'')')
WHERE type = 'table' AND name = 'orders';

UPDATE sqlite_schema SET sql = replace(sql,
    'currency IN (''usd'', ''eur'', ''gbp'')',
    '(currency = ''usd'' OR currency = ''eur'' OR currency = ''gbp'')')
WHERE type = 'table' AND name = 'payments';

UPDATE sqlite_schema SET sql = replace(sql,
    'currency IN (''usd'', ''eur'', ''gbp'')',
    '(currency = ''usd'' OR currency = ''eur'' OR currency = ''gbp'')')
WHERE type = 'table' AND name = 'provider_earnings';

UPDATE sqlite_schema SET sql = replace(replace(replace(sql,
    'reason IN
    (''unfulfillable'', ''duplicate'', ''wrong_amount'', ''cancelled'', ''unaccepted'', ''admin'', ''external'', ''no_show'', ''no_video'')',
    '(reason = ''unfulfillable'' OR reason = ''duplicate'' OR reason = ''wrong_amount'' OR reason = ''cancelled'' OR reason = ''unaccepted'' OR reason = ''admin'' OR reason = ''external'' OR reason = ''no_show'' OR reason = ''no_video'')'),
    'status IN (''pending'', ''unknown'', ''succeeded'', ''failed'')',
    '(status = ''pending'' OR status = ''unknown'' OR status = ''succeeded'' OR status = ''failed'')'),
    'currency IN (''usd'', ''eur'', ''gbp'')',
    '(currency = ''usd'' OR currency = ''eur'' OR currency = ''gbp'')')
WHERE type = 'table' AND name = 'refunds';

UPDATE sqlite_schema SET sql = replace(sql,
    'status IN (''offered'', ''declined'', ''accepted'', ''withdrawn'')',
    '(status = ''offered'' OR status = ''declined'' OR status = ''accepted'' OR status = ''withdrawn'')')
WHERE type = 'table' AND name = 'request_offers';

UPDATE sqlite_schema SET sql = replace(replace(sql,
    'kind IN
    (''message'', ''joined'', ''left'', ''started'', ''ended'', ''session_upgraded'', ''upgrade_suggested'', ''file'', ''summary'',
     ''reaction'', ''time_warning'', ''extended'', ''payment'', ''observer_joined'')',
    '(kind = ''message'' OR kind = ''joined'' OR kind = ''left'' OR kind = ''started'' OR kind = ''ended'' OR kind = ''session_upgraded'' OR kind = ''upgrade_suggested'' OR kind = ''file'' OR kind = ''summary'' OR kind = ''reaction'' OR kind = ''time_warning'' OR kind = ''extended'' OR kind = ''payment'' OR kind = ''observer_joined'')'),
    'actor_role IN (''customer'', ''mechanic'', ''observer'', ''admin'', ''system'')',
    '(actor_role = ''customer'' OR actor_role = ''mechanic'' OR actor_role = ''observer'' OR actor_role = ''admin'' OR actor_role = ''system'')')
WHERE type = 'table' AND name = 'session_events';

UPDATE sqlite_schema SET sql = replace(sql,
    'provider IN (''p2p'', ''livekit'', ''twilio'')',
    '(provider = ''p2p'' OR provider = ''livekit'' OR provider = ''twilio'')')
WHERE type = 'table' AND name = 'session_media';

UPDATE sqlite_schema SET sql = replace(sql,
    'role IN (''customer'', ''mechanic'', ''observer'')',
    '(role = ''customer'' OR role = ''mechanic'' OR role = ''observer'')')
WHERE type = 'table' AND name = 'session_participants';

UPDATE sqlite_schema SET sql = replace(sql,
    'status IN (''open'', ''accepted'', ''withdrawn'', ''expired'')',
    '(status = ''open'' OR status = ''accepted'' OR status = ''withdrawn'' OR status = ''expired'')')
WHERE type = 'table' AND name = 'session_requests';

UPDATE sqlite_schema SET sql = replace(replace(replace(replace(replace(sql,
    'end_reason IN
    (''customer'', ''mechanic'', ''time_limit'', ''no_show_customer'', ''no_show_mechanic'', ''unaccepted'', ''admin'', ''payment_reversed'')',
    '(end_reason = ''customer'' OR end_reason = ''mechanic'' OR end_reason = ''time_limit'' OR end_reason = ''no_show_customer'' OR end_reason = ''no_show_mechanic'' OR end_reason = ''unaccepted'' OR end_reason = ''admin'' OR end_reason = ''payment_reversed'')'),
    'status IN (''requested'', ''scheduled'', ''accepted'', ''in_progress'', ''completed'', ''cancelled'', ''expired'')',
    '(status = ''requested'' OR status = ''scheduled'' OR status = ''accepted'' OR status = ''in_progress'' OR status = ''completed'' OR status = ''cancelled'' OR status = ''expired'')'),
    'session_type IN (''chat'', ''video'', ''diagnostic'', ''upgraded_from_chat'', ''mobile_visit'')',
    '(session_type = ''chat'' OR session_type = ''video'' OR session_type = ''diagnostic'' OR session_type = ''upgraded_from_chat'' OR session_type = ''mobile_visit'')'),
    'plan IN (''free'', ''chat10'', ''video15'', ''diagnostic'')',
    '(plan = ''free'' OR plan = ''chat10'' OR plan = ''video15'' OR plan = ''diagnostic'')'),
    'status IN (''completed'', ''cancelled'', ''expired'')',
    '(status = ''completed'' OR status = ''cancelled'' OR status = ''expired'')')
WHERE type = 'table' AND name = 'sessions';

UPDATE sqlite_schema SET sql = replace(sql,
    'channel IN (''mail'', ''sms'', ''push'')',
    '(channel = ''mail'' OR channel = ''sms'' OR channel = ''push'')')
WHERE type = 'table' AND name = 'suppressions';

UPDATE sqlite_schema SET sql = replace(replace(sql,
    'role IN (''customer'', ''mechanic'', ''workshop'', ''support'', ''admin'')',
    '(role = ''customer'' OR role = ''mechanic'' OR role = ''workshop'' OR role = ''support'' OR role = ''admin'')'),
    'status IN (''active'', ''suspended'', ''erased'')',
    '(status = ''active'' OR status = ''suspended'' OR status = ''erased'')')
WHERE type = 'table' AND name = 'users';

UPDATE sqlite_schema SET sql = replace(sql,
    'outcome IN
    (''ignored'', ''unmatched'', ''replayed'', ''recorded'', ''fulfilled'', ''refunding'')',
    '(outcome = ''ignored'' OR outcome = ''unmatched'' OR outcome = ''replayed'' OR outcome = ''recorded'' OR outcome = ''fulfilled'' OR outcome = ''refunding'')')
WHERE type = 'table' AND name = 'webhook_events';

UPDATE sqlite_schema SET sql = replace(sql,
    'status IN (''open'', ''processing'', ''paid'', ''fulfilled'')',
    '(status = ''open'' OR status = ''processing'' OR status = ''paid'' OR status = ''fulfilled'')')
WHERE type = 'index' AND name = 'orders_one_free_per_customer';

UPDATE sqlite_schema SET sql = replace(sql,
    'status IN (''open'', ''processing'', ''paid'', ''fulfilled'')',
    '(status = ''open'' OR status = ''processing'' OR status = ''paid'' OR status = ''fulfilled'')')
WHERE type = 'index' AND name = 'orders_one_live_per_quote';

UPDATE sqlite_schema SET sql = replace(sql,
    'status IN (''open'', ''processing'', ''paid'')',
    '(status = ''open'' OR status = ''processing'' OR status = ''paid'')')
WHERE type = 'index' AND name = 'orders_unresolved';

UPDATE sqlite_schema SET sql = replace(sql,
    'status IN (''pending'', ''unknown'')',
    '(status = ''pending'' OR status = ''unknown'')')
WHERE type = 'index' AND name = 'refunds_unresolved';

PRAGMA writable_schema = RESET;
-- Other connections read the schema again.
CREATE TABLE schema_changed (id INTEGER);
DROP TABLE schema_changed;
