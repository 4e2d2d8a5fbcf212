//! Sealing: secrets that the databases hold are encrypted with the installation's key and bound to where they belong.
//!
//! XChaCha20-Poly1305 (draft-irtf-cfrg-xchacha) with a random 192-bit nonce. A sealed value is one version byte, the nonce,
//! and the ciphertext with its tag; the context is authenticated with it, so that a value copied to another row does not open.

use chacha20poly1305::{
    XChaCha20Poly1305, XNonce,
    aead::{Aead, KeyInit, Payload},
};
use sha2::{Digest, Sha256};
use warren_model::{Random, ambient::random_bytes};
use zeroize::{Zeroize, ZeroizeOnDrop, Zeroizing};

const VERSION: u8 = 1;
const NONCE_BYTES: usize = 24;

/// The installation's key for secrets at rest. Whoever has it and the databases has the secrets.
#[derive(Clone, Zeroize, ZeroizeOnDrop)]
pub struct SealingKey([u8; 32]);

/// Why a sealed value did not open.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum SealError {
    /// Altered, cut short, moved to another place, or sealed with another key.
    #[error(
        "a stored secret does not open: it was altered, or the data folder's key file is not the one it was sealed with"
    )]
    DoesNotOpen,
}

impl SealingKey {
    /// A new key.
    pub fn generate(random: &dyn Random) -> Self {
        Self(random_bytes(random))
    }
    /// A key as it was stored.
    pub const fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }
    /// The 32 bytes, for the key file.
    pub const fn expose_bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// What tells this key from any other and gives nothing of it away: 64 hexadecimal digits.
    pub fn fingerprint(&self) -> String {
        let digest = Sha256::new().chain_update(b"warren sealing key").chain_update(self.0).finalize();
        digest.iter().map(|byte| format!("{byte:02x}")).collect()
    }

    /// Seals `secret` for the place that `context` names, such as `network:<id>:private-key`.
    pub fn seal(&self, context: &str, secret: &[u8], random: &dyn Random) -> Vec<u8> {
        let nonce: [u8; NONCE_BYTES] = random_bytes(random);
        let payload = Payload { msg: secret, aad: context.as_bytes() };
        let ciphertext = self
            .cipher()
            .encrypt(&XNonce::from(nonce), payload)
            .expect("secrets are far below the cipher's limit of 256 GiB");
        [&[VERSION][..], &nonce, &ciphertext].concat()
    }

    /// Opens what was sealed for the same `context`.
    ///
    /// # Errors
    /// [`SealError::DoesNotOpen`]
    pub fn open(&self, context: &str, sealed: &[u8]) -> Result<Zeroizing<Vec<u8>>, SealError> {
        let (version, rest) = sealed.split_first().ok_or(SealError::DoesNotOpen)?;
        if *version != VERSION || rest.len() < NONCE_BYTES {
            return Err(SealError::DoesNotOpen);
        }
        let (nonce, ciphertext) = rest.split_at(NONCE_BYTES);
        let nonce: [u8; NONCE_BYTES] = nonce.try_into().map_err(|_| SealError::DoesNotOpen)?;
        let payload = Payload { msg: ciphertext, aad: context.as_bytes() };
        self.cipher().decrypt(&XNonce::from(nonce), payload).map(Zeroizing::new).map_err(|_| SealError::DoesNotOpen)
    }

    fn cipher(&self) -> XChaCha20Poly1305 {
        XChaCha20Poly1305::new(&self.0.into())
    }
}

impl std::fmt::Debug for SealingKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("SealingKey(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug)]
    struct Fixed;
    impl Random for Fixed {
        fn fill(&self, buffer: &mut [u8]) {
            buffer.fill(3);
        }
    }

    #[test]
    fn a_secret_opens_only_where_it_belongs() {
        let key = SealingKey::from_bytes([1; 32]);
        let sealed = key.seal("network:a", b"secret", &Fixed);
        assert_eq!(*key.open("network:a", &sealed).unwrap(), b"secret");
        assert_eq!(key.open("network:b", &sealed), Err(SealError::DoesNotOpen));
        assert_eq!(SealingKey::from_bytes([2; 32]).open("network:a", &sealed), Err(SealError::DoesNotOpen));
    }

    #[test]
    fn what_was_altered_does_not_open() {
        let key = SealingKey::from_bytes([1; 32]);
        let sealed = key.seal("network:a", b"secret", &Fixed);
        for at in 0..sealed.len() {
            let mut altered = sealed.clone();
            altered[at] ^= 1;
            assert_eq!(key.open("network:a", &altered), Err(SealError::DoesNotOpen), "byte {at}");
        }
        for length in 0..sealed.len() {
            assert_eq!(key.open("network:a", &sealed[..length]), Err(SealError::DoesNotOpen));
        }
    }
}
