//! WireGuard keys: 32 bytes, written in Base64.

use std::{fmt, str::FromStr};

use base64::{Engine, engine::general_purpose::STANDARD};

use crate::Invalid;

/// The Curve25519 public key of a device or of a network on its gateway.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PublicKey([u8; 32]);

impl PublicKey {
    /// The key that stands in `bytes`.
    ///
    /// # Errors
    /// [`Invalid::WeakKey`] for the points of small order of RFC 7748 section 6.1, which would agree on an all-zero secret.
    pub fn from_bytes(bytes: [u8; 32]) -> Result<Self, Invalid> {
        let mut masked = bytes;
        masked[31] &= 0x7f;
        if SMALL_ORDER.contains(&masked) { Err(Invalid::WeakKey) } else { Ok(Self(bytes)) }
    }
    /// The 32 bytes.
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

impl FromStr for PublicKey {
    type Err = Invalid;
    fn from_str(text: &str) -> Result<Self, Invalid> {
        Self::from_bytes(decode(text)?)
    }
}

impl fmt::Display for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&STANDARD.encode(self.0))
    }
}

impl fmt::Debug for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PublicKey({self})")
    }
}

macro_rules! secret_key {
    ($($(#[$doc:meta])* $name:ident),+ $(,)?) => {$(
        $(#[$doc])*
        #[derive(Clone, PartialEq, Eq, zeroize::Zeroize, zeroize::ZeroizeOnDrop)]
        pub struct $name([u8; 32]);

        impl $name {
            /// The key that stands in `bytes`.
            pub const fn from_bytes(bytes: [u8; 32]) -> Self { Self(bytes) }
            /// The 32 bytes.
            pub const fn expose_bytes(&self) -> &[u8; 32] { &self.0 }
            /// The key in Base64, for a configuration that is handed out once.
            pub fn expose_base64(&self) -> String { STANDARD.encode(self.0) }
        }
        impl FromStr for $name {
            type Err = Invalid;
            fn from_str(text: &str) -> Result<Self, Invalid> { decode(text).map(Self) }
        }
        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result { f.write_str(concat!(stringify!($name), "(…)")) }
        }
    )+};
}

secret_key!(
    /// A Curve25519 private key. Never shown by `Debug`, wiped on drop.
    PrivateKey,
    /// The symmetric key that a device and its gateway may mix in. Never shown by `Debug`, wiped on drop.
    PresharedKey,
);

/// The u-coordinates of small order on Curve25519, little-endian, as WireGuard and libsodium list them.
const SMALL_ORDER: [[u8; 32]; 7] = {
    const P: [u8; 32] = {
        let mut p = [0xff; 32];
        p[0] = 0xed;
        p[31] = 0x7f;
        p
    };
    let mut one = [0; 32];
    one[0] = 1;
    let mut p_minus_1 = P;
    p_minus_1[0] = 0xec;
    let mut p_plus_1 = P;
    p_plus_1[0] = 0xee;
    [
        [0; 32],
        one,
        [
            0xe0, 0xeb, 0x7a, 0x7c, 0x3b, 0x41, 0xb8, 0xae, 0x16, 0x56, 0xe3, 0xfa, 0xf1, 0x9f, 0xc4, 0x6a, 0xda, 0x09,
            0x8d, 0xeb, 0x9c, 0x32, 0xb1, 0xfd, 0x86, 0x62, 0x05, 0x16, 0x5f, 0x49, 0xb8, 0x00,
        ],
        [
            0x5f, 0x9c, 0x95, 0xbc, 0xa3, 0x50, 0x8c, 0x24, 0xb1, 0xd0, 0xb1, 0x55, 0x9c, 0x83, 0xef, 0x5b, 0x04, 0x44,
            0x5c, 0xc4, 0x58, 0x1c, 0x8e, 0x86, 0xd8, 0x22, 0x4e, 0xdd, 0xd0, 0x9f, 0x11, 0x57,
        ],
        p_minus_1,
        P,
        p_plus_1,
    ]
};

fn decode(text: &str) -> Result<[u8; 32], Invalid> {
    let text = text.trim();
    if text.len() != 44 {
        return Err(Invalid::Key);
    }
    let bytes = STANDARD.decode(text).map_err(|_| Invalid::Key)?;
    bytes.try_into().map_err(|_| Invalid::Key)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_survive_base64() {
        let key = PublicKey::from_bytes([9; 32]).unwrap();
        assert_eq!(key.to_string().parse::<PublicKey>().unwrap(), key);
    }

    #[test]
    fn malformed_keys_are_refused() {
        for bad in ["", "abc", &"A".repeat(44), &format!("{}=", "!".repeat(43)), &"A".repeat(10_000)] {
            assert_eq!(bad.parse::<PublicKey>(), Err(Invalid::Key), "{bad}");
        }
    }

    #[test]
    fn weak_keys_are_refused_whatever_their_top_bit() {
        assert_eq!(PublicKey::from_bytes([0; 32]), Err(Invalid::WeakKey));
        let mut one = [0; 32];
        one[0] = 1;
        one[31] = 0x80;
        assert_eq!(PublicKey::from_bytes(one), Err(Invalid::WeakKey));
    }

    #[test]
    fn secrets_are_not_printed() {
        assert_eq!(format!("{:?}", PrivateKey::from_bytes([7; 32])), "PrivateKey(…)");
    }
}
