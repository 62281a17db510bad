//! Amounts as people read them, and addresses.

use url::Url;

/// Currencies whose smallest unit is the whole (<https://docs.stripe.com/currencies#zero-decimal>).
const WHOLE: [&str; 16] = [
    "bif", "clp", "djf", "gnf", "jpy", "kmf", "krw", "mga", "pyg", "rwf", "ugx", "vnd", "vuv", "xaf", "xof",
    "xpf",
];

/// What can be charged in (<https://docs.stripe.com/currencies>).
const KNOWN: &str = "aed afn all amd ang aoa ars aud awg azn bam bbd bdt bgn bhd bif bmd bnd bob brl bsd bwp byn bzd cad \
    cdf chf clp cny cop crc cve czk djf dkk dop dzd egp etb eur fjd fkp gbp gel gip gmd gnf gtq gyd hkd hnl htg huf idr \
    ils inr isk jmd jod jpy kes kgs khr kmf krw kwd kyd kzt lak lbp lkr lrd lsl mad mdl mga mkd mmk mnt mop mur mvr mwk \
    mxn myr mzn nad ngn nio nok npr nzd omr pab pen pgk php pkr pln pyg qar ron rsd rub rwf sar sbd scr sek sgd shp sle \
    sos srd std szl thb tjs tnd top try ttd twd tzs uah ugx usd uyu uzs vnd vuv wst xaf xcd xcg xof xpf yer zar zmw";

/// Whether a currency, in lower case, can be charged in.
pub(crate) fn is_currency(code: &str) -> bool {
    KNOWN.split_ascii_whitespace().any(|known| known == code)
}

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
