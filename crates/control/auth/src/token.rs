//! Secret tokens: 256 random bits that are shown once and kept as a hash.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;
use warren_model::{Random, ambient::random_bytes};
use zeroize::{Zeroize, ZeroizeOnDrop};

/// A token on its way to or from its holder. Wiped when dropped, never printed by `Debug`.
#[derive(Clone, Zeroize, ZeroizeOnDrop)]
pub struct SecretToken([u8; 32]);

impl SecretToken {
    /// A new token of 256 random bits.
    pub fn generate(random: &dyn Random) -> Self {
        Self(random_bytes(random))
    }
    /// Reads what [`SecretToken::expose`] wrote; none for anything else.
    pub fn parse(text: &str) -> Option<Self> {
        // 43 characters; decoding is never offered an unbounded text.
        if text.len() != 43 {
            return None;
        }
        let bytes = URL_SAFE_NO_PAD.decode(text).ok()?;
        bytes.try_into().ok().map(Self)
    }
    /// The token as its holder carries it: 43 characters of URL-safe Base64.
    pub fn expose(&self) -> String {
        URL_SAFE_NO_PAD.encode(self.0)
    }
    /// What is stored of it. One round of SHA-256 suffices: 256 random bits cannot be guessed from it.
    pub fn hash(&self) -> TokenHash {
        TokenHash(Sha256::digest(self.0).into())
    }
}

impl std::fmt::Debug for SecretToken {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("SecretToken(…)")
    }
}

/// The SHA-256 hash of a token, by which it is found.
#[derive(Debug, Clone, Copy)]
pub struct TokenHash([u8; 32]);

impl TokenHash {
    /// A hash as it was stored.
    pub const fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }
    /// The 32 bytes to store.
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

impl PartialEq for TokenHash {
    fn eq(&self, other: &Self) -> bool {
        self.0.ct_eq(&other.0).into()
    }
}

impl Eq for TokenHash {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_found_again_by_its_hash() {
        let token = SecretToken([7; 32]);
        assert_eq!(SecretToken::parse(&token.expose()).unwrap().hash(), token.hash());
        assert_ne!(SecretToken([8; 32]).hash(), token.hash());
    }

    #[test]
    fn what_is_no_token_is_not_read() {
        for bad in ["", "short", &"=".repeat(43), &"A".repeat(44), &"A".repeat(100_000)] {
            assert!(SecretToken::parse(bad).is_none());
        }
    }
}
