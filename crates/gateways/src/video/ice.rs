//! STUN and TURN servers as browsers take them.
//!
//! A TURN server relays for whoever knows a name and a password, so it gets passwords of limited life: the name is the
//! time at which they end and who asked, the password is the name's HMAC under a secret that the server shares. coturn
//! calls that `use-auth-secret` (<https://datatracker.ietf.org/doc/html/draft-uberti-behave-turn-rest-00>).

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit, Mac};
use kernel::Timestamp;
use kernel::id::UserId;
use sessions::IceServer;
use sha1::Sha1;

/// The servers that two browsers find each other with.
#[derive(Clone, Default)]
pub struct Ice {
    /// `stun:`, `stuns:`, `turn:` and `turns:` addresses.
    pub urls: Vec<String>,
    /// What the TURN servers share with us; empty where there are none.
    pub turn_secret: String,
}

impl Ice {
    /// The servers for one person until then: STUN servers as they are, TURN servers with a password.
    pub fn servers(&self, user: UserId, expires_at: Timestamp) -> Vec<IceServer> {
        let (relays, finders): (Vec<String>, Vec<String>) =
            self.urls.iter().cloned().partition(|url| is_relay(url));
        let finders = (!finders.is_empty()).then_some(IceServer { urls: finders, credential: None });
        let credential = || credential(&self.turn_secret, user, expires_at);
        let relays = (!relays.is_empty()).then(|| IceServer { urls: relays, credential: Some(credential()) });
        finders.into_iter().chain(relays).collect()
    }
}

/// Whether a server relays, and so wants a password.
pub fn is_relay(url: &str) -> bool {
    url.starts_with("turn:") || url.starts_with("turns:")
}

fn credential(secret: &str, user: UserId, expires_at: Timestamp) -> (String, String) {
    let name = format!("{}:{user}", expires_at.unix_seconds());
    let mut mac = Hmac::<Sha1>::new_from_slice(secret.as_bytes()).expect("HMAC takes a key of any length");
    mac.update(name.as_bytes());
    let password = STANDARD.encode(mac.finalize().into_bytes());
    (name, password)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::video::samples::{dana, then};

    // `printf 1764115200:0198…0b | openssl dgst -sha1 -hmac turn-secret-of-the-test -binary | base64`
    #[test]
    fn a_password_for_turn_is_the_hmac_of_its_end_and_its_owner() {
        let (name, password) = credential("turn-secret-of-the-test", dana().user, then());
        assert_eq!(name, "1764115200:0198d7a0-0000-7000-8000-00000000000b");
        assert_eq!(password, "TPmkeBT5ny7RB+6ejG18rHsgXfI=");
    }

    #[test]
    fn only_relays_get_a_password() {
        let urls = ["stun:a.example", "turn:b.example:3478", "turns:b.example", "stuns:a.example"];
        let ice = Ice { urls: urls.map(str::to_owned).to_vec(), turn_secret: "s".repeat(16) };
        let servers = ice.servers(dana().user, then());
        let told: Vec<(Vec<&str>, bool)> = servers
            .iter()
            .map(|one| (one.urls.iter().map(String::as_str).collect(), one.credential.is_some()))
            .collect();
        let expected = [(vec!["stun:a.example", "stuns:a.example"], false), (vec![urls[1], urls[2]], true)];
        assert_eq!(told, expected);
        assert_eq!(Ice::default().servers(dana().user, then()), []);
    }
}
