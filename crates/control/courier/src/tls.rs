//! Whom TLS trusts: the authorities that the host trusts, and one file more.

use std::{path::Path, sync::Arc};

use rustls::{
    ClientConfig, RootCertStore,
    pki_types::{CertificateDer, pem::PemObject},
};

use crate::SettingsError;

/// Settings for a client that checks the server's certificate and name.
///
/// # Errors
/// [`SettingsError::CaFile`] and [`SettingsError::NoRoots`].
pub(crate) fn client_config(ca_file: Option<&Path>) -> Result<ClientConfig, SettingsError> {
    let mut roots = RootCertStore::empty();
    roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
    if let Some(path) = ca_file {
        add_file(&mut roots, path)?;
    }
    if roots.is_empty() {
        return Err(SettingsError::NoRoots);
    }
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let builder = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions()?;
    Ok(builder.with_root_certificates(roots).with_no_client_auth())
}

fn add_file(roots: &mut RootCertStore, path: &Path) -> Result<(), SettingsError> {
    let broken = |reason: String| SettingsError::CaFile { path: path.to_owned(), reason };
    let before = roots.len();
    for certificate in CertificateDer::pem_file_iter(path).map_err(|error| broken(error.to_string()))? {
        let certificate = certificate.map_err(|error| broken(error.to_string()))?;
        roots.add(certificate).map_err(|error| broken(error.to_string()))?;
    }
    if roots.len() == before { Err(broken("it holds none".into())) } else { Ok(()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_without_certificates_is_refused_by_its_name() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("ca.pem");
        for content in [None, Some(""), Some("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n")] {
            if let Some(content) = content {
                std::fs::write(&path, content).unwrap();
            }
            let refused = client_config(Some(&path)).unwrap_err().to_string();
            assert!(refused.contains("ca.pem"), "{refused}");
        }
    }
}
