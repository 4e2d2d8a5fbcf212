//! Signatures by which a receiver knows that a message is Warren's and is new.
//!
//! Source: [Standard Webhooks](https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md), the
//! symmetric scheme `v1`: HMAC-SHA256 over `id.timestamp.body`. Receivers verify with any of its libraries.

use std::{str::FromStr, time::Duration};

use base64::{Engine, prelude::BASE64_STANDARD};
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use warren_model::{Random, Timestamp, ambient::random_bytes};
use warren_runtime::Secret;

/// What each secret begins with.
const PREFIX: &str = "whsec_";
/// What each signature begins with.
const VERSION: &str = "v1,";
/// The lengths of a key that the standard allows, in bytes.
const KEY_BYTES: std::ops::RangeInclusive<usize> = 24..=64;
/// How far a receiver's clock may be from ours, in either direction.
pub const TOLERANCE: Duration = Duration::from_secs(300);
/// The most signatures that are looked at.
const SIGNATURES_MAX: usize = 16;

/// The key that a webhook's messages are signed with, `whsec_` and Base64.
#[derive(Debug, Clone)]
pub struct WebhookSecret(Secret<Vec<u8>>);

/// Why a text is no secret.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a secret of a webhook is whsec_ and 24 to 64 bytes in Base64")]
pub struct NoSecret;

/// Why a message is not taken for Warren's.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NotGenuine {
    #[error("its timestamp is no number")]
    Timestamp,
    #[error(
        "its timestamp is more than five minutes from now: an old message that somebody sends again, or a wrong clock"
    )]
    Stale,
    #[error("none of its signatures fits")]
    Signature,
}

impl WebhookSecret {
    /// A new one of 32 bytes.
    pub fn generate(random: &dyn Random) -> Self {
        Self(Secret::new(random_bytes::<32>(random).to_vec()))
    }

    /// The secret as the receiver is told it, once.
    pub fn expose(&self) -> Secret<String> {
        Secret::new(format!("{PREFIX}{}", BASE64_STANDARD.encode(self.0.expose())))
    }

    fn mac(&self, id: &str, timestamp: &str, body: &[u8]) -> Hmac<Sha256> {
        // The trait's bound is for ciphers; HMAC takes a key of any length.
        let mut mac = Hmac::<Sha256>::new_from_slice(self.0.expose()).expect("HMAC takes a key of any length");
        for part in [id.as_bytes(), b".", timestamp.as_bytes(), b".", body] {
            mac.update(part);
        }
        mac
    }
}

impl FromStr for WebhookSecret {
    type Err = NoSecret;
    fn from_str(text: &str) -> Result<Self, NoSecret> {
        let key = text.trim().strip_prefix(PREFIX).and_then(|rest| BASE64_STANDARD.decode(rest).ok());
        let key = key.filter(|key| KEY_BYTES.contains(&key.len())).ok_or(NoSecret)?;
        Ok(Self(Secret::new(key)))
    }
}

/// The header `webhook-signature`: a signature with each secret, so that a receiver may have either while one replaces another.
pub fn sign(secrets: &[WebhookSecret], id: &str, timestamp: Timestamp, body: &[u8]) -> String {
    let timestamp = timestamp.unix_timestamp().to_string();
    let signatures = secrets.iter().map(|secret| {
        let signature = secret.mac(id, &timestamp, body).finalize().into_bytes();
        format!("{VERSION}{}", BASE64_STANDARD.encode(signature))
    });
    signatures.collect::<Vec<_>>().join(" ")
}

/// What a receiver does with the three headers and the body, byte by byte as it came.
///
/// # Errors
/// [`NotGenuine`]
pub fn verify(
    secrets: &[WebhookSecret],
    id: &str,
    timestamp: &str,
    signature: &str,
    body: &[u8],
    now: Timestamp,
) -> Result<(), NotGenuine> {
    let sent: i64 = timestamp.parse().map_err(|_| NotGenuine::Timestamp)?;
    if now.unix_timestamp().abs_diff(sent) > TOLERANCE.as_secs() {
        return Err(NotGenuine::Stale);
    }
    let given = signature.split(' ').take(SIGNATURES_MAX).filter_map(|one| one.strip_prefix(VERSION));
    let given: Vec<Vec<u8>> = given.filter_map(|one| BASE64_STANDARD.decode(one).ok()).collect();
    // Compared in the same time wherever they differ.
    let fits = |secret: &WebhookSecret, one: &Vec<u8>| secret.mac(id, timestamp, body).verify_slice(one).is_ok();
    let is_genuine = secrets.iter().any(|secret| given.iter().any(|one| fits(secret, one)));
    if is_genuine { Ok(()) } else { Err(NotGenuine::Signature) }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use time::Duration as Span;

    use super::*;

    /// The example that the standard's own libraries are tested with.
    const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
    const ID: &str = "msg_p5jXN8AQM9LWM0D4loKWxJek";
    const SENT: i64 = 1_614_265_330;
    const BODY: &[u8] = b"{\"test\": 2432232314}";
    const SIGNATURE: &str = "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=";

    fn secret(text: &str) -> WebhookSecret {
        text.parse().unwrap()
    }

    fn sent() -> Timestamp {
        Timestamp::from_unix_timestamp(SENT).unwrap()
    }

    fn verified(signature: &str, body: &[u8], now: Timestamp) -> Result<(), NotGenuine> {
        verify(&[secret(SECRET)], ID, &SENT.to_string(), signature, body, now)
    }

    #[test]
    fn the_standards_example_is_signed_and_verified() {
        assert_eq!(sign(&[secret(SECRET)], ID, sent(), BODY), SIGNATURE);
        assert_eq!(verified(SIGNATURE, BODY, sent()), Ok(()));
    }

    #[test]
    fn while_a_secret_is_replaced_both_sign() {
        let new = secret("whsec_AAECAwQFBgcICQoLDA0ODxAREhMUFRYX");
        let both = sign(&[new.clone(), secret(SECRET)], ID, sent(), BODY);
        assert_eq!(both.split(' ').count(), 2);
        for receiver in [&new, &secret(SECRET)] {
            assert_eq!(verify(std::slice::from_ref(receiver), ID, &SENT.to_string(), &both, BODY, sent()), Ok(()));
        }
    }

    #[test]
    fn a_message_that_was_changed_or_kept_is_not_genuine() {
        assert_eq!(verified(SIGNATURE, b"{\"test\": 2432232315}", sent()), Err(NotGenuine::Signature));
        for bad in ["", "v1,", "v1,AAAA", "v1a,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=", &SIGNATURE[3..]] {
            assert_eq!(verified(bad, BODY, sent()), Err(NotGenuine::Signature), "{bad}");
        }
        assert_eq!(verify(&[], ID, &SENT.to_string(), SIGNATURE, BODY, sent()), Err(NotGenuine::Signature));
        for (seconds, expected) in
            [(300, Ok(())), (-300, Ok(())), (301, Err(NotGenuine::Stale)), (-301, Err(NotGenuine::Stale))]
        {
            assert_eq!(verified(SIGNATURE, BODY, sent() + Span::seconds(seconds)), expected);
        }
        assert_eq!(verify(&[secret(SECRET)], ID, "soon", SIGNATURE, BODY, sent()), Err(NotGenuine::Timestamp));
        assert_eq!(
            verify(&[secret(SECRET)], ID, &i64::MIN.to_string(), SIGNATURE, BODY, sent()),
            Err(NotGenuine::Stale)
        );
    }

    #[test]
    fn a_secret_has_its_prefix_and_a_length_of_the_standard_and_is_never_printed() {
        for bad in [
            "",
            "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
            "whsec_",
            "whsec_AAAA",
            "whsec_!",
            &format!("whsec_{}", "A".repeat(88)),
        ] {
            assert!(bad.parse::<WebhookSecret>().is_err(), "{bad}");
        }
        assert_eq!(secret(SECRET).expose().expose(), SECRET);
        assert!(!format!("{:?}", secret(SECRET)).contains("MfKQ"));
        let made = WebhookSecret::generate(&warren_runtime::SystemRandom);
        assert_eq!(secret(made.expose().expose()).0.expose(), made.0.expose());
    }

    proptest! {
        #[test]
        fn whatever_is_sent_verifies_and_one_changed_byte_does_not(body: Vec<u8>, at: prop::sample::Index, change in 1..=255_u8) {
            let signature = sign(&[secret(SECRET)], ID, sent(), &body);
            prop_assert_eq!(verified(&signature, &body, sent()), Ok(()));
            let mut changed = [body.clone(), b"x".to_vec()].concat();
            let at = at.index(changed.len());
            changed[at] ^= change;
            prop_assert_eq!(verified(&signature, &changed, sent()), Err(NotGenuine::Signature));
        }
    }
}
