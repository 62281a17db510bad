//! Instants as text of fixed width: `2025-10-19T08:00:00.000000Z`.
//!
//! A row of a session holds up to seven of them and a busy chat reads thousands of rows a second, so they are taken
//! apart by position; a general parser of formats took longer than the query.

use time::{Date, Month, OffsetDateTime, Time, UtcOffset};

const WIDTH: usize = "2025-10-19T08:00:00.000000Z".len();

/// The instant as text, in UTC and cut to microseconds.
///
/// # Errors
/// A year outside 0 to 9999, whose text would have another width.
pub(crate) fn write(at: OffsetDateTime) -> Result<String, std::fmt::Error> {
    let at = at.to_offset(UtcOffset::UTC);
    let year = u32::try_from(at.year()).ok().filter(|year| *year <= 9_999).ok_or(std::fmt::Error)?;
    let mut text = String::with_capacity(WIDTH);
    digits(&mut text, year, 4);
    for (before, number) in [
        ('-', u8::from(at.month())),
        ('-', at.day()),
        ('T', at.hour()),
        (':', at.minute()),
        (':', at.second()),
    ] {
        text.push(before);
        digits(&mut text, number.into(), 2);
    }
    text.push('.');
    digits(&mut text, at.microsecond(), 6);
    text.push('Z');
    Ok(text)
}

fn digits(text: &mut String, number: u32, width: u32) {
    for place in (0..width).rev() {
        let digit = number / 10_u32.pow(place) % 10;
        text.push(char::from_digit(digit, 10).expect("a remainder of ten is a digit"));
    }
}

/// The instant of a text that [`write()`] wrote; `None` for every other.
pub(crate) fn read(text: &str) -> Option<OffsetDateTime> {
    let bytes: &[u8; WIDTH] = text.as_bytes().try_into().ok()?;
    for (place, mark) in
        [(4, b'-'), (7, b'-'), (10, b'T'), (13, b':'), (16, b':'), (19, b'.'), (WIDTH - 1, b'Z')]
    {
        if bytes[place] != mark {
            return None;
        }
    }
    let two = |from: usize| u8::try_from(number(&bytes[from..from + 2])?).ok();
    let year = i32::try_from(number(&bytes[..4])?).ok()?;
    let date = Date::from_calendar_date(year, Month::try_from(two(5)?).ok()?, two(8)?).ok()?;
    let time = Time::from_hms_micro(two(11)?, two(14)?, two(17)?, number(&bytes[20..26])?).ok()?;
    Some(OffsetDateTime::new_utc(date, time))
}

fn number(digits: &[u8]) -> Option<u32> {
    digits.iter().try_fold(0, |number, digit| match digit {
        b'0'..=b'9' => Some(number * 10 + u32::from(digit - b'0')),
        _ => None,
    })
}

#[cfg(test)]
mod tests {
    use time::macros::datetime;

    use super::*;

    #[test]
    fn what_is_written_is_read_back() {
        for (at, text) in [
            (datetime!(2025-10-19 8:00 UTC), "2025-10-19T08:00:00.000000Z"),
            (datetime!(2024-02-29 23:59:59.999999 UTC), "2024-02-29T23:59:59.999999Z"),
            (datetime!(1970-01-01 0:00 UTC), "1970-01-01T00:00:00.000000Z"),
            (datetime!(0001-01-01 0:00:00.000001 UTC), "0001-01-01T00:00:00.000001Z"),
            (datetime!(2025-01-01 1:30 +2:00), "2024-12-31T23:30:00.000000Z"),
        ] {
            assert_eq!(write(at).as_deref(), Ok(text));
            assert_eq!(read(text), Some(at));
        }
    }

    #[test]
    fn what_was_not_written_here_is_not_read() {
        for text in [
            "",
            "2025-10-19T08:00:00Z",
            "2025-10-19 08:00:00.000000Z",
            "2025-13-19T08:00:00.000000Z",
            "2025-02-29T08:00:00.000000Z",
            "2025-10-19T24:00:00.000000Z",
            "2025-10-19T08:00:00.00000aZ",
            "2025-10-19T08:00:00.0000000",
            "+025-10-19T08:00:00.000000Z",
        ] {
            assert_eq!(read(text), None, "{text}");
        }
    }
}
