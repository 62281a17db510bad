//! A chat becomes video: its price, its payment, the switch, and the mechanic's suggestion. And more time.
//!
//! Two of the bodies hold dollars as JSON numbers, as the first seed has them. They are read and written as text, never
//! as floating point.

use actix_web::HttpResponse;
use actix_web::web::{Data, Json, Path};
use kernel::Money;
use kernel::id::SessionId;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use store::views::session::SessionView;

use super::auth::SignedIn;
use super::extract::Body;
use super::idempotency::{Key, Keyed};
use super::problem::{ApiResult, FieldError, Problem};
use super::router::{Access, Router};
use super::sessions::{seen, shown};
use crate::realtime::protocol::EventWire;
use crate::state::Pitlane;
use crate::usecases::extend_session;
use crate::usecases::upgrade_session::{self, offer_of};

/// Adds the routes. They come before `/api/sessions/{id}`.
pub fn routes(router: &mut Router) {
    router.post("/api/sessions/upgrade/payment", Access::SignedIn, pay);
    router.get("/api/sessions/{id}/upgrade", Access::SignedIn, show);
    router.patch("/api/sessions/{id}/upgrade", Access::SignedIn, upgrade);
    router.post("/api/sessions/{id}/suggest-upgrade", Access::SignedIn, suggest);
    router.post("/api/sessions/{id}/extend", Access::SignedIn, extend);
}

#[derive(Serialize)]
struct OfferBody {
    can_upgrade: bool,
    reason: Option<String>,
    upgrade_fee_cents: Option<i64>,
    total_after_upgrade_cents: Option<i64>,
    currency: &'static str,
}

async fn show(person: SignedIn, id: Path<SessionId>, app: Data<Pitlane>) -> ApiResult<Json<OfferBody>> {
    let view = seen(&app, &person, *id, "upgrade").await?;
    let currency = view.currency.as_str();
    let offer = offer_of(&view, &app.catalog).map_err(crate::usecases::Error::from)?;
    Ok(Json(match offer {
        Ok(offer) => OfferBody {
            can_upgrade: true,
            reason: None,
            upgrade_fee_cents: Some(offer.price.fee.minor()),
            total_after_upgrade_cents: Some(offer.price.total_after.minor()),
            currency,
        },
        Err(refusal) => OfferBody {
            can_upgrade: false,
            reason: Some(refusal.to_string()),
            upgrade_fee_cents: None,
            total_after_upgrade_cents: None,
            currency,
        },
    }))
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct PayRequest {
    session_id: SessionId,
    upgrade_amount: Box<RawValue>,
}

#[derive(Serialize)]
struct PaidBody {
    success: bool,
    payment_intent_id: String,
    upgrade_amount: Box<RawValue>,
    message: &'static str,
}

async fn pay(person: SignedIn, body: Keyed<PayRequest>, app: Data<Pitlane>) -> ApiResult<HttpResponse> {
    let Keyed { value: PayRequest { session_id, upgrade_amount }, key } = body;
    let amount = cents(upgrade_amount.get()).ok_or_else(|| {
        let message = "Write the amount as a number with at most two decimals, such as 20.00.";
        Problem::invalid(vec![FieldError::new("upgrade_amount", "invalid", message)])
    })?;
    let customer = person.id();
    key.once(app, customer, move |app| async move {
        let paid = upgrade_session::pay(&app, customer, session_id, amount).await?;
        Ok(HttpResponse::Ok().json(PaidBody {
            success: true,
            payment_intent_id: paid.payment_intent,
            upgrade_amount: dollars(paid.amount),
            message: "Payment processed successfully",
        }))
    })
    .await
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct UpgradeRequest {
    payment_intent_id: String,
}

#[derive(Serialize)]
struct UpgradedBody {
    success: bool,
    message: &'static str,
    session: UpgradedSession,
}

#[derive(Serialize)]
struct UpgradedSession {
    id: SessionId,
    session_type: &'static str,
    base_price: Box<RawValue>,
    upgrade_price: Box<RawValue>,
    total_price: Box<RawValue>,
}

async fn upgrade(
    person: SignedIn,
    id: Path<SessionId>,
    Body(body): Body<UpgradeRequest>,
    app: Data<Pitlane>,
) -> ApiResult<Json<UpgradedBody>> {
    let view = upgrade_session::upgrade(&app, person.id(), *id, &body.payment_intent_id).await?;
    Ok(Json(UpgradedBody {
        success: true,
        message: "Session upgraded to video successfully",
        session: UpgradedSession {
            id: view.id,
            session_type: view.session_type.as_str(),
            base_price: price(&view, view.base_price_cents),
            upgrade_price: price(&view, view.upgrade_price_cents.unwrap_or(0)),
            total_price: price(
                &view,
                view.base_price_cents.saturating_add(view.upgrade_price_cents.unwrap_or(0)),
            ),
        },
    }))
}

async fn suggest(
    person: SignedIn,
    id: Path<SessionId>,
    key: Key,
    app: Data<Pitlane>,
) -> ApiResult<HttpResponse> {
    let (mechanic, name) = (person.id(), person.user().name().to_owned());
    key.once(app, mechanic, move |app| async move {
        let suggested = upgrade_session::suggest(&app, mechanic, *id).await?;
        let mut answer = if suggested.fresh { HttpResponse::Created() } else { HttpResponse::Ok() };
        Ok(answer.json(EventWire::new(&suggested.event, Some(&name))))
    })
    .await
}

async fn extend(
    person: SignedIn,
    id: Path<SessionId>,
    key: Key,
    app: Data<Pitlane>,
) -> ApiResult<HttpResponse> {
    let customer = person.id();
    key.once_from(app, customer, move |app, progress| async move {
        extend_session::extend(&app, customer, *id, progress).await?;
        Ok(HttpResponse::Ok().json(shown(&app, customer, *id).await?))
    })
    .await
}

fn price(view: &SessionView, minor: i64) -> Box<RawValue> {
    dollars(Money::new(minor, view.currency))
}

fn dollars(amount: Money) -> Box<RawValue> {
    RawValue::from_string(amount.decimal()).expect("digits with a point are a JSON number")
}

/// The minor units of a JSON number with at most two decimals; `None` for everything else, and for less than nothing.
fn cents(text: &str) -> Option<i64> {
    let (whole, part) = text.split_once('.').unwrap_or((text, "0"));
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    if !digits(whole) || !digits(part) || part.len() > 2 {
        return None;
    }
    let part: i64 = format!("{part:0<2}").parse().ok()?;
    whole.parse::<i64>().ok()?.checked_mul(100)?.checked_add(part)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dollars_are_read_to_the_cent_and_never_guessed() {
        for (text, minor) in [
            ("20", Some(2_000)),
            ("20.0", Some(2_000)),
            ("20.00", Some(2_000)),
            ("0.5", Some(50)),
            ("19.99", Some(1_999)),
            ("0.07", Some(7)),
            ("20.001", None),
            ("-20", None),
            ("2e1", None),
            ("\"20\"", None),
            ("null", None),
            ("[20]", None),
            ("99999999999999999999", None),
        ] {
            assert_eq!(cents(text), minor, "{text}");
        }
        assert_eq!(dollars(Money::new(2_000, kernel::Currency::Usd)).get(), "20.00");
        assert_eq!(dollars(Money::new(7, kernel::Currency::Usd)).get(), "0.07");
    }
}
