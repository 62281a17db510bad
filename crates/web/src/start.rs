//! `/start`: sign in, register, ask for a sign-in link, ask for a new password.
//!
//! The forms post to `/start/login` (`email`, `password`, `redirect`), `/start/register` (`name`, `email`,
//! `password`, `role`, `time_zone`, `redirect`), `/start/magic-link` (`email`, `redirect`; `password` comes along
//! when the button of the sign-in form was used) and `/start/forgot` (`email`). The mode is in the address:
//! `/start?mode=register&redirect=…`.

use askama::Template;

use crate::form::Errors;
use crate::frame::Frame;
use crate::plan::PlanCard;

/// The entry page.
#[derive(Debug, Template)]
#[template(path = "start.html")]
pub struct StartPage {
    /// What surrounds the page.
    pub frame: Frame,
    /// Which of its forms is shown.
    pub mode: Mode,
    /// Where to go afterwards: a path that the caller has already found safe.
    pub redirect: Option<String>,
    /// What was typed. Passwords are never shown again.
    pub form: StartForm,
    /// What was wrong with it; the fault of a sign-in as a whole has no field.
    pub errors: Errors,
    /// The request that waits behind the sign-in, if `redirect` leads to an intake with a plan.
    pub waiting: Option<PlanCard>,
}

/// The forms of the page.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Mode {
    /// Mail address and password.
    #[default]
    SignIn,
    /// A new account.
    Register,
    /// A link by mail.
    MagicLink,
    /// A new password.
    Forgot,
}

/// What was typed.
#[derive(Clone, Debug, Default)]
pub struct StartForm {
    /// The mail address.
    pub email: String,
    /// The name, when registering.
    pub name: String,
    /// Whether a mechanic registers, not a customer.
    pub is_mechanic: bool,
}

impl Mode {
    /// The mode's name in the address.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::SignIn => "sign-in",
            Self::Register => "register",
            Self::MagicLink => "magic-link",
            Self::Forgot => "forgot",
        }
    }

    /// The mode of that name; anything unknown is [`Mode::SignIn`].
    #[must_use]
    pub fn from_code(code: &str) -> Self {
        [Self::Register, Self::MagicLink, Self::Forgot]
            .into_iter()
            .find(|mode| mode.code() == code)
            .unwrap_or_default()
    }
}

impl StartPage {
    /// The page's own address in another mode, the redirect carried along.
    pub(crate) fn href(&self, mode: &str) -> String {
        let redirect = self.redirect.as_deref().map(|path| format!("&redirect={}", encode(path)));
        format!("/start?mode={mode}{}", redirect.unwrap_or_default())
    }

    pub(crate) fn is(&self, mode: &str) -> bool {
        self.mode.code() == mode
    }
}

/// Percent-encodes everything but unreserved characters and `/`.
pub(crate) fn encode(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~/".contains(&byte) {
            out.push(char::from(byte));
        } else {
            out.push_str(&format!("%{byte:02X}"));
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::encode;

    #[test]
    fn a_redirect_survives_its_own_query() {
        assert_eq!(encode("/intake?plan=chat10&x=ü"), "/intake%3Fplan%3Dchat10%26x%3D%C3%BC");
    }
}
