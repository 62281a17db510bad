//! `/admin/self-check`: whether everything that people rely on works, seen from inside and from this browser.

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use actix_web::web::Data;
use jobs::Store;
use kernel::Timestamp;
use store::views;
use store::views::admin::Elsewhere;
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
    let seen = app.db.read(move |tx| Ok::<_, Error>((tx.jobs_count(now)?, views::admin::elsewhere(tx)?)));
    let (counts, elsewhere) = seen.await?;
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
        ("Payments", payments(&app, &elsewhere, now)),
        ("Mail", mail(&app, &elsewhere, now)),
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

fn payments(app: &Pitlane, elsewhere: &Elsewhere, now: Timestamp) -> Check {
    let payments = &app.settings.payments;
    match payments.provider {
        PaymentProvider::Sandbox => Check::of(true, "the sandbox: no money moves"),
        PaymentProvider::Stripe if payments.secret_key.expose().contains("_test_") => {
            Check::of(app.settings.is_development(), "Stripe with a test key: no money moves")
        }
        PaymentProvider::Stripe => stripe(elsewhere, now),
    }
}

/// Whether it answers, and what it told.
fn stripe(elsewhere: &Elsewhere, now: Timestamp) -> Check {
    let answered = elsewhere.answered_at.map_or("never".to_owned(), |at| ago(at, now));
    if elsewhere.in_vain {
        let detail =
            format!("Stripe, live, but it was asked in vain; it last answered: {answered}. The log says why");
        return Check::of(false, detail);
    }
    let told = elsewhere.told_at.map_or("never".to_owned(), |at| ago(at, now));
    Check::of(true, format!("Stripe, live; it last answered: {answered}; it last told of something: {told}"))
}

/// How long ago something was, in words.
fn ago(at: Timestamp, now: Timestamp) -> String {
    let seconds = now.seconds_since(at).max(0);
    let (count, unit) = match seconds {
        ..60 => return "just now".to_owned(),
        60..3_600 => (seconds / 60, "minute"),
        3_600..86_400 => (seconds / 3_600, "hour"),
        86_400.. => (seconds / 86_400, "day"),
    };
    format!("{count} {unit}{} ago", if count == 1 { "" } else { "s" })
}

fn mail(app: &Pitlane, elsewhere: &Elsewhere, now: Timestamp) -> Check {
    match app.settings.mail.provider {
        MailProvider::Mailbox => {
            Check::of(app.settings.is_development(), "into the mailbox: nobody gets a mail")
        }
        MailProvider::Resend if app.settings.mail.resend_webhook_secret.is_empty() => {
            Check::of(false, "Resend, but bounces are not heard of; set mail.resend_webhook_secret")
        }
        MailProvider::Resend => {
            let mailed = elsewhere.mailed_at.map_or("never".to_owned(), |at| ago(at, now));
            Check::of(true, format!("Resend, and bounces are heard of; it last took a mail: {mailed}"))
        }
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stripe_that_is_asked_in_vain_does_not_work() {
        let now = Timestamp::from_unix_seconds(1_760_860_800).expect("in range");
        let before = |seconds: i64| Some(now.plus_seconds(-seconds));
        let works = Elsewhere { answered_at: before(59), told_at: before(7_300), ..Elsewhere::default() };
        let Check { ok, detail } = stripe(&works, now);
        let right = "Stripe, live; it last answered: just now; it last told of something: 2 hours ago";
        assert_eq!((ok, detail.as_str()), (true, right));
        let Check { ok, detail } =
            stripe(&Elsewhere { in_vain: true, answered_at: before(90), ..works }, now);
        assert!(!ok && detail.contains("in vain; it last answered: 1 minute ago"), "{detail}");
        let Check { ok, detail } = stripe(&Elsewhere { in_vain: true, ..Elsewhere::default() }, now);
        assert!(!ok && detail.contains("it last answered: never"), "{detail}");
        assert_eq!(ago(now.plus_seconds(-3 * 86_400), now), "3 days ago");
    }
}
