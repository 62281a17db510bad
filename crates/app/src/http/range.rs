//! `Range`: a part of a file, so that sounds and videos can be seeked and downloads go on where they broke off.

use std::ops::Range;

/// What a client asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Asked {
    /// Everything, or what is answered with everything: several ranges, another unit, nonsense.
    Whole,
    /// These bytes, never none.
    Part(Range<u64>),
    /// Bytes that are not there.
    Nothing,
}

/// Reads the value of a `Range` header about that many bytes, as RFC 9110 has it.
pub fn read(value: &str, size: u64) -> Asked {
    let Some((first, last)) = value.trim().strip_prefix("bytes=").and_then(|range| range.split_once('-'))
    else {
        return Asked::Whole;
    };
    let range = match (number(first), number(last)) {
        (Some(Some(first)), Some(None)) => first..size,
        (Some(Some(first)), Some(Some(last))) if first <= last => first..size.min(last.saturating_add(1)),
        (Some(None), Some(Some(length))) => size.saturating_sub(length)..size,
        _ => return Asked::Whole,
    };
    if range.is_empty() { Asked::Nothing } else { Asked::Part(range) }
}

// Nothing, a number, or neither.
fn number(text: &str) -> Option<Option<u64>> {
    match text.trim() {
        "" => Some(None),
        digits if digits.bytes().all(|byte| byte.is_ascii_digit()) => {
            Some(Some(digits.parse().unwrap_or(u64::MAX)))
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_range_is_what_the_standard_says() {
        for (value, asked) in [
            ("bytes=0-0", Asked::Part(0..1)),
            ("bytes=0-99", Asked::Part(0..10)),
            ("bytes=3-", Asked::Part(3..10)),
            ("bytes=-3", Asked::Part(7..10)),
            ("bytes=-99", Asked::Part(0..10)),
            ("bytes=9-99999999999999999999999", Asked::Part(9..10)),
            ("bytes=10-", Asked::Nothing),
            ("bytes=-0", Asked::Nothing),
            ("bytes=5-4", Asked::Whole),
            ("bytes=-", Asked::Whole),
            ("bytes=0-1,3-4", Asked::Whole),
            ("bytes=a-b", Asked::Whole),
            ("bytes=+1-2", Asked::Whole),
            ("lines=0-1", Asked::Whole),
            ("", Asked::Whole),
        ] {
            assert_eq!(read(value, 10), asked, "{value}");
        }
    }
}
