//! Vehicle identification numbers (ISO 3779; for North America 49 CFR 565).

use std::fmt;

/// Why a text is no vehicle identification number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum VinFault {
    /// Not 17 characters.
    #[error("A VIN has 17 characters; this one has {0}.")]
    Length(usize),
    /// A character that no VIN has.
    #[error("A VIN has no {0:?}. It uses digits and letters without I, O and Q.")]
    Character(char),
    /// The ninth character does not fit the others: something is mistyped.
    #[error(
        "This VIN has a typing error: its check digit should be {expected}. Compare it with the car's papers."
    )]
    CheckDigit {
        /// What the ninth character would be if the others were right.
        expected: char,
    },
    /// The tenth character names no model year.
    #[error("This VIN has a typing error: its 10th character, {0:?}, stands for no model year.")]
    ModelYear(char),
}

impl VinFault {
    /// A stable code.
    pub const fn code(self) -> &'static str {
        match self {
            Self::Length(_) => "vin_length",
            Self::Character(_) => "vin_character",
            Self::CheckDigit { .. } => "vin_check_digit",
            Self::ModelYear(_) => "vin_model_year",
        }
    }
}

/// A vehicle identification number: 17 digits and capital letters without I, O and Q. One from North America has a
/// right check digit and a model year.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Vin(String);

impl Vin {
    /// Reads a number as it was typed: any case, blanks and hyphens are left out.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn parse(text: &str) -> Result<Self, VinFault> {
        let text: String =
            text.chars().filter(|c| !c.is_whitespace() && *c != '-').flat_map(char::to_uppercase).collect();
        if let Some(bad) = text.chars().find(|c| transliterated(*c).is_none()) {
            return Err(VinFault::Character(bad));
        }
        // Only ASCII is left.
        if text.len() != 17 {
            return Err(VinFault::Length(text.len()));
        }
        let vin = Self(text);
        if vin.is_north_american() {
            let expected = vin.check_digit();
            if vin.at(9) != expected {
                return Err(VinFault::CheckDigit { expected });
            }
            if year_in_cycle(vin.at(10)).is_none() {
                return Err(VinFault::ModelYear(vin.at(10)));
            }
        }
        Ok(vin)
    }

    /// The 17 characters.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether its maker is registered in North America, where check digit and model year are law: its first
    /// character is 1 to 5. Elsewhere neither is promised, so neither is judged.
    pub fn is_north_american(&self) -> bool {
        matches!(self.at(1), '1'..='5')
    }

    /// The model year of a North American number, 1980 to 2039; `None` elsewhere.
    ///
    /// The tenth character repeats every 30 years. On passenger cars and light trucks the seventh tells which round
    /// it is: a digit up to 2009, a letter from 2010 on (49 CFR 565.15).
    pub fn model_year(&self) -> Option<u16> {
        if !self.is_north_american() {
            return None;
        }
        let round = if self.at(7).is_ascii_digit() { 1980 } else { 2010 };
        year_in_cycle(self.at(10)).map(|offset| round + offset)
    }

    // The weighted sum modulo 11, ten written as X.
    fn check_digit(&self) -> char {
        const WEIGHTS: [u32; 17] = [8, 7, 6, 5, 4, 3, 2, 10, 0, 9, 8, 7, 6, 5, 4, 3, 2];
        let sum: u32 =
            self.0.chars().zip(WEIGHTS).map(|(c, weight)| transliterated(c).unwrap_or(0) * weight).sum();
        char::from_digit(sum % 11, 10).unwrap_or('X')
    }

    // Positions are counted from 1, as every text about these numbers does.
    fn at(&self, position: usize) -> char {
        self.0.chars().nth(position - 1).unwrap_or('0')
    }
}

impl fmt::Display for Vin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

// The value of a character in the sum; `None` for characters that no VIN has.
fn transliterated(c: char) -> Option<u32> {
    match c {
        '0'..='9' => c.to_digit(10),
        'A' | 'J' => Some(1),
        'B' | 'K' | 'S' => Some(2),
        'C' | 'L' | 'T' => Some(3),
        'D' | 'M' | 'U' => Some(4),
        'E' | 'N' | 'V' => Some(5),
        'F' | 'W' => Some(6),
        'G' | 'P' | 'X' => Some(7),
        'H' | 'Y' => Some(8),
        'R' | 'Z' => Some(9),
        _ => None,
    }
}

// How many years after the start of its 30-year round a model year's character stands.
fn year_in_cycle(c: char) -> Option<u16> {
    "ABCDEFGHJKLMNPRSTVWXY123456789"
        .chars()
        .position(|known| known == c)
        .and_then(|at| u16::try_from(at).ok())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::{any, proptest};
    use proptest::sample::select;

    use super::*;

    #[test]
    fn real_numbers_pass_and_tell_their_year() {
        let cases = [
            ("1HGCM82633A004352", Some(2003)),
            ("1M8GDM9AXKP042788", Some(1989)),
            ("5GZCZ43D13S812715", Some(2003)),
            ("1FTFW1ET9DFC10312", Some(2013)),
            ("11111111111111111", Some(2001)),
            ("  1hgcm-82633-a004352 ", Some(2003)),
            // Europe and Japan promise neither check digit nor year.
            ("WVWZZZ1JZ3W386752", None),
            ("JH4KA7561PC008269", None),
        ];
        for (text, year) in cases {
            assert_eq!(Vin::parse(text).map(|vin| vin.model_year()), Ok(year), "{text}");
        }
    }

    #[test]
    fn a_mistake_is_named() {
        let cases = [
            ("", VinFault::Length(0)),
            ("1HGCM82633A00435", VinFault::Length(16)),
            ("1HGCM82633A0043522", VinFault::Length(18)),
            ("IHGCM82633A004352", VinFault::Character('I')),
            ("1HGCM82633A0O4352", VinFault::Character('O')),
            ("1HGCM82633A0Q4352", VinFault::Character('Q')),
            ("1HGCM82633A00435é", VinFault::Character('É')),
            ("1HGCM82633A004353", VinFault::CheckDigit { expected: '5' }),
            ("1HGCM82643A004352", VinFault::CheckDigit { expected: '3' }),
        ];
        for (text, fault) in cases {
            assert_eq!(Vin::parse(text), Err(fault), "{text}");
        }
    }

    #[test]
    fn a_year_character_that_does_not_exist_is_refused() {
        for year in ['U', 'Z', '0'] {
            let candidates = "0123456789X".chars().map(|check| format!("1HGCM826{check}{year}A004352"));
            let faults: Vec<_> = candidates.filter_map(|text| Vin::parse(&text).err()).collect();
            assert!(faults.contains(&VinFault::ModelYear(year)), "{year}: {faults:?}");
            assert_eq!(faults.len(), 11, "{year}");
        }
    }

    proptest! {
        #[test]
        fn any_text_is_judged(text in any::<String>()) {
            if let Ok(vin) = Vin::parse(&text) {
                assert_eq!(Vin::parse(vin.as_str()), Ok(vin));
            }
        }

        // What the check digit is for: a single wrong character (of another value) never passes.
        #[test]
        fn one_mistyped_character_is_always_found(
            at in select((0usize..17).filter(|at| *at != 8).collect::<Vec<_>>()),
            typed in select("0123456789ABCDEFGHJKLMNPRSTUVWXYZ".chars().collect::<Vec<_>>()),
        ) {
            let mut wrong: Vec<char> = "1HGCM82633A004352".chars().collect();
            let right = std::mem::replace(&mut wrong[at], typed);
            let text: String = wrong.into_iter().collect();
            if transliterated(typed) != transliterated(right) && matches!(text.chars().next(), Some('1'..='5')) {
                assert!(Vin::parse(&text).is_err(), "{text}");
            }
        }
    }
}
