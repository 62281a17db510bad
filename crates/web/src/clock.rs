//! RFC 3339 instants as text in the reader's zone. On pages it is what readers without script see, and `local-time`
//! puts it into the zone of the device; mails have nothing else.

use jiff::Timestamp;
use jiff::fmt::strtime;
use jiff::tz::TimeZone;

/// `2026-11-20T14:35:08Z` for a reader in `Europe/Berlin` as `20 Nov 2026, 15:35 CET`.
///
/// A zone whose hours have no letters of their own is told by its distance, `UTC-03:00`; one that is not known, or
/// an empty name, is UTC. Text that is no instant comes back unchanged, here and below.
#[must_use]
pub fn text(instant: &str, zone: &str) -> String {
    told(instant, zone, "%-d %b %Y, %H:%M", true)
}

/// The same with the month in full, for mails: `20 November 2026, 15:35 CET`.
#[must_use]
pub fn long_text(instant: &str, zone: &str) -> String {
    told(instant, zone, "%-d %B %Y, %H:%M", true)
}

/// `2026-11-20T14:35:08Z` as `20 Nov 2026`: the day that it is in that zone.
#[must_use]
pub fn date(instant: &str, zone: &str) -> String {
    told(instant, zone, "%-d %b %Y", false)
}

/// The same with the month in full: `20 November 2026`.
#[must_use]
pub fn long_date(instant: &str, zone: &str) -> String {
    told(instant, zone, "%-d %B %Y", false)
}

/// `2026-11-20T14:35:08Z` as `15:35 CET`.
#[must_use]
pub fn time(instant: &str, zone: &str) -> String {
    told(instant, zone, "%H:%M", true)
}

fn told(instant: &str, zone: &str, format: &str, with_zone: bool) -> String {
    let Ok(at) = instant.parse::<Timestamp>() else { return instant.to_owned() };
    let at = at.to_zoned(TimeZone::get(zone).unwrap_or(TimeZone::UTC));
    let Ok(text) = strtime::format(format, &at) else { return instant.to_owned() };
    if !with_zone {
        return text;
    }
    let letters = at.time_zone().to_offset_info(at.timestamp()).abbreviation().to_owned();
    if letters.starts_with(|first: char| first.is_ascii_alphabetic()) {
        format!("{text} {letters}")
    } else {
        let distance = strtime::format("%:z", &at).unwrap_or_default();
        format!("{text} UTC{distance}")
    }
}

#[cfg(test)]
mod tests {
    use super::{date, long_text, text, time};

    #[test]
    fn an_instant_reads_as_a_day_and_a_time_of_the_readers_zone() {
        for (instant, zone, expected) in [
            ("2026-11-20T14:35:08.123456Z", "UTC", "20 Nov 2026, 14:35 UTC"),
            ("2026-02-03T00:00:00+00:00", "", "3 Feb 2026, 00:00 UTC"),
            ("2026-11-25T13:35:00Z", "Europe/Berlin", "25 Nov 2026, 14:35 CET"),
            ("2026-07-25T13:35:00Z", "Europe/Berlin", "25 Jul 2026, 15:35 CEST"),
            ("2026-11-25T03:35:00Z", "America/Chicago", "24 Nov 2026, 21:35 CST"),
            ("2026-11-25T03:35:00Z", "America/Sao_Paulo", "25 Nov 2026, 00:35 UTC-03:00"),
            ("2026-11-25T18:40:00Z", "Asia/Kathmandu", "26 Nov 2026, 00:25 UTC+05:45"),
            ("2026-11-25T18:40:00Z", "Europe/Atlantis", "25 Nov 2026, 18:40 UTC"),
        ] {
            assert_eq!(text(instant, zone), expected);
        }
        assert_eq!(long_text("2026-11-25T13:35:00Z", "Europe/Berlin"), "25 November 2026, 14:35 CET");
        assert_eq!(date("2026-02-03T23:30:00Z", "Europe/Berlin"), "4 Feb 2026");
        assert_eq!(time("2026-02-03T00:07:00Z", "UTC"), "00:07 UTC");
    }

    #[test]
    fn the_hour_that_a_change_of_the_clocks_gives_twice_is_told_apart() {
        assert_eq!(time("2026-10-25T00:30:00Z", "Europe/Berlin"), "02:30 CEST");
        assert_eq!(time("2026-10-25T01:30:00Z", "Europe/Berlin"), "02:30 CET");
    }

    #[test]
    fn what_is_no_instant_is_shown_as_it_is() {
        for instant in ["", "soon", "2026-13-01T00:00:00Z", "äöü-äöü-äöü"] {
            assert_eq!(text(instant, "UTC"), instant);
        }
    }
}
