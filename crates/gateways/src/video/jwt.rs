//! Signed tokens (RFC 7519) with HMAC-SHA256, as the providers of video take them.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hmac::{Hmac, KeyInit, Mac};
use serde::de::DeserializeOwned;
use serde_json::Value;
use sha2::Sha256;
use subtle::ConstantTimeEq;

/// A token of this header and these claims, signed with this secret.
pub(super) fn sign(header: &Value, claims: &Value, secret: &str) -> String {
    let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
    let signed = format!("{}.{}", part(header), part(claims));
    let signature = URL_SAFE_NO_PAD.encode(mac(secret.as_bytes(), signed.as_bytes()));
    format!("{signed}.{signature}")
}

fn mac(secret: &[u8], text: &[u8]) -> Vec<u8> {
    let mut mac = Hmac::<Sha256>::new_from_slice(secret).expect("HMAC takes a key of any length");
    mac.update(text);
    mac.finalize().into_bytes().to_vec()
}

/// The header and the claims of a token whose signature is right.
pub(super) fn read<H: DeserializeOwned, C: DeserializeOwned>(token: &str, secret: &str) -> Option<(H, C)> {
    let (signed, signature) = token.rsplit_once('.')?;
    let given = URL_SAFE_NO_PAD.decode(signature).ok()?;
    let genuine = bool::from(mac(secret.as_bytes(), signed.as_bytes()).as_slice().ct_eq(&given));
    let (header, claims) = signed.split_once('.').filter(|_| genuine)?;
    Some((part(header)?, part(claims)?))
}

fn part<T: DeserializeOwned>(text: &str) -> Option<T> {
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(text).ok()?).ok()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    // RFC 7515, appendix A.1.
    #[test]
    fn the_signature_is_that_of_the_standards_own_example() {
        let key = "AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ-EstJQLr_T-1qS0gZH75aKtMN3Yj0iPS4hcgUuTwjAzZr1Z9CAow";
        let signed = "eyJ0eXAiOiJKV1QiLA0KICJhbGciOiJIUzI1NiJ9.eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ";
        let key = URL_SAFE_NO_PAD.decode(key).expect("base64");
        let signature = URL_SAFE_NO_PAD.encode(mac(&key, signed.as_bytes()));
        assert_eq!(signature, "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk");
    }

    #[test]
    fn a_token_is_read_with_its_own_secret_alone() {
        let token = sign(&json!({ "alg": "HS256" }), &json!({ "sub": "dana" }), "secret");
        let claims = |token: &str, secret| read::<Value, Value>(token, secret).map(|(_, claims)| claims);
        assert_eq!(claims(&token, "secret"), Some(json!({ "sub": "dana" })));
        assert_eq!(claims(&token, "another"), None);
        assert_eq!(claims(&format!("{token}A"), "secret"), None);
    }
}
