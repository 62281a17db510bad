//! `/account`: profile, devices, API tokens.

use accounts::{ApiToken, SignIn};
use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use actix_web::web::Data;
use kernel::{SignInId, Timestamp};
use web::account::{AccountPage, SignInRow, TokenRow};
use web::frame::Nav;

use super::frame::{frame, show};
use crate::http::auth::SignedIn;
use crate::http::{Access, ApiResult, Router};
use crate::state::Pitlane;
use crate::usecases::{account, second_factor, sign_in};

/// Adds the page.
pub fn routes(router: &mut Router) {
    router.get("/account", Access::SignedIn, show_account);
}

async fn show_account(person: SignedIn, app: Data<Pitlane>) -> ApiResult<HttpResponse> {
    let (user, current) = (person.user(), person.0.sign_in());
    let sign_ins = sign_in::list(&app, user.id()).await?;
    let tokens = account::tokens(&app, user.id()).await?;
    let pending_email = account::pending_email(&app, user).await?.map(|email| email.to_string());
    let second_factor = second_factor::standing(&app, user).await?.confirmed_at.is_some();
    let page = AccountPage {
        frame: frame(&app, Some(&person.0), Nav::Account),
        email: user.email().to_string(),
        email_verified: user.email_verified(),
        pending_email,
        has_password: user.password().is_some(),
        second_factor,
        name: user.name().to_owned(),
        time_zone: user.time_zone().to_owned(),
        sign_ins: sign_ins.iter().map(|sign_in| device_row(sign_in, current)).collect(),
        tokens: tokens.iter().map(token_row).collect(),
    };
    show(&page, StatusCode::OK)
}

fn device_row(sign_in: &SignIn, current: Option<SignInId>) -> SignInRow {
    SignInRow {
        id: sign_in.id.to_string(),
        device: browser(sign_in.device.user_agent()),
        created_at: sign_in.created_at.to_string(),
        last_used_at: Some(sign_in.last_seen_at.to_string()),
        current: Some(sign_in.id) == current,
    }
}

fn token_row(token: &ApiToken) -> TokenRow {
    TokenRow {
        id: token.id.to_string(),
        name: token.name.clone(),
        created_at: token.created_at.to_string(),
        last_used_at: token.last_used_at.as_ref().map(Timestamp::to_string),
    }
}

/// `Firefox on Linux` of what a browser says about itself; empty when it says nothing that people know.
///
/// Every browser claims to be several others, so the most particular names are looked for first.
fn browser(agent: &str) -> String {
    let named = |names: &[(&'static str, &'static str)]| {
        names.iter().find(|(mark, _)| agent.contains(mark)).map(|(_, name)| *name)
    };
    let program = named(&[
        ("Edg", "Edge"),
        ("OPR/", "Opera"),
        ("SamsungBrowser/", "Samsung Internet"),
        ("Firefox/", "Firefox"),
        ("FxiOS/", "Firefox"),
        ("CriOS/", "Chrome"),
        ("Chrome/", "Chrome"),
        ("Safari/", "Safari"),
        ("curl/", "curl"),
    ]);
    let system = named(&[
        ("Android", "Android"),
        ("iPhone", "iPhone"),
        ("iPad", "iPad"),
        ("Windows", "Windows"),
        ("Mac OS X", "macOS"),
        ("CrOS", "ChromeOS"),
        ("Linux", "Linux"),
    ]);
    match (program, system) {
        (Some(program), Some(system)) => format!("{program} on {system}"),
        (Some(one), None) | (None, Some(one)) => one.to_owned(),
        (None, None) => String::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::browser;

    #[test]
    fn a_browser_is_named_by_what_it_is_and_not_by_what_it_claims_to_resemble() {
        for (agent, name) in [
            ("Mozilla/5.0 (X11; Linux x86_64; rv:130.0) Gecko/20100101 Firefox/130.0", "Firefox on Linux"),
            (
                "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/129.0 \
                 Safari/537.36 Edg/129.0",
                "Edge on Windows",
            ),
            (
                "Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) \
                 Version/18.0 Mobile/15E148 Safari/604.1",
                "Safari on iPhone",
            ),
            (
                "Mozilla/5.0 (Linux; Android 14) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/129.0 Mobile \
                 Safari/537.36",
                "Chrome on Android",
            ),
            ("curl/8.9.1", "curl"),
            ("", ""),
            ("something else", ""),
        ] {
            assert_eq!(browser(agent), name, "{agent}");
        }
    }
}
