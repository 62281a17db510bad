//! `/account`: profile, devices, API tokens.

mod cards;
pub(super) mod cars;
mod mails;

use accounts::{ApiToken, SignIn};
use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use actix_web::web::Data;
use kernel::{SignInId, Timestamp};
use web::account::{AccountPage, PhoneSection, SignInRow, TokenRow};
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
    let cars = cars::section(&app, user).await?;
    let cards = cards::section(&app, user).await?;
    let mails = mails::section(&app, user).await?;
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
        phone: PhoneSection {
            number: user.phone().map(str::to_owned),
            verified: user.phone_verified(),
            offered: app.settings.reaches_telephones(),
        },
        cars,
        cards,
        mails,
        sign_ins: sign_ins.iter().map(|sign_in| device_row(sign_in, current)).collect(),
        tokens: tokens.iter().map(token_row).collect(),
    };
    show(&page, StatusCode::OK)
}

fn device_row(sign_in: &SignIn, current: Option<SignInId>) -> SignInRow {
    SignInRow {
        id: sign_in.id.to_string(),
        device: sign_in.device.name(),
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
