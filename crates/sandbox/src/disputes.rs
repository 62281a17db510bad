//! Disputes: a cardholder takes the money back, and the platform answers with evidence.

use serde_json::{Value, json};

use crate::balance::{self, Entry};
use crate::document::{Document, Kind};
use crate::events;
use crate::evidence;
use crate::fault::{Fault, Reply, invalid};
use crate::form::Scope;
use crate::ids;
use crate::listing::{self, Filter};
use crate::state::Tx;
use crate::timers::{self, Due};

/// What a dispute costs, won or lost (<https://stripe.com/pricing>, USA).
const FEE: i64 = 1_500;
/// Days that the platform has to answer.
const DAYS_TO_ANSWER: i64 = 9;

/// Stripe's reasons, and the code of Visa's for each that has one.
const REASONS: [(&str, Option<&str>); 9] = [
    ("credit_not_processed", Some("13.6")),
    ("duplicate", Some("12.6.1")),
    ("fraudulent", Some("10.4")),
    ("general", None),
    ("incorrect_account_details", None),
    ("product_not_received", Some("13.1")),
    ("product_unacceptable", Some("13.3")),
    ("subscription_canceled", Some("13.2")),
    ("unrecognized", None),
];

/// The body of `POST /sandbox/disputes`: a payment that its cardholder disputes now.
#[derive(Debug, Default, serde::Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Wanted {
    payment_intent: Option<String>,
    charge: Option<String>,
    /// One of Stripe's reasons; `fraudulent` when left out.
    reason: Option<String>,
    /// What is disputed, in the smallest unit; all that was not refunded when left out.
    amount: Option<i64>,
    /// Only a question: no money is taken back.
    inquiry: bool,
}

/// The body of `POST /sandbox/disputes/{id}/decide`.
#[derive(Debug, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Verdict {
    outcome: Outcome,
}

/// How a dispute goes on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Outcome {
    /// The money comes back; a question is settled.
    Won,
    /// The cardholder keeps the money.
    Lost,
    /// A question becomes a dispute.
    Escalated,
}

/// Opens a dispute because a test or a developer says so.
pub(crate) fn open_on_demand(tx: &mut Tx<'_>, wanted: &Wanted) -> Result<Reply, Fault> {
    let charge = match (&wanted.charge, &wanted.payment_intent) {
        (Some(charge), None) => tx.require(Kind::Charge, charge, "charge")?,
        (None, Some(intent)) => {
            let intent = tx.require(Kind::Intent, intent, "payment_intent")?;
            tx.require(Kind::Charge, intent.text("latest_charge"), "payment_intent")?
        }
        (None, None) | (Some(_), Some(_)) => {
            return Err(invalid("Name either charge or payment_intent.").param("charge").into());
        }
    };
    let reason = wanted.reason.as_deref().unwrap_or("fraudulent");
    let left = charge.integer("amount") - charge.integer("amount_refunded");
    let amount = wanted.amount.unwrap_or(left);
    if !charge.flag("paid") || charge.flag("disputed") {
        return Err(invalid("Only a charge that was paid and is not disputed yet can be disputed.")
            .param("charge")
            .into());
    }
    if !(1..=left).contains(&amount) {
        return Err(invalid(format!("amount is 1 to {left}, what was not refunded.")).param("amount").into());
    }
    let dispute = open(tx, charge, amount, reason, wanted.inquiry)?;
    Ok(Reply::ok(dispute.into_json()))
}

/// Opens the dispute that a test card brings, unless it has nothing left to dispute.
pub(crate) fn open_due(tx: &mut Tx<'_>, charge: &str, reason: &str, inquiry: bool) -> Result<(), Fault> {
    let charge = tx.require(Kind::Charge, charge, "id")?;
    let left = charge.integer("amount") - charge.integer("amount_refunded");
    if left > 0 && !charge.flag("disputed") {
        open(tx, charge, left, reason, inquiry)?;
    }
    Ok(())
}

fn open(
    tx: &mut Tx<'_>,
    mut charge: Document,
    amount: i64,
    reason: &str,
    inquiry: bool,
) -> Result<Document, Fault> {
    let Some((_, network_code)) = REASONS.into_iter().find(|(name, _)| *name == reason) else {
        let names = REASONS.map(|(name, _)| name).join(", ");
        return Err(invalid(format!("reason is one of {names}.")).param("reason").into());
    };
    let card = charge.get("payment_method_details").get("card");
    let brand = card.and_then(|card| card.get("brand")).and_then(Value::as_str).unwrap_or("visa");
    let due_by = ((tx.now / 86_400) + DAYS_TO_ANSWER + 1) * 86_400 - 1;
    let mut dispute = Document::new(json!({
        "id": ids::object("du"),
        "object": "dispute",
        "amount": amount,
        "balance_transactions": [],
        "charge": charge.id(),
        "created": tx.now,
        "currency": charge.text("currency"),
        "enhanced_eligibility_types": [],
        "evidence": evidence::blank(),
        "evidence_details": {
            "due_by": due_by,
            "enhanced_eligibility": {},
            "has_evidence": false,
            "past_due": false,
            "submission_count": 0,
            "submission_method": "not_submitted",
        },
        "intended_submission_method": null,
        "is_charge_refundable": inquiry,
        "livemode": false,
        "metadata": {},
        "payment_intent": charge.get("payment_intent"),
        "payment_method_details": {
            "card": {
                "brand": brand,
                "case_type": if inquiry { "inquiry" } else { "chargeback" },
                "network": brand,
                "network_reason_code": network_code,
            },
            "type": "card",
        },
        "reason": reason,
        "status": if inquiry { "warning_needs_response" } else { "needs_response" },
    }));
    charge.set("disputed", true);
    tx.update(&charge)?;
    tx.insert(Kind::Dispute, &dispute, &Value::Null)?;
    tx.timer_set(Due::DisputeUnanswered.name(), dispute.id(), due_by)?;
    if inquiry {
        events::record(tx, "charge.dispute.created", &dispute)?;
    } else {
        withdraw(tx, &mut dispute)?;
        events::record(tx, "charge.dispute.created", &dispute)?;
        events::record(tx, "charge.dispute.funds_withdrawn", &dispute)?;
    }
    Ok(dispute)
}

fn withdraw(tx: &mut Tx<'_>, dispute: &mut Document) -> Result<(), Fault> {
    move_money(tx, dispute, -dispute.integer("amount"), FEE, "dispute", "Chargeback withdrawal")
}

fn move_money(
    tx: &mut Tx<'_>,
    dispute: &mut Document,
    amount: i64,
    fee: i64,
    category: &'static str,
    what: &str,
) -> Result<(), Fault> {
    let description = format!("{what} for {}", dispute.text("charge"));
    let entry = Entry {
        kind: "adjustment",
        category,
        amount,
        fee,
        currency: dispute.text("currency"),
        source: dispute.id(),
        description: Some(&description),
        available_on: tx.now,
    };
    let transaction = balance::enter(tx, &entry)?;
    let mut transactions = dispute.get("balance_transactions").clone();
    if let Some(list) = transactions.as_array_mut() {
        list.push(transaction.into_json());
    }
    dispute.set("balance_transactions", transactions);
    tx.update(dispute)
}

fn is_inquiry(dispute: &Document) -> bool {
    dispute.text("status").starts_with("warning_")
}

fn is_open(dispute: &Document) -> bool {
    matches!(
        dispute.text("status"),
        "needs_response" | "under_review" | "warning_needs_response" | "warning_under_review"
    )
}

fn require_open(tx: &mut Tx<'_>, id: &str) -> Result<Document, Fault> {
    let dispute = tx.require(Kind::Dispute, id, "id")?;
    if !is_open(&dispute) {
        return Err(invalid("This dispute is already closed.").into());
    }
    Ok(dispute)
}

/// Refuses to refund what its cardholder has taken back already.
pub(crate) fn refuse_refund(tx: &mut Tx<'_>, charge: &Document) -> Result<(), Fault> {
    let Some(dispute) = tx.find_by(Kind::Dispute, "charge", charge.id())? else { return Ok(()) };
    if dispute.flag("is_charge_refundable") || dispute.text("status") == "won" {
        return Ok(());
    }
    Err(invalid(format!("Charge {} has been charged back; cannot issue a refund.", charge.id()))
        .code("charge_disputed")
        .into())
}

pub(crate) fn update(tx: &mut Tx<'_>, id: &str, params: &Scope<'_>) -> Result<Reply, Fault> {
    params.only(&["evidence", "metadata", "submit"])?;
    let before = require_open(tx, id)?;
    let mut dispute = before.clone();
    dispute.set("metadata", params.child("metadata").metadata(dispute.get("metadata"))?);
    let staged = evidence::lay_over(dispute.get("evidence"), &params.child("evidence"))?;
    dispute.set("evidence", staged);
    let has_evidence = evidence::is_given(dispute.get("evidence"));
    let mut details = dispute.get("evidence_details").clone();
    details["has_evidence"] = has_evidence.into();
    // Evidence is sent to the bank unless it is only to be kept for now.
    let submit = params.child("submit").boolean()?;
    if submit.unwrap_or(params.child("evidence").given()) && has_evidence {
        let count = details.get("submission_count").and_then(Value::as_i64).unwrap_or_default();
        details["submission_count"] = (count + 1).into();
        details["submission_method"] = "manual".into();
        let status = if is_inquiry(&dispute) { "warning_under_review" } else { "under_review" };
        dispute.set("status", status);
        tx.timer_clear(Due::DisputeUnanswered.name(), id)?;
        if evidence::outcome(dispute.get("evidence")).is_some() {
            timers::set(tx, Due::DecideDispute, id)?;
        }
    }
    dispute.set("evidence_details", details);
    tx.update(&dispute)?;
    events::changed(tx, "charge.dispute.updated", &before, &dispute)?;
    Ok(Reply::ok(dispute.into_json()))
}

pub(crate) fn close(tx: &mut Tx<'_>, id: &str, params: &Scope<'_>) -> Result<Reply, Fault> {
    params.only(&[])?;
    let dispute = require_open(tx, id)?;
    let outcome = if is_inquiry(&dispute) { Outcome::Won } else { Outcome::Lost };
    Ok(Reply::ok(end(tx, dispute, outcome)?.into_json()))
}

/// Ends a dispute because a test or a developer says so.
pub(crate) fn decide(tx: &mut Tx<'_>, id: &str, verdict: &Verdict) -> Result<Reply, Fault> {
    let dispute = require_open(tx, id)?;
    let fits = match verdict.outcome {
        Outcome::Won => true,
        Outcome::Lost => !is_inquiry(&dispute),
        Outcome::Escalated => is_inquiry(&dispute),
    };
    if !fits {
        return Err(invalid("A dispute is won or lost; an inquiry is won or escalated.")
            .param("outcome")
            .into());
    }
    Ok(Reply::ok(end(tx, dispute, verdict.outcome)?.into_json()))
}

/// The bank has read the evidence.
pub(crate) fn decide_due(tx: &mut Tx<'_>, id: &str) -> Result<(), Fault> {
    let dispute = tx.require(Kind::Dispute, id, "id")?;
    let outcome = match evidence::outcome(dispute.get("evidence")) {
        // A bank's question can be settled or become a dispute, but not be lost at once.
        Some(Outcome::Lost) if is_inquiry(&dispute) => Some(Outcome::Escalated),
        Some(Outcome::Escalated) if !is_inquiry(&dispute) => None,
        other => other,
    };
    match outcome {
        Some(outcome) if is_open(&dispute) => end(tx, dispute, outcome).map(|_| ()),
        Some(_) | None => Ok(()),
    }
}

/// The time to answer has passed.
pub(crate) fn unanswered(tx: &mut Tx<'_>, id: &str) -> Result<(), Fault> {
    let mut dispute = tx.require(Kind::Dispute, id, "id")?;
    if !is_open(&dispute) {
        return Ok(());
    }
    let mut details = dispute.get("evidence_details").clone();
    details["past_due"] = true.into();
    dispute.set("evidence_details", details);
    let outcome = if is_inquiry(&dispute) { Outcome::Won } else { Outcome::Lost };
    end(tx, dispute, outcome).map(|_| ())
}

fn end(tx: &mut Tx<'_>, mut dispute: Document, outcome: Outcome) -> Result<Document, Fault> {
    let before = tx.require(Kind::Dispute, dispute.id(), "id")?;
    tx.timer_clear(Due::DisputeUnanswered.name(), dispute.id())?;
    match outcome {
        Outcome::Escalated => return escalate(tx, &before, dispute),
        Outcome::Won if is_inquiry(&dispute) => dispute.set("status", "warning_closed"),
        Outcome::Won => {
            dispute.set("status", "won");
            let amount = dispute.integer("amount");
            move_money(tx, &mut dispute, amount, 0, "dispute_reversal", "Chargeback reversal")?;
        }
        Outcome::Lost => dispute.set("status", "lost"),
    }
    tx.update(&dispute)?;
    events::changed(tx, "charge.dispute.closed", &before, &dispute)?;
    if dispute.text("status") == "won" {
        events::record(tx, "charge.dispute.funds_reinstated", &dispute)?;
    }
    Ok(dispute)
}

fn escalate(tx: &mut Tx<'_>, before: &Document, mut dispute: Document) -> Result<Document, Fault> {
    dispute.set("status", "needs_response");
    dispute.set("is_charge_refundable", false);
    let mut details = dispute.get("payment_method_details").clone();
    details["card"]["case_type"] = "chargeback".into();
    dispute.set("payment_method_details", details);
    let due_by = dispute.get("evidence_details").get("due_by").and_then(Value::as_i64).unwrap_or(tx.now);
    tx.timer_set(Due::DisputeUnanswered.name(), dispute.id(), due_by)?;
    withdraw(tx, &mut dispute)?;
    events::changed(tx, "charge.dispute.updated", before, &dispute)?;
    events::record(tx, "charge.dispute.funds_withdrawn", &dispute)?;
    Ok(dispute)
}

pub(crate) fn list(tx: &mut Tx<'_>, params: &Scope<'_>) -> Result<Reply, Fault> {
    listing::list(tx, params, Kind::Dispute, &[Filter::Field("charge"), Filter::Field("payment_intent")], &[])
}
