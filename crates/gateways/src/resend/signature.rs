//! The signature of a webhook (<https://resend.com/docs/dashboard/webhooks/verify-webhooks-requests>).

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use subtle::ConstantTimeEq;

/// More values than a header can honestly carry: there is one for each secret that is valid.
const MAX_PARTS: usize = 16;

/// The three headers that come with a webhook.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Signature<'h> {
    /// `svix-id`: the same when the webhook comes again.
    pub id: &'h str,
    /// `svix-timestamp`: when it was sent, in seconds since 1970.
    pub timestamp: &'h str,
    /// `svix-signature`: `v1,BASE64`, several of them with spaces between.
    pub values: &'h str,
}

/// The webhook was not sent by Resend, not to us, or too long ago.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the signature of the mail webhook is wrong or old")]
pub struct BadSignature;

impl Signature<'_> {
    /// Proves that `body` was signed with one of `secrets` at most `tolerance_seconds` before or after
    /// `now_unix_seconds`. A secret is `whsec_` and the key in base64.
    ///
    /// # Errors
    /// [`BadSignature`]
    pub fn verify<'s>(
        self,
        body: &[u8],
        secrets: impl IntoIterator<Item = &'s str>,
        tolerance_seconds: u64,
        now_unix_seconds: i64,
    ) -> Result<(), BadSignature> {
        let seconds: i64 = self.timestamp.parse().map_err(|_| BadSignature)?;
        let given: Vec<Vec<u8>> = self
            .values
            .split(' ')
            .take(MAX_PARTS)
            .filter_map(|part| STANDARD.decode(part.strip_prefix("v1,")?).ok())
            .collect();
        let genuine = secrets.into_iter().filter_map(key).any(|key| {
            let expected = self.sign(&key, body);
            // No short circuit: every value is compared with every secret's.
            given.iter().fold(false, |found, value| bool::from(expected.as_slice().ct_eq(value)) | found)
        });
        if genuine && now_unix_seconds.abs_diff(seconds) <= tolerance_seconds {
            Ok(())
        } else {
            Err(BadSignature)
        }
    }

    fn sign(self, key: &[u8], body: &[u8]) -> Vec<u8> {
        let mut mac = Hmac::<Sha256>::new_from_slice(key).expect("HMAC takes a key of any length");
        for part in [self.id.as_bytes(), b".", self.timestamp.as_bytes(), b".", body] {
            mac.update(part);
        }
        mac.finalize().into_bytes().to_vec()
    }
}

fn key(secret: &str) -> Option<Vec<u8>> {
    let key = STANDARD.decode(secret.trim().strip_prefix("whsec_")?).ok()?;
    (!key.is_empty()).then_some(key)
}

#[cfg(test)]
mod tests {
    use super::*;

    // The key is the 24 bytes "pitlane-webhook-secret-1"; the signature was computed with OpenSSL's command line.
    const SECRET: &str = "whsec_cGl0bGFuZS13ZWJob29rLXNlY3JldC0x";
    const OTHER: &str = "whsec_b3RoZXI=";
    const BODY: &[u8] = br#"{"type":"email.bounced"}"#;
    const TIME: &str = "1764115200";
    const NOW: i64 = 1_764_115_200;
    const VALUE: &str = "v1,EubYppRL6j12yiTNTYEICihRDEoC4ulT1yHLFZ78WIE=";

    fn check(values: &str, body: &[u8], now: i64) -> Result<(), BadSignature> {
        Signature { id: "msg_1", timestamp: TIME, values }.verify(body, [OTHER, SECRET], 300, now)
    }

    #[test]
    fn a_known_signature_passes_with_either_secret_and_beside_other_values() {
        assert_eq!(check(VALUE, BODY, NOW), Ok(()));
        assert_eq!(check(&format!("v1,AAAA v2,x {VALUE}"), BODY, NOW + 299), Ok(()));
    }

    #[test]
    fn anything_else_is_refused() {
        assert_eq!(check(VALUE, b"{}", NOW), Err(BadSignature), "another body");
        assert_eq!(check(VALUE, BODY, NOW + 301), Err(BadSignature), "too old");
        assert_eq!(check("", BODY, NOW), Err(BadSignature));
        let signed = Signature { id: "msg_2", timestamp: TIME, values: VALUE };
        assert_eq!(signed.verify(BODY, [SECRET], 300, NOW), Err(BadSignature), "another webhook");
        let signed = Signature { id: "msg_1", timestamp: TIME, values: VALUE };
        assert_eq!(signed.verify(BODY, ["", "whsec_", "nonsense"], 300, NOW), Err(BadSignature), "no secret");
    }
}
