//! RFC 3339 instants as text for readers without script. With script `local-time` puts them into the viewer's
//! own zone.

const MONTHS: [&str; 12] =
    ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

/// `2026-11-20T14:35:08Z` as `20 Nov 2026, 14:35 UTC`. Text that is no UTC instant comes back unchanged.
#[must_use]
pub fn utc_text(instant: &str) -> String {
    match (date(instant), time(instant)) {
        (Some(date), Some(time)) => format!("{date}, {time} UTC"),
        _ => instant.to_owned(),
    }
}

/// `2026-11-20T14:35:08Z` as `20 Nov 2026`. Text that is no UTC instant comes back unchanged.
#[must_use]
pub fn utc_date(instant: &str) -> String {
    date(instant).unwrap_or_else(|| instant.to_owned())
}

/// `2026-11-20T14:35:08Z` as `14:35 UTC`. Text that is no UTC instant comes back unchanged.
#[must_use]
pub fn utc_time(instant: &str) -> String {
    time(instant).map_or_else(|| instant.to_owned(), |time| format!("{time} UTC"))
}

fn date(instant: &str) -> Option<String> {
    let mut parts = instant.get(..10)?.split('-');
    let (year, month, day) = (parts.next()?, parts.next()?, parts.next()?);
    let month = MONTHS.get(month.parse::<usize>().ok()?.checked_sub(1)?)?;
    let day: u8 = day.parse().ok()?;
    Some(format!("{day} {month} {year}"))
}

fn time(instant: &str) -> Option<&str> {
    let time = instant.get(11..16)?;
    let utc = instant.ends_with('Z') || instant.ends_with("+00:00");
    (utc && time.as_bytes().get(2) == Some(&b':')).then_some(time)
}

#[cfg(test)]
mod tests {
    use super::{utc_date, utc_text, utc_time};

    #[test]
    fn an_instant_reads_as_a_day_and_a_time() {
        assert_eq!(utc_text("2026-11-20T14:35:08.123456Z"), "20 Nov 2026, 14:35 UTC");
        assert_eq!(utc_text("2026-02-03T00:00:00+00:00"), "3 Feb 2026, 00:00 UTC");
        assert_eq!(utc_date("2026-02-03T00:00:00Z"), "3 Feb 2026");
        assert_eq!(utc_time("2026-02-03T00:07:00Z"), "00:07 UTC");
    }

    #[test]
    fn what_is_no_instant_is_shown_as_it_is() {
        for text in ["", "soon", "2026-13-01T00:00:00Z", "2026-01-01T00:00:00+02:00", "äöü-äöü-äöü"]
        {
            assert_eq!(utc_text(text), text);
        }
    }
}
