//! Making keys, and where sealed ones belong.

use warren_model::{DeviceId, OrganisationId, PresharedKey, PrivateKey, PublicKey, Random, ambient::random_bytes};

/// A new Curve25519 key pair, the private key clamped as RFC 7748 section 5 asks.
pub(crate) fn generate_key_pair(random: &dyn Random) -> (PrivateKey, PublicKey) {
    let mut bytes: [u8; 32] = random_bytes(random);
    bytes[0] &= 248;
    bytes[31] = (bytes[31] & 127) | 64;
    let public = x25519_dalek::PublicKey::from(&x25519_dalek::StaticSecret::from(bytes));
    let public =
        PublicKey::from_bytes(public.to_bytes()).expect("a clamped private key yields no point of small order");
    (PrivateKey::from_bytes(bytes), public)
}

/// A new pre-shared key.
pub(crate) fn generate_preshared_key(random: &dyn Random) -> PresharedKey {
    PresharedKey::from_bytes(random_bytes(random))
}

/// What binds a sealed pre-shared key to its device.
pub(crate) fn preshared_key_context(organisation: OrganisationId, device: DeviceId) -> String {
    format!("organisation:{organisation}:device:{device}:preshared-key")
}
