//! Amounts as people read them, and addresses.

use url::Url;

/// Currencies whose smallest unit is the whole (<https://docs.stripe.com/currencies#zero-decimal>).
const WHOLE: [&str; 16] = [
    "bif", "clp", "djf", "gnf", "jpy", "kmf", "krw", "mga", "pyg", "rwf", "ugx", "vnd", "vuv", "xaf", "xof",
    "xpf",
];

/// `2999, "usd"` is `$29.99`.
pub(crate) fn display(minor: i64, currency: &str) -> String {
    let sign = if minor < 0 { "-" } else { "" };
    let minor = minor.unsigned_abs();
    let figures = if WHOLE.contains(&currency) {
        minor.to_string()
    } else {
        format!("{}.{:02}", minor / 100, minor % 100)
    };
    match currency {
        "usd" => format!("{sign}${figures}"),
        "eur" => format!("{sign}€{figures}"),
        "gbp" => format!("{sign}£{figures}"),
        other => format!("{sign}{figures} {}", other.to_uppercase()),
    }
}

/// The address, when it is an absolute `http` or `https` one with a host.
pub(crate) fn web_address(text: &str) -> Option<Url> {
    Url::parse(text).ok().filter(|url| matches!(url.scheme(), "http" | "https") && url.host().is_some())
}

#[cfg(test)]
mod tests {
    use super::display;

    #[test]
    fn amounts_read_as_money() {
        for (minor, currency, wanted) in [
            (2999, "usd", "$29.99"),
            (5, "usd", "$0.05"),
            (-150, "eur", "-€1.50"),
            (1200, "jpy", "1200 JPY"),
            (1200, "chf", "12.00 CHF"),
        ] {
            assert_eq!(display(minor, currency), wanted);
        }
    }
}
