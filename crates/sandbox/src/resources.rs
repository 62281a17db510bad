//! Which resource answers a call to `/v1/*`.

use actix_web::http::Method;

use crate::api::Call;
use crate::document::Kind;
use crate::fault::{Fault, Refusal, Reply, invalid};
use crate::form::Scope;
use crate::state::Tx;
use crate::{
    accounts, balance, charges, checkout, customers, disputes, endpoints, events, intents, line_items, links,
    methods, prices, products, refunds, reversals, setups, transfers,
};

pub(crate) fn answer(tx: &mut Tx<'_>, call: &Call, params: &Scope<'_>) -> Result<Reply, Fault> {
    let segments: Vec<&str> = call.path.split('/').collect();
    let answered = match call.method {
        Method::GET => read(tx, &segments, params)?,
        Method::POST => write(tx, &segments, params)?,
        Method::DELETE => delete(tx, &segments, params)?,
        _ => None,
    };
    answered.ok_or_else(|| {
        let message = format!(
            "Unrecognized request URL ({}: /v1/{}). The sandbox knows a part of Stripe's API only.",
            call.method, call.path
        );
        Refusal::new(404, "invalid_request_error", message).into()
    })
}

fn read(tx: &mut Tx<'_>, segments: &[&str], params: &Scope<'_>) -> Result<Option<Reply>, Fault> {
    let reply = match *segments {
        ["account"] => accounts::platform(tx)?,
        // Not an object of that name.
        [_, "search"] => return Ok(None),
        ["accounts", id] => accounts::retrieve(tx, id, params)?,
        ["balance"] => balance::retrieve(tx, params)?,
        ["charges", id, "refunds"] => refunds::of_charge(tx, id, params)?,
        ["checkout", "sessions", id, "line_items"] => line_items::collection(tx, id, params)?,
        ["customers", id, "payment_methods"] => methods::of_customer(tx, id, params)?,
        ["customers", id, "payment_methods", method] => methods::one_of_customer(tx, id, method, params)?,
        ["transfers", id, "reversals"] => reversals::list(tx, id, params)?,
        ["transfers", id, "reversals", reversal] => reversals::retrieve(tx, id, reversal, params)?,
        ref collection => match list(tx, collection, params)? {
            Some(reply) => reply,
            None => return one(tx, collection, params),
        },
    };
    Ok(Some(reply))
}

fn list(tx: &mut Tx<'_>, segments: &[&str], params: &Scope<'_>) -> Result<Option<Reply>, Fault> {
    let reply = match *segments {
        ["accounts"] => accounts::list(tx, params)?,
        ["balance_transactions"] => balance::list(tx, params)?,
        ["charges"] => charges::list(tx, params)?,
        ["checkout", "sessions"] => checkout::list(tx, params)?,
        ["customers"] => customers::list(tx, params)?,
        ["disputes"] => disputes::list(tx, params)?,
        ["events"] => events::list(tx, params)?,
        ["payment_intents"] => intents::list(tx, params)?,
        ["payment_methods"] => methods::list(tx, params)?,
        ["prices"] => prices::list(tx, params)?,
        ["products"] => products::list(tx, params)?,
        ["refunds"] => refunds::list(tx, params)?,
        ["setup_attempts"] => setups::attempts(tx, params)?,
        ["setup_intents"] => setups::list(tx, params)?,
        ["transfers"] => transfers::list(tx, params)?,
        ["webhook_endpoints"] => endpoints::list(tx, params)?,
        _ => return Ok(None),
    };
    Ok(Some(reply))
}

fn one(tx: &mut Tx<'_>, segments: &[&str], params: &Scope<'_>) -> Result<Option<Reply>, Fault> {
    let (kind, id) = match *segments {
        ["balance_transactions", id] => (Kind::BalanceTransaction, id),
        ["charges", id] => (Kind::Charge, id),
        ["checkout", "sessions", id] => (Kind::Session, id),
        ["customers", id] => (Kind::Customer, id),
        ["disputes", id] => (Kind::Dispute, id),
        ["events", id] => (Kind::Event, id),
        ["payment_intents", id] => (Kind::Intent, id),
        ["payment_methods", id] => (Kind::Method, id),
        ["prices", id] => (Kind::Price, id),
        ["products", id] => (Kind::Product, id),
        ["refunds", id] => (Kind::Refund, id),
        ["setup_intents", id] => (Kind::Setup, id),
        ["transfers", id] => (Kind::Transfer, id),
        ["webhook_endpoints", id] => (Kind::Endpoint, id),
        _ => return Ok(None),
    };
    let by_payer: &[&str] = if matches!(kind, Kind::Intent | Kind::Setup) { &["client_secret"] } else { &[] };
    params.only(by_payer)?;
    let found = tx.require(kind, id, "id")?;
    // Stripe shows deleted customers and nothing else that was deleted.
    if found.flag("deleted") && kind != Kind::Customer {
        return Err(crate::fault::no_such(kind, id, "id").into());
    }
    if let Some(secret) = params.child("client_secret").text()?
        && secret != found.text("client_secret")
    {
        return Err(invalid("The client_secret provided does not match the client_secret of this object.")
            .param("client_secret")
            .into());
    }
    Ok(Some(Reply::ok(found.into_json())))
}

fn write(tx: &mut Tx<'_>, segments: &[&str], params: &Scope<'_>) -> Result<Option<Reply>, Fault> {
    let reply = match *segments {
        ["account_links"] => links::create(tx, params)?,
        ["accounts"] => accounts::create(tx, params)?,
        ["accounts", id] => accounts::update(tx, id, params)?,
        ["charges", id] => charges::update(tx, id, params)?,
        ["checkout", "sessions"] => checkout::create(tx, params)?,
        ["checkout", "sessions", id] => checkout::update(tx, id, params)?,
        ["checkout", "sessions", id, "expire"] => checkout::expire(tx, id, params)?,
        ["customers"] => customers::create(tx, params)?,
        ["customers", id] => customers::update(tx, id, params)?,
        ["disputes", id] => disputes::update(tx, id, params)?,
        ["disputes", id, "close"] => disputes::close(tx, id, params)?,
        ["payment_intents"] => intents::create(tx, params)?,
        ["payment_intents", id] => intents::update(tx, id, params)?,
        ["payment_intents", id, "capture"] => intents::capture(tx, id)?,
        ["payment_intents", id, "cancel"] => intents::cancel(tx, id, params)?,
        ["payment_intents", id, "confirm"] => intents::confirm(tx, id, params)?,
        ["payment_methods"] => methods::create(tx, params)?,
        ["payment_methods", id] => methods::update(tx, id, params)?,
        ["payment_methods", id, "attach"] => methods::attach(tx, id, params)?,
        ["payment_methods", id, "detach"] => methods::detach(tx, id, params)?,
        ["prices"] => prices::create(tx, params)?,
        ["prices", id] => prices::update(tx, id, params)?,
        ["products"] => products::create(tx, params)?,
        ["products", id] => products::update(tx, id, params)?,
        ["refunds"] => refunds::create(tx, params)?,
        ["refunds", id] => refunds::update(tx, id, params)?,
        ["setup_intents"] => setups::create(tx, params)?,
        ["setup_intents", id] => setups::update(tx, id, params)?,
        ["setup_intents", id, "cancel"] => setups::cancel(tx, id, params)?,
        ["setup_intents", id, "confirm"] => setups::confirm(tx, id, params)?,
        ["transfers"] => transfers::create(tx, params)?,
        ["transfers", id] => transfers::update(tx, id, params)?,
        ["transfers", id, "reversals"] => reversals::create(tx, id, params)?,
        ["transfers", id, "reversals", reversal] => reversals::update(tx, id, reversal, params)?,
        ["webhook_endpoints"] => endpoints::create(tx, params)?,
        ["webhook_endpoints", id] => endpoints::update(tx, id, params)?,
        _ => return Ok(None),
    };
    Ok(Some(reply))
}

fn delete(tx: &mut Tx<'_>, segments: &[&str], params: &Scope<'_>) -> Result<Option<Reply>, Fault> {
    let reply = match *segments {
        ["accounts", id] => {
            params.only(&[])?;
            accounts::delete(tx, id)?
        }
        ["customers", id] => {
            params.only(&[])?;
            customers::delete(tx, id)?
        }
        ["products", id] => {
            params.only(&[])?;
            products::delete(tx, id)?
        }
        ["webhook_endpoints", id] => {
            params.only(&[])?;
            endpoints::delete(tx, id)?
        }
        _ => return Ok(None),
    };
    Ok(Some(reply))
}
