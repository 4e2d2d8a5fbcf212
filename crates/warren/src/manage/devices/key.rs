//! A key pair made on this machine; the private half goes into the configuration and nowhere else.

use warren_model::{PrivateKey, Random, ambient::random_bytes};
use x25519_dalek::{PublicKey, StaticSecret};

/// A Curve25519 key pair (RFC 7748).
#[derive(Debug)]
pub struct KeyPair {
    pub private: PrivateKey,
    /// In Base64, as the API takes it.
    pub public: String,
}

impl KeyPair {
    /// A new one.
    pub fn generate(random: &dyn Random) -> Self {
        let secret = StaticSecret::from(random_bytes::<32>(random));
        let public = warren_model::PublicKey::from_bytes(PublicKey::from(&secret).to_bytes())
            .expect("the public half of a clamped key is no point of small order");
        // Clamped as wg(8) writes it, so that every client reads back the same key.
        let mut bytes = secret.to_bytes();
        bytes[0] &= 248;
        bytes[31] = (bytes[31] & 127) | 64;
        Self { private: PrivateKey::from_bytes(bytes), public: public.to_string() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug)]
    struct Sevens;
    impl Random for Sevens {
        fn fill(&self, buffer: &mut [u8]) {
            buffer.fill(7);
        }
    }

    #[test]
    fn both_halves_belong_together() {
        let pair = KeyPair::generate(&Sevens);
        let secret = StaticSecret::from(*pair.private.expose_bytes());
        let public: warren_model::PublicKey = pair.public.parse().unwrap();
        assert_eq!(PublicKey::from(&secret).as_bytes(), public.as_bytes());
        assert_eq!(pair.private.expose_bytes()[0] & 7, 0);
    }
}
