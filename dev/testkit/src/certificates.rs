//! Certificates for servers that tests start, from an authority that nobody else trusts.

use std::{fs, path::PathBuf};

use anyhow::Context;
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair, KeyUsagePurpose};
use tempfile::TempDir;

/// An authority with a folder of its own, gone with the value.
#[derive(Debug)]
pub struct Authority {
    folder: TempDir,
    issuer: CertifiedIssuer<'static, KeyPair>,
}

/// A certificate with its chain, and its key, as files of PEM.
#[derive(Debug, Clone)]
pub struct ServerCertificate {
    pub certificate: PathBuf,
    pub key: PathBuf,
}

impl Authority {
    /// A new one.
    ///
    /// # Errors
    /// When there is no folder to write to.
    pub fn new() -> anyhow::Result<Self> {
        let folder = TempDir::with_prefix("warren-authority-").context("cannot make a folder")?;
        let mut parameters = CertificateParams::default();
        parameters.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        parameters.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
        parameters.distinguished_name.push(DnType::CommonName, "Authority of a test");
        let issuer = CertifiedIssuer::self_signed(parameters, KeyPair::generate()?)?;
        fs::write(folder.path().join("ca.pem"), issuer.pem())?;
        Ok(Self { folder, issuer })
    }

    /// The file with its own certificate, for those who are to trust it.
    pub fn ca_file(&self) -> PathBuf {
        self.folder.path().join("ca.pem")
    }

    /// A certificate for a server of these names and addresses.
    ///
    /// # Errors
    /// When a name can stand in no certificate.
    pub fn issue(&self, names: &[&str]) -> anyhow::Result<ServerCertificate> {
        let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
        let stem = names.first().context("a certificate without a name")?.clone();
        let key = KeyPair::generate()?;
        let certificate = CertificateParams::new(names)?.signed_by(&key, &self.issuer)?;
        let written = ServerCertificate {
            certificate: self.folder.path().join(format!("{stem}.pem")),
            key: self.folder.path().join(format!("{stem}.key")),
        };
        fs::write(&written.certificate, certificate.pem())?;
        fs::write(&written.key, key.serialize_pem())?;
        Ok(written)
    }
}
