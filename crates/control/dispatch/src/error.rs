//! Why there is no connection, or none any more.

use std::{io, path::PathBuf};

use async_nats::{ConnectError, ConnectErrorKind};
use warren_runtime::dependency::{Blame, Blamed, Failure};

type Cause = Box<dyn std::error::Error + Send + Sync>;

/// Why there is no connection, or none any more.
#[derive(Debug, thiserror::Error)]
pub enum BellError {
    /// Nobody answers there.
    #[error("NATS at {server} cannot be reached: {source}")]
    Unreachable {
        server: String,
        #[source]
        source: ConnectError,
    },
    /// It does not let this user in.
    #[error(
        "NATS at {server} does not accept the user and password; check them in --nats-url and --nats-password-file, or the file of --nats-credentials-file"
    )]
    Refused { server: String },
    /// Its certificate is not one that is trusted, or it speaks no TLS.
    #[error(
        "NATS at {server} cannot be spoken with by TLS: {source}; name the authority of its certificate with --nats-ca"
    )]
    Tls {
        server: String,
        #[source]
        source: ConnectError,
    },
    /// A file with a password or credentials cannot be read.
    #[error("cannot read {}: {source}", path.display())]
    Credentials {
        path: PathBuf,
        #[source]
        source: io::Error,
    },
    /// It does not have what rings are kept in, and does not let it be made.
    #[error(
        "NATS at {server} keeps no rings: {source}; it needs JetStream, and the user the rights that the manual names"
    )]
    NoStream {
        server: String,
        #[source]
        source: Cause,
    },
    /// A ring was not taken.
    #[error("NATS does not take a ring: {0}")]
    Ring(#[source] Cause),
    /// Rings cannot be waited for.
    #[error("NATS hands out no rings: {0}")]
    Listen(#[source] Cause),
    /// The connection is gone.
    #[error("the connection to NATS at {server} is gone: {reason}")]
    Lost { server: String, reason: String },
    /// It was not called, or did not answer in time.
    #[error("NATS is not called: {0}")]
    NotCalled(String),
}

impl BellError {
    /// Whether it is only a consequence of earlier ones.
    pub(crate) const fn is_refusal(&self) -> bool {
        matches!(self, Self::NotCalled(_))
    }

    pub(crate) fn connecting(server: &str, source: ConnectError) -> Self {
        let server = server.to_owned();
        match source.kind() {
            ConnectErrorKind::AuthorizationViolation | ConnectErrorKind::Authentication => Self::Refused { server },
            ConnectErrorKind::Tls => Self::Tls { server, source },
            _ if is_of_tls(&source) => Self::Tls { server, source },
            _ => Self::Unreachable { server, source },
        }
    }
}

/// What rustls refuses comes as an error of input and output.
fn is_of_tls(error: &ConnectError) -> bool {
    let mut cause = std::error::Error::source(error);
    while let Some(inner) = cause {
        if inner.downcast_ref::<io::Error>().is_some_and(|error| error.kind() == io::ErrorKind::InvalidData) {
            return true;
        }
        cause = inner.source();
    }
    false
}

impl Blamed for BellError {
    fn blame(&self) -> Blame {
        match self {
            Self::Refused { .. } | Self::Tls { .. } | Self::Credentials { .. } | Self::NoStream { .. } => {
                Blame::Lasting
            }
            Self::Unreachable { .. } | Self::Ring(_) | Self::Listen(_) | Self::Lost { .. } | Self::NotCalled(_) => {
                Blame::Transient
            }
        }
    }
}

impl From<Failure<Self>> for BellError {
    fn from(failure: Failure<Self>) -> Self {
        match failure {
            Failure::Failed(error) => error,
            other => Self::NotCalled(other.to_string()),
        }
    }
}
