//! What protects an account, and the way out of it.

use web::auth::CodePage;
use web::erase::{ErasePage, ErasedPage};
use web::form::Errors;
use web::frame::{Nav, Role};
use web::second_factor::{AppState, SecondFactorPage};

use super::{Rendered, add, frame};

/// The pages.
pub fn pages(out: &mut Rendered) -> Result<(), web::Error> {
    leaving(out)?;
    second_factor(out)
}

fn leaving(out: &mut Rendered) -> Result<(), web::Error> {
    let asked = ErasePage {
        frame: frame(Some(Role::Customer), Nav::Account),
        email: "maya.torres@example.com".to_owned(),
        has_password: true,
        open_sessions: 2,
        money_years: 10,
        errors: Errors::one("current_password", "That is not your current password."),
    };
    add(out, "erase", &asked)?;
    add(out, "erased", &ErasedPage { frame: frame(None, Nav::None), money_years: 10 })
}

fn second_factor(out: &mut Rendered) -> Result<(), web::Error> {
    let wrong =
        || Errors::one("code", "That code is wrong or was used before. Type the one your app shows now.");
    let code = CodePage { frame: frame(None, Nav::None), ticket: "abc".to_owned(), errors: wrong() };
    add(out, "code", &code)?;
    let picture =
        r#"<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 8 8" fill="none"></svg>"#.to_owned();
    for (name, state) in [
        ("off", AppState::Off { has_password: true }),
        ("begun", AppState::Begun { picture, secret: "GEZDGNBVGY3TQOJQ".to_owned() }),
        ("on", AppState::On { since: "2026-11-20T14:00:00Z".to_owned(), codes_left: 1 }),
        (
            "codes",
            AppState::Codes { codes: vec!["abcdefgh-ijklmnop".to_owned(), "qrstuvwx-yz234567".to_owned()] },
        ),
    ] {
        let frame = frame(Some(Role::Admin), Nav::Account);
        let page = SecondFactorPage { frame, state, required: true, errors: wrong() };
        add(out, &format!("second-factor-{name}"), &page)?;
    }
    Ok(())
}
