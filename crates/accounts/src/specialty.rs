//! What mechanics are good at: a fixed list, so that customers can search by it.

/// One entry of the list.
#[derive(Debug, PartialEq, Eq)]
struct Entry {
    code: &'static str,
    label: &'static str,
}

/// The list, in the order in which people choose from it. Codes are stored: they are never renamed or removed.
const ENTRIES: [Entry; 16] = [
    Entry { code: "engine", label: "Engine" },
    Entry { code: "brakes", label: "Brakes" },
    Entry { code: "transmission", label: "Transmission and clutch" },
    Entry { code: "suspension_steering", label: "Suspension and steering" },
    Entry { code: "electrical", label: "Electrical system" },
    Entry { code: "diagnostics", label: "Warning lights and diagnostics" },
    Entry { code: "cooling_heating", label: "Cooling and heating" },
    Entry { code: "air_conditioning", label: "Air conditioning" },
    Entry { code: "fuel_exhaust", label: "Fuel and exhaust" },
    Entry { code: "hybrid_electric", label: "Hybrid and electric cars" },
    Entry { code: "diesel", label: "Diesel engines" },
    Entry { code: "tires_wheels", label: "Tires and wheels" },
    Entry { code: "body_glass", label: "Body and glass" },
    Entry { code: "european", label: "European cars" },
    Entry { code: "asian", label: "Asian cars" },
    Entry { code: "american", label: "American cars" },
];

/// Something a mechanic is good at. Only values of the list exist.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Specialty(&'static Entry);

impl Specialty {
    /// Every specialty, in the order in which people choose from them.
    pub fn all() -> impl Iterator<Item = Self> {
        ENTRIES.iter().map(Self)
    }

    /// The stored and published name.
    pub const fn code(self) -> &'static str {
        self.0.code
    }

    /// The name for people.
    pub const fn label(self) -> &'static str {
        self.0.label
    }

    /// The specialty of that code.
    pub fn parse(code: &str) -> Option<Self> {
        Self::all().find(|specialty| specialty.code() == code)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_code_is_read_back_and_none_stands_twice() {
        let mut codes: Vec<_> = Specialty::all().map(Specialty::code).collect();
        for code in &codes {
            assert_eq!(Specialty::parse(code).map(Specialty::code), Some(*code));
        }
        codes.sort_unstable();
        codes.dedup();
        assert_eq!(codes.len(), ENTRIES.len());
        assert_eq!(Specialty::parse("Engine"), None);
    }
}
