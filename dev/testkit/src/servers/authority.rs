//! An authority of a test's own, and a server's certificate by it.

use std::path::PathBuf;

use super::seat::Seat;

/// Makes an authority and a certificate by it for `host`, as `server.pem` and `server.key`, and returns the authority's.
///
/// # Errors
/// When the file system refuses.
pub fn certify(seat: &Seat, host: &str) -> anyhow::Result<PathBuf> {
    let mut params = rcgen::CertificateParams::new(Vec::new())?;
    // Not the name of what it vouches for, which would read as vouching for itself.
    params.distinguished_name.push(rcgen::DnType::CommonName, "Authority of a test");
    params.is_ca = rcgen::IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
    let authority = rcgen::CertifiedIssuer::self_signed(params, rcgen::KeyPair::generate()?)?;
    let key = rcgen::KeyPair::generate()?;
    let server = rcgen::CertificateParams::new(vec![host.to_owned()])?.signed_by(&key, &authority)?;
    seat.write("server.pem", &server.pem())?;
    seat.write("server.key", &key.serialize_pem())?;
    seat.write("ca.pem", &authority.pem())
}
