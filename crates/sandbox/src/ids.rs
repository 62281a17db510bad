//! Random identifiers in Stripe's shapes.

const ALPHABET: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";

/// `prefix_` and `length` letters and digits.
pub(crate) fn random(prefix: &str, length: usize) -> String {
    let mut bytes = vec![0_u8; length];
    getrandom::fill(&mut bytes).expect("the operating system has randomness");
    let letters = bytes.iter().map(|byte| char::from(ALPHABET[usize::from(*byte) % ALPHABET.len()]));
    format!("{prefix}_{}", letters.collect::<String>())
}

/// An object's id: `prefix_` and 24 letters and digits.
pub(crate) fn object(prefix: &str) -> String {
    random(prefix, 24)
}
