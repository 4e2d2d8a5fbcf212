//! A stream of bytes to the control plane: TCP, TLS over TCP, or a socket of the same host.

use std::{io, path::PathBuf, sync::Arc, time::Duration};

use rustls::{
    ClientConfig, RootCertStore,
    pki_types::{CertificateDer, ServerName, pem::PemObject},
};
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::{TcpStream, UnixStream},
    time::timeout,
};
use tokio_rustls::TlsConnector;

use crate::config::{PlainHttp, ServerAddress};

/// How long connecting may take, TLS included.
const DEADLINE: Duration = Duration::from_secs(10);

/// What either side can be spoken to over.
pub(crate) trait Stream: AsyncRead + AsyncWrite + Send + Unpin {}
impl<T: AsyncRead + AsyncWrite + Send + Unpin> Stream for T {}

/// Why the control plane cannot be reached.
#[derive(Debug, thiserror::Error)]
pub enum ConnectError {
    /// The file of certificates cannot be used.
    #[error("cannot read the certificates in {}: {reason}", path.display())]
    CaFile { path: PathBuf, reason: String },
    /// The host has no certificates that it trusts.
    #[error("this host trusts no certificate at all: install ca-certificates, or name a file of them")]
    NoRoots,
    #[error("{host} is not a name that a certificate can hold")]
    ServerName { host: String },
    #[error("the TLS library refused its settings")]
    Tls(#[from] rustls::Error),
    /// The link carries private keys.
    #[error(
        "{server} is another machine, and without TLS the networks' private keys could be read on the way; use https:// \
         (with --ca-file for a certificate of your own), or say --allow-plain-http when the way is encrypted otherwise"
    )]
    Readable { server: String },
    /// Nobody answers there, or not as expected; it is tried again.
    #[error("cannot connect to {server}: {source}")]
    Io { server: String, source: io::Error },
}

/// Connects to one server, as often as asked.
#[derive(Clone)]
pub(crate) struct Connector {
    server: ServerAddress,
    tls: Option<TlsConnector>,
}

impl Connector {
    pub fn new(server: ServerAddress, ca_file: Option<&PathBuf>, plain: PlainHttp) -> Result<Self, ConnectError> {
        if plain == PlainHttp::WithinThisMachine && server.is_readable_by_others() {
            return Err(ConnectError::Readable { server: server.to_string() });
        }
        let tls = match server {
            ServerAddress::Https { .. } => Some(TlsConnector::from(Arc::new(tls_config(ca_file)?))),
            ServerAddress::Http { .. } | ServerAddress::Unix(_) => None,
        };
        Ok(Self { server, tls })
    }

    pub fn server(&self) -> &ServerAddress {
        &self.server
    }

    pub async fn connect(&self) -> Result<Box<dyn Stream>, ConnectError> {
        let io = |source| ConnectError::Io { server: self.server.to_string(), source };
        let late = |_| io(io::ErrorKind::TimedOut.into());
        timeout(DEADLINE, self.dial()).await.map_err(late)?
    }

    async fn dial(&self) -> Result<Box<dyn Stream>, ConnectError> {
        let io = |source| ConnectError::Io { server: self.server.to_string(), source };
        match &self.server {
            ServerAddress::Unix(path) => Ok(Box::new(UnixStream::connect(path).await.map_err(io)?)),
            ServerAddress::Http { host, port } | ServerAddress::Https { host, port } => {
                let stream = TcpStream::connect((host.as_str(), *port)).await.map_err(io)?;
                // A change must not wait for the acknowledgement of the one before.
                stream.set_nodelay(true).map_err(io)?;
                let Some(tls) = &self.tls else { return Ok(Box::new(stream)) };
                let name = ServerName::try_from(host.clone());
                let name = name.map_err(|_| ConnectError::ServerName { host: host.clone() })?;
                Ok(Box::new(tls.connect(name, stream).await.map_err(io)?))
            }
        }
    }
}

fn tls_config(ca_file: Option<&PathBuf>) -> Result<ClientConfig, ConnectError> {
    let mut roots = RootCertStore::empty();
    roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
    if let Some(path) = ca_file {
        let broken = |reason: String| ConnectError::CaFile { path: path.clone(), reason };
        let certificates = CertificateDer::pem_file_iter(path).map_err(|error| broken(error.to_string()))?;
        let before = roots.len();
        for certificate in certificates {
            let certificate = certificate.map_err(|error| broken(error.to_string()))?;
            roots.add(certificate).map_err(|error| broken(error.to_string()))?;
        }
        if roots.len() == before {
            return Err(broken("it holds none".into()));
        }
    }
    if roots.is_empty() {
        return Err(ConnectError::NoRoots);
    }
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let builder = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions()?;
    Ok(builder.with_root_certificates(roots).with_no_client_auth())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plain_http_to_another_machine_needs_a_word() {
        let server: ServerAddress = "http://vpn.example.org".parse().unwrap();
        let refused = Connector::new(server.clone(), None, PlainHttp::WithinThisMachine).err().unwrap().to_string();
        assert!(refused.contains("https://") && refused.contains("--ca-file"), "{refused}");
        assert!(Connector::new(server, None, PlainHttp::Anywhere).is_ok());
        assert!(Connector::new("http://[::1]:80".parse().unwrap(), None, PlainHttp::WithinThisMachine).is_ok());
    }
}
