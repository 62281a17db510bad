//! The signature of a webhook (<https://docs.stripe.com/webhooks#verify-manually>).

use hmac::{Hmac, KeyInit, Mac};
use payments::gateway::CallbackError;
use sha2::Sha256;
use subtle::ConstantTimeEq;

/// More values than a header can honestly carry: Stripe sends one per active secret, of which there are two at most.
const MAX_PARTS: usize = 32;

/// Proves that `body` was signed with one of `secrets` at most `tolerance_seconds` before or after
/// `now_unix_seconds`.
///
/// `header` is the value of `Stripe-Signature`: `t=SECONDS,v1=HEX[,v1=HEX…]`; other parts are skipped. While a secret is
/// being replaced there are several secrets here and several `v1` there, and any match counts. The comparison takes
/// the same time wherever the first difference is.
///
/// # Errors
/// [`CallbackError::BadSignature`] when nothing matches; [`CallbackError::Stale`] when the signature is right and its
/// time is not.
pub fn verify(
    body: &[u8],
    header: &str,
    secrets: &[String],
    tolerance_seconds: i64,
    now_unix_seconds: i64,
) -> Result<(), CallbackError> {
    let (mut signed_at, mut signatures) = (None, Vec::new());
    for part in header.split(',').take(MAX_PARTS) {
        match part.trim().split_once('=') {
            Some(("t", value)) => signed_at = Some(value),
            Some(("v1", value)) => signatures.extend(hex::decode(value)),
            Some(_) | None => {}
        }
    }
    // The text of the time is what was signed, so it is used as it came.
    let text = signed_at.ok_or(CallbackError::BadSignature)?;
    let seconds: i64 = text.parse().map_err(|_| CallbackError::BadSignature)?;
    let genuine = secrets.iter().filter(|secret| !secret.is_empty()).any(|secret| {
        let expected = sign(secret, text, body);
        // No short circuit: every value is compared with every secret's.
        signatures.iter().fold(false, |found, given| bool::from(expected.as_slice().ct_eq(given)) | found)
    });
    if !genuine {
        return Err(CallbackError::BadSignature);
    }
    if now_unix_seconds.abs_diff(seconds) > u64::try_from(tolerance_seconds).unwrap_or(0) {
        return Err(CallbackError::Stale);
    }
    Ok(())
}

fn sign(secret: &str, time: &str, body: &[u8]) -> Vec<u8> {
    let mut mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes()).expect("HMAC takes a key of any length");
    mac.update(time.as_bytes());
    mac.update(b".");
    mac.update(body);
    mac.finalize().into_bytes().to_vec()
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECRET: &str = "whsec_test";
    const BODY: &[u8] = br#"{"id":"evt_1"}"#;
    const TIME: i64 = 1_492_774_577;
    // Computed with OpenSSL's command line.
    const V1: &str = "7656fc2882a7ca0a651666b36bf2f2f22ee204f54f608f227498a2419f2890b2";

    fn check(header: &str, now: i64) -> Result<(), CallbackError> {
        verify(BODY, header, &["whsec_new".into(), SECRET.into()], 300, now)
    }

    #[test]
    fn a_known_signature_passes_with_either_secret_and_beside_other_values() {
        let other = "0".repeat(64);
        for header in [
            format!("t={TIME},v1={V1}"),
            format!("t={TIME}, v1={V1}"),
            format!("v1={other},t={TIME},v1={V1}"),
            format!("t={TIME},v1={V1},v1={other},v0=abc"),
        ] {
            assert_eq!(check(&header, TIME), Ok(()), "{header}");
        }
    }

    #[test]
    fn what_does_not_match_is_refused() {
        let other = "0".repeat(64);
        for header in [
            String::new(),
            "t".into(),
            format!("v1={V1}"),
            format!("t={TIME}"),
            format!("t={TIME},v1={other}"),
            format!("t={TIME},v1={}", &V1[..62]),
            format!("t={TIME},v1="),
            format!("t={TIME},v1=zz"),
            format!("t={TIME},v0={V1}"),
            format!("t={},v1={V1}", TIME + 1),
            format!("t=x{TIME},v1={V1}"),
            format!("t=99999999999999999999,v1={V1}"),
        ] {
            assert_eq!(check(&header, TIME), Err(CallbackError::BadSignature), "{header}");
        }
    }

    #[test]
    fn one_changed_byte_of_the_body_is_refused() {
        let header = format!("t={TIME},v1={V1}");
        for index in 0..BODY.len() {
            let mut body = BODY.to_vec();
            body[index] ^= 1;
            let answer = verify(&body, &header, &[SECRET.into()], 300, TIME);
            assert_eq!(answer, Err(CallbackError::BadSignature), "byte {index}");
        }
    }

    #[test]
    fn a_signature_counts_for_as_long_as_the_tolerance_says_in_both_directions() {
        let header = format!("t={TIME},v1={V1}");
        for (offset, expected) in [
            (300, Ok(())),
            (-300, Ok(())),
            (301, Err(CallbackError::Stale)),
            (-301, Err(CallbackError::Stale)),
            (i64::MIN / 2, Err(CallbackError::Stale)),
        ] {
            assert_eq!(check(&header, TIME + offset), expected, "{offset}");
        }
    }

    #[test]
    fn no_secret_and_an_empty_secret_prove_nothing() {
        let forged = hex::encode(sign("", &TIME.to_string(), BODY));
        let header = format!("t={TIME},v1={forged}");
        assert_eq!(verify(BODY, &header, &[], 300, TIME), Err(CallbackError::BadSignature));
        assert_eq!(verify(BODY, &header, &[String::new()], 300, TIME), Err(CallbackError::BadSignature));
    }
}
