//! `limits`: flood control.

use super::reader::Reader;

/// How fast requests may come, as a burst and what comes back of it each second.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rate {
    /// Requests at once.
    pub burst: u32,
    /// Requests a second, in the long run; 0 limits nothing.
    pub per_second: u32,
}

/// `limits`: how fast requests may come, everything but `/api/auth/*` together.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// From one signed-in person.
    pub person: Rate,
    /// From one network address: of IPv6 its /64, because that is what one customer of a provider gets.
    pub address: Rate,
    /// Sockets that one signed-in person may have open at a node; 0 limits nothing.
    pub person_sockets: usize,
}

impl Limits {
    pub(super) fn read(reader: &mut Reader) -> Self {
        let mut section = reader.section("limits");
        Self {
            person: Rate {
                // The API promises that a burst of 100 passes.
                burst: section.number("person_burst", 1_000, 100..=1_000_000),
                per_second: section.number("person_per_second", 100, 0..=1_000_000),
            },
            address: Rate {
                burst: section.number("address_burst", 5_000, 100..=1_000_000),
                per_second: section.number("address_per_second", 500, 0..=1_000_000),
            },
            person_sockets: section.number("person_sockets", 1_000, 0..=1_000_000),
        }
    }
}
