//! Small fragments that templates call for: icons, times and addresses of assets.

use std::fmt;

use askama::filters::HtmlSafe;

use crate::form::Errors;
use crate::session::SessionStatus;
use crate::{assets, clock};

/// One icon of the vendored set, hidden from assistive technology: the text beside it names it.
pub(crate) struct Icon {
    name: &'static str,
    class: &'static str,
}

/// The outlined icon `name` of `static/img/icons.svg`.
pub(crate) fn icon(name: &'static str) -> Icon {
    Icon { name, class: "icon" }
}

/// The filled icon `name` of `static/img/icons.svg`.
pub(crate) fn icon_fill(name: &'static str) -> Icon {
    Icon { name, class: "icon icon-fill" }
}

impl fmt::Display for Icon {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sprite = assets::url("img/icons.svg");
        let Self { name, class } = self;
        write!(f, r##"<svg class="{class}" aria-hidden="true"><use href="{sprite}#i-{name}"/></svg>"##)
    }
}

impl HtmlSafe for Icon {}

/// An instant: in the zone of the viewer's account as the server wrote it, put into the device's by `local-time`.
pub(crate) struct Time {
    instant: String,
    format: &'static str,
    text: String,
}

/// Shows the RFC 3339 `instant` in `zone`. `format` is `time`, `date` or `datetime`.
pub(crate) fn time(instant: &str, format: &'static str, zone: &str) -> Time {
    let text = match format {
        "time" => clock::time(instant, zone),
        "date" => clock::date(instant, zone),
        _ => clock::text(instant, zone),
    };
    Time { instant: instant.to_owned(), format, text }
}

impl fmt::Display for Time {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let instant = escape(&self.instant);
        write!(
            f,
            r#"<local-time format="{}"><time datetime="{instant}">{}</time></local-time>"#,
            self.format,
            escape(&self.text)
        )
    }
}

impl HtmlSafe for Time {}

/// The versioned address of a static file, for `href` and `src`.
pub(crate) fn asset(path: &str) -> String {
    assets::url(path)
}

/// Escapes what has a meaning in HTML text and quoted attributes.
fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

/// A session's state as a chip. `status-badge` changes it on live pages.
pub(crate) fn badge(status: &SessionStatus) -> Markup {
    let (class, mark) = match status {
        SessionStatus::Requested => ("chip", icon("hourglass").to_string()),
        SessionStatus::Scheduled => ("chip", icon("calendar").to_string()),
        SessionStatus::Accepted => ("chip chip-ok", icon("user-check").to_string()),
        SessionStatus::InProgress => ("chip chip-ok", r#"<i class="dot"></i>"#.to_owned()),
        SessionStatus::Completed => ("chip", icon("check").to_string()),
        SessionStatus::Cancelled | SessionStatus::Expired => ("chip", icon("x").to_string()),
    };
    let (code, label) = (status.code(), status.label());
    Markup(format!(
        r#"<status-badge status="{code}"><span class="{class}">{mark}{label}</span></status-badge>"#
    ))
}

/// The fault of one field, to be named by `aria-describedby`.
pub(crate) fn fault(errors: &Errors, field: &str) -> Markup {
    let Some(message) = errors.of(field) else { return Markup(String::new()) };
    let (mark, message) = (icon("circle-alert"), escape(message));
    Markup(format!(r#"<span class="error" id="{field}-error">{mark}{message}</span>"#))
}

/// The attributes that tie a field to its fault and to its hint; `hint` is an id or empty.
pub(crate) fn described(errors: &Errors, field: &str, hint: &str) -> Markup {
    let text = match (errors.of(field).is_some(), hint.is_empty()) {
        (false, true) => String::new(),
        (false, false) => format!(r#" aria-describedby="{hint}""#),
        (true, true) => format!(r#" aria-invalid="true" aria-describedby="{field}-error""#),
        (true, false) => format!(r#" aria-invalid="true" aria-describedby="{field}-error {hint}""#),
    };
    Markup(text)
}

/// A piece of HTML that is already escaped.
pub(crate) struct Markup(String);

impl fmt::Display for Markup {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl HtmlSafe for Markup {}
