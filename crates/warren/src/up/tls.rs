//! The portal's certificate.

use std::{
    path::{Path, PathBuf},
    sync::Arc,
};

use rustls::{
    ServerConfig,
    crypto::aws_lc_rs,
    pki_types::{
        CertificateDer, PrivateKeyDer,
        pem::{self, PemObject},
    },
};

use super::plan::TlsFiles;
use crate::Failure;

/// TLS 1.2 and 1.3 with the certificate that `files` hold.
///
/// # Errors
/// [`Failure::Io`] for a file that cannot be read, [`Failure::Usage`] for one that holds something else.
pub fn server(files: &TlsFiles) -> Result<Arc<ServerConfig>, Failure> {
    let chain: Vec<CertificateDer<'static>> = CertificateDer::pem_file_iter(&files.certificates)
        .and_then(Iterator::collect)
        .map_err(|error| unreadable(&files.certificates, "certificate", error))?;
    if chain.is_empty() {
        return Err(unreadable(&files.certificates, "certificate", pem::Error::NoItemsFound));
    }
    let key = PrivateKeyDer::from_pem_file(&files.key).map_err(|error| unreadable(&files.key, "private key", error))?;
    let mut config = ServerConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
        .with_safe_default_protocol_versions()
        .map_err(|source| Failure::start("set up TLS", source))?
        .with_no_client_auth()
        .with_single_cert(chain, key)
        .map_err(|error| {
            let (certificates, key) = (files.certificates.display(), files.key.display());
            Failure::Usage(format!(
                "the certificate in {certificates} and the key in {key} do not go together: {error}"
            ))
        })?;
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    Ok(Arc::new(config))
}

fn unreadable(path: &Path, what: &str, error: pem::Error) -> Failure {
    match error {
        pem::Error::Io(source) => Failure::Io { doing: "read", path: PathBuf::from(path), source },
        _ => Failure::Usage(format!("{} holds no {what} in PEM", path.display())),
    }
}
