//! `/admin/self-check`: whether everything that people rely on works, seen from inside and from this browser.

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use actix_web::web::Data;
use jobs::Store;
use web::frame::Nav;
use web::self_check::{CheckRow, SelfCheckPage};

use super::frame::{frame, show};
use crate::config::{MailProvider, PaymentProvider, SmsProvider};
use crate::http::auth::Staff;
use crate::http::health::{self, Check, Checks};
use crate::http::{Access, ApiResult, Router};
use crate::state::Pitlane;
use crate::usecases::Error;

/// Adds the page.
pub fn routes(router: &mut Router) {
    router.get("/admin/self-check", Access::Staff, look);
}

async fn look(staff: Staff, app: Data<Pitlane>) -> ApiResult<HttpResponse> {
    let Checks { database, jobs, bus, disk, files } = health::look(&app).await;
    let now = app.clock.now();
    let counts = app.db.read(move |tx| Ok::<_, Error>(tx.jobs_count(now)?)).await?;
    let given_up = match counts.dead {
        0 => Check::of(true, "none was given up"),
        1 => Check::of(false, "one was given up; /admin/jobs says why"),
        many => Check::of(false, format!("{many} were given up; /admin/jobs says why")),
    };
    let rows = [
        ("Database", database),
        ("Work in the background", jobs),
        ("Jobs that failed", given_up),
        ("Messages between nodes", bus),
        ("Disk", disk),
        ("Uploads", files),
        ("Public address", address(&app)),
        ("Payments", payments(&app)),
        ("Mail", mail(&app)),
        ("Text messages", texts(&app)),
        ("Support", support(&app)),
    ]
    .into_iter()
    .map(|(name, Check { ok, detail })| CheckRow { name, ok, detail })
    .collect();
    let page =
        SelfCheckPage { frame: frame(&app, Some(&staff.0), Nav::None), looked_at: now.to_string(), rows };
    show(&page, StatusCode::OK)
}

/// Browsers give a microphone, and cookies that stay secret, to https only (OPS-04).
fn address(app: &Pitlane) -> Check {
    let url = &app.settings.server.public_url;
    let secure = url.starts_with("https://") || app.settings.is_development();
    let detail = if secure { url.clone() } else { format!("{url} is not https; set server.public_url") };
    Check::of(secure, detail)
}

fn payments(app: &Pitlane) -> Check {
    let payments = &app.settings.payments;
    match payments.provider {
        PaymentProvider::Sandbox => Check::of(true, "the sandbox: no money moves"),
        PaymentProvider::Stripe if payments.secret_key.expose().contains("_test_") => {
            Check::of(app.settings.is_development(), "Stripe with a test key: no money moves")
        }
        PaymentProvider::Stripe => Check::of(true, "Stripe, live"),
    }
}

fn mail(app: &Pitlane) -> Check {
    match app.settings.mail.provider {
        MailProvider::Mailbox => {
            Check::of(app.settings.is_development(), "into the mailbox: nobody gets a mail")
        }
        MailProvider::Resend if app.settings.mail.resend_webhook_secret.is_empty() => {
            Check::of(false, "Resend, but bounces are not heard of; set mail.resend_webhook_secret")
        }
        MailProvider::Resend => Check::of(true, "Resend, and bounces are heard of"),
    }
}

fn texts(app: &Pitlane) -> Check {
    match app.settings.reach.sms_provider {
        SmsProvider::Twilio => Check::of(true, "Twilio"),
        SmsProvider::Mailbox if app.settings.is_development() => Check::of(true, "into the mailbox"),
        // Nothing is missing: nobody is asked for a telephone.
        SmsProvider::Mailbox => {
            Check::of(true, "none are sent, so nobody is asked for a telephone; sms.provider is mailbox")
        }
    }
}

fn support(app: &Pitlane) -> Check {
    let address = &app.settings.mail.support_address;
    if !app.settings.is_development() && app.settings.has_no_support_address() {
        return Check::of(false, format!("{address} is nobody's; set mail.support_address"));
    }
    Check::of(true, address.clone())
}
