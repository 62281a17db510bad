//! Values that must never be shown.

use std::fmt;

/// A key or password. It is empty when it is not configured. Neither `Debug` nor `Display` shows it.
#[derive(Clone, PartialEq, Eq, Default)]
pub struct Secret(String);

impl Secret {
    /// Hides that text.
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// The text itself, for the one call that needs it.
    pub fn expose(&self) -> &str {
        &self.0
    }

    /// The texts, of a key that may hold several with commas between: while one is being replaced, both are good.
    pub fn each(&self) -> impl Iterator<Item = &str> {
        self.0.split(',').map(str::trim).filter(|secret| !secret.is_empty())
    }

    /// Whether it is not configured.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl fmt::Display for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.0.is_empty() { "" } else { "********" })
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Secret({self})")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_never_prints() {
        let secret = Secret::new("sk_live_1");
        assert!(!format!("{secret} {secret:?} {:?}", Some(&secret)).contains("sk_live"));
        assert_eq!(secret.expose(), "sk_live_1");
    }

    #[test]
    fn several_are_told_apart_by_commas() {
        let each = |text: &str| Secret::new(text).each().map(str::to_owned).collect::<Vec<_>>();
        assert_eq!(each("whsec_old, whsec_new"), ["whsec_old", "whsec_new"]);
        assert_eq!(each("whsec_old"), ["whsec_old"]);
        assert_eq!(each(" ,"), Vec::<String>::new());
    }
}
