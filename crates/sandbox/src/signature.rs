//! Stripe's signature header (<https://docs.stripe.com/webhooks#verify-manually>).

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

/// The value of `Stripe-Signature` for `payload` signed at `timestamp` (seconds since 1970): `t=…,v1=…`,
/// where `v1` is the HMAC-SHA256 of `timestamp.payload` in hexadecimal.
#[must_use]
pub fn signature_header(secret: &str, timestamp: i64, payload: &[u8]) -> String {
    let mut mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes()).expect("HMAC takes a key of any length");
    mac.update(timestamp.to_string().as_bytes());
    mac.update(b".");
    mac.update(payload);
    format!("t={timestamp},v1={}", hex::encode(mac.finalize().into_bytes()))
}

#[cfg(test)]
mod tests {
    use super::signature_header;

    /// The wanted value was computed with OpenSSL's command line.
    #[test]
    fn a_known_payload_has_its_known_signature() {
        assert_eq!(
            signature_header("whsec_test", 1_492_774_577, br#"{"id":"evt_1"}"#),
            "t=1492774577,v1=7656fc2882a7ca0a651666b36bf2f2f22ee204f54f608f227498a2419f2890b2"
        );
    }
}
